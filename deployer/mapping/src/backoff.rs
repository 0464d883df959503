//! How long a mapping waits before it does the same again.

use std::time::Duration;

/// A seeded generator (splitmix64): waits, request ids and lost answers, so
/// that a run can be repeated.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Whether one of `of` equally likely cases out of 1,000 came.
    pub(crate) fn per_mille(&mut self, of: u16) -> bool {
        of > 0 && self.next() % 1_000 < u64::from(of)
    }

    /// A version 4 UUID, the form of Lambda's request ids.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
        let (d, e) = (low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
        format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }
}

/// A batch never waits longer. The cap is open: Lambda's is not known; with a
/// minute, ten retries take about three.
const LONGEST_RETRY_WAIT_MS: u64 = 60_000;

/// The wait before a batch is tried for the `nth` time again, from 1: 0.2–0.3 s,
/// then about 0.4 s (AWS-FACTS, Golden traces), then doubling, a tenth more or
/// less, with a cap of a minute.
pub(crate) fn retry(nth: u32, dice: &mut Dice) -> Duration {
    Duration::from_millis(match nth {
        0 | 1 => dice.between(200, 300),
        _ => {
            let whole = 400u64.saturating_mul(1 << u64::from(nth - 2).min(20)).min(LONGEST_RETRY_WAIT_MS);
            dice.between(whole - whole / 10, whole + whole / 10).min(LONGEST_RETRY_WAIT_MS)
        }
    })
}

/// The wait before a call of the stream, the destination or the position store
/// is made again, after `failures` of them in a row: 0.25 s, doubling, at most
/// 10 s. Open as to Lambda's; short enough that a permission that returns is
/// noticed while one looks.
pub(crate) fn call(failures: u32) -> Duration {
    Duration::from_millis((250u64 << failures.saturating_sub(1).min(10)).min(10_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_as_captured_and_double_up_to_a_minute() {
        for seed in 0..200 {
            let mut dice = Dice::new(seed);
            let waits: Vec<u64> = (1..14).map(|nth| retry(nth, &mut dice).as_millis() as u64).collect();
            assert!((200..=300).contains(&waits[0]), "{waits:?}");
            for (i, &wait) in waits[1..].iter().enumerate() {
                let whole = (400 << i).min(60_000);
                assert!((whole * 9 / 10..=(whole * 11 / 10).min(60_000)).contains(&wait), "{waits:?}");
            }
        }
    }

    #[test]
    fn calls_are_made_again_after_ten_seconds_at_most() {
        let waits: Vec<_> = [1, 2, 3, 7, 100, u32::MAX].map(|n| call(n).as_millis()).to_vec();
        assert_eq!(waits, [250, 500, 1_000, 10_000, 10_000, 10_000]);
    }

    #[test]
    fn request_ids_are_uuids_of_version_4() {
        let mut dice = Dice::new(7);
        let ids: Vec<String> = (0..100).map(|_| dice.uuid()).collect();
        for id in &ids {
            let parts: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(id.as_bytes()[14], b'4', "{id}");
            assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
        }
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 100);
    }
}
