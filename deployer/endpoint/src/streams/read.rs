//! Reading streams: their descriptions, iterators and records. Typed values in
//! and out; must not know the JSON of requests, nor who asks.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::iterator::{LIFE_MS, ShardIterator};
use super::{StreamError, lifecycle};
use crate::names::{self, Names};

/// GetRecords gives at most 1 MB in a call (AWS-FACTS, The event source
/// mapping), and one record whatever its size.
const MOST_BYTES: usize = 1 << 20;

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
    /// AT_TIMESTAMP: with the first record of this time or later, in
    /// milliseconds since the Unix epoch.
    AtTimestampMs(u64),
}

/// Some of a stream's shards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardPage {
    /// In the order of the stream: parents before their children.
    pub shards: Vec<ShardDescription>,
    /// Whether more shards follow: the next page begins after the last one
    /// here.
    pub more: bool,
}

/// A shard as DescribeStream has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardDescription {
    /// The shard's id.
    pub shard_id: String,
    /// The shard that was split, if this is a half of one. It may have left the
    /// stream.
    pub parent_shard_id: Option<String>,
    /// The lowest number that a record of the shard can have.
    pub starting_sequence_number: String,
    /// The highest one, once the shard is closed. An open shard has none.
    pub ending_sequence_number: Option<String>,
}

/// Records of one shard, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordPage {
    /// Each as JSON text, without `eventSourceARN`.
    pub records: Vec<String>,
    /// None when the shard is closed and was read to its end.
    pub next_iterator: Option<String>,
}

/// How a record spells the service that made a change: GetRecords has `Type`
/// and `PrincipalId` (the model), and the event that Lambda gets has `type` and
/// `principalId` (AWS-FACTS, The event source mapping). Everything else is the
/// same in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Streams,
    Lambda,
}

/// A stream as it is stored.
pub(super) struct Stream {
    pub(super) id: i64,
    pub(super) table: String,
    pub(super) label: String,
    pub(super) view_type: String,
    pub(super) key_schema: String,
    pub(super) created_at_ms: u64,
    pub(super) enabled: bool,
}

struct Shard {
    id: i64,
    starting: i64,
    ending: Option<i64>,
    trimmed_through: i64,
}

/// A reader of the streams of one store at one time.
pub(crate) struct Reader<'a> {
    conn: &'a Connection,
    names: &'a Names,
    now_ms: u64,
}

impl<'a> Reader<'a> {
    /// Readies the store for reading at a time: what is older than 24 hours
    /// leaves first.
    pub(crate) fn at(conn: &'a Connection, names: &'a Names, now_ms: u64) -> Result<Self, StreamError> {
        lifecycle::trim(conn, now_ms)?;
        Ok(Self { conn, names, now_ms })
    }

    pub(super) fn arn(&self, stream: &Stream) -> String {
        self.names.stream_arn(&stream.table, &stream.label)
    }

    /// The stream of an ARN.
    pub(super) fn stream(&self, arn: &str) -> Result<Stream, StreamError> {
        let unknown =
            || StreamError::ResourceNotFound(format!("Requested resource not found: Stream: {arn} not found"));
        let (table, label) = self.names.parse_stream_arn(arn).ok_or_else(unknown)?;
        self.conn
            .prepare_cached(&format!("{STREAM} WHERE table_name = ?1 AND label = ?2"))?
            .query_row([table, label], stream_of)
            .optional()?
            .ok_or_else(unknown)
    }

    /// ListStreams: streams after one, at most so many, and whether more
    /// follow.
    pub(super) fn list(
        &self,
        table: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Stream>, bool), StreamError> {
        let after = after.map(|arn| self.stream(arn)).transpose()?.map_or(0, |stream| stream.id);
        let mut found = self
            .conn
            .prepare_cached(&format!(
                "{STREAM} WHERE id > ?1 AND (?2 IS NULL OR table_name = ?2) ORDER BY id LIMIT ?3"
            ))?
            .query_map(params![after, table, one_more(limit)], stream_of)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let more = found.len() > limit;
        found.truncate(limit);
        Ok((found, more))
    }

    /// A page of a stream's shards, or of the children of one of them.
    pub(super) fn shards(
        &self,
        stream: &Stream,
        children_of: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ShardPage, StreamError> {
        let after = match after {
            Some(shard_id) => self.shard(stream, shard_id)?.id,
            None => 0,
        };
        let mut shards = self
            .conn
            .prepare_cached(
                "SELECT shard_id, parent_shard_id, starting, ending FROM gristmill_shard
                 WHERE stream = ?1 AND id > ?2 AND (?3 IS NULL OR parent_shard_id = ?3) ORDER BY id LIMIT ?4",
            )?
            .query_map(params![stream.id, after, children_of, one_more(limit)], |row| {
                Ok(ShardDescription {
                    shard_id: row.get(0)?,
                    parent_shard_id: row.get(1)?,
                    starting_sequence_number: names::sequence_number(row.get(2)?),
                    ending_sequence_number: row.get::<_, Option<i64>>(3)?.map(names::sequence_number),
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let more = shards.len() > limit;
        shards.truncate(limit);
        Ok(ShardPage { shards, more })
    }

    fn shard(&self, stream: &Stream, shard_id: &str) -> Result<Shard, StreamError> {
        self.conn
            .prepare_cached(
                "SELECT id, starting, ending, trimmed_through FROM gristmill_shard WHERE stream = ?1 AND shard_id = ?2",
            )?
            .query_row(params![stream.id, shard_id], |row| {
                Ok(Shard { id: row.get(0)?, starting: row.get(1)?, ending: row.get(2)?, trimmed_through: row.get(3)? })
            })
            .optional()?
            .ok_or_else(|| {
                let arn = self.arn(stream);
                StreamError::ResourceNotFound(format!(
                    "Requested resource not found: Shard {shard_id} in Stream {arn} not found"
                ))
            })
    }

    /// A page of a stream's shards.
    pub(crate) fn describe(
        &self,
        stream_arn: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ShardPage, StreamError> {
        self.shards(&self.stream(stream_arn)?, None, after, limit)
    }

    /// The id of a stream.
    pub(crate) fn stream_id(&self, stream_arn: &str) -> Result<i64, StreamError> {
        self.stream(stream_arn).map(|stream| stream.id)
    }

    /// GetShardIterator.
    pub(crate) fn shard_iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &IteratorPosition,
    ) -> Result<String, StreamError> {
        let stream = self.stream(stream_arn)?;
        let shard = self.shard(&stream, shard_id)?;
        let next = match position {
            IteratorPosition::TrimHorizon => shard.starting.max(shard.trimmed_through + 1),
            IteratorPosition::Latest => match shard.ending {
                Some(ending) => ending + 1,
                None => lifecycle::next_number(self.conn)?,
            },
            IteratorPosition::At(number) => shard.position(number, 0)?,
            IteratorPosition::After(number) => shard.position(number, 1)?,
            IteratorPosition::AtTimestampMs(at_ms) => self.first_at(&shard, *at_ms)?,
        };
        let iterator =
            ShardIterator { stream_arn: self.arn(&stream), shard_id: shard_id.to_owned(), next, made_ms: self.now_ms };
        Ok(iterator.encode())
    }

    /// The first number of a time or later; after the newest when there is none.
    fn first_at(&self, shard: &Shard, at_ms: u64) -> Result<i64, StreamError> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT id FROM gristmill_record WHERE shard = ?1 AND created_at_ms >= ?2 ORDER BY id LIMIT 1",
            )?
            .query_row(params![shard.id, i64::try_from(at_ms).unwrap_or(i64::MAX)], |row| row.get(0))
            .optional()?;
        match (found, shard.ending) {
            (Some(id), _) => Ok(id),
            (None, Some(ending)) => Ok(ending + 1),
            (None, None) => Ok(lifecycle::next_number(self.conn)?),
        }
    }

    /// GetRecords.
    pub(crate) fn records(&self, iterator: &str, limit: usize, dialect: Dialect) -> Result<RecordPage, StreamError> {
        let mut iterator = ShardIterator::decode(iterator)?;
        if self.now_ms.saturating_sub(iterator.made_ms) > LIFE_MS {
            let made = names::label(iterator.made_ms);
            return Err(StreamError::ExpiredIterator(format!(
                "Iterator expired. The iterator was created at time {made}"
            )));
        }
        let stream = self.stream(&iterator.stream_arn)?;
        let shard = self.shard(&stream, &iterator.shard_id)?;
        if iterator.next <= shard.trimmed_through {
            return Err(shard.trimmed(&names::sequence_number(iterator.next)));
        }
        let form = Form { region: self.names.region(), view_type: &stream.view_type, dialect };
        let mut select = self.conn.prepare_cached(
            "SELECT id, event_id, event_name, keys, new_image, old_image, user_identity, created_at_ms, size_bytes
             FROM gristmill_record WHERE shard = ?1 AND id >= ?2 ORDER BY id LIMIT ?3",
        )?;
        let mut rows = select.query(params![shard.id, iterator.next, one_more(limit)])?;
        let (mut records, mut bytes, mut more) = (Vec::new(), 0, false);
        while let Some(row) = rows.next()? {
            let size = usize::try_from(row.get::<_, i64>("size_bytes")?).unwrap_or(usize::MAX);
            if records.len() == limit || !records.is_empty() && size > MOST_BYTES - bytes {
                more = true;
                break;
            }
            bytes = MOST_BYTES.min(bytes + size);
            let id: i64 = row.get("id")?;
            records.push(form.text(id, row)?);
            iterator.next = id + 1;
        }
        iterator.made_ms = self.now_ms;
        let ended = shard.ending.is_some() && !more;
        Ok(RecordPage { records, next_iterator: (!ended).then(|| iterator.encode()) })
    }
}

impl Shard {
    /// The position at or after a record that was given before.
    fn position(&self, number: &str, after: i64) -> Result<i64, StreamError> {
        let invalid =
            || StreamError::Validation(format!("Invalid SequenceNumber: {number} is no number of this shard"));
        let id = names::parse_sequence_number(number).ok_or_else(invalid)?;
        if id < self.starting || self.ending.is_some_and(|ending| id > ending) {
            return Err(invalid());
        }
        if id + after <= self.trimmed_through {
            return Err(self.trimmed(number));
        }
        Ok(id + after)
    }

    fn trimmed(&self, number: &str) -> StreamError {
        StreamError::TrimmedDataAccess(format!(
            "The operation attempted to read past the oldest stream record in a shard: {number} has left the stream, \
             which keeps records for 24 hours"
        ))
    }
}

const STREAM: &str =
    "SELECT id, table_name, label, view_type, key_schema, created_at_ms, closed_at_ms IS NULL FROM gristmill_stream";

fn stream_of(row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream {
        id: row.get(0)?,
        table: row.get(1)?,
        label: row.get(2)?,
        view_type: row.get(3)?,
        key_schema: row.get(4)?,
        created_at_ms: u64::try_from(row.get::<_, i64>(5)?).unwrap_or(0),
        enabled: row.get(6)?,
    })
}

/// The limit of a query that tells whether more follow.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// What all records of a stream have in common.
struct Form<'a> {
    region: &'a str,
    view_type: &'a str,
    dialect: Dialect,
}

impl Form<'_> {
    /// A record as text. Images and keys are stored as JSON and stand in it as
    /// they are; every other text here needs no escape. The time is that of the
    /// change, down to the second (the model).
    fn text(&self, id: i64, row: &Row<'_>) -> rusqlite::Result<String> {
        let text = |name| row.get_ref(name)?.as_str_or_null().map_err(rusqlite::Error::from);
        let required = |name| Ok::<_, rusqlite::Error>(text(name)?.unwrap_or_default());
        let created_at = row.get::<_, i64>("created_at_ms")? / 1000;
        let mut record = format!(
            r#"{{"eventID":"{}","eventName":"{}","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"{}""#,
            required("event_id")?,
            required("event_name")?,
            self.region
        );
        if text("user_identity")?.is_some() {
            // The only identity that there is: time to live.
            record.push_str(match self.dialect {
                Dialect::Streams => r#","userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}"#,
                Dialect::Lambda => r#","userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}"#,
            });
        }
        record.push_str(&format!(
            r#","dynamodb":{{"ApproximateCreationDateTime":{created_at},"Keys":{}"#,
            required("keys")?
        ));
        for (name, column) in [("NewImage", "new_image"), ("OldImage", "old_image")] {
            if let Some(image) = text(column)? {
                record.push_str(&format!(r#","{name}":{image}"#));
            }
        }
        record.push_str(&format!(
            r#","SequenceNumber":"{}","SizeBytes":{},"StreamViewType":"{}"}}}}"#,
            names::sequence_number(id),
            row.get::<_, i64>("size_bytes")?,
            self.view_type
        ));
        Ok(record)
    }
}
