//! Where stream records come from: the calls of DynamoDB Streams that a mapping
//! makes. Knows no endpoint and no protocol.

use std::future::Future;

/// A stream's reader. One for each mapping; it knows which stream it reads.
pub trait StreamSource: Send + Sync {
    /// DescribeStream: a page of the shards after `after`.
    ///
    /// # Errors
    ///
    /// [`SourceError`]; whichever it is, the mapping asks again later.
    fn describe(&self, after: Option<&str>) -> impl Future<Output = Result<ShardPage, SourceError>> + Send;

    /// GetShardIterator.
    ///
    /// # Errors
    ///
    /// [`SourceError::TrimmedDataAccess`] when the record at the position has
    /// left the stream, and others.
    fn shard_iterator(
        &self,
        shard: &str,
        position: &IteratorPosition,
    ) -> impl Future<Output = Result<String, SourceError>> + Send;

    /// GetRecords: at most `limit` records and 1 MB (AWS-FACTS, The event
    /// source mapping). A page may be empty although records follow.
    ///
    /// # Errors
    ///
    /// [`SourceError::ExpiredIterator`] after 15 minutes, and others.
    fn records(&self, iterator: &str, limit: usize) -> impl Future<Output = Result<RecordPage, SourceError>> + Send;
}

/// Some of a stream's shards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardPage {
    /// In the order of the stream.
    pub shards: Vec<ShardDescription>,
    /// Whether more shards follow: the next page begins after the last one
    /// here.
    pub more: bool,
}

/// A shard as DescribeStream has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardDescription {
    /// The shard's id.
    pub shard_id: String,
    /// The shard that was split, if this is a half of one. It may have left the
    /// stream.
    pub parent_shard_id: Option<String>,
    /// The lowest number that a record of the shard can have.
    pub starting_sequence_number: Option<String>,
    /// The highest one, once the shard is closed. An open shard has none.
    pub ending_sequence_number: Option<String>,
}

/// Where an iterator begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IteratorPosition {
    /// TRIM_HORIZON: with the oldest record that is left.
    TrimHorizon,
    /// LATEST: after the newest record.
    Latest,
    /// AT_SEQUENCE_NUMBER.
    At(String),
    /// AFTER_SEQUENCE_NUMBER.
    After(String),
}

/// Records of one shard, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordPage {
    /// Each as JSON text, with or without `eventSourceARN`. The text is never
    /// written anew, so that fields which nobody knows pass untouched.
    pub records: Vec<String>,
    /// None when the shard is closed and was read to its end.
    pub next_iterator: Option<String>,
}

/// Why a call of the stream failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The iterator is older than 15 minutes: get another from the position.
    #[error("ExpiredIteratorException: the iterator has expired")]
    ExpiredIterator,
    /// The position has left the stream: go on with the oldest that is left.
    #[error("TrimmedDataAccessException: the record has left the stream")]
    TrimmedDataAccess,
    /// There is no such stream or shard.
    #[error("ResourceNotFoundException: {0}")]
    ResourceNotFound(
        /// What is not there.
        String,
    ),
    /// The mapping's role may not read: neither disables the mapping nor spends
    /// a retry.
    #[error("AccessDeniedException: {0}")]
    AccessDenied(
        /// What may not be done.
        String,
    ),
    /// Too many calls; for example more than two readers of a shard.
    #[error("the stream is throttled")]
    Throttled,
    /// Anything else; the mapping tries again.
    #[error("{0}")]
    Failed(
        /// For people.
        String,
    ),
}
