//! What the answer of a function means for its batch (AWS-FACTS, The response).
//! A pure reading: waits, retries and splits are decided elsewhere.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::target::Answer;

/// The largest state of a tumbling window, in bytes (AWS-FACTS, Golden traces).
const MOST_STATE_BYTES: usize = 1 << 20;

/// What the batch is told of its records.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// The records before this index are done; the batch's length when all are.
    /// Zero is a failure that names the first record.
    DoneBefore(usize, Option<NewState>),
    /// None is done.
    Failed {
        reason: String,
        /// The document's `functionError`; none when the function returned.
        function_error: Option<String>,
    },
    /// Nothing ran, and no retry is spent.
    Throttled,
    /// The same.
    PermissionLost(String),
}

/// A tumbling window's state, out of an answer.
#[derive(Clone, Debug)]
pub(crate) struct NewState {
    pub(crate) json: String,
    /// More than 1 MB: the window ends early.
    pub(crate) is_too_large: bool,
}

/// How an answer is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    /// The batch's sequence numbers, in order.
    pub(crate) sequence_numbers: &'a [&'a str],
    /// Whether FunctionResponseTypes has ReportBatchItemFailures. Without it
    /// the body's failures are not looked at.
    pub(crate) reports_failures: bool,
    /// Whether the answer must carry a window's state. It is read with and
    /// without ReportBatchItemFailures.
    pub(crate) in_window: bool,
}

impl Reading<'_> {
    pub(crate) fn verdict(self, answer: &Answer) -> Verdict {
        match answer {
            Answer::Returned(body) => match self.body(body) {
                Ok(verdict) => verdict,
                Err(reason) => Verdict::Failed { reason, function_error: None },
            },
            Answer::FunctionError { kind, .. } => {
                Verdict::Failed { reason: format!("function error: {kind}"), function_error: Some(kind.clone()) }
            }
            // Lambda calls a timeout of the function an error that it did not
            // handle.
            Answer::TimedOut => {
                Verdict::Failed { reason: "timed out".to_owned(), function_error: Some("Unhandled".to_owned()) }
            }
            Answer::Throttled => Verdict::Throttled,
            Answer::PermissionLost(why) => Verdict::PermissionLost(why.clone()),
        }
    }

    fn body(self, body: &[u8]) -> Result<Verdict, String> {
        let all = self.sequence_numbers.len();
        if !self.reports_failures && !self.in_window {
            return Ok(Verdict::DoneBefore(all, None));
        }
        let body = std::str::from_utf8(body).map_err(|_| "the answer is not UTF-8".to_owned())?.trim();
        let body = match body {
            // A body of no bytes and `null` are success.
            "" | "null" => Body::default(),
            // What is no JSON, and JSON of another type, is open. A batch that
            // fails comes again; one that is taken to be done never does.
            body => serde_json::from_str(body).map_err(|error| format!("the answer is no response: {error}"))?,
        };
        let state = match (self.in_window, body.state) {
            (false, _) => None,
            (true, Some(json)) => {
                Some(NewState { is_too_large: json.get().len() > MOST_STATE_BYTES, json: json.get().to_owned() })
            }
            (true, None) => return Err("the answer has no state, which a tumbling window needs".to_owned()),
        };
        let lowest = match (self.reports_failures, body.failures) {
            (true, Some(failures)) => self.lowest(failures)?,
            (true, None) | (false, _) => all,
        };
        Ok(Verdict::DoneBefore(lowest, state))
    }

    /// The index of the lowest record that is named; all when none is.
    fn lowest(self, failures: &RawValue) -> Result<usize, String> {
        #[derive(Deserialize)]
        struct Failure<'a> {
            // The last one counts when it is there twice, as in most readers.
            #[serde(rename = "itemIdentifier", borrow)]
            identifier: Option<std::borrow::Cow<'a, str>>,
        }
        let failures: Vec<&RawValue> =
            serde_json::from_str(failures.get()).map_err(|error| format!("batchItemFailures is no list: {error}"))?;
        let mut lowest = self.sequence_numbers.len();
        for failure in failures {
            // A derived struct takes lists too, by position.
            let read = failure.get().starts_with('{').then(|| serde_json::from_str::<Failure<'_>>(failure.get()));
            let identifier = match read {
                Some(Ok(Failure { identifier: Some(identifier) })) => identifier,
                Some(Ok(Failure { identifier: None })) => {
                    return Err("an item of batchItemFailures has no itemIdentifier".to_owned());
                }
                Some(Err(_)) | None => return Err("an itemIdentifier is no string".to_owned()),
            };
            // A batch of one fails on an identifier that is unknown (AWS-FACTS,
            // The response). For several records it is open: the same.
            let index = self.sequence_numbers.iter().position(|number| *number == identifier);
            let index = index.ok_or_else(|| match identifier.is_empty() {
                true => "an itemIdentifier is empty".to_owned(),
                false => "an itemIdentifier is none of the batch's".to_owned(),
            })?;
            lowest = lowest.min(index);
        }
        Ok(lowest)
    }
}

/// The answer's object. A list by that many fields is none, so it is not
/// derived.
#[derive(Default)]
struct Body<'a> {
    failures: Option<&'a RawValue>,
    state: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BodyVisitor;
        impl<'de> Visitor<'de> for BodyVisitor {
            type Value = Body<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut body = Body::default();
                while let Some(name) = map.next_key::<String>()? {
                    let value: &RawValue = map.next_value()?;
                    let given = Some(value).filter(|value| value.get() != "null");
                    match name.as_str() {
                        "batchItemFailures" => body.failures = given,
                        "state" => body.state = given,
                        _ => {}
                    }
                }
                Ok(body)
            }
        }
        deserializer.deserialize_map(BodyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, numbers: &[&str]) -> Result<usize, String> {
        let reading = Reading { sequence_numbers: numbers, reports_failures: true, in_window: false };
        match reading.verdict(&Answer::Returned(body.as_bytes().to_vec())) {
            Verdict::DoneBefore(done, _) => Ok(done),
            Verdict::Failed { reason, function_error: None } => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    fn naming(identifier: &str) -> String {
        format!(r#"{{"batchItemFailures":[{{"itemIdentifier":{identifier}}}]}}"#)
    }

    #[test]
    fn an_answer_that_names_nothing_is_success() {
        let bodies = ["", " ", "null", "{}", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#];
        for body in bodies {
            assert_eq!(read(body, &["1", "2"]), Ok(2), "{body}");
        }
        assert_eq!(read(r#"{"statusCode":200,"batchItemFailures":[ ]}"#, &["1"]), Ok(1));
    }

    #[test]
    fn a_bad_identifier_fails_the_whole_batch() {
        for identifier in ["\"\"", "null", "2", "\"9\"", "{}", "[\"2\"]", "true", "\" 2\"", "\"02\""] {
            assert!(read(&naming(identifier), &["1", "2", "3"]).is_err(), "{identifier}");
        }
        for body in [
            r#"{"batchItemFailures":[{"itemidentifier":"2"}]}"#,
            r#"{"batchItemFailures":[{}]}"#,
            r#"{"batchItemFailures":[["2"]]}"#,
            r#"{"batchItemFailures":["2"]}"#,
            r#"{"batchItemFailures":[null]}"#,
            r#"{"batchItemFailures":{"itemIdentifier":"2"}}"#,
            r#"{"batchItemFailures":"2"}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"2"},{"itemIdentifier":""}]}"#,
        ] {
            assert!(read(body, &["1", "2", "3"]).is_err(), "{body}");
        }
    }

    #[test]
    fn the_lowest_identifier_decides() {
        assert_eq!(read(&naming("\"3\""), &["1", "2", "3"]), Ok(2));
        assert_eq!(read(&naming("\"1\""), &["1", "2", "3"]), Ok(0));
        assert_eq!(read(&naming(r#""\u0032""#), &["1", "2", "3"]), Ok(1));
        let two = r#"{"batchItemFailures":[{"itemIdentifier":"3"},{"itemIdentifier":"2"},{"itemIdentifier":"3"}]}"#;
        assert_eq!(read(two, &["1", "2", "3"]), Ok(1));
    }

    #[test]
    fn what_is_no_object_fails_the_batch() {
        for body in ["\"ok\"", "200", "true", "[]", "[[],[]]", "{", "ok", "{}{}"] {
            assert!(read(body, &["1"]).is_err(), "{body}");
        }
        let reading = Reading { sequence_numbers: &["1"], reports_failures: true, in_window: false };
        assert!(matches!(reading.verdict(&Answer::Returned(vec![0xff])), Verdict::Failed { .. }));
    }

    #[test]
    fn without_the_response_type_the_body_is_ignored() {
        let reading = Reading { sequence_numbers: &["1", "2"], reports_failures: false, in_window: false };
        for body in [naming("\"1\"").as_bytes(), b"no JSON", b"\xff"] {
            assert!(matches!(reading.verdict(&Answer::Returned(body.to_vec())), Verdict::DoneBefore(2, None)));
        }
    }

    #[test]
    fn a_window_needs_a_state_with_and_without_the_response_type() {
        for reports_failures in [false, true] {
            let reading = Reading { sequence_numbers: &["1", "2"], reports_failures, in_window: true };
            for body in ["", "null", "{}", r#"{"state":null}"#, r#"{"batchItemFailures":[]}"#] {
                let verdict = reading.verdict(&Answer::Returned(body.into()));
                assert!(matches!(verdict, Verdict::Failed { .. }), "{body}");
            }
            let body = r#"{"batchItemFailures":[{"itemIdentifier":"2"}],"state": {"n": 1.0} }"#;
            match reading.verdict(&Answer::Returned(body.into())) {
                Verdict::DoneBefore(done, Some(state)) => {
                    assert_eq!(done, if reports_failures { 1 } else { 2 });
                    assert_eq!(state.json, r#"{"n": 1.0}"#);
                    assert!(!state.is_too_large);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_state_is_too_large_from_one_byte_above_a_megabyte() {
        let reading = Reading { sequence_numbers: &[], reports_failures: false, in_window: true };
        for (bytes, too_large) in [(1 << 20, false), ((1 << 20) + 1, true)] {
            let body = format!("{{\"state\":\"{}\"}}", "x".repeat(bytes - 2));
            match reading.verdict(&Answer::Returned(body.into())) {
                Verdict::DoneBefore(0, Some(state)) => assert_eq!(state.is_too_large, too_large),
                other => panic!("{other:?}"),
            }
        }
    }
}
