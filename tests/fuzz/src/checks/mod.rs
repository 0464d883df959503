//! What must hold for any bytes, a check for each fuzz target.
//!
//! A check panics on a fault and says nothing otherwise. It is a function of
//! the bytes alone, so that a file of the corpus shows the same each time. Each
//! compares the code with a model that reads the same text by other means:
//! `serde_json` with a tree in between.

pub mod base64;
pub mod dice;
pub mod event;
pub mod image;
pub mod json;
pub mod key;
pub mod number;
pub mod pattern;
pub mod settings;

/// A check.
pub type Check = fn(&[u8]);

/// Every check by the name of its target, which is also that of its folder in
/// the corpus.
pub const ALL: [(&str, Check); 5] = [
    ("event", event::check),
    ("key", key::check),
    ("image", image::check),
    ("settings", settings::check),
    ("pattern", pattern::check),
];
