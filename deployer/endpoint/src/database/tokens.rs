//! What became of transactions, by their ClientRequestToken: for ten minutes
//! the same token with the same request is answered again and not run again.
//! Knows nothing of what a transaction does.
//!
//! Dynoxide has this too, but only on its own `Database`, whose connection takes
//! no trigger of ours.

use std::collections::HashMap;

use dynoxide::DynoxideError;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The model: a token is valid for 10 minutes after the request is finished.
const LIFE_MS: u64 = 10 * 60 * 1000;

/// The model's limit of the member.
const LONGEST: usize = 36;

/// Tokens that are still valid.
#[derive(Default)]
pub(super) struct Tokens(HashMap<(String, String), Done>);

struct Done {
    at_ms: u64,
    request: [u8; 32],
    answer: String,
}

impl Tokens {
    /// Runs a transaction, unless its token says that it was run.
    ///
    /// # Errors
    ///
    /// - a ValidationException for a token that is too long
    /// - an IdempotentParameterMismatchException for the token of another request
    /// - what `run` says. Then the token is free again
    pub(super) fn once(
        &mut self,
        now_ms: u64,
        operation: &str,
        body: &str,
        run: impl FnOnce() -> Result<String, DynoxideError>,
    ) -> Result<String, DynoxideError> {
        let mut request: Value = super::request::decode(body)?;
        let members = request.as_object_mut();
        let token = members.and_then(|members| {
            // How much is reported does not make it another request.
            members.remove("ReturnConsumedCapacity");
            members.remove("ClientRequestToken").and_then(|token| token.as_str().map(str::to_owned))
        });
        let Some(token) = token else { return run() };
        if token.chars().count() > LONGEST {
            return Err(DynoxideError::ValidationException(format!(
                "1 validation error detected: Value '{token}' at 'clientRequestToken' failed to satisfy constraint: \
                 Member must have length less than or equal to {LONGEST}"
            )));
        }
        // The members of a `Value` are in order: the same request is the same text.
        let request: [u8; 32] = Sha256::digest(request.to_string()).into();
        self.0.retain(|_, done| now_ms.saturating_sub(done.at_ms) < LIFE_MS);
        let key = (operation.to_owned(), token);
        match self.0.get(&key) {
            Some(done) if done.request == request => Ok(done.answer.clone()),
            Some(_) => Err(DynoxideError::IdempotentParameterMismatchException(
                "An error occurred (IdempotentParameterMismatchException)".to_owned(),
            )),
            None => {
                let answer = run()?;
                self.0.insert(key, Done { at_ms: now_ms, request, answer: answer.clone() });
                Ok(answer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_runs_once_in_ten_minutes() {
        let mut tokens = Tokens::default();
        let mut runs = 0;
        let mut call = |now_ms, body: &str| {
            tokens.once(now_ms, "TransactWriteItems", body, || {
                runs += 1;
                Ok(runs.to_string())
            })
        };
        let one = r#"{"ClientRequestToken":"t","TransactItems":[1]}"#;
        assert_eq!(call(0, one).unwrap(), "1");
        assert_eq!(call(LIFE_MS - 1, r#"{"TransactItems":[1],"ClientRequestToken":"t"}"#).unwrap(), "1");
        let other = call(1, r#"{"ClientRequestToken":"t","TransactItems":[2]}"#);
        assert!(matches!(other, Err(DynoxideError::IdempotentParameterMismatchException(_))));
        assert_eq!(call(LIFE_MS, one).unwrap(), "2");
        assert_eq!(call(LIFE_MS, r#"{"TransactItems":[1]}"#).unwrap(), "3");
    }

    #[test]
    fn a_failure_frees_the_token() {
        let mut tokens = Tokens::default();
        let body = r#"{"ClientRequestToken":"t"}"#;
        let failed = tokens.once(0, "x", body, || Err(DynoxideError::ValidationException(String::new())));
        assert!(failed.is_err());
        assert_eq!(tokens.once(0, "x", body, || Ok("done".to_owned())).unwrap(), "done");
    }
}
