//! DynamoDB's numbers: decimal text, never rounded on the way.
//!
//! Knows nothing of JSON and of serde. A number stays the text that it came as until a caller asks for a type of its own,
//! and what does not fit in that type is an error.

use std::fmt;
use std::str::FromStr;

/// DynamoDB keeps 38 significant digits.
const MAX_DIGITS: usize = 38;
/// The exponents of the first significant digit, from 1E-130 to 9.99…E+125.
const EXPONENTS: std::ops::RangeInclusive<i64> = -130..=125;

/// A DynamoDB number (N), kept as the decimal text that it came as.
///
/// Up to 38 significant digits survive, which no float has. Two numbers are equal when their texts are; DynamoDB writes
/// every number in one way, so numbers of stream records compare as expected, but `1E2` and `100` are two texts.
///
/// ```
/// use gristmill_sdk::Number;
///
/// let price: Number = "12345678901234567890.5".parse()?;
/// assert_eq!(price.as_str(), "12345678901234567890.5");
/// assert!(u64::try_from(&price).is_err());
/// assert_eq!(u32::try_from(&Number::from(7))?, 7);
/// # Ok::<(), gristmill_sdk::NumberError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(String);

impl Number {
    /// The decimal text, as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest float. Every number that DynamoDB allows is in range; digits beyond the 17th or so are rounded.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        // Checked when it was made, and what is decimal text to DynamoDB is a float's text to Rust.
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// The text was checked by the caller.
    pub(crate) fn checked(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({})", self.0)
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// # Errors
    ///
    /// - [`NumberError::NotDecimal`]: not an optional sign, digits with at most one point, and an optional exponent.
    /// - [`NumberError::TooManyDigits`]: more than the 38 significant digits that DynamoDB keeps.
    /// - [`NumberError::OutOfRange`]: smaller than 1E-130 or larger than 9.99…E+125.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }
}

/// Why a text is no number, or a number does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NumberError {
    /// Not a decimal number.
    NotDecimal(String),
    /// More than the 38 significant digits that DynamoDB keeps.
    TooManyDigits(String),
    /// Beyond 1E-130 to 9.99…E+125, the magnitudes that DynamoDB has.
    OutOfRange(String),
    /// A whole number was asked for, and this one has a fraction.
    Fraction(String, &'static str),
    /// The number is outside the type that was asked for.
    DoesNotFit(String, &'static str),
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A text that is no number may hold anything, and any amount of it.
        let start = |text: &str| text.chars().take(48).collect::<String>();
        match self {
            Self::NotDecimal(text) => write!(f, "{:?} is not a decimal number", start(text)),
            Self::TooManyDigits(text) => write!(f, "the number {} has more than {MAX_DIGITS} digits", start(text)),
            Self::OutOfRange(text) => write!(f, "the number {} is beyond what DynamoDB has", start(text)),
            Self::Fraction(text, target) => write!(f, "the number {text} has a fraction, and {target} has none"),
            Self::DoesNotFit(text, target) => write!(f, "the number {text} does not fit in {target}"),
        }
    }
}

impl std::error::Error for NumberError {}

/// The parts of a decimal text, already checked: `whole.fraction` times ten to the `exponent`.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a str) -> Result<Self, NumberError> {
        let not_decimal = || NumberError::NotDecimal(text.to_owned());
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent).ok_or_else(not_decimal)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits_only = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if !digits_only || whole.len() + fraction.len() == 0 {
            return Err(not_decimal());
        }
        Ok(Self { negative, whole, fraction, exponent })
    }

    fn digits(&self) -> impl DoubleEndedIterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    /// The number of digits between the first and the last that are not zero, both included, and how many zeros are
    /// before and after them. None for zero.
    fn significant(&self) -> Option<(usize, usize, usize)> {
        let before = self.digits().position(|digit| digit != b'0')?;
        let after = self.digits().rev().position(|digit| digit != b'0')?;
        Some((self.whole.len() + self.fraction.len() - before - after, before, after))
    }

    /// One form for all texts of a number: whether it is negative, the exponent of its last significant digit, and its
    /// significant digits. None for zero.
    fn canonical(&self) -> Option<(bool, i64, Vec<u8>)> {
        let (significant, before, after) = self.significant()?;
        let digits = self.digits().skip(before).take(significant).collect();
        Some((self.negative, self.exponent - self.fraction.len() as i64 + after as i64, digits))
    }

    fn check(&self, text: &str) -> Result<(), NumberError> {
        let Some((significant, before, _)) = self.significant() else { return Ok(()) };
        if significant > MAX_DIGITS {
            return Err(NumberError::TooManyDigits(text.to_owned()));
        }
        let first_exponent = self.exponent + self.whole.len() as i64 - before as i64 - 1;
        if !EXPONENTS.contains(&first_exponent) {
            return Err(NumberError::OutOfRange(text.to_owned()));
        }
        Ok(())
    }

    /// The magnitude times ten to the `shift`, without its fraction, and whether there was one. None when it does not fit.
    fn magnitude(&self, shift: i64) -> Option<(u128, bool)> {
        let Some((significant, before, after)) = self.significant() else { return Some((0, false)) };
        let scale = self.exponent + shift - self.fraction.len() as i64 + after as i64;
        let kept = if scale < 0 { significant.saturating_sub(scale.unsigned_abs() as usize) } else { significant };
        let mut magnitude: u128 = 0;
        for digit in self.digits().skip(before).take(kept) {
            magnitude = magnitude.checked_mul(10)?.checked_add(u128::from(digit - b'0'))?;
        }
        if scale > 0 {
            let power = 10_u128.checked_pow(u32::try_from(scale).ok()?)?;
            magnitude = magnitude.checked_mul(power)?;
        }
        Some((magnitude, scale < 0))
    }
}

/// An exponent of any length; what is beyond a million is a million, and out of every range.
fn parse_exponent(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent = digits.bytes().fold(0_i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1_000_000));
    Some(sign * exponent)
}

/// Checks that a text is a number that DynamoDB has.
pub(crate) fn check(text: &str) -> Result<(), NumberError> {
    // Nearly every number is a short run of digits.
    if (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Decimal::parse(text)?.check(text)
}

/// The integer that a decimal text stands for: `100`, `1E2` and `100.0` are all one hundred.
pub(crate) fn to_integer<T: Integer>(text: &str) -> Result<T, NumberError> {
    // Digits alone, which is what nearly every number is.
    if let Ok(integer) = text.parse::<T>() {
        return Ok(integer);
    }
    let decimal = Decimal::parse(text)?;
    decimal.check(text)?;
    let integer = match decimal.magnitude(0) {
        Some((_, true)) => return Err(NumberError::Fraction(text.to_owned(), T::NAME)),
        Some((magnitude, false)) => T::from_parts(decimal.negative, magnitude),
        None => None,
    };
    integer.ok_or_else(|| NumberError::DoesNotFit(text.to_owned(), T::NAME))
}

/// One form for all texts of a number, so that `1`, `1.0` and `1E0` are equal. None for zero alone: a [`Number`] was checked
/// when it was made, and can be read again.
pub(crate) fn canonical(number: &Number) -> Option<(bool, i64, Vec<u8>)> {
    Decimal::parse(&number.0).ok()?.canonical()
}

/// The number of digits from the first that is not zero to the last, and whether the number is below zero.
pub(crate) fn significant_digits(number: &Number) -> (usize, bool) {
    canonical(number).map_or((0, false), |(negative, _, digits)| (digits.len(), negative))
}

/// Seconds as milliseconds, cut off below. None for what is negative or does not fit.
pub(crate) fn seconds_to_ms(text: &str) -> Option<u64> {
    let decimal = Decimal::parse(text).ok()?;
    decimal.check(text).ok()?;
    let (magnitude, _) = decimal.magnitude(3)?;
    if decimal.negative && magnitude != 0 { None } else { u64::try_from(magnitude).ok() }
}

/// An integer type that numbers convert into.
pub(crate) trait Integer: FromStr {
    const NAME: &'static str;
    fn from_parts(negative: bool, magnitude: u128) -> Option<Self>;
}

macro_rules! integers {
    ($($integer:ident)+) => {$(
        impl Integer for $integer {
            const NAME: &'static str = stringify!($integer);

            fn from_parts(negative: bool, magnitude: u128) -> Option<Self> {
                if negative && magnitude != 0 {
                    // One below zero more than above it: the lowest value has no positive counterpart.
                    let below = i128::try_from(magnitude - 1).ok()?;
                    Self::try_from(-below - 1).ok()
                } else {
                    Self::try_from(magnitude).ok()
                }
            }
        }

        impl TryFrom<&Number> for $integer {
            type Error = NumberError;

            /// # Errors
            ///
            /// - [`NumberError::Fraction`]: the number is not whole.
            /// - [`NumberError::DoesNotFit`]: it is outside the type.
            fn try_from(number: &Number) -> Result<Self, NumberError> {
                to_integer(&number.0)
            }
        }
    )+};
}
integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

macro_rules! from_integers {
    ($($integer:ident)+) => {$(
        impl From<$integer> for Number {
            fn from(integer: $integer) -> Self {
                Self(integer.to_string())
            }
        }
    )+};
}
// Not the 128-bit ones, which have up to 39 digits: those go by `to_string().parse()`.
from_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl TryFrom<f64> for Number {
    type Error = NumberError;

    /// The shortest text that gives the same float back.
    ///
    /// # Errors
    ///
    /// - [`NumberError::NotDecimal`]: not a number, or infinite.
    /// - [`NumberError::OutOfRange`]: beyond the magnitudes that DynamoDB has.
    fn try_from(float: f64) -> Result<Self, NumberError> {
        let text =
            if (1e-7..1e21).contains(&float.abs()) || float == 0.0 { float.to_string() } else { format!("{float:e}") };
        text.parse()
    }
}

/// The float that a decimal text stands for, if it is the very same number and not only the nearest.
pub(crate) fn to_exact_f64(text: &str) -> Option<f64> {
    let float: f64 = text.parse().ok()?;
    let shortest = format!("{float:e}");
    let (ours, theirs) = (Decimal::parse(text).ok()?, Decimal::parse(&shortest).ok()?);
    (ours.canonical() == theirs.canonical()).then_some(float)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_or_refused() {
        for (text, expected) in [("100", 100), ("1E2", 100), ("100.0", 100), ("1.2e+2", 120), ("00012", 12), ("-0", 0)]
        {
            assert_eq!(to_integer::<u32>(text).unwrap(), expected, "{text}");
        }
        for text in ["1.5", "1E-1", "0.0000001", "100.01"] {
            assert_eq!(to_integer::<u32>(text), Err(NumberError::Fraction(text.into(), "u32")), "{text}");
        }
        for text in ["-1", "4294967296", "1E10", "9.9E125"] {
            assert_eq!(to_integer::<u32>(text), Err(NumberError::DoesNotFit(text.into(), "u32")), "{text}");
        }
        assert_eq!(to_integer::<i8>("-1.28E2").unwrap(), i8::MIN);
        assert_eq!(to_integer::<i128>("-99999999999999999999999999999999999999").unwrap(), -(10_i128.pow(38) - 1));
        assert_eq!(to_integer::<u64>("1.8446744073709551615E19").unwrap(), u64::MAX);
    }

    #[test]
    fn what_dynamodb_has_no_number_for_is_refused() {
        for text in ["", "-", ".", "e1", "1e", "0x1", "1_000", "NaN", "inf", "1.2.3", " 1", "1 ", "--1", "1e1.5", "٣"]
        {
            assert_eq!(text.parse::<Number>(), Err(NumberError::NotDecimal(text.into())), "{text}");
        }
        let digits = "123456789012345678901234567890123456789";
        assert!(matches!(digits.parse::<Number>(), Err(NumberError::TooManyDigits(_))));
        assert!(digits[..38].parse::<Number>().is_ok());
        for text in ["1e126", "1e-131", "1e999999999999999999999", "-1e-99999999999999999999"] {
            assert!(matches!(text.parse::<Number>(), Err(NumberError::OutOfRange(_))), "{text}");
        }
        for text in ["9.9999999999999999999999999999999999999E+125", "1E-130", "0e999999999", "1", ".5", "5.", "+3"] {
            assert!(text.parse::<Number>().is_ok(), "{text}");
        }
    }

    #[test]
    fn floats_go_both_ways() {
        for float in [0.0, 1.5, -0.1, 1e100, 1e-100, 123456789.0, 0.30000000000000004, 5e20, 1e-7] {
            assert_eq!(Number::try_from(float).unwrap().to_f64(), float);
            assert_eq!(to_exact_f64(Number::try_from(float).unwrap().as_str()), Some(float));
        }
        assert!(Number::try_from(f64::NAN).is_err());
        assert!(Number::try_from(f64::INFINITY).is_err());
        assert!(Number::try_from(f64::MAX).is_err());
        assert_eq!(to_exact_f64("1.10"), Some(1.1));
        assert_eq!(to_exact_f64("0.12345678901234567890123"), None);
    }

    #[test]
    fn seconds_may_carry_a_fraction_and_an_exponent() {
        assert_eq!(seconds_to_ms("1550272599"), Some(1_550_272_599_000));
        assert_eq!(seconds_to_ms("1.550272599E9"), Some(1_550_272_599_000));
        assert_eq!(seconds_to_ms("1479499740.9999"), Some(1_479_499_740_999));
        assert_eq!(seconds_to_ms("0.0001"), Some(0));
        assert_eq!(seconds_to_ms("-1"), None);
        assert_eq!(seconds_to_ms("1e30"), None);
    }
}
