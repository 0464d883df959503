//! Records made by hand, for the unit tests of handlers.
//!
//! ```
//! use gristmill_sdk::testing::Record;
//! use gristmill_sdk::{Failure, StreamRecord};
//!
//! fn file(record: &StreamRecord) -> Result<(), Failure> {
//!     if record.is_ttl_delete() { Ok(()) } else { Err(Failure::retry("not yet")) }
//! }
//!
//! assert_eq!(file(&Record::ttl_delete("orders").key("id", "1").build()), Ok(()));
//! ```
//!
//! What a test does not say has a value that AWS could have sent: ids, sequence number, ARN, time, size. The same calls
//! make the same record.
//!
//! **This module panics** where a test asks for a record that cannot be, at the line that asks: whoever wrote the mistake
//! reads it at once, and no test has a line of `unwrap` for each record. For a text from elsewhere there is
//! [`StreamRecord::from_json`], which gives an error.
//!
//! It is there in every build, so that tests that run in a component have it too. The linker drops it from a component
//! that does not call it.

use crate::record::StreamArn;
use crate::value::write_string;
use crate::{
    AttributeValue, EventName, Item, Number, StreamRecord, UserIdentity, item_from_json, item_to_json, number,
};

/// What a stream carries of each change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ViewType {
    /// The key attributes, and no image.
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    /// Both.
    #[default]
    NewAndOldImages,
}

impl ViewType {
    /// DynamoDB's word, such as `NEW_AND_OLD_IMAGES`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }
}

/// A stream record in the making.
///
/// Say what the change was, and the view type says what of it the record carries. The key attributes are part of every
/// image by themselves. An attribute that is given twice has the later value. The values of attributes are whatever
/// [`AttributeValue`] is made from: strings, integers, booleans, [`Number`], [`crate::Bytes`], lists, maps.
///
/// ```
/// use gristmill_sdk::testing::Record;
/// use gristmill_sdk::{AttributeValue, EventName};
///
/// let record = Record::modify("orders")
///     .key("id", "1")
///     .attribute("labels", AttributeValue::Ss(vec!["gift".into()]))
///     .old_attribute("status", "new")
///     .new_attribute("status", "paid")
///     .build();
/// assert_eq!(record.event_name(), EventName::Modify);
/// assert_eq!(record.old_image_json().as_deref(),
///     Some(r#"{"id":{"S":"1"},"labels":{"SS":["gift"]},"status":{"S":"new"}}"#));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    event_name: EventName,
    stream_arn: String,
    keys: Item,
    old: Item,
    new: Item,
    view_type: ViewType,
    event_id: Option<String>,
    sequence_number: Option<String>,
    created_at_ms: Option<u64>,
    user_identity: Option<UserIdentity>,
}

/// 2026-01-05T09:30:00Z, which is also the label of the stream.
const CREATED_AT_S: u64 = 1_767_605_400;
/// An event's records count from these on, so that each is one of its own.
const FIRST_EVENT_ID: u128 = 0x1a87_2017_89a6_e143_15b8_038e_bbd3_b99d;
const FIRST_SEQUENCE_NUMBER: u128 = 261_800_000_000_059_086_429_283;

impl Record {
    /// An item of this table is new.
    ///
    /// # Panics
    ///
    /// The name is not one that a table can have.
    #[must_use]
    #[track_caller]
    pub fn insert(table: &str) -> Self {
        Self::of(EventName::Insert, table)
    }

    /// An item of this table has changed.
    ///
    /// # Panics
    ///
    /// The name is not one that a table can have.
    #[must_use]
    #[track_caller]
    pub fn modify(table: &str) -> Self {
        Self::of(EventName::Modify, table)
    }

    /// A caller deleted an item of this table.
    ///
    /// # Panics
    ///
    /// The name is not one that a table can have.
    #[must_use]
    #[track_caller]
    pub fn remove(table: &str) -> Self {
        Self::of(EventName::Remove, table)
    }

    /// Time to Live deleted an item of this table.
    ///
    /// # Panics
    ///
    /// The name is not one that a table can have.
    #[must_use]
    #[track_caller]
    pub fn ttl_delete(table: &str) -> Self {
        let by = UserIdentity { kind: "Service".to_owned(), principal_id: "dynamodb.amazonaws.com".to_owned() };
        Self::of(EventName::Remove, table).user_identity(by)
    }

    #[track_caller]
    fn of(event_name: EventName, table: &str) -> Self {
        let is_name = table.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        assert!(is_name && !table.is_empty(), "{table:?} is no table's name: a–z, A–Z, 0–9, `_`, `-` and `.`");
        Self {
            event_name,
            stream_arn: format!("arn:aws:dynamodb:us-east-1:123456789012:table/{table}/stream/2026-01-05T09:30:00.000"),
            keys: Item::new(),
            old: Item::new(),
            new: Item::new(),
            view_type: ViewType::default(),
            event_id: None,
            sequence_number: None,
            created_at_ms: None,
            user_identity: None,
        }
    }

    /// A key attribute of the item: the partition key, and a second for the sort key where the table has one.
    ///
    /// # Panics
    ///
    /// It is the third, or the value is no string, number or binary.
    #[must_use]
    #[track_caller]
    pub fn key(mut self, name: &str, value: impl Into<AttributeValue>) -> Self {
        let value = value.into();
        let is_key = value.as_s().is_some() || value.as_n().is_some() || value.as_b().is_some();
        assert!(is_key, "the key {name:?} is {value}: DynamoDB takes a string (S), a number (N) or binary (B)");
        self.keys.insert(name.to_owned(), value);
        assert!(
            self.keys.len() <= 2,
            "the key {name:?} is the third: an item has a partition key and may have a sort key"
        );
        self
    }

    /// An attribute of the item that the change left as it was: part of each image that the change has.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl Into<AttributeValue>) -> Self {
        let value = value.into();
        if self.event_name != EventName::Insert {
            self.old.insert(name.to_owned(), value.clone());
        }
        if self.event_name != EventName::Remove {
            self.new.insert(name.to_owned(), value);
        }
        self
    }

    /// An attribute of the item before the change.
    ///
    /// # Panics
    ///
    /// The record is an insert.
    #[must_use]
    #[track_caller]
    pub fn old_attribute(self, name: &str, value: impl Into<AttributeValue>) -> Self {
        self.old_image([(name.to_owned(), value.into())].into())
    }

    /// An attribute of the item after the change.
    ///
    /// # Panics
    ///
    /// The record is a removal.
    #[must_use]
    #[track_caller]
    pub fn new_attribute(self, name: &str, value: impl Into<AttributeValue>) -> Self {
        self.new_image([(name.to_owned(), value.into())].into())
    }

    /// Attributes of the item before the change, beside those that were given already.
    ///
    /// # Panics
    ///
    /// The record is an insert.
    #[must_use]
    #[track_caller]
    pub fn old_image(mut self, item: Item) -> Self {
        assert!(self.event_name != EventName::Insert, "an insert has no old image: there was no item");
        self.old.extend(item);
        self
    }

    /// Attributes of the item after the change, beside those that were given already.
    ///
    /// # Panics
    ///
    /// The record is a removal.
    #[must_use]
    #[track_caller]
    pub fn new_image(mut self, item: Item) -> Self {
        assert!(self.event_name != EventName::Remove, "a removal has no new image: there is no item");
        self.new.extend(item);
        self
    }

    /// The same as [`Self::old_image`], from DynamoDB JSON.
    ///
    /// # Panics
    ///
    /// The record is an insert, or the text is not DynamoDB JSON.
    #[must_use]
    #[track_caller]
    pub fn old_image_json(self, json: &str) -> Self {
        match item_from_json(json) {
            Ok(item) => self.old_image(item),
            Err(error) => panic!("{}", error.of("old image")),
        }
    }

    /// The same as [`Self::new_image`], from DynamoDB JSON.
    ///
    /// ```
    /// use gristmill_sdk::testing::Record;
    ///
    /// let record = Record::insert("orders").key("id", "1").new_image_json(r#"{"paid":{"BOOL":true}}"#).build();
    /// assert_eq!(record.new_image_json().as_deref(), Some(r#"{"id":{"S":"1"},"paid":{"BOOL":true}}"#));
    /// ```
    ///
    /// # Panics
    ///
    /// The record is a removal, or the text is not DynamoDB JSON.
    #[must_use]
    #[track_caller]
    pub fn new_image_json(self, json: &str) -> Self {
        match item_from_json(json) {
            Ok(item) => self.new_image(item),
            Err(error) => panic!("{}", error.of("new image")),
        }
    }

    /// What the stream carries. Otherwise both images.
    ///
    /// ```
    /// use gristmill_sdk::testing::{Record, ViewType};
    ///
    /// let record = Record::modify("orders").key("id", "1").new_attribute("paid", true);
    /// let record = record.view_type(ViewType::KeysOnly).build();
    /// assert_eq!((record.old_image_json(), record.new_image_json()), (None, None));
    /// ```
    #[must_use]
    pub fn view_type(mut self, view_type: ViewType) -> Self {
        self.view_type = view_type;
        self
    }

    /// The ARN of the stream, in place of the one that is made of the table's name: for another Region, account or label.
    ///
    /// # Panics
    ///
    /// It is not the ARN of a DynamoDB stream.
    #[must_use]
    #[track_caller]
    pub fn stream_arn(mut self, arn: &str) -> Self {
        assert!(
            StreamArn::parse(arn).is_some(),
            "{arn:?} is no stream's ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL"
        );
        self.stream_arn = arn.to_owned();
        self
    }

    /// The record's `eventID`. Otherwise 32 hexadecimal digits.
    #[must_use]
    pub fn event_id(mut self, id: &str) -> Self {
        self.event_id = Some(id.to_owned());
        self
    }

    /// The position in the shard. Otherwise 24 digits.
    ///
    /// # Panics
    ///
    /// It is not decimal digits.
    #[must_use]
    #[track_caller]
    pub fn sequence_number(mut self, digits: &str) -> Self {
        let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        assert!(is_decimal, "{digits:?} is no sequence number: decimal digits");
        self.sequence_number = Some(digits.to_owned());
        self
    }

    /// About when the change was made, in milliseconds since the Unix epoch. Otherwise 2026-01-05T09:30:00Z.
    #[must_use]
    pub fn created_at_ms(mut self, created_at_ms: u64) -> Self {
        self.created_at_ms = Some(created_at_ms);
        self
    }

    /// Who made the change. Otherwise a caller, or Time to Live for [`Self::ttl_delete`].
    #[must_use]
    pub fn user_identity(mut self, identity: UserIdentity) -> Self {
        self.user_identity = Some(identity);
        self
    }

    /// The record, as a handler is given it.
    ///
    /// # Panics
    ///
    /// It has no key, or an image has another value for a key attribute.
    #[must_use]
    #[track_caller]
    pub fn build(&self) -> StreamRecord {
        match StreamRecord::from_json(&self.to_json()) {
            Ok(record) => record,
            Err(error) => panic!("{error}"),
        }
    }

    /// The record as Lambda sends it: one element of an event's `Records`, with AWS's order of names. [`event`] makes a
    /// whole event.
    ///
    /// # Panics
    ///
    /// As for [`Self::build`].
    #[must_use]
    #[track_caller]
    pub fn to_json(&self) -> String {
        self.numbered(0)
    }

    /// The record in its place among those of an event, which decides what was not said of it.
    #[track_caller]
    fn numbered(&self, index: u32) -> String {
        let (new, old) = (self.carried_new(), self.carried_old());
        let event_id = match &self.event_id {
            Some(id) => id.clone(),
            None => format!("{:032x}", FIRST_EVENT_ID + u128::from(index)),
        };
        let sequence_number = match &self.sequence_number {
            Some(digits) => digits.clone(),
            None => (FIRST_SEQUENCE_NUMBER + u128::from(index)).to_string(),
        };
        let size_bytes: usize =
            [Some(&self.keys), new.as_ref(), old.as_ref()].into_iter().flatten().map(item_size).sum();

        let mut json = String::from("{\"eventID\":");
        write_string(&mut json, &event_id);
        json.push_str(",\"eventName\":");
        write_string(&mut json, self.event_name.as_str());
        json.push_str(",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\",\"awsRegion\":");
        write_string(&mut json, StreamArn::parse(&self.stream_arn).map_or("", |arn| arn.region));
        if let Some(identity) = &self.user_identity {
            json.push_str(",\"userIdentity\":{\"principalId\":");
            write_string(&mut json, &identity.principal_id);
            json.push_str(",\"type\":");
            write_string(&mut json, &identity.kind);
            json.push('}');
        }
        json.push_str(",\"dynamodb\":{\"ApproximateCreationDateTime\":");
        json.push_str(&seconds(self.created_at_ms.unwrap_or((CREATED_AT_S + u64::from(index)) * 1_000)));
        json.push_str(",\"Keys\":");
        json.push_str(&item_to_json(&self.keys));
        for (name, image) in [("NewImage", &new), ("OldImage", &old)] {
            if let Some(image) = image {
                json.push_str(&format!(",\"{name}\":{}", item_to_json(image)));
            }
        }
        json.push_str(",\"SequenceNumber\":");
        write_string(&mut json, &sequence_number);
        json.push_str(&format!(
            ",\"SizeBytes\":{size_bytes},\"StreamViewType\":\"{}\"}},\"eventSourceARN\":",
            self.view_type.as_str()
        ));
        write_string(&mut json, &self.stream_arn);
        json.push('}');
        json
    }

    #[track_caller]
    fn carried_new(&self) -> Option<Item> {
        let carried = matches!(self.view_type, ViewType::NewImage | ViewType::NewAndOldImages);
        let image = self.with_keys(&self.new);
        (carried && self.event_name != EventName::Remove).then_some(image)
    }

    #[track_caller]
    fn carried_old(&self) -> Option<Item> {
        let carried = matches!(self.view_type, ViewType::OldImage | ViewType::NewAndOldImages);
        let image = self.with_keys(&self.old);
        (carried && self.event_name != EventName::Insert).then_some(image)
    }

    /// The image of an item with these attributes. A change never changes a key: it is another item then.
    #[track_caller]
    fn with_keys(&self, attributes: &Item) -> Item {
        assert!(
            !self.keys.is_empty(),
            "the record has no key: say which item it is of, for example by .key(\"id\", \"1\")"
        );
        let mut image = attributes.clone();
        for (name, key) in &self.keys {
            if let Some(other) = image.insert(name.clone(), key.clone()) {
                assert!(other == *key, "the key {name:?} of the item is {key}, and {other} in an image");
            }
        }
        image
    }
}

/// An event with these records, as Lambda sends it: for `gristmill invoke --event`. A record a line.
///
/// Records that do not say their event id, sequence number and time count on from one another, in this order.
///
/// ```
/// use gristmill_sdk::testing::{self, Record};
///
/// let order = Record::insert("demo-dev_orders").key("id", "1").attribute("total", 1200);
/// let expired = Record::ttl_delete("demo-dev_orders").key("id", "2");
/// let event = testing::event([order, expired]);
/// assert!(event.starts_with("{\"Records\":[\n{\"eventID\":\"1a87"));
/// ```
///
/// # Panics
///
/// As for [`Record::build`], or when the records are of different streams, which Lambda never puts into one event.
#[must_use]
#[track_caller]
pub fn event(records: impl IntoIterator<Item = Record>) -> String {
    let mut json = String::from("{\"Records\":[");
    let mut stream_arn: Option<String> = None;
    for (index, record) in (0..).zip(records) {
        json.push_str(if index == 0 { "\n" } else { ",\n" });
        json.push_str(&record.numbered(index));
        let first = stream_arn.get_or_insert_with(|| record.stream_arn.clone());
        assert!(
            *first == record.stream_arn,
            "an event is of one stream: {first:?} and {:?} are two",
            record.stream_arn
        );
    }
    json.push_str(if stream_arn.is_some() { "\n]}\n" } else { "]}\n" });
    json
}

/// Seconds since the Unix epoch as AWS writes them: with a fraction when there is one.
fn seconds(ms: u64) -> String {
    match (ms / 1_000, ms % 1_000) {
        (seconds, 0) => seconds.to_string(),
        (seconds, fraction_ms) => format!("{seconds}.{fraction_ms:03}"),
    }
}

/// Names and values in bytes, as a stream's `SizeBytes` counts them (AWS-FACTS, "The record").
fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size(value)).sum()
}

/// In bytes. S, B, BOOL and a short N are in AWS-FACTS; the rest is as DynamoDB's guide has the size of an item, which no
/// capture confirms for a stream. `gristmill generate sample` counts in the same way.
fn size(value: &AttributeValue) -> usize {
    /// Of a list or map, whatever is in it; each element adds one.
    const OVERHEAD: usize = 3;
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number_size(number),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(number_size).sum(),
        AttributeValue::Bs(values) => values.iter().map(Vec::len).sum(),
        AttributeValue::M(item) => OVERHEAD + item.len() + item_size(item),
        AttributeValue::L(values) => OVERHEAD + values.iter().map(|value| 1 + size(value)).sum::<usize>(),
        AttributeValue::Bool(_) | AttributeValue::Null => 1,
    }
}

/// A byte for every two significant digits, one more, and one for a sign.
fn number_size(number: &Number) -> usize {
    let (digits, negative) = number::significant_digits(number);
    digits.div_ceil(2) + 1 + usize::from(negative)
}

#[cfg(test)]
mod tests;
