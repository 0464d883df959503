//! The event's outline: one scan that finds the fields of each record and reads
//! no value.

use super::scan::{Cursor, Fault};

/// Objects whose fields are kept as they stand in the payload, `null` too: a
/// filter may ask for it. A field that is there twice is a fault.
macro_rules! outline {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $key:literal,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<&'a str>,)*
        }

        impl<'a> $name<'a> {
            /// Keeps or steps over the value of a field.
            fn field(&mut self, cursor: &mut Cursor<'a>, name: &str) -> Result<(), Fault> {
                let kept = match name {
                    $($key => &mut self.$field,)*
                    _ => return cursor.value().map(drop),
                };
                match kept.replace(cursor.value()?) {
                    None => Ok(()),
                    Some(_) => Err(twice()),
                }
            }
        }
    };
}

outline! {
    /// One of `Records`, but for `dynamodb`.
    Outer {
        event_id: "eventID",
        event_name: "eventName",
        event_version: "eventVersion",
        event_source: "eventSource",
        region: "awsRegion",
        source_arn: "eventSourceARN",
        user_identity: "userIdentity",
    }
}

outline! {
    /// `dynamodb` of a record.
    Change {
        created_at: "ApproximateCreationDateTime",
        keys: "Keys",
        new_image: "NewImage",
        old_image: "OldImage",
        sequence_number: "SequenceNumber",
        size_bytes: "SizeBytes",
        view_type: "StreamViewType",
    }
}

outline! {
    /// What an event of a tumbling window has.
    Window {
        window: "window",
        state: "state",
    }
}

/// One of `Records`.
pub(super) struct Record<'a> {
    pub(super) whole: &'a str,
    pub(super) outer: Outer<'a>,
    pub(super) change: Change<'a>,
}

/// Scans the payload and hands each record over as it is found. Tells whether
/// there were `Records` at all.
pub(super) fn scan<'a>(
    text: &'a str,
    mut record: impl FnMut(Record<'a>) -> Result<(), Fault>,
) -> Result<(bool, Window<'a>), Fault> {
    let mut cursor = Cursor::new(text);
    let mut window = Window::default();
    let (mut seen, mut given) = (false, false);
    cursor.object("a DynamoDB stream event (an object with `Records`)", |cursor, name| {
        if name != "Records" {
            return window.field(cursor, name);
        }
        if std::mem::replace(&mut seen, true) {
            return Err(twice());
        }
        given = !cursor.null();
        if !given {
            return Ok(());
        }
        cursor.list("an array of records", |cursor, _| record(Record::scan(cursor)?))
    })?;
    cursor.end()?;
    Ok((given, window))
}

impl<'a> Record<'a> {
    fn scan(cursor: &mut Cursor<'a>) -> Result<Self, Fault> {
        let start = cursor.position();
        let (mut outer, mut change) = (Outer::default(), Change::default());
        let mut seen = false;
        cursor.object("a stream record (an object)", |cursor, name| {
            if name != "dynamodb" {
                return outer.field(cursor, name);
            }
            if std::mem::replace(&mut seen, true) {
                return Err(twice());
            }
            if cursor.null() {
                return Ok(());
            }
            cursor.object("the change of an item (an object)", |cursor, name| change.field(cursor, name))
        })?;
        Ok(Self { whole: cursor.since(start), outer, change })
    }
}

/// Two readers of one record would disagree about it.
fn twice() -> Fault {
    Fault::new("the field is there twice")
}
