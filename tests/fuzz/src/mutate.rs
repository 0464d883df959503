//! Changes of an input that keep it JSON.
//!
//! Most changes of one byte break the text, and then nothing behind the first
//! syntax error is reached. Every second change is libFuzzer's own, so that
//! what is broken is tried too.

use crate::checks::dice::Dice;
use crate::checks::json::Json;
use crate::checks::number::Decimal;

/// Names that some reader looks for.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    // Events.
    "Records", "window", "state", "eventID", "eventName", "eventVersion", "eventSource", "awsRegion",
    "eventSourceARN", "userIdentity", "type", "principalId", "dynamodb", "ApproximateCreationDateTime", "Keys",
    "NewImage", "OldImage", "SequenceNumber", "SizeBytes", "StreamViewType",
    // Attribute values.
    "S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL",
    // The fields of the user's type in `checks::image`.
    "s", "n", "u", "f", "exact", "b", "bytes", "flag", "set", "list", "map", "kind", "inner", "Unit", "New", "Pair",
    "Fields", "a",
    // handlers.json.
    "version", "functions", "streams", "handlers", "name", "source", "table", "stream-arn", "response", "order",
    "concurrency", "stream", "module", "filters", "limits", "memory-mb", "timeout-ms", "handles", "instances",
    // Patterns.
    "$or", "prefix", "suffix", "equals-ignore-case", "anything-but", "exists", "numeric", "id", "at", "é", "",
];

#[rustfmt::skip]
const SCALARS: &[&str] = &[
    "null", "true", "false", "0", "1", "-1", "0.5", "1e400", "1.0", "4096", "1550272599.123", "18446744073709551616",
    r#""""#, r#""1""#, r#""-0""#, r#""1e1""#, r#""0.10""#, r#""1E-130""#, r#""9.9E125""#,
    r#""1e9223372036854775807""#, r#""340282366920938463463374607431768211456""#,
    r#""12345678901234567890123456789012345678""#, r#""AQ==""#, r#""AQI=""#, r#""AQ""#, r#""Red""#,
    r#""aws:dynamodb""#, r#""INSERT""#, r#""REMOVE""#, r#""partial""#, r#""shard""#,
    r#""arn:aws:dynamodb:us-west-2:112233445566:table/t/stream/l""#, r#""<""#, r#"">=""#, r#""=""#, r#""x😀\u0000""#,
    r#"{"S":"1"}"#, r#"{"N":"1"}"#, r#"{"B":"AQ=="}"#, r#"{"NULL":true}"#, r#"{"BOOL":false}"#, r#"{"SS":["a","b"]}"#,
    r#"{"NS":["1","2.0"]}"#, r#"{"BS":["AQ=="]}"#, r#"{"M":{}}"#, r#"{"L":[]}"#, r#"[{"exists":false}]"#,
    r#"[{"prefix":"a"}]"#, r#"[{"numeric":[">",0,"<=",5]}]"#, r#"[{"anything-but":["a"]}]"#, "[]", "{}",
];

/// Changes the input in place and gives its new length. `bytewise` is
/// libFuzzer's own way.
pub fn json(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    bytewise: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut dice = Dice::of(&seed.to_le_bytes());
    if dice.once_in(2) {
        return bytewise(data, size, max_size);
    }
    match std::str::from_utf8(&data[..size]).ok().and_then(|text| changed(text, &mut dice)) {
        Some(text) if text.len() <= max_size && text.as_bytes() != &data[..size] => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        _ => bytewise(data, size, max_size),
    }
}

/// A text of JSON, or two with a line break between them.
fn changed(text: &str, dice: &mut Dice) -> Option<String> {
    if let Some(tree) = Json::read(text) {
        return Some(change(tree, None, dice));
    }
    let (first, second) = text.split_once('\n')?;
    if dice.once_in(8) {
        return Some(format!("{second}\n{first}"));
    }
    match (Json::read(first), Json::read(second)) {
        (Some(tree), other) if other.is_none() || dice.once_in(2) => {
            Some(format!("{}\n{second}", change(tree, other, dice)))
        }
        (other, Some(tree)) => Some(format!("{first}\n{}", change(tree, other, dice))),
        _ => None,
    }
}

/// Some changes. What is put in comes from the tree itself, or from the other
/// text's, so that something in one is also in the other.
fn change(mut tree: Json, mut other: Option<Json>, dice: &mut Dice) -> String {
    for _ in 0..=dice.below(3) {
        let from = match &mut other {
            Some(other) if dice.once_in(2) => other,
            _ => &mut tree,
        };
        let donor = dice.below(count(from));
        let donor = nth(from, &mut { donor }).map(|node| node.clone());
        let place = dice.below(count(&tree));
        if let (Some(donor), Some(node)) = (donor, nth(&mut tree, &mut { place })) {
            change_node(node, donor, dice);
        }
    }
    // A line break would part an input in two.
    if dice.once_in(4) { tree.spell(dice).replace(['\n', '\r'], " ") } else { tree.plain() }
}

fn count(tree: &Json) -> usize {
    1 + match tree {
        Json::List(list) => list.iter().map(count).sum(),
        Json::Object(members) => members.iter().map(|(_, value)| count(value)).sum(),
        _ => 0,
    }
}

fn nth<'t>(tree: &'t mut Json, n: &mut usize) -> Option<&'t mut Json> {
    if *n == 0 {
        return Some(tree);
    }
    *n -= 1;
    match tree {
        Json::List(list) => list.iter_mut().find_map(|value| nth(value, n)),
        Json::Object(members) => members.iter_mut().find_map(|(_, value)| nth(value, n)),
        _ => None,
    }
}

fn scalar(dice: &mut Dice) -> Json {
    Json::read(dice.one_of(SCALARS)).unwrap_or(Json::Null)
}

fn change_node(node: &mut Json, donor: Json, dice: &mut Dice) {
    match (dice.below(8), &mut *node) {
        (0, node) => *node = scalar(dice),
        (1, node) => *node = donor,
        (2, node) => {
            for _ in 0..=dice.below(3) {
                let inner = std::mem::replace(node, Json::Null);
                let typed = |kind: &str, inner| Json::Object(vec![(kind.to_owned(), inner)]);
                *node = match dice.below(4) {
                    0 => Json::List(vec![inner]),
                    1 => typed("L", Json::List(vec![inner])),
                    2 => typed("M", typed("a", inner)),
                    _ => typed(dice.one_of(NAMES), inner),
                };
            }
        }
        (3 | 4, Json::Object(members)) => {
            let value = if dice.once_in(2) { donor } else { scalar(dice) };
            let at = dice.below(members.len() + 1);
            members.insert(at, (dice.one_of(NAMES).to_owned(), value));
        }
        (5, Json::Object(members)) if !members.is_empty() => {
            let at = dice.below(members.len());
            members[at].0 = dice.one_of(NAMES).to_owned();
        }
        (6, Json::Object(members)) if !members.is_empty() => {
            let at = dice.below(members.len());
            let member = members[at].clone();
            members.push(member);
        }
        (_, Json::Object(members)) if !members.is_empty() => drop(members.remove(dice.below(members.len()))),
        (3 | 4, Json::List(list)) => list.push(if dice.once_in(2) { donor } else { scalar(dice) }),
        (5, Json::List(list)) if !list.is_empty() => {
            let value = list[dice.below(list.len())].clone();
            list.push(value);
        }
        (_, Json::List(list)) if !list.is_empty() => drop(list.remove(dice.below(list.len()))),
        (_, Json::Text(text)) => match Decimal::parse(text) {
            Some(number) if number.exponent.abs() < 1 << 60 && dice.once_in(2) => *text = number.spell(dice),
            _ => text.push_str(dice.one_of(&["0", "9", "a", "A", "=", "/", ".", "e5", "-", "é", "\u{1}", ":"])),
        },
        (_, Json::Number(text)) => text.push_str(dice.one_of(&["0", "9", "e1", "5", "E-1"])),
        (_, node) => *node = scalar(dice),
    }
}
