//! `gristmill dev`: an embedded DynamoDB with Streams, an event source mapping
//! for each stream of the manifest, the project's handlers in the production
//! host, and a watcher that builds and swaps them while the streams' positions
//! stay.
//!
//! Everything that happens is told to [`console`]. The rules of a mapping are
//! `gristmill-mapping`'s, those of tables and streams `gristmill-endpoint`'s.

mod build;
pub mod console;
pub mod demo;
pub mod event;
mod failures;
mod folder;
mod ground;
pub(crate) mod positions;
pub(crate) mod streams;
mod tables;
mod target;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{DevArgs, Output};
use crate::database::Connection;
use crate::edge::Done;
use crate::functions;
use crate::manifest::{self, Manifest};
use build::{Builder, Outcome};
use console::Console;
use event::Kind;
use ground::Ground;
use positions::Positions;
use streams::{Reader, Shared};
use target::Current;
use watch::Watcher;

/// How long calls in flight may take to end when dev mode is told to stop. What
/// has not ended by then is delivered again by the next one.
const TO_END: Duration = Duration::from_secs(10);

/// The folder of a project's dev mode: data, positions, the log.
pub fn folder(root: &Path) -> PathBuf {
    root.join(".gristmill").join("dev")
}

/// Runs `gristmill dev` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems at the start;
/// * the port is taken, or another dev mode has the data;
/// * the data cannot be opened.
pub fn run(root: &Path, args: &DevArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.as_deref())?;
    manifest.print_warnings();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(serve(&manifest, args))?;
    // A build that still runs is not waited for.
    runtime.shutdown_background();
    Ok(Done::default())
}

async fn serve(manifest: &Manifest, args: &DevArgs) -> anyhow::Result<()> {
    // Before anything else, so that a signal that comes early is not lost.
    let mut interrupts = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    let mut terminations = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    let ground = Ground::open(&folder(&manifest.root), manifest, args).await?;
    let folder = ground.folder.as_ref().map(|folder| folder.path.as_path());
    let console = Console::open(args.output, folder)?;
    console.tell(Kind::Started {
        project: manifest.project.clone(),
        env: manifest.env.clone(),
        endpoint: ground.endpoint.clone(),
        data: folder.map_or_else(|| "memory".to_owned(), crate::project::shown),
    });
    if args.output == Output::Text && ground.is_embedded() {
        eprintln!("{}", exports(&ground));
    }
    let create = async |manifest: &Manifest| match ground.may_create {
        true => tables::create(&*ground.api, manifest, args.create_tables, &console).await,
        false if manifest.tables.is_empty() => Ok(()),
        false => {
            let message = format!("a [table.NAME] is made on this machine alone, and {} is not", ground.endpoint);
            console.tell(Kind::Note { message });
            Ok(())
        }
    };
    create(manifest).await?;
    let mut watcher = Watcher::new(&manifest.root)?;
    let shared = Arc::new(Shared {
        api: Arc::clone(&ground.api),
        positions: match &ground.kept {
            None => Positions::Memory(Arc::default()),
            Some(kept) => Positions::Folder(kept.join("positions")),
        },
        failures: ground.kept.as_ref().map(|kept| kept.join("failures")),
        current: Current::none(),
        console: console.clone(),
    });
    let mut builder = Builder {
        root: manifest.root.clone(),
        env: args.env.clone(),
        offline: args.offline,
        current: shared.current.clone(),
        console: console.clone(),
        codes: Vec::new(),
    };
    let mut readers = BTreeMap::new();
    let work = async {
        // Before the first build: a mapping that begins with what is written from
        // now on begins now, and its records wait for the handlers.
        read_streams(&shared, manifest, &mut readers).await;
        let mut seen = Arc::new(manifest.clone());
        let mut why = "gristmill dev has started".to_owned();
        loop {
            if let Some(Outcome { manifest, news }) = builder.run(&why).await {
                // What is written after the news is filtered for what runs now.
                update_filters(&manifest, &readers).await;
                let swapped = matches!(news, Some(Kind::Swapped { .. }));
                if let Some(news) = news {
                    console.tell(news);
                }
                if swapped {
                    readers.values().for_each(Reader::retry_now);
                }
                let tables = (&manifest.tables, &manifest.streams);
                if tables != (&seen.tables, &seen.streams)
                    && let Err(error) = create(&manifest).await
                {
                    console.tell(Kind::Note { message: format!("{error:#}") });
                }
                read_streams(&shared, &manifest, &mut readers).await;
                seen = manifest;
            }
            why = loop {
                let changed = watcher.changed().await;
                if let Some(path) = changed.iter().find(|path| build::matters(path)) {
                    break format!("{} has changed", path.display());
                }
            };
        }
    };
    tokio::select! {
        () = work => {}
        _ = interrupts.recv() => {}
        _ = terminations.recv() => {}
    }
    readers.values().for_each(Reader::tell_to_stop);
    let stop = async {
        for reader in std::mem::take(&mut readers).into_values() {
            reader.stop().await;
        }
    };
    tokio::select! {
        _ = tokio::time::timeout(TO_END, stop) => {}
        // Twice means now.
        _ = interrupts.recv() => {}
    }
    let closed = tokio::select! {
        closed = ground.close() => closed,
        _ = interrupts.recv() => Ok(()),
    };
    console.tell(Kind::Stopped {});
    closed
}

/// Who reads: by function and stream.
type Readers = BTreeMap<(String, String), Reader>;

/// Tells those that go on what the manifest says of their streams now, and waits
/// until they have taken it.
async fn update_filters(manifest: &Manifest, readers: &Readers) {
    for function in functions::of(manifest) {
        for stream in &function.streams {
            let reader = readers.get(&(function.key(), stream.name.clone()));
            if let Some(reader) = reader.filter(|reader| reader.is_of(stream)) {
                reader.update(manifest, &function, stream).await;
            }
        }
    }
}

/// Reads the streams of the manifest that have a handler, for each function that
/// has one, and no others.
async fn read_streams(shared: &Arc<Shared<Connection>>, manifest: &Manifest, readers: &mut Readers) {
    let functions = functions::of(manifest);
    let goes_on = |(key, name): &(String, String), reader: &Reader| {
        let of_it = functions.iter().filter(|function| function.key() == *key);
        of_it.flat_map(|function| &function.streams).any(|stream| stream.name == *name && reader.is_of(stream))
    };
    // Gone, or of another table now: its positions are another's.
    let gone: Vec<_> = readers.extract_if(.., |of, reader| !goes_on(of, reader)).collect();
    gone.iter().for_each(|(_, reader)| reader.tell_to_stop());
    for (_, reader) in gone {
        reader.stop().await;
    }
    for function in &functions {
        for stream in &function.streams {
            let of = (function.key(), stream.name.clone());
            readers.entry(of).or_insert_with(|| Reader::start(Arc::clone(shared), manifest, function, stream));
        }
    }
}

/// What a user's other terminal needs. Version 1 of the AWS CLI reads the second
/// name of the Region, and newer SDKs the first.
fn exports(ground: &Ground) -> String {
    format!(
        "\nIn another terminal:\n  export AWS_ENDPOINT_URL_DYNAMODB={url}\n  export AWS_ENDPOINT_URL_DYNAMODB_STREAMS={url}\n  \
         export AWS_REGION={region} AWS_DEFAULT_REGION={region}\n  export AWS_ACCESS_KEY_ID=local \
         AWS_SECRET_ACCESS_KEY=local\n",
        url = ground.endpoint,
        region = ground.region,
    )
}
