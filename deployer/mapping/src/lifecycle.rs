//! The states of a mapping: what its user wants, and what it has come to.

use serde::Serialize;

/// A mapping's state, as the API tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum State {
    /// Made, and the stream was not described yet.
    Creating,
    /// Switched on again; the stream was not described since.
    Enabling,
    /// Delivers.
    Enabled,
    /// Switched off; what is in flight ends.
    Disabling,
    /// Delivers nothing. Its position is kept.
    Disabled,
    /// Being deleted; what is in flight ends.
    Deleting,
}

impl State {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Enabling => "Enabling",
            Self::Enabled => "Enabled",
            Self::Disabling => "Disabling",
            Self::Disabled => "Disabled",
            Self::Deleting => "Deleting",
        }
    }

    /// Whether shards are read and batches made.
    pub(crate) fn runs(self) -> bool {
        match self {
            Self::Creating | Self::Enabling | Self::Enabled => true,
            Self::Disabling | Self::Disabled | Self::Deleting => false,
        }
    }
}

/// What the last poll came to. AWS-FACTS, The mapping's own API, has the first
/// two; what Lambda says of failures is open, and the others are our words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessingResult {
    /// Nothing was delivered yet.
    NoRecords,
    /// The last invoke succeeded.
    Ok,
    /// The last invoke failed.
    FunctionFailed,
    /// The stream or the function could not be called.
    Problem,
}

impl ProcessingResult {
    /// AWS's words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoRecords => "No records processed",
            Self::Ok => "OK",
            Self::FunctionFailed => "PROBLEM: Function call failed",
            Self::Problem => "PROBLEM: the stream or the function cannot be called",
        }
    }
}

/// The reason for a state that the user asked for (AWS-FACTS, The mapping's own
/// API).
pub(crate) const USER_ACTION: &str = "User action";
