//! The guest `work` in engines that differ in one setting.

use gristmill_bench::measure::Contestant;
use wasmtime::Store;

use crate::Session;
use crate::bindings::work::{Work, WorkPre};
use crate::embedding::{Beat, Embedding};
use crate::records;
use crate::state::State;

/// One of those that are compared.
pub(crate) struct Variant {
    name: String,
    embedding: Embedding,
    pre: WorkPre<State>,
}

impl Variant {
    /// Compiles the component of `work`.
    pub(crate) fn new(name: impl Into<String>, embedding: Embedding, component: &[u8]) -> Self {
        let pre = WorkPre::new(embedding.ready(component)).unwrap();
        Self { name: name.into(), embedding, pre }
    }
}

/// Advances the epochs of all until it is dropped.
pub(crate) fn beat(variants: &[Variant]) -> Beat {
    Beat::of(variants.iter().map(|variant| &variant.embedding))
}

/// Contestants that make a call in an instance that is kept.
pub(crate) fn in_kept_instances<'a>(
    session: &'a Session,
    variants: &'a [Variant],
    call: &'a impl AsyncFn(&Work, &mut Store<State>),
) -> Vec<Contestant<'a>> {
    let contestant = |Variant { name, embedding, pre }: &'a Variant| {
        let mut store = embedding.store();
        let work = session.runtime.block_on(pre.instantiate_async(&mut store)).unwrap();
        Contestant::new(name, move || session.runtime.block_on(call(&work, &mut store)))
    };
    variants.iter().map(contestant).collect()
}

/// Two groups: images of records of 1.25 KB, and of 110 KB, into structs, in
/// instances that are kept.
pub(crate) fn images(session: &Session, titles: [&str; 2], variants: &[Variant]) {
    for (title, samples) in titles.into_iter().zip([records::small(), records::large()]) {
        let (image, sum) = (samples[0].new_image(), samples[0].image_sum);
        // Read so often in one call that the call itself does not count.
        let times = 500_000 / image.len() as u32;
        let call = async |work: &Work, store: &mut Store<State>| {
            assert_eq!(work.call_read(store, image, times).await.unwrap(), sum.wrapping_mul(u64::from(times)));
        };
        session.group(title, "µs an image", in_kept_instances(session, variants, &call), times as usize);
    }
}

/// Contestants that make a call in each of so many instances, one after
/// another.
pub(crate) fn in_fresh_instances<'a>(
    session: &'a Session,
    variants: &'a [Variant],
    instances: usize,
    call: &'a impl AsyncFn(&Work, &mut Store<State>),
) -> Vec<Contestant<'a>> {
    let contestant = |Variant { name, embedding, pre }: &'a Variant| {
        Contestant::new(name, move || {
            session.runtime.block_on(async {
                for _ in 0..instances {
                    let mut store = embedding.store();
                    let work = pre.instantiate_async(&mut store).await.unwrap();
                    call(&work, &mut store).await;
                }
            });
        })
    };
    variants.iter().map(contestant).collect()
}
