//! `[table.NAME]` as written: a table that dev mode makes when it is not there.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::fields::{At, Fields, Refused};
use super::super::problem::Report;
use super::super::resolve::check_written_table;
use crate::edge::quoted;

/// DynamoDB's own limit for the name of a key's attribute.
const MOST_KEY_NAME_BYTES: usize = 255;

const REFUSED: &[Refused] = &[
    ("key", "the keys are `partition-key` and `sort-key`"),
    ("hash-key", "the key is `partition-key`"),
    ("range-key", "the key is `sort-key`"),
    ("ttl", "the key is `time-to-live`"),
    ("view-type", "the key is `stream-view-type`"),
    ("stream", "a table that is made here always has a stream; `stream-view-type` says what is in it"),
    ("billing-mode", "nothing deploys tables; on this machine nothing is billed"),
    ("name", "the table's name stands in the brackets, without the namespace: [table.NAME]"),
];

/// `[table.NAME]`.
#[derive(Clone, Debug)]
pub(crate) struct TableWritten {
    /// The table's name before the namespace.
    pub(crate) name: At<String>,
    pub(crate) keys: Keys,
}

/// What a table is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The partition key. Default `id`, a string.
    pub partition: Key,
    /// The sort key.
    pub sort: Option<Key>,
    /// What the stream's records have.
    pub stream_view_type: StreamViewType,
    /// The attribute with the time at which an item expires.
    pub time_to_live: Option<String>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            partition: Key { name: "id".to_owned(), kind: KeyType::S },
            sort: None,
            stream_view_type: StreamViewType::default(),
            time_to_live: None,
        }
    }
}

/// A key's attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The attribute's name.
    pub name: String,
    /// Its type.
    pub kind: KeyType,
}

/// The types that a key may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "DynamoDB's own names")]
pub enum KeyType {
    S,
    N,
    B,
}

impl KeyType {
    const ALL: [(&str, Self); 3] = [("S", Self::S), ("N", Self::N), ("B", Self::B)];

    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }
}

/// What the records of a stream have besides keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "DynamoDB's own names")]
pub enum StreamViewType {
    KeysOnly,
    NewImage,
    OldImage,
    #[default]
    NewAndOldImages,
}

impl StreamViewType {
    const ALL: [(&str, Self); 4] = [
        ("KEYS_ONLY", Self::KeysOnly),
        ("NEW_IMAGE", Self::NewImage),
        ("OLD_IMAGE", Self::OldImage),
        ("NEW_AND_OLD_IMAGES", Self::NewAndOldImages),
    ];

    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }
}

pub(super) fn read<'t>(
    name: At<String>,
    offset: usize,
    table: &'t DeTable<'t>,
    report: &mut Report<'_>,
) -> TableWritten {
    if let Err(why) = check_written_table(&name.value) {
        report.problem(name.offset, format!("the table's name {} {why}", quoted(&name.value)));
    }
    let mut fields = Fields::new(format!("[table.{}]", name.value), offset, table, report);
    let default = Keys::default();
    let partition = key(&mut fields, "partition-key").unwrap_or(default.partition);
    let sort = key(&mut fields, "sort-key");
    if sort.as_ref().is_some_and(|sort| sort.name == partition.name) {
        let at = fields.key_offset("sort-key").unwrap_or(offset);
        let message = format!("the attribute {} cannot be the partition key and the sort key", quoted(&partition.name));
        fields.report.problem(at, message);
    }
    let view = fields.choice("stream-view-type", &StreamViewType::ALL);
    let time_to_live = fields.string("time-to-live", NAME).and_then(|at| checked(at, &mut fields));
    if time_to_live
        .as_ref()
        .is_some_and(|name| *name == partition.name || sort.as_ref().is_some_and(|s| s.name == *name))
    {
        let at = fields.key_offset("time-to-live").unwrap_or(offset);
        fields.report.problem(at, "DynamoDB takes no key's attribute for Time to Live");
    }
    fields.finish(REFUSED);
    let keys =
        Keys { partition, sort, stream_view_type: view.map_or(default.stream_view_type, |at| at.value), time_to_live };
    TableWritten { name, keys }
}

const NAME: &str = "an attribute's name";

/// `"id"`, a string's; or `{ name = "id", type = "N" }`.
fn key(fields: &mut Fields<'_, '_, '_>, key: &'static str) -> Option<Key> {
    let value: &Spanned<DeValue<'_>> = fields.value(key)?;
    match value.get_ref() {
        DeValue::String(text) => {
            let at = At { value: text.to_string(), offset: value.span().start };
            checked(at, fields).map(|name| Key { name, kind: KeyType::S })
        }
        DeValue::Table(table) => {
            let offset = value.span().start;
            let mut inner = Fields::new(format!("`{key}`"), offset, table, fields.report);
            let kind = inner.choice("type", &KeyType::ALL).map_or(KeyType::S, |at| at.value);
            let written = inner.key_offset("name").is_some();
            let name = inner.string("name", NAME);
            inner.finish(&[]);
            if !written {
                fields.report.problem(offset, format!("`{key}` has no `name`"));
            }
            checked(name?, fields).map(|name| Key { name, kind })
        }
        other => fields.wrong_type(key, value, other, "an attribute's name, or a table with `name` and `type`"),
    }
}

fn checked(At { value, offset }: At<String>, fields: &mut Fields<'_, '_, '_>) -> Option<String> {
    if (1..=MOST_KEY_NAME_BYTES).contains(&value.len()) {
        return Some(value);
    }
    let message = format!("an attribute's name has 1 to {MOST_KEY_NAME_BYTES} bytes, and this has {}", value.len());
    fields.report.problem(offset, message);
    None
}
