//! `ItemKey::parse`: two spellings of one key are one, and two keys are two.
//!
//! The input is the `Keys` of a record, or those of two records with a line
//! break between them. (JSON needs none: a tab is white space too.)

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use gristmill_host::event::ItemKey;

use super::base64;
use super::dice::Dice;
use super::json::Json;
use super::number::Decimal;

/// A key by R3: by name, the type and the decoded value.
pub type Model = BTreeMap<String, (String, Vec<u8>)>;

/// What `ItemKey` must make of a value. None when it is no key.
pub fn model(keys: &Json) -> Option<Model> {
    let members = keys.members().filter(|members| !members.is_empty())?;
    let mut model = Model::new();
    for (name, value) in members {
        let (kind, value) = value.only_member()?;
        let text = value.text()?;
        let value = match kind {
            "S" => text.as_bytes().to_vec(),
            "N" => number(text)?.into_bytes(),
            // As much of the padding as the writer liked, and any unused bits.
            "B" => base64::decode(text)?,
            _ => return None,
        };
        if model.insert(name.clone(), (kind.to_owned(), value)).is_some() {
            return None;
        }
    }
    Some(model)
}

/// The host takes every exponent that fits an `i64`, as it is written and of
/// the last digit.
fn number(text: &str) -> Option<String> {
    let number = Decimal::parse(text)?;
    let fits = |exponent: i128| i64::try_from(exponent).is_ok();
    (fits(number.written) && fits(number.exponent)).then(|| format!("{:?}", number.same()))
}

/// The check.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut dice = Dice::of(data);
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    let one = check_one(first, &mut dice);
    let two = check_one(second, &mut dice);
    if let (Some(one), Some(two)) = (one, two) {
        compare(&one, &two);
    }
}

type Read = (ItemKey, Model, String);

fn check_one(text: &str, dice: &mut Dice) -> Option<Read> {
    let read = read(text);
    let (tree, one) = read?;
    for _ in 0..2 {
        let spelling = respelled(&tree, dice).spell(dice);
        let other = self::read(&spelling).unwrap_or_else(|| panic!("{text:?} is a key and {spelling:?} is none"));
        assert_eq!(other.1.1, one.1, "the models of {text:?} and {spelling:?}");
        compare(&one, &other.1);
    }
    for _ in 0..4 {
        let changed = changed(&tree, dice).spell(dice);
        if let Some((_, other)) = self::read(&changed) {
            compare(&one, &other);
        }
    }
    Some(one)
}

fn read(text: &str) -> Option<(Json, Read)> {
    let key = ItemKey::parse(text);
    let tree = Json::read(text);
    let model = tree.as_ref().and_then(model);
    match (key, model, tree) {
        (Ok(key), Some(model), Some(tree)) => Some((tree, (key, model, text.to_owned()))),
        (Err(reason), None, _) => {
            assert!(!reason.is_empty());
            None
        }
        (Ok(_), ..) => panic!("taken for a key: {text:?}"),
        (Err(reason), ..) => panic!("{reason}: a key by the model: {text:?}"),
    }
}

fn compare((a, own, one): &Read, (b, other, two): &Read) {
    assert_eq!(a == b, own == other, "{one:?} and {two:?}");
    assert_eq!(a.cmp(b).is_eq(), a == b, "the order of {one:?} and {two:?}");
    if a == b {
        let state = RandomState::new();
        assert_eq!(state.hash_one(a), state.hash_one(b), "the hashes of {one:?} and {two:?}");
    }
}

/// The same key with numbers and binary in other words.
fn respelled(keys: &Json, dice: &mut Dice) -> Json {
    map(keys, |kind, text| match kind {
        "N" => Decimal::parse(text)
            .filter(|number| number.exponent.abs() < 1 << 60)
            .map_or_else(|| text.to_owned(), |number| number.spell(dice)),
        "B" if dice.once_in(2) => text.trim_end_matches('=').to_owned(),
        "B" => {
            // The last digit's unused bits: `AQ` and `AR` are one byte.
            let data = text.trim_end_matches('=');
            match (data.len() % 4, data.strip_suffix(['A', 'Q', 'g', 'w'])) {
                (2, Some(start)) => {
                    let digits = match data.as_bytes()[data.len() - 1] {
                        b'A' => "ABCDEFGHIJKLMNOP",
                        b'Q' => "QRSTUVWXYZabcdef",
                        b'g' => "ghijklmnopqrstuv",
                        _ => "wxyz0123456789+/",
                    };
                    let at = dice.below(16);
                    format!("{start}{}", &digits[at..=at])
                }
                _ => text.to_owned(),
            }
        }
        _ => text.to_owned(),
    })
}

fn map(keys: &Json, mut change: impl FnMut(&str, &str) -> String) -> Json {
    let members = keys.members().unwrap_or_default().iter().map(|(name, value)| {
        let value = match value.only_member().and_then(|(kind, value)| Some((kind, value.text()?))) {
            Some((kind, text)) => Json::Object(vec![(kind.to_owned(), Json::Text(change(kind, text)))]),
            None => value.clone(),
        };
        (name.clone(), value)
    });
    Json::Object(members.collect())
}

/// A neighbour: the key after one change, which may or may not make it another.
fn changed(keys: &Json, dice: &mut Dice) -> Json {
    let Some(members) = keys.members() else { return keys.clone() };
    let mut members = members.to_vec();
    let at = dice.below(members.len());
    let (name, value) = &mut members[at];
    let (kind, text) = match value.only_member().and_then(|(kind, value)| Some((kind, value.text()?))) {
        Some((kind, text)) => (kind.to_owned(), text.to_owned()),
        None => return keys.clone(),
    };
    let typed = |kind: &str, text: String| Json::Object(vec![(kind.to_owned(), Json::Text(text))]);
    match dice.below(8) {
        0 => name.push_str(dice.one_of(&["a", "S", "\0", "é"])),
        1 => drop(name.pop()),
        2 => *value = typed(dice.one_of(&["S", "N", "B"]), text),
        3 => *value = typed(&kind, text + dice.one_of(&["0", "1", "A", "=", "e1", " "])),
        4 => *value = typed(&kind, format!("{}{text}", dice.one_of(&["0", "-", "1", "AAAA", "."]))),
        5 => *value = typed(&kind, text.chars().skip(1).collect()),
        6 => {
            let mut text = text;
            text.pop();
            *value = typed(&kind, text);
        }
        _ => drop(members.remove(at)),
    }
    Json::Object(members)
}
