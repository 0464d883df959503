//! Computes, reads, and uses memory.

mod bindings;

use std::hint::black_box;

use bindings::Guest;
use order::Order;

/// The next of a sequence that no compiler can foresee: xorshift.
fn next(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}

struct Work;

impl Guest for Work {
    fn spin(turns: u64) -> u64 {
        (0..turns).fold(1, |state, _| next(state))
    }

    fn add(turns: u64) -> u64 {
        (0..turns).fold(0, |sum: u64, turn| sum.wrapping_add(turn ^ (turn >> 3)))
    }

    fn read(image: String, times: u32) -> u64 {
        let read = || gristmill_sdk::from_json::<Order>(black_box(&image)).expect("an order").sum();
        (0..times).fold(0, |sum: u64, _| sum.wrapping_add(read()))
    }

    fn touch(kb: u32) -> u64 {
        let mut memory = vec![0u8; (kb as usize) << 10];
        for page in memory.chunks_mut(4096) {
            page[0] = 1;
        }
        black_box(&memory).iter().step_by(4096).map(|byte| u64::from(*byte)).sum()
    }

    fn walk(kb: u32, reads: u64) -> u64 {
        let size = (kb as usize) << 10;
        let memory: Vec<u8> = black_box((0..size).map(|place| place as u8).collect());
        let (_, sum) = (0..reads).fold((1, 0u64), |(state, sum), _| {
            let state = next(state);
            (state, sum.wrapping_add(u64::from(memory[state as usize & (size - 1)])))
        });
        sum
    }
}

bindings::export!(Work with_types_in bindings);
