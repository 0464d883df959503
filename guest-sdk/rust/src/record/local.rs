//! A record that was made from its JSON, with no host: for unit tests.
//!
//! Reads what the host reads out of a record, in the same way. It is no check of an event: the host does that.

use std::borrow::Cow;

use super::{EventName, UserIdentity};
use crate::ImageError;
use crate::de::Scanner;
use crate::number::{seconds_to_ms, to_integer};

/// Why a text is no stream record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// Not JSON, or a field of another type; says which.
    Json(String),
    /// A field that every record has is missing, or says nothing that can be.
    Field(&'static str),
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(text) => write!(f, "not a stream record: {text}"),
            Self::Field(path) => write!(f, "not a stream record: {path} is missing or wrong"),
        }
    }
}

impl std::error::Error for RecordError {}

impl From<ImageError> for RecordError {
    fn from(error: ImageError) -> Self {
        Self::Json(error.to_string())
    }
}

#[derive(Clone)]
pub(super) struct Record {
    pub(super) event_id: String,
    pub(super) table: String,
    pub(super) stream_arn: String,
    pub(super) region: String,
    pub(super) sequence_number: String,
    pub(super) event_name: EventName,
    pub(super) size_bytes: Option<u64>,
    pub(super) created_at_ms: Option<u64>,
    pub(super) user_identity: Option<UserIdentity>,
    pub(super) keys_json: String,
    pub(super) new_image_json: Option<String>,
    pub(super) old_image_json: Option<String>,
    pub(super) json: String,
}

impl Record {
    pub(super) fn from_json(json: &str) -> Result<Self, RecordError> {
        let record = Object::parse(json)?;
        let change = record.object("dynamodb")?.ok_or(RecordError::Field("dynamodb"))?;
        let stream_arn = record.string("eventSourceARN")?.ok_or(RecordError::Field("eventSourceARN"))?;
        let arn = StreamArn::parse(&stream_arn).ok_or(RecordError::Field("eventSourceARN"))?;
        let event_name = match record.string("eventName")?.as_deref() {
            Some("INSERT") => EventName::Insert,
            Some("MODIFY") => EventName::Modify,
            Some("REMOVE") => EventName::Remove,
            _ => return Err(RecordError::Field("eventName")),
        };
        let sequence_number = change.string("SequenceNumber")?.unwrap_or_default();
        if sequence_number.is_empty() || !sequence_number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(RecordError::Field("dynamodb.SequenceNumber"));
        }
        let user_identity = match record.object("userIdentity")? {
            Some(identity) => Some(UserIdentity {
                kind: identity.string("type")?.unwrap_or_default().into_owned(),
                principal_id: identity.string("principalId")?.unwrap_or_default().into_owned(),
            }),
            None => None,
        };
        let image = |name| change.object(name).map(|image| image.map(|image| image.text.to_owned()));
        Ok(Self {
            event_id: record.string("eventID")?.unwrap_or_default().into_owned(),
            table: arn.table.to_owned(),
            region: record.string("awsRegion")?.map_or_else(|| arn.region.to_owned(), Cow::into_owned),
            sequence_number: sequence_number.into_owned(),
            event_name,
            size_bytes: change.raw("SizeBytes").and_then(|size| to_integer(size).ok()),
            created_at_ms: change.raw("ApproximateCreationDateTime").and_then(seconds_to_ms),
            user_identity,
            keys_json: image("Keys")?.ok_or(RecordError::Field("dynamodb.Keys"))?,
            new_image_json: image("NewImage")?,
            old_image_json: image("OldImage")?,
            json: json.to_owned(),
            stream_arn: stream_arn.clone().into_owned(),
        })
    }
}

/// `arn:aws:dynamodb:us-west-2:112233445566:table/NAME/stream/LABEL`
pub(crate) struct StreamArn<'a> {
    pub(crate) region: &'a str,
    table: &'a str,
}

impl<'a> StreamArn<'a> {
    pub(crate) fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let ("arn", _partition, "dynamodb") = (parts.next()?, parts.next()?, parts.next()?) else { return None };
        let (region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let (table, _label) = resource.strip_prefix("table/")?.split_once("/stream/")?;
        Some(Self { region, table })
    }
}

/// A JSON object: its names, and the text of each value.
struct Object<'a> {
    text: &'a str,
    fields: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Object<'a> {
    fn parse(text: &'a str) -> Result<Self, RecordError> {
        let mut scan = Scanner::new(text);
        let mut fields = Vec::new();
        scan.enter(b'{')?;
        while scan.next(fields.is_empty(), b'}')? {
            let name = scan.string()?;
            scan.expect(b':')?;
            let value = scan.raw()?;
            fields.push((name, value));
        }
        scan.end()?;
        Ok(Self { text, fields })
    }

    /// The value's text; null is as good as absent.
    fn raw(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(found, value)| found == name && *value != "null").map(|(_, value)| *value)
    }

    fn string(&self, name: &'static str) -> Result<Option<Cow<'a, str>>, RecordError> {
        self.raw(name)
            .map(|value| Scanner::new(value).string().map_err(|error| error.in_attribute(name).into()))
            .transpose()
    }

    fn object(&self, name: &'static str) -> Result<Option<Object<'a>>, RecordError> {
        self.raw(name).map(Object::parse).transpose()
    }
}
