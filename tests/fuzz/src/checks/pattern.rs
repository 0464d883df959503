//! `Pattern::parse` and its matching.
//!
//! The input is a pattern and, after a line break, an event; without one, a
//! small event of our own. (A pattern needs no line break: a tab is white space
//! too.)

use gristmill_host::event::{Event, Record};
use gristmill_host::pattern::{Pattern, Patterns};
use serde_json::{Map, Value};

const EVENT: &str = r##"{"Records":[{"eventID":"1a8","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1550272599.25,"Keys":{"id":{"S":"order#17"}},"NewImage":{"id":{"S":"order#17"},"color":{"S":"Red"},"size":{"N":"42"},"on":{"BOOL":true},"gone":{"NULL":true},"tags":{"SS":["a","B"]},"address":{"M":{"city":{"S":"Basel"}}},"list":{"L":[{"S":"x"},{"N":"1"}]}},"OldImage":{},"SequenceNumber":"7","SizeBytes":120,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/t/stream/l","novel":[1,"x",null]}]}"##;

/// The check.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, event) = text.split_once('\n').unwrap_or((text, EVENT));
    let rules = serde_json::from_str::<Value>(text);
    let pattern = match Pattern::parse(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            assert!(error.path.starts_with('$') && !error.reason.is_empty(), "{error}");
            return;
        }
    };
    let Ok(Value::Object(rules)) = rules else { panic!("taken for a pattern: {text}") };
    assert_eq!(Pattern::parse(text), Ok(pattern.clone()));
    let Ok(event) = Event::from_slice(event.as_bytes()) else { return };
    for record in event.records() {
        check_record(&pattern, &rules, record, text);
    }
}

fn check_record(pattern: &Pattern, rules: &Map<String, Value>, record: Record<'_>, text: &str) {
    let found = pattern.matches(record);
    // Read together, of which the second finds what the first has read.
    let patterns = Patterns::new(vec![vec![pattern.clone(), pattern.clone()], vec![pattern.clone()], vec![]]);
    let on_record = patterns.on(record);
    assert_eq!(on_record.is_for(0), found, "{text}");
    assert_eq!(on_record.is_for(1), found, "{text}");
    assert_eq!(on_record.is_for(2), Ok(true));
    // What no tree can have (half of a surrogate pair, a number beyond any
    // float) may be unreadable, where the pattern looks at it.
    let Ok(Value::Object(model)) = serde_json::from_str(record.json()) else { return };
    assert_eq!(found, Ok(object_matches(rules, &model)), "{text}\n{}", record.json());
}

fn object_matches(rules: &Map<String, Value>, object: &Map<String, Value>) -> bool {
    rules.iter().all(|(name, rule)| match rule {
        Value::Array(list) if name == "$or" => {
            list.iter().any(|rules| rules.as_object().is_some_and(|rules| object_matches(rules, object)))
        }
        Value::Array(list) => list.iter().any(|wanted| leaf_matches(wanted, object.get(name))),
        rule => rule.as_object().is_some_and(|rules| below_matches(rules, object.get(name))),
    })
}

fn is_leaf(value: &&Value) -> bool {
    !value.is_object() && !value.is_array()
}

/// An object's rules: on an object, or on any of a list. On all else, every
/// field is absent.
fn below_matches(rules: &Map<String, Value>, value: Option<&Value>) -> bool {
    let nothing = Map::new();
    match value {
        Some(Value::Object(object)) => object_matches(rules, object),
        Some(Value::Array(list)) if !list.iter().all(|value| is_leaf(&value)) => {
            let inner = list.iter().filter(|value| !is_leaf(value));
            inner.map(|value| value.as_object().unwrap_or(&nothing)).any(|object| object_matches(rules, object))
        }
        _ => object_matches(rules, &nothing),
    }
}

/// A leaf has values: none when it is absent, an object, or a list of such.
fn leaf_matches(wanted: &Value, value: Option<&Value>) -> bool {
    let values: Vec<&Value> = match value {
        Some(Value::Array(list)) => list.iter().filter(is_leaf).collect(),
        value => value.into_iter().filter(is_leaf).collect(),
    };
    match wanted.get("exists") {
        Some(exists) => *exists == Value::Bool(!values.is_empty()),
        None => values.into_iter().any(|value| value_matches(wanted, value)),
    }
}

fn value_matches(wanted: &Value, value: &Value) -> bool {
    let Some((operator, operand)) = wanted.as_object().and_then(|map| map.iter().next()) else {
        return match (wanted.as_f64(), value.as_f64()) {
            (Some(wanted), Some(number)) => wanted == number,
            _ => wanted == value,
        };
    };
    if operator == "anything-but" {
        return match operand {
            Value::Array(list) => list.iter().all(|unwanted| !value_matches(unwanted, value)),
            one => !value_matches(one, value),
        };
    }
    if operator == "numeric" {
        let Some(number) = value.as_f64() else { return false };
        let comparisons = operand.as_array().map_or(&[][..], Vec::as_slice).chunks(2);
        return comparisons.into_iter().all(|pair| {
            let bound = pair[1].as_f64().unwrap_or(f64::NAN);
            match pair[0].as_str() {
                Some("=") => number == bound,
                Some("<") => number < bound,
                Some("<=") => number <= bound,
                Some(">") => number > bound,
                _ => number >= bound,
            }
        });
    }
    let Some(text) = value.as_str() else { return false };
    let folded = operand.get("equals-ignore-case").and_then(Value::as_str).map(str::to_lowercase);
    let (text, operand) = match folded {
        Some(folded) => (text.to_lowercase(), folded),
        None => (text.to_owned(), operand.as_str().unwrap_or_default().to_owned()),
    };
    match operator.as_str() {
        "prefix" => text.starts_with(&operand),
        "suffix" => text.ends_with(&operand),
        _ => text.to_lowercase() == operand.to_lowercase(),
    }
}
