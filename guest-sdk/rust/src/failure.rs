//! How a handler says that it did not do what the record asks for.
//!
//! Knows nothing of records and of the host.

use std::error::Error;
use std::fmt;

/// Why a handler did not do what the record asks for.
///
/// `?` on any error turns it into [`Failure::Retry`] with the error's whole chain of sources in the text. For that, this
/// type is no [`std::error::Error`] itself.
///
/// ```
/// use gristmill_sdk::{Failure, OrFail};
///
/// fn charge(amount: &str) -> Result<u32, Failure> {
///     let cents: u32 = amount.parse()?;                        // retry: "invalid digit found in string"
///     let capped = cents.checked_mul(100).or_reject("too much")?;   // reject: "too much"
///     Ok(capped)
/// }
/// assert_eq!(charge("x"), Err(Failure::retry("invalid digit found in string")));
/// assert_eq!(charge("4294967295"), Err(Failure::reject("too much")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may go better next time: deliver the record again. The text is for people.
    Retry(String),
    /// It will never go better.
    Reject(String),
}

impl Failure {
    /// A failure that may go better next time.
    pub fn retry(text: impl Into<String>) -> Self {
        Self::Retry(text.into())
    }

    /// A failure that will never go better.
    pub fn reject(text: impl Into<String>) -> Self {
        Self::Reject(text.into())
    }

    /// The text, without the kind.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Retry(text) | Self::Reject(text) => text,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(text) => write!(f, "retry: {text}"),
            Self::Reject(text) => write!(f, "reject: {text}"),
        }
    }
}

/// Any error, `Box<dyn Error>`, `String`, `&str`, and the error types of crates that convert into a boxed error.
impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::Retry(text)
    }
}

/// Says what went wrong, and how, where a `Result` or an `Option` is left with `?`.
pub trait OrFail<T> {
    /// Puts a text before the failure's own; its kind stays. What is missing is a retry.
    ///
    /// # Errors
    ///
    /// When `self` is an error or nothing.
    fn context(self, text: impl fmt::Display) -> Result<T, Failure>;

    /// Makes it a failure that will never go better, with a text before its own.
    ///
    /// # Errors
    ///
    /// When `self` is an error or nothing.
    fn or_reject(self, text: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> OrFail<T> for Result<T, E> {
    fn context(self, text: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| match error.into() {
            Failure::Retry(cause) => Failure::Retry(format!("{text}: {cause}")),
            Failure::Reject(cause) => Failure::Reject(format!("{text}: {cause}")),
        })
    }

    fn or_reject(self, text: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::Reject(format!("{text}: {}", error.into().text())))
    }
}

impl<T> OrFail<T> for Option<T> {
    fn context(self, text: impl fmt::Display) -> Result<T, Failure> {
        self.ok_or_else(|| Failure::Retry(text.to_string()))
    }

    fn or_reject(self, text: impl fmt::Display) -> Result<T, Failure> {
        self.ok_or_else(|| Failure::Reject(text.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot read the price")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn outer() -> Result<(), Outer> {
        "x".parse::<u8>().map(|_| ()).map_err(Outer)
    }

    #[test]
    fn the_question_mark_keeps_the_whole_chain() {
        fn handler() -> Result<(), Failure> {
            Ok(outer()?)
        }
        assert_eq!(handler(), Err(Failure::retry("cannot read the price: invalid digit found in string")));
    }

    #[test]
    fn the_question_mark_takes_boxed_errors_and_texts() {
        fn boxed() -> Result<(), Failure> {
            Err::<(), Box<dyn Error>>("gone".into())?;
            Ok(())
        }
        fn text() -> Result<(), Failure> {
            Err("gone")?
        }
        assert_eq!(boxed(), Err(Failure::retry("gone")));
        assert_eq!(text(), Err(Failure::retry("gone")));
    }

    #[test]
    fn context_keeps_the_kind_and_or_reject_changes_it() {
        assert_eq!(outer().or_reject("order 7").map_err(|f| f.to_string()), {
            Err("reject: order 7: cannot read the price: invalid digit found in string".to_owned())
        });
        assert_eq!(Err::<(), _>(Failure::reject("no")).context("order 7"), Err(Failure::reject("order 7: no")));
        assert_eq!(None::<()>.context("nothing"), Err(Failure::retry("nothing")));
        assert_eq!(Some(1).or_reject("nothing"), Ok(1));
    }
}
