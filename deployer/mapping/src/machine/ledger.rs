//! The records of a shard that were read and are not all done: from them comes
//! the position, which never passes one that is not done.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::record::Record;

/// In the order of the shard.
#[derive(Default)]
pub(super) struct Ledger {
    /// The place of the first entry; places count up from the start.
    first: u64,
    entries: VecDeque<Entry>,
    bytes: usize,
}

struct Entry {
    record: Arc<Record>,
    done: bool,
}

impl Ledger {
    /// Takes a record, and gives it its place.
    pub(super) fn enter(&mut self, record: Arc<Record>) -> u64 {
        self.bytes += record.json.len();
        self.entries.push_back(Entry { record, done: false });
        self.first + self.entries.len() as u64 - 1
    }

    /// Takes note that the record at a place is done, whatever became of it.
    pub(super) fn settle(&mut self, place: u64) {
        let index = place.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) {
            debug_assert!(!entry.done, "a record is done once");
            entry.done = true;
        }
    }

    /// Lets go of the records at the front that are done; the number of the
    /// last of them is the new position.
    pub(super) fn advance(&mut self) -> Option<String> {
        let mut last = None;
        while let Some(Entry { record, .. }) = self.entries.pop_front_if(|entry| entry.done) {
            self.bytes -= record.json.len();
            self.first += 1;
            last = Some(record);
        }
        last.map(|record| record.sequence_number.to_string())
    }

    /// Forgets all. Places go on, so that none comes twice.
    pub(super) fn clear(&mut self) {
        self.first += self.entries.len() as u64;
        self.entries.clear();
        self.bytes = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
