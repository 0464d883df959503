//! Which lines of a log are wanted. Pure; whose log it is, others know.

use crate::edge::quoted;

/// Words that must all be there, and words that must not.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Filter {
    all: Vec<String>,
    none: Vec<String>,
}

impl Filter {
    /// `ERROR "out of time" -retry`: as CloudWatch's simple filter patterns.
    pub(crate) fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (not, term) = match rest.strip_prefix('-') {
                Some(term) => (true, term),
                None => (false, rest),
            };
            let (word, after) = match term.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
                Some(parts) => parts,
                None => term.split_once(char::is_whitespace).unwrap_or((term, "")),
            };
            if !word.is_empty() {
                if not { &mut filter.none } else { &mut filter.all }.push(word.to_owned());
            }
            rest = after.trim_start();
        }
        filter
    }

    /// Whether a line is wanted: as it is shown, or as it is.
    pub(crate) fn wants(&self, words: &str, line: &str) -> bool {
        let has = |word: &String| words.contains(word.as_str()) || line.contains(word.as_str());
        self.all.iter().all(has) && !self.none.iter().any(has)
    }
}

/// A time before now: `30s`, `10m`, `2h`, `1d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// In milliseconds.
    pub ms: u64,
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{} is no time; it takes a number and s, m, h or d, as 10m", quoted(text));
        let unit = text.chars().last().ok_or_else(wrong)?;
        let seconds: u64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
        let ms = number.checked_mul(seconds).and_then(|seconds| seconds.checked_mul(1_000)).ok_or_else(wrong)?;
        Ok(Self { ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_words_and_phrases() {
        assert_eq!(
            Filter::parse(r#" ERROR "out of time" -retry -"no more" "#),
            Filter {
                all: vec!["ERROR".to_owned(), "out of time".to_owned()],
                none: vec!["retry".to_owned(), "no more".to_owned()],
            }
        );
        assert_eq!(Filter::parse(""), Filter::default());
        assert_eq!(Filter::parse("- -\"\" \"open").all, ["\"open"]);
        assert!(Filter::parse("a -b").wants("a c", ""));
        assert!(!Filter::parse("a -b").wants("a b", ""));
        assert!(!Filter::parse("a b").wants("a", ""));
    }

    #[test]
    fn a_time_has_a_unit() {
        let ms = |text: &str| text.parse::<Since>().map(|since| since.ms);
        assert_eq!(ms("10m"), Ok(600_000));
        assert_eq!(ms("1d"), Ok(86_400_000));
        for wrong in ["", "10", "m", "-1m", "1.5h", "10 m", "99999999999999999999d", "9999999999999999d", "1é"] {
            ms(wrong).unwrap_err();
        }
    }
}
