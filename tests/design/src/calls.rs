//! What a call and an instance cost by themselves, with async and without.

use gristmill_bench::measure::Contestant;

use crate::Session;
use crate::bindings::resources::ResourcesPre;
use crate::bindings::resources_sync;
use crate::embedding::{Beat, Embedding};
use crate::guests::{STACK_KB, built};
use crate::records;

pub(crate) fn measure(session: &Session) {
    let title = "a call by itself, and its instance";
    if !session.wants_any(&[title]) {
        return;
    }
    let component = built("resources", STACK_KB);
    // Three are kept, and one is fresh.
    let embedding = Embedding::of_the_host(4);
    let _beat = Beat::of([&embedding]);
    let pre = ResourcesPre::new(embedding.ready(&component)).unwrap();
    let sync = resources_sync::ResourcesPre::new(embedding.ready_without_async(&component)).unwrap();
    let runtime = &session.runtime;
    let samples = &records::small();

    let mut sync_store = embedding.store_without_async();
    let sync_instance = sync.instantiate(&mut sync_store).unwrap();
    let [mut nothing_store, mut event_id_store] = [embedding.store(), embedding.store()];
    let nothing = runtime.block_on(pre.instantiate_async(&mut nothing_store)).unwrap();
    let event_id = runtime.block_on(pre.instantiate_async(&mut event_id_store)).unwrap();

    let contestants = vec![
        Contestant::new("nothing read, without async", || {
            for sample in samples {
                let record = sync_store.data_mut().lend(&sample.event, sample.position);
                sync_instance.call_nothing(&mut sync_store, record).unwrap();
            }
        }),
        Contestant::new("nothing read", || {
            runtime.block_on(async {
                for sample in samples {
                    let record = nothing_store.data_mut().lend(&sample.event, sample.position);
                    nothing.call_nothing(&mut nothing_store, record).await.unwrap();
                }
            });
        }),
        Contestant::new("one method called, for the event id", || {
            runtime.block_on(async {
                for sample in samples {
                    let record = event_id_store.data_mut().lend(&sample.event, sample.position);
                    let length = event_id.call_event_id(&mut event_id_store, record).await.unwrap();
                    assert_eq!(length, 32);
                }
            });
        }),
        Contestant::new("a fresh instance, nothing read, without async", || {
            for sample in samples {
                let mut store = embedding.store_without_async();
                let instance = sync.instantiate(&mut store).unwrap();
                let record = store.data_mut().lend(&sample.event, sample.position);
                instance.call_nothing(&mut store, record).unwrap();
            }
        }),
        Contestant::new("a fresh instance, nothing read", || {
            runtime.block_on(async {
                for sample in samples {
                    let mut store = embedding.store();
                    let instance = pre.instantiate_async(&mut store).await.unwrap();
                    let record = store.data_mut().lend(&sample.event, sample.position);
                    instance.call_nothing(&mut store, record).await.unwrap();
                }
            });
        }),
    ];
    session.group(title, "µs a call", contestants, samples.len());
}
