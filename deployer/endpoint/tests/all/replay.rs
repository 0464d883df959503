//! Whatever is written, the records replayed are the table: each new image
//! follows from the old one before it, and the last ones are what is there.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::InProcess;

/// A value in one of two spellings; which of them is no change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    value: u8,
    spelling: bool,
}

impl Written {
    fn json(self) -> Value {
        let n = self.value;
        match (n % 3, self.spelling) {
            (0, false) => json!({"N": n.to_string()}),
            (0, true) => json!({"N": format!("{n}.00")}),
            (1, false) => json!({"SS": ["a", n.to_string()]}),
            (1, true) => json!({"SS": [n.to_string(), "a"]}),
            (_, false) => json!({"M": {"l": {"L": [{"N": n.to_string()}, {"NULL": true}]}}}),
            (_, true) => json!({"M": {"l": {"L": [{"N": format!("{n}e0")}, {"NULL": true}]}}}),
        }
    }
}

#[derive(Clone, Debug)]
enum Write {
    Put(u8, Written),
    Update(u8, Written),
    Delete(u8),
    /// A put that its condition refuses if the item is there.
    PutNew(u8, Written),
    Batch(Vec<(u8, Option<Written>)>),
    /// Done as one, or not at all when `fails`.
    Transaction(Vec<(u8, Option<Written>)>, bool),
    Split(usize),
}

fn written() -> impl Strategy<Value = Written> {
    (0_u8..6, any::<bool>()).prop_map(|(value, spelling)| Written { value, spelling })
}

fn write() -> impl Strategy<Value = Write> {
    let items = || prop::collection::btree_map(0_u8..5, prop::option::of(written()), 1..4);
    prop_oneof![
        4 => (0_u8..5, written()).prop_map(|(id, value)| Write::Put(id, value)),
        3 => (0_u8..5, written()).prop_map(|(id, value)| Write::Update(id, value)),
        2 => (0_u8..5).prop_map(Write::Delete),
        1 => (0_u8..5, written()).prop_map(|(id, value)| Write::PutNew(id, value)),
        1 => items().prop_map(|items| Write::Batch(items.into_iter().collect())),
        2 => (items(), any::<bool>()).prop_map(|(items, fails)| Write::Transaction(items.into_iter().collect(), fails)),
        1 => (0_usize..8).prop_map(Write::Split),
    ]
}

const TABLE: &str = "a-table";

fn item(id: u8, value: Written) -> Value {
    json!({"id": {"S": id.to_string()}, "v": value.json()})
}

fn key(id: u8) -> Value {
    json!({"id": {"S": id.to_string()}})
}

/// The model: what each item has, and how many records there must be.
#[derive(Default)]
struct Model {
    items: HashMap<u8, u8>,
    records: usize,
}

impl Model {
    fn set(&mut self, id: u8, value: Option<Written>) {
        let new = value.map(|written| written.value);
        let old = match new {
            Some(new) => self.items.insert(id, new),
            None => self.items.remove(&id),
        };
        self.records += usize::from(old != new);
    }

    fn apply(&mut self, inside: &InProcess, write: &Write) {
        match write {
            Write::Put(id, value) => {
                inside.put(TABLE, item(*id, *value));
                self.set(*id, Some(*value));
            }
            Write::Update(id, value) => {
                let request = json!({"TableName": TABLE, "Key": key(*id), "UpdateExpression": "SET v = :v",
                    "ExpressionAttributeValues": {":v": value.json()}});
                inside.call("UpdateItem", request);
                self.set(*id, Some(*value));
            }
            Write::Delete(id) => {
                inside.call("DeleteItem", json!({"TableName": TABLE, "Key": key(*id)}));
                self.set(*id, None);
            }
            Write::PutNew(id, value) => {
                let request = json!({"TableName": TABLE, "Item": item(*id, *value), "ConditionExpression": "attribute_not_exists(id)"});
                let done = inside.try_call("PutItem", &request);
                assert_eq!(done.is_ok(), !self.items.contains_key(id), "{done:?}");
                if done.is_ok() {
                    self.set(*id, Some(*value));
                }
            }
            Write::Batch(items) => {
                let requests: Vec<Value> = items
                    .iter()
                    .map(|(id, value)| match value {
                        Some(value) => json!({"PutRequest": {"Item": item(*id, *value)}}),
                        None => json!({"DeleteRequest": {"Key": key(*id)}}),
                    })
                    .collect();
                inside.call("BatchWriteItem", json!({"RequestItems": {TABLE: requests}}));
                items.iter().for_each(|(id, value)| self.set(*id, *value));
            }
            Write::Transaction(items, fails) => {
                let mut requests: Vec<Value> = items
                    .iter()
                    .map(|(id, value)| match value {
                        Some(value) => json!({"Put": {"TableName": TABLE, "Item": item(*id, *value)}}),
                        None => json!({"Delete": {"TableName": TABLE, "Key": key(*id)}}),
                    })
                    .collect();
                if *fails {
                    requests.push(json!({"ConditionCheck": {"TableName": TABLE, "Key": {"id": {"S": "never"}},
                        "ConditionExpression": "attribute_exists(id)"}}));
                }
                let done = inside.try_call("TransactWriteItems", &json!({"TransactItems": requests}));
                assert_eq!(done.is_err(), *fails, "{done:?}");
                if !fails {
                    items.iter().for_each(|(id, value)| self.set(*id, *value));
                }
            }
            Write::Split(nth) => {
                let arn = inside.arn(TABLE);
                let open: Vec<Value> = inside
                    .shards(&arn)
                    .into_iter()
                    .filter(|shard| shard["SequenceNumberRange"].get("EndingSequenceNumber").is_none())
                    .collect();
                let shard = open[nth % open.len()]["ShardId"].as_str().unwrap();
                inside.runtime.block_on(inside.endpoint.split_shard(&arn, shard)).unwrap();
            }
        }
    }
}

/// Sets in one order, so that images can be compared as text.
fn ordered(image: &Value) -> Value {
    let mut image = image.clone();
    if let Some(set) = image.pointer_mut("/v/SS").and_then(Value::as_array_mut) {
        set.sort_by_key(ToString::to_string);
    }
    image
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_records_replayed_are_the_table(writes in prop::collection::vec(write(), 1..40), shards in 1_u32..4) {
        let inside = InProcess::with(|options| options.shards = shards);
        inside.create(TABLE, Some("NEW_AND_OLD_IMAGES"));
        let mut model = Model::default();
        for write in &writes {
            model.apply(&inside, write);
        }
        let records = inside.records(&inside.arn(TABLE));
        prop_assert_eq!(records.len(), model.records);
        let mut table: HashMap<String, Value> = HashMap::new();
        let mut last: HashMap<String, String> = HashMap::new();
        for record in &records {
            let change = &record["dynamodb"];
            let id = change["Keys"]["id"]["S"].as_str().unwrap().to_owned();
            let number = change["SequenceNumber"].as_str().unwrap().to_owned();
            prop_assert!(last.insert(id.clone(), number.clone()).is_none_or(|before| before < number));
            let old = change.get("OldImage").map(ordered);
            prop_assert_eq!(table.get(&id), old.as_ref());
            let new = change.get("NewImage").map(ordered);
            let name = match (&old, &new) {
                (None, Some(_)) => "INSERT",
                (Some(_), Some(_)) => "MODIFY",
                (_, None) => "REMOVE",
            };
            prop_assert_eq!(record["eventName"].as_str(), Some(name));
            match new {
                Some(new) => table.insert(id, new),
                None => table.remove(&id),
            };
        }
        let scan = inside.call("Scan", json!({"TableName": TABLE}));
        let there: HashMap<String, Value> = scan["Items"].as_array().unwrap().iter()
            .map(|item| (item["id"]["S"].as_str().unwrap().to_owned(), ordered(item)))
            .collect();
        prop_assert_eq!(table.len(), model.items.len());
        prop_assert_eq!(table.keys().collect::<std::collections::BTreeSet<_>>(), there.keys().collect());
        for (id, image) in &table {
            // A write that changed nothing may have left another spelling behind.
            let spelt = |image: &Value| image.to_string().replace(".00", "").replace("e0", "");
            prop_assert_eq!(spelt(image), spelt(&there[id]));
        }
    }
}
