//! DynamoDB's operations through our seam: they do what they are called, refuse
//! what they refuse, and describe our streams and no one else's.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{InProcess, NOW_MS};

fn key(id: &str) -> Value {
    json!({"TableName": "a-table", "Key": {"id": {"S": id}}})
}

#[test]
fn reads_find_what_was_written() {
    let inside = InProcess::new();
    inside.create("a-table", None);
    for n in 0..5 {
        inside.put("a-table", json!({"id": {"S": n.to_string()}, "n": {"N": n.to_string()}}));
    }
    assert_eq!(inside.call("GetItem", key("3"))["Item"]["n"]["N"], "3");
    let query = json!({"TableName": "a-table", "KeyConditionExpression": "id = :i", "ExpressionAttributeValues": {":i": {"S": "2"}}});
    assert_eq!(inside.call("Query", query)["Count"], 1);
    let scan =
        json!({"TableName": "a-table", "FilterExpression": "n > :n", "ExpressionAttributeValues": {":n": {"N": "2"}}});
    assert_eq!(inside.call("Scan", scan)["Count"], 2);
    let batch = json!({"RequestItems": {"a-table": {"Keys": [{"id": {"S": "1"}}, {"id": {"S": "9"}}]}}});
    assert_eq!(inside.call("BatchGetItem", batch)["Responses"]["a-table"].as_array().unwrap().len(), 1);
    let transaction = json!({"TransactItems": [{"Get": key("1")}]});
    assert_eq!(inside.call("TransactGetItems", transaction)["Responses"][0]["Item"]["n"]["N"], "1");
    let statement = json!({"Statement": "SELECT * FROM \"a-table\" WHERE id = '4'"});
    assert_eq!(inside.call("ExecuteStatement", statement)["Items"][0]["n"]["N"], "4");
    let batch = json!({"Statements": [{"Statement": "SELECT * FROM \"a-table\" WHERE id = '4'"}]});
    assert_eq!(inside.call("BatchExecuteStatement", batch)["Responses"][0]["Item"]["n"]["N"], "4");
    assert_eq!(inside.call("ListTables", json!({}))["TableNames"], json!(["a-table"]));
}

#[test]
fn no_name_of_dynoxide_is_in_a_description() {
    let inside = InProcess::new();
    let definitions = ["p", "s", "g"].map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
    let request = json!({
        "TableName": "a-table", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        "AttributeDefinitions": definitions,
        "GlobalSecondaryIndexes": [{"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"}}],
        "LocalSecondaryIndexes": [{"IndexName": "by-l", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "g", "KeyType": "RANGE"}]}],
        "SSESpecification": {"Enabled": true, "SSEType": "KMS"},
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
    });
    let created = inside.call("CreateTable", request);
    let updated = inside.call("UpdateTable", json!({"TableName": "a-table", "DeletionProtectionEnabled": false}));
    let described = inside.call("DescribeTable", json!({"TableName": "a-table"}));
    let deleted = inside.call("DeleteTable", json!({"TableName": "a-table"}));
    for description in [&created, &updated, &described, &deleted] {
        let text = description.to_string();
        assert!(!text.contains("dynoxide"), "{text}");
        assert!(text.contains("arn:aws:dynamodb:us-east-1:000000000000:table/a-table/index/by-g"), "{text}");
        assert!(text.contains("arn:aws:dynamodb:us-east-1:000000000000:table/a-table/index/by-l"), "{text}");
        assert!(text.contains("arn:aws:kms:us-east-1:000000000000:key/"), "{text}");
        assert!(text.contains("/stream/"), "{text}");
    }
}

#[test]
fn refusals_have_dynamodbs_types_and_leave_no_record() {
    let inside = InProcess::new();
    inside.create("a-table", Some("KEYS_ONLY"));
    let put = |item: Value| json!({"TableName": "a-table", "Item": item});
    let refusal = |operation: &str, body: Value| inside.refusal(operation, body).0;
    assert_eq!(
        refusal("PutItem", json!({"TableName": "none", "Item": {"id": {"S": "a"}}})),
        "ResourceNotFoundException"
    );
    assert_eq!(refusal("PutItem", put(json!({"x": {"S": "a"}}))), "ValidationException");
    assert_eq!(refusal("PutItem", put(json!({"id": {"S": ""}}))), "ValidationException");
    assert_eq!(refusal("PutItem", put(json!({"id": {"N": "1"}}))), "ValidationException");
    assert_eq!(refusal("PutItem", put(json!({"id": {"S": "a"}, "n": {"N": "one"}}))), "ValidationException");
    assert_eq!(refusal("PutItem", put(json!({"id": {"S": "a"}, "s": {"SS": ["x", "x"]}}))), "ValidationException");
    assert_eq!(refusal("PutItem", put(json!({"id": 5}))), "SerializationException");
    assert_eq!(refusal("PutItem", json!({"TableName": ["a"], "Item": {}})), "SerializationException");
    assert_eq!(
        refusal("PutItem", put(json!({"id": {"S": "a"}, "v": {"S": "x".repeat(400 << 10)}}))),
        "ValidationException"
    );
    assert_eq!(refusal("DescribeTable", json!({})), "ValidationException");
    assert_eq!(
        refusal("UpdateItem", json!({"TableName": "a-table", "Key": {"id": {"S": "a"}}, "UpdateExpression": "SET"})),
        "ValidationException"
    );
    let batch: Vec<Value> = (0..26).map(|n| json!({"PutRequest": {"Item": {"id": {"S": n.to_string()}}}})).collect();
    assert_eq!(refusal("BatchWriteItem", json!({"RequestItems": {"a-table": batch}})), "ValidationException");
    assert_eq!(inside.records(&inside.arn("a-table")), Vec::<Value>::new());
    let answer = inside.runtime.block_on(inside.endpoint.call("DynamoDB_20120810.Nothing", "{}"));
    assert!(answer.status == 400 && answer.body.contains("UnknownOperationException"), "{answer:?}");
    let answer = inside.runtime.block_on(inside.endpoint.call("nonsense", ""));
    assert!(answer.status == 400 && answer.body.contains("UnknownOperationException"), "{answer:?}");
}

#[test]
fn time_to_live_deletes_what_is_over_and_says_who_did() {
    let inside = InProcess::new();
    inside.create("a-table", Some("OLD_IMAGE"));
    inside.create("without", None);
    for table in ["a-table", "without"] {
        let specification = json!({"Enabled": true, "AttributeName": "until"});
        inside.call("UpdateTimeToLive", json!({"TableName": table, "TimeToLiveSpecification": specification}));
        for (id, seconds) in [("soon", 10), ("later", 1000)] {
            let until = (NOW_MS / 1000 + seconds).to_string();
            inside.put(table, json!({"id": {"S": id}, "until": {"N": until}}));
        }
        inside.put(table, json!({"id": {"S": "text"}, "until": {"S": "1"}}));
    }
    let sweep = || inside.runtime.block_on(inside.endpoint.sweep()).unwrap();
    assert_eq!(sweep(), 0);
    inside.clock.advance(Duration::from_secs(11));
    assert_eq!(sweep(), 2);
    assert_eq!(sweep(), 0);
    let records = inside.records(&inside.arn("a-table"));
    assert_eq!(records.len(), 4);
    assert_eq!(records[3]["eventName"], "REMOVE");
    assert_eq!(records[3]["dynamodb"]["OldImage"]["id"]["S"], "soon");
    assert_eq!(records[3]["userIdentity"]["Type"], "Service");
    assert_eq!(inside.call("Scan", json!({"TableName": "without"}))["Count"], 2);
}

#[test]
fn writers_at_once_lose_nothing() {
    let inside = InProcess::new();
    inside.create("a-table", Some("NEW_IMAGE"));
    let counters: Vec<_> = (0..8)
        .map(|_| {
            let endpoint = inside.endpoint.clone();
            inside.runtime.spawn(async move {
                for _ in 0..25 {
                    let update = json!({"TableName": "a-table", "Key": {"id": {"S": "count"}}, "UpdateExpression": "ADD n :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}}});
                    assert_eq!(endpoint.call("DynamoDB_20120810.UpdateItem", &update.to_string()).await.status, 200);
                }
            })
        })
        .collect();
    for counter in counters {
        inside.runtime.block_on(counter).unwrap();
    }
    let seen: Vec<u64> = inside
        .records(&inside.arn("a-table"))
        .iter()
        .map(|record| record["dynamodb"]["NewImage"]["n"]["N"].as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(seen, (1..=200).collect::<Vec<u64>>());
}
