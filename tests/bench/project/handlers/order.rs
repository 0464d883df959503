//! The item of the benchmarks as a struct, for guests and native handlers
//! alike.

use std::collections::HashMap;

use serde::Deserialize;

/// An order. A part of the item's attributes, as a handler would have it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
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

impl Order {
    /// Looks at every part of it, so that no compiler leaves one out.
    pub fn is_in_order(&self) -> bool {
        let pieces: u32 = self.lines.iter().map(|line| line.pieces * u32::from(!line.sku.is_empty())).sum();
        let texts = self.id.len() + self.customer.len() + self.address.values().map(String::len).sum::<usize>();
        pieces > 0 && texts > 0 && self.paid && self.total > 0.0
    }
}
