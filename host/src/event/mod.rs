//! The event that Lambda delivers: every record checked, and left as slices of
//! the payload (R1, R2, R3, R4).
//!
//! This module parses no image, copies nothing but escaped names, and knows
//! nothing of handlers, of WASM or of Lambda's protocol.

mod arn;
mod key;
mod number;
mod raw;
mod scan;
mod sequence;

use std::borrow::Cow;
use std::ops::Range;

pub use arn::Arn;
pub use key::ItemKey;
pub use number::Decimal;
pub use sequence::SequenceNumber;

use scan::{Fault, decoded, kind_of};

/// Why a payload is not an event that this host runs. The function fails, and
/// no handler has run (R1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The payload is not UTF-8, which JSON must be.
    #[error("the event is not UTF-8: byte {valid_up_to} starts no character")]
    NotUtf8 {
        /// The number of bytes before the first bad one.
        valid_up_to: usize,
    },
    /// The payload is not JSON of the expected form.
    #[error("not a DynamoDB stream event: {path}: {reason}")]
    Malformed {
        /// Where, for example `Records[3].dynamodb`.
        path: String,
        /// What is wrong there.
        reason: String,
    },
}

/// A part of the payload.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
}

/// An event: the payload and what was found in it.
pub struct Event {
    text: String,
    source_arn: Option<String>,
    records: Vec<Fields>,
    /// Indexes of `records` in ascending order of their sequence numbers;
    /// equal ones in the order of the payload.
    order: Vec<usize>,
    window: Option<Window>,
}

/// The tumbling window that an event belongs to (R12).
struct Window {
    state: Option<Span>,
}

/// What was found of one record.
struct Fields {
    whole: Span,
    sequence_number: Text,
    event_id: Option<Text>,
    event_name: Option<Span>,
    event_version: Option<Span>,
    event_source: Span,
    region: Option<Span>,
    source_arn: Span,
    user_identity: Option<Span>,
    created_at: Option<Span>,
    keys: Option<Span>,
    new_image: Option<Span>,
    old_image: Option<Span>,
    size_bytes: Option<Span>,
    view_type: Option<Span>,
    read: Result<Read, String>,
    sequence_span: Span,
    event_id_span: Option<Span>,
}

/// What a handler asks for and a record without it is malformed (R4).
struct Read {
    name: EventName,
    item: ItemKey,
}

/// A decoded string: in place when it has no escapes.
#[derive(Clone)]
enum Text {
    InPlace(Span),
    Decoded(Box<str>),
}

/// What happened to the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventName {
    /// The item is new.
    Insert,
    /// An attribute of the item changed.
    Modify,
    /// The item was deleted.
    Remove,
}

impl EventName {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "INSERT" => Some(Self::Insert),
            "MODIFY" => Some(Self::Modify),
            "REMOVE" => Some(Self::Remove),
            _ => None,
        }
    }

    /// The name as DynamoDB spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Modify => "MODIFY",
            Self::Remove => "REMOVE",
        }
    }
}

/// The service that made a change. What the record does not say is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// For example `Service`.
    pub kind: String,
    /// For example `dynamodb.amazonaws.com`.
    pub principal_id: String,
}

impl Event {
    /// Reads the payload of an invocation.
    ///
    /// # Errors
    ///
    /// - [`EventError::NotUtf8`]
    /// - [`EventError::Malformed`] when the payload is not an object with
    ///   `Records`, or a record is not of a DynamoDB stream, has no decimal
    ///   sequence number, or is of another stream than the first.
    pub fn from_slice(payload: &[u8]) -> Result<Self, EventError> {
        let text =
            std::str::from_utf8(payload).map_err(|error| EventError::NotUtf8 { valid_up_to: error.valid_up_to() })?;
        Self::parse(text)
    }

    /// Reads the payload of an invocation. One scan; costs in proportion to
    /// the payload, and nothing for the depth of an image.
    ///
    /// # Errors
    ///
    /// [`EventError::Malformed`] as in [`Event::from_slice`].
    pub fn parse(text: impl Into<String>) -> Result<Self, EventError> {
        let text = text.into();
        let slices = Slices(&text);
        let mut records = Vec::new();
        let mut source_arn: Option<String> = None;
        let (given_records, window) = raw::scan(&text, |record| {
            let (fields, arn) = Fields::check(slices, &record, source_arn.as_deref())?;
            if source_arn.is_none() {
                source_arn = Some(arn.into_owned());
            }
            records.push(fields);
            Ok(())
        })?;
        if !given_records {
            return Err(Fault::new("missing").within("Records").into());
        }
        let window = match given(window.window) {
            None => None,
            Some(_) => Some(Window { state: state(slices, given(window.state))? }),
        };
        let mut order: Vec<usize> = (0..records.len()).collect();
        order.sort_by_key(|&index| sequence(&text, &records[index]));
        Ok(Self { source_arn, records, order, window, text })
    }

    /// The records in ascending order of their sequence numbers (R2).
    pub fn records(&self) -> impl DoubleEndedIterator<Item = Record<'_>> + ExactSizeIterator {
        (0..self.order.len()).map(|position| self.record(position))
    }

    /// The record at a position of [`Event::records`].
    ///
    /// # Panics
    ///
    /// When there is no such position.
    pub fn record(&self, position: usize) -> Record<'_> {
        let index = self.order[position];
        Record { event: self, fields: &self.records[index], index }
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The stream that all records come from; none when there are no records.
    pub fn stream(&self) -> Option<Arn<'_>> {
        self.source_arn.as_deref().and_then(Arn::parse_stream)
    }

    /// The state that the answer must carry, when the event is of a tumbling
    /// window: as it came, `{}` if absent (R12).
    pub fn window_state(&self) -> Option<&str> {
        self.window.as_ref().map(|window| window.state.map_or("{}", |span| self.slice(span)))
    }

    /// The payload's length in bytes.
    pub fn payload_bytes(&self) -> usize {
        self.text.len()
    }

    fn slice(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    fn text<'a>(&'a self, text: &'a Text) -> &'a str {
        match text {
            Text::InPlace(span) => self.slice(*span),
            Text::Decoded(text) => text,
        }
    }
}

fn sequence<'a>(text: &'a str, fields: &'a Fields) -> SequenceNumber<'a> {
    SequenceNumber::taken(match &fields.sequence_number {
        Text::InPlace(span) => &text[span.start..span.end],
        Text::Decoded(digits) => digits,
    })
}

impl From<Fault> for EventError {
    fn from(Fault { path, reason }: Fault) -> Self {
        Self::Malformed { path: if path.is_empty() { "the payload".to_owned() } else { path }, reason }
    }
}

/// A window's state goes into the answer as it came, so it must be JSON.
fn state(slices: Slices<'_>, json: Option<&str>) -> Result<Option<Span>, Fault> {
    if let Some(json) = json {
        serde_json::from_str::<serde::de::IgnoredAny>(json)
            .map_err(|error| Fault::new(error.to_string()).within("state"))?;
    }
    Ok(slices.maybe(json))
}

/// Turns slices of the payload into spans of it.
#[derive(Clone, Copy)]
struct Slices<'a>(&'a str);

impl<'a> Slices<'a> {
    fn span(self, slice: &str) -> Span {
        let start = slice.as_ptr().addr() - self.0.as_ptr().addr();
        let Range { start, end } = start..start + slice.len();
        debug_assert!(end <= self.0.len(), "not a slice of the payload");
        Span { start, end }
    }

    fn maybe(self, slice: Option<&str>) -> Option<Span> {
        slice.map(|slice| self.span(slice))
    }

    /// Decodes a JSON string.
    fn string(self, json: &'a str) -> Result<(Text, Cow<'a, str>), Fault> {
        if !json.starts_with('"') {
            return Err(Fault::new(format!("expected a string, found {}", kind_of(json))));
        }
        let decoded = decoded(json)?;
        let text = match &decoded {
            Cow::Borrowed(plain) => Text::InPlace(self.span(plain)),
            Cow::Owned(decoded) => Text::Decoded(decoded.clone().into_boxed_str()),
        };
        Ok((text, decoded))
    }

    fn present_string(self, json: Option<&'a str>) -> Result<(Text, Cow<'a, str>), Fault> {
        given(json).map_or_else(|| Err(Fault::new("missing")), |json| self.string(json))
    }
}

/// `null` is as good as absent, but for a filter that asks for it.
fn given(json: Option<&str>) -> Option<&str> {
    json.filter(|json| *json != NULL)
}

const NULL: &str = "null";

impl Fields {
    /// R1 for one record: what is wrong with it fails the function, and what
    /// cannot be read makes it malformed (R4).
    fn check<'a>(
        slices: Slices<'a>,
        raw: &raw::Record<'a>,
        first_arn: Option<&str>,
    ) -> Result<(Self, Cow<'a, str>), Fault> {
        let raw::Record { whole, outer, change } = raw;
        let at = |path: &'static str| move |fault: Fault| fault.within(path);
        let wrong = |path: &'static str, text: &str, what: &str| {
            Err(Fault::new(format!("{:?} {what}", shorten(text))).within(path))
        };

        let (_, source) = slices.present_string(outer.event_source).map_err(at("eventSource"))?;
        if source != "aws:dynamodb" {
            return wrong("eventSource", &source, "is not \"aws:dynamodb\"");
        }
        const SEQUENCE_NUMBER: &str = "dynamodb.SequenceNumber";
        let (sequence_number, digits) = slices.present_string(change.sequence_number).map_err(at(SEQUENCE_NUMBER))?;
        if SequenceNumber::new(&digits).is_none() {
            return wrong(SEQUENCE_NUMBER, &digits, "is not a decimal number");
        }
        let (_, arn) = slices.present_string(outer.source_arn).map_err(at("eventSourceARN"))?;
        // That of Records[0] was read: all others are compared with it.
        if first_arn.is_none_or(|first| first != arn) {
            if Arn::parse_stream(&arn).is_none() {
                return wrong("eventSourceARN", &arn, "is not the ARN of a DynamoDB stream");
            }
            if first_arn.is_some() {
                return wrong("eventSourceARN", &arn, "differs from that of Records[0]");
            }
        }

        let no_span = Span { start: 0, end: 0 };
        let fields = Self {
            whole: slices.span(whole),
            sequence_number,
            event_id: slices.present_string(outer.event_id).ok().map(|(text, _)| text),
            event_name: slices.maybe(outer.event_name),
            event_version: slices.maybe(outer.event_version),
            event_source: slices.maybe(outer.event_source).unwrap_or(no_span),
            region: slices.maybe(outer.region),
            source_arn: slices.maybe(outer.source_arn).unwrap_or(no_span),
            user_identity: slices.maybe(outer.user_identity),
            created_at: slices.maybe(change.created_at),
            keys: slices.maybe(change.keys),
            new_image: slices.maybe(change.new_image),
            old_image: slices.maybe(change.old_image),
            size_bytes: slices.maybe(change.size_bytes),
            view_type: slices.maybe(change.view_type),
            sequence_span: slices.maybe(change.sequence_number).unwrap_or(no_span),
            event_id_span: slices.maybe(outer.event_id),
            read: Read::new(slices, outer, change).map_err(|Fault { path, reason }| format!("{path}: {reason}")),
        };
        Ok((fields, arn))
    }
}

/// The start of a text that goes into a message, so that no message is huge.
fn shorten(text: &str) -> Cow<'_, str> {
    const MOST_CHARS: usize = 120;
    match text.char_indices().nth(MOST_CHARS) {
        None => Cow::Borrowed(text),
        Some((cut, _)) => Cow::Owned(format!("{}…", &text[..cut])),
    }
}

impl Read {
    fn new<'a>(slices: Slices<'a>, outer: &raw::Outer<'a>, change: &raw::Change<'a>) -> Result<Self, Fault> {
        slices.present_string(outer.event_id).map_err(|fault| fault.within("eventID"))?;
        let (_, name) = slices.present_string(outer.event_name).map_err(|fault| fault.within("eventName"))?;
        let name = EventName::parse(&name).ok_or_else(|| {
            Fault::new(format!("{:?} is not INSERT, MODIFY or REMOVE", shorten(&name))).within("eventName")
        })?;
        let keys = given(change.keys).ok_or_else(|| Fault::new("missing"));
        let item = keys.and_then(ItemKey::read);
        let item = item.map_err(|fault| fault.within("dynamodb.Keys"))?;
        for (image, field) in [(change.new_image, "dynamodb.NewImage"), (change.old_image, "dynamodb.OldImage")] {
            if let Some(image) = given(image).filter(|image| !image.starts_with('{')) {
                return Err(Fault::new(format!("expected an object, found {}", kind_of(image))).within(field));
            }
        }
        Ok(Self { name, item })
    }
}

impl Identity {
    fn parse(json: &str) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct RawIdentity {
            r#type: Option<String>,
            #[serde(rename = "principalId")]
            principal_id: Option<String>,
        }
        // A derived struct takes arrays too, by position.
        if !json.starts_with('{') {
            return None;
        }
        let RawIdentity { r#type, principal_id } = serde_json::from_str(json).ok()?;
        Some(Self { kind: r#type.unwrap_or_default(), principal_id: principal_id.unwrap_or_default() })
    }
}

/// One record of an [`Event`]. A reference: cheap to copy.
#[derive(Clone, Copy)]
pub struct Record<'e> {
    event: &'e Event,
    fields: &'e Fields,
    index: usize,
}

impl<'e> Record<'e> {
    /// The position in the payload.
    pub fn index(self) -> usize {
        self.index
    }

    /// The sequence number.
    pub fn sequence_number(self) -> SequenceNumber<'e> {
        sequence(&self.event.text, self.fields)
    }

    /// The `eventID`; none in a malformed record that has none.
    pub fn event_id(self) -> Option<&'e str> {
        self.fields.event_id.as_ref().map(|id| self.event.text(id))
    }

    /// Why the record cannot be read (R4).
    pub fn malformed(self) -> Option<&'e str> {
        self.fields.read.as_ref().err().map(String::as_str)
    }

    /// The item; none in a malformed record.
    pub fn item(self) -> Option<&'e ItemKey> {
        self.read().map(|read| &read.item)
    }

    /// What happened; none in a malformed record.
    pub fn name(self) -> Option<EventName> {
        self.read().map(|read| read.name)
    }

    // What only describes the record is read when it is asked for, and is none
    // when it cannot be read: a form that AWS may choose tomorrow must not stall
    // a shard, and `json` still has the text.

    /// The size of keys and images in bytes, as DynamoDB counts it.
    pub fn size_bytes(self) -> Option<u64> {
        self.described(self.fields.size_bytes)?.parse().ok()
    }

    /// About when the change was made, in milliseconds since the Unix epoch.
    pub fn created_at_ms(self) -> Option<u64> {
        Decimal::parse(self.described(self.fields.created_at)?)?.thousandfold()
    }

    /// Who made the change, when it was a service.
    pub fn identity(self) -> Option<Identity> {
        Identity::parse(self.described(self.fields.user_identity)?)
    }

    /// The Region that the record names, or else that of the stream.
    pub fn region(self) -> Cow<'e, str> {
        let named = self.described(self.fields.region).filter(|json| json.starts_with('"'));
        let named = named.and_then(|json| decoded(json).ok());
        named.or_else(|| self.event.stream().map(|arn| arn.region().into())).unwrap_or_default()
    }

    fn described(self, span: Option<Span>) -> Option<&'e str> {
        self.read()?;
        span.map(|span| self.event.slice(span))
    }

    /// The stream's ARN.
    pub fn stream_arn(self) -> &'e str {
        self.event.source_arn.as_deref().unwrap_or_default()
    }

    /// The table's name.
    pub fn table(self) -> &'e str {
        self.event.stream().map(|arn| arn.table()).unwrap_or_default()
    }

    /// The key attributes as they came.
    pub fn keys(self) -> Option<&'e str> {
        self.given(self.fields.keys)
    }

    /// The new image as it came. Absent and `{}` are two things.
    pub fn new_image(self) -> Option<&'e str> {
        self.given(self.fields.new_image)
    }

    /// The old image as it came.
    pub fn old_image(self) -> Option<&'e str> {
        self.given(self.fields.old_image)
    }

    /// The whole record as it came.
    pub fn json(self) -> &'e str {
        self.event.slice(self.fields.whole)
    }

    /// A field of the record as unparsed JSON, for patterns.
    pub(crate) fn field(self, name: &str) -> Field<'e> {
        let fields = self.fields;
        let span = match name {
            "eventID" => fields.event_id_span,
            "eventName" => fields.event_name,
            "eventVersion" => fields.event_version,
            "eventSource" => Some(fields.event_source),
            "awsRegion" => fields.region,
            "eventSourceARN" => Some(fields.source_arn),
            "userIdentity" => fields.user_identity,
            _ => return Field::NotKept,
        };
        self.found(span)
    }

    /// A field of the record's `dynamodb` as unparsed JSON, for patterns.
    pub(crate) fn change_field(self, name: &str) -> Field<'e> {
        let fields = self.fields;
        let span = match name {
            "ApproximateCreationDateTime" => fields.created_at,
            "Keys" => fields.keys,
            "NewImage" => fields.new_image,
            "OldImage" => fields.old_image,
            "SequenceNumber" => Some(fields.sequence_span),
            "SizeBytes" => fields.size_bytes,
            "StreamViewType" => fields.view_type,
            _ => return Field::NotKept,
        };
        self.found(span)
    }

    fn found(self, span: Option<Span>) -> Field<'e> {
        span.map_or(Field::Absent, |span| Field::Json(self.event.slice(span)))
    }

    fn given(self, span: Option<Span>) -> Option<&'e str> {
        span.map(|span| self.event.slice(span)).filter(|json| *json != NULL)
    }

    fn read(self) -> Option<&'e Read> {
        self.fields.read.as_ref().ok()
    }
}

/// The JSON of a field.
pub(crate) enum Field<'e> {
    /// This.
    Json(&'e str),
    /// The record has none.
    Absent,
    /// The scan does not keep it: in [`Record::json`], if anywhere.
    NotKept,
}

#[cfg(test)]
mod tests;
