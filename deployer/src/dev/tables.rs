//! Makes the tables of the manifest's streams, when that was asked for.

use anyhow::bail;
use serde_json::{Value, json};

use super::console::Console;
use super::event::Kind;
use super::source::{Api, call};
use crate::manifest::Manifest;

/// Makes each table that is not there, with the key `id`, a string, and a stream
/// with both images; and switches the stream on of a table that has none.
///
/// # Errors
///
/// When the endpoint refuses.
pub(super) async fn create(api: &impl Api, manifest: &Manifest, console: &Console) -> anyhow::Result<()> {
    let specification = json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
    for stream in &manifest.streams {
        let table = stream.table();
        let described = call::<Value>(api, "DynamoDB_20120810.DescribeTable", json!({ "TableName": table })).await;
        let (operation, request, done) = match described {
            Ok(answer) if answer["Table"]["StreamSpecification"]["StreamEnabled"] == json!(true) => continue,
            Ok(_) => (
                "UpdateTable",
                json!({ "TableName": table, "StreamSpecification": specification }),
                format!("switched the stream of the table {table} on"),
            ),
            Err(refusal) if refusal.kind == "ResourceNotFoundException" => (
                "CreateTable",
                json!({
                    "TableName": table,
                    "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                    "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                    "BillingMode": "PAY_PER_REQUEST",
                    "StreamSpecification": specification,
                }),
                format!("made the table {table}, with the key `id` (S) and its stream"),
            ),
            Err(refusal) => bail!("the table {table}: {refusal}"),
        };
        if let Err(refusal) = call::<Value>(api, &format!("DynamoDB_20120810.{operation}"), request).await {
            bail!("the table {table}: {refusal}");
        }
        console.tell(Kind::Note { message: done });
    }
    Ok(())
}
