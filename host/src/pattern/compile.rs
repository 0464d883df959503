//! From the text of a pattern to its rules.

use serde_json::{Map, Value};

use super::{Affix, Comparison, Field, MOST_CHARS, Matcher, Node, PatternError, Rule, fold_case};

/// The numbers that `numeric` takes, as EventBridge has it.
const LARGEST_NUMBER: f64 = 5.0e9;

type Result<T> = std::result::Result<T, PatternError>;

fn fail<T>(path: &str, reason: impl Into<String>) -> Result<T> {
    Err(PatternError { path: path.to_owned(), reason: reason.into() })
}

pub(super) fn pattern(text: &str) -> Result<Node> {
    let length = text.chars().count();
    if length > MOST_CHARS {
        return fail("$", format!("{length} characters, and at most {MOST_CHARS} are allowed"));
    }
    match serde_json::from_str(text) {
        Err(error) => fail("$", format!("not JSON: {error}")),
        Ok(Value::Object(map)) => node(&map, "$"),
        Ok(_) => fail("$", "not an object"),
    }
}

fn node(map: &Map<String, Value>, path: &str) -> Result<Node> {
    if map.is_empty() {
        return fail(path, "an empty object");
    }
    let mut node = Node::default();
    for (name, value) in map {
        let path = format!("{path}.{name}");
        match value {
            Value::Array(list) if name == "$or" => node.alternatives.push(alternatives(list, &path)?),
            Value::Object(map) => node.fields.push(field(name, Rule::Object(self::node(map, &path)?))),
            Value::Array(list) => node.fields.push(field(name, Rule::Leaf(leaf(list, &path)?))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return fail(&path, "expected a list of values or an object");
            }
        }
    }
    Ok(node)
}

/// Its position is found once all patterns are known that look at the object.
fn field(name: &str, rule: Rule) -> Field {
    Field { name: name.to_owned(), position: 0, rule }
}

fn alternatives(list: &[Value], path: &str) -> Result<Vec<Node>> {
    if list.len() < 2 {
        return fail(path, "expected a list of two or more objects");
    }
    list.iter()
        .enumerate()
        .map(|(i, value)| match value {
            Value::Object(map) => node(map, &format!("{path}[{i}]")),
            _ => fail(&format!("{path}[{i}]"), "expected an object"),
        })
        .collect()
}

fn leaf(list: &[Value], path: &str) -> Result<Vec<Matcher>> {
    if list.is_empty() {
        return fail(path, "an empty list");
    }
    list.iter().enumerate().map(|(i, value)| matcher(value, &format!("{path}[{i}]"))).collect()
}

fn matcher(value: &Value, path: &str) -> Result<Matcher> {
    match value {
        Value::Object(map) => operator(map, path),
        Value::Array(_) => fail(path, "a list in a list"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => scalar(value, path),
    }
}

fn scalar(value: &Value, path: &str) -> Result<Matcher> {
    match value {
        Value::Null => Ok(Matcher::Null),
        Value::Bool(value) => Ok(Matcher::Bool(*value)),
        Value::String(text) => Ok(Matcher::Text(text.clone())),
        Value::Number(number) => {
            number.as_f64().map_or_else(|| fail(path, "a number too large"), |n| Ok(Matcher::Number(n)))
        }
        Value::Array(_) | Value::Object(_) => fail(path, "expected a string, a number, true, false or null"),
    }
}

fn operator(map: &Map<String, Value>, path: &str) -> Result<Matcher> {
    let (Some((name, value)), 1) = (map.iter().next(), map.len()) else {
        return fail(path, "expected one operator in the object");
    };
    let path = format!("{path}.{name}");
    match name.as_str() {
        "prefix" => affix(value, &path).map(Matcher::Prefix),
        "suffix" => affix(value, &path).map(Matcher::Suffix),
        "equals-ignore-case" => text(value, &path).map(|text| Matcher::EqualsIgnoreCase(fold_case(text).into_owned())),
        "anything-but" => anything_but(value, &path),
        "exists" => match value {
            Value::Bool(exists) => Ok(Matcher::Exists(*exists)),
            _ => fail(&path, "expected true or false"),
        },
        "numeric" => numeric(value, &path),
        "wildcard" | "cidr" => fail(&path, "an operator of EventBridge that event source mappings do not have"),
        _ => fail(
            &path,
            "unknown operator (there are prefix, suffix, equals-ignore-case, anything-but, exists and numeric)",
        ),
    }
}

fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str> {
    value.as_str().map_or_else(|| fail(path, "expected a string"), Ok)
}

fn affix(value: &Value, path: &str) -> Result<Affix> {
    match value {
        Value::String(text) if text.is_empty() => fail(path, "an empty string"),
        Value::String(text) => Ok(Affix { text: text.clone(), ignore_case: false }),
        Value::Object(map) if map.len() == 1 && map.contains_key("equals-ignore-case") => {
            let text = text(&map["equals-ignore-case"], path)?;
            Ok(Affix { text: fold_case(text).into_owned(), ignore_case: true })
        }
        _ => fail(path, "expected a string or {\"equals-ignore-case\": string}"),
    }
}

fn anything_but(value: &Value, path: &str) -> Result<Matcher> {
    let unwanted = match value {
        Value::Array(list) if list.is_empty() => return fail(path, "an empty list"),
        Value::Array(list) => {
            list.iter().enumerate().map(|(i, value)| scalar(value, &format!("{path}[{i}]"))).collect::<Result<_>>()?
        }
        Value::Object(map) => match operator(map, path)? {
            matcher @ (Matcher::Prefix(_) | Matcher::Suffix(_) | Matcher::EqualsIgnoreCase(_)) => vec![matcher],
            _ => return fail(path, "only prefix, suffix and equals-ignore-case can stand in anything-but"),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![scalar(value, path)?],
    };
    Ok(Matcher::AnythingBut(unwanted))
}

fn numeric(value: &Value, path: &str) -> Result<Matcher> {
    const FORM: &str = "expected [\"=\", number], or one or two of <, <=, > and >= each followed by a number";
    let Value::Array(list) = value else { return fail(path, FORM) };
    let mut comparisons = Vec::new();
    for pair in list.chunks(2) {
        let [Value::String(sign), Value::Number(number)] = pair else { return fail(path, FORM) };
        let comparison = match sign.as_str() {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return fail(path, FORM),
        };
        match number.as_f64() {
            Some(number) if number.abs() <= LARGEST_NUMBER => comparisons.push((comparison, number)),
            _ => return fail(path, "a number beyond ±5,000,000,000"),
        }
    }
    let upper = |c: &Comparison| matches!(c, Comparison::Less | Comparison::LessOrEqual);
    match comparisons.as_slice() {
        [_] => {}
        [(first, low), (second, high)] => {
            let equal = |c: &Comparison| *c == Comparison::Equal;
            if equal(first) || equal(second) || upper(first) == upper(second) {
                return fail(path, FORM);
            }
            let (low, high) = if upper(first) { (high, low) } else { (low, high) };
            if low >= high {
                return fail(path, "an empty range");
            }
        }
        _ => return fail(path, FORM),
    }
    Ok(Matcher::Numeric(comparisons))
}
