//! Random patterns on random records, against a model on `serde_json::Value`.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Pattern, Patterns, event_of};

/// Few names and few values, so that patterns often hit.
const NAMES: [&str; 3] = ["a", "b", "S"];
const TEXTS: [&str; 5] = ["", "x", "X", "xy", "yx"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => proptest::sample::select(&TEXTS[..]).prop_map(Value::from),
        2 => (0..3i64).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!(0.5)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            object(inner).prop_map(Value::Object),
        ]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map(proptest::sample::select(&NAMES[..]), inner, 0..3)
        .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn operator() -> impl Strategy<Value = Value> {
    let text = || proptest::sample::select(&TEXTS[1..]);
    prop_oneof![
        text().prop_map(|text| json!({ "prefix": text })),
        text().prop_map(|text| json!({ "suffix": text })),
        text().prop_map(|text| json!({ "prefix": { "equals-ignore-case": text } })),
        text().prop_map(|text| json!({ "equals-ignore-case": text })),
        scalar().prop_map(|value| json!({ "anything-but": value })),
        proptest::collection::vec(scalar(), 1..3).prop_map(|list| json!({ "anything-but": list })),
        text().prop_map(|text| json!({ "anything-but": { "suffix": text } })),
        any::<bool>().prop_map(|exists| json!({ "exists": exists })),
        (proptest::sample::select(&["=", "<", "<=", ">", ">="][..]), 0..3i64)
            .prop_map(|(sign, number)| json!({ "numeric": [sign, number] })),
    ]
}

fn rules() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = proptest::collection::vec(prop_oneof![scalar(), operator()], 1..3).prop_map(Value::from);
    let node = leaf.prop_recursive(3, 10, 3, |inner| {
        let fields = proptest::collection::btree_map(proptest::sample::select(&NAMES[..]), inner, 1..3);
        let fields = fields.prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()));
        prop_oneof![
            3 => fields.clone(),
            1 => (proptest::option::of(fields.clone()), fields.clone(), fields).prop_map(|(with, one, other)| {
                let mut map = with.and_then(|value| value.as_object().cloned()).unwrap_or_default();
                map.insert("$or".to_owned(), json!([one, other]));
                Value::Object(map)
            }),
        ]
    });
    const FIELDS: [&str; 3] = ["eventName", "novel", "dynamodb"];
    proptest::collection::btree_map(proptest::sample::select(&FIELDS[..]), node, 1..3).prop_map(|map| {
        let wrap = |(name, rule): (&str, Value)| {
            let rule = if name == "dynamodb" { json!({ "NewImage": rule.clone(), "Novel": rule }) } else { rule };
            (name.to_owned(), rule)
        };
        map.into_iter().map(wrap).collect()
    })
}

fn record() -> impl Strategy<Value = Value> {
    (object(value()), proptest::option::of(value()), proptest::option::of(value())).prop_map(|(image, novel, inner)| {
        let mut record = super::record();
        record["dynamodb"]["NewImage"] = Value::Object(image);
        if let Some(novel) = novel {
            record["novel"] = novel;
        }
        if let Some(inner) = inner {
            record["dynamodb"]["Novel"] = inner;
        }
        record
    })
}

fn object_matches(rules: &Map<String, Value>, object: &Map<String, Value>) -> bool {
    rules.iter().all(|(name, rule)| match rule {
        Value::Array(list) if name == "$or" => {
            list.iter().any(|rules| object_matches(rules.as_object().unwrap(), object))
        }
        Value::Array(list) => list.iter().any(|wanted| leaf_matches(wanted, object.get(name))),
        rule => below_matches(rule.as_object().unwrap(), object.get(name)),
    })
}

fn below_matches(rules: &Map<String, Value>, value: Option<&Value>) -> bool {
    let nothing = Map::new();
    match value {
        Some(Value::Object(object)) => object_matches(rules, object),
        Some(Value::Array(list)) if list.iter().any(|value| value.is_object() || value.is_array()) => {
            let inner = list.iter().filter(|value| value.is_object() || value.is_array());
            inner.map(|value| value.as_object().unwrap_or(&nothing)).any(|object| object_matches(rules, object))
        }
        _ => object_matches(rules, &nothing),
    }
}

/// A leaf has values: none when it is absent, an object or a list of such.
fn leaf_matches(wanted: &Value, value: Option<&Value>) -> bool {
    let is_leaf = |value: &&Value| !value.is_object() && !value.is_array();
    let values: Vec<&Value> = match value {
        Some(Value::Array(list)) => list.iter().filter(is_leaf).collect(),
        value => value.into_iter().filter(is_leaf).collect(),
    };
    match wanted.get("exists").and_then(Value::as_bool) {
        Some(exists) => exists != values.is_empty(),
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
        let (Some(number), Some(bound)) = (value.as_f64(), operand[1].as_f64()) else { return false };
        return match operand[0].as_str().unwrap() {
            "=" => number == bound,
            "<" => number < bound,
            "<=" => number <= bound,
            ">" => number > bound,
            _ => number >= bound,
        };
    }
    let Some(text) = value.as_str() else { return false };
    let folded = operand.get("equals-ignore-case").and_then(Value::as_str).map(str::to_lowercase);
    let (text, operand) = match folded {
        Some(folded) => (text.to_lowercase(), folded),
        None => (text.to_owned(), operand.as_str().unwrap().to_owned()),
    };
    match operator.as_str() {
        "prefix" => text.starts_with(&operand),
        "suffix" => text.ends_with(&operand),
        _ => text.to_lowercase() == operand.to_lowercase(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r05_patterns_match_as_the_model_does(rules in rules(), record in record()) {
        let pattern = Pattern::parse(&Value::Object(rules.clone()).to_string()).unwrap();
        let event = event_of(&record);
        let expected = object_matches(&rules, record.as_object().unwrap());
        prop_assert_eq!(pattern.matches(event.record(0)), Ok(expected));
    }

    /// What one pattern has found in a record serves the others.
    #[test]
    fn r05_patterns_of_several_handlers_match_as_each_alone(
        rules in proptest::collection::vec(rules(), 1..6),
        record in record(),
    ) {
        let pattern = |rules: &Map<String, Value>| vec![Pattern::parse(&Value::Object(rules.clone()).to_string()).unwrap()];
        let patterns = Patterns::new(rules.iter().map(pattern).collect());
        let event = event_of(&record);
        let on_record = patterns.on(event.record(0));
        for (handler, rules) in rules.iter().enumerate() {
            let expected = object_matches(rules, record.as_object().unwrap());
            prop_assert_eq!(on_record.is_for(handler), Ok(expected), "handler {}", handler);
        }
    }

    #[test]
    fn r05_no_text_whatever_makes_the_compiler_panic(text in "[\\[\\]{}\":,$a-z0-9. -]{0,60}") {
        drop(Pattern::parse(&text));
    }
}
