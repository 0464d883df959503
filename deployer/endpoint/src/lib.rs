//! An embedded DynamoDB with Streams, behind the real HTTP API and in process:
//! the AWS CLI and every SDK work against it with an endpoint URL.
//!
//! Tables, items, expressions and transactions are those of the crate
//! [`dynoxide`]; streams are our own. This crate must not know gristmill's
//! handlers, mappings or manifest: who wants records reads them.
//!
//! ```
//! use gristmill_endpoint::{Endpoint, IteratorPosition, Options};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let endpoint = Endpoint::open(Options::in_memory())?;
//! let create = r#"{"TableName": "a-table", "BillingMode": "PAY_PER_REQUEST",
//!     "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
//!     "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
//!     "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"}}"#;
//! assert_eq!(endpoint.call("DynamoDB_20120810.CreateTable", create).await.status, 200);
//! let put = r#"{"TableName": "a-table", "Item": {"id": {"S": "1"}}}"#;
//! assert_eq!(endpoint.call("DynamoDB_20120810.PutItem", put).await.status, 200);
//!
//! let stream = endpoint.latest_stream("a-table").await?.unwrap();
//! let reader = endpoint.stream(&stream);
//! let shard = &reader.describe(None).await?.shards[0];
//! let iterator = reader.shard_iterator(&shard.shard_id, &IteratorPosition::TrimHorizon).await?;
//! let page = reader.records(&iterator, 100).await?;
//! assert!(page.records[0].contains(r#""eventName":"INSERT""#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod clock;
mod database;
mod folder;
mod http;
mod names;
mod reader;
mod streams;

use std::future::Future;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

pub use clock::{Clock, ManualClock, SystemClock};
pub use database::Answer;
pub use folder::OpenError;
pub use http::ServeError;
pub use names::{Names, NamesError};
pub use reader::StreamReader;
pub use streams::{IteratorPosition, RecordPage, ShardDescription, ShardPage, StreamError};

use clock::DynoxideClock;
use database::{Database, Operation, Settings, UNKNOWN_OPERATION};

/// How an endpoint is opened.
#[derive(Clone)]
pub struct Options {
    /// Where data lies; none is in memory.
    pub folder: Option<PathBuf>,
    /// The Region and the account of all ARNs.
    pub names: Names,
    /// The number of shards that a new stream begins with, at least one.
    pub shards: u32,
    /// The time between two looks for items whose time to live is over, while
    /// the endpoint is served. DynamoDB itself takes up to days.
    pub sweep_every: Duration,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// Data in memory, which goes with the last clone of the endpoint.
    pub fn in_memory() -> Self {
        Self {
            folder: None,
            names: Names::default(),
            shards: 1,
            sweep_every: Duration::from_secs(10),
            clock: Arc::new(SystemClock),
        }
    }

    /// Data in a folder, which is made if it is not there and belongs to its
    /// owner alone (mode 0700). One endpoint at a time has it.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..Self::in_memory() }
    }
}

/// An open endpoint. Cheap to clone: all clones are the same one. With the last
/// one the data is closed.
#[derive(Clone)]
pub struct Endpoint {
    shared: Arc<Shared>,
}

struct Shared {
    /// Its calls block, and who waits for it waits without a thread.
    database: Arc<Mutex<Database>>,
    changed: watch::Sender<u64>,
    names: Names,
    sweep_every: Duration,
}

impl Endpoint {
    /// Opens an endpoint. Reads the whole of the data once, up to 256 MB of it,
    /// to be sure that it is good: call it before there is somebody to wait.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; its variants are the causes. Nothing is written to data
    /// that is refused.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let Options { folder, names, shards, sweep_every, clock } = options;
        let (storage, lock) = match &folder {
            Some(folder) => folder::open(folder).map(|(storage, lock)| (storage, Some(lock)))?,
            None => (folder::in_memory()?, None),
        };
        let storage = storage.with_clock(Arc::new(DynoxideClock(Arc::clone(&clock))));
        let settings = Settings { names: names.clone(), clock, shards };
        let database = Arc::new(Mutex::new(Database::new(storage, settings, lock)?));
        let changed = watch::Sender::new(0);
        Ok(Self { shared: Arc::new(Shared { database, changed, names, sweep_every }) })
    }

    /// Deletes the data in a folder, whatever is wrong with it. The folder stays.
    ///
    /// # Errors
    ///
    /// - [`OpenError::InUse`] when an endpoint has the folder
    /// - [`OpenError::Folder`] when something cannot be deleted
    pub fn reset(folder: &Path) -> Result<(), OpenError> {
        folder::reset(folder)
    }

    /// The Region and the account of all ARNs.
    pub fn names(&self) -> &Names {
        &self.shared.names
    }

    /// Does an operation in process: `target` is what a client sends as
    /// `X-Amz-Target`, for example `DynamoDB_20120810.PutItem`. A change is in
    /// the data, and its record in the stream, when this returns.
    pub async fn call(&self, target: &str, body: &str) -> Answer {
        if Operation::parse(target).is_none() {
            return Answer::bare(UNKNOWN_OPERATION);
        }
        self.call_known(target.to_owned(), body.to_owned()).await
    }

    /// Does an operation that [`Operation::parse`] knows.
    pub(crate) async fn call_known(&self, target: String, body: String) -> Answer {
        let done = self.with_database(move |database| {
            let operation = Operation::parse(&target)?;
            Some(database.call(operation, &body))
        });
        match done.await {
            Some(Some(answer)) => answer,
            Some(None) => Answer::bare(UNKNOWN_OPERATION),
            None => {
                let internal = "com.amazonaws.dynamodb.v20120810#InternalServerError";
                Answer::error(500, internal, "the operation panicked; this is a fault of the endpoint")
            }
        }
    }

    /// Runs something that blocks. None means that it panicked, or that the
    /// runtime is ending.
    async fn with_database<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> T + Send + 'static,
    ) -> Option<T> {
        let mut database = Arc::clone(&self.shared.database).lock_owned().await;
        let shared = Arc::clone(&self.shared);
        let work = tokio::task::spawn_blocking(move || {
            let done = work(&mut database);
            let published = database.take_published();
            drop(database);
            if published {
                shared.changed.send_modify(|count| *count += 1);
            }
            done
        });
        work.await.ok()
    }

    /// The ARN of the table's newest stream, on or off, or none when it never
    /// had one or is not there.
    ///
    /// # Errors
    ///
    /// - [`StreamError::Store`]
    /// - [`StreamError::Stopped`]
    pub async fn latest_stream(&self, table: &str) -> Result<Option<String>, StreamError> {
        let (names, table) = (self.shared.names.clone(), table.to_owned());
        let found = self.with_database(move |database| database.latest_stream(&names, &table));
        found.await.ok_or(StreamError::Stopped)?
    }

    /// A reader of the stream of an ARN. It is not looked up: the reader's calls
    /// say when there is none.
    pub fn stream(&self, stream_arn: &str) -> StreamReader {
        StreamReader::new(self.clone(), stream_arn)
    }

    /// Splits an open shard in two, as DynamoDB does by itself when a table
    /// grows, and gives the ids of the two.
    ///
    /// # Errors
    ///
    /// - [`StreamError::ResourceNotFound`] for a stream or shard that is not there
    /// - [`StreamError::Validation`] for a shard that is closed
    /// - [`StreamError::Store`], [`StreamError::Stopped`]
    pub async fn split_shard(&self, stream_arn: &str, shard_id: &str) -> Result<[String; 2], StreamError> {
        let (stream_arn, shard_id) = (stream_arn.to_owned(), shard_id.to_owned());
        let split = self.with_database(move |database| database.split_shard(&stream_arn, &shard_id)).await;
        // Who waits for records has other shards to read now.
        self.shared.changed.send_modify(|count| *count += 1);
        split.ok_or(StreamError::Stopped)?
    }

    /// Deletes the items whose time to live is over, and gives their number.
    /// [`Endpoint::serve`] does it now and then. Each deletion is a change of its
    /// own: those before a failure are done, and the next sweep goes on.
    ///
    /// # Errors
    ///
    /// - [`StreamError::Store`]
    /// - [`StreamError::Stopped`]
    pub async fn sweep(&self) -> Result<usize, StreamError> {
        let swept = self.with_database(Database::sweep).await.ok_or(StreamError::Stopped)?;
        swept.map_err(|error| StreamError::Store(error.to_string()))
    }

    /// A watch that changes when records were published or shards split. It may
    /// change without that, never the other way round: read what is there, then
    /// wait for the change.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Serves the API on a listener of 127.0.0.1 until `shutdown` is done, and
    /// then ends the requests that were begun.
    ///
    /// # Errors
    ///
    /// - [`ServeError::NotLoopback`] for a listener that others can reach
    /// - [`ServeError::Listener`] when the listener cannot be used
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        http::serve(self, listener, shutdown, self.shared.sweep_every).await
    }
}
