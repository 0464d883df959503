//! clerk-check: refuses an item that has no name.

use gristmill_sdk::{Failure, StreamRecord};

gristmill_sdk::handler!(check);

/// A record that is refused comes again, as often as the mapping says, and is
/// then given up: see `gristmill demo`.
fn check(record: &StreamRecord) -> Result<(), Failure> {
    match record.new_image()? {
        Some(item) if !item.contains_key("name") => Err(Failure::reject("the item has no name")),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing::Record;

    #[test]
    fn an_item_needs_a_name() {
        let with_name = Record::insert("test-table").key("id", "1").new_attribute("name", "Tung").build();
        super::check(&with_name).unwrap();
        let without = Record::insert("test-table").key("id", "1").build();
        super::check(&without).unwrap_err();
        let gone = Record::remove("test-table").key("id", "1").build();
        super::check(&gone).unwrap();
    }
}
