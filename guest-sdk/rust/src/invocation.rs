//! What a handler can know about the invocation that it runs in.
//!
//! Each function is one call of the host, well below a microsecond. In a native build, where there is no host, each gives
//! the stand-in that its documentation names, so that a unit test of a handler runs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(target_arch = "wasm32")]
use crate::bindings::gristmill::events::invocation as host;
#[cfg(not(target_arch = "wasm32"))]
use stand_in as host;

/// The id of the Lambda invocation. A delivery that repeats an unchanged batch keeps its id.
///
/// Natively `00000000-0000-0000-0000-000000000000`.
#[must_use]
pub fn request_id() -> String {
    host::request_id()
}

/// This handler's name in the manifest. Natively `handler`.
#[must_use]
pub fn handler() -> String {
    host::handler()
}

/// The name of the Lambda function, or of what stands in for it. Natively `function`.
#[must_use]
pub fn function_name() -> String {
    host::function_name()
}

/// The version of the Lambda function. Natively `$LATEST`.
#[must_use]
pub fn function_version() -> String {
    host::function_version()
}

/// How often this execution environment has handed this record to this handler, this time included: at least 1.
///
/// A lower bound, not for decisions: another environment may have tried before. Natively 1.
#[must_use]
pub fn attempt() -> u32 {
    host::attempt()
}

/// When the host will stop this call, in milliseconds since the Unix epoch. None when nothing limits it, as natively.
#[must_use]
pub fn deadline_ms() -> Option<u64> {
    host::deadline_ms()
}

/// The time that is left until the host stops this call, zero when it is past. None when nothing limits it.
#[must_use]
pub fn remaining() -> Option<Duration> {
    let deadline = UNIX_EPOCH + Duration::from_millis(deadline_ms()?);
    Some(deadline.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
}

/// The AWS X-Ray trace header of the invocation. Natively None.
#[must_use]
pub fn trace_header() -> Option<String> {
    host::trace_header()
}

#[cfg(not(target_arch = "wasm32"))]
mod stand_in {
    pub(super) fn request_id() -> String {
        "00000000-0000-0000-0000-000000000000".to_owned()
    }

    pub(super) fn handler() -> String {
        "handler".to_owned()
    }

    pub(super) fn function_name() -> String {
        "function".to_owned()
    }

    pub(super) fn function_version() -> String {
        "$LATEST".to_owned()
    }

    pub(super) fn attempt() -> u32 {
        1
    }

    pub(super) fn deadline_ms() -> Option<u64> {
        None
    }

    pub(super) fn trace_header() -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_is_a_stand_in_for_everything() {
        assert_eq!(super::request_id().len(), 36);
        assert_eq!(super::handler(), "handler");
        assert_eq!(super::function_name(), "function");
        assert_eq!(super::function_version(), "$LATEST");
        assert_eq!(super::attempt(), 1);
        assert_eq!(super::remaining(), None);
        assert_eq!(super::trace_header(), None);
    }
}
