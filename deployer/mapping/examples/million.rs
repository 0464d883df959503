//! A million records through the mapping alone, in virtual time, with a target
//! that does nothing: how many a second, and whether memory stays flat.
//!
//! ```text
//! cargo run --release -p gristmill-mapping --example million [records] [trace]
//! ```
//!
//! `trace` writes each decision as a line of JSON, and drops the line. The
//! stream makes its records as they are read, so that all memory is the
//! mapping's.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gristmill_mapping::testing::{START, STREAM_ARN, UUID, VirtualClock};
use gristmill_mapping::trace::{Entry, TraceSink};
use gristmill_mapping::{
    Answer, Configuration, Destination, DestinationError, FailureDocument, Handle, Invocation, IteratorPosition,
    Parameters, Ports, Position, PositionError, PositionStore, RecordPage, Settings, ShardDescription, ShardPage,
    SourceError, StreamSource, Target, run,
};

const FIRST: u64 = 1_000_000_000;
const SHARDS: u64 = 4;

/// Records made as they are read; each shard has its share.
struct Made {
    records_a_shard: u64,
}

impl StreamSource for Made {
    async fn describe(&self, _: Option<&str>) -> Result<ShardPage, SourceError> {
        let shard = |n| ShardDescription { shard_id: format!("shardId-{n:020}"), ..ShardDescription::default() };
        Ok(ShardPage { shards: (0..SHARDS).map(shard).collect(), more: false })
    }

    async fn shard_iterator(&self, shard: &str, position: &IteratorPosition) -> Result<String, SourceError> {
        let number = |text: &str| text.parse::<u64>().map_err(|error| SourceError::Failed(error.to_string()));
        let next = match position {
            IteratorPosition::TrimHorizon => FIRST,
            IteratorPosition::Latest => FIRST + self.records_a_shard,
            IteratorPosition::At(at) => number(at)?,
            IteratorPosition::After(after) => number(after)? + 1,
        };
        Ok(format!("{shard}|{next}"))
    }

    async fn records(&self, iterator: &str, limit: usize) -> Result<RecordPage, SourceError> {
        let failed = || SourceError::Failed("no such iterator".to_owned());
        let (shard, next) = iterator.split_once('|').ok_or_else(failed)?;
        let next: u64 = next.parse().map_err(|_| failed())?;
        let end = (next + limit as u64).min(FIRST + self.records_a_shard);
        let records = (next..end).map(|number| record(shard, number)).collect();
        let next_iterator = (end < FIRST + self.records_a_shard).then(|| format!("{shard}|{end}"));
        Ok(RecordPage { records, next_iterator })
    }
}

/// About 600 bytes, with two images.
fn record(shard: &str, number: u64) -> String {
    let key = number % 10_000;
    let (seconds, shard) = (START.ms() / 1_000, &shard[shard.len() - 2..]);
    let image = |n: u64| {
        format!(
            r#"{{"id":{{"S":"item-{shard}-{key}"}},"name":{{"S":"a clerk of no importance"}},"count":{{"N":"{n}"}},"open":{{"BOOL":true}}}}"#
        )
    };
    let (new, old) = (image(number), image(number - 1));
    format!(
        r#"{{"eventID":"{number:032x}","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1","dynamodb":{{"ApproximateCreationDateTime":{seconds},"Keys":{{"id":{{"S":"item-{shard}-{key}"}}}},"NewImage":{new},"OldImage":{old},"SequenceNumber":"{number}","SizeBytes":150,"StreamViewType":"NEW_AND_OLD_IMAGES"}}}}"#
    )
}

#[derive(Clone, Default)]
struct Nothing {
    invokes: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
}

impl Target for Nothing {
    async fn invoke(&self, invocation: &Invocation) -> Answer {
        self.invokes.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(invocation.payload.len() as u64, Ordering::Relaxed);
        Answer::Returned(Vec::new())
    }
}

struct Nowhere;

impl Destination for Nowhere {
    async fn send(&self, _: &FailureDocument) -> Result<(), DestinationError> {
        Ok(())
    }
}

impl PositionStore for Nowhere {
    async fn load(&self, _: &str) -> Result<BTreeMap<String, Position>, PositionError> {
        Ok(BTreeMap::new())
    }

    async fn save(&self, _: &str, _: &str, _: &Position) -> Result<(), PositionError> {
        Ok(())
    }

    async fn forget(&self, _: &str, _: &str) -> Result<(), PositionError> {
        Ok(())
    }

    async fn forget_all(&self, _: &str) -> Result<(), PositionError> {
        Ok(())
    }
}

struct Lines {
    written: bool,
    bytes: Arc<AtomicU64>,
}

impl TraceSink for Lines {
    fn entry(&self, entry: &Entry) {
        if self.written {
            self.bytes.fetch_add(entry.to_json_line().len() as u64, Ordering::Relaxed);
        }
    }
}

/// Resident memory in megabytes; none where there is no `/proc`.
fn resident_mb() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4_096.0 / 1e6)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let records: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let written = arguments.next().is_some_and(|word| word == "trace");
    let configuration = Configuration::create(&Parameters {
        event_source_arn: Some(STREAM_ARN.to_owned()),
        function_name: Some("nothing".to_owned()),
        starting_position: Some("TRIM_HORIZON".to_owned()),
        parallelization_factor: Some(2),
        ..Parameters::default()
    })?;
    let clock = VirtualClock::at(START);
    let target = Nothing::default();
    let bytes = Arc::new(AtomicU64::new(0));
    let handle = clock.run(Handle::open(configuration, Settings::new(UUID, 1), &Nowhere, &clock))?;
    let ports = Ports {
        source: Made { records_a_shard: records.div_ceil(SHARDS) },
        target: target.clone(),
        destination: Nowhere,
        positions: Nowhere,
        clock: clock.clone(),
        trace: Lines { written, bytes: Arc::clone(&bytes) },
    };
    let watched = watch(handle.clone(), records);
    let begin = Instant::now();
    let mut running: Pin<Box<dyn Future<Output = ()>>> = Box::pin(run(ports, handle.clone()));
    clock.advance(Duration::from_secs(1), running.as_mut());
    let took = begin.elapsed();
    let delivered = handle.counts().delivered;
    let samples = watched.join().map_err(|_| "the watcher has failed")?;

    println!(
        "{delivered} records in {:.2} s: {:.0} records/s",
        took.as_secs_f64(),
        delivered as f64 / took.as_secs_f64()
    );
    let (invokes, payloads) = (target.invokes.load(Ordering::Relaxed), target.bytes.load(Ordering::Relaxed));
    println!(
        "{invokes} invokes, {:.0} MB of payload, {:.0} MB of trace",
        payloads as f64 / 1e6,
        bytes.load(Ordering::Relaxed) as f64 / 1e6
    );
    for (done, mb) in samples {
        println!("{:>3} % done: {mb:.1} MB resident", done);
    }
    if delivered < records {
        return Err(format!("only {delivered} of {records} records were delivered").into());
    }
    Ok(())
}

/// Looks at the memory as the run goes on: at each tenth.
fn watch(handle: Handle, records: u64) -> std::thread::JoinHandle<Vec<(u64, f64)>> {
    std::thread::spawn(move || {
        let mut samples = Vec::new();
        for tenth in 1..=10 {
            while handle.counts().delivered * 10 < records * tenth {
                std::thread::sleep(Duration::from_millis(2));
            }
            samples.extend(resident_mb().map(|mb| (tenth * 10, mb)));
        }
        samples
    })
}
