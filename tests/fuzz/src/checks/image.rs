//! The SDK's readers: of trees, of a user's own types, and of both at once.

use std::collections::{BTreeMap, HashMap};

use gristmill_sdk::{AttributeValue, Bytes, Item, Number, from_json, item_from_json, item_to_json};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::base64;
use super::dice::Dice;
use super::json::Json;
use super::number::Decimal;

/// How deep maps, lists and sets are nested at most, the image itself included.
const MOST_LEVELS: usize = 64;

/// The check.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let tree = item_from_json(text);
    let json = Json::read(text);
    let model = json.as_ref().and_then(|json| item(json, MOST_LEVELS));
    match (&tree, &model) {
        (Ok(tree), Some(model)) => assert_eq!(tree, model, "{text}"),
        (Err(_), None) => {}
        (Ok(_), None) => panic!("taken for an image: {text}"),
        (Err(error), Some(_)) => panic!("{error}: an image by the model: {text}"),
    }
    let by_serde = from_json::<Item>(text);
    assert_eq!(tree.as_ref().ok(), by_serde.as_ref().ok(), "{by_serde:?} {text}");
    let skipped = from_json::<IgnoredAny>(text);
    let typed = from_json::<Typed>(text);
    let flat = from_json::<Flat>(text);
    let unknown = from_json::<serde_json::Value>(text);
    let Ok(tree) = tree else {
        for message in [typed.err(), flat.err(), unknown.err(), skipped.err()].into_iter().flatten() {
            assert!(!message.to_string().is_empty());
        }
        return;
    };
    assert!(skipped.is_ok(), "{skipped:?} {text}");
    assert_eq!(typed.as_ref().ok(), expected(&tree).as_ref(), "{typed:?} {text}");
    check_flat(flat, &tree, text);
    check_texts(&tree, text);
    if let Some(json) = json {
        let spelling = json.spell(&mut Dice::of(data));
        let other = item_from_json(&spelling).unwrap_or_else(|error| panic!("{error}: {spelling}"));
        assert_eq!(other, tree, "{spelling}: another spelling of {text}");
    }
    for value in tree.values() {
        check_numbers(value);
    }
}

/// Text to tree to text to tree changes nothing.
fn check_texts(tree: &Item, text: &str) {
    let written = item_to_json(tree);
    let again = item_from_json(&written).unwrap_or_else(|error| panic!("{error}: {written}: of {text}"));
    assert_eq!(&again, tree, "{written}: of {text}");
    assert_eq!(item_to_json(&again), written, "of {text}");
    let foreign = Json::read(&written).and_then(|json| item(&json, MOST_LEVELS));
    assert_eq!(foreign.as_ref(), Some(tree), "{written}: of {text}");
    let value = AttributeValue::M(tree.clone());
    let parsed: Result<AttributeValue, _> = value.to_json().parse();
    assert_eq!(parsed.as_ref(), Ok(&value), "of {text}");
}

/// What an image must be read as. None when it is none.
fn item(json: &Json, levels: usize) -> Option<Item> {
    let levels = levels.checked_sub(1)?;
    let mut item = Item::new();
    for (name, json) in json.members()? {
        if item.insert(name.clone(), value(json, levels)?).is_some() {
            return None;
        }
    }
    Some(item)
}

fn value(json: &Json, levels: usize) -> Option<AttributeValue> {
    let (kind, json) = json.only_member()?;
    let inner = levels.checked_sub(1);
    let list = || match json {
        Json::List(list) if inner.is_some() => Some(list.iter()),
        _ => None,
    };
    Some(match kind {
        "S" => AttributeValue::S(json.text()?.to_owned()),
        "N" => AttributeValue::N(number(json)?),
        "B" => AttributeValue::B(binary(json)?),
        "SS" => AttributeValue::Ss(list()?.map(|json| json.text().map(str::to_owned)).collect::<Option<_>>()?),
        "NS" => AttributeValue::Ns(list()?.map(number).collect::<Option<_>>()?),
        "BS" => AttributeValue::Bs(list()?.map(binary).collect::<Option<_>>()?),
        "M" => AttributeValue::M(item(json, levels)?),
        "L" => AttributeValue::L(list()?.map(|json| value(json, inner?)).collect::<Option<_>>()?),
        "BOOL" => AttributeValue::Bool(if let Json::Bool(value) = json { *value } else { return None }),
        "NULL" if *json == Json::Bool(true) => AttributeValue::Null,
        _ => return None,
    })
}

/// 38 digits, and magnitudes from 1E-130 to 9.99…E+125.
fn number(json: &Json) -> Option<Number> {
    let text = json.text()?;
    let number = Decimal::parse(text).filter(|number| {
        let first = number.exponent + number.digits.len() as i128 - 1;
        number.digits.is_empty() || (number.digits.len() <= 38 && (-130..=125).contains(&first))
    });
    let read = text.parse::<Number>();
    assert_eq!(read.is_ok(), number.is_some(), "{read:?} {text}");
    read.ok()
}

fn binary(json: &Json) -> Option<Vec<u8>> {
    let text = json.text()?;
    base64::decode(text).filter(|bytes| base64::encode(bytes) == text)
}

/// A type of a user's own, with what serde can ask for.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Typed {
    s: Option<String>,
    n: Option<i64>,
    u: Option<u8>,
    f: Option<f64>,
    exact: Option<Number>,
    b: Option<Bytes>,
    bytes: Option<Vec<u8>>,
    flag: Option<bool>,
    set: Option<Vec<String>>,
    list: Option<Vec<AttributeValue>>,
    map: Option<BTreeMap<String, AttributeValue>>,
    kind: Option<Kind>,
    inner: Option<Box<Typed>>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Kind {
    Unit,
    New(i64),
    Pair(i64, i64),
    Fields { a: i64 },
}

/// What the type must be filled with: none when a value does not fit it.
fn expected(tree: &Item) -> Option<Typed> {
    /// None when the value is there and does not fit.
    fn field<T>(tree: &Item, name: &str, read: impl FnOnce(&AttributeValue) -> Option<T>) -> Option<Option<T>> {
        match tree.get(name) {
            None | Some(AttributeValue::Null) => Some(None),
            Some(value) => read(value).map(Some),
        }
    }
    Some(Typed {
        s: field(tree, "s", text)?,
        n: field(tree, "n", integer)?,
        u: field(tree, "u", integer)?,
        f: field(tree, "f", |value| value.as_n()?.as_str().parse().ok())?,
        exact: field(tree, "exact", |value| value.as_n().cloned())?,
        b: field(tree, "b", |value| value.as_b().map(|bytes| Bytes(bytes.to_vec())))?,
        bytes: field(tree, "bytes", |value| match value {
            AttributeValue::B(bytes) => Some(bytes.clone()),
            value => elements(value)?.iter().map(integer).collect(),
        })?,
        flag: field(tree, "flag", AttributeValue::as_bool)?,
        set: field(tree, "set", |value| elements(value)?.iter().map(text).collect())?,
        list: field(tree, "list", elements)?,
        map: field(tree, "map", |value| value.as_m().cloned())?,
        kind: field(tree, "kind", kind)?,
        inner: field(tree, "inner", |value| expected(value.as_m()?).map(Box::new))?,
    })
}

fn text(value: &AttributeValue) -> Option<String> {
    value.as_s().map(str::to_owned).or_else(|| Some(value.as_n()?.as_str().to_owned()))
}

fn integer<T: std::str::FromStr>(value: &AttributeValue) -> Option<T> {
    whole(value.as_n()?)?.parse().ok()
}

/// The decimal text of a whole number.
fn whole(number: &Number) -> Option<String> {
    let number = Decimal::parse(number.as_str())?;
    let (digits, false) = number.whole(0)? else { return None };
    Some(if number.negative { format!("-{digits}") } else { digits })
}

/// Of a list or a set. Binary stands for its bytes where integers are asked
/// for, so empty binary is an empty list of anything.
fn elements(value: &AttributeValue) -> Option<Vec<AttributeValue>> {
    Some(match value {
        AttributeValue::L(list) => list.clone(),
        AttributeValue::Ss(set) => set.iter().cloned().map(AttributeValue::S).collect(),
        AttributeValue::Ns(set) => set.iter().cloned().map(AttributeValue::N).collect(),
        AttributeValue::Bs(set) => set.iter().cloned().map(AttributeValue::B).collect(),
        AttributeValue::B(bytes) if bytes.is_empty() => Vec::new(),
        _ => return None,
    })
}

fn kind(value: &AttributeValue) -> Option<Kind> {
    if let Some(name) = value.as_s() {
        return (name == "Unit").then_some(Kind::Unit);
    }
    let map = value.as_m().filter(|map| map.len() == 1)?;
    let (name, value) = map.first_key_value()?;
    Some(match name.as_str() {
        "Unit" if value.is_null() => Kind::Unit,
        "New" => Kind::New(integer(value)?),
        "Pair" => {
            let pair: Vec<i64> = match value {
                AttributeValue::B(bytes) => bytes.iter().map(|byte| i64::from(*byte)).collect(),
                value => elements(value)?.iter().map(integer).collect::<Option<_>>()?,
            };
            let [a, b] = pair[..] else { return None };
            Kind::Pair(a, b)
        }
        "Fields" => Kind::Fields { a: integer(value.as_m()?.get("a")?)? },
        _ => return None,
    })
}

/// A type for which serde keeps the rest in a form of its own in between.
#[derive(Debug, Deserialize)]
struct Flat {
    s: Option<String>,
    #[serde(flatten)]
    rest: HashMap<String, AttributeValue>,
}

fn check_flat(flat: Result<Flat, gristmill_sdk::ImageError>, tree: &Item, text: &str) {
    let s = tree.get("s").filter(|value| !value.is_null());
    let possible = s.is_none_or(|value| self::text(value).is_some())
        && tree.iter().all(|(name, value)| name == "s" || can_be_flat(value));
    assert_eq!(flat.is_ok(), possible, "{flat:?} {text}");
    let Ok(Flat { s: own, rest }) = flat else { return };
    assert_eq!(own, s.and_then(self::text), "{text}");
    let others: Vec<_> = tree.iter().filter(|(name, _)| *name != "s").collect();
    assert_eq!(rest.len(), others.len(), "{text}");
    for (name, value) in others {
        assert!(rest.get(name).is_some_and(|own| same_but_for_spelling(own, value)), "{name:?}: {rest:?} {text}");
    }
}

/// A set cannot be told from a list there, and is refused.
fn can_be_flat(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::Ss(set) => set.is_empty(),
        AttributeValue::Ns(set) => set.is_empty(),
        AttributeValue::Bs(set) => set.is_empty(),
        AttributeValue::M(map) => map.values().all(can_be_flat),
        AttributeValue::L(list) => {
            let all = |is: fn(&AttributeValue) -> bool| !list.is_empty() && list.iter().all(is);
            let like_a_set = all(|v| v.as_s().is_some()) || all(|v| v.as_n().is_some()) || all(|v| v.as_b().is_some());
            !like_a_set && list.iter().all(can_be_flat)
        }
        _ => true,
    }
}

/// Numbers are the same number there, and may have another text.
fn same_but_for_spelling(own: &AttributeValue, value: &AttributeValue) -> bool {
    match (own, value) {
        (AttributeValue::N(a), AttributeValue::N(b)) => {
            let [a, b] = [a, b].map(|number| Decimal::parse(number.as_str()));
            a.as_ref().map(Decimal::same) == b.as_ref().map(Decimal::same)
        }
        (AttributeValue::M(a), AttributeValue::M(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same_but_for_spelling(a.1, b.1))
        }
        (AttributeValue::L(a), value) => {
            let b = elements(value).unwrap_or_default();
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same_but_for_spelling(a, b))
        }
        (a, b) => a == b,
    }
}

/// Every number of the tree converts exactly or not at all.
fn check_numbers(value: &AttributeValue) {
    match value {
        AttributeValue::N(number) => {
            let whole = whole(number);
            let whole = whole.as_deref();
            assert_eq!(i8::try_from(number).ok(), whole.and_then(|text| text.parse().ok()), "{number}");
            assert_eq!(u64::try_from(number).ok(), whole.and_then(|text| text.parse().ok()), "{number}");
            assert_eq!(i128::try_from(number).ok(), whole.and_then(|text| text.parse().ok()), "{number}");
            assert_eq!(u128::try_from(number).ok(), whole.and_then(|text| text.parse().ok()), "{number}");
            assert!(number.to_f64().is_finite(), "{number}");
        }
        AttributeValue::Ns(set) => {
            for number in set {
                check_numbers(&AttributeValue::N(number.clone()));
            }
        }
        AttributeValue::M(map) => map.values().for_each(check_numbers),
        AttributeValue::L(list) => list.iter().for_each(check_numbers),
        _ => {}
    }
}
