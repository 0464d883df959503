//! Chances that depend on a seed alone.

/// A small generator of numbers that look random (xorshift). A crate for it
/// would choose other numbers in its next version, and the corpus would show
/// other things.
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same way for the same bytes.
    pub fn of(data: &[u8]) -> Self {
        // FNV-1a.
        let hash = data
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        Self(hash | 1)
    }

    /// A number below another, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of a list that is not empty.
    pub fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}
