//! Decimal numbers of any length, as DynamoDB writes them.

/// A decimal number, normalised: `1`, `1.0`, `01` and `1E0` are one number.
///
/// DynamoDB keeps 38 digits and exponents up to three digits. Nothing here
/// relies on that: any text of the form is taken, and an exponent that fits no
/// `i64` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal<'a> {
    negative: bool,
    /// The digits, before and after the point, that leading zeros are cut from.
    whole: &'a str,
    fraction: &'a str,
    /// Of the last digit.
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Reads `[+-]digits[.digits][(e|E)[+-]digits]`, where one of the two runs
    /// of digits may be empty. `None` for anything else.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) {
            return None;
        }
        Self { negative, whole, fraction, exponent }.normalised()
    }

    fn normalised(self) -> Option<Self> {
        let Self { negative, mut whole, mut fraction, exponent } = self;
        fraction = fraction.trim_end_matches('0');
        whole = whole.trim_start_matches('0');
        let mut exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        if fraction.is_empty() {
            let trimmed = whole.trim_end_matches('0');
            exponent = exponent.checked_add(i64::try_from(whole.len() - trimmed.len()).ok()?)?;
            whole = trimmed;
        }
        if whole.is_empty() {
            fraction = fraction.trim_start_matches('0');
        }
        if whole.is_empty() && fraction.is_empty() {
            return Some(Self { negative: false, whole, fraction, exponent: 0 });
        }
        Some(Self { negative, whole, fraction, exponent })
    }

    /// Appends the canonical spelling: sign, digits, `e`, exponent.
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        out.extend_from_slice(self.whole.as_bytes());
        out.extend_from_slice(self.fraction.as_bytes());
        out.push(b'e');
        out.extend_from_slice(self.exponent.to_string().as_bytes());
    }

    /// The number times 1,000, cut to an integer, if that is in a `u64`.
    pub fn thousandfold(&self) -> Option<u64> {
        if self.whole.is_empty() && self.fraction.is_empty() {
            return Some(0);
        }
        let digits = || self.whole.bytes().chain(self.fraction.bytes());
        let shift = self.exponent.checked_add(3)?;
        // u64 has 20 digits: what is larger cannot fit, and no long loop runs.
        let (take, zeros) = if shift >= 0 {
            (usize::MAX, usize::try_from(shift).ok().filter(|z| *z <= 20)?)
        } else {
            let cut = usize::try_from(shift.unsigned_abs()).ok()?;
            ((self.whole.len() + self.fraction.len()).saturating_sub(cut), 0)
        };
        let zeros = std::iter::repeat_n(b'0', zeros);
        let value = digits()
            .take(take)
            .chain(zeros)
            .try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?;
        (!self.negative || value == 0).then_some(value)
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        let mut out = Vec::new();
        Decimal::parse(text)?.write(&mut out);
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn spellings_of_one_number_are_one() {
        for spellings in [
            &["1", "1.0", "01", "1E0", "+1", "10e-1", "0.1e1", "1."][..],
            &["0", "-0", "0.00", "0E99", ".0"],
            &["-12.50", "-1.25e1", "-00125E-1"],
            &["0.05", "5e-2", ".050"],
        ] {
            for spelling in spellings {
                assert_eq!(canonical(spelling), canonical(spellings[0]), "{spelling}");
                assert!(canonical(spelling).is_some());
            }
        }
    }

    #[test]
    fn different_numbers_differ() {
        let numbers = ["0", "1", "-1", "10", "0.1", "1.01", "101", "1e38", "12345678901234567890123456789012345678"];
        for (i, a) in numbers.iter().enumerate() {
            for b in &numbers[i + 1..] {
                assert_ne!(canonical(a), canonical(b));
            }
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", "-", ".", "1.2.3", "1e", "1e+", "0x1", " 1", "1 ", "NaN", "1e99999999999999999999", "--1", "1e-+1"]
        {
            assert_eq!(canonical(text), None, "{text:?}");
        }
    }

    #[test]
    fn seconds_become_milliseconds() {
        let ms = |text| Decimal::parse(text).unwrap().thousandfold();
        assert_eq!(ms("1550272599"), Some(1_550_272_599_000));
        assert_eq!(ms("1550272599.123"), Some(1_550_272_599_123));
        assert_eq!(ms("1550272599.1239"), Some(1_550_272_599_123));
        assert_eq!(ms("1.550272599E9"), Some(1_550_272_599_000));
        assert_eq!(ms("0.0001"), Some(0));
        assert_eq!(ms("1e-300"), Some(0));
        assert_eq!(ms("1e300"), None);
        assert_eq!(ms("-1"), None);
        assert_eq!(ms("0"), Some(0));
    }
}
