//! The records that are measured, in each shape, and what guests must answer.

use std::sync::Arc;

use gristmill_bench::events::{self, LARGE, SMALL};
use gristmill_host::event::Event;

use crate::bindings::trees::FlatRecord;
use crate::order::{Key, Order};
use crate::tree;

/// A record in all shapes.
pub(crate) struct Sample {
    pub(crate) event: Arc<Event>,
    pub(crate) position: usize,
    pub(crate) flat: FlatRecord,
    pub(crate) key_sum: u64,
    pub(crate) image_sum: u64,
}

impl Sample {
    /// The whole record as it came.
    pub(crate) fn json(&self) -> &str {
        self.event.record(self.position).json()
    }

    /// The new image as it came.
    pub(crate) fn new_image(&self) -> &str {
        self.event.record(self.position).new_image().unwrap()
    }

    /// The typed record, made of the text.
    pub(crate) fn to_flat(&self) -> FlatRecord {
        tree::flat(self.event.record(self.position))
    }
}

/// A hundred records of 1.25 KB.
pub(crate) fn small() -> Vec<Sample> {
    samples(&events::small(), SMALL)
}

/// Ten records of 110 KB.
pub(crate) fn large() -> Vec<Sample> {
    samples(&events::large(), LARGE)
}

fn samples(payload: &[u8], records: usize) -> Vec<Sample> {
    let event = Arc::new(Event::from_slice(payload).unwrap());
    let sample = |position| {
        let record = event.record(position);
        let key: Key = gristmill_sdk::from_json(record.keys().unwrap()).unwrap();
        let order: Order = gristmill_sdk::from_json(record.new_image().unwrap()).unwrap();
        Sample {
            event: Arc::clone(&event),
            position,
            flat: tree::flat(record),
            key_sum: key.sum(),
            image_sum: order.sum(),
        }
    };
    (0..records).map(sample).collect()
}
