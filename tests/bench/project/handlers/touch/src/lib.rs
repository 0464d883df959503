//! Writes to every page of so many KiB of memory as the handler's name ends in.

use std::hint::black_box;

use gristmill_sdk::{Failure, OrFail, StreamRecord, invocation};

gristmill_sdk::handler!(touch);

fn touch(_: &StreamRecord) -> Result<(), Failure> {
    let name = invocation::handler();
    let kb: usize = name.rsplit('-').next().unwrap_or_default().parse().or_reject("a name ends in KiB")?;
    let mut memory = vec![0u8; kb << 10];
    for page in memory.chunks_mut(4096) {
        page[0] = 1;
    }
    black_box(&memory);
    Ok(())
}
