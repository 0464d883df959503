//! The cases of the suite: data, and the events that they make. Knows nothing of
//! how a component is run.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const CASES: &str = include_str!("../../conformance/cases.json");

/// The ARN of the stream that the records are of.
pub(super) const STREAM_ARN: &str =
    "arn:aws:dynamodb:eu-west-1:112233445566:table/conformance-dev_cases/stream/2026-01-02T03:04:05.678";

/// The table of that stream.
pub(super) const TABLE: &str = "conformance-dev_cases";

/// When the records were made, in milliseconds since the Unix epoch.
pub(super) const CREATED_AT_MS: u64 = 1_767_323_045_000;

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Case {
    /// What it is about.
    pub(super) group: String,
    /// Its name in the group.
    pub(super) name: String,
    /// What the handler is asked to do.
    #[serde(default = "echo")]
    pub(super) ask: String,
    #[serde(default = "insert")]
    pub(super) event_name: String,
    /// The images, as they come out of the handler again.
    pub(super) new: Option<Map<String, Value>>,
    pub(super) old: Option<Map<String, Value>>,
    /// The new image's text as it goes in, where that is not the plain one.
    raw_new: Option<String>,
    /// Whether DynamoDB itself deleted the item.
    #[serde(default)]
    pub(super) ttl: bool,
    /// Whether the record has nothing that it could do without.
    #[serde(default)]
    pub(super) bare: bool,
    #[serde(default)]
    pub(super) expect: Expect,
    /// Its place among the others.
    #[serde(skip)]
    pub(super) index: usize,
}

fn echo() -> String {
    "echo".to_owned()
}

fn insert() -> String {
    "INSERT".to_owned()
}

/// What must become of the record.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "is")]
pub(super) enum Expect {
    /// Done, with keys and images logged that mean the same.
    #[default]
    Echo,
    /// Rejected, with a text that has all of these in it.
    Refused { says: Vec<String> },
    /// Failed as the handler said.
    Failure { outcome: String, text: Value },
    /// Failed in whatever way, with a text where one can be found.
    Fails { says: Option<String> },
    /// Stopped by the host.
    TimesOut,
    /// Done, with a line printed: a text, or that many times the letter x.
    Prints { stream: Option<String>, text: Option<String>, bytes: Option<u64> },
    /// Done, with a line logged.
    Logs { level: String, message: String, fields: BTreeMap<String, String> },
    /// Done, with all that the contract tells logged.
    Accessors,
    /// Done, with two times logged that are now.
    Clock,
    /// Done, with numbers logged that never come twice.
    Random,
}

/// All cases, in their order.
///
/// # Errors
///
/// When the data in this command is not right: a mistake of ours.
pub(super) fn all() -> anyhow::Result<Vec<Case>> {
    let mut cases: Vec<Case> = serde_json::from_str(CASES).context("the cases in this command")?;
    for (index, case) in cases.iter_mut().enumerate() {
        case.index = index;
        for image in [&mut case.new, &mut case.old].into_iter().flatten() {
            for value in image.values_mut() {
                expand(value);
            }
        }
        if let Expect::Failure { text, .. } = &mut case.expect {
            expand(text);
        }
    }
    Ok(cases)
}

/// Puts what an abbreviation stands for in its place: `$repeat`, `$map`, `$list`
/// and `$nest` keep large values out of the data.
fn expand(value: &mut Value) {
    let Value::Object(object) = value else { return };
    let number = |name: &str| object.get(name).and_then(Value::as_u64);
    let instead = if let Some([text, times]) = object.get("$repeat").and_then(Value::as_array).map(Vec::as_slice) {
        let times = usize::try_from(times.as_u64().unwrap_or_default()).unwrap_or_default();
        json!(text.as_str().unwrap_or_default().repeat(times))
    } else if let Some(many) = number("$map") {
        let entry = |index: u64| (format!("name-{index}"), json!({ "N": index.to_string() }));
        json!({ "M": (0..many).map(entry).collect::<Map<_, _>>() })
    } else if let Some(many) = number("$list") {
        json!({ "L": (0..many).map(|index| json!({ "S": format!("value-{index}") })).collect::<Vec<_>>() })
    } else if let Some(deep) = number("$nest") {
        (0..deep).fold(json!({ "S": "the deepest" }), |inner, level| match level % 2 {
            0 => json!({ "L": [inner] }),
            _ => json!({ "M": { "inner": inner } }),
        })
    } else {
        object.values_mut().for_each(expand);
        return;
    };
    *value = instead;
}

impl Case {
    /// The sequence number of its record, and of the plain one of another item that
    /// comes after it. No other case has them: a host counts tries by them.
    pub(super) fn numbers(&self) -> [String; 2] {
        [0, 1].map(|record| format!("1000000000000000000{:05}", 2 * self.index + record))
    }

    /// The item's key: of another item for each case.
    pub(super) fn keys(&self) -> Value {
        json!({ "case": { "S": self.ask }, "id": { "S": format!("{}: {}", self.group, self.name) } })
    }

    /// The record as Lambda would send it. The text counts: a handler gets parts
    /// of it byte for byte.
    pub(super) fn record(&self) -> String {
        let mut dynamodb = Vec::new();
        if !self.bare {
            dynamodb.push(format!(r#""ApproximateCreationDateTime":{}"#, CREATED_AT_MS / 1000));
        }
        dynamodb.push(format!(r#""SequenceNumber":"{}""#, self.numbers()[0]));
        dynamodb.push(format!(r#""Keys":{}"#, self.keys()));
        if let Some(new) = &self.new {
            let text = self.raw_new.clone().unwrap_or_else(|| json!(new).to_string());
            dynamodb.push(format!(r#""NewImage":{text}"#));
        }
        if let Some(old) = &self.old {
            dynamodb.push(format!(r#""OldImage":{}"#, json!(old)));
        }
        if !self.bare {
            dynamodb.push(r#""SizeBytes":59,"StreamViewType":"NEW_AND_OLD_IMAGES""#.to_owned());
        }
        let identity =
            if self.ttl { r#","userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}"# } else { "" };
        format!(
            r#"{{"eventID":"c0ffee","eventName":"{}","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"eu-west-1","dynamodb":{{{}}},"eventSourceARN":"{STREAM_ARN}"{identity}}}"#,
            self.event_name,
            dynamodb.join(",")
        )
    }

    /// The event: the case's record, and one of another item, which must be done
    /// whatever becomes of the first.
    pub(super) fn event(&self) -> String {
        let after = json!({
            "eventID": "c0ffee02",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-west-1",
            "dynamodb": {
                "SequenceNumber": self.numbers()[1],
                "Keys": { "case": { "S": "echo" }, "id": { "S": "after" } },
                "NewImage": { "a": { "N": "1" } },
            },
            "eventSourceARN": STREAM_ARN,
        });
        format!(r#"{{"Records":[{},{after}]}}"#, self.record())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_an_event_and_has_a_name_of_its_own() {
        let cases = all().unwrap();
        let mut names: Vec<_> = cases.iter().map(|case| (&case.group, &case.name)).collect();
        for case in &cases {
            let event: Value = serde_json::from_str(&case.event()).unwrap();
            assert_eq!(event["Records"].as_array().unwrap().len(), 2, "{}", case.name);
            if let (Some(new), Value::Object(sent)) = (&case.new, &event["Records"][0]["dynamodb"]["NewImage"]) {
                assert_eq!(new, sent, "{}: raw-new is another value than new", case.name);
            }
            assert!(!case.event().contains('$'), "{}: not expanded", case.name);
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), cases.len());
    }
}
