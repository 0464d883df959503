//! Where records go that the mapping gives up: files in the project, as S3,
//! SQS or SNS would have got them.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use gristmill_mapping::configuration::OnFailure;
use gristmill_mapping::{Destination, DestinationError, FailureDocument};

use super::console::Console;
use super::event::Kind;
use super::positions::replace;
use crate::function::now_ms;

/// Writes the failure documents of one stream.
pub(super) struct Failures {
    /// The stream's name in the manifest.
    pub(super) stream: String,
    /// The folder; none when all data is in memory, and then a document is told
    /// and not kept.
    pub(super) folder: Option<PathBuf>,
    /// Who is told.
    pub(super) console: Console,
    /// Documents so far: two may come in one millisecond.
    pub(super) written: AtomicU64,
}

impl Destination for Failures {
    async fn send(&self, document: &FailureDocument) -> Result<(), DestinationError> {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let name = document.to.arn().rsplit(':').next().unwrap_or_default();
        let inside = match (&document.to, &document.key) {
            (OnFailure::S3(_), Some(key)) => format!("s3/{name}/{key}"),
            (OnFailure::S3(_), None) => format!("s3/{name}/{}-{}-{number}", now_ms(), self.stream),
            (OnFailure::Sqs(_), _) => format!("sqs/{name}/{}-{}-{number}.json", now_ms(), self.stream),
            (OnFailure::Sns(_), _) => format!("sns/{name}/{}-{}-{number}.json", now_ms(), self.stream),
        };
        let Some(folder) = &self.folder else {
            let message =
                format!("{}: a failure document of {} bytes, which is not kept", self.stream, document.body.len());
            self.console.tell(Kind::Note { message });
            return Ok(());
        };
        let path = folder.join(inside);
        let body = document.body.clone();
        let to = path.clone();
        // The position moves on once this is durable.
        let write = tokio::task::spawn_blocking(move || replace(&to, &body));
        let result = write.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        result.map_err(|error| DestinationError(format!("{}: {error}", path.display())))?;
        self.console.tell(Kind::FailureDocument { stream: self.stream.clone(), path: path.display().to_string() });
        Ok(())
    }
}
