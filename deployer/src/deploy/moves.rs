//! When a table has another stream: which of its streams are read, and in which
//! order. The first is read to its end before the next is begun, since an item's
//! changes stand in both. Pure.

use crate::template::Generation;

/// A stream that has a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which of the table's streams.
    pub generation: Generation,
    /// Its ARN.
    pub arn: String,
    /// Whether all of it was read.
    pub drained: bool,
}

/// What the user says of a move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Old streams are taken for read.
    pub finish: bool,
    /// All are read at once.
    pub unordered: bool,
}

/// Which mappings a stream of the manifest has from now on, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Each with its ARN.
    pub generations: Vec<(Generation, String)>,
    /// The ARNs of those that go.
    pub done: Vec<String>,
    /// Whether there is one that was not there.
    pub is_new: bool,
}

impl Move {
    /// Whether more than one is read, so that another deploy must finish it.
    pub fn is_under_way(&self) -> bool {
        self.generations.len() > 1
    }
}

/// Decides it. `known` are those that are deployed, oldest first.
pub fn next(known: Vec<Known>, latest: &str, wishes: Wishes) -> Move {
    let is_new = known.last().is_none_or(|last| last.arn != latest);
    let number = known.iter().map(|each| each.generation.number).max().unwrap_or(0) + 1;
    let mut all: Vec<Known> = known;
    if is_new {
        let generation = Generation { number, enabled: false, starting_position: None };
        all.push(Known { generation, arn: latest.to_owned(), drained: false });
    }
    let mut done = Vec::new();
    // Only from the oldest on: a later one has not begun.
    while all.len() > 1 && (all[0].drained || wishes.finish) {
        done.push(all.remove(0).arn);
    }
    let mut generations = Vec::new();
    for (index, Known { mut generation, arn, .. }) in all.into_iter().enumerate() {
        generation.enabled = generation.enabled || index == 0 || wishes.unordered;
        generations.push((generation, arn));
    }
    Move { generations, done, is_new }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(number: u32, enabled: bool, drained: bool) -> Known {
        let generation = Generation { number, enabled, starting_position: Some("TRIM_HORIZON".to_owned()) };
        Known { generation, arn: format!("arn-{number}"), drained }
    }

    fn numbers(from: &Move) -> Vec<(u32, bool)> {
        from.generations.iter().map(|(generation, _)| (generation.number, generation.enabled)).collect()
    }

    #[test]
    fn a_first_stream_is_read() {
        let first = next(Vec::new(), "arn-1", Wishes::default());
        assert_eq!((numbers(&first), first.is_new, first.is_under_way()), (vec![(1, true)], true, false));
    }

    #[test]
    fn the_same_stream_stays_as_it_is() {
        let same = next(vec![known(3, true, true)], "arn-3", Wishes { finish: true, unordered: false });
        assert_eq!((numbers(&same), same.is_new), (vec![(3, true)], false));
        assert_eq!(same.generations[0].0.starting_position.as_deref(), Some("TRIM_HORIZON"));
    }

    #[test]
    fn another_stream_waits_until_the_old_one_is_read() {
        let begun = next(vec![known(1, true, false)], "arn-2", Wishes::default());
        assert_eq!((numbers(&begun), begun.is_under_way()), (vec![(1, true), (2, false)], true));
        let waiting = next(vec![known(1, true, false), known(2, false, false)], "arn-2", Wishes::default());
        assert_eq!(numbers(&waiting), [(1, true), (2, false)]);
        let finished = next(vec![known(1, true, true), known(2, false, false)], "arn-2", Wishes::default());
        assert_eq!((numbers(&finished), finished.done), (vec![(2, true)], vec!["arn-1".to_owned()]));
    }

    #[test]
    fn one_that_was_read_already_is_left_at_once() {
        let moved = next(vec![known(1, true, true)], "arn-2", Wishes::default());
        assert_eq!((numbers(&moved), moved.done), (vec![(2, true)], vec!["arn-1".to_owned()]));
    }

    #[test]
    fn the_user_may_hurry_either_way() {
        let at_once = next(vec![known(1, true, false)], "arn-2", Wishes { finish: false, unordered: true });
        assert_eq!(numbers(&at_once), [(1, true), (2, true)]);
        // It was begun, and is not stopped again.
        let later = next(vec![known(1, true, false), known(2, true, false)], "arn-2", Wishes::default());
        assert_eq!(numbers(&later), [(1, true), (2, true)]);
        let cut = next(vec![known(1, true, false)], "arn-2", Wishes { finish: true, unordered: false });
        assert_eq!((numbers(&cut), cut.done), (vec![(2, true)], vec!["arn-1".to_owned()]));
    }

    #[test]
    fn a_third_stream_stands_at_the_end() {
        let third = next(vec![known(1, true, false), known(2, false, false)], "arn-3", Wishes::default());
        assert_eq!(numbers(&third), [(1, true), (2, false), (3, false)]);
        let second = next(vec![known(1, true, true), known(2, false, false)], "arn-3", Wishes::default());
        assert_eq!(numbers(&second), [(2, true), (3, false)]);
    }
}
