//! The instances of one invocation that wait for another call.

use std::collections::VecDeque;

use crate::guest::Instance;

/// Instances by handler, for handlers with one instance for many records. Lost
/// with the invocation.
///
/// Those that wait and those in a call are never more than the pool holds: the
/// one that has waited longest makes room for a call that needs a fresh one.
pub(super) struct Idle<I = Instance> {
    /// In the order in which they came.
    waiting: VecDeque<(usize, I)>,
    in_calls: usize,
    most: usize,
}

impl<I> Idle<I> {
    /// At most so many instances, with those in calls.
    pub(super) fn new(most: usize) -> Self {
        Self { waiting: VecDeque::new(), in_calls: 0, most }
    }

    /// Counts a call of a handler, and gives an instance for it if one waits:
    /// the last that came, whose memory is the warmest.
    pub(super) fn borrow(&mut self, handler: usize) -> Option<I> {
        self.in_calls += 1;
        let found = self.waiting.iter().rposition(|(of, _)| *of == handler);
        if let Some((_, instance)) = found.and_then(|index| self.waiting.remove(index)) {
            return Some(instance);
        }
        while self.waiting.len() + self.in_calls > self.most {
            if self.waiting.pop_front().is_none() {
                break;
            }
        }
        None
    }

    /// A call of a handler is over. What it has left waits for another one.
    pub(super) fn give_back(&mut self, handler: usize, left: Option<I>) {
        self.in_calls -= 1;
        self.waiting.extend(left.map(|instance| (handler, instance)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_for_its_own_handler_and_the_last_one_goes_first() {
        let mut idle = Idle::new(4);
        assert_eq!(idle.borrow(0), None::<&str>);
        assert_eq!(idle.borrow(0), None);
        idle.give_back(0, Some("first"));
        idle.give_back(0, Some("second"));
        assert_eq!(idle.borrow(1), None);
        assert_eq!(idle.borrow(0), Some("second"));
        assert_eq!(idle.borrow(0), Some("first"));
        assert_eq!(idle.borrow(0), None);
    }

    #[test]
    fn what_waited_longest_makes_room() {
        let mut idle = Idle::new(2);
        for (handler, instance) in [(0, "a"), (1, "b")] {
            assert_eq!(idle.borrow(handler), None);
            idle.give_back(handler, Some(instance));
        }
        assert_eq!(idle.borrow(2), None, "a call of a third handler");
        assert_eq!(idle.waiting, [(1, "b")]);
        idle.give_back(2, None);
        assert_eq!(idle.borrow(0), None, "it was dropped");
        assert_eq!(idle.borrow(1), Some("b"));
    }

    #[test]
    fn with_room_for_one_an_instance_is_used_again() {
        let mut idle = Idle::new(1);
        assert_eq!(idle.borrow(0), None);
        idle.give_back(0, Some("a"));
        assert_eq!(idle.borrow(0), Some("a"));
        idle.give_back(0, Some("a"));
        assert_eq!(idle.borrow(1), None);
        assert!(idle.waiting.is_empty());
    }
}
