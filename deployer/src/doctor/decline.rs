//! Where a filter's pattern declines a record. The pattern is taken apart, and
//! each part is asked of the record by the very engine that filters.

use gristmill_host::event::Record;
use gristmill_host::pattern::Pattern;
use serde_json::{Map, Value, json};

/// The first part of a pattern that declines a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decline {
    /// `dynamodb.NewImage.status.S`.
    pub(super) path: String,
    /// What the pattern wants there, as JSON.
    pub(super) wants: String,
    /// What the record has there.
    pub(super) has: Has,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Has {
    /// This, as JSON.
    Value(String),
    /// An object with these names, where the pattern wants a value.
    Object(Vec<String>),
    /// Nothing; the record ends before this name of the path.
    Nothing { at: String },
}

impl Decline {
    /// In words, as the end of a sentence.
    pub(super) fn words(&self) -> String {
        let Self { path, wants, has } = self;
        if path.ends_with("$or") {
            return format!("no part of `{path}` holds: {wants}");
        }
        match has {
            Has::Value(value) => format!("`{path}` must be {wants}, and is {value}"),
            Has::Object(_) => format!("`{path}` must be {wants}, and is an object"),
            Has::Nothing { at } if at == path => format!("`{path}` must be {wants}, and is not there"),
            Has::Nothing { at } => format!("`{path}` must be {wants}, and there is no `{at}`"),
        }
    }

    /// What people who write patterns stumble over.
    pub(super) fn advice(&self) -> String {
        const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];
        match &self.has {
            Has::Object(names) if names.len() == 1 && TYPES.contains(&names[0].as_str()) => {
                format!("an attribute's value is one level deeper: `{}.{}`", self.path, names[0])
            }
            Has::Value(_) if self.path.ends_with(".N") && self.wants.contains("numeric") => {
                "DynamoDB's numbers are strings in a record, so `numeric` never matches one".to_owned()
            }
            Has::Value(value) if self.path.ends_with(".N") && value.starts_with('"') && !self.wants.contains('"') => {
                "DynamoDB's numbers are strings in a record: write [\"42\"], and not [42]".to_owned()
            }
            Has::Nothing { at } if at == "dynamodb.NewImage" => {
                "a removal has no new image, and a stream has one only with the view types NEW_IMAGE and NEW_AND_OLD_IMAGES"
                    .to_owned()
            }
            Has::Nothing { at } if at == "dynamodb.OldImage" => {
                "an insert has no old image, and a stream has one only with the view types OLD_IMAGE and NEW_AND_OLD_IMAGES"
                    .to_owned()
            }
            Has::Nothing { at } if at == "userIdentity" => {
                "only deletes by Time to Live have a `userIdentity`".to_owned()
            }
            Has::Value(_) | Has::Object(_) | Has::Nothing { .. } => String::new(),
        }
    }
}

/// Why a pattern declines a record, whose fields `fields` are; none when it does
/// not.
pub(super) fn decline(pattern: &str, record: Record<'_>, fields: &Value) -> Option<Decline> {
    let whole = Pattern::parse(pattern).ok()?;
    if whole.matches(record) != Ok(false) {
        return None;
    }
    let pattern: Value = serde_json::from_str(pattern).ok()?;
    let mut parts = Vec::new();
    take_apart(&pattern, &mut Vec::new(), &mut parts);
    let declines = |(path, wants): &(Vec<String>, Value)| {
        let part = path.iter().rev().fold(wants.clone(), |inner, name| json!({ name.as_str(): inner }));
        Pattern::parse(&part.to_string()).is_ok_and(|part| part.matches(record) == Ok(false))
    };
    let (path, wants) = parts.into_iter().find(declines)?;
    let has = has(fields, &path);
    Some(Decline { path: path.join("."), wants: wants.to_string(), has })
}

/// The leaves of a pattern, each with its path. What `$or` joins is one.
fn take_apart(pattern: &Value, path: &mut Vec<String>, parts: &mut Vec<(Vec<String>, Value)>) {
    let Value::Object(fields) = pattern else { return };
    for (name, value) in fields {
        path.push(name.clone());
        match value {
            Value::Object(_) => take_apart(value, path, parts),
            other => parts.push((path.clone(), other.clone())),
        }
        path.pop();
    }
}

fn has(fields: &Value, path: &[String]) -> Has {
    // An `$or` speaks of the object that it stands in.
    let path = path.strip_suffix(&["$or".to_owned()]).unwrap_or(path);
    let mut at = fields;
    for (index, name) in path.iter().enumerate() {
        match at.as_object().and_then(|fields: &Map<String, Value>| fields.get(name)) {
            Some(inner) => at = inner,
            None => return Has::Nothing { at: path[..=index].join(".") },
        }
    }
    match at {
        Value::Object(fields) => Has::Object(fields.keys().cloned().collect()),
        other => {
            /// A value of a record may be as long as a record.
            const MOST: usize = 200;
            let text = other.to_string();
            let cut: String = text.chars().take(MOST).collect();
            Has::Value(if cut.len() < text.len() { cut + "…" } else { text })
        }
    }
}

#[cfg(test)]
mod tests {
    use gristmill_host::event::Event;

    use super::*;

    const RECORD: &str = r#"{"eventID":"1","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb",
        "awsRegion":"us-east-1","eventSourceARN":"arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000",
        "dynamodb":{"Keys":{"id":{"S":"1"}},"NewImage":{"id":{"S":"1"},"status":{"S":"new"},"count":{"N":"42"}},
        "SequenceNumber":"1","SizeBytes":5,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#;

    fn of(pattern: &str) -> Option<Decline> {
        let event = Event::parse(format!("{{\"Records\":[{RECORD}]}}")).unwrap();
        let record = event.records().next().unwrap();
        decline(pattern, record, &serde_json::from_str(RECORD).unwrap())
    }

    #[test]
    fn the_first_part_that_declines_is_named_with_what_is_there() {
        for (pattern, words, advice) in [
            (
                r#"{"eventName":["INSERT","REMOVE"]}"#,
                "`eventName` must be [\"INSERT\",\"REMOVE\"], and is \"MODIFY\"",
                "",
            ),
            (
                r#"{"eventName":["MODIFY"],"dynamodb":{"NewImage":{"status":{"S":["paid"]}}}}"#,
                "`dynamodb.NewImage.status.S` must be [\"paid\"], and is \"new\"",
                "",
            ),
            (
                r#"{"dynamodb":{"NewImage":{"status":["new"]}}}"#,
                "`dynamodb.NewImage.status` must be [\"new\"], and is an object",
                "one level deeper: `dynamodb.NewImage.status.S`",
            ),
            (
                r#"{"dynamodb":{"NewImage":{"count":{"N":[{"numeric":[">",1]}]}}}}"#,
                "`dynamodb.NewImage.count.N` must be [{\"numeric\":[\">\",1]}], and is \"42\"",
                "`numeric` never matches",
            ),
            (
                r#"{"dynamodb":{"NewImage":{"count":{"N":[42]}}}}"#,
                "`dynamodb.NewImage.count.N` must be [42], and is \"42\"",
                "write [\"42\"]",
            ),
            (
                r#"{"dynamodb":{"OldImage":{"status":{"S":["x"]}}}}"#,
                "`dynamodb.OldImage.status.S` must be [\"x\"], and there is no `dynamodb.OldImage`",
                "an insert has no old image",
            ),
            (
                r#"{"dynamodb":{"NewImage":{"gone":{"S":["x"]}}}}"#,
                "`dynamodb.NewImage.gone.S` must be [\"x\"], and there is no `dynamodb.NewImage.gone`",
                "",
            ),
            (
                r#"{"$or":[{"eventName":["INSERT"]},{"dynamodb":{"NewImage":{"status":{"S":["x"]}}}}]}"#,
                "no part of `$or` holds: [{\"eventName\":[\"INSERT\"]},{\"dynamodb\":{\"NewImage\":{\"status\":{\"S\":[\"x\"]}}}}]",
                "",
            ),
            (
                r#"{"userIdentity":{"principalId":["dynamodb.amazonaws.com"]}}"#,
                "`userIdentity.principalId` must be [\"dynamodb.amazonaws.com\"], and there is no `userIdentity`",
                "only deletes by Time to Live",
            ),
        ] {
            let decline = of(pattern).unwrap_or_else(|| panic!("{pattern} matches"));
            assert_eq!(decline.words(), words, "{pattern}");
            assert!(
                decline.advice().contains(advice) && decline.advice().is_empty() == advice.is_empty(),
                "{decline:?}"
            );
        }
    }

    #[test]
    fn what_matches_has_no_reason() {
        assert_eq!(of(r#"{"eventName":["MODIFY"]}"#), None);
        assert_eq!(of("no pattern"), None);
    }
}
