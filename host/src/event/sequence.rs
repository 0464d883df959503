//! Sequence numbers: order without arithmetic (R2).

use std::cmp::Ordering;

/// A sequence number as it came: decimal digits.
///
/// AWS gives them 21 to 40 digits, which fits no integer type, and shorter
/// ones in its samples. They are compared without leading zeros by length and
/// then as text, which for decimal digits is the numeric order. Equality
/// follows the order: `007` equals `7`.
#[derive(Clone, Copy, Debug)]
pub struct SequenceNumber<'a>(&'a str);

impl<'a> SequenceNumber<'a> {
    /// Takes `text` if it is one or more decimal digits.
    pub fn new(text: &'a str) -> Option<Self> {
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then_some(Self(text))
    }

    /// A text that [`SequenceNumber::new`] has taken before.
    pub(super) fn taken(text: &'a str) -> Self {
        debug_assert!(Self::new(text).is_some(), "{text:?} was not taken");
        Self(text)
    }

    /// The text as it came.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    fn significant(self) -> &'a str {
        self.0.trim_start_matches('0')
    }
}

impl Ord for SequenceNumber<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.significant(), other.significant());
        a.len().cmp(&b.len()).then_with(|| a.cmp(b))
    }
}

impl PartialOrd for SequenceNumber<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SequenceNumber<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SequenceNumber<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> SequenceNumber<'_> {
        SequenceNumber::new(text).unwrap()
    }

    #[test]
    fn fewer_digits_come_first_whatever_they_are() {
        assert!(number("999999999999999999999") < number("1000000000000000000000"));
        assert!(number("9") < number("10"));
        assert!(number(&"9".repeat(39)) < number(&format!("1{}", "0".repeat(39))));
    }

    #[test]
    fn leading_zeros_do_not_count() {
        assert_eq!(number("0007"), number("7"));
        assert!(number("0009") < number("10"));
        assert_eq!(number("000"), number("0"));
        assert_eq!(number("0007").as_str(), "0007");
    }

    #[test]
    fn only_decimal_digits_are_taken() {
        for text in ["", " 1", "-1", "1.0", "0x1", "١", "1e3"] {
            assert!(SequenceNumber::new(text).is_none(), "{text:?}");
        }
    }
}
