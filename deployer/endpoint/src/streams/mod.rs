//! Streams: what DynamoDB Streams keeps of the changes of tables, and the API
//! that reads it. Its tables stand beside Dynoxide's, in the same database and
//! on the same connection, so that a change and its record are one transaction.
//!
//! This room must not know HTTP, nor what an operation of DynamoDB does: it is
//! told by a trigger what became of an item.

pub(crate) mod api;
mod iterator;
pub(crate) mod lifecycle;
mod read;
pub(crate) mod schema;
mod value;

pub(crate) use read::{Dialect, Reader};
pub use read::{IteratorPosition, RecordPage, ShardDescription, ShardPage};

/// What images a stream's records carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewType {
    KeysOnly,
    NewImage,
    OldImage,
    NewAndOldImages,
}

impl ViewType {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "KEYS_ONLY" => Some(Self::KeysOnly),
            "NEW_IMAGE" => Some(Self::NewImage),
            "OLD_IMAGE" => Some(Self::OldImage),
            "NEW_AND_OLD_IMAGES" => Some(Self::NewAndOldImages),
            _ => None,
        }
    }

    fn has_new(self) -> bool {
        matches!(self, Self::NewImage | Self::NewAndOldImages)
    }

    fn has_old(self) -> bool {
        matches!(self, Self::OldImage | Self::NewAndOldImages)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }
}

/// Why a call of DynamoDB Streams failed, in the words of its API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// There is no such stream or shard, or no longer.
    #[error("{0}")]
    ResourceNotFound(
        /// What is not there.
        String,
    ),
    /// The record at the position has left the stream after 24 hours.
    #[error("{0}")]
    TrimmedDataAccess(
        /// Which position.
        String,
    ),
    /// The iterator is older than 15 minutes.
    #[error("{0}")]
    ExpiredIterator(
        /// When it was made.
        String,
    ),
    /// The request cannot be meant so.
    #[error("{0}")]
    Validation(
        /// Which member, and why.
        String,
    ),
    /// The store failed.
    #[error("the stream store failed: {0}")]
    Store(
        /// What SQLite said.
        String,
    ),
    /// The endpoint is ending.
    #[error("the endpoint is shutting down")]
    Stopped,
}

impl From<rusqlite::Error> for StreamError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<serde_json::Error> for StreamError {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(format!("what is stored is not JSON: {error}"))
    }
}

impl StreamError {
    /// The type as it stands in an answer.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::ResourceNotFound(_) => "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            Self::TrimmedDataAccess(_) => "com.amazonaws.dynamodb.v20120810#TrimmedDataAccessException",
            Self::ExpiredIterator(_) => "com.amazonaws.dynamodb.v20120810#ExpiredIteratorException",
            Self::Validation(_) => "com.amazon.coral.validate#ValidationException",
            Self::Store(_) | Self::Stopped => "com.amazonaws.dynamodb.v20120810#InternalServerError",
        }
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::ResourceNotFound(_) | Self::TrimmedDataAccess(_) | Self::ExpiredIterator(_) | Self::Validation(_) => {
                400
            }
            Self::Store(_) | Self::Stopped => 500,
        }
    }
}
