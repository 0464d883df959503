//! Runs DynamoDB stream records through handlers that are WebAssembly
//! components.
//!
//! The rooms, in the order in which a record meets them: `lambda` takes the
//! payload, [`event`] finds the records in it, [`pattern`] and `route` say
//! which handlers want them, `batch` decides what runs when and what the
//! answer is, `guest` calls a handler.

pub mod batch;
pub mod event;
#[cfg(feature = "guest")]
pub mod guest;
#[cfg(feature = "guest")]
pub mod invoke;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "guest")]
pub mod log;
#[cfg(feature = "guest")]
pub mod metrics;
pub mod pattern;
pub mod route;
pub mod settings;
