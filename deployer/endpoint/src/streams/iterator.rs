//! Shard iterators: a shard and a position in it, with the time at which it was
//! made, as text that nobody need understand. They carry all that they mean, so
//! that they can be used twice and outlive a restart.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::StreamError;

/// An iterator lives 15 minutes (AWS-FACTS, The event source mapping).
pub(super) const LIFE_MS: u64 = 15 * 60 * 1000;

/// What an iterator stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShardIterator {
    pub(super) stream_arn: String,
    pub(super) shard_id: String,
    /// The lowest number that it gives.
    pub(super) next: i64,
    pub(super) made_ms: u64,
}

impl ShardIterator {
    /// In AWS's form: the stream's ARN, a version, and the rest in base64.
    pub(super) fn encode(&self) -> String {
        let rest = format!("{} {} {}", self.shard_id, self.next, self.made_ms);
        let sealed = format!("{} {rest}", seal(&self.stream_arn, &rest));
        format!("{}|1|{}", self.stream_arn, STANDARD.encode(sealed))
    }

    /// Reads an iterator.
    ///
    /// # Errors
    ///
    /// [`StreamError::Validation`] for text that [`ShardIterator::encode`] did
    /// not make.
    pub(super) fn decode(text: &str) -> Result<Self, StreamError> {
        Self::parse(text).ok_or_else(|| StreamError::Validation("Invalid ShardIterator".to_owned()))
    }

    fn parse(text: &str) -> Option<Self> {
        let (stream_arn, sealed) = text.split_once("|1|")?;
        let sealed = String::from_utf8(STANDARD.decode(sealed).ok()?).ok()?;
        let (given, rest) = sealed.split_once(' ')?;
        if given != seal(stream_arn, rest) {
            return None;
        }
        let mut parts = rest.split(' ');
        let shard_id = parts.next()?.to_owned();
        let (next, made_ms) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { stream_arn: stream_arn.to_owned(), shard_id, next, made_ms })
    }
}

/// Tells text that was cut or mixed up from an iterator. It guards no secret:
/// who can call the endpoint may read every stream.
fn seal(stream_arn: &str, rest: &str) -> String {
    let digest = Sha256::digest(format!("{stream_arn} {rest}"));
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iterator_comes_back_and_a_changed_one_does_not() {
        let iterator = ShardIterator {
            stream_arn: "arn:aws:dynamodb:us-east-1:000000000000:table/a/stream/2026-01-01T00:00:00.000".to_owned(),
            shard_id: "shardId-00000001234567890123-abcdef12".to_owned(),
            next: 7,
            made_ms: 1_764_028_800_001,
        };
        let text = iterator.encode();
        assert_eq!(ShardIterator::decode(&text).unwrap(), iterator);
        for end in 0..text.len() {
            assert!(ShardIterator::decode(&text[..end]).is_err(), "{end}");
        }
        let other = text.replace("table/a/", "table/b/");
        assert!(matches!(ShardIterator::decode(&other), Err(StreamError::Validation(_))));
    }
}
