//! Does what the record's new image says: the attribute `do-HANDLER`, or else
//! `do`, holds the name of a behaviour and, after a space, its argument.

mod behaviours;

use gristmill_sdk::{AttributeValue, Failure, StreamRecord, invocation};

gristmill_sdk::handler!(handle);

fn handle(record: &StreamRecord) -> Result<(), Failure> {
    let script = script(record)?;
    let (name, argument) = script.split_once(' ').unwrap_or((&script, ""));
    match behaviours::ALL.iter().find(|(candidate, _)| *candidate == name) {
        Some((_, behave)) => behave(record, argument),
        None => Err(Failure::reject(format!("no behaviour {name:?}"))),
    }
}

fn script(record: &StreamRecord) -> Result<String, Failure> {
    let Some(image) = record.new_image()? else { return Ok("ok".to_owned()) };
    let own = format!("do-{}", invocation::handler());
    match image.get(&own).or_else(|| image.get("do")) {
        Some(AttributeValue::S(script)) => Ok(script.clone()),
        _ => Ok("ok".to_owned()),
    }
}
