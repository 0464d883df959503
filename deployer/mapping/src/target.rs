//! What records are delivered to: a function that is invoked with an event and
//! answers. Knows nothing of what runs behind it.

use std::future::Future;

/// A function.
pub trait Target: Send + Sync {
    /// Invokes it and waits for the end.
    ///
    /// The mapping may drop the future when it is stopped for good; until then
    /// it waits, so that a target needs a timeout of its own.
    fn invoke(&self, invocation: &Invocation) -> impl Future<Output = Answer> + Send;
}

/// One invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The same for each try of an unchanged batch (AWS-FACTS, Golden traces).
    pub request_id: String,
    /// The event as Lambda sends it: JSON text of at most 6 MB, unless a single
    /// record is larger.
    pub payload: String,
    /// The function's ARN, as the mapping has it.
    pub function_arn: String,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The function returned this body; it may be empty.
    Returned(Vec<u8>),
    /// The function failed.
    FunctionError {
        /// `Unhandled` for a raised error (AWS-FACTS, Golden traces).
        kind: String,
        /// The error object.
        payload: Vec<u8>,
    },
    /// The function did not answer in time.
    TimedOut,
    /// No execution environment was free: spends no retry.
    Throttled,
    /// The mapping may not invoke the function: spends no retry.
    PermissionLost(
        /// For people.
        String,
    ),
}
