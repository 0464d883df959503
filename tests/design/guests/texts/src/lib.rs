//! Reads a record that is one text: its parts as slices, of which only one is
//! read on, as fast as we can; or into a tree, as many would.

mod bindings;

use bindings::Guest;
use order::{Address, Key, Line, Order};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    dynamodb: Change<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change<'a> {
    #[serde(borrow)]
    keys: &'a RawValue,
    #[serde(borrow)]
    new_image: &'a RawValue,
}

fn slices(record: &str) -> Change<'_> {
    serde_json::from_str::<Record<'_>>(record).expect("a record").dynamodb
}

fn tree(record: &str) -> Value {
    serde_json::from_str(record).expect("a record")
}

fn text(value: &Value) -> String {
    value["S"].as_str().expect("a text").to_owned()
}

fn number<T: std::str::FromStr>(value: &Value) -> T {
    value["N"].as_str().and_then(|number| number.parse().ok()).expect("a number")
}

fn order(image: &Value) -> Order {
    let line = |line: &Value| Line { sku: text(&line["M"]["sku"]), pieces: number(&line["M"]["pieces"]) };
    let address = &image["address"]["M"];
    Order {
        id: text(&image["id"]),
        customer: text(&image["customer"]),
        total: number(&image["total"]),
        paid: image["paid"]["BOOL"].as_bool().expect("a Boolean"),
        lines: image["lines"]["L"].as_array().expect("a list").iter().map(line).collect(),
        address: Address { city: text(&address["city"]), zip: text(&address["zip"]) },
    }
}

struct Texts;

impl Guest for Texts {
    fn keys_by_slices(record: String) -> u64 {
        gristmill_sdk::from_json::<Key>(slices(&record).keys.get()).expect("keys").sum()
    }

    fn keys_by_tree(record: String) -> u64 {
        Key { id: text(&tree(&record)["dynamodb"]["Keys"]["id"]) }.sum()
    }

    fn image_by_slices(record: String) -> u64 {
        gristmill_sdk::from_json::<Order>(slices(&record).new_image.get()).expect("an order").sum()
    }

    fn image_by_tree(record: String) -> u64 {
        order(&tree(&record)["dynamodb"]["NewImage"]).sum()
    }
}

bindings::export!(Texts with_types_in bindings);
