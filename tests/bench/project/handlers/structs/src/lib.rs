//! Reads the new image into a struct.

#[path = "../../order.rs"]
mod order;

use gristmill_sdk::{Failure, StreamRecord};
use order::Order;

gristmill_sdk::handler!(read);

fn read(record: &StreamRecord) -> Result<(), Failure> {
    match record.new_image_as::<Order>()? {
        Some(order) if order.is_in_order() => Ok(()),
        _ => Err(Failure::reject("no such order")),
    }
}
