//! How guests are interrupted: not at all, by epochs, or by fuel.

use wasmtime::Store;

use crate::Session;
use crate::bindings::work::Work;
use crate::embedding::{Embedding, Interruption, pool, settings};
use crate::guests::{STACK_KB, built};
use crate::sequence::{added, spun};
use crate::state::State;
use crate::variant::{Variant, beat, images, in_kept_instances};

/// How many turns a loop takes.
const TURNS: u64 = 1_000_000;

pub(crate) fn measure(session: &Session) {
    let waits = "interruption, a tight loop whose turns wait for each other";
    let does_not_wait = "interruption, a tight loop whose turns do not wait";
    let of_small = "interruption, the image of a record of 1.25 KB into a struct";
    let of_large = "interruption, the image of a record of 110 KB into a struct";
    if !session.wants_any(&[waits, does_not_wait, of_small, of_large]) {
        return;
    }
    let component = built("work", STACK_KB);
    let ways =
        [("none", Interruption::None), ("epochs, as in the host", Interruption::Epochs), ("fuel", Interruption::Fuel)];
    let variants = ways.map(|(name, interruption)| {
        Variant::new(name, Embedding::pooled(settings(), pool(1), interruption), &component)
    });
    let _beat = beat(&variants);
    // Nanoseconds: a unit is a thousand turns.
    let units = TURNS as usize / 1_000;

    let sum = spun(TURNS);
    let call = async |work: &Work, store: &mut Store<State>| {
        assert_eq!(work.call_spin(store, TURNS).await.unwrap(), sum);
    };
    session.group(waits, "ns a turn", in_kept_instances(session, &variants, &call), units);

    let sum = added(TURNS);
    let call = async |work: &Work, store: &mut Store<State>| {
        assert_eq!(work.call_add(store, TURNS).await.unwrap(), sum);
    };
    session.group(does_not_wait, "ns a turn", in_kept_instances(session, &variants, &call), units);

    images(session, [of_small, of_large], &variants);
}
