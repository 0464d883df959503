//! Tumbling windows: which one a record belongs to (AWS-FACTS, Golden traces).

use crate::Timestamp;
use crate::positions::Window;
use crate::record::Record;

/// The start and the end of a window.
pub(super) type Bounds = (Timestamp, Timestamp);

/// The window of a record: aligned to multiples of its length by the time of
/// the change. While a window is open, a record never falls into one before it.
pub(super) fn bounds(record: &Record, seconds: u32, open: Option<&Window>) -> Option<Bounds> {
    if seconds == 0 {
        return None;
    }
    let length = u64::from(seconds) * 1_000;
    let open = open.map(|window| (window.start_ms, window.end_ms));
    let created = record.created_at.or(open.map(|(start, _)| start)).unwrap_or_default();
    let start = created.ms() / length * length;
    let own = (Timestamp::from_ms(start), Timestamp::from_ms(start + length));
    Some(open.filter(|(_, end)| created < *end).unwrap_or(own))
}

/// A window without a call so far: it starts with `{}`.
pub(super) fn open((start_ms, end_ms): Bounds, sequence_number: &str) -> Window {
    Window { start_ms, end_ms, state: "{}".to_owned(), last_sequence_number: sequence_number.to_owned() }
}
