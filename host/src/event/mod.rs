//! The event that Lambda delivers: checked whole, its records left as slices
//! of the payload (R1, R2, R3, R4).
//!
//! This module parses no image, copies nothing but escaped names, and knows
//! nothing of handlers, of WASM or of Lambda's protocol.

mod arn;
mod key;
mod number;
mod raw;
mod sequence;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use serde_json::value::RawValue;

pub use arn::Arn;
pub use key::ItemKey;
pub use number::Decimal;
pub use sequence::SequenceNumber;

use raw::{RawEvent, RawRecord, WholeRecords};

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
    whole: OnceLock<Vec<Span>>,
}

/// The tumbling window that an event belongs to (R12).
struct Window {
    state: Option<Span>,
}

/// What was found of one record.
struct Fields {
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
        let raw: RawEvent<'_> = serde_json::from_str(&text).map_err(|error| locate(&text, &error))?;
        let Some(raw_records) = raw.records else {
            return Err(malformed("Records", "missing"));
        };
        let slices = Slices(&text);
        let mut records = Vec::with_capacity(raw_records.len());
        let mut source_arn: Option<String> = None;
        for (index, raw) in raw_records.iter().enumerate() {
            let (fields, arn) = Fields::check(slices, raw, index, source_arn.as_deref())?;
            source_arn = source_arn.or_else(|| Some(arn.into_owned()));
            records.push(fields);
        }
        let window = given(raw.window).map(|_| Window { state: slices.raw(given(raw.state)) });
        let mut order: Vec<usize> = (0..records.len()).collect();
        order.sort_by_key(|&index| sequence(&text, &records[index]));
        Ok(Self { source_arn, records, order, window, whole: OnceLock::new(), text })
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

    fn whole_records(&self) -> &[Span] {
        self.whole.get_or_init(|| {
            // The text was read once with the same outline, so this cannot
            // fail; were it to, a record would be empty and not another's.
            let records =
                serde_json::from_str::<WholeRecords<'_>>(&self.text).map_or(Vec::new(), |whole| whole.records);
            records.iter().map(|record| Slices(&self.text).span(record.get())).collect()
        })
    }
}

fn sequence<'a>(text: &'a str, fields: &'a Fields) -> SequenceNumber<'a> {
    SequenceNumber::taken(match &fields.sequence_number {
        Text::InPlace(span) => &text[span.start..span.end],
        Text::Decoded(digits) => digits,
    })
}

fn malformed(path: impl Into<String>, reason: impl Into<String>) -> EventError {
    EventError::Malformed { path: path.into(), reason: reason.into() }
}

/// Finds the path of a syntax error: a second, slower scan, on failure only.
fn locate(text: &str, error: &serde_json::Error) -> EventError {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let path = match serde_path_to_error::deserialize::<_, RawEvent<'_>>(&mut deserializer) {
        Err(error) => error.path().to_string(),
        Ok(_) => ".".to_owned(),
    };
    // `.` is the whole, and `?` a field whose name was not read to its end.
    let path = path.trim_end_matches(['.', '?']);
    malformed(if path.is_empty() { "the payload" } else { path }, error.to_string())
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

    fn raw(self, raw: Option<&RawValue>) -> Option<Span> {
        raw.map(|raw| self.span(raw.get()))
    }

    /// Decodes a JSON string.
    fn string(self, raw: &'a RawValue) -> Result<(Text, Cow<'a, str>), String> {
        let json = raw.get();
        match plain(json) {
            Some(plain) => Ok((Text::InPlace(self.span(plain)), Cow::Borrowed(plain))),
            None if !json.starts_with('"') => Err(format!("expected a string, found {}", kind_of(json))),
            None => {
                let decoded: String = serde_json::from_str(json).map_err(|error| error.to_string())?;
                Ok((Text::Decoded(decoded.clone().into_boxed_str()), Cow::Owned(decoded)))
            }
        }
    }

    fn present_string(self, raw: Option<&'a RawValue>) -> Result<(Text, Cow<'a, str>), String> {
        given(raw).map_or_else(|| Err("missing".to_owned()), |raw| self.string(raw))
    }
}

/// What a JSON string without escapes says.
fn plain(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    // Most of these are a few bytes long, and a search that is set up for long
    // ones costs more than it saves.
    (!text.bytes().any(|byte| byte == b'\\')).then_some(text)
}

fn plain_or_decoded(json: &str) -> Option<Cow<'_, str>> {
    plain(json).map(Cow::Borrowed).or_else(|| serde_json::from_str(json).ok().map(Cow::Owned))
}

/// `null` is as good as absent, but for a filter that asks for it.
fn given(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != NULL)
}

const NULL: &str = "null";

fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

impl Fields {
    /// R1 for one record: what is wrong with it fails the function, and what
    /// cannot be read makes it malformed (R4).
    fn check<'a>(
        slices: Slices<'a>,
        raw: &RawRecord<'a>,
        index: usize,
        first_arn: Option<&str>,
    ) -> Result<(Self, Cow<'a, str>), EventError> {
        let at = |field: &str| format!("Records[{index}].{field}");
        let fail = |field: &str, reason: String| Err(malformed(at(field), reason));

        match slices.present_string(raw.event_source) {
            Ok((_, source)) if source == "aws:dynamodb" => {}
            Ok((_, source)) => return fail("eventSource", format!("{:?} is not \"aws:dynamodb\"", shorten(&source))),
            Err(reason) => return fail("eventSource", reason),
        }
        let empty = raw::RawChange::default();
        let change = raw.change.as_ref().unwrap_or(&empty);
        let sequence_number = match slices.present_string(change.sequence_number) {
            Ok((text, digits)) if SequenceNumber::new(&digits).is_some() => text,
            Ok((_, other)) => {
                return fail("dynamodb.SequenceNumber", format!("{:?} is not a decimal number", shorten(&other)));
            }
            Err(reason) => return fail("dynamodb.SequenceNumber", reason),
        };
        let arn = match slices.present_string(raw.source_arn) {
            // That of Records[0] was read: all others are compared with it.
            Ok((_, arn)) if first_arn.is_some_and(|first| first == arn) => arn,
            Ok((_, arn)) if Arn::parse_stream(&arn).is_none() => {
                return fail("eventSourceARN", format!("{:?} is not the ARN of a DynamoDB stream", shorten(&arn)));
            }
            Ok((_, arn)) if first_arn.is_some_and(|first| first != arn) => {
                return fail("eventSourceARN", format!("{:?} differs from that of Records[0]", shorten(&arn)));
            }
            Ok((_, arn)) => arn,
            Err(reason) => return fail("eventSourceARN", reason),
        };

        let span_of = |raw: Option<&RawValue>| slices.raw(raw);
        let no_span = Span { start: 0, end: 0 };
        let fields = Self {
            sequence_number,
            event_id: slices.present_string(raw.event_id).ok().map(|(text, _)| text),
            event_name: span_of(raw.event_name),
            event_version: span_of(raw.event_version),
            event_source: span_of(raw.event_source).unwrap_or(no_span),
            region: span_of(raw.region),
            source_arn: span_of(raw.source_arn).unwrap_or(no_span),
            user_identity: span_of(raw.user_identity),
            created_at: span_of(change.created_at),
            keys: span_of(change.keys),
            new_image: span_of(change.new_image),
            old_image: span_of(change.old_image),
            size_bytes: span_of(change.size_bytes),
            view_type: span_of(change.view_type),
            sequence_span: span_of(change.sequence_number).unwrap_or(no_span),
            event_id_span: span_of(raw.event_id),
            read: Read::new(slices, raw, change),
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
    fn new<'a>(slices: Slices<'a>, raw: &RawRecord<'a>, change: &raw::RawChange<'a>) -> Result<Self, String> {
        slices.present_string(raw.event_id).map_err(|reason| format!("eventID: {reason}"))?;
        let (_, name) = slices.present_string(raw.event_name).map_err(|reason| format!("eventName: {reason}"))?;
        let name = EventName::parse(&name)
            .ok_or_else(|| format!("eventName: {:?} is not INSERT, MODIFY or REMOVE", shorten(&name)))?;
        let keys = given(change.keys).ok_or("dynamodb.Keys: missing")?;
        let item = ItemKey::parse(keys.get()).map_err(|reason| format!("dynamodb.Keys: {reason}"))?;
        for (image, field) in [(change.new_image, "NewImage"), (change.old_image, "OldImage")] {
            if let Some(image) = given(image).filter(|image| !image.get().starts_with('{')) {
                return Err(format!("dynamodb.{field}: expected an object, found {}", kind_of(image.get())));
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
        let named = self.described(self.fields.region).and_then(plain_or_decoded);
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

    /// The whole record as it came. The first call for an event scans its
    /// payload once more.
    pub fn json(self) -> &'e str {
        self.event.whole_records().get(self.index).map_or("", |span| self.event.slice(*span))
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
