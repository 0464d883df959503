//! From the text of a request to one of Dynoxide's typed requests, and from its
//! errors to answers, as Dynoxide's own server has this seam. That server's
//! code is private, so the words here are ours and the behaviour is its.
//!
//! Its types tell by a marker at the head of a message what kind of error it
//! is. No marker may reach an answer.

use std::collections::HashMap;

use dynoxide::DynoxideError;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Answer;

/// Reads a request.
///
/// # Errors
///
/// - a SerializationException for what is not JSON, or has another type than
///   the member
/// - a ValidationException for a member that is missing, null or no member of
///   its enum
pub(super) fn decode<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, DynoxideError> {
    // serde would take a list for the members of a struct, in their order.
    if !body.trim_start().starts_with('{') {
        return Err(DynoxideError::SerializationException(String::new()));
    }
    serde_json::from_str(body).map_err(|error| classify(&error, body))
}

fn classify(error: &serde_json::Error, body: &str) -> DynoxideError {
    let message = error.to_string();
    let plain = without_position(&message);
    // The longer marker first: it begins with the shorter one.
    if let Some(rest) = message.strip_prefix("SERIALIZATION_AS_READ:") {
        return DynoxideError::SerializationException(rest.to_owned());
    }
    if let Some(rest) = message.strip_prefix("VALIDATION_AS_READ:") {
        return DynoxideError::ValidationException(rest.to_owned());
    }
    if let Some(rest) = plain.strip_prefix("SERIALIZATION:") {
        return DynoxideError::SerializationException(rest.to_owned());
    }
    if let Some(rest) = plain.strip_prefix("VALIDATION_REQUEST:") {
        return DynoxideError::EnvelopedValidation(rest.to_owned());
    }
    if let Some(rest) = plain.strip_prefix("VALIDATION:") {
        return DynoxideError::ValidationException(rest.to_owned());
    }
    let says = |words: &str| plain.contains(words);
    if says("empty AttributeValue") {
        let empty = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
        return DynoxideError::ValidationException(empty.to_owned());
    }
    if says("missing field") || says("unknown variant") || says("invalid type: null") || says("Supplied AttributeValue")
    {
        return DynoxideError::ValidationException(plain.to_owned());
    }
    if error.is_syntax() || error.is_eof() {
        // Without a message, as DynamoDB answers what is not JSON.
        let wrong_value = plain.starts_with("expected value") || plain.starts_with("expected string for");
        return DynoxideError::SerializationException(if wrong_value {
            given_for_string(error, body)
        } else {
            String::new()
        });
    }
    DynoxideError::SerializationException(mismatch(plain))
}

/// serde_json puts ` at line 1 column 42` behind what it says.
fn without_position(message: &str) -> &str {
    match message.rfind(" at line ") {
        Some(at) if message[at..].contains(" column ") => &message[..at],
        Some(_) | None => message,
    }
}

/// What stands where a string belongs, by its first byte.
fn given_for_string(error: &serde_json::Error, body: &str) -> String {
    let at = body.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let given = match body.as_bytes().get((at + error.column()).saturating_sub(1)) {
        Some(b'f') => "FALSE_VALUE",
        Some(b'0'..=b'9' | b'-') => "NUMBER_VALUE",
        Some(_) | None => "TRUE_VALUE",
    };
    format!("{given} cannot be converted to String")
}

/// A wrong type in DynamoDB's words.
fn mismatch(plain: &str) -> String {
    let Some((given, expected)) = plain.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    else {
        return plain.to_owned();
    };
    if expected == "i32" {
        return plain.to_owned();
    }
    let java = match expected {
        "a string" => Some("String"),
        "a boolean" => Some("Boolean"),
        "i64" | "u64" => Some("Long"),
        _ => None,
    };
    let Some(java) = java else {
        let structure = given == "map" && !expected.contains("map");
        let words =
            if structure { "Start of structure or map found where not expected" } else { "Unexpected field type" };
        return words.to_owned();
    };
    let value = match given.split(' ').next() {
        Some("map") => return "Start of structure or map found where not expected".to_owned(),
        Some("sequence") => return format!("Unrecognized collection type class java.lang.{java}"),
        Some("string") if java == "Boolean" => return "Unexpected token received from parser".to_owned(),
        Some("string") => "STRING_VALUE",
        Some("integer") => "NUMBER_VALUE",
        Some("floating") => "DECIMAL_VALUE",
        Some("boolean") if given.contains("true") => "TRUE_VALUE",
        Some(_) | None => "FALSE_VALUE",
    };
    format!("{value} cannot be converted to {java}")
}

/// An error as the operation answers it.
pub(super) fn answer(operation: &str, error: DynoxideError) -> Answer {
    let error = match (operation, error) {
        ("PutItem" | "UpdateItem" | "DeleteItem", DynoxideError::EnvelopedValidation(message)) => {
            let envelope = "1 validation error detected: ";
            let inner = message.strip_prefix(envelope).unwrap_or(&message);
            DynoxideError::ValidationException(format!("{envelope}{inner}"))
        }
        (_, DynoxideError::EnvelopedValidation(message)) => DynoxideError::ValidationException(message),
        ("ExecuteStatement", DynoxideError::ConditionalCheckFailedException(message, Some(item))) => {
            DynoxideError::StatementConditionalCheckFailed(message, item)
        }
        (_, error) => error,
    };
    Answer { status: error.status_code(), body: error.to_json() }
}

/// What kind of JSON a member must be, for those that Dynoxide's types take as
/// any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    List,
    /// A map with any values.
    Map,
    /// A map whose values are maps, or null.
    Maps,
}

macro_rules! members {
    ($($field:ident: $kind:ident),* $(,)?) => {
        /// The members of all operations that are lists or maps.
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Members<'a> { $(#[serde(borrow)] $field: Option<&'a RawValue>,)* }

        impl<'a> Members<'a> {
            fn given(self) -> impl Iterator<Item = (&'a RawValue, Kind)> {
                [$((self.$field, Kind::$kind)),*].into_iter().filter_map(|(value, kind)| Some((value?, kind)))
            }
        }
    };
}

members! {
    attribute_definitions: List,
    key_schema: List,
    local_secondary_indexes: List,
    global_secondary_indexes: List,
    vector_indexes: List,
    global_secondary_index_updates: List,
    vector_index_updates: List,
    tags: List,
    attribute_updates: Maps,
    expected: Maps,
    expression_attribute_names: Map,
    expression_attribute_values: Maps,
    exclusive_start_key: Maps,
    item: Maps,
    key: Maps,
    key_conditions: Maps,
    provisioned_throughput: Map,
    query_filter: Maps,
    request_items: Map,
    scan_filter: Maps,
}

/// Refuses a list or map that is something else: several of Dynoxide's types
/// take any JSON there and would go on as if nothing were given.
///
/// # Errors
///
/// A SerializationException.
pub(super) fn check_members(body: &str) -> Result<(), DynoxideError> {
    let members: Members<'_> = decode(body)?;
    members.given().try_for_each(|(value, wanted)| check(value, wanted))
}

fn check(value: &RawValue, wanted: Kind) -> Result<(), DynoxideError> {
    let words = match (wanted, value.get().as_bytes().first()) {
        (Kind::List, Some(b'[')) | (Kind::Map, Some(b'{')) => return Ok(()),
        (Kind::Maps, Some(b'{')) => {
            let values: HashMap<String, &RawValue> = decode(value.get())?;
            if values.values().all(|value| matches!(value.get().as_bytes().first(), Some(b'{' | b'n'))) {
                return Ok(());
            }
            "Unexpected value type in payload"
        }
        (Kind::List, Some(b'{')) => "Start of structure or map found where not expected",
        (Kind::Map | Kind::Maps, Some(b'[')) => "Unrecognized collection type class java.util.Map",
        (Kind::List | Kind::Map | Kind::Maps, _) => "Unexpected field type",
    };
    Err(DynoxideError::SerializationException(words.to_owned()))
}

#[cfg(test)]
mod tests {
    use dynoxide::actions::put_item::PutItemRequest;
    use dynoxide::actions::scan::ScanRequest;
    use serde::de::DeserializeOwned;

    use super::*;

    fn refusal<T: DeserializeOwned>(operation: &str, body: &str) -> (String, String) {
        let error = check_members(body).and_then(|()| decode::<T>(body).map(drop)).unwrap_err();
        let body: serde_json::Value = serde_json::from_str(&answer(operation, error).body).unwrap();
        let message = body.get("message").or_else(|| body.get("Message"));
        let kind = body["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
        (kind, message.map_or("", |m| m.as_str().unwrap()).to_owned())
    }

    #[test]
    fn a_request_that_cannot_be_read_is_refused_in_dynamodbs_words() {
        let put = |body| refusal::<PutItemRequest>("PutItem", body);
        let serialization = |words: &str| ("SerializationException".to_owned(), words.to_owned());
        assert_eq!(put("{"), serialization(""));
        assert_eq!(put("not json"), serialization(""));
        assert_eq!(put(r#"{"TableName":1,"Item":{}}"#), serialization("NUMBER_VALUE cannot be converted to String"));
        assert_eq!(
            put(r#"{"TableName":"abc","Item":[]}"#),
            serialization("Unrecognized collection type class java.util.Map")
        );
        assert_eq!(put(r#"{"TableName":"abc","Item":7}"#), serialization("Unexpected field type"));
        assert_eq!(put(r#"{"TableName":"abc","Item":{"a":7}}"#), serialization("Unexpected value type in payload"));
        assert_eq!(put(r#"["abc",{}]"#), serialization(""));
        let (kind, message) = put(r#"{"TableName":"abc","Item":{"a":{}}}"#);
        assert_eq!(kind, "ValidationException");
        assert!(message.contains("Supplied AttributeValue is empty"), "{message}");
        let (kind, message) = put(r#"{"TableName":"abc","Item":{"a":{"NULL":false}}}"#);
        assert_eq!(kind, "ValidationException");
        assert!(message.starts_with("1 validation error detected: One or more parameter values"), "{message}");
    }

    #[test]
    fn no_marker_reaches_an_answer() {
        let bodies = [
            r#"{"TableName":"abc","Item":{"a":{"NULL":false}}}"#,
            r#"{"TableName":"abc","Item":{"a":{"S":"a","N":"1"}}}"#,
            r#"{"TableName":"abc","Item":{"a":{"N":"x"}}}"#,
            r#"{"TableName":"abc","Item":{"a":{"SS":[]}}}"#,
            r#"{"TableName":"abc","Item":{"a":{"B":"?"}}}"#,
            r#"{"TableName":"abc","Item":{"a":{"S":1}}}"#,
        ];
        for body in bodies {
            for operation in ["PutItem", "BatchWriteItem"] {
                let Err(error) = decode::<PutItemRequest>(body) else { continue };
                let text = answer(operation, error).body;
                assert!(!text.contains("VALIDATION") && !text.contains("SERIALIZATION"), "{body}: {text}");
            }
        }
    }

    #[test]
    fn a_wrong_type_is_no_absent_member() {
        let (kind, _) = refusal::<ScanRequest>("Scan", r#"{"TableName":"abc","ScanFilter":"all"}"#);
        assert_eq!(kind, "SerializationException");
    }
}
