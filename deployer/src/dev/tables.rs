//! Makes the tables of the manifest: those of its `[table.NAME]`, and when that
//! was asked for, those of its streams.

use anyhow::bail;
use serde_json::{Value, json};

use super::console::Console;
use super::event::Kind;
use crate::database::{Api, Refusal, call};
use crate::manifest::{Key, Keys, Manifest};

/// Makes each table of a `[table.NAME]` that is not there. With `of_streams`
/// each table of a stream too, with the default keys when it has no
/// `[table.NAME]`. A table that is there stays as it is, and has its stream
/// switched on when it has none.
///
/// # Errors
///
/// When the endpoint refuses.
pub(super) async fn create(
    api: &impl Api,
    manifest: &Manifest,
    of_streams: bool,
    console: &Console,
) -> anyhow::Result<()> {
    let default = Keys::default();
    let named = manifest.tables.iter().map(|table| (table.name.as_str(), Some(&table.keys)));
    let has_keys = |name: &str| manifest.tables.iter().any(|table| table.name == name);
    let others = manifest.streams.iter().map(|stream| (stream.table(), None));
    let others = others.filter(|(name, _)| of_streams && !has_keys(name));
    for (table, keys) in named.chain(others) {
        match create_one(api, table, keys.unwrap_or(&default)).await {
            // Nobody has said which keys it should have.
            Ok(Some(Done::Stays(_))) if keys.is_none() => {}
            Ok(Some(Done::Made(message) | Done::Stays(message))) => console.tell(Kind::Note { message }),
            Ok(None) => {}
            Err(refusal) => bail!("the table {table}: {refusal}"),
        }
    }
    Ok(())
}

/// What was done, in words.
enum Done {
    Made(String),
    /// It is there, and not as it should be.
    Stays(String),
}

async fn create_one(api: &impl Api, table: &str, keys: &Keys) -> Result<Option<Done>, Refusal> {
    let stream = json!({ "StreamEnabled": true, "StreamViewType": keys.stream_view_type.as_str() });
    match call::<Value>(api, "DynamoDB_20120810.DescribeTable", json!({ "TableName": table })).await {
        Ok(answer) => {
            let stays = different(&answer["Table"], keys);
            if answer["Table"]["StreamSpecification"]["StreamEnabled"] == json!(true) {
                return Ok(stays.map(|what| Done::Stays(format!("the table {table} has {what}; it stays as it is"))));
            }
            let request = json!({ "TableName": table, "StreamSpecification": stream });
            call::<Value>(api, "DynamoDB_20120810.UpdateTable", request).await?;
            Ok(Some(Done::Made(format!("switched the stream of the table {table} on"))))
        }
        Err(refusal) if refusal.kind == "ResourceNotFoundException" => {
            let all = || [(&keys.partition, "HASH")].into_iter().chain(keys.sort.iter().map(|sort| (sort, "RANGE")));
            let attributes: Vec<Value> = all()
                .map(|(key, _)| json!({ "AttributeName": key.name, "AttributeType": key.kind.as_str() }))
                .collect();
            let schema: Vec<Value> =
                all().map(|(key, role)| json!({ "AttributeName": key.name, "KeyType": role })).collect();
            let request = json!({
                "TableName": table,
                "AttributeDefinitions": attributes,
                "KeySchema": schema,
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": stream,
            });
            call::<Value>(api, "DynamoDB_20120810.CreateTable", request).await?;
            let mut done = format!("made the table {table}, with {} and its stream", words(keys));
            if let Some(name) = &keys.time_to_live {
                let specification = json!({ "Enabled": true, "AttributeName": name });
                let request = json!({ "TableName": table, "TimeToLiveSpecification": specification });
                if let Err(refusal) = call::<Value>(api, "DynamoDB_20120810.UpdateTimeToLive", request).await {
                    // The table is there, and is not made again.
                    done.push_str(&format!(
                        "; its Time to Live was refused, and is to be switched on by hand: {refusal}"
                    ));
                }
            }
            Ok(Some(Done::Made(done)))
        }
        Err(refusal) => Err(refusal),
    }
}

/// In what a table that is there has other keys, in words.
fn different(table: &Value, keys: &Keys) -> Option<String> {
    let of_role = |role: &str| {
        let key = table["KeySchema"].as_array()?.iter().find(|key| key["KeyType"] == role)?;
        let name = key["AttributeName"].as_str()?;
        let defined = table["AttributeDefinitions"].as_array()?.iter().find(|key| key["AttributeName"] == name)?;
        Some((name.to_owned(), defined["AttributeType"].as_str()?.to_owned()))
    };
    let wanted = |key: &Key| (key.name.clone(), key.kind.as_str().to_owned());
    let same = of_role("HASH") == Some(wanted(&keys.partition)) && of_role("RANGE") == keys.sort.as_ref().map(wanted);
    (!same).then(|| format!("other keys than {}", words(keys)))
}

/// ``the key `id` (S)``
fn words(keys: &Keys) -> String {
    let one = |key: &Key| format!("`{}` ({})", key.name, key.kind.as_str());
    match &keys.sort {
        None => format!("the key {}", one(&keys.partition)),
        Some(sort) => format!("the keys {} and {}", one(&keys.partition), one(sort)),
    }
}
