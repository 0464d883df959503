//! Write handlers of DynamoDB stream records for gristmill in Rust.
//!
//! A handler is a function and one line:
//!
//! ```
//! use gristmill_sdk::{Failure, StreamRecord};
//!
//! gristmill_sdk::handler!(file);
//!
//! #[derive(serde::Deserialize)]
//! struct Customer {
//!     name: String,
//! }
//!
//! fn file(record: &StreamRecord) -> Result<(), Failure> {
//!     if let Some(customer) = record.new_image_as::<Customer>()? {
//!         gristmill_sdk::info!(name = customer.name; "filed");
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Success means that the record need not come again. `?` on any error is [`Failure::Retry`]: deliver it again. What will
//! never go better is [`Failure::reject`]. A panic prints its message and costs this record alone.
//!
//! What is in a record: [`StreamRecord`]. An image comes as a type of your own ([`StreamRecord::new_image_as`]), as a
//! tree ([`StreamRecord::new_image`], [`AttributeValue`]), or as text. What is around it: [`invocation`]. Log lines:
//! [`info!`] and its sisters.
//!
//! What a change did to an item: [`StreamRecord::changed`], [`StreamRecord::changes`].
//!
//! The crate compiles for every target. In a native build, a unit test makes records with [`testing::Record`] and calls the
//! function; log lines go to stderr, and [`invocation`] gives stand-ins.

#[doc(hidden)]
#[allow(missing_docs, unreachable_pub, unsafe_code, rust_2018_idioms, clippy::all, clippy::unwrap_used, reason = "generated")]
#[rustfmt::skip]
pub mod bindings;
mod change;
mod de;
mod error;
mod failure;
pub mod invocation;
pub mod log;
mod number;
mod record;
pub mod testing;
mod value;

pub use change::{Change, ChangeError, Changes};
pub use de::{Bytes, from_json};
pub use error::ImageError;
pub use failure::{Failure, OrFail};
pub use number::{Number, NumberError};
pub use record::{EventName, RecordError, StreamRecord, UserIdentity};
pub use value::{AttributeValue, Item, item_from_json, item_to_json};

/// Makes a function the handler of this component.
///
/// The function takes `&StreamRecord` and gives `Result<(), E>`, where `E` is [`Failure`] or any error. It may be a path.
/// Once in a component; natively it only checks the function's type.
///
/// ```
/// mod orders {
///     pub fn file(record: &gristmill_sdk::StreamRecord) -> Result<(), std::num::ParseIntError> {
///         record.region().parse::<u32>().map(drop)
///     }
/// }
/// gristmill_sdk::handler!(orders::file);
/// ```
#[macro_export]
macro_rules! handler {
    ($function:path) => {
        const _: () = {
            struct Handler;

            impl $crate::bindings::exports::gristmill::events::handler::Guest for Handler {
                fn handle(
                    record: $crate::bindings::gristmill::events::types::StreamRecord,
                ) -> ::core::result::Result<(), $crate::bindings::gristmill::events::types::Failure> {
                    $crate::run($function, record)
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::export!(Handler with_types_in $crate::bindings);

            // Natively nobody calls it. Made once, it is in use, and so is the function that it calls: no warning of either.
            let _ = Handler;
        };
    };
}

/// What [`handler!`] does with a record.
#[doc(hidden)]
pub fn run<E: Into<Failure>>(
    function: impl FnOnce(&StreamRecord) -> Result<(), E>,
    record: bindings::gristmill::events::types::StreamRecord,
) -> Result<(), bindings::gristmill::events::types::Failure> {
    use bindings::gristmill::events::types::Failure as HostFailure;
    let result = function(&StreamRecord::from_host(record));
    // A component never exits, and what waits for the end of its line is flushed at an exit.
    let _ = std::io::Write::flush(&mut std::io::stdout());
    result.map_err(|error| match error.into() {
        Failure::Retry(text) => HostFailure::Retry(text),
        Failure::Reject(text) => HostFailure::Reject(text),
    })
}

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
