//! Whether what became of a record is what a case asks for. Works on what
//! `gristmill invoke --output json` prints, and knows nothing of how it came.

use std::collections::BTreeMap;

use base64::Engine as _;
use gristmill_host::event::Decimal;
use serde_json::{Map, Value, json};

use super::cases::{CREATED_AT_MS, Case, Expect, STREAM_ARN, TABLE};

/// What is known of the invocation of a case.
pub(super) struct Invocation<'a> {
    pub(super) request_id: &'a str,
    pub(super) handler: &'a str,
    /// When it began and when it was over, in milliseconds since the Unix epoch.
    pub(super) between_ms: [u64; 2],
    /// What `invoke` printed.
    pub(super) printed: &'a Value,
    /// What the same printed at another time; for what must be another each time.
    pub(super) again: &'a Value,
}

/// Nothing, or what is wrong.
pub(super) fn judge(case: &Case, invocation: &Invocation<'_>) -> Result<(), String> {
    let [own, next] = case.numbers();
    let printed = Printed { value: invocation.printed, number: &own };
    printed.meets(case, invocation)?;
    let after = Printed { value: invocation.printed, number: &next };
    let outcome = after.outcome();
    if outcome != "done" {
        return Err(format!("the record after it is {outcome}{}", shown(&after.detail())));
    }
    let keys = json!({ "case": { "S": "echo" }, "id": { "S": "after" } });
    after.echoes(&keys, Some(&json!({ "a": { "N": "1" } })), None).map_err(|why| format!("the record after it: {why}"))
}

/// What was printed of one record.
struct Printed<'a> {
    value: &'a Value,
    number: &'a str,
}

impl<'a> Printed<'a> {
    fn own(&self, list: &str) -> Vec<&'a Value> {
        let all = self.value[list].as_array().into_iter().flatten();
        all.filter(|each| each["sequenceNumber"] == self.number).collect()
    }

    fn outcome(&self) -> &'a str {
        self.own("records").first().and_then(|record| record["outcomes"][0]["outcome"].as_str()).unwrap_or("not told")
    }

    fn detail(&self) -> String {
        let records = self.own("records");
        let detail = records.first().and_then(|record| record["outcomes"][0]["detail"].as_str());
        detail.unwrap_or_default().to_owned()
    }

    /// The lines of a stream: `stdout`, `stderr` or `log`.
    fn lines(&self, stream: &str) -> Vec<&'a Value> {
        self.own("log").into_iter().filter(|line| line["stream"] == stream).collect()
    }

    fn is(&self, outcome: &str) -> Result<(), String> {
        match self.outcome() {
            found if found == outcome => Ok(()),
            found => Err(format!("it is {found}{}, and not {outcome}", shown(&self.detail()))),
        }
    }

    /// The fields of the only line that was logged with a message.
    fn logged(&self, message: &str) -> Result<(&'a Value, BTreeMap<&'a str, &'a str>), String> {
        let lines: Vec<_> = self.lines("log").into_iter().filter(|line| line["message"] == message).collect();
        let [line] = lines.as_slice() else {
            return Err(format!("{} lines are logged with the message {message:?}, and not one", lines.len()));
        };
        let pairs = line["fields"].as_array().into_iter().flatten();
        let field = |pair: &'a Value| Some((pair[0].as_str()?, pair[1].as_str()?));
        let fields: Vec<_> = pairs.filter_map(field).collect();
        let map: BTreeMap<_, _> = fields.iter().copied().collect();
        if map.len() != fields.len() {
            return Err(format!("a field is twice in {}", line["fields"]));
        }
        Ok((line, map))
    }

    fn meets(&self, case: &Case, invocation: &Invocation<'_>) -> Result<(), String> {
        match &case.expect {
            Expect::Echo => {
                self.is("done")?;
                let image = |image: &Option<Map<String, Value>>| image.clone().map(Value::Object);
                self.echoes(&case.keys(), image(&case.new).as_ref(), image(&case.old).as_ref())
            }
            Expect::Refused { says } => {
                self.is("rejected")?;
                let detail = self.detail();
                let missing = says.iter().find(|text| !detail.contains(text.as_str()));
                missing.map_or(Ok(()), |text| Err(format!("its text has no {text:?}{}", shown(&detail))))
            }
            Expect::Failure { outcome, text } => {
                self.is(outcome)?;
                let (text, detail) = (text.as_str().unwrap_or_default(), self.detail());
                // The host keeps a bounded part of a long one.
                let is_kept = text.len() > 4096 && detail.len() > 1000 && detail.starts_with(&text[..1000]);
                if detail == text || is_kept {
                    return Ok(());
                }
                Err(format!("its text is another{}", shown(&detail)))
            }
            Expect::Fails { says } => {
                let outcome = self.outcome();
                if !["retry", "rejected", "trapped", "limit"].contains(&outcome) {
                    return Err(format!("it is {outcome}{}, and no failure", shown(&self.detail())));
                }
                let Some(says) = says else { return Ok(()) };
                let said = self.own("log").into_iter().filter_map(|line| line["message"].as_str());
                if said.chain([&*self.detail()]).any(|text| text.contains(says.as_str())) {
                    return Ok(());
                }
                Err(format!("{says:?} is neither in its text nor printed{}", shown(&self.detail())))
            }
            Expect::TimesOut => self.is("timed-out"),
            Expect::Prints { stream, text, bytes } => {
                self.is("done")?;
                self.prints(stream.as_deref().unwrap_or("stdout"), text.as_deref(), *bytes)
            }
            Expect::Logs { level, message, fields } => {
                self.is("done")?;
                let (line, found) = self.logged(message)?;
                if line["level"] != level.as_str() {
                    return Err(format!("the level is {}, and not {level}", line["level"]));
                }
                let wanted: BTreeMap<&str, &str> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
                if found == wanted { Ok(()) } else { Err(format!("the fields are {found:?}")) }
            }
            Expect::Accessors => {
                self.is("done")?;
                self.tells_all(case, invocation)
            }
            Expect::Clock => {
                self.is("done")?;
                self.tells_the_time(invocation.between_ms)
            }
            Expect::Random => {
                self.is("done")?;
                let mut numbers = Vec::new();
                for printed in [invocation.printed, invocation.again] {
                    let (_, fields) = Printed { value: printed, number: self.number }.logged("random")?;
                    for name in ["first", "second"] {
                        let number = fields.get(name).copied().unwrap_or_default().to_ascii_lowercase();
                        if number.len() != 16 || number.chars().any(|c| !c.is_ascii_hexdigit()) {
                            return Err(format!("`{name}` is {number:?}, and not 16 hexadecimal digits"));
                        }
                        numbers.push(number);
                    }
                }
                // The first and the second may be one source, but never one number of it in two instances.
                let same = (0..2).find(|index| numbers[*index] == numbers[index + 2]);
                same.map_or(Ok(()), |index| Err(format!("two instances have the same number {}", numbers[index])))
            }
        }
    }

    fn echoes(&self, keys: &Value, new: Option<&Value>, old: Option<&Value>) -> Result<(), String> {
        let (_, fields) = self.logged("echo")?;
        for (name, wanted) in [("keys", Some(keys)), ("new", new), ("old", old)] {
            match (fields.get(name), wanted) {
                (None, None) => {}
                (Some(_), None) => return Err(format!("there is no image for `{name}`, and it is logged")),
                (None, Some(_)) => return Err(format!("`{name}` is not logged")),
                (Some(text), Some(wanted)) => {
                    let found: Value = serde_json::from_str(text)
                        .map_err(|error| format!("`{name}` is not JSON ({error}){}", shown(text)))?;
                    let place = same_item(&found, wanted).map_err(|place| format!("{name}{place}"));
                    place.map_err(|place| format!("{place} has come out as another value{}", shown(text)))?;
                }
            }
        }
        Ok(())
    }

    fn prints(&self, stream: &str, text: Option<&str>, bytes: Option<u64>) -> Result<(), String> {
        let lines = self.lines(stream);
        let printed: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
        if let Some(text) = text {
            return match printed.as_slice() {
                [only] if *only == text => Ok(()),
                other => Err(format!("{stream} has {other:?}")),
            };
        }
        let bytes = bytes.unwrap_or_default();
        let left_out: u64 = lines.iter().filter_map(|line| line["leftOutBytes"].as_u64()).sum();
        let kept: u64 = printed.iter().map(|text| text.len() as u64).sum();
        if let Some(other) = printed.iter().find(|text| text.chars().any(|c| c != 'x')) {
            return Err(format!("{stream} has {}", shown(other)));
        }
        // Long lines are cut into several, and line ends are left out with the rest.
        if (bytes..=bytes + 2).contains(&(kept + left_out)) {
            return Ok(());
        }
        Err(format!("{stream} has {kept} bytes, and {left_out} are told as left out: not {bytes}"))
    }

    fn tells_the_time(&self, [begin, end]: [u64; 2]) -> Result<(), String> {
        let (_, fields) = self.logged("clock")?;
        let mut times = [0.0; 2];
        for (time, name) in times.iter_mut().zip(["first-ms", "second-ms"]) {
            let text = fields.get(name).copied().unwrap_or_default();
            *time = text.parse::<f64>().map_err(|_| format!("`{name}` is {text:?}, and no number"))?;
        }
        // A clock may have no more than whole milliseconds.
        let [begin, end] = [begin as f64 - 1.0, end as f64 + 1.0];
        if times[0] >= begin && times[1] > times[0] && times[1] <= end {
            return Ok(());
        }
        Err(format!("the times are {times:?}, and the invocation was from {begin} to {end}"))
    }

    fn tells_all(&self, case: &Case, invocation: &Invocation<'_>) -> Result<(), String> {
        let (_, mut fields) = self.logged("accessors")?;
        let record = case.record();
        let keys = case.keys().to_string();
        let mut display = format!("{} {TABLE} keys {keys}", case.event_name);
        for (name, image) in [("old", &case.old), ("new", &case.new)] {
            if let Some(image) = image {
                display.push_str(&format!(" {name} {}", json!(image)));
            }
        }
        let created_at = CREATED_AT_MS.to_string();
        let mut wanted: Vec<(&str, Option<&str>)> = vec![
            ("event-id", Some("c0ffee")),
            ("table", Some(TABLE)),
            ("stream-arn", Some(STREAM_ARN)),
            ("region", Some("eu-west-1")),
            ("sequence-number", Some(self.number)),
            ("event-name", Some(&case.event_name)),
            ("size-bytes", (!case.bare).then_some("59")),
            ("created-at-ms", (!case.bare).then_some(&created_at)),
            ("identity-type", case.ttl.then_some("Service")),
            ("identity-principal-id", case.ttl.then_some("dynamodb.amazonaws.com")),
            ("ttl-delete", Some(if case.ttl { "true" } else { "false" })),
            ("json", Some(&record)),
            ("display", Some(&display)),
        ];
        wanted.extend([
            ("request-id", Some(invocation.request_id)),
            ("handler", Some(invocation.handler)),
            ("function-name", Some(super::FUNCTION)),
            ("function-version", Some("$LATEST")),
            ("attempt", Some("1")),
            ("trace-header", Some(super::TRACE)),
        ]);
        // The one that is another each time.
        let deadline = fields.remove("deadline-ms").unwrap_or_default();
        if deadline.parse::<u64>().is_ok_and(|ms| ms > invocation.between_ms[0]) {
            wanted.retain(|(name, _)| *name != "deadline-ms");
        } else {
            return Err(format!("`deadline-ms` is {deadline:?}, and not a time to come"));
        }
        for (name, value) in wanted {
            match (fields.remove(name), value) {
                (found, wanted) if found == wanted => {}
                (found, wanted) => return Err(format!("`{name}` is {found:?}, and not {wanted:?}")),
            }
        }
        match fields.keys().next() {
            Some(name) => Err(format!("there is a field `{name}` that nobody asked for")),
            None => Ok(()),
        }
    }
}

/// A text for a message, short.
fn shown(text: &str) -> String {
    const MOST: usize = 300;
    match text.chars().count() {
        0 => String::new(),
        1..=MOST => format!(": {text}"),
        _ => format!(": {}…", text.chars().take(MOST).collect::<String>()),
    }
}

/// Whether two items mean the same; the place where they do not.
fn same_item(found: &Value, wanted: &Value) -> Result<(), String> {
    let (Some(found), Some(wanted)) = (found.as_object(), wanted.as_object()) else { return Err(String::new()) };
    if found.len() != wanted.len() {
        return Err(String::new());
    }
    for (name, wanted) in wanted {
        let value = found.get(name).ok_or_else(|| format!(".{name}"))?;
        same(value, wanted).map_err(|place| format!(".{name}{place}"))?;
    }
    Ok(())
}

/// The same of two attribute values: numbers by what they are, sets in any order,
/// all else exactly.
fn same(found: &Value, wanted: &Value) -> Result<(), String> {
    let one = |value: &Value| {
        let object = value.as_object().filter(|object| object.len() == 1)?;
        object.iter().next().map(|(tag, value)| (tag.clone(), value.clone()))
    };
    let (Some((tag, found)), Some((wanted_tag, wanted))) = (one(found), one(wanted)) else { return Err(String::new()) };
    if tag != wanted_tag {
        return Err(String::new());
    }
    let is_same = match tag.as_str() {
        "M" => return same_item(&found, &wanted),
        "L" => {
            let (Some(found), Some(wanted)) = (found.as_array(), wanted.as_array()) else { return Err(String::new()) };
            if found.len() != wanted.len() {
                return Err(String::new());
            }
            for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
                same(found, wanted).map_err(|place| format!("[{index}]{place}"))?;
            }
            true
        }
        "SS" | "NS" | "BS" => {
            let elements = |set: &Value| {
                let texts = set.as_array()?.iter().map(|each| canonical(&tag[..1], each));
                let mut texts = texts.collect::<Option<Vec<_>>>()?;
                texts.sort();
                Some(texts)
            };
            elements(&found).is_some_and(|found| Some(found) == elements(&wanted))
        }
        _ => canonical(&tag, &found).is_some_and(|found| Some(found) == canonical(&tag, &wanted)),
    };
    if is_same { Ok(()) } else { Err(String::new()) }
}

/// A text that two scalars have in common when they mean the same.
fn canonical(tag: &str, value: &Value) -> Option<String> {
    match tag {
        "N" => number(value.as_str()?),
        "B" => Some(format!("{:?}", base64::engine::general_purpose::STANDARD.decode(value.as_str()?).ok()?)),
        "S" => value.as_str().map(str::to_owned),
        _ => Some(value.to_string()),
    }
}

/// The canonical spelling of a number.
fn number(text: &str) -> Option<String> {
    let mut canonical = Vec::new();
    Decimal::parse(text)?.write(&mut canonical);
    String::from_utf8(canonical).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_one_by_what_they_mean() {
        for (one, other) in [
            ("1.50", "1.5"),
            ("1e5", "100000"),
            ("1E+2", "100"),
            ("-0.0", "0"),
            ("0.1", "1e-1"),
            ("+7", "7"),
            ("007", "7"),
        ] {
            assert_eq!(number(one), number(other), "{one} {other}");
        }
        for (one, other) in [
            ("1", "-1"),
            ("1", "10"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345679"),
        ] {
            assert_ne!(number(one), number(other), "{one} {other}");
        }
        assert_eq!([number(""), number("x"), number("1,5"), number("--1")], [None, None, None, None]);
    }

    #[test]
    fn values_that_mean_the_same_are_told_from_others() {
        let wanted =
            json!({ "a": { "SS": ["x", "y"] }, "l": { "L": [{ "N": "1" }, { "M": { "b": { "B": "AQ==" } } }] } });
        let same =
            json!({ "a": { "SS": ["y", "x"] }, "l": { "L": [{ "N": "1.0" }, { "M": { "b": { "B": "AQ==" } } }] } });
        assert_eq!(same_item(&same, &wanted), Ok(()));
        for (pointer, other, place) in [
            ("/a/SS", json!(["x", "x", "y"]), ".a"),
            ("/a/SS", json!(["x"]), ".a"),
            ("/l/L/0/N", json!("2"), ".l[0]"),
            ("/l/L/0", json!({ "S": "1" }), ".l[0]"),
            ("/l/L/1/M/b/B", json!("Ag=="), ".l[1].b"),
            ("/l/L/1/M", json!({}), ".l[1]"),
            ("/l/L/1", json!({ "M": { "b": { "B": "AQ==" } }, "S": "" }), ".l[1]"),
        ] {
            let mut found = same.clone();
            *found.pointer_mut(pointer).unwrap() = other;
            assert_eq!(same_item(&found, &wanted), Err(place.to_owned()), "{found}");
        }
    }

    fn first(expect: fn(&Expect) -> bool) -> Case {
        super::super::cases::all().unwrap().into_iter().find(|case| expect(&case.expect)).unwrap()
    }

    fn judged(case: &Case, outcome: &str, detail: Value, log: Value) -> Result<(), String> {
        let mut lines = log.as_array().cloned().unwrap_or_default();
        let [own, next] = case.numbers();
        lines.iter_mut().for_each(|line| line["sequenceNumber"] = json!(own));
        let keys = r#"{"id":{"S":"after"},"case":{"S":"echo"}}"#;
        lines.push(json!({ "sequenceNumber": next, "stream": "log", "level": "INFO", "message": "echo",
            "fields": [["keys", keys], ["new", r#"{"a":{"N":"1"}}"#]] }));
        let record = |number: &str, outcome: &str, detail: Value| json!({ "sequenceNumber": number, "outcomes": [{ "outcome": outcome, "detail": detail }] });
        let printed =
            json!({ "records": [record(&own, outcome, detail), record(&next, "done", Value::Null)], "log": lines });
        judge(
            case,
            &Invocation { request_id: "r", handler: "h", between_ms: [5, 9], printed: &printed, again: &printed },
        )
    }

    #[test]
    fn a_handler_that_does_nothing_passes_no_case() {
        for case in super::super::cases::all().unwrap() {
            assert!(judged(&case, "done", Value::Null, json!([])).is_err(), "{}: {}", case.group, case.name);
        }
    }

    #[test]
    fn failures_are_judged_by_kind_and_text() {
        let case = first(|expect| matches!(expect, Expect::Failure { .. }));
        let Expect::Failure { outcome, text } = &case.expect else { unreachable!() };
        assert_eq!(judged(&case, outcome, text.clone(), json!([])), Ok(()));
        assert!(judged(&case, "trapped", text.clone(), json!([])).is_err());
        assert!(judged(&case, outcome, json!("other"), json!([])).is_err());
        let case = first(|expect| matches!(expect, Expect::Fails { says: Some(_) }));
        assert!(judged(&case, "trapped", json!("unreachable"), json!([])).is_err());
        let said = json!([{ "stream": "stderr", "message": "panicked: boom 7" }]);
        assert_eq!(judged(&case, "trapped", json!("unreachable"), said), Ok(()));
        assert!(judged(&case, "timed-out", json!("boom 7"), json!([])).is_err());
    }

    #[test]
    fn the_clock_and_chance_are_judged() {
        let line = |message: &str, fields: Value| json!([{ "stream": "log", "level": "INFO", "message": message, "fields": fields }]);
        let case = first(|expect| matches!(expect, Expect::Clock));
        let times = |first: &str, second: &str| line("clock", json!([["first-ms", first], ["second-ms", second]]));
        assert_eq!(judged(&case, "done", Value::Null, times("5", "8.5")), Ok(()));
        for (first, second) in [("5", "5"), ("1", "8"), ("5", "90"), ("x", "8")] {
            assert!(judged(&case, "done", Value::Null, times(first, second)).is_err(), "{first} {second}");
        }
        // `judged` gives the same numbers for both instances, as a frozen source does.
        let case = first(|expect| matches!(expect, Expect::Random));
        let numbers = json!([["first", "0123456789abcdef"], ["second", "fedcba9876543210"]]);
        let why = judged(&case, "done", Value::Null, line("random", numbers)).unwrap_err();
        assert!(why.contains("two instances have the same number"), "{why}");
    }
}
