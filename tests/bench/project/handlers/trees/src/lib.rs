//! Reads both images into trees.

use gristmill_sdk::{Failure, StreamRecord};

gristmill_sdk::handler!(read);

fn read(record: &StreamRecord) -> Result<(), Failure> {
    let (Some(new), Some(old)) = (record.new_image()?, record.old_image()?) else {
        return Err(Failure::reject("no images"));
    };
    match (new.get("status"), old.get("status")) {
        (Some(new), Some(old)) if new != old => Ok(()),
        _ => Err(Failure::reject("no change")),
    }
}
