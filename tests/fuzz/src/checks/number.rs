//! Decimal numbers in other words than those of host and SDK: digits without
//! zeros at either end, and the exponent of the last one.

use super::dice::Dice;

/// Stands for every exponent that is larger: no reader takes one of the size.
const LARGEST_EXPONENT: i128 = 1 << 100;

/// A decimal number. Two are equal when they are the same number and their
/// exponents were written alike: see [`Decimal::same`].
#[derive(Clone, Debug)]
pub struct Decimal {
    /// Never of zero.
    pub negative: bool,
    /// Empty for zero.
    pub digits: String,
    /// Of the last digit; 0 for zero.
    pub exponent: i128,
    /// The exponent as it was written, 0 if it was not.
    pub written: i128,
}

impl Decimal {
    /// Reads `[+-]digits[.digits][(e|E)[+-]digits]`, where one of the two runs
    /// of digits may be empty.
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let cut = unsigned.find(['e', 'E']);
        let mantissa = &unsigned[..cut.unwrap_or(unsigned.len())];
        let written = match cut {
            None => 0,
            Some(cut) => parse_exponent(&unsigned[cut + 1..])?,
        };
        let point = mantissa.find('.').unwrap_or(mantissa.len());
        let after = mantissa.len().saturating_sub(point + 1);
        let all: String = mantissa.chars().enumerate().filter(|(i, _)| *i != point).map(|(_, c)| c).collect();
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = all.trim_matches('0').to_owned();
        let zeros = all.len() - all.trim_end_matches('0').len();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0, written });
        }
        let exponent = written - after as i128 + zeros as i128;
        Some(Self { negative: text.starts_with('-'), digits, exponent, written })
    }

    /// What two spellings of one number have in common.
    pub fn same(&self) -> (bool, &str, i128) {
        (self.negative, &self.digits, self.exponent)
    }

    /// The number times ten to the `shift` without its fraction, when there are
    /// at most 60 digits before the point: digits, and whether there was a
    /// fraction.
    pub fn whole(&self, shift: i128) -> Option<(String, bool)> {
        let exponent = self.exponent + shift;
        if self.digits.is_empty() {
            return Some(("0".to_owned(), false));
        }
        if exponent >= 0 {
            let zeros = usize::try_from(exponent).ok().filter(|zeros| *zeros <= 60)?;
            return Some((self.digits.clone() + &"0".repeat(zeros), false));
        }
        let cut = usize::try_from(-exponent).unwrap_or(usize::MAX);
        let kept = &self.digits[..self.digits.len().saturating_sub(cut)];
        Some((if kept.is_empty() { "0".to_owned() } else { kept.to_owned() }, true))
    }

    /// The same number, written in another way.
    pub fn spell(&self, dice: &mut Dice) -> String {
        if self.digits.is_empty() {
            return dice.one_of(&["0", "-0", "0.0", ".0", "0.", "0e5", "+0E-7", "000"]).to_owned();
        }
        let sign = if self.negative { "-" } else { dice.one_of(&["", "", "+"]) };
        let zeros = "0".repeat(dice.below(3));
        let point = dice.below(self.digits.len() + 1);
        let (before, after) = self.digits.split_at(point);
        let exponent = self.exponent + after.len() as i128;
        let tail = "0".repeat(dice.below(3));
        let e = dice.one_of(&["e", "E"]);
        let plus = if exponent >= 0 { dice.one_of(&["", "+", "+00"]) } else { "" };
        match (exponent, dice.below(2)) {
            (0, 0) => format!("{sign}{zeros}{before}.{after}{tail}"),
            _ => format!("{sign}{zeros}{before}.{after}{tail}{e}{plus}{exponent}"),
        }
    }
}

fn parse_exponent(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent = digits.parse().map_or(LARGEST_EXPONENT, |exponent: i128| exponent.min(LARGEST_EXPONENT));
    Some(if text.starts_with('-') { -exponent } else { exponent })
}
