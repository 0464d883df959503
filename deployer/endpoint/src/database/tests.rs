//! What happens when the store itself fails.

use super::*;
use crate::clock::SystemClock;
use crate::{OpenError, folder};
use serde_json::Value;

const CREATE: &str = r#"{"TableName": "a-table", "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}}"#;

fn database(storage: Storage) -> Database {
    let settings = Settings { names: Names::default(), clock: Arc::new(SystemClock), shards: 1 };
    Database::new(storage, settings, None).unwrap()
}

fn call(database: &mut Database, operation: &str, body: &str) -> (u16, Value) {
    let answer = database.call(Operation::DynamoDb(operation), body);
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

fn count(database: &Database, table: &str) -> i64 {
    database.storage.conn().query_row(&format!("SELECT COUNT(*) FROM \"{table}\""), [], |row| row.get(0)).unwrap()
}

fn put(n: usize) -> String {
    format!(r#"{{"TableName": "a-table", "Item": {{"id": {{"S": "{n}"}}, "v": {{"S": "{}"}}}}}}"#, "x".repeat(2000))
}

/// Lets the database grow to so many more pages, and no further.
fn leave_pages(database: &Database, pages: i64) {
    let conn = database.storage.conn();
    let now: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    conn.query_row(&format!("PRAGMA max_page_count = {}", now + pages), [], |_| Ok(())).unwrap();
}

fn scanned(database: &mut Database) -> i64 {
    call(database, "Scan", r#"{"TableName": "a-table", "Select": "COUNT"}"#).1["Count"].as_i64().unwrap()
}

#[test]
fn a_full_disk_fails_the_writer_and_leaves_no_write_without_its_record() {
    let mut database = database(folder::in_memory().unwrap());
    assert_eq!(call(&mut database, "CreateTable", CREATE).0, 200);
    let (mut acknowledged, mut refused) = (0, 0);
    // Wherever the disk is full, in the item, the record or an index: each number
    // of pages that is left ends in another statement.
    for round in 0..40 {
        leave_pages(&database, round % 5);
        for n in 0..8 {
            let (status, body) = call(&mut database, "PutItem", &put(round as usize * 100 + n));
            match status {
                200 => acknowledged += 1,
                _ => {
                    refused += 1;
                    assert_eq!(status, 500, "{body}");
                    assert!(body["message"].as_str().unwrap().contains("full"), "{body}");
                }
            }
            assert_eq!(count(&database, "gristmill_record"), acknowledged);
            assert_eq!(scanned(&mut database), acknowledged);
        }
    }
    assert!(acknowledged > 0 && refused > 0, "{acknowledged} {refused}");
    leave_pages(&database, 1000);
    assert_eq!(call(&mut database, "PutItem", &put(999_999)).0, 200);
    assert_eq!(count(&database, "gristmill_record"), acknowledged + 1);
}

#[test]
fn a_full_disk_leaves_no_half_table() {
    let mut database = database(folder::in_memory().unwrap());
    for pages in 0..30 {
        leave_pages(&database, pages);
        let (status, body) = call(&mut database, "CreateTable", CREATE);
        let (described, _) = call(&mut database, "DescribeTable", r#"{"TableName": "a-table"}"#);
        let streams = (count(&database, "gristmill_stream"), count(&database, "gristmill_shard"));
        if status == 200 {
            assert_eq!((described, streams), (200, (1, 1)));
            assert!(pages > 0, "the disk was never full");
            return;
        }
        assert_eq!((status, described, streams), (500, 400, (0, 0)), "{body}");
    }
    panic!("no table was made");
}

#[test]
fn a_failing_record_fails_the_write() {
    let mut database = database(folder::in_memory().unwrap());
    assert_eq!(call(&mut database, "CreateTable", CREATE).0, 200);
    // As it would be if a shard had gone: there is no place for the record.
    database.storage.conn().execute("DELETE FROM gristmill_shard", []).unwrap();
    assert_eq!(call(&mut database, "PutItem", &put(1)).0, 500);
    assert_eq!(scanned(&mut database), 0);
}

#[test]
fn raw_records_do_not_stay() {
    let mut database = database(folder::in_memory().unwrap());
    assert_eq!(call(&mut database, "CreateTable", CREATE).0, 200);
    for n in 0..10 {
        assert_eq!(call(&mut database, "PutItem", &put(n / 2)).0, 200);
    }
    assert_eq!(count(&database, "_stream_records"), 0);
    assert_eq!(count(&database, "gristmill_record"), 5);
}

#[test]
fn what_a_panic_left_open_does_not_stop_the_next_call() {
    let mut database = database(folder::in_memory().unwrap());
    assert_eq!(call(&mut database, "CreateTable", CREATE).0, 200);
    database.storage.conn().execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(call(&mut database, "PutItem", &put(1)).0, 200);
    assert_eq!(scanned(&mut database), 1);
}

#[test]
fn a_start_that_was_cut_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dynamodb.sqlite");
    // Dynoxide has made its tables, and we had not come to ours.
    drop(Storage::new(file.to_str().unwrap()).unwrap());
    let (storage, _lock) = folder::open(folder.path()).unwrap();
    let mut database = database(storage);
    assert_eq!(call(&mut database, "CreateTable", CREATE).0, 200);
}

#[test]
fn data_of_dynoxide_alone_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dynamodb.sqlite");
    let foreign = dynoxide::Database::new(file.to_str().unwrap()).unwrap();
    foreign.create_table(serde_json::from_str(CREATE).unwrap()).unwrap();
    drop(foreign);
    let before = std::fs::read(&file).unwrap();
    let Err(error) = folder::open(folder.path()) else { panic!("foreign data was opened") };
    assert!(matches!(error, OpenError::OtherVersion { .. }), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}
