//! Never starts: the instance's start-up runs for ever.

use std::hint::black_box;

use gristmill_sdk::{Failure, StreamRecord};

gristmill_sdk::handler!(handle);

#[unsafe(link_section = ".init_array")]
#[used]
static START: extern "C" fn() = start;

extern "C" fn start() {
    let mut x = 0u64;
    loop {
        x = black_box(x.wrapping_add(1));
    }
}

fn handle(_: &StreamRecord) -> Result<(), Failure> {
    Ok(())
}
