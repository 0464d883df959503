//! `Event::from_slice` and what it gives: R1 to R4, and R12's state.

use std::cmp::Ordering;

use gristmill_host::event::{Event, EventError, EventName, Record};
use gristmill_sdk::StreamRecord;

use super::dice::Dice;
use super::json::{Json, is_json};
use super::key;
use super::number::Decimal;

/// The check.
pub fn check(data: &[u8]) {
    let read = Event::from_slice(data);
    let Ok(text) = std::str::from_utf8(data) else {
        assert!(matches!(read, Err(EventError::NotUtf8 { .. })), "bytes that are no text were read");
        return;
    };
    let tree = Json::read(text);
    let event = match read {
        Ok(event) => event,
        Err(error) => {
            assert!(!tree.as_ref().is_some_and(is_event), "{error}: an event by the model: {text}");
            assert!(matches!(error, EventError::Malformed { .. }), "{error}: {text}");
            return;
        }
    };
    assert_eq!(event.payload_bytes(), text.len());
    check_form(&event, text);
    check_outline(&event, text);
    if let Some(tree) = tree {
        assert!(is_event(&tree), "taken for an event: {text}");
        check_content(&event, &tree, text);
        let mut dice = Dice::of(data);
        let spelling = tree.spell(&mut dice);
        let other = Event::from_slice(spelling.as_bytes())
            .unwrap_or_else(|error| panic!("{error}: {spelling}: another spelling of {text}"));
        compare(&event, &other, &spelling);
    }
}

/// R1 in other words.
fn is_event(tree: &Json) -> bool {
    let once = |object: &Json, names: &[&str]| names.iter().all(|name| object.count(name) <= 1);
    let Some(Json::List(records)) = tree.get("Records") else { return false };
    let arn_of = |record: &Json| record.get("eventSourceARN").and_then(Json::text).map(str::to_owned);
    once(tree, &["Records", "window", "state"])
        && records.iter().all(|record| {
            let names = ["eventID", "eventName", "eventVersion", "eventSource", "awsRegion"];
            let inner = ["ApproximateCreationDateTime", "Keys", "NewImage", "OldImage"];
            let Some(change) = record.get("dynamodb") else { return false };
            let number = change.get("SequenceNumber").and_then(Json::text).unwrap_or_default();
            once(record, &names)
                && once(record, &["eventSourceARN", "userIdentity", "dynamodb"])
                && once(change, &inner)
                && once(change, &["SequenceNumber", "SizeBytes", "StreamViewType"])
                && change.members().is_some()
                && record.get("eventSource").and_then(Json::text) == Some("aws:dynamodb")
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && arn_of(record).is_some_and(|arn| parts_of(&arn).is_some())
                && arn_of(record) == arn_of(&records[0])
        })
}

/// The Region and the table of a stream's ARN.
fn parts_of(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "dynamodb", region, account, resource] = parts[..] else { return None };
    let words: Vec<&str> = resource.split('/').collect();
    let ["table", table, "stream", label] = words[..] else { return None };
    let empty = [partition, region, account, table, label].contains(&"");
    (!empty && !table.contains(':')).then_some((region, table))
}

/// What holds for every event, also one whose strings no tree can have.
fn check_form(event: &Event, text: &str) {
    assert_eq!(event.records().len(), event.len());
    assert_eq!(event.is_empty(), event.stream().is_none());
    let mut seen: Vec<usize> = event.records().map(Record::index).collect();
    for pair in seen.windows(2).enumerate().map(|(i, _)| [event.record(i), event.record(i + 1)]) {
        let [a, b] = pair.map(|record| record.sequence_number().as_str());
        let order = by_digits(a, b).then(pair[0].index().cmp(&pair[1].index()));
        assert_eq!(order, Ordering::Less, "{a} before {b}: {text}");
        assert_eq!(pair[0].sequence_number().cmp(&pair[1].sequence_number()), by_digits(a, b));
    }
    seen.sort_unstable();
    assert!(seen.iter().copied().eq(0..event.len()), "every record once: {text}");
    for record in event.records() {
        let json = record.json();
        for part in [record.keys(), record.new_image(), record.old_image()].into_iter().flatten() {
            assert!(lies_in(part, json), "{part} of {json}");
        }
        assert_eq!(record.malformed().is_none(), record.item().is_some() && record.name().is_some());
        assert_eq!(record.stream_arn(), event.stream().map_or("", |arn| arn.as_str()));
        check_alone(record, json);
        check_in_sdk(record, json);
    }
}

/// What stands in an object or a list that is not looked into need not be
/// JSON. All else must: with something else in there, the event is.
fn check_outline(event: &Event, text: &str) {
    if is_json(text) {
        for record in event.records() {
            assert!(is_json(record.json()), "{text}");
        }
        return;
    }
    let emptied = emptied(text);
    assert!(is_json(&emptied), "{emptied}: the outline of {text}");
    let again = Event::from_slice(emptied.as_bytes()).unwrap_or_else(|error| panic!("{error}: {emptied}: {text}"));
    assert_eq!(again.len(), event.len(), "{emptied}: {text}");
    for (a, b) in again.records().zip(event.records()) {
        assert_eq!(a.sequence_number(), b.sequence_number(), "{emptied}: {text}");
        assert_eq!((a.index(), a.event_id(), a.stream_arn()), (b.index(), b.event_id(), b.stream_arn()), "{text}");
        assert_eq!(emptied_value(b.json()), a.json(), "{text}");
    }
}

/// The text without what stands in the objects and lists that an event's
/// outline does not enter: one character after another.
fn emptied(text: &str) -> String {
    let mut walk = Walk { text, at: 0, out: String::new() };
    walk.value(Some(Part::Payload));
    walk.out.push_str(&text[walk.at..]);
    walk.out
}

fn emptied_value(json: &str) -> String {
    let wrapped = emptied(&format!("{{\"Records\":[{json}]}}"));
    wrapped[r#"{"Records":["#.len()..wrapped.len() - 2].to_owned()
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Payload,
    Records,
    Record,
    Change,
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    out: String,
}

impl Walk<'_> {
    fn next(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn copy(&mut self) {
        if let Some(char) = self.next() {
            self.out.push(char);
            self.at += char.len_utf8();
        }
    }

    fn space(&mut self) {
        while self.next().is_some_and(|char| " \t\r\n".contains(char)) {
            self.copy();
        }
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.copy();
        while let Some(char) = self.next() {
            self.copy();
            match char {
                '\\' => self.copy(),
                '"' => break,
                _ => {}
            }
        }
        serde_json::from_str(&self.text[start..self.at]).unwrap_or_default()
    }

    /// `part` when the outline goes into the value.
    fn value(&mut self, part: Option<Part>) {
        self.space();
        match (self.next(), part) {
            (Some('{'), Some(part)) if part != Part::Records => self.object(part),
            (Some('['), Some(Part::Records)) => self.list(),
            (Some('{' | '['), _) => self.skipped(),
            (Some('"'), _) => drop(self.string()),
            _ => {
                while self.next().is_some_and(|char| !",]}: \t\r\n".contains(char)) {
                    self.copy();
                }
            }
        }
        self.space();
    }

    fn object(&mut self, part: Part) {
        self.copy();
        loop {
            self.space();
            let name = if self.next() == Some('"') { self.string() } else { String::new() };
            self.space();
            if self.next() == Some(':') {
                self.copy();
                let inner = match (part, name.as_str()) {
                    (Part::Payload, "Records") => Some(Part::Records),
                    (Part::Record, "dynamodb") => Some(Part::Change),
                    _ => None,
                };
                self.value(inner);
            }
            match self.next() {
                Some(',') => self.copy(),
                _ => return self.copy(),
            }
        }
    }

    fn list(&mut self) {
        self.copy();
        loop {
            self.space();
            if self.next() != Some(']') {
                self.value(Some(Part::Record));
            }
            match self.next() {
                Some(',') => self.copy(),
                _ => return self.copy(),
            }
        }
    }

    /// The brackets of an object or list alone.
    fn skipped(&mut self) {
        let mut depth = 0usize;
        let mut kept = String::new();
        std::mem::swap(&mut kept, &mut self.out);
        let start = self.at;
        loop {
            match self.next() {
                Some('"') => {
                    self.string();
                    continue;
                }
                // Outside a string it has no place, and still no string begins
                // behind it.
                Some('\\') => {
                    self.copy();
                    if self.next().is_some_and(|char| char == '"' || char == '\\') {
                        self.copy();
                    }
                    continue;
                }
                Some('{' | '[') => depth += 1,
                Some('}' | ']') => depth -= 1,
                None => break,
                _ => {}
            }
            self.copy();
            if depth == 0 {
                break;
            }
        }
        self.out = kept;
        self.out.push_str(if self.text[start..].starts_with('{') { "{}" } else { "[]" });
    }
}

fn by_digits(a: &str, b: &str) -> Ordering {
    let width = a.len().max(b.len());
    format!("{a:0>width$}").cmp(&format!("{b:0>width$}"))
}

fn lies_in(part: &str, whole: &str) -> bool {
    let (part, whole) = (part.as_bytes().as_ptr_range(), whole.as_bytes().as_ptr_range());
    whole.start <= part.start && part.end <= whole.end
}

/// A record is the same alone in an event.
fn check_alone(record: Record<'_>, json: &str) {
    let payload = format!("{{\"Records\":[{json}]}}");
    let event = Event::from_slice(payload.as_bytes()).unwrap_or_else(|error| panic!("{error}: {payload}"));
    let alone = event.record(0);
    assert_eq!(alone.json(), json);
    assert_eq!(
        (alone.keys(), alone.new_image(), alone.old_image()),
        (record.keys(), record.new_image(), record.old_image())
    );
    same(record, alone, json);
}

/// The SDK's reader for unit tests reads what the host reads. It checks less,
/// and refuses what is nested too deeply for a guest.
fn check_in_sdk(record: Record<'_>, json: &str) {
    let Ok(read) = StreamRecord::from_json(json) else { return };
    if record.malformed().is_some() {
        return;
    }
    assert_eq!(read.event_name().as_str(), record.name().map_or("", EventName::as_str), "{json}");
    assert_eq!(Some(read.event_id().as_str()), record.event_id(), "{json}");
    assert_eq!(read.sequence_number(), record.sequence_number().as_str(), "{json}");
    assert_eq!((read.stream_arn().as_str(), read.table().as_str()), (record.stream_arn(), record.table()), "{json}");
    assert_eq!(read.keys_json(), record.keys().unwrap_or_default(), "{json}");
    assert_eq!(read.new_image_json().as_deref(), record.new_image(), "{json}");
    assert_eq!(read.old_image_json().as_deref(), record.old_image(), "{json}");
}

fn same(a: Record<'_>, b: Record<'_>, text: &str) {
    assert_eq!(a.sequence_number().as_str(), b.sequence_number().as_str(), "{text}");
    assert_eq!(a.event_id(), b.event_id(), "{text}");
    assert_eq!(a.malformed().is_some(), b.malformed().is_some(), "{:?} {:?} {text}", a.malformed(), b.malformed());
    assert!(a.item() == b.item(), "{text}");
    assert_eq!(a.name(), b.name(), "{text}");
    assert_eq!(a.size_bytes(), b.size_bytes(), "{text}");
    assert_eq!(a.created_at_ms(), b.created_at_ms(), "{text}");
    assert_eq!(a.identity(), b.identity(), "{text}");
    assert_eq!((a.region(), a.table(), a.stream_arn()), (b.region(), b.table(), b.stream_arn()), "{text}");
}

fn same_value(ours: Option<&str>, model: Option<&Json>, text: &str) {
    let ours = ours.map(|json| Json::read(json).unwrap_or_else(|| panic!("{json}: {text}")));
    assert_eq!(ours.as_ref(), model, "{text}");
}

/// Each accessor against the tree of the whole payload.
fn check_content(event: &Event, tree: &Json, text: &str) {
    let Some(Json::List(records)) = tree.get("Records") else { unreachable!("an event by the model") };
    assert_eq!(event.len(), records.len());
    match (tree.get("window"), event.window_state()) {
        (None, state) => assert_eq!(state, None, "{text}"),
        (Some(_), state) => same_value(state, Some(tree.get("state").unwrap_or(&Json::Object(Vec::new()))), text),
    }
    let mut keys = Vec::new();
    for record in event.records() {
        let model = &records[record.index()];
        let Some(change) = model.get("dynamodb") else { unreachable!("an event by the model") };
        same_value(Some(record.json()), Some(model), text);
        same_value(record.keys(), change.get("Keys"), text);
        same_value(record.new_image(), change.get("NewImage"), text);
        same_value(record.old_image(), change.get("OldImage"), text);
        assert_eq!(Some(record.sequence_number().as_str()), change.get("SequenceNumber").and_then(Json::text));
        let id = model.get("eventID").and_then(Json::text);
        assert_eq!(record.event_id(), id, "{text}");
        let arn = model.get("eventSourceARN").and_then(Json::text).unwrap_or_default();
        let (region, table) = parts_of(arn).unwrap_or_default();
        assert_eq!((record.stream_arn(), record.table()), (arn, table), "{text}");

        let name = model.get("eventName").and_then(Json::text).filter(|n| ["INSERT", "MODIFY", "REMOVE"].contains(n));
        let key = change.get("Keys").and_then(key::model);
        let images =
            ["NewImage", "OldImage"].map(|image| change.get(image).is_none_or(|image| image.members().is_some()));
        let readable = id.is_some() && name.is_some() && key.is_some() && images == [true; 2];
        assert_eq!(record.malformed().is_none(), readable, "{:?} {text}", record.malformed());
        if !readable {
            assert_eq!(record.region(), region, "{text}");
            continue;
        }
        assert_eq!(record.name().map(EventName::as_str), name, "{text}");
        assert_eq!(record.region(), model.get("awsRegion").and_then(Json::text).unwrap_or(region), "{text}");
        let number = |name| {
            change.get(name).and_then(|value| if let Json::Number(text) = value { Some(text.as_str()) } else { None })
        };
        assert_eq!(record.size_bytes(), number("SizeBytes").and_then(|text| text.parse().ok()), "{text}");
        assert_eq!(record.created_at_ms(), number("ApproximateCreationDateTime").and_then(milliseconds), "{text}");
        let identity = model.get("userIdentity").and_then(identity);
        let ours = record.identity().map(|own| (own.kind.clone(), own.principal_id.clone()));
        assert_eq!(ours, identity, "{text}");
        keys.push((record, key));
    }
    for (i, (a, own)) in keys.iter().enumerate() {
        for (b, other) in &keys[i + 1..] {
            assert_eq!(a.item() == b.item(), own == other, "{:?} {:?}", a.keys(), b.keys());
        }
    }
}

/// The time as a `u64` of milliseconds, when it is one.
fn milliseconds(seconds: &str) -> Option<u64> {
    let number = Decimal::parse(seconds)?;
    let fits = |exponent: i128| i64::try_from(exponent).is_ok();
    if !fits(number.written) || !fits(number.exponent) {
        return None;
    }
    let ms = number.whole(3)?.0.parse().ok()?;
    (!number.negative || ms == 0).then_some(ms)
}

fn identity(value: &Json) -> Option<(String, String)> {
    value.members()?;
    let field = |name: &str| match (value.count(name), value.get(name)) {
        (0 | 1, None) => Some(String::new()),
        (1, Some(value)) => value.text().map(str::to_owned),
        _ => None,
    };
    Some((field("type")?, field("principalId")?))
}

/// Two spellings of one event.
fn compare(event: &Event, other: &Event, text: &str) {
    assert_eq!(event.len(), other.len(), "{text}");
    assert_eq!(event.window_state().is_some(), other.window_state().is_some(), "{text}");
    for (a, b) in event.records().zip(other.records()) {
        assert_eq!(a.index(), b.index(), "{text}");
        same(a, b, text);
        let sorted = |json: Option<&str>| json.and_then(Json::read).map(|json| json.sorted());
        for (own, other) in [(a.keys(), b.keys()), (a.new_image(), b.new_image()), (a.old_image(), b.old_image())] {
            assert_eq!(sorted(own), sorted(other), "{text}");
        }
    }
}
