//! Where the documents of batches go that were given up.

use std::future::Future;

use crate::configuration::OnFailure;

/// Takes failure documents.
pub trait Destination: Send + Sync {
    /// Puts one document there: an object in a bucket, a message in a queue or
    /// a topic.
    ///
    /// # Errors
    ///
    /// [`DestinationError`]. The position does not move and the mapping sends
    /// the same document again, with growing waits. (What Lambda does is open;
    /// to go on would lose the batch.)
    fn send(&self, document: &FailureDocument) -> impl Future<Output = Result<(), DestinationError>> + Send;
}

/// What is written of a batch that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureDocument {
    /// Where it goes.
    pub to: OnFailure,
    /// The object's key; only a bucket has one:
    /// `aws/lambda/<mapping uuid>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>`.
    pub key: Option<String>,
    /// The document, JSON text in AWS's key order. In a bucket it has the
    /// records as `payload`; elsewhere there are only numbers.
    pub body: String,
}

/// A document was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the destination did not take the document: {0}")]
pub struct DestinationError(
    /// Why.
    pub String,
);
