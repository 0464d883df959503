//! Where instances come from: an allocator on demand, and pools that keep more
//! or less of a memory, with the page-map scan and without, for guests with a
//! small stack and a large one.

use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, Store};

use crate::Session;
use crate::bindings::work::Work;
use crate::embedding::{Embedding, Interruption, pool, settings};
use crate::guests::{RUST_STACK_KB, STACK_KB, built};
use crate::records;
use crate::state::State;
use crate::variant::{Variant, beat, in_fresh_instances};

/// How many instances a run makes, one after another.
const INSTANCES: usize = 20;

/// What a guest that uses memory writes to, in KiB.
const TOUCHED_KB: u32 = 1024;

/// What is kept of a memory, in KiB, and whether pages are scanned. The host's
/// settings first. Where nothing is kept there is nothing to scan for.
const KEPT: [(usize, Enabled); 5] =
    [(1024, Enabled::Yes), (1024, Enabled::No), (512, Enabled::Yes), (512, Enabled::No), (0, Enabled::No)];

pub(crate) fn measure(session: &Session) {
    let reads = "the pool, a fresh instance and the new image into a struct";
    let touches = "the pool, a fresh instance that touches 1 MiB of memory";
    if !session.wants_any(&[reads, touches]) {
        return;
    }
    let variants = variants();
    let _beat = beat(&variants);
    let samples = records::small();
    let (image, sum) = (samples[0].new_image(), samples[0].image_sum);

    let call = async |work: &Work, store: &mut Store<State>| {
        assert_eq!(work.call_read(store, image, 1).await.unwrap(), sum);
    };
    let contestants = in_fresh_instances(session, &variants, INSTANCES, &call);
    session.group(reads, "µs an instance", contestants, INSTANCES);

    let call = async |work: &Work, store: &mut Store<State>| {
        let pages = work.call_touch(store, TOUCHED_KB).await.unwrap();
        assert_eq!(pages, u64::from(TOUCHED_KB / 4));
    };
    let contestants = in_fresh_instances(session, &variants, INSTANCES, &call);
    session.group(touches, "µs an instance", contestants, INSTANCES);

    if !scans_pages() {
        println!("\nNo rows with the page-map scan: this kernel does not have it. Linux 6.7 does.");
    }
}

/// All that are compared, as far as this machine has them.
fn variants() -> Vec<Variant> {
    let has_scan = scans_pages();
    let kept = KEPT.into_iter().filter(|(_, scan)| has_scan || *scan == Enabled::No).map(|(kept_kb, scan)| {
        let mut pool = pool(1);
        pool.linear_memory_keep_resident(kept_kb << 10);
        pool.pagemap_scan(scan);
        if kept_kb == 0 {
            pool.table_keep_resident(0);
        }
        let scans = if scan == Enabled::Yes { ", page-map scan" } else { "" };
        (format!("a pool, {kept_kb} KiB kept{scans}"), InstanceAllocationStrategy::Pooling(pool))
    });
    let allocators = kept.chain([("on demand".to_owned(), InstanceAllocationStrategy::OnDemand)]);
    let guests = [STACK_KB, RUST_STACK_KB].map(|stack_kb| (stack_kb, built("work", stack_kb)));
    let mut variants = Vec::new();
    for (allocator, strategy) in allocators {
        for (stack_kb, component) in &guests {
            let mut config = settings();
            config.allocation_strategy(strategy.clone());
            let embedding = Embedding::new(config, Interruption::Epochs);
            let name = format!("{allocator}; a stack of {stack_kb} KiB");
            variants.push(Variant::new(name, embedding, component));
        }
    }
    variants
}

/// Whether the kernel has the page-map scan.
fn scans_pages() -> bool {
    let mut pool = pool(1);
    pool.pagemap_scan(Enabled::Yes);
    let mut config = settings();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).is_ok()
}
