#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::scan::MAX_DEPTH;
use crate::{AttributeValue, Bytes, Item, Number, from_json, item_from_json, item_to_json};

/// The one attribute `v` of an image.
fn read<T: DeserializeOwned>(value: &str) -> Result<T, String> {
    let image = format!(r#"{{"v":{value}}}"#);
    let mut all: HashMap<String, T> = from_json(&image).map_err(|error| error.to_string())?;
    Ok(all.remove("v").unwrap())
}

fn refused<T: DeserializeOwned>(value: &str) -> String {
    read::<T>(value).err().unwrap_or_else(|| panic!("{value} was taken"))
}

fn number(text: &str) -> Number {
    text.parse().unwrap()
}

#[test]
fn numbers_are_read_as_any_numeric_type_or_an_exact_text() {
    assert_eq!(read::<u8>(r#"{"N":"255"}"#), Ok(255));
    assert_eq!(read::<i128>(r#"{"N":"-170141183460469231731687303715884105"}"#).map(|n| n % 1000), Ok(-105));
    assert_eq!(read::<u32>(r#"{"N":"1E2"}"#), Ok(100));
    assert_eq!(read::<u32>(r#"{"N":"100.0"}"#), Ok(100));
    assert_eq!(read::<usize>(r#"{"N":"7"}"#), Ok(7));
    assert_eq!(read::<f64>(r#"{"N":"0.1"}"#), Ok(0.1));
    assert_eq!(read::<f32>(r#"{"N":"-2.5"}"#), Ok(-2.5));
    let exact = "0.12345678901234567890123456789012345678";
    assert_eq!(read::<String>(&format!(r#"{{"N":"{exact}"}}"#)), Ok(exact.to_owned()));
    assert_eq!(read::<Number>(&format!(r#"{{"N":"{exact}"}}"#)), Ok(number(exact)));
}

#[test]
fn a_number_that_does_not_fit_is_an_error_and_names_its_place() {
    assert_eq!(refused::<u8>(r#"{"N":"256"}"#), "v: the number 256 does not fit in u8");
    assert_eq!(refused::<u32>(r#"{"N":"-1"}"#), "v: the number -1 does not fit in u32");
    assert_eq!(refused::<i64>(r#"{"N":"1.5"}"#), "v: the number 1.5 has a fraction, and i64 has none");
    assert_eq!(refused::<f32>(r#"{"N":"1E100"}"#), "v: the number 1E100 does not fit in f32");
    for text in ["", "abc", "NaN", "inf", "-", "1E999999999999", "0x10", "1e400"] {
        let value = format!(r#"{{"N":"{text}"}}"#);
        refused::<f64>(&value);
        refused::<u32>(&value);
        refused::<String>(&value);
        refused::<Number>(&value);
        refused::<AttributeValue>(&value);
    }
    refused::<f64>(r#"{"N":1}"#);
    refused::<AttributeValue>(r#"{"N":1}"#);
}

#[test]
fn sets_lists_and_binary() {
    assert_eq!(read::<HashSet<String>>(r#"{"SS":["a","b"]}"#).unwrap().len(), 2);
    assert_eq!(read::<BTreeSet<u16>>(r#"{"NS":["2","1"]}"#), Ok(BTreeSet::from([1, 2])));
    assert_eq!(read::<BTreeSet<Bytes>>(r#"{"BS":["AQI=","Aw=="]}"#).unwrap().len(), 2);
    assert_eq!(read::<Vec<Vec<u8>>>(r#"{"BS":["AQI="]}"#), Ok(vec![vec![1, 2]]));
    assert_eq!(read::<Vec<u8>>(r#"{"B":"AQI="}"#), Ok(vec![1, 2]));
    assert_eq!(read::<Vec<u8>>(r#"{"L":[{"N":"1"}]}"#), Ok(vec![1]));
    assert_eq!(read::<serde_bytes::ByteBuf>(r#"{"B":"AQI="}"#).unwrap().into_vec(), vec![1, 2]);
    assert_eq!(read::<[u8; 2]>(r#"{"B":"AQI="}"#), Ok([1, 2]));
    assert_eq!(read::<(String, u8)>(r#"{"L":[{"S":"a"},{"N":"1"}]}"#), Ok(("a".to_owned(), 1)));
    assert_eq!(read::<Vec<AttributeValue>>(r#"{"NS":["1"]}"#), Ok(vec![AttributeValue::N(1.into())]));
    assert_eq!(refused::<(u8, u8)>(r#"{"NS":["1","2","3"]}"#), "v: expected 2 elements, found 3");
    assert_eq!(refused::<Vec<u8>>(r#"{"L":[{"N":"1"},{"N":"x"}]}"#), r#"v[1]: "x" is not a decimal number"#);
    assert_eq!(refused::<Vec<u8>>(r#"{"S":"AQI="}"#), "v: expected a list (L) or a set, found a string (S)");
    assert!(refused::<Bytes>(r#"{"B":"A*"}"#).contains("not base64"));
}

#[test]
fn null_and_absent_are_none() {
    #[derive(Deserialize)]
    struct Optional {
        there: Option<u8>,
        null: Option<u8>,
        absent: Option<u8>,
    }
    let optional: Optional = from_json(r#"{"there":{"N":"1"},"null":{"NULL":true}}"#).unwrap();
    assert_eq!((optional.there, optional.null, optional.absent), (Some(1), None, None));
    assert_eq!(read::<()>(r#"{"NULL":true}"#), Ok(()));
    assert_eq!(read::<bool>(r#"{"BOOL":false}"#), Ok(false));
    refused::<Option<u8>>(r#"{"NULL":false}"#);
    refused::<AttributeValue>(r#"{"NULL":null}"#);
    assert_eq!(refused::<bool>(r#"{"N":"1"}"#), "v: expected a boolean (BOOL), found a number (N)");
}

#[test]
fn enums_are_strings_or_maps_of_one() {
    #[derive(Deserialize, Debug, PartialEq)]
    enum Shape {
        Point,
        Circle(u8),
        Line(u8, u8),
        Box { width: u8 },
    }
    assert_eq!(read(r#"{"S":"Point"}"#), Ok(Shape::Point));
    assert_eq!(read(r#"{"M":{"Point":{"NULL":true}}}"#), Ok(Shape::Point));
    assert_eq!(read(r#"{"M":{"Circle":{"N":"1"}}}"#), Ok(Shape::Circle(1)));
    assert_eq!(read(r#"{"M":{"Line":{"L":[{"N":"1"},{"N":"2"}]}}}"#), Ok(Shape::Line(1, 2)));
    assert_eq!(read(r#"{"M":{"Box":{"M":{"width":{"N":"1"}}}}}"#), Ok(Shape::Box { width: 1 }));
    assert_eq!(
        refused::<Shape>(r#"{"M":{"Box":{"M":{"width":{"S":"1"}}}}}"#),
        "v.Box.width: expected a number (N), found a string (S)"
    );
    for value in [r#"{"M":{}}"#, r#"{"M":{"Circle":{"N":"1"},"Point":{"NULL":true}}}"#, r#"{"N":"1"}"#, r#"{"S":"X"}"#]
    {
        refused::<Shape>(value);
    }
}

#[test]
fn what_serde_buffers_stays_exact() {
    #[derive(Deserialize, Debug)]
    struct Order {
        id: String,
        #[serde(flatten)]
        price: Price,
        #[serde(flatten)]
        rest: HashMap<String, AttributeValue>,
    }
    #[derive(Deserialize, Debug)]
    struct Price {
        cents: u32,
        exact: Number,
        rate: f64,
        tags: BTreeSet<String>,
        bytes: Bytes,
    }
    let order: Order = from_json(
        r#"{"id":{"S":"1"},"cents":{"N":"5"},"exact":{"N":"1.2345678901234567890123"},"rate":{"N":"0.25"},
            "tags":{"SS":["a"]},"bytes":{"B":"AQI="},"more":{"N":"99999999999999999999999999999999999999"},
            "map":{"M":{"x":{"L":[{"NULL":true},{"BOOL":true}]}}},"text":{"S":"12"}}"#,
    )
    .unwrap();
    assert_eq!((order.id.as_str(), order.price.cents, order.price.rate), ("1", 5, 0.25));
    assert_eq!(order.price.exact, number("1.2345678901234567890123"));
    assert_eq!((order.price.tags.len(), order.price.bytes.0), (1, vec![1, 2]));
    assert_eq!(order.rest["more"], AttributeValue::N(number("99999999999999999999999999999999999999")));
    assert_eq!(order.rest["text"], AttributeValue::S("12".into()));
    assert_eq!(order.rest["map"].to_json(), r#"{"M":{"x":{"L":[{"NULL":true},{"BOOL":true}]}}}"#);

    #[derive(Deserialize)]
    struct Rest {
        #[serde(flatten)]
        rest: HashMap<String, AttributeValue>,
    }
    let error = from_json::<Rest>(r#"{"tags":{"SS":["a"]}}"#).map(|rest| rest.rest).unwrap_err();
    assert!(error.to_string().contains("a set cannot be told from a list"), "{error}");
}

#[test]
fn untagged_and_internally_tagged_enums() {
    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Float(f64),
        Text(String),
        Many(Vec<u8>),
    }
    assert_eq!(read(r#"{"N":"1"}"#), Ok(Either::Number(1)));
    assert_eq!(read(r#"{"N":"1.5"}"#), Ok(Either::Float(1.5)));
    assert_eq!(read(r#"{"S":"1"}"#), Ok(Either::Text("1".into())));
    assert_eq!(read(r#"{"NS":["1"]}"#), Ok(Either::Many(vec![1])));
    refused::<Either>(r#"{"N":"0.12345678901234567890123"}"#);

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Event {
        Paid { cents: u32 },
        Sent,
    }
    assert_eq!(from_json::<Event>(r#"{"kind":{"S":"paid"},"cents":{"N":"3"}}"#).unwrap(), Event::Paid { cents: 3 });
    assert_eq!(from_json::<Event>(r#"{"cents":{"N":"3"},"kind":{"S":"sent"}}"#).unwrap(), Event::Sent);
}

#[test]
fn an_attribute_value_takes_anything_as_a_field() {
    let image = r#"{"v":{"M":{"a":{"SS":["x"]},"b":{"N":"1.50"},"c":{"L":[]}}},"w":{"NS":["1"]}}"#;
    let all: BTreeMap<String, AttributeValue> = from_json(image).unwrap();
    assert_eq!(item_to_json(&all), image);
    assert_eq!(all, item_from_json(image).unwrap());
}

#[test]
fn maps_may_have_other_keys_and_strings_may_be_borrowed() {
    assert_eq!(read::<BTreeMap<u32, bool>>(r#"{"M":{"7":{"BOOL":true}}}"#), Ok(BTreeMap::from([(7, true)])));
    let names: HashMap<&str, &str> = from_json(r#"{"a":{"S":"b"}}"#).unwrap();
    assert_eq!(names["a"], "b");
    assert_eq!(read::<char>(r#"{"S":"é"}"#), Ok('é'));
    assert_eq!(
        read::<String>(r#"{"S":"\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t\u0000"}"#),
        Ok("é😀\n\"\\/\u{8}\u{c}\r\t\0".to_owned())
    );
}

#[test]
fn paths_name_odd_attributes_unmistakably() {
    let error = from_json::<HashMap<String, HashMap<String, u8>>>(r#"{"a.b":{"M":{"c\n":{"S":""}}}}"#).unwrap_err();
    assert_eq!(error.path(), r#"["a.b"]["c\n"]"#);
    let error = item_from_json(r#"{"a":{"L":[{"M":{"b":{"N":"x"}}}]}}"#).unwrap_err();
    assert_eq!(error.to_string(), r#"a[0].b: "x" is not a decimal number"#);
}

#[derive(Deserialize, Debug)]
#[allow(dead_code, reason = "read by nobody")]
struct Known {
    known: Option<Box<Known>>,
    v: Option<AttributeValue>,
}

/// Every way into the parser. All are to give an error, and none may panic.
fn refused_in_every_way(text: &str) {
    assert!(item_from_json(text).is_err(), "tree took {text:.200}");
    assert!(from_json::<HashMap<String, AttributeValue>>(text).is_err(), "map took {text:.200}");
    assert!(from_json::<serde_json::Value>(text).is_err(), "any took {text:.200}");
    let _ = from_json::<Known>(text);
    let _ = from_json::<IgnoredAny>(text);
    let _ = from_json::<Vec<u8>>(text);
}

#[test]
fn hostile_texts_are_errors() {
    for text in [
        "",
        " ",
        "{",
        "[]",
        "null",
        "1",
        r#""x""#,
        r#"{"v"}"#,
        r#"{"v":}"#,
        r#"{"v":1}"#,
        r#"{"v":null}"#,
        r#"{"v":"x"}"#,
        r#"{"v":[]}"#,
        r#"{"v":{}}"#,
        r#"{"v":{"S"}}"#,
        r#"{"v":{"S":}}"#,
        r#"{"v":{"S":1}}"#,
        r#"{"v":{"S":null}}"#,
        r#"{"v":{"S":"a"}"#,
        r#"{"v":{"S":"a"},}"#,
        r#"{"v":{"S":"a",}}"#,
        r#"{,"v":{"S":"a"}}"#,
        r#"{"v":{"S":"a"}} x"#,
        r#"{"v":{"S":"a"}}{}"#,
        r#"{"v":{"S":"a","N":"1"}}"#,
        r#"{"v":{"S":"a","S":"b"}}"#,
        r#"{"v":{"X":"a"}}"#,
        r#"{"v":{"s":"a"}}"#,
        r#"{"v":{"S":"a"},"v":{"S":"b"}}"#,
        r#"{"v":{"S":"a"},"\u0076":{"S":"b"}}"#,
        r#"{"v":{"M":{"a":{"S":""},"a":{"S":""}}}}"#,
        r#"{"v":{"S":"\ud800"}}"#,
        r#"{"v":{"S":"\udc00"}}"#,
        r#"{"v":{"S":"\ud800\ud800"}}"#,
        r#"{"v":{"S":"\ud800x"}}"#,
        r#"{"v":{"S":"\ud800\u"}}"#,
        r#"{"v":{"S":"\u12"}}"#,
        r#"{"v":{"S":"\u+123"}}"#,
        r#"{"v":{"S":"\uéé"}}"#,
        r#"{"v":{"S":"\x"}}"#,
        r#"{"v":{"S":"\é"}}"#,
        r#"{"v":{"S":"\"#,
        "{\"v\":{\"S\":\"a\0\"}}",
        "{\"v\":{\"S\":\"a\n\"}}",
        "{\"v\0\":{\"S\":\"a\"}}",
        r#"{"v":{"BOOL":"true"}}"#,
        r#"{"v":{"BOOL":tru}}"#,
        r#"{"v":{"NULL":false}}"#,
        r#"{"v":{"SS":["a",]}}"#,
        r#"{"v":{"SS":[{"S":"a"}]}}"#,
        r#"{"v":{"SS":{}}}"#,
        r#"{"v":{"NS":[1]}}"#,
        r#"{"v":{"L":["a"]}}"#,
        r#"{"v":{"L":[{"S":"a"}}}"#,
        r#"{"v":{"M":[]}}"#,
        r#"{"v":{"B":"%%%"}}"#,
        r#"{"v":{"N":"1e99999999999999999999"}}"#,
    ] {
        refused_in_every_way(text);
    }
    refused_in_every_way(&format!(r#"{{"v":{{"N":"{}"}}}}"#, "9".repeat(1_000_000)));
}

#[test]
fn every_truncation_is_an_error() {
    let text = r#"{"a":{"S":"x\u00e9é"},"b":{"L":[{"N":"1"},{"BOOL":true}]},"c":{"M":{"d":{"NULL":true}}},"e":{"BS":["AQ=="]}}"#;
    assert!(item_from_json(text).is_ok());
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        refused_in_every_way(&text[..end]);
    }
}

/// An image whose only attribute `known` is nested so that the image has this many levels, itself included.
fn nested(levels: usize, open: &str, close: &str) -> String {
    format!("{{\"known\":{}{{\"NULL\":true}}{}}}", open.repeat(levels - 1), close.repeat(levels - 1))
}

#[test]
fn nesting_is_bounded() {
    let limit = usize::from(MAX_DEPTH);
    for (open, close) in [(r#"{"L":["#, "]}"), (r#"{"M":{"known":"#, "}}")] {
        let deepest = nested(limit, open, close);
        assert!(item_from_json(&deepest).is_ok());
        assert!(from_json::<Item>(&deepest).is_ok());
        assert!(from_json::<IgnoredAny>(&deepest).is_ok());
        for levels in [limit + 1, 100_000] {
            let text = nested(levels, open, close);
            let error = item_from_json(&text).unwrap_err().to_string();
            assert!(error.ends_with("nested deeper than 64 levels"), "{error:.200}");
            refused_in_every_way(&text);
        }
    }
    assert!(from_json::<Known>(&nested(limit, r#"{"M":{"known":"#, "}}")).is_ok());
    assert!(from_json::<Known>(&nested(limit + 1, r#"{"M":{"known":"#, "}}")).is_err());
    refused_in_every_way(&format!(r#"{{"x":{}"#, "[".repeat(1_000_000)));
}

#[test]
fn white_space_may_be_anywhere() {
    let item = item_from_json(
        "\n{ \"a\" : { \"L\" : [ { \"N\" : \"1\" } , { \"BOOL\" : true } ] } , \"b\":{\"M\":{ }} }\t\r\n",
    );
    assert_eq!(item_to_json(&item.unwrap()), r#"{"a":{"L":[{"N":"1"},{"BOOL":true}]},"b":{"M":{}}}"#);
}

#[test]
fn sets_are_equal_in_any_order_and_lists_are_not() {
    let value = |json: &str| json.parse::<AttributeValue>().unwrap();
    assert_eq!(value(r#"{"SS":["a","b"]}"#), value(r#"{"SS":["b","a"]}"#));
    assert_eq!(value(r#"{"NS":["1","2"]}"#), value(r#"{"NS":["2","1"]}"#));
    assert_ne!(value(r#"{"SS":["a","a"]}"#), value(r#"{"SS":["b","a"]}"#));
    assert_ne!(value(r#"{"L":[{"S":"a"},{"S":"b"}]}"#), value(r#"{"L":[{"S":"b"},{"S":"a"}]}"#));
    assert_ne!(value(r#"{"SS":["1"]}"#), value(r#"{"NS":["1"]}"#));
}
