//! A handler as people write it in Rust today: `lambda_runtime`,
//! `aws_lambda_events` and `serde_dynamo`.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use gristmill_bench::order::Order;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

async fn handle(event: LambdaEvent<aws_lambda_events::dynamodb::Event>) -> Result<Value, lambda_runtime::Error> {
    for record in event.payload.records {
        let order: Order = serde_dynamo::from_item(record.change.new_image)?;
        assert!(order.is_in_order());
    }
    Ok(json!({ "batchItemFailures": [] }))
}

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::run(service_fn(handle)).await
}
