//! The events of the benchmarks: changes of orders.

use serde_json::{Value, json};

/// The stream that all records come from, of the table `orders`.
pub const STREAM: &str = "arn:aws:dynamodb:us-west-2:112233445566:table/orders/stream/2019-02-15T23:01:06.871";

/// The records of 1.25 KB in a small batch.
pub const SMALL: usize = 100;

/// The records of 110 KB in a large one.
pub const LARGE: usize = 10;

/// A batch of [`SMALL`] records.
pub fn small() -> Vec<u8> {
    event(SMALL, 1)
}

/// A batch of [`LARGE`] records.
pub fn large() -> Vec<u8> {
    event(LARGE, 605)
}

/// As many records as a batch can have, each so small that all find room.
pub fn tiny() -> Vec<u8> {
    let records: Vec<Value> = (0..10_000)
        .map(|index| {
            let mut record = record(index, 0);
            let id = json!({ "id": { "S": format!("order-{index}") } });
            record["dynamodb"]["NewImage"] = id.clone();
            record["dynamodb"]["OldImage"] = id;
            record
        })
        .collect();
    json!({ "Records": records }).to_string().into_bytes()
}

/// A batch of so many records, each of an order with so many pairs of lines.
pub fn event(records: usize, pairs: usize) -> Vec<u8> {
    let records: Vec<Value> = (0..records).map(|index| record(index, pairs)).collect();
    json!({ "Records": records }).to_string().into_bytes()
}

fn record(index: usize, pairs: usize) -> Value {
    let line = |sku: &str, pieces: &str| json!({ "M": { "sku": { "S": sku }, "pieces": { "N": pieces } } });
    let lines: Vec<Value> = (0..pairs).flat_map(|_| [line("A-1", "2"), line("B-7", "1")]).collect();
    let image = |status: &str| {
        json!({
            "id": { "S": format!("order-{index}") },
            "status": { "S": status },
            "customer": { "S": "Zoë Müller" },
            "note": { "S": "Leave it with the neighbours, please." },
            "total": { "N": "1249.95" },
            "paid": { "BOOL": true },
            "coupon": { "NULL": true },
            "labels": { "SS": ["fragile", "gift"] },
            "lines": { "L": lines },
            "address": { "M": { "city": { "S": "Zürich" }, "zip": { "S": "8001" } } },
        })
    };
    json!({
        "eventID": format!("{index:032x}"),
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-west-2",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_550_272_599,
            "Keys": { "id": { "S": format!("order-{index}") } },
            "NewImage": image("paid"),
            "OldImage": image("new"),
            "SequenceNumber": format!("2618000000000590864{index:05}"),
            "SizeBytes": 450,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": STREAM,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_sizes_that_the_tables_name() {
        assert!((1_200..1_300).contains(&(small().len() / SMALL)), "{}", small().len() / SMALL);
        assert!((105_000..115_000).contains(&(large().len() / LARGE)), "{}", large().len() / LARGE);
        assert!((5_000_000..6 << 20).contains(&tiny().len()), "{}", tiny().len());
    }
}
