//! One record of a DynamoDB stream, as a handler reads it.
//!
//! In a component the record stays in the host, and each method copies out what it names. Natively it is a record's JSON.

mod local;

use std::fmt;

use serde::de::DeserializeOwned;

use crate::bindings::gristmill::events::types as host;
use crate::{ImageError, Item, from_json, item_from_json};
pub use local::RecordError;
pub(crate) use local::StreamArn;

/// What happened to the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventName {
    /// The item is new.
    Insert,
    /// An attribute of the item, or several, changed.
    Modify,
    /// The item was deleted, by a caller or by Time to Live.
    Remove,
}

impl EventName {
    /// DynamoDB's word: `INSERT`, `MODIFY` or `REMOVE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Modify => "MODIFY",
            Self::Remove => "REMOVE",
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who made the change, when it was a service and not a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserIdentity {
    /// For example `Service`.
    pub kind: String,
    /// For example `dynamodb.amazonaws.com`.
    pub principal_id: String,
}

impl UserIdentity {
    /// Whether this is DynamoDB itself, which deletes an item whose Time to Live is over.
    #[must_use]
    pub fn is_time_to_live(&self) -> bool {
        self.kind == "Service" && self.principal_id == "dynamodb.amazonaws.com"
    }
}

/// One record of a DynamoDB stream.
///
/// In a component every method is a call of the host (below a microsecond) and copies what it gives, so images cost
/// nothing until they are asked for: ask once, and keep what you got.
///
/// In a native unit test, make one with [`crate::testing::Record`], or of a record's text with [`StreamRecord::from_json`].
pub struct StreamRecord(Source);

enum Source {
    Host(host::StreamRecord),
    Local(Box<local::Record>),
}

/// Calls the host, or reads the local record's field of the same name.
macro_rules! accessors {
    ($($(#[$docs:meta])* $name:ident -> $type:ty = $method:ident;)+) => {$(
        $(#[$docs])*
        #[must_use]
        pub fn $name(&self) -> $type {
            match &self.0 {
                Source::Host(record) => record.$method(),
                Source::Local(record) => record.$name.clone(),
            }
        }
    )+};
}

impl StreamRecord {
    /// A record from its JSON as Lambda sends it: one element of an event's `Records`. For unit tests.
    ///
    /// ```
    /// use gristmill_sdk::{EventName, StreamRecord};
    ///
    /// let record = StreamRecord::from_json(r#"{
    ///     "eventID": "1", "eventName": "INSERT", "awsRegion": "us-west-2",
    ///     "eventSourceARN": "arn:aws:dynamodb:us-west-2:112233445566:table/orders/stream/2019-02-15T23:01:06.871",
    ///     "dynamodb": {"Keys": {"id": {"S": "1"}}, "NewImage": {"id": {"S": "1"}}, "SequenceNumber": "42"}
    /// }"#)?;
    /// assert_eq!(record.event_name(), EventName::Insert);
    /// assert_eq!(record.table(), "orders");
    /// # Ok::<(), gristmill_sdk::RecordError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text is no JSON, or the record has no event name, ARN, sequence number or keys, or one that is none.
    pub fn from_json(json: &str) -> Result<Self, RecordError> {
        Ok(Self(Source::Local(Box::new(local::Record::from_json(json)?))))
    }

    pub(crate) fn from_host(record: host::StreamRecord) -> Self {
        Self(Source::Host(record))
    }

    accessors! {
        /// The record's `eventID`, the same on every delivery.
        event_id -> String = event_id;
        /// The table's name, as it stands in the stream's ARN.
        table -> String = table;
        /// The ARN of the stream, label included.
        stream_arn -> String = stream_arn;
        /// The Region that the record comes from.
        region -> String = region;
        /// The position in the shard: decimal digits, too many for any integer type.
        ///
        /// Compare without leading zeros by length, then as text.
        sequence_number -> String = sequence_number;
        /// The size of keys and images in bytes, as DynamoDB counts it.
        size_bytes -> Option<u64> = size_bytes;
        /// About when the change was made, in milliseconds since the Unix epoch.
        created_at_ms -> Option<u64> = created_at_ms;
        /// The item's key attributes as DynamoDB JSON, byte for byte as they came.
        keys_json -> String = keys;
        /// The item after the change as DynamoDB JSON, byte for byte as it came.
        ///
        /// None when the record has none, which is not the same as an empty image: a removal has none, nor does a stream
        /// of view type `KEYS_ONLY` or `OLD_IMAGE`.
        new_image_json -> Option<String> = new_image;
        /// The item before the change as DynamoDB JSON, byte for byte as it came.
        ///
        /// None when the record has none: an insert has none, nor does a stream of view type `KEYS_ONLY` or `NEW_IMAGE`.
        old_image_json -> Option<String> = old_image;
        /// The whole record, byte for byte as it came, with fields that gristmill does not know.
        json -> String = json;
    }

    /// What happened to the item.
    #[must_use]
    pub fn event_name(&self) -> EventName {
        match &self.0 {
            Source::Host(record) => match record.event_name() {
                host::EventName::Insert => EventName::Insert,
                host::EventName::Modify => EventName::Modify,
                host::EventName::Remove => EventName::Remove,
            },
            Source::Local(record) => record.event_name,
        }
    }

    /// Who made the change, when it was a service and not a caller.
    #[must_use]
    pub fn user_identity(&self) -> Option<UserIdentity> {
        match &self.0 {
            Source::Host(record) => record
                .user_identity()
                .map(|identity| UserIdentity { kind: identity.type_, principal_id: identity.principal_id }),
            Source::Local(record) => record.user_identity.clone(),
        }
    }

    /// Whether Time to Live deleted the item, and no caller did.
    ///
    /// It is so in the Region that deleted it. A replica of a global table removes the item as any caller would. Two calls
    /// of the host for a removal, and one for any other record.
    ///
    /// ```
    /// use gristmill_sdk::testing::Record;
    ///
    /// assert!(Record::ttl_delete("orders").key("id", "1").build().is_ttl_delete());
    /// assert!(!Record::remove("orders").key("id", "1").build().is_ttl_delete());
    /// ```
    #[must_use]
    pub fn is_ttl_delete(&self) -> bool {
        self.event_name() == EventName::Remove
            && self.user_identity().is_some_and(|identity| identity.is_time_to_live())
    }

    /// The item's key attributes as a tree.
    ///
    /// # Errors
    ///
    /// They are not DynamoDB JSON.
    pub fn keys(&self) -> Result<Item, ImageError> {
        item_from_json(&self.keys_json()).map_err(|error| error.of("keys"))
    }

    /// The item after the change as a tree; None as for [`Self::new_image_json`].
    ///
    /// # Errors
    ///
    /// The image is not DynamoDB JSON, or nested deeper than 64 levels.
    pub fn new_image(&self) -> Result<Option<Item>, ImageError> {
        self.new_image_json().map(|json| item_from_json(&json)).transpose().map_err(|error| error.of("new image"))
    }

    /// The item before the change as a tree; None as for [`Self::old_image_json`].
    ///
    /// # Errors
    ///
    /// The image is not DynamoDB JSON, or nested deeper than 64 levels.
    pub fn old_image(&self) -> Result<Option<Item>, ImageError> {
        self.old_image_json().map(|json| item_from_json(&json)).transpose().map_err(|error| error.of("old image"))
    }

    /// The item's key attributes as a type of your own; see [`Self::new_image_as`].
    ///
    /// # Errors
    ///
    /// As for [`Self::new_image_as`].
    pub fn keys_as<T: DeserializeOwned>(&self) -> Result<T, ImageError> {
        from_json(&self.keys_json()).map_err(|error| error.of("keys"))
    }

    /// The item after the change as a type of your own, read in one pass over its text; None as for
    /// [`Self::new_image_json`].
    ///
    /// | DynamoDB | Rust |
    /// |---|---|
    /// | S | `String`, `char`, what parses from a string (dates, UUIDs), an enum of names |
    /// | N | every integer and float type, [`crate::Number`], `String` (both exact) |
    /// | B | [`crate::Bytes`], `Vec<u8>`, types of `serde_bytes` |
    /// | SS, NS, BS | `HashSet`, `BTreeSet`, `Vec` |
    /// | M | a struct, a map with strings or integers for keys, an enum's variant with content (one attribute, its name) |
    /// | L | `Vec`, an array, a tuple |
    /// | BOOL | `bool` |
    /// | NULL, absent | `None` of an `Option`, `()` |
    /// | any | [`crate::AttributeValue`] |
    ///
    /// An integer is exact or an error: `1E2` is 100, and neither 1.5 nor 300 is a `u8`. A float is the nearest one.
    /// Attributes that `T` does not name are skipped. Of `flatten`, untagged and internally tagged enums serde buffers the
    /// values, and sees no types then: [`crate::AttributeValue`] says what that costs.
    ///
    /// ```
    /// # let record = gristmill_sdk::StreamRecord::from_json(r#"{"eventID":"1","eventName":"INSERT","eventSourceARN":
    /// #   "arn:aws:dynamodb:eu-west-1:1:table/t/stream/l","dynamodb":{"SequenceNumber":"1","Keys":{},
    /// #   "NewImage":{"orders":{"L":[{"M":{"price":{"S":"free"}}}]}}}}"#).unwrap();
    /// #[derive(serde::Deserialize)]
    /// struct Customer {
    ///     orders: Vec<Order>,
    /// }
    /// #[derive(serde::Deserialize)]
    /// struct Order {
    ///     price: u32,
    /// }
    /// let error = record.new_image_as::<Customer>().err().unwrap();
    /// assert_eq!(error.to_string(), "new image: orders[0].price: expected a number (N), found a string (S)");
    /// ```
    ///
    /// # Errors
    ///
    /// - An attribute is missing, is of another type than `T` asks for, or does not fit.
    /// - The image is not DynamoDB JSON, or nested deeper than 64 levels.
    pub fn new_image_as<T: DeserializeOwned>(&self) -> Result<Option<T>, ImageError> {
        self.new_image_json().map(|json| from_json(&json)).transpose().map_err(|error| error.of("new image"))
    }

    /// The item before the change as a type of your own; see [`Self::new_image_as`].
    ///
    /// # Errors
    ///
    /// As for [`Self::new_image_as`].
    pub fn old_image_as<T: DeserializeOwned>(&self) -> Result<Option<T>, ImageError> {
        self.old_image_json().map(|json| from_json(&json)).transpose().map_err(|error| error.of("old image"))
    }
}

/// The record in a line: `MODIFY test-table keys {…} old {…} new {…}`, with images as they came.
impl fmt::Display for StreamRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} keys {}", self.event_name(), self.table(), self.keys_json())?;
        if let Some(image) = self.old_image_json() {
            write!(f, " old {image}")?;
        }
        if let Some(image) = self.new_image_json() {
            write!(f, " new {image}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for StreamRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamRecord")
            .field("event_id", &self.event_id())
            .field("event_name", &self.event_name())
            .field("stream_arn", &self.stream_arn())
            .field("sequence_number", &self.sequence_number())
            .field("created_at_ms", &self.created_at_ms())
            .field("user_identity", &self.user_identity())
            .field("keys", &format_args!("{}", self.keys_json()))
            .field("old_image", &format_args!("{}", self.old_image_json().as_deref().unwrap_or("None")))
            .field("new_image", &format_args!("{}", self.new_image_json().as_deref().unwrap_or("None")))
            .finish()
    }
}

#[cfg(test)]
mod tests;
