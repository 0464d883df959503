//! One stream of the manifest: finds the table's streams, and runs an event
//! source mapping on them, one after the other, oldest first. Decides nothing
//! about records: that is the mapping's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use gristmill_mapping::configuration::{DestinationConfig, Filter, FilterCriteria, OnFailureConfig};
use gristmill_mapping::trace::Entry;
use gristmill_mapping::{
    Clock as _, Configuration, Handle, Parameters, Ports, Position, PositionStore as _, Settings, SourceError,
    TokioClock, TraceSink, run,
};
use tokio::sync::watch;

use super::console::Console;
use super::event::{Kind, StreamState};
use super::failures::Failures;
use super::positions::Positions;
use super::target::{Current, Function as Target};
use crate::database::{Api, Refusal, Source, TableStreams, is_on, streams_of};
use crate::function::now_ms;
use crate::functions::Function;
use crate::manifest::{Destination, Manifest, Mapping, StartingPosition, Stream};

/// How often it is looked whether a table or a stream is there by now, when
/// nothing tells.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What all streams of a project share.
pub(super) struct Shared<A> {
    /// Who has the tables.
    pub(super) api: Arc<A>,
    /// Where positions are kept.
    pub(super) positions: Positions,
    /// Where failure documents go; none when data is in memory.
    pub(super) failures: Option<std::path::PathBuf>,
    /// What runs.
    pub(super) current: Current,
    /// Who is told.
    pub(super) console: Console,
}

/// A stream that is being read.
pub(super) struct Reader {
    table: String,
    wanted: watch::Sender<Wanted>,
    taken: watch::Receiver<u64>,
    retry: watch::Sender<()>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

/// What the manifest says of the stream now.
#[derive(Clone)]
struct Wanted {
    /// How often it was changed.
    version: u64,
    parameters: Parameters,
    enabled: bool,
}

impl Reader {
    /// Reads a stream of the manifest for one function until it is stopped.
    pub(super) fn start<A: Api>(
        shared: Arc<Shared<A>>,
        manifest: &Manifest,
        function: &Function<'_>,
        stream: &Stream,
    ) -> Self {
        let parameters = parameters(manifest, function, stream);
        let wanted = Wanted { version: 0, parameters, enabled: stream.mapping.enabled };
        let (wanted, seen) = watch::channel(wanted);
        let (takes, taken) = watch::channel(0);
        let (retry, retries) = watch::channel(());
        let (stop, stopped) = watch::channel(false);
        let changes = shared.api.changes();
        let work = Work {
            shared,
            stream: label(function, stream),
            table: stream.table().to_owned(),
            // The same mapping for the same function, stream and table: its
            // positions are found again.
            id: mapping_id(&function.key(), &manifest.env, &stream.name),
            function: function.key(),
            wanted: seen,
            takes,
            retry: retries,
            stop: stopped,
            changes,
            has_read: false,
            told: None,
        };
        Self { table: stream.table().to_owned(), wanted, taken, retry, stop, task: tokio::spawn(work.run()) }
    }

    /// Whether this reads the table that the stream is of.
    pub(super) fn is_of(&self, stream: &Stream) -> bool {
        self.table == stream.table()
    }

    /// The manifest has changed. Ends when what is read from now on is read as it
    /// says.
    pub(super) async fn update(&self, manifest: &Manifest, function: &Function<'_>, stream: &Stream) {
        let mut version = 0;
        self.wanted.send_modify(|wanted| {
            version = wanted.version + 1;
            let parameters = parameters(manifest, function, stream);
            *wanted = Wanted { version, parameters, enabled: stream.mapping.enabled };
        });
        // An error is its end: nothing more is read.
        let _ = self.taken.clone().wait_for(|taken| *taken >= version).await;
    }

    /// What failed is tried again now: it may succeed under what runs now.
    pub(super) fn retry_now(&self) {
        self.retry.send_replace(());
    }

    /// Tells it to stop, and does not wait.
    pub(super) fn tell_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops reading: what is in flight ends, and positions are kept.
    pub(super) async fn stop(self) {
        self.tell_to_stop();
        // It cannot be cancelled, and a panic of ours was told by the runtime.
        let _ = self.task.await;
    }
}

/// The mapping of a stream as AWS would be asked for it: what the manifest says,
/// and what gristmill always sets (R11, R14). Its filter is the OR of its
/// handlers' (DESIGN, The manifest), which the host looks at again.
fn parameters(manifest: &Manifest, function: &Function<'_>, stream: &Stream) -> Parameters {
    let Mapping {
        enabled,
        batch_size,
        maximum_batching_window_in_seconds: window,
        parallelization_factor: factor,
        starting_position,
        maximum_record_age_in_seconds: age,
        maximum_retry_attempts: retries,
        bisect_batch_on_function_error: bisect,
        on_failure,
        on_failure_kms_key_arn: _,
        table_kms_key_arn: _,
        kms_key_arn: _,
        event_count_metrics: _,
        tags: _,
    } = &stream.mapping;
    let limit = |limit: &Option<u32>| limit.map_or(-1, i64::from);
    let filter = |pattern: &str| Filter { pattern: pattern.to_owned() };
    let filters = function.filters_of(&stream.name).into_iter().map(filter).collect();
    let destination = match on_failure {
        Some(Destination::S3(arn) | Destination::Sqs(arn) | Destination::Sns(arn)) => arn.clone(),
        // The default is a bucket of the project's own.
        None => format!("arn:aws:s3:::{}-{}-failures", manifest.project, manifest.env),
    };
    Parameters {
        enabled: Some(*enabled),
        batch_size: Some((*batch_size).into()),
        maximum_batching_window_in_seconds: Some((*window).into()),
        parallelization_factor: Some((*factor).into()),
        starting_position: Some(
            match starting_position {
                StartingPosition::TrimHorizon => "TRIM_HORIZON",
                StartingPosition::Latest => "LATEST",
            }
            .to_owned(),
        ),
        maximum_record_age_in_seconds: Some(limit(age)),
        maximum_retry_attempts: Some(limit(retries)),
        bisect_batch_on_function_error: Some(*bisect),
        function_response_types: Some(vec!["ReportBatchItemFailures".to_owned()]),
        filter_criteria: Some(FilterCriteria { filters }),
        destination_config: Some(DestinationConfig { on_failure: OnFailureConfig { destination: Some(destination) } }),
        ..Parameters::default()
    }
}

/// How a stream is told: with the handler, when it is read for that one alone.
fn label(function: &Function<'_>, stream: &Stream) -> String {
    match function.own {
        None => stream.name.clone(),
        Some(handler) => format!("{}/{}", stream.name, handler.name),
    }
}

/// The mapping whose positions are those of this stream for a function. Each ARN
/// has one of its own: on AWS too, another stream's ARN is another mapping.
pub(crate) fn mapping_of(manifest: &Manifest, function: &Function<'_>, stream: &Stream, arn: &str) -> String {
    mapping_id(&mapping_id(&function.key(), &manifest.env, &stream.name), arn, "")
}

/// In the form of a UUID, and always the same.
fn mapping_id(function: &str, env: &str, stream: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(format!("{function}\n{env}\n{stream}"));
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

struct Work<A> {
    shared: Arc<Shared<A>>,
    stream: String,
    table: String,
    id: String,
    function: String,
    wanted: watch::Receiver<Wanted>,
    /// The version of it that is in force.
    takes: watch::Sender<u64>,
    retry: watch::Receiver<()>,
    stop: watch::Receiver<bool>,
    /// Whether a stream of the table was read by this reader.
    has_read: bool,
    changes: watch::Receiver<u64>,
    /// What was told last, so that it is told once.
    told: Option<(StreamState, String)>,
}

impl<A: Api> Work<A> {
    async fn run(mut self) {
        loop {
            if self.is_stopped() {
                return;
            }
            // To read takes it again.
            let Wanted { version, enabled, .. } = self.take();
            self.in_force(version);
            if !enabled {
                self.tell(StreamState::Disabled, String::new());
                self.look_again().await;
                continue;
            }
            match self.next_stream().await {
                Ok(Some((arn, is_first))) => self.read(&arn, is_first).await,
                Ok(None) => self.look_again().await,
                Err(refusal) => {
                    self.tell(StreamState::Failed, refusal.to_string());
                    self.look_again().await;
                }
            }
        }
    }

    /// What the manifest says now. Who has put it in force says so.
    fn take(&mut self) -> Wanted {
        self.wanted.borrow_and_update().clone()
    }

    /// What is read from now on is read as this version of the manifest says.
    fn in_force(&self, version: u64) {
        self.takes.send_replace(version);
    }

    /// Also when nobody is left to stop it.
    fn is_stopped(&self) -> bool {
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    /// Waits until things may stand otherwise.
    async fn look_again(&mut self) {
        tokio::select! {
            _ = self.stop.changed() => {}
            Ok(()) = self.wanted.changed() => {}
            // Closed when the endpoint is: then nothing is read any more.
            Ok(()) = self.changes.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }

    /// The oldest stream of the table that was not read to its end, and whether
    /// the table has had none before it.
    async fn next_stream(&mut self) -> Result<Option<(String, bool)>, Refusal> {
        match streams_of(&*self.shared.api, &self.table).await? {
            TableStreams::NoTable => self.tell_no_stream(false),
            TableStreams::NoStream => self.tell_no_stream(true),
            TableStreams::Streams(arns) => {
                let first = self.first_of(&arns).await?;
                for (index, arn) in arns.into_iter().enumerate().skip(first) {
                    if !self.is_drained(&arn).await? {
                        return Ok(Some((arn, index == first && !self.has_read)));
                    }
                }
                // All that there is was read; streams outlive their table.
                match is_on(&*self.shared.api, &self.table).await? {
                    None => self.tell_no_stream(false),
                    Some(false) => self.tell_no_stream(true),
                    Some(true) => {}
                }
            }
        }
        Ok(None)
    }

    /// Where reading of a table's streams begins: at the one that was read before;
    /// for LATEST at the newest, since all of an older one was written before.
    async fn first_of(&self, arns: &[String]) -> Result<usize, Refusal> {
        for (index, arn) in arns.iter().enumerate() {
            if !self.positions(arn).await?.is_empty() {
                return Ok(index);
            }
        }
        let latest = self.wanted.borrow().parameters.starting_position.as_deref() == Some("LATEST");
        Ok(if latest && !self.has_read { arns.len().saturating_sub(1) } else { 0 })
    }

    async fn positions(&self, arn: &str) -> Result<BTreeMap<String, Position>, Refusal> {
        let positions = self.shared.positions.load(&self.mapping_of(arn)).await;
        positions.map_err(|error| Refusal { kind: "DevMode".to_owned(), message: error.to_string() })
    }

    fn tell_no_stream(&mut self, has_table: bool) {
        match has_table {
            false => self.tell(StreamState::NoTable, "create it, or begin with --create-tables".to_owned()),
            true => {
                let detail = "switch it on: aws dynamodb update-table --table-name NAME --stream-specification \
                              StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES";
                self.tell(StreamState::NoStream, detail.replace("NAME", &self.table));
            }
        }
    }

    fn mapping_of(&self, arn: &str) -> String {
        mapping_id(&self.id, arn, "")
    }

    /// Whether every shard of a stream is done, and none will come.
    async fn is_drained(&self, arn: &str) -> Result<bool, Refusal> {
        use gristmill_mapping::StreamSource as _;
        let failed = |message: String| Refusal { kind: "DevMode".to_owned(), message };
        let positions = self.positions(arn).await?;
        let source = Source { api: Arc::clone(&self.shared.api), stream_arn: arn.to_owned() };
        let mut after = None;
        loop {
            let page = match source.describe(after.as_deref()).await {
                Ok(page) => page,
                // It was trimmed: nothing of it can be read any more.
                Err(SourceError::ResourceNotFound(_)) => return Ok(true),
                Err(error) => return Err(failed(error.to_string())),
            };
            let open = |shard: &gristmill_mapping::ShardDescription| {
                shard.ending_sequence_number.is_none() || positions.get(&shard.shard_id) != Some(&Position::Finished)
            };
            if page.shards.iter().any(open) {
                return Ok(false);
            }
            after = page.shards.last().map(|shard| shard.shard_id.clone());
            if !page.more || after.is_none() {
                return Ok(true);
            }
        }
    }

    /// Runs the mapping on one stream until the stream is done or reading ends.
    async fn read(&mut self, arn: &str, is_first: bool) {
        let Wanted { version, mut parameters, .. } = self.take();
        self.in_force(version);
        // LATEST speaks of where a table is begun with. A stream that took the
        // place of another goes on where that one ended.
        if !is_first {
            parameters.starting_position = Some("TRIM_HORIZON".to_owned());
        }
        parameters.event_source_arn = Some(arn.to_owned());
        parameters.function_name = Some(self.function.clone());
        let configuration = match Configuration::create(&parameters) {
            Ok(configuration) => configuration,
            Err(error) => {
                self.tell(StreamState::Failed, error.to_string());
                self.look_again().await;
                return;
            }
        };
        let settings = Settings::new(self.mapping_of(arn), now_ms());
        let handle = match Handle::open(configuration, settings, &self.shared.positions, &TokioClock).await {
            Ok(handle) => handle,
            Err(error) => {
                self.tell(StreamState::Failed, error.to_string());
                self.look_again().await;
                return;
            }
        };
        self.has_read = true;
        self.tell(StreamState::Reading, arn.to_owned());
        let console = self.shared.console.clone();
        let ports = Ports {
            source: Source { api: Arc::clone(&self.shared.api), stream_arn: arn.to_owned() },
            target: Target {
                key: self.function.clone(),
                stream: self.stream.clone(),
                current: self.shared.current.clone(),
                stop: self.stop.clone(),
                console: console.clone(),
            },
            destination: Failures {
                stream: self.stream.clone(),
                folder: self.shared.failures.clone(),
                console: console.clone(),
                written: AtomicU64::new(0),
            },
            positions: self.shared.positions.clone(),
            clock: TokioClock,
            trace: Trace { stream: self.stream.clone(), console },
        };
        // A task of its own: a future that is not polled for a while may be the
        // one whose turn it is at the database.
        let mut running = tokio::spawn(run(ports, handle.clone()));
        let mut look = tokio::time::interval(LOOK_AGAIN);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if self.is_stopped() {
                handle.stop();
            }
            tokio::select! {
                ended = &mut running => {
                    if let Err(error) = ended {
                        // A panic of ours, which would come again at once.
                        self.tell(StreamState::Failed, error.to_string());
                        self.look_again().await;
                        return;
                    }
                    break;
                }
                Ok(()) = self.stop.changed() => {}
                Ok(()) = self.wanted.changed() => self.change(&handle, arn),
                Ok(()) = self.changes.changed() => handle.poll_now(),
                Ok(()) = self.retry.changed() => handle.retry_now(TokioClock.now()),
                _ = look.tick() => {
                    if matches!(self.is_drained(arn).await, Ok(true)) {
                        handle.stop();
                    }
                }
            }
        }
        if matches!(self.is_drained(arn).await, Ok(true)) {
            self.tell(StreamState::Drained, arn.to_owned());
        }
    }

    fn change(&mut self, handle: &Handle, arn: &str) {
        let Wanted { version, mut parameters, enabled } = self.take();
        match enabled {
            true => self.tell(StreamState::Reading, arn.to_owned()),
            false => self.tell(StreamState::Disabled, String::new()),
        }
        // Where a mapping begins cannot change once it has begun.
        parameters.starting_position = None;
        if let Err(error) = handle.update(TokioClock.now(), &parameters) {
            self.shared
                .console
                .tell(Kind::Refused { what: format!("[stream.{}]", self.stream), error: error.to_string() });
        }
        self.in_force(version);
    }

    fn tell(&mut self, state: StreamState, detail: String) {
        let now = Some((state, detail));
        if self.told == now {
            return;
        }
        self.told = now;
        if let Some((state, detail)) = self.told.clone() {
            self.shared.console.tell(Kind::Stream {
                stream: self.stream.clone(),
                table: self.table.clone(),
                state,
                detail,
            });
        }
    }
}

/// Tells each decision.
struct Trace {
    stream: String,
    console: Console,
}

impl TraceSink for Trace {
    fn entry(&self, entry: &Entry) {
        let entry = serde_json::to_value(entry).unwrap_or_default();
        self.console.tell(Kind::Mapping { stream: self.stream.clone(), entry });
    }
}
