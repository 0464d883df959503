//! What guests read, and the sums by which their answers are compared: with
//! each other, and with the same code in the benchmark's own process.

use serde::Deserialize;

/// The key of an order.
#[derive(Deserialize)]
pub struct Key {
    /// The only attribute of the key.
    pub id: String,
}

/// An order. A part of the item's attributes, as a handler would have it.
#[derive(Deserialize)]
pub struct Order {
    /// A text.
    pub id: String,
    /// A text beyond ASCII.
    pub customer: String,
    /// A number with a fraction.
    pub total: f64,
    /// A Boolean.
    pub paid: bool,
    /// A list of maps.
    pub lines: Vec<Line>,
    /// A map.
    pub address: Address,
}

/// What was ordered.
#[derive(Deserialize)]
pub struct Line {
    /// A text.
    pub sku: String,
    /// A number.
    pub pieces: u32,
}

/// Where it goes.
#[derive(Deserialize)]
pub struct Address {
    /// A text.
    pub city: String,
    /// A text.
    pub zip: String,
}

impl Key {
    /// The sum of it.
    pub fn sum(&self) -> u64 {
        let mut sum = Sum::new();
        sum.add(self.id.as_bytes());
        sum.0
    }
}

impl Order {
    /// The sum of every part of it, so that no compiler leaves one out.
    pub fn sum(&self) -> u64 {
        let mut sum = Sum::new();
        for text in [&self.id, &self.customer, &self.address.city, &self.address.zip] {
            sum.add(text.as_bytes());
        }
        sum.add(&self.total.to_le_bytes());
        sum.add(&[u8::from(self.paid)]);
        for line in &self.lines {
            sum.add(line.sku.as_bytes());
            sum.add(&line.pieces.to_le_bytes());
        }
        sum.0
    }
}

/// FNV-1a.
struct Sum(u64);

impl Sum {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
