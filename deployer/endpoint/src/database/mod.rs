//! The database: Dynoxide's tables and our streams in one SQLite database,
//! behind one door that takes an operation and the text of its request. Calls
//! block, and one runs at a time.
//!
//! This room must not know HTTP, nor that anybody waits for it.

mod dynamodb;
mod request;
mod tables;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dynoxide::DynoxideError;
use dynoxide::actions::vector_lifecycle::VectorIndexLifecycle;
use dynoxide::storage::Storage;
use rusqlite::Connection;

use crate::clock::Clock;
use crate::folder::Lock;
use crate::names::Names;
use crate::streams::api::{self, Store};
use crate::streams::{Dialect, IteratorPosition, Reader, RecordPage, ShardPage, StreamError, lifecycle, schema};
use tokens::Tokens;

/// An answer of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200, 400 or 500.
    pub status: u16,
    /// JSON: the operation's answer, or an error with `__type`.
    pub body: String,
}

impl Answer {
    /// An error of a type with a message.
    pub(crate) fn error(status: u16, type_name: &str, message: &str) -> Self {
        Self { status, body: serde_json::json!({ "__type": type_name, "message": message }).to_string() }
    }

    /// An error that DynamoDB answers without a message.
    pub(crate) fn bare(type_name: &str) -> Self {
        Self { status: 400, body: serde_json::json!({ "__type": type_name }).to_string() }
    }
}

/// The types of the errors that have no message.
pub(crate) const SERIALIZATION: &str = "com.amazon.coral.service#SerializationException";
pub(crate) const UNKNOWN_OPERATION: &str = "com.amazon.coral.service#UnknownOperationException";

/// An operation of one of the two APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation<'a> {
    DynamoDb(&'a str),
    Streams(&'a str),
}

impl<'a> Operation<'a> {
    /// The operation of an `X-Amz-Target`, if there is such an API.
    pub(crate) fn parse(target: &'a str) -> Option<Self> {
        let known = |names: &[&str], name: &&str| names.contains(name);
        if let Some(name) = target.strip_prefix("DynamoDB_20120810.") {
            return Some(name).filter(|name| known(&dynamodb::OPERATIONS, name)).map(Self::DynamoDb);
        }
        let name = target.strip_prefix("DynamoDBStreams_20120810.");
        name.filter(|name| known(&api::OPERATIONS, name)).map(Self::Streams)
    }
}

/// How tables and streams are called, timed and cut.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) names: Names,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shards: u32,
}

/// The open database.
pub(crate) struct Database {
    storage: Storage,
    lifecycle: VectorIndexLifecycle,
    tokens: Tokens,
    settings: Settings,
    /// A record was published since this was taken.
    published: Arc<AtomicBool>,
    /// Held as long as the database is open.
    _lock: Option<Lock>,
}

impl Database {
    /// Puts our part on top of Dynoxide's.
    ///
    /// # Errors
    ///
    /// What SQLite says.
    pub(crate) fn new(storage: Storage, settings: Settings, lock: Option<Lock>) -> rusqlite::Result<Self> {
        let published = Arc::new(AtomicBool::new(false));
        schema::install(storage.conn(), Arc::clone(&settings.clock), Arc::clone(&published))?;
        let (lifecycle, tokens) = (VectorIndexLifecycle::new(), Tokens::default());
        Ok(Self { storage, lifecycle, tokens, settings, published, _lock: lock })
    }

    /// Does an operation.
    pub(crate) fn call(&mut self, operation: Operation<'_>, body: &str) -> Answer {
        self.end_what_a_panic_left();
        match operation {
            Operation::DynamoDb(name) => match self.dynamodb(name, body) {
                Ok(body) => Answer { status: 200, body },
                Err(error) => request::answer(name, error),
            },
            Operation::Streams(name) => self.streams(name, body),
        }
    }

    /// Whether records may have been published since the last call of this.
    pub(crate) fn take_published(&self) -> bool {
        self.published.swap(false, Ordering::AcqRel)
    }

    /// Deletes the items whose time to live is over, and gives their number.
    pub(crate) fn sweep(&mut self) -> Result<usize, DynoxideError> {
        self.end_what_a_panic_left();
        lifecycle::trim(self.storage.conn(), self.settings.clock.now_ms())?;
        pollster::block_on(dynoxide::ttl::sweep_expired_items(&self.storage))
    }

    fn streams(&self, name: &str, body: &str) -> Answer {
        fn run<T: serde::de::DeserializeOwned>(
            body: &str,
            operation: impl FnOnce(&T) -> Result<String, StreamError>,
        ) -> Result<String, Answer> {
            let request = request::decode(body).map_err(|error| request::answer("", error))?;
            operation(&request).map_err(|error| Answer::error(error.status(), error.type_name(), &error.to_string()))
        }
        let store = self.store();
        let done = match name {
            "ListStreams" => run(body, |request| api::list_streams(store, request)),
            "DescribeStream" => run(body, |request| api::describe_stream(store, request)),
            "GetShardIterator" => run(body, |request| api::get_shard_iterator(store, request)),
            "GetRecords" => run(body, |request| api::get_records(store, request)),
            _ => Err(Answer::bare(UNKNOWN_OPERATION)),
        };
        done.map_or_else(|error| error, |body| Answer { status: 200, body })
    }

    fn store(&self) -> Store<'_> {
        let Settings { names, clock, .. } = &self.settings;
        Store { conn: self.storage.conn(), names, now_ms: clock.now_ms() }
    }

    fn reader(&self) -> Result<Reader<'_>, StreamError> {
        self.end_what_a_panic_left();
        let Store { conn, names, now_ms } = self.store();
        Reader::at(conn, names, now_ms)
    }

    /// The ARN of the table's newest stream.
    pub(crate) fn latest_stream(&self, names: &Names, table: &str) -> Result<Option<String>, StreamError> {
        let label = lifecycle::of_table(self.storage.conn(), table)?.latest_label;
        Ok(label.map(|label| names.stream_arn(table, &label)))
    }

    /// A page of a stream's shards.
    pub(crate) fn describe(
        &self,
        stream_arn: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ShardPage, StreamError> {
        self.reader()?.describe(stream_arn, after, limit)
    }

    /// An iterator of a shard.
    pub(crate) fn shard_iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &IteratorPosition,
    ) -> Result<String, StreamError> {
        self.reader()?.shard_iterator(stream_arn, shard_id, position)
    }

    /// Records from an iterator, spelt as Lambda's events are.
    pub(crate) fn records(&self, iterator: &str, limit: usize) -> Result<RecordPage, StreamError> {
        self.reader()?.records(iterator, limit, Dialect::Lambda)
    }

    /// Splits an open shard of a stream.
    pub(crate) fn split_shard(&mut self, stream_arn: &str, shard_id: &str) -> Result<[String; 2], StreamError> {
        let stream = self.reader()?.stream_id(stream_arn)?;
        let clock = Arc::clone(&self.settings.clock);
        self.transaction(|storage| lifecycle::split(storage.conn(), &clock, stream, shard_id))
    }

    /// Runs `body` in a transaction that none but it knows of.
    fn transaction<T, E: From<rusqlite::Error>>(&self, body: impl FnOnce(&Storage) -> Result<T, E>) -> Result<T, E> {
        let conn = self.storage.conn();
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let done = body(&self.storage).and_then(|value| {
            conn.execute_batch("COMMIT")?;
            Ok(value)
        });
        if done.is_err() {
            rollback(conn);
        }
        done
    }

    /// A call that panicked may have left its transaction open, and the next
    /// one could not begin its own.
    fn end_what_a_panic_left(&self) {
        if !self.storage.conn().is_autocommit() {
            rollback(self.storage.conn());
        }
    }
}

/// The error that led here is the one to tell; a full disk, for one, makes
/// SQLite roll back by itself.
fn rollback(conn: &Connection) {
    let _ = conn.execute_batch("ROLLBACK");
}

#[cfg(test)]
mod tests;
