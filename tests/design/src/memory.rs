//! How much address space a memory has: all that a guest can name, so that
//! guard pages find what is beyond its end, or less, with bounds checks.

use wasmtime::{Config, Store};

use crate::Session;
use crate::bindings::work::Work;
use crate::embedding::{Embedding, Interruption, settings};
use crate::guests::{STACK_KB, built};
use crate::sequence::walked;
use crate::state::State;
use crate::variant::{Variant, beat, images, in_kept_instances};

/// What the loop reads from, in KiB: as much as a cache near the core holds.
const WALKED_KB: u32 = 128;

/// How many bytes the loop reads.
const READS: u64 = 500_000;

pub(crate) fn measure(session: &Session) {
    let of_small = "a memory's address space, the image of a record of 1.25 KB into a struct";
    let of_large = "a memory's address space, the image of a record of 110 KB into a struct";
    let walk = "a memory's address space, a loop that reads from all over 128 KiB";
    if !session.wants_any(&[of_small, of_large, walk]) {
        return;
    }
    type Change = fn(&mut Config);
    let ways: [(&str, Change); 3] = [
        ("4 GiB, as in the host", |_| {}),
        ("64 MiB, bounds checked", |config| {
            config.memory_reservation(64 << 20);
            config.memory_may_move(false);
        }),
        ("what it has, bounds checked; it moves when it grows", |config| {
            config.memory_reservation(0);
            config.memory_reservation_for_growth(1 << 20);
        }),
    ];
    let component = built("work", STACK_KB);
    let variants = ways.map(|(name, change)| {
        // On demand: a pool has slots of one size, whatever is reserved.
        let mut config = settings();
        change(&mut config);
        Variant::new(name, Embedding::new(config, Interruption::Epochs), &component)
    });
    let _beat = beat(&variants);

    images(session, [of_small, of_large], &variants);

    let sum = walked(WALKED_KB, READS);
    let call = async |work: &Work, store: &mut Store<State>| {
        assert_eq!(work.call_walk(store, WALKED_KB, READS).await.unwrap(), sum);
    };
    // Nanoseconds: a unit is a thousand reads.
    session.group(walk, "ns a read", in_kept_instances(session, &variants, &call), READS as usize / 1_000);
}
