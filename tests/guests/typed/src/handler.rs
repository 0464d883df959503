//! The handler itself, which the benchmark calls natively too.

use std::collections::HashMap;

use gristmill_sdk::{Failure, StreamRecord};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    id: String,
    customer: String,
    total: f64,
    paid: bool,
    lines: Vec<Line>,
    address: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Line {
    sku: String,
    pieces: u32,
}

/// Reads the order and looks at every part of it.
pub fn read(record: &StreamRecord) -> Result<(), Failure> {
    let Some(order) = record.new_image_as::<Order>()? else { return Ok(()) };
    let pieces: u32 = order.lines.iter().map(|line| line.pieces * u32::from(!line.sku.is_empty())).sum();
    let texts = order.id.len() + order.customer.len() + order.address.values().map(String::len).sum::<usize>();
    if pieces == 0 || texts == 0 || !order.paid || order.total <= 0.0 {
        return Err(Failure::reject("no such order"));
    }
    Ok(())
}
