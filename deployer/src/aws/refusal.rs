//! Why AWS did not do what it was asked for, in words that name the cause and what
//! to do.

use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// A request that was not answered with success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The operation, as IAM names it: `cloudformation:CreateChangeSet`.
    pub(crate) operation: &'static str,
    /// The error's code; empty when nothing was answered.
    pub(crate) code: String,
    /// What the service said, or why there was no answer.
    pub(crate) message: String,
}

impl Refusal {
    /// Whether the service named this code.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// What to do about it, where that does not depend on what was being done.
    fn advice(&self) -> Option<String> {
        let advice = match self.code.as_str() {
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
                "the credentials have expired: `aws sso login`, or new ones"
            }
            "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "AuthFailure"
            | "InvalidSignatureException"
            | "IncompleteSignature" => {
                "AWS does not know these credentials: look at AWS_ACCESS_KEY_ID, AWS_PROFILE or --profile, and `aws sts \
                 get-caller-identity`"
            }
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
                return Some(format!(
                    "{} is not allowed to this user; `gristmill policy --deploying` prints what is needed",
                    self.operation
                ));
            }
            "OptInRequired" => "the account has not enabled this Region",
            "Throttling" | "ThrottlingException" | "TooManyRequestsException" | "RequestLimitExceeded" | "SlowDown" => {
                "AWS is busy with this account's other requests; wait a minute and do it again"
            }
            "" if self.message.contains("credentials") => {
                "there are no credentials: `aws configure` or `aws sso login`, or set AWS_PROFILE or --profile"
            }
            "" => "AWS did not answer: is the Region right, and the network there?",
            _ => return None,
        };
        Some(advice.to_owned())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)?;
        if !self.code.is_empty() && !self.message.contains(&self.code) {
            write!(f, " ({})", self.code)?;
        }
        match self.advice() {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl Error for Refusal {}

/// An answer of the SDK's with our error.
pub(crate) trait Refused<T> {
    /// Names the operation of a request that failed.
    fn refused(self, operation: &'static str) -> Result<T, Refusal>;
}

impl<T, E> Refused<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: Error + ProvideErrorMetadata + 'static,
{
    fn refused(self, operation: &'static str) -> Result<T, Refusal> {
        self.map_err(|error| {
            let (code, message) = match error.as_service_error() {
                Some(said) => {
                    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
                    // S3 answers some requests without a word (Error responses).
                    let code = match (said.code(), status) {
                        (Some(code), _) => code.to_owned(),
                        (None, 403) => "AccessDenied".to_owned(),
                        (None, 404) => "NotFound".to_owned(),
                        (None, status) => format!("status {status}"),
                    };
                    (code, said.message().map_or_else(|| "it gave no reason".to_owned(), str::to_owned))
                }
                None => (String::new(), causes(&error)),
            };
            Refusal { operation, code, message }
        })
    }
}

/// All causes on one line: the outer ones say no more than that it failed.
fn causes(error: &dyn Error) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if words.last().is_none_or(|last| !last.contains(&text)) {
            words.push(text);
        }
        next = cause.source();
    }
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: &str, message: &str) -> String {
        Refusal { operation: "lambda:GetAlias", code: code.to_owned(), message: message.to_owned() }.to_string()
    }

    #[test]
    fn a_refusal_names_the_cause_and_what_to_do() {
        for (code, message, next) in [
            ("ExpiredTokenException", "The security token is expired", "the credentials have expired: `aws sso login`"),
            ("UnrecognizedClientException", "invalid", "AWS does not know these credentials"),
            ("AccessDenied", "no", "lambda:GetAlias is not allowed to this user; `gristmill policy --deploying`"),
            ("ThrottlingException", "Rate exceeded", "wait a minute and do it again"),
            ("OptInRequired", "no", "has not enabled this Region"),
            ("", "dispatch failure: dns error", "is the Region right, and the network there?"),
            ("", "no providers in chain provided credentials", "there are no credentials: `aws configure`"),
        ] {
            let told = told(code, message);
            assert!(told.contains(next) && told.starts_with(&format!("lambda:GetAlias: {message}")), "{told}");
        }
        assert_eq!(told("Other", "words"), "lambda:GetAlias: words (Other)");
    }
}
