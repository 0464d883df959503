//! The event as text: one scan that finds the fields and parses no value.
//!
//! Each field is a slice of the payload. `serde_json` skips over a value
//! without recursion, so no depth of nesting harms the host.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Makes a struct of optional slices and its deserialiser, which takes JSON
/// objects only. (A derived one takes arrays too, by position, and then
/// `[[]]` would be an event without records: success.) A field that is there
/// twice is an error.
macro_rules! raw_object {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($field:ident: $key:literal as $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<$type>,)*
            _payload: PhantomData<&'a str>,
        }

        impl<'de> Deserialize<'de> for $name<'de> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(field_identifier)]
                #[allow(non_camel_case_types)]
                enum Key {
                    $(#[serde(rename = $key)] $field,)*
                    #[serde(other)]
                    Unknown,
                }

                struct ObjectVisitor;

                impl<'de> Visitor<'de> for ObjectVisitor {
                    type Value = $name<'de>;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut object = $name::default();
                        $(let mut $field = false;)*
                        while let Some(key) = map.next_key()? {
                            match key {
                                $(Key::$field => {
                                    if std::mem::replace(&mut $field, true) {
                                        return Err(A::Error::duplicate_field($key));
                                    }
                                    object.$field = Field::read(&mut map)?;
                                })*
                                Key::Unknown => {
                                    map.next_value::<IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(object)
                    }
                }

                deserializer.deserialize_map(ObjectVisitor)
            }
        }
    };
}

/// A field that is there.
trait Field<'de>: Sized {
    fn read<A: MapAccess<'de>>(map: &mut A) -> Result<Option<Self>, A::Error>;
}

/// `null` is kept, for filters that ask for it.
impl<'de> Field<'de> for &'de RawValue {
    fn read<A: MapAccess<'de>>(map: &mut A) -> Result<Option<Self>, A::Error> {
        map.next_value().map(Some)
    }
}

/// `null` is as good as absent.
macro_rules! or_null {
    ($($type:ty)*) => {$(
        impl<'de> Field<'de> for $type {
            fn read<A: MapAccess<'de>>(map: &mut A) -> Result<Option<Self>, A::Error> {
                map.next_value()
            }
        }
    )*};
}

or_null! { Vec<RawRecord<'de>> RawChange<'de> }

raw_object! {
    /// The payload of an invocation.
    RawEvent, "a DynamoDB stream event (an object with `Records`)", {
        records: "Records" as Vec<RawRecord<'a>>,
        window: "window" as &'a RawValue,
        state: "state" as &'a RawValue,
    }
}

raw_object! {
    /// One of `Records`.
    RawRecord, "a stream record (an object)", {
        event_id: "eventID" as &'a RawValue,
        event_name: "eventName" as &'a RawValue,
        event_version: "eventVersion" as &'a RawValue,
        event_source: "eventSource" as &'a RawValue,
        region: "awsRegion" as &'a RawValue,
        source_arn: "eventSourceARN" as &'a RawValue,
        user_identity: "userIdentity" as &'a RawValue,
        change: "dynamodb" as RawChange<'a>,
    }
}

raw_object! {
    /// `dynamodb` of a record.
    RawChange, "the change of an item (an object)", {
        created_at: "ApproximateCreationDateTime" as &'a RawValue,
        keys: "Keys" as &'a RawValue,
        new_image: "NewImage" as &'a RawValue,
        old_image: "OldImage" as &'a RawValue,
        sequence_number: "SequenceNumber" as &'a RawValue,
        size_bytes: "SizeBytes" as &'a RawValue,
        view_type: "StreamViewType" as &'a RawValue,
    }
}

/// The records as whole texts: a second scan, for [`super::Record::json`].
#[derive(Deserialize)]
pub(super) struct WholeRecords<'a> {
    #[serde(rename = "Records", borrow)]
    pub(super) records: Vec<&'a RawValue>,
}
