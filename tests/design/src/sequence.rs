//! The loops of the guest `work`, as they run outside of it.

/// The end of a loop whose turns wait for each other.
pub(crate) fn spun(turns: u64) -> u64 {
    (0..turns).fold(1, |state, _| next(state))
}

/// The end of a loop whose turns do not wait for each other.
pub(crate) fn added(turns: u64) -> u64 {
    (0..turns).fold(0, |sum: u64, turn| sum.wrapping_add(turn ^ (turn >> 3)))
}

/// The sum of so many bytes from all over so much memory.
pub(crate) fn walked(kb: u32, reads: u64) -> u64 {
    let last = u64::from(kb) * 1024 - 1;
    let (_, sum) = (0..reads).fold((1, 0), |(state, sum), _| {
        let state = next(state);
        (state, sum + (state & last & 0xff))
    });
    sum
}

/// The next of a sequence that no compiler can foresee: xorshift.
fn next(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}
