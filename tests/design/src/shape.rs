//! The shape of the contract: the record as a resource, as one text, and as
//! typed values.
//!
//! Instances are kept, so that only the shape differs; one row has fresh ones.

use gristmill_bench::measure::Contestant;
use wasmtime::Store;

use crate::Session;
use crate::bindings::resources::{Resources, ResourcesPre};
use crate::bindings::texts::TextsPre;
use crate::bindings::trees::{FlatRecord, Trees, TreesPre};
use crate::embedding::{Beat, Embedding};
use crate::guests::{STACK_KB, built};
use crate::records::{self, Sample};
use crate::state::State;

/// What the handler reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Keys,
    Image,
}

impl Read {
    fn answer(self, sample: &Sample) -> u64 {
        match self {
            Self::Keys => sample.key_sum,
            Self::Image => sample.image_sum,
        }
    }
}

pub(crate) fn measure(session: &Session) {
    let groups = [
        ("the contract's shape, keys only: records of 1.25 KB", Read::Keys, records::small()),
        ("the contract's shape, the new image into a struct: records of 1.25 KB", Read::Image, records::small()),
        ("the contract's shape, keys only: records of 110 KB", Read::Keys, records::large()),
        ("the contract's shape, the new image into a struct: records of 110 KB", Read::Image, records::large()),
    ];
    if !session.wants_any(&groups.each_ref().map(|(title, ..)| *title)) {
        return;
    }
    let guests = Guests::new();
    for (title, read, samples) in groups {
        group(session, &guests, title, read, &samples);
    }
}

/// The guests of all shapes, in one engine.
struct Guests {
    embedding: Embedding,
    resources: ResourcesPre<State>,
    texts: TextsPre<State>,
    trees: TreesPre<State>,
}

impl Guests {
    fn new() -> Self {
        // Five are kept, and one is fresh.
        let embedding = Embedding::of_the_host(6);
        let ready = |guest| embedding.ready(&built(guest, STACK_KB));
        let resources = ResourcesPre::new(ready("resources")).unwrap();
        let texts = TextsPre::new(ready("texts")).unwrap();
        let trees = TreesPre::new(ready("trees")).unwrap();
        Self { embedding, resources, texts, trees }
    }
}

fn group(session: &Session, guests: &Guests, title: &str, read: Read, samples: &[Sample]) {
    let Guests { embedding, resources, texts, trees } = guests;
    let _beat = Beat::of([embedding]);
    let runtime = &session.runtime;
    let store = || embedding.store();

    let mut resource_store = store();
    let resource = runtime.block_on(resources.instantiate_async(&mut resource_store)).unwrap();
    let [mut slices_store, mut text_tree_store] = [store(), store()];
    let slices = runtime.block_on(texts.instantiate_async(&mut slices_store)).unwrap();
    let text_tree = runtime.block_on(texts.instantiate_async(&mut text_tree_store)).unwrap();
    let [mut before_store, mut made_store] = [store(), store()];
    let before = runtime.block_on(trees.instantiate_async(&mut before_store)).unwrap();
    let made = runtime.block_on(trees.instantiate_async(&mut made_store)).unwrap();

    let contestants = vec![
        Contestant::new("a resource", || {
            let call = async |sample: &_| of_resource(&mut resource_store, &resource, read, sample).await;
            runtime.block_on(each(samples, read, call));
        }),
        Contestant::new("a resource, a fresh instance for each record", || {
            let call = async |sample: &_| {
                let mut store = store();
                let instance = resources.instantiate_async(&mut store).await?;
                of_resource(&mut store, &instance, read, sample).await
            };
            runtime.block_on(each(samples, read, call));
        }),
        Contestant::new("one text, read into slices", || {
            let call = async |sample: &Sample| {
                let (store, guest, record) = (&mut slices_store, &slices, sample.json());
                match read {
                    Read::Keys => guest.call_keys_by_slices(store, record).await,
                    Read::Image => guest.call_image_by_slices(store, record).await,
                }
            };
            runtime.block_on(each(samples, read, call));
        }),
        Contestant::new("one text, read into a tree", || {
            let call = async |sample: &Sample| {
                let (store, guest, record) = (&mut text_tree_store, &text_tree, sample.json());
                match read {
                    Read::Keys => guest.call_keys_by_tree(store, record).await,
                    Read::Image => guest.call_image_by_tree(store, record).await,
                }
            };
            runtime.block_on(each(samples, read, call));
        }),
        Contestant::new("typed values, made before", || {
            let call = async |sample: &Sample| of_values(&mut before_store, &before, read, &sample.flat).await;
            runtime.block_on(each(samples, read, call));
        }),
        Contestant::new("typed values, made of the text", || {
            let call = async |sample: &Sample| of_values(&mut made_store, &made, read, &sample.to_flat()).await;
            runtime.block_on(each(samples, read, call));
        }),
    ];
    session.group(title, "µs a record", contestants, samples.len());
}

/// Calls with each record, and checks what the guest answers.
async fn each(samples: &[Sample], read: Read, mut call: impl AsyncFnMut(&Sample) -> wasmtime::Result<u64>) {
    for sample in samples {
        assert_eq!(call(sample).await.unwrap(), read.answer(sample));
    }
}

async fn of_resource(
    store: &mut Store<State>,
    guest: &Resources,
    read: Read,
    sample: &Sample,
) -> wasmtime::Result<u64> {
    let record = store.data_mut().lend(&sample.event, sample.position);
    match read {
        Read::Keys => guest.call_keys(store, record).await,
        Read::Image => guest.call_image(store, record).await,
    }
}

async fn of_values(store: &mut Store<State>, guest: &Trees, read: Read, record: &FlatRecord) -> wasmtime::Result<u64> {
    match read {
        Read::Keys => guest.call_keys(store, record).await,
        Read::Image => guest.call_image(store, record).await,
    }
}
