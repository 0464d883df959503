//! change-log: a log line for each change of an order that somebody cares for.
//!
//! What happened is found by a function that only reads, and logged by another: a unit test sees what the first gives.

use std::fmt;

use gristmill_sdk::{Change, EventName, Failure, OrFail, StreamRecord};
use serde::Deserialize;

gristmill_sdk::handler!(log);

/// The key of an order.
#[derive(Deserialize)]
struct Key {
    id: String,
}

/// What the log tells of an order. An item has more attributes, which are skipped.
#[derive(Debug, PartialEq, Deserialize)]
struct Order {
    status: String,
    cents: u64,
    courier: Option<String>,
}

/// The attributes of an [`Order`]: a change of any other makes no line.
const WATCHED: [&str; 3] = ["status", "cents", "courier"];

/// What happened to an order.
#[derive(Debug, PartialEq)]
enum Entry {
    New(Order),
    Changed {
        attribute: String,
        change: Change,
    },
    Gone(Order),
    /// Time to Live is over: nobody did it, so that nobody wants to read of it.
    Expired,
}

/// Called once for each record. Success means that it need not come again;
/// `?` on any error means that it must.
fn log(record: &StreamRecord) -> Result<(), Failure> {
    let Key { id } = record.keys_as().or_reject("the key is not an order's")?;
    for entry in entries(record)? {
        match &entry {
            Entry::New(_) | Entry::Gone(_) => gristmill_sdk::info!(order = id; "{entry}"),
            Entry::Changed { attribute, .. } => gristmill_sdk::info!(order = id, attribute = attribute; "{entry}"),
            Entry::Expired => gristmill_sdk::debug!(order = id; "{entry}"),
        }
    }
    Ok(())
}

/// What the record says, in the order of the attributes' names. An item that is no order, and a stream that does not carry
/// what is asked for, will be so the next time too: that is a rejection, and no retry.
fn entries(record: &StreamRecord) -> Result<Vec<Entry>, Failure> {
    if record.is_ttl_delete() {
        return Ok(vec![Entry::Expired]);
    }
    Ok(match record.event_name() {
        EventName::Insert => {
            let order = record.new_image_as().or_reject("not an order")?;
            vec![Entry::New(order.or_reject("the stream does not carry new images")?)]
        }
        EventName::Remove => {
            let order = record.old_image_as().or_reject("not an order")?;
            vec![Entry::Gone(order.or_reject("the stream does not carry old images")?)]
        }
        EventName::Modify => {
            let changes = record.changes().or_reject("what changed is not known")?;
            let watched = changes.into_iter().filter(|(attribute, _)| WATCHED.contains(&attribute.as_str()));
            watched.map(|(attribute, change)| Entry::Changed { attribute, change }).collect()
        }
    })
}

/// The text of the log line.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New(order) => write!(f, "new: {order}"),
            Self::Changed { change, .. } => change.fmt(f),
            Self::Gone(order) => write!(f, "gone: {order}"),
            Self::Expired => f.write_str("expired"),
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, cents, courier } = self;
        write!(f, "{status}, {cents} cents, ")?;
        match courier {
            Some(courier) => write!(f, "by {courier}"),
            None => f.write_str("no courier"),
        }
    }
}

#[cfg(test)]
mod tests;
