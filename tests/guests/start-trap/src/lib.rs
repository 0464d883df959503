//! Traps in the instance's start-up.

use gristmill_sdk::{Failure, StreamRecord};

gristmill_sdk::handler!(handle);

#[unsafe(link_section = ".init_array")]
#[used]
static START: extern "C" fn() = start;

extern "C" fn start() {
    core::arch::wasm32::unreachable();
}

fn handle(_: &StreamRecord) -> Result<(), Failure> {
    Ok(())
}
