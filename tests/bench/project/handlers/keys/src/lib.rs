//! Reads the keys, and no image.

use gristmill_sdk::{Failure, StreamRecord};

gristmill_sdk::handler!(read);

fn read(record: &StreamRecord) -> Result<(), Failure> {
    match record.keys_json().len() {
        2.. => Ok(()),
        _ => Err(Failure::reject("no keys")),
    }
}
