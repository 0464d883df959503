//! Random events, in random spellings, against a reading as
//! `serde_json::Value`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

/// JSON whose members stand in the order given: a `Value` would sort them.
#[derive(Clone, Debug)]
enum Tree {
    Text(String),
    /// A number, true, false, null.
    Plain(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// Writes JSON with whitespace, escapes and the order of members chosen by
/// `dice`, over and over.
struct Writer<'d> {
    out: String,
    dice: std::iter::Cycle<std::slice::Iter<'d, u8>>,
}

impl Writer<'_> {
    fn roll(&mut self, below: u8) -> u8 {
        self.dice.next().map_or(0, |die| die % below)
    }

    fn gap(&mut self) {
        let gap = ["", "", "", "", " ", "\n", "\t ", "\r\n"][usize::from(self.roll(8))];
        self.out.push_str(gap);
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match (self.roll(12), c) {
                (_, '"') => self.out.push_str("\\\""),
                (_, '\\') => self.out.push_str("\\\\"),
                (0, _) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        self.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                (1, '/') => self.out.push_str("\\/"),
                _ => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn tree(&mut self, tree: &Tree) {
        self.gap();
        match tree {
            Tree::Text(text) => self.text(text),
            Tree::Plain(text) => self.out.push_str(text),
            Tree::List(list) => {
                self.out.push('[');
                for (i, item) in list.iter().enumerate() {
                    if i > 0 {
                        self.out.push(',');
                    }
                    self.tree(item);
                }
                self.out.push(']');
            }
            Tree::Object(members) => {
                self.out.push('{');
                let first = usize::from(self.roll(255)) % members.len().max(1);
                let (late, early) = members.split_at(first);
                for (i, (name, value)) in early.iter().chain(late).enumerate() {
                    if i > 0 {
                        self.out.push(',');
                    }
                    self.gap();
                    self.text(name);
                    self.gap();
                    self.out.push(':');
                    self.tree(value);
                }
                self.gap();
                self.out.push('}');
            }
        }
        self.gap();
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a"),
        Just("A"),
        Just(""),
        Just("a/b"),
        Just("\"q\" \\"),
        Just("é😀"),
        Just("\u{1}"),
        Just("\\u0041")
    ]
    .prop_map(|text| text.replace('\u{1}', "x"))
}

fn number() -> impl Strategy<Value = String> {
    (-120i32..120, 0..4u8).prop_map(|(n, spelling)| match spelling {
        0 => format!("{n}"),
        1 => format!("{n}.0"),
        2 => format!("{n}0e-1"),
        _ => format!("{n}E+2"),
    })
}

fn binary() -> impl Strategy<Value = String> {
    proptest::collection::vec(0..3u8, 0..3).prop_map(|bytes| STANDARD.encode(bytes))
}

fn typed(kind: &str, value: Tree) -> Tree {
    Tree::Object(vec![(kind.to_owned(), value)])
}

fn scalar() -> impl Strategy<Value = Tree> {
    prop_oneof![
        4 => text().prop_map(|text| typed("S", Tree::Text(text))),
        4 => number().prop_map(|text| typed("N", Tree::Text(text))),
        2 => binary().prop_map(|text| typed("B", Tree::Text(text))),
    ]
}

fn attribute() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        4 => scalar(),
        1 => Just(typed("NULL", Tree::Plain("true".into()))),
        1 => Just(typed("BOOL", Tree::Plain("false".into()))),
        1 => proptest::collection::vec(text().prop_map(Tree::Text), 0..3).prop_map(|list| typed("SS", Tree::List(list))),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(|list| typed("L", Tree::List(list))),
            image_of(inner).prop_map(|map| typed("M", map)),
        ]
    })
}

fn image_of(attribute: impl Strategy<Value = Tree>) -> impl Strategy<Value = Tree> {
    let names = ["id", "name", "a.b", "é", "SequenceNumber", "Keys"];
    proptest::collection::vec(proptest::option::of(attribute), names.len()).prop_map(move |values| {
        let members = names.iter().zip(values);
        Tree::Object(members.filter_map(|(name, value)| Some(((*name).to_owned(), value?))).collect())
    })
}

/// Absent, null, empty or full.
fn image() -> impl Strategy<Value = Option<Tree>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Tree::Plain("null".into()))),
        1 => Just(Some(Tree::Object(Vec::new()))),
        4 => image_of(attribute()).prop_map(Some),
    ]
}

fn keys() -> impl Strategy<Value = Tree> {
    prop_oneof![
        6 => (scalar(), proptest::option::of(scalar())).prop_map(|(hash, range)| {
            let range = range.map(|range| ("at".to_owned(), range));
            Tree::Object([("id".to_owned(), hash)].into_iter().chain(range).collect())
        }),
        1 => Just(Tree::Object(Vec::new())),
        1 => attribute(),
    ]
}

fn sequence_number() -> impl Strategy<Value = String> {
    prop_oneof!["0{0,3}[0-9]{1,3}", "(9{21}|10{21}|9{39}|10{39})", "[0-9]{21,40}"]
}

fn members(pairs: Vec<(&str, Option<Tree>)>) -> Tree {
    Tree::Object(pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

fn record() -> impl Strategy<Value = Tree> {
    let name = prop_oneof![3 => Just("INSERT"), 3 => Just("MODIFY"), 3 => Just("REMOVE"), 1 => Just("UPSERT")];
    let change = (
        keys(),
        image(),
        image(),
        sequence_number(),
        proptest::option::of(0..5_000u32),
        proptest::option::of((0..2_000_000_000u32, 0..1_000u32)),
        proptest::option::of(attribute()),
    );
    let change = change.prop_map(|(keys, new, old, number, size, at, novel)| {
        members(vec![
            ("Keys", Some(keys)),
            ("NewImage", new),
            ("OldImage", old),
            ("SequenceNumber", Some(Tree::Text(number))),
            ("SizeBytes", size.map(|size| Tree::Plain(size.to_string()))),
            ("ApproximateCreationDateTime", at.map(|(s, ms)| Tree::Plain(format!("{s}.{ms:03}")))),
            ("Novel", novel),
        ])
    });
    let id = proptest::option::weighted(0.9, "[0-9a-f]{4}".prop_map(Tree::Text));
    (id, name, change, proptest::option::of(attribute()), any::<bool>()).prop_map(|(id, name, change, novel, ttl)| {
        let service = Tree::Text("Service".into());
        let identity =
            vec![("type", Some(service)), ("principalId", Some(Tree::Text("dynamodb.amazonaws.com".into())))];
        members(vec![
            ("eventID", id),
            ("eventName", Some(Tree::Text(name.to_owned()))),
            ("eventSource", Some(Tree::Text("aws:dynamodb".to_owned()))),
            ("dynamodb", Some(change)),
            ("records", novel),
            ("userIdentity", ttl.then(|| members(identity))),
            ("eventSourceARN", Some(Tree::Text(ARN.to_owned()))),
        ])
    })
}

fn event() -> impl Strategy<Value = String> {
    let records = proptest::collection::vec(record(), 0..5);
    let dice = proptest::collection::vec(any::<u8>(), 1..60);
    (records, proptest::option::of(attribute()), dice).prop_map(|(records, novel, dice)| {
        let mut writer = Writer { out: String::new(), dice: dice.iter().cycle() };
        writer.tree(&members(vec![("Records", Some(Tree::List(records))), ("novel", novel)]));
        writer.out
    })
}

/// R3 in other words: the key of a readable record as a sorted list. The
/// numbers that the strategy makes are exact in a float.
fn item(keys: &Value) -> Option<Vec<(String, String, Vec<u8>)>> {
    let keys = keys.as_object().filter(|keys| !keys.is_empty())?;
    keys.iter()
        .map(|(name, value)| {
            let (kind, value) = value.as_object().filter(|value| value.len() == 1)?.iter().next()?;
            let text = value.as_str()?;
            let value = match kind.as_str() {
                "S" => text.as_bytes().to_vec(),
                "N" => (text.parse::<f64>().unwrap() + 0.0).to_be_bytes().to_vec(),
                "B" => STANDARD.decode(text).unwrap(),
                _ => return None,
            };
            Some((name.clone(), kind.clone(), value))
        })
        .collect()
}

fn slice_equals(slice: Option<&str>, value: &Value, text: &str) {
    match slice {
        None => assert!(value.is_null()),
        Some(slice) => {
            assert_eq!(&serde_json::from_str::<Value>(slice).unwrap(), value);
            assert!(text.contains(slice), "a slice of the payload");
        }
    }
}

fn check(text: &str) {
    let value: Value = serde_json::from_str(text).unwrap();
    let event = read(text);
    let records = value["Records"].as_array().unwrap();
    assert_eq!(event.len(), records.len());
    let number = |record: &Value| format!("{:0>60}", record["dynamodb"]["SequenceNumber"].as_str().unwrap());
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_by_key(|&index| (number(&records[index]), index));
    assert_eq!(event.records().map(Record::index).collect::<Vec<_>>(), order);
    for record in event.records() {
        let expected = &records[record.index()];
        let change = &expected["dynamodb"];
        slice_equals(Some(record.json()), expected, text);
        slice_equals(record.keys(), &change["Keys"], text);
        slice_equals(record.new_image(), &change["NewImage"], text);
        slice_equals(record.old_image(), &change["OldImage"], text);
        assert_eq!(Some(record.sequence_number().as_str()), change["SequenceNumber"].as_str());
        assert_eq!(record.event_id(), expected["eventID"].as_str());
        let name = expected["eventName"].as_str().filter(|name| *name != "UPSERT");
        let readable = name.is_some() && expected["eventID"].is_string() && item(&change["Keys"]).is_some();
        assert_eq!(record.malformed().is_none(), readable, "{:?} {expected}", record.malformed());
        if readable {
            assert_eq!(record.name().map(EventName::as_str), name);
            assert_eq!(record.size_bytes(), change["SizeBytes"].as_u64());
            let at = change["ApproximateCreationDateTime"].as_f64();
            assert_eq!(record.created_at_ms().map(|ms| ms as f64), at.map(|at| (at * 1_000.0).round()));
            assert_eq!(record.identity().as_ref().map(|i| i.kind.as_str()), expected["userIdentity"]["type"].as_str());
        }
    }
    for (i, a) in event.records().enumerate() {
        for b in event.records().skip(i + 1) {
            let [Some(own), Some(other)] = [a.item(), b.item()] else { continue };
            let [x, y] = [a, b].map(|record| item(&records[record.index()]["dynamodb"]["Keys"]));
            assert_eq!(own == other, x == y, "{:?} {:?}", a.keys(), b.keys());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r01_r02_r03_an_event_reads_as_a_json_value_does(text in event()) {
        check(&text);
    }

    #[test]
    fn r01_no_bytes_whatever_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(Event::from_slice(&bytes));
    }

    #[test]
    fn r01_no_change_of_one_byte_makes_the_reader_panic(at in 0..SEED.len(), byte in any::<u8>()) {
        let mut bytes = SEED.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(event) = Event::from_slice(&bytes) {
            for record in event.records() {
                assert!(!record.json().is_empty());
            }
        }
    }

    #[test]
    fn r02_numbers_are_ordered_as_big_integers(a in sequence_number(), b in sequence_number()) {
        let order = |text: &str| format!("{text:0>60}");
        let [x, y] = [&a, &b].map(|text| SequenceNumber::new(text).unwrap());
        assert_eq!(x.cmp(&y), order(&a).cmp(&order(&b)));
    }
}
