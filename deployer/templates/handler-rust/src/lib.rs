//! @HANDLER@: called for each record of a table's stream.

use gristmill_sdk::{Failure, StreamRecord};

gristmill_sdk::handler!(@METHOD@);

/// Called once for each record. Success means that it need not come again;
/// `?` on any error means that it must.
fn @METHOD@(record: &StreamRecord) -> Result<(), Failure> {
    println!("event: {record}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing::Record;

    #[test]
    fn a_change_is_handled() {
        let record = Record::modify("@TABLE@")
            .key("id", "1")
            .old_attribute("name", "Tung")
            .new_attribute("name", "Tung Nguyen")
            .build();
        super::@METHOD@(&record).unwrap();
    }
}
