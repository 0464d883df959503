//! Reads a record that is a resource.

mod bindings;

use bindings::{Guest, StreamRecord};
use order::{Key, Order};

struct Resources;

impl Guest for Resources {
    fn nothing(_: StreamRecord) {}

    fn event_id(record: StreamRecord) -> u32 {
        record.event_id().len() as u32
    }

    fn keys(record: StreamRecord) -> u64 {
        gristmill_sdk::from_json::<Key>(&record.keys()).expect("keys").sum()
    }

    fn image(record: StreamRecord) -> u64 {
        let image = record.new_image().expect("a new image");
        gristmill_sdk::from_json::<Order>(&image).expect("an order").sum()
    }
}

bindings::export!(Resources with_types_in bindings);
