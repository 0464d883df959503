//! An emulated event source mapping on a DynamoDB stream: records in, invokes
//! out, retry by retry as Lambda does it.
//!
//! It knows nothing of WebAssembly, of gristmill's host or of a protocol. What
//! it works with are traits: a [`StreamSource`], a [`Target`], a
//! [`Destination`], a [`PositionStore`], a [`Clock`] and a [`TraceSink`].
//! Between them stands [`Machine`], which holds the rules and does nothing
//! itself; [`run`] does what it decides. [`testing`] has a stream, targets and
//! a virtual clock for tests of one's own.
//!
//! What is emulated, and from which fact, is in `docs/mapping.md`.
//!
//! ```
//! use std::time::Duration;
//!
//! use gristmill_mapping::testing::{Rig, parameters};
//! use gristmill_mapping::{Answer, Parameters};
//!
//! // A target that fails every batch, behind a mapping with two retries.
//! let parameters = Parameters { maximum_retry_attempts: Some(2), ..parameters() };
//! let mut rig = Rig::new(parameters, |_| Answer::TimedOut);
//! rig.stream.put("item");
//! rig.advance(Duration::from_secs(60));
//!
//! let calls = rig.target.calls();
//! assert_eq!(calls.len(), 3);
//! assert!(calls.iter().all(|call| call.request_id == calls[0].request_id));
//! assert_eq!(rig.counts().exhausted, 1);
//! ```

mod backoff;
mod clock;
pub mod configuration;
mod destination;
mod driver;
mod error;
mod lifecycle;
pub mod machine;
mod payload;
mod positions;
mod record;
mod response;
mod source;
mod target;
pub mod testing;

mod time;
pub mod trace;

pub use clock::Clock;
#[cfg(feature = "tokio")]
pub use clock::TokioClock;
pub use configuration::{Configuration, Parameters};
pub use destination::{Destination, DestinationError, FailureDocument};
pub use driver::{Handle, Ports, run};
pub use error::ApiError;
pub use lifecycle::{ProcessingResult, State};
pub use machine::{Machine, Settings};
pub use payload::event_of;
pub use positions::{Position, PositionError, PositionStore, Window};
pub use source::{IteratorPosition, RecordPage, ShardDescription, ShardPage, SourceError, StreamSource};
pub use target::{Answer, Invocation, Target};
pub use time::Timestamp;
pub use trace::TraceSink;

/// The most records of a page (AWS-FACTS, The event source mapping).
pub const STREAM_RECORDS_LIMIT: usize = 1_000;

/// The most bytes of a page (the same).
pub const STREAM_BYTES_LIMIT: usize = 1 << 20;
