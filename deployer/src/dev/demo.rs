//! `gristmill demo`: the whole story in one terminal. A table and its stream
//! are made, an item is written, changed and deleted, a record fails, and each
//! step is shown with what came of it. All of it is really run; it is gone
//! afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gristmill_host::settings::Response;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::console::Console;
use super::event::{Event, Kind};
use super::ground::Ground;
use super::positions::Positions;
use super::streams::{Reader, Shared};
use super::target::{Current, Release};
use crate::cli::{DemoArgs, Output};
use crate::database::{TableStreams, call, streams_of, youngest};
use crate::edge::{Done, Misuse};
use crate::{build, function, manifest, project};

/// The longest that a step may take to be seen. Retries take a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `gristmill demo` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems, or not one stream with a handler;
/// * a handler does not build;
/// * a step does not come out as it must.
pub fn run(root: &Path, args: &DemoArgs) -> anyhow::Result<Done> {
    let mut manifest = manifest::load(root, None)?;
    manifest.handlers_to_run()?;
    let [stream] = &mut manifest.streams[..] else {
        bail!(Misuse::new("the demo is for a project with one stream"));
    };
    // So that the last part takes a second, and has its three records in one
    // batch.
    stream.mapping.enabled = true;
    stream.mapping.starting_position = manifest::StartingPosition::TrimHorizon;
    stream.mapping.maximum_retry_attempts = Some(1);
    stream.mapping.maximum_batching_window_in_seconds = 1;
    let built = build::all(&manifest, args.offline)?;
    let codes: Vec<_> = built.into_iter().map(|built| (built.name, built.code)).collect();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let hosts = function::hosts_of(&manifest, Response::Partial, &codes)?;
        let release = Release { hosts: Arc::new(hosts), manifest: Arc::new(manifest.clone()) };
        Story::new(manifest).await?.tell(release).await
    })?;
    Ok(Done::default())
}

struct Story {
    manifest: manifest::Manifest,
    ground: Ground,
    console: Console,
    told: UnboundedReceiver<Event>,
    table: String,
}

impl Story {
    async fn new(manifest: manifest::Manifest) -> anyhow::Result<Self> {
        let ground = Ground::in_memory(&manifest).await?;
        let console = Console::open(Output::Text, None)?;
        let told = console.listen();
        let table = manifest.streams.first().map(|stream| stream.table().to_owned()).unwrap_or_default();
        Ok(Self { manifest, ground, console, told, table })
    }

    async fn tell(mut self, release: Release) -> anyhow::Result<()> {
        let failures = failures_folder(&self.manifest.root)?;
        let current = Current::none();
        current.swap(release);
        let shared = Arc::new(Shared {
            api: Arc::clone(&self.ground.api),
            positions: Positions::Memory(Arc::default()),
            failures: Some(failures),
            current,
            console: self.console.clone(),
        });

        say(&format!("A DynamoDB runs on {}. The handlers are {}.", self.ground.endpoint, self.names()));
        say("1. A table and its stream");
        self.ask(
            "CreateTable",
            json!({
                "TableName": self.table,
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
            }),
        )
        .await?;
        let on = json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
        self.ask("UpdateTable", json!({ "TableName": self.table, "StreamSpecification": on })).await?;
        let stream = self.manifest.streams.first().context("the manifest has one stream")?;
        let functions = crate::functions::of(&self.manifest);
        let function = functions.first().context("the manifest has a handler")?;
        let reader = Reader::start(Arc::clone(&shared), &self.manifest, function, stream);
        self.until("the stream is read", |kind| matches!(kind, Kind::Stream { .. })).await?;

        say("2. An item is written: INSERT");
        self.put("id-1", "name-1").await?;
        self.done("INSERT").await?;

        say("3. The same item again: nothing has changed, so DynamoDB makes no record");
        self.put("id-1", "name-1").await?;
        println!("   The stream has {} record.", self.records().await?);

        say("4. The item is changed: MODIFY");
        self.put("id-1", "name-1-edit-1").await?;
        self.done("MODIFY").await?;

        say("5. The item is deleted: REMOVE");
        self.ask("DeleteItem", json!({ "TableName": self.table, "Key": { "id": { "S": "id-1" } } })).await?;
        self.done("REMOVE").await?;

        say("6. A record fails: the second of three new items has no name, and clerk-check refuses it.\n   \
             The batch is tried again from that record on, then split until it is alone. After the last retry it is\n   \
             kept with its payload, and its neighbour goes on.");
        self.put("id-2", "name-2").await?;
        self.ask("PutItem", json!({ "TableName": self.table, "Item": { "id": { "S": "id-3" } } })).await?;
        self.put("id-4", "name-4").await?;
        let kept = self.until("the record is kept", |kind| matches!(kind, Kind::FailureDocument { .. })).await?;
        self.until("the position", checkpoint).await?;
        if let Kind::FailureDocument { path, .. } = kept {
            println!("\n   {}", document(Path::new(&path))?);
        }

        say(
            "That was all. Nothing of it is left but the document. `gristmill dev` does the same for tables of your own.",
        );
        reader.stop().await;
        self.ground.close().await
    }

    fn names(&self) -> String {
        self.manifest.handlers.iter().map(|handler| handler.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    async fn put(&self, id: &str, name: &str) -> anyhow::Result<()> {
        let item = json!({ "id": { "S": id }, "name": { "S": name } });
        self.ask("PutItem", json!({ "TableName": self.table, "Item": item })).await
    }

    /// Makes a request, and shows it.
    async fn ask(&self, operation: &str, request: Value) -> anyhow::Result<()> {
        let mut shown = request.clone();
        if let Some(object) = shown.as_object_mut() {
            object.remove("TableName");
        }
        println!("   {operation} {} {shown}", self.table);
        call::<Value>(&*self.ground.api, &format!("DynamoDB_20120810.{operation}"), request).await?;
        Ok(())
    }

    /// Waits until a record of this kind is done at each handler.
    async fn done(&mut self, event_name: &'static str) -> anyhow::Result<()> {
        for _ in 0..self.manifest.handlers.len() {
            self.until(event_name, move |kind| {
                matches!(kind, Kind::Record { event_name: name, outcome, .. } if name == event_name && outcome == "done")
            })
            .await?;
        }
        Ok(())
    }

    async fn until(&mut self, what: &str, is_it: impl Fn(&Kind) -> bool) -> anyhow::Result<Kind> {
        let wait = async {
            while let Some(event) = self.told.recv().await {
                if is_it(&event.kind) {
                    return Some(event.kind);
                }
            }
            None
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(Some(kind)) => Ok(kind),
            Ok(None) | Err(_) => bail!("{what}: that did not come within {} s", PATIENCE.as_secs()),
        }
    }

    /// How many records the table's stream has.
    async fn records(&self) -> anyhow::Result<usize> {
        let TableStreams::Streams(arns) = streams_of(&*self.ground.api, &self.table).await? else { return Ok(0) };
        let mut count = 0;
        for arn in arns {
            count += youngest(&self.ground.api, &arn, 1_000).await?.records.len();
        }
        Ok(count)
    }
}

fn checkpoint(kind: &Kind) -> bool {
    matches!(kind, Kind::Mapping { entry, .. } if entry["decision"] == "checkpoint")
}

/// A failure document without the records in it, which are long.
fn document(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| project::shown(path))?;
    let mut document: Value = serde_json::from_str(&text).with_context(|| project::shown(path))?;
    if let Some(payload) = document.get_mut("payload") {
        *payload = json!(format!("… {} bytes: the event, as it came …", payload.as_str().map_or(0, str::len)));
    }
    Ok(document.to_string())
}

fn say(text: &str) {
    println!("\n{text}");
}

/// Where the failed record is left, for a look: an empty folder of the project.
fn failures_folder(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join(".gristmill").join("demo");
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot empty {}", project::shown(&folder)));
        }
        Ok(()) | Err(_) => {}
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", project::shown(&folder)))?;
    Ok(folder)
}
