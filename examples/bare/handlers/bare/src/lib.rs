//! Logs one line for each record: what happened, and to which item.

use exports::gristmill::events::handler::Guest;
use gristmill::events::log::{self, Level};
use gristmill::events::types::{EventName, Failure, StreamRecord};

wit_bindgen::generate!({
    path: "../../../../wit",
    world: "stream-handler",
    generate_all,
});

struct Bare;

impl Guest for Bare {
    fn handle(record: StreamRecord) -> Result<(), Failure> {
        let event_name = match record.event_name() {
            EventName::Insert => "INSERT",
            EventName::Modify => "MODIFY",
            EventName::Remove => "REMOVE",
        };
        log::write(Level::Info, &format!("{event_name} {}", record.keys()), &[]);
        Ok(())
    }
}

export!(Bare);
