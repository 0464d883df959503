//! A stream in memory, with what streams do: shards that split and close,
//! iterators that expire, records that leave after a day, calls that fail.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{VirtualClock, lock};
use crate::source::{IteratorPosition, RecordPage, ShardDescription, ShardPage, SourceError, StreamSource};
use crate::{Clock, STREAM_BYTES_LIMIT, Timestamp};

/// The ARN of the stream in memory.
pub const STREAM_ARN: &str =
    "arn:aws:dynamodb:us-east-1:111122223333:table/demo-dev_test-table/stream/2026-09-14T00:00:00.000";

/// An iterator lives 15 minutes (AWS-FACTS, The event source mapping).
pub const ITERATOR_LIFE: Duration = Duration::from_secs(15 * 60);

/// A stream keeps a record 24 h (the same).
pub const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// Numbers of 21 digits, as the shortest that AWS gives (DESIGN R2).
const FIRST_NUMBER: u128 = 100_000_000_000_000_000_000;

/// A stream. Cheap to clone; all clones are one stream.
#[derive(Clone, Debug)]
pub struct MemoryStream {
    clock: VirtualClock,
    stream: Arc<Mutex<Shards>>,
}

#[derive(Debug)]
struct Shards {
    /// In the order of their beginnings.
    shards: Vec<Shard>,
    next_number: u128,
    next_shard: u64,
    page_records: usize,
    shards_a_page: usize,
    /// Answers to the next calls, in place of the real ones.
    faults: VecDeque<SourceError>,
    /// The answer to all calls, while it is set.
    outage: Option<SourceError>,
    /// Iterators of an earlier one are expired.
    generation: u128,
    calls: u64,
}

#[derive(Debug)]
struct Shard {
    id: String,
    parent: Option<String>,
    /// The hashes of the keys that it takes, both ends included.
    keys: (u64, u64),
    first_number: u128,
    last_number: Option<u128>,
    closed_at: Option<Timestamp>,
    records: VecDeque<Stored>,
    /// The highest number that has left.
    trimmed: u128,
    /// The highest number that was ever written here.
    written: u128,
}

#[derive(Debug)]
struct Stored {
    number: u128,
    at: Timestamp,
    json: String,
}

impl MemoryStream {
    /// A stream with one open shard.
    pub fn new(clock: VirtualClock) -> Self {
        let mut shards = Shards {
            shards: Vec::new(),
            next_number: FIRST_NUMBER,
            next_shard: 1,
            page_records: crate::STREAM_RECORDS_LIMIT,
            shards_a_page: 100,
            faults: VecDeque::new(),
            outage: None,
            generation: 0,
            calls: 0,
        };
        shards.open(None, (0, u64::MAX));
        Self { clock, stream: Arc::new(Mutex::new(shards)) }
    }

    /// Writes a change of an item: a MODIFY with images of one attribute.
    /// Gives its sequence number.
    ///
    /// # Panics
    ///
    /// When all shards are closed.
    pub fn put(&self, key: &str) -> String {
        self.put_image(key, "")
    }

    /// The same with more attributes in the new image, as JSON members with a
    /// comma before them: `,"color":{"S":"red"}`.
    ///
    /// # Panics
    ///
    /// When all shards are closed.
    pub fn put_image(&self, key: &str, more: &str) -> String {
        self.put_at(key, more, self.clock.now())
    }

    /// The same with a time of the change of one's own.
    ///
    /// # Panics
    ///
    /// When all shards are closed.
    pub fn put_at(&self, key: &str, more: &str, at: Timestamp) -> String {
        let (seconds, ms) = (at.ms() / 1_000, at.ms() % 1_000);
        let time = if ms == 0 { seconds.to_string() } else { format!("{seconds}.{ms:03}") };
        self.put_json(key, |number| {
            format!(
                "{{\"eventID\":\"{number:032x}\",\"eventName\":\"MODIFY\",\"eventVersion\":\"1.1\",\
                 \"eventSource\":\"aws:dynamodb\",\"awsRegion\":\"us-east-1\",\"dynamodb\":{{\
                 \"ApproximateCreationDateTime\":{time},\"Keys\":{{\"id\":{{\"S\":\"{key}\"}}}},\
                 \"NewImage\":{{\"id\":{{\"S\":\"{key}\"}}{more}}},\"OldImage\":{{\"id\":{{\"S\":\"{key}\"}}}},\
                 \"SequenceNumber\":\"{number}\",\"SizeBytes\":{},\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}}}}",
                3 * (2 + key.len())
            )
        })
    }

    /// Writes a record as the closure makes it from its number. The key says
    /// which shard it goes to.
    ///
    /// # Panics
    ///
    /// When all shards are closed.
    pub fn put_json(&self, key: &str, json: impl FnOnce(u128) -> String) -> String {
        let at = self.clock.now();
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let hash = hasher.finish();
        let mut stream = lock(&self.stream);
        let number = stream.next_number;
        stream.next_number += 1;
        let takes = |shard: &&mut Shard| shard.last_number.is_none() && (shard.keys.0..=shard.keys.1).contains(&hash);
        let shard = stream.shards.iter_mut().find(takes).unwrap_or_else(|| panic!("all shards are closed"));
        shard.written = number;
        shard.records.push_back(Stored { number, at, json: json(number) });
        number.to_string()
    }

    /// The ids of all shards that the stream still describes.
    pub fn shards(&self) -> Vec<String> {
        lock(&self.stream).shards.iter().map(|shard| shard.id.clone()).collect()
    }

    /// The ids of the shards that take records.
    pub fn open_shards(&self) -> Vec<String> {
        let stream = lock(&self.stream);
        stream.shards.iter().filter(|shard| shard.last_number.is_none()).map(|shard| shard.id.clone()).collect()
    }

    /// The shard that has a record, by its number; none once it has left.
    pub fn shard_of(&self, sequence_number: &str) -> Option<String> {
        let number: u128 = sequence_number.parse().ok()?;
        let stream = lock(&self.stream);
        let has_it = |shard: &&Shard| shard.records.binary_search_by_key(&number, |record| record.number).is_ok();
        stream.shards.iter().find(has_it).map(|shard| shard.id.clone())
    }

    /// Closes a shard and opens two for its keys. Gives their ids.
    ///
    /// # Panics
    ///
    /// When there is no such open shard.
    pub fn split(&self, shard: &str) -> [String; 2] {
        let (low, high) = self.close(shard);
        let middle = low + (high - low) / 2;
        let mut stream = lock(&self.stream);
        [(low, middle), (middle + 1, high)].map(|keys| stream.open(Some(shard.to_owned()), keys))
    }

    /// Closes a shard and opens one for its keys, as DynamoDB does every few
    /// hours. Gives its id.
    ///
    /// # Panics
    ///
    /// When there is no such open shard.
    pub fn roll(&self, shard: &str) -> String {
        let keys = self.close(shard);
        lock(&self.stream).open(Some(shard.to_owned()), keys)
    }

    /// Switches the stream off: all shards are closed, and can be read for a
    /// day. (Switched on again it has a new ARN: that is another stream.)
    pub fn disable(&self) {
        for shard in self.open_shards() {
            self.close(&shard);
        }
    }

    fn close(&self, id: &str) -> (u64, u64) {
        let at = self.clock.now();
        let mut stream = lock(&self.stream);
        let end = stream.next_number;
        stream.next_number += 1;
        let shard = stream.shards.iter_mut().find(|shard| shard.id == id && shard.last_number.is_none());
        let shard = shard.unwrap_or_else(|| panic!("{id} is no open shard"));
        shard.last_number = Some(end);
        shard.closed_at = Some(at);
        shard.keys
    }

    /// Every call fails so from now on; none ends it.
    pub fn outage(&self, error: Option<SourceError>) {
        lock(&self.stream).outage = error;
    }

    /// The next call fails so; called again, the one after it.
    pub fn fail(&self, error: SourceError) {
        lock(&self.stream).faults.push_back(error);
    }

    /// All iterators that are out are expired from now on.
    pub fn expire_iterators(&self) {
        lock(&self.stream).generation += 1;
    }

    /// A page has at most so many records.
    pub fn page_records(&self, most: usize) {
        lock(&self.stream).page_records = most;
    }

    /// A page of a description has at most so many shards.
    pub fn shards_a_page(&self, most: usize) {
        lock(&self.stream).shards_a_page = most;
    }

    /// The number of calls so far.
    pub fn calls(&self) -> u64 {
        lock(&self.stream).calls
    }

    /// The stream, after what is too old has left it.
    fn call(&self) -> Result<std::sync::MutexGuard<'_, Shards>, SourceError> {
        let now = self.clock.now();
        let mut stream = lock(&self.stream);
        stream.calls += 1;
        stream.trim(now);
        match stream.faults.pop_front().or_else(|| stream.outage.clone()) {
            Some(error) => Err(error),
            None => Ok(stream),
        }
    }
}

impl Shards {
    fn open(&mut self, parent: Option<String>, keys: (u64, u64)) -> String {
        let id = format!("shardId-{:020}-{:08x}", self.next_shard, self.next_shard * 2_654_435_761 % (1 << 32));
        self.next_shard += 1;
        self.shards.push(Shard {
            id: id.clone(),
            parent,
            keys,
            first_number: self.next_number,
            last_number: None,
            closed_at: None,
            records: VecDeque::new(),
            trimmed: 0,
            written: 0,
        });
        self.next_number += 1;
        id
    }

    fn trim(&mut self, now: Timestamp) {
        let is_past = |at: Timestamp| now.since(at) > RETENTION;
        for shard in &mut self.shards {
            while let Some(record) = shard.records.pop_front_if(|record| is_past(record.at)) {
                shard.trimmed = record.number;
            }
        }
        self.shards.retain(|shard| !shard.closed_at.is_some_and(is_past));
    }

    fn find(&self, id: &str) -> Result<&Shard, SourceError> {
        let not_found = || SourceError::ResourceNotFound(format!("Shard {id}"));
        self.shards.iter().find(|shard| shard.id == id).ok_or_else(not_found)
    }
}

impl StreamSource for MemoryStream {
    async fn describe(&self, after: Option<&str>) -> Result<ShardPage, SourceError> {
        let stream = self.call()?;
        let from = match after {
            Some(after) => stream.shards.iter().position(|shard| shard.id == after).map_or(0, |index| index + 1),
            None => 0,
        };
        let left = &stream.shards[from..];
        let shards = left.iter().take(stream.shards_a_page).map(|shard| ShardDescription {
            shard_id: shard.id.clone(),
            parent_shard_id: shard.parent.clone(),
            starting_sequence_number: Some(shard.first_number.to_string()),
            ending_sequence_number: shard.last_number.map(|number| number.to_string()),
        });
        Ok(ShardPage { shards: shards.collect(), more: left.len() > stream.shards_a_page })
    }

    async fn shard_iterator(&self, shard: &str, position: &IteratorPosition) -> Result<String, SourceError> {
        let now = self.clock.now();
        let stream = self.call()?;
        let shard = stream.find(shard)?;
        let parse = |number: &str| number.parse::<u128>().map_err(|error| SourceError::Failed(error.to_string()));
        let (named, next) = match position {
            IteratorPosition::TrimHorizon => (None, 0),
            IteratorPosition::Latest => (None, shard.written.max(shard.first_number) + 1),
            IteratorPosition::At(number) => (Some(parse(number)?), parse(number)?),
            IteratorPosition::After(number) => (Some(parse(number)?), parse(number)? + 1),
        };
        if named.is_some_and(|number| number <= shard.trimmed) {
            return Err(SourceError::TrimmedDataAccess);
        }
        Ok(token(&shard.id, next, now, stream.generation))
    }

    async fn records(&self, iterator: &str, limit: usize) -> Result<RecordPage, SourceError> {
        let now = self.clock.now();
        let stream = self.call()?;
        let parts: Vec<&str> = iterator.split('|').collect();
        let [id, next, issued, generation] = parts.as_slice() else {
            return Err(SourceError::Failed("Invalid ShardIterator".to_owned()));
        };
        let number = |text: &str| text.parse::<u128>().map_err(|error| SourceError::Failed(error.to_string()));
        let (next, issued) = (number(next)?, Timestamp::from_ms(u64::try_from(number(issued)?).unwrap_or(u64::MAX)));
        if now.since(issued) > ITERATOR_LIFE || number(generation)? < stream.generation {
            return Err(SourceError::ExpiredIterator);
        }
        let shard = stream.find(id)?;
        if next > 0 && next <= shard.trimmed {
            return Err(SourceError::TrimmedDataAccess);
        }
        let most = limit.min(stream.page_records);
        let from = shard.records.partition_point(|record| record.number < next);
        let mut bytes = 0;
        let page: Vec<&Stored> = shard
            .records
            .range(from..)
            .take(most)
            .enumerate()
            .take_while(|(index, record)| {
                bytes += record.json.len();
                *index == 0 || bytes <= STREAM_BYTES_LIMIT
            })
            .map(|(_, record)| record)
            .collect();
        let next = page.last().map_or(next, |last| last.number + 1);
        let is_at_end = shard.last_number.is_some() && from + page.len() == shard.records.len();
        let next_iterator = (!is_at_end).then(|| token(id, next, now, stream.generation));
        Ok(RecordPage { records: page.into_iter().map(|record| record.json.clone()).collect(), next_iterator })
    }
}

fn token(shard: &str, next: u128, issued: Timestamp, generation: u128) -> String {
    format!("{shard}|{next}|{}|{generation}", issued.ms())
}
