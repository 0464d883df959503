//! The operations of DynamoDB, each handed to Dynoxide's action of that name.
//! Must not know streams, but for the tables' operations in `tables`.

use dynoxide::{DynoxideError, actions};
use serde::Serialize;

use super::Database;
use super::request::{check_members, decode};

/// What these operations are called.
pub(super) const OPERATIONS: [&str; 24] = [
    "BatchExecuteStatement",
    "BatchGetItem",
    "BatchWriteItem",
    "CreateTable",
    "DeleteItem",
    "DeleteTable",
    "DescribeTable",
    "DescribeTimeToLive",
    "ExecuteStatement",
    "ExecuteTransaction",
    "GetItem",
    "ListTables",
    "ListTagsOfResource",
    "PutItem",
    "Query",
    "Scan",
    "SearchVectors",
    "TagResource",
    "TransactGetItems",
    "TransactWriteItems",
    "UntagResource",
    "UpdateItem",
    "UpdateTable",
    "UpdateTimeToLive",
];

impl Database {
    pub(super) fn dynamodb(&mut self, name: &str, body: &str) -> Result<String, DynoxideError> {
        check_members(body)?;
        let Self { storage, lifecycle, tokens, settings, .. } = self;
        let storage = &*storage;
        // Dynoxide's actions never wait on this storage: they end where they run.
        macro_rules! run {
            ($action:ident) => {
                encode(&pollster::block_on(actions::$action::execute(storage, decode(body)?))?)
            };
            ($action:ident, $lifecycle:expr) => {
                encode(&pollster::block_on(actions::$action::execute(storage, decode(body)?, $lifecycle))?)
            };
        }
        let now_ms = settings.clock.now_ms();
        match name {
            "CreateTable" => encode(&self.create_table(decode(body)?)?),
            "DeleteTable" => encode(&self.delete_table(decode(body)?)?),
            "DescribeTable" => encode(&self.describe_table(decode(body)?)?),
            "UpdateTable" => encode(&self.update_table(decode(body)?)?),
            "BatchExecuteStatement" => run!(batch_execute_statement),
            "BatchGetItem" => run!(batch_get_item),
            "BatchWriteItem" => run!(batch_write_item),
            "DeleteItem" => run!(delete_item),
            "DescribeTimeToLive" => run!(describe_time_to_live),
            "ExecuteStatement" => run!(execute_statement),
            "ExecuteTransaction" => tokens.once(now_ms, name, body, || run!(execute_transaction)),
            "GetItem" => run!(get_item),
            "ListTables" => run!(list_tables),
            "ListTagsOfResource" => run!(list_tags_of_resource),
            "PutItem" => run!(put_item),
            "Query" => run!(query),
            "Scan" => run!(scan),
            "SearchVectors" => run!(search_vectors, lifecycle),
            "TagResource" => run!(tag_resource),
            "TransactGetItems" => run!(transact_get_items),
            "TransactWriteItems" => tokens.once(now_ms, name, body, || run!(transact_write_items)),
            "UntagResource" => run!(untag_resource),
            "UpdateItem" => run!(update_item),
            "UpdateTimeToLive" => run!(update_time_to_live),
            other => Err(DynoxideError::InternalServerError(format!("no operation is called {other}"))),
        }
    }
}

fn encode(answer: &impl Serialize) -> Result<String, DynoxideError> {
    serde_json::to_string(answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
