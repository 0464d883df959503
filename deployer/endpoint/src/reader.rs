//! Reading a stream in process, with the calls that a mapping makes: records
//! come as text, spelt as Lambda's events are. Knows no mapping.

use tokio::sync::watch;

use crate::Endpoint;
use crate::streams::{IteratorPosition, RecordPage, ShardPage, StreamError};

/// Shards in a page, as DescribeStream has them.
const MOST_SHARDS: usize = 100;

/// A reader of one stream. Cheap to clone.
#[derive(Clone)]
pub struct StreamReader {
    endpoint: Endpoint,
    stream_arn: String,
}

impl StreamReader {
    pub(crate) fn new(endpoint: Endpoint, stream_arn: &str) -> Self {
        Self { endpoint, stream_arn: stream_arn.to_owned() }
    }

    /// The stream's ARN.
    pub fn stream_arn(&self) -> &str {
        &self.stream_arn
    }

    /// DescribeStream: a page of the shards after `after`.
    ///
    /// # Errors
    ///
    /// - [`StreamError::ResourceNotFound`] for a stream or shard that is not there
    /// - [`StreamError::Store`], [`StreamError::Stopped`]
    pub async fn describe(&self, after: Option<&str>) -> Result<ShardPage, StreamError> {
        let (arn, after) = (self.stream_arn.clone(), after.map(str::to_owned));
        let page = self.endpoint.with_database(move |database| database.describe(&arn, after.as_deref(), MOST_SHARDS));
        page.await.ok_or(StreamError::Stopped)?
    }

    /// GetShardIterator.
    ///
    /// # Errors
    ///
    /// - [`StreamError::ResourceNotFound`] for a stream or shard that is not there
    /// - [`StreamError::TrimmedDataAccess`] when the record has left the stream
    /// - [`StreamError::Validation`] for a number that the shard never had
    /// - [`StreamError::Store`], [`StreamError::Stopped`]
    pub async fn shard_iterator(&self, shard_id: &str, position: &IteratorPosition) -> Result<String, StreamError> {
        let (arn, shard_id, position) = (self.stream_arn.clone(), shard_id.to_owned(), position.clone());
        let iterator = self.endpoint.with_database(move |database| database.shard_iterator(&arn, &shard_id, &position));
        iterator.await.ok_or(StreamError::Stopped)?
    }

    /// GetRecords: at most `limit` records (from 1 to 1,000) and 1 MB. Each is
    /// as Lambda's event has it, but for `eventSourceARN`: `userIdentity` has
    /// `type` and `principalId`, where GetRecords has `Type` and `PrincipalId`.
    ///
    /// # Errors
    ///
    /// - [`StreamError::ExpiredIterator`] after 15 minutes
    /// - [`StreamError::TrimmedDataAccess`] when the next record has left
    /// - [`StreamError::ResourceNotFound`] when the stream or shard has gone
    /// - [`StreamError::Validation`] for text that is no iterator
    /// - [`StreamError::Store`], [`StreamError::Stopped`]
    pub async fn records(&self, iterator: &str, limit: usize) -> Result<RecordPage, StreamError> {
        let (iterator, limit) = (iterator.to_owned(), limit.clamp(1, 1000));
        let page = self.endpoint.with_database(move |database| database.records(&iterator, limit));
        page.await.ok_or(StreamError::Stopped)?
    }

    /// [`Endpoint::changed`].
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.endpoint.changed()
    }
}
