//! How often this execution environment has tried a record (R15).

use std::collections::HashMap;

/// The most records that are remembered. Beyond it the count starts anew, as
/// it does in a new environment: it is a lower bound either way.
const MOST: usize = 10_000;

/// Counts of tries by handler and record. In memory, bounded, not for
/// decisions.
#[derive(Debug, Default)]
pub struct Attempts {
    counts: HashMap<(usize, Box<str>, Box<str>), u32>,
}

impl Attempts {
    /// The number of the try that would come now, at least 1.
    pub fn upcoming(&self, handler: usize, event_id: &str, sequence_number: &str) -> u32 {
        // Nothing is remembered of a record that went well, so this is empty
        // in the usual run and costs no allocation.
        if self.counts.is_empty() {
            return 1;
        }
        let key = (handler, event_id.into(), sequence_number.into());
        self.counts.get(&key).map_or(1, |count| count.saturating_add(1))
    }

    /// Notes a try that did not end well.
    pub fn failed(&mut self, handler: usize, event_id: &str, sequence_number: &str) {
        if self.counts.len() >= MOST {
            self.counts.clear();
        }
        let count = self.counts.entry((handler, event_id.into(), sequence_number.into())).or_insert(0);
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_counted_for_each_handler_and_record() {
        let mut attempts = Attempts::default();
        assert_eq!(attempts.upcoming(0, "e", "1"), 1);
        attempts.failed(0, "e", "1");
        attempts.failed(0, "e", "1");
        assert_eq!(attempts.upcoming(0, "e", "1"), 3);
        assert_eq!(attempts.upcoming(1, "e", "1"), 1);
        assert_eq!(attempts.upcoming(0, "e", "2"), 1);
        assert_eq!(attempts.upcoming(0, "f", "1"), 1);
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut attempts = Attempts::default();
        for i in 0..3 * MOST {
            attempts.failed(0, "e", &i.to_string());
            assert!(attempts.counts.len() <= MOST);
        }
    }
}
