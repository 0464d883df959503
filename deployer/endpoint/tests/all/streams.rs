//! Streams, as AWS-FACTS has them: labels, shards, iterators, retention, off and
//! on, and what records carry.

use std::time::Duration;

use gristmill_endpoint::{IteratorPosition, Names, StreamError};
use serde_json::{Value, json};

use crate::support::{InProcess, NOW_MS};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn item(id: &str, v: &str) -> Value {
    json!({"id": {"S": id}, "v": {"S": v}})
}

fn names(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["eventName"].as_str().unwrap()).collect()
}

fn switch(inside: &InProcess, table: &str, view_type: Option<&str>) -> Value {
    let specification = match view_type {
        Some(view_type) => json!({"StreamEnabled": true, "StreamViewType": view_type}),
        None => json!({"StreamEnabled": false}),
    };
    inside.call("UpdateTable", json!({"TableName": table, "StreamSpecification": specification}))["TableDescription"]
        .clone()
}

#[test]
fn a_label_is_a_time_and_the_arn_carries_it() {
    let inside = InProcess::new();
    let created = inside.create("a-table", Some("KEYS_ONLY"));
    // 1795000000123 ms after 1970.
    assert_eq!(created["LatestStreamLabel"], "2026-11-18T11:06:40.123");
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/a-table/stream/2026-11-18T11:06:40.123";
    assert_eq!(created["LatestStreamArn"], arn);
    assert_eq!(created["StreamSpecification"], json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}));
    assert_eq!(created["TableArn"], "arn:aws:dynamodb:us-east-1:000000000000:table/a-table");
    let description = inside.call("DescribeStream", json!({"StreamArn": arn}))["StreamDescription"].clone();
    assert_eq!(description["StreamStatus"], "ENABLED");
    assert_eq!(description["TableName"], "a-table");
    assert_eq!(description["KeySchema"], json!([{"AttributeName": "id", "KeyType": "HASH"}]));
    assert_eq!(description["CreationRequestDateTime"], NOW_MS as f64 / 1000.0);
}

#[test]
fn region_and_account_are_those_of_the_options() {
    let names = Names::new("eu-central-1", "123456789012").unwrap();
    let inside = InProcess::with(|options| options.names = names);
    let table = inside.create("a-table", Some("NEW_IMAGE"));
    assert_eq!(table["TableArn"], "arn:aws:dynamodb:eu-central-1:123456789012:table/a-table");
    inside.put("a-table", json!({"id": {"S": "arn:aws:dynamodb:dynoxide:000000000000:table/a-table"}}));
    let records = inside.records(&inside.arn("a-table"));
    assert_eq!(records[0]["awsRegion"], "eu-central-1");
    // An item that looks like an ARN is an item.
    assert_eq!(records[0]["dynamodb"]["Keys"]["id"]["S"], "arn:aws:dynamodb:dynoxide:000000000000:table/a-table");
    let tag = json!({"ResourceArn": table["TableArn"], "Tags": [{"Key": "k", "Value": "v"}]});
    inside.call("TagResource", tag);
    let tags = inside.call("ListTagsOfResource", json!({"ResourceArn": table["TableArn"]}));
    assert_eq!(tags["Tags"], json!([{"Key": "k", "Value": "v"}]));
}

#[test]
fn a_record_has_what_the_facts_say() {
    let inside = InProcess::new();
    inside.create("a-table", Some("NEW_AND_OLD_IMAGES"));
    inside.put("a-table", item("id-1", "one"));
    inside.put("a-table", item("id-1", "two"));
    inside.call("DeleteItem", json!({"TableName": "a-table", "Key": {"id": {"S": "id-1"}}}));
    let records = inside.records(&inside.arn("a-table"));
    assert_eq!(names(&records), ["INSERT", "MODIFY", "REMOVE"]);
    let [insert, modify, remove] = records.as_slice() else { panic!("{records:?}") };
    for record in &records {
        assert_eq!(record["eventVersion"], "1.1");
        assert_eq!(record["eventSource"], "aws:dynamodb");
        assert_eq!(record["awsRegion"], "us-east-1");
        assert!(record.get("eventSourceARN").is_none() && record.get("userIdentity").is_none(), "{record}");
        let id = record["eventID"].as_str().unwrap();
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
        assert_eq!(record["dynamodb"]["ApproximateCreationDateTime"], NOW_MS / 1000);
        assert_eq!(record["dynamodb"]["Keys"], json!({"id": {"S": "id-1"}}));
        assert_eq!(record["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
        let number = record["dynamodb"]["SequenceNumber"].as_str().unwrap();
        assert!(number.len() >= 21 && number.bytes().all(|b| b.is_ascii_digit()), "{number}");
    }
    let numbers: Vec<&str> = records.iter().map(|r| r["dynamodb"]["SequenceNumber"].as_str().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(insert["dynamodb"]["NewImage"], item("id-1", "one"));
    assert!(insert["dynamodb"].get("OldImage").is_none());
    assert_eq!(modify["dynamodb"]["NewImage"], item("id-1", "two"));
    assert_eq!(modify["dynamodb"]["OldImage"], item("id-1", "one"));
    assert_eq!(remove["dynamodb"]["OldImage"], item("id-1", "two"));
    assert!(remove["dynamodb"].get("NewImage").is_none());
    // id + id-1 are 6 bytes, v + one are 4.
    let sizes: Vec<u64> = records.iter().map(|r| r["dynamodb"]["SizeBytes"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [6 + 10, 6 + 10 + 10, 6 + 10]);
    // The order of AWS-FACTS, on the wire.
    let arn = inside.arn("a-table");
    let iterator = inside.iterator(&arn, &inside.shards(&arn)[0], "TRIM_HORIZON");
    let body = json!({"ShardIterator": iterator}).to_string();
    let text = inside.runtime.block_on(inside.endpoint.call("DynamoDBStreams_20120810.GetRecords", &body)).body;
    let order = ["eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "dynamodb"]
        .map(|name| text.find(&format!("\"{name}\":")).unwrap());
    assert!(order.is_sorted(), "{text}");
}

#[test]
fn each_view_type_has_its_images() {
    let inside = InProcess::new();
    for (view_type, new, old) in [
        ("KEYS_ONLY", false, false),
        ("NEW_IMAGE", true, false),
        ("OLD_IMAGE", false, true),
        ("NEW_AND_OLD_IMAGES", true, true),
    ] {
        let table = format!("table.{view_type}");
        inside.create(&table, Some(view_type));
        inside.put(&table, item("a", "1"));
        inside.put(&table, item("a", "2"));
        inside.put(&table, item("a", "2"));
        let records = inside.records(&inside.arn(&table));
        // A change of a non-key attribute is MODIFY under KEYS_ONLY too.
        assert_eq!(names(&records), ["INSERT", "MODIFY"], "{view_type}");
        let modify = &records[1]["dynamodb"];
        assert_eq!((modify.get("NewImage").is_some(), modify.get("OldImage").is_some()), (new, old), "{view_type}");
        assert_eq!(modify["StreamViewType"], view_type);
        assert_eq!(modify["SizeBytes"], 3 + 5 * (u64::from(new) + u64::from(old)));
    }
}

#[test]
fn off_keeps_the_arn_and_on_makes_a_new_one() {
    let inside = InProcess::new();
    assert!(inside.create("a-table", None).get("LatestStreamArn").is_none());
    inside.put("a-table", item("before", "1"));
    let first = switch(&inside, "a-table", Some("NEW_IMAGE"))["LatestStreamArn"].as_str().unwrap().to_owned();
    inside.put("a-table", item("first", "1"));
    let off = switch(&inside, "a-table", None);
    assert!(off.get("StreamSpecification").is_none());
    assert_eq!(off["LatestStreamArn"], first);
    inside.put("a-table", item("between", "1"));
    // Within the same millisecond of the clock.
    let second = switch(&inside, "a-table", Some("KEYS_ONLY"))["LatestStreamArn"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    inside.put("a-table", item("second", "1"));
    let keys = |arn: &str| -> Vec<Value> {
        inside.records(arn).iter().map(|record| record["dynamodb"]["Keys"]["id"]["S"].clone()).collect()
    };
    assert_eq!(keys(&first), ["first"]);
    assert_eq!(keys(&second), ["second"]);
    let old = inside.call("DescribeStream", json!({"StreamArn": first}))["StreamDescription"].clone();
    assert_eq!(old["StreamStatus"], "DISABLED");
    let range = &old["Shards"][0]["SequenceNumberRange"];
    assert!(range["EndingSequenceNumber"].as_str() > range["StartingSequenceNumber"].as_str(), "{range}");
    assert!(inside.shards(&second)[0]["SequenceNumberRange"].get("EndingSequenceNumber").is_none());
    // A closed shard that was read to its end has no next iterator.
    let iterator = inside.iterator(&first, &old["Shards"][0], "TRIM_HORIZON");
    assert!(inside.call("GetRecords", json!({"ShardIterator": iterator})).get("NextShardIterator").is_none());
    inside.clock.advance(24 * HOUR);
    let (kind, _) = inside.refusal("DescribeStream", json!({"StreamArn": first}));
    assert_eq!(kind, "ResourceNotFoundException");
    assert_eq!(inside.arn("a-table"), second);
}

#[test]
fn a_stream_is_not_switched_to_what_it_is() {
    let inside = InProcess::new();
    inside.create("a-table", None);
    let update = |specification: Value| {
        inside.refusal("UpdateTable", json!({"TableName": "a-table", "StreamSpecification": specification}))
    };
    let validation = |message: &str| ("ValidationException".to_owned(), message.to_owned());
    let off = json!({"StreamEnabled": false});
    assert_eq!(update(off), validation("Table has no stream to disable: TableName: a-table"));
    switch(&inside, "a-table", Some("KEYS_ONLY"));
    let arn = inside.arn("a-table");
    for view_type in ["KEYS_ONLY", "NEW_IMAGE"] {
        let on = json!({"StreamEnabled": true, "StreamViewType": view_type});
        assert_eq!(update(on), validation("Table already has an enabled stream: TableName: a-table"));
    }
    let (kind, message) = update(json!({"StreamEnabled": true, "StreamViewType": "ALL"}));
    assert!(kind == "ValidationException" && message.contains("streamViewType"), "{message}");
    assert_eq!(update(json!({"StreamEnabled": true})).0, "ValidationException");
    assert_eq!(inside.arn("a-table"), arn);
    assert_eq!(inside.table("a-table")["StreamSpecification"]["StreamViewType"], "KEYS_ONLY");
    let missing = json!({"TableName": "no-table", "StreamSpecification": {"StreamEnabled": false}});
    assert_eq!(inside.refusal("UpdateTable", missing).0, "ResourceNotFoundException");
}

#[test]
fn an_update_of_more_than_the_stream_does_both() {
    let inside = InProcess::new();
    inside.create("a-table", None);
    let request = json!({"TableName": "a-table", "DeletionProtectionEnabled": true,
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "OLD_IMAGE"}});
    let updated = inside.call("UpdateTable", request)["TableDescription"].clone();
    assert_eq!(updated["DeletionProtectionEnabled"], true);
    assert_eq!(updated["StreamSpecification"]["StreamViewType"], "OLD_IMAGE");
    assert_eq!(inside.refusal("DeleteTable", json!({"TableName": "a-table"})).0, "ValidationException");
    inside.put("a-table", item("a", "1"));
    assert_eq!(inside.records(&inside.arn("a-table")).len(), 1);
}

#[test]
fn the_stream_of_a_deleted_table_stays_a_day() {
    let inside = InProcess::new();
    inside.create("a-table", Some("NEW_IMAGE"));
    inside.put("a-table", item("a", "1"));
    let arn = inside.arn("a-table");
    let deleted = inside.call("DeleteTable", json!({"TableName": "a-table"}));
    assert_eq!(deleted["TableDescription"]["LatestStreamArn"], arn);
    // Another table of the name does not have the old one's stream.
    assert!(inside.create("a-table", None).get("LatestStreamArn").is_none());
    let other = switch(&inside, "a-table", Some("NEW_IMAGE"))["LatestStreamArn"].clone();
    assert_ne!(other, arn);
    assert_eq!(names(&inside.records(&arn)), ["INSERT"]);
    assert_eq!(inside.records(other.as_str().unwrap()), Vec::<Value>::new());
    inside.clock.advance(24 * HOUR);
    assert_eq!(inside.refusal("DescribeStream", json!({"StreamArn": arn})).0, "ResourceNotFoundException");
}

#[test]
fn records_leave_after_a_day_and_not_before() {
    let inside = InProcess::new();
    inside.create("a-table", Some("KEYS_ONLY"));
    let arn = inside.arn("a-table");
    inside.put("a-table", item("old", "1"));
    let shard = inside.shards(&arn)[0].clone();
    let old = inside.records(&arn)[0]["dynamodb"]["SequenceNumber"].clone();
    inside.clock.advance(HOUR);
    inside.put("a-table", item("new", "1"));
    inside.put("a-table", item("newer", "1"));
    inside.clock.advance(23 * HOUR - Duration::from_millis(1));
    let early = inside.iterator(&arn, &shard, "TRIM_HORIZON");
    assert_eq!(inside.records(&arn).len(), 3);
    inside.clock.advance(Duration::from_millis(1));
    assert_eq!(inside.records(&arn).len(), 2);
    let (kind, message) = inside.refusal("GetRecords", json!({"ShardIterator": early}));
    assert_eq!(kind, "TrimmedDataAccessException", "{message}");
    let at = |kind: &str| json!({"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": kind, "SequenceNumber": old});
    assert_eq!(inside.refusal("GetShardIterator", at("AT_SEQUENCE_NUMBER")).0, "TrimmedDataAccessException");
    // After the newest record that has left stands the oldest that is there.
    let after = inside.call("GetShardIterator", at("AFTER_SEQUENCE_NUMBER"))["ShardIterator"].clone();
    let page = inside.call("GetRecords", json!({"ShardIterator": after}));
    assert_eq!(page["Records"][0]["dynamodb"]["Keys"]["id"]["S"], "new");
    inside.clock.advance(HOUR);
    assert_eq!(inside.records(&arn), Vec::<Value>::new());
    inside.put("a-table", item("newest", "1"));
    let newest = inside.records(&arn)[0]["dynamodb"]["SequenceNumber"].clone();
    assert!(newest.as_str() > old.as_str(), "numbers never come back");
}

#[test]
fn a_clock_that_jumps_loses_nothing_early() {
    let inside = InProcess::new();
    inside.create("a-table", Some("KEYS_ONLY"));
    let arn = inside.arn("a-table");
    inside.clock.set_ms(NOW_MS + 48 * 3_600_000);
    inside.put("a-table", item("future", "1"));
    inside.clock.set_ms(NOW_MS);
    inside.put("a-table", item("now", "1"));
    inside.clock.advance(25 * HOUR);
    assert_eq!(inside.records(&arn).len(), 2, "the older record is not a day old yet");
    inside.clock.advance(48 * HOUR);
    assert_eq!(inside.records(&arn).len(), 0);
}

#[test]
fn iterators_live_a_quarter_of_an_hour_and_can_be_used_twice() {
    let inside = InProcess::new();
    inside.create("a-table", Some("KEYS_ONLY"));
    let arn = inside.arn("a-table");
    let shard = inside.shards(&arn)[0].clone();
    let horizon = inside.iterator(&arn, &shard, "TRIM_HORIZON");
    let empty = inside.call("GetRecords", json!({"ShardIterator": horizon}));
    assert_eq!(empty["Records"], json!([]));
    assert!(empty["NextShardIterator"].is_string());
    let latest = inside.iterator(&arn, &shard, "LATEST");
    inside.put("a-table", item("a", "1"));
    inside.clock.advance(Duration::from_secs(15 * 60));
    let first = inside.call("GetRecords", json!({"ShardIterator": latest}));
    assert_eq!(first["Records"].as_array().unwrap().len(), 1);
    assert_eq!(inside.call("GetRecords", json!({"ShardIterator": latest}))["Records"], first["Records"]);
    inside.clock.advance(Duration::from_millis(1));
    assert_eq!(inside.refusal("GetRecords", json!({"ShardIterator": latest})).0, "ExpiredIteratorException");
    // The one that came with the records is younger.
    inside.call("GetRecords", json!({"ShardIterator": first["NextShardIterator"]}));
    let after = inside.iterator(&arn, &shard, "LATEST");
    assert_eq!(inside.call("GetRecords", json!({"ShardIterator": after}))["Records"], json!([]));
}

#[test]
fn an_iterator_can_begin_at_a_time() {
    let inside = InProcess::new();
    inside.create("a-table", Some("KEYS_ONLY"));
    let arn = inside.arn("a-table");
    for id in ["a", "b", "c"] {
        inside.put("a-table", item(id, "1"));
        inside.clock.advance(HOUR);
    }
    let shard = inside.shards(&arn)[0].clone();
    let from = |seconds: u64| {
        let request = json!({"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "AT_TIMESTAMP",
            "Timestamp": seconds});
        let iterator = inside.call("GetShardIterator", request)["ShardIterator"].clone();
        inside.call("GetRecords", json!({"ShardIterator": iterator}))["Records"].as_array().unwrap().len()
    };
    let begin = NOW_MS / 1000;
    assert_eq!([from(0), from(begin), from(begin + 60), from(begin + 3601), from(begin + 9000)], [3, 3, 2, 1, 0]);
    let request = json!({"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "AT_TIMESTAMP"});
    assert_eq!(inside.refusal("GetShardIterator", request).0, "ValidationException");
}

#[test]
fn what_is_not_there_is_refused() {
    let inside = InProcess::new();
    inside.create("a-table", Some("KEYS_ONLY"));
    let arn = inside.arn("a-table");
    let shard = inside.shards(&arn)[0]["ShardId"].clone();
    let iterator = |arn: &str, shard: &Value, kind: &str, number: Option<&str>| {
        let mut request = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind});
        if let Some(number) = number {
            request["SequenceNumber"] = number.into();
        }
        inside.refusal("GetShardIterator", request).0
    };
    let unknown = arn.replace("11:06", "11:07");
    for arn in [unknown.as_str(), "nonsense", &arn.replace("us-east-1", "us-west-2")] {
        assert_eq!(inside.refusal("DescribeStream", json!({"StreamArn": arn})).0, "ResourceNotFoundException");
        assert_eq!(iterator(arn, &shard, "LATEST", None), "ResourceNotFoundException");
    }
    let other = json!("shardId-00000000000000000000-00000000");
    assert_eq!(iterator(&arn, &other, "LATEST", None), "ResourceNotFoundException");
    assert_eq!(iterator(&arn, &shard, "NEWEST", None), "ValidationException");
    assert_eq!(iterator(&arn, &shard, "AT_SEQUENCE_NUMBER", None), "ValidationException");
    assert_eq!(iterator(&arn, &shard, "AT_SEQUENCE_NUMBER", Some("x")), "ValidationException");
    assert_eq!(iterator(&arn, &shard, "AFTER_SEQUENCE_NUMBER", Some("100000000000000000000")), "ValidationException");
    assert_eq!(inside.refusal("GetRecords", json!({"ShardIterator": "x"})).0, "ValidationException");
    assert_eq!(inside.refusal("GetRecords", json!({})).0, "ValidationException");
    let good = inside.iterator(&arn, &json!({"ShardId": shard}), "LATEST");
    for limit in [0, 1001, -1] {
        assert_eq!(
            inside.refusal("GetRecords", json!({"ShardIterator": good, "Limit": limit})).0,
            "ValidationException"
        );
    }
    assert_eq!(inside.refusal("GetRecords", json!({"ShardIterator": good, "Limit": "1"})).0, "SerializationException");
    assert_eq!(inside.refusal("ListStreams", json!({"Limit": 101})).0, "ValidationException");
    let after = json!({"StreamArn": arn, "ExclusiveStartShardId": other});
    assert_eq!(inside.refusal("DescribeStream", after).0, "ResourceNotFoundException");
}

#[test]
fn a_page_has_at_most_a_thousand_records_and_a_megabyte() {
    let inside = InProcess::new();
    inside.create("a-table", Some("NEW_IMAGE"));
    let arn = inside.arn("a-table");
    for batch in 0..48 {
        let puts: Vec<Value> =
            (0..25).map(|n| json!({"PutRequest": {"Item": item(&format!("{batch}-{n}"), "x")}})).collect();
        inside.call("BatchWriteItem", json!({"RequestItems": {"a-table": puts}}));
    }
    let shard = inside.shards(&arn)[0].clone();
    let iterator = inside.iterator(&arn, &shard, "TRIM_HORIZON");
    let first = inside.call("GetRecords", json!({"ShardIterator": iterator}));
    assert_eq!(first["Records"].as_array().unwrap().len(), 1000);
    let second = inside.call("GetRecords", json!({"ShardIterator": first["NextShardIterator"]}));
    assert_eq!(second["Records"].as_array().unwrap().len(), 200);
    for n in 0..6 {
        inside.put("a-table", item(&format!("large-{n}"), &"x".repeat(300_000)));
    }
    let mut next = second["NextShardIterator"].clone();
    let mut pages = Vec::new();
    while pages.iter().sum::<usize>() < 6 {
        let page = inside.call("GetRecords", json!({"ShardIterator": next}));
        let records = page["Records"].as_array().unwrap();
        let bytes: u64 = records.iter().map(|record| record["dynamodb"]["SizeBytes"].as_u64().unwrap()).sum();
        assert!(bytes <= 1 << 20, "{bytes}");
        pages.push(records.len());
        next = page["NextShardIterator"].clone();
    }
    assert_eq!(pages, [3, 3]);
}

#[test]
fn shards_split_and_keep_the_order_of_each_item() {
    let inside = InProcess::with(|options| options.shards = 2);
    inside.create("a-table", Some("NEW_IMAGE"));
    let arn = inside.arn("a-table");
    let write = |round: usize| {
        for n in 0..40 {
            inside.put("a-table", item(&format!("item-{n}"), &round.to_string()));
        }
    };
    let split = |shard: &Value| {
        let id = shard["ShardId"].as_str().unwrap();
        inside.runtime.block_on(inside.endpoint.split_shard(&arn, id)).unwrap()
    };
    assert_eq!(inside.shards(&arn).len(), 2);
    write(0);
    let parent = inside.shards(&arn)[0].clone();
    let children = split(&parent);
    write(1);
    let grandchildren = split(&json!({"ShardId": children[0]}));
    write(2);
    let shards = inside.shards(&arn);
    assert_eq!(shards.len(), 6);
    let of = |id: &str| shards.iter().find(|shard| shard["ShardId"] == id).unwrap();
    assert_eq!(of(&children[1])["ParentShardId"], parent["ShardId"]);
    assert_eq!(of(&grandchildren[0])["ParentShardId"], children[0]);
    let closed = of(parent["ShardId"].as_str().unwrap());
    let ending = closed["SequenceNumberRange"]["EndingSequenceNumber"].as_str().unwrap();
    assert!(of(&children[0])["SequenceNumberRange"]["StartingSequenceNumber"].as_str().unwrap() > ending);
    let filter = json!({"Type": "CHILD_SHARDS", "ShardId": parent["ShardId"]});
    let found = inside.call("DescribeStream", json!({"StreamArn": arn, "ShardFilter": filter}));
    let found: Vec<&Value> =
        found["StreamDescription"]["Shards"].as_array().unwrap().iter().map(|shard| &shard["ShardId"]).collect();
    assert_eq!(found, [&children[0], &children[1]]);
    // Parents stand before children, so that this is the order of reading.
    let mut seen = std::collections::HashMap::<String, Vec<String>>::new();
    let mut filled = 0;
    for shard in &shards {
        let records = inside.shard_records(&arn, shard);
        filled += usize::from(!records.is_empty());
        for record in records {
            let image = &record["dynamodb"]["NewImage"];
            let id = image["id"]["S"].as_str().unwrap().to_owned();
            seen.entry(id).or_default().push(image["v"]["S"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(filled, 6);
    assert_eq!(seen.len(), 40);
    assert!(seen.values().all(|rounds| rounds == &["0", "1", "2"]), "{seen:?}");
    let again = inside.runtime.block_on(inside.endpoint.split_shard(&arn, parent["ShardId"].as_str().unwrap()));
    assert!(matches!(again, Err(StreamError::Validation(_))), "{again:?}");
    let none = inside.runtime.block_on(inside.endpoint.split_shard(&arn, "none"));
    assert!(matches!(none, Err(StreamError::ResourceNotFound(_))), "{none:?}");
}

#[test]
fn lists_and_descriptions_come_in_pages() {
    let inside = InProcess::with(|options| options.shards = 7);
    for n in 0..5 {
        inside.create(&format!("table-{n}"), Some("KEYS_ONLY"));
    }
    inside.create("without", None);
    let mut found = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = inside.call("ListStreams", json!({"Limit": 2, "ExclusiveStartStreamArn": after}));
        found.extend(page["Streams"].as_array().unwrap().iter().map(|stream| stream["TableName"].clone()));
        match page.get("LastEvaluatedStreamArn") {
            Some(last) => after = last.clone(),
            None => break,
        }
    }
    assert_eq!(found, ["table-0", "table-1", "table-2", "table-3", "table-4"]);
    let one = inside.call("ListStreams", json!({"TableName": "table-3"}));
    assert_eq!(one["Streams"].as_array().unwrap().len(), 1);
    assert_eq!(one["Streams"][0]["StreamArn"], inside.arn("table-3"));
    let arn = inside.arn("table-0");
    let (mut shards, mut after) = (Vec::new(), Value::Null);
    loop {
        let request = json!({"StreamArn": arn, "Limit": 3, "ExclusiveStartShardId": after});
        let description = inside.call("DescribeStream", request)["StreamDescription"].clone();
        shards.extend(description["Shards"].as_array().unwrap().clone());
        match description.get("LastEvaluatedShardId") {
            Some(last) => after = last.clone(),
            None => break,
        }
    }
    assert_eq!(shards, inside.shards(&arn));
    assert_eq!(shards.len(), 7);
    for shard in shards {
        let length = shard["ShardId"].as_str().unwrap().len();
        assert!((28..=65).contains(&length), "{shard}");
    }
}

#[test]
fn the_reader_has_the_same_records_in_lambdas_spelling() {
    let inside = InProcess::new();
    inside.create("a-table", Some("NEW_IMAGE"));
    let ttl = json!({"TableName": "a-table", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "until"}});
    inside.call("UpdateTimeToLive", ttl);
    inside.put("a-table", json!({"id": {"S": "a"}, "until": {"N": (NOW_MS / 1000 + 1).to_string()}}));
    inside.clock.advance(Duration::from_secs(3));
    assert_eq!(inside.runtime.block_on(inside.endpoint.sweep()).unwrap(), 1);
    let arn = inside.arn("a-table");
    let (mut over_http, mut read) = (inside.records(&arn), inside.read(&arn));
    assert_eq!(read[1]["userIdentity"], json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"}));
    assert_eq!(over_http[1]["userIdentity"], json!({"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}));
    for records in [&mut over_http, &mut read] {
        assert!(records[0].get("userIdentity").is_none());
        records[1].as_object_mut().unwrap().remove("userIdentity");
    }
    assert_eq!(read, over_http);
    let reader = inside.endpoint.stream(&arn);
    assert_eq!(reader.stream_arn(), arn);
    assert_eq!(inside.runtime.block_on(inside.endpoint.latest_stream("a-table")).unwrap(), Some(arn));
    assert_eq!(inside.runtime.block_on(inside.endpoint.latest_stream("none")).unwrap(), None);
    let position = IteratorPosition::After("x".to_owned());
    let refused = inside.runtime.block_on(reader.shard_iterator("none", &position));
    assert!(matches!(refused, Err(StreamError::ResourceNotFound(_))), "{refused:?}");
}

#[test]
fn who_waits_is_told_of_records() {
    let inside = InProcess::new();
    inside.create("a-table", Some("NEW_IMAGE"));
    let mut changed = inside.endpoint.stream(&inside.arn("a-table")).changed();
    inside.call("GetItem", json!({"TableName": "a-table", "Key": {"id": {"S": "a"}}}));
    assert!(!changed.has_changed().unwrap(), "nothing was published");
    inside.put("a-table", item("a", "1"));
    inside.runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(10), changed.changed()).await.expect("no change was told").unwrap();
    });
    inside.put("a-table", item("a", "1"));
    assert!(!changed.has_changed().unwrap(), "a write that changes nothing publishes nothing");
}
