//! A stream record on its way: its text as it came, and the little that the
//! mapping looks at. Parses no image.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use gristmill_host::event::Event;
use gristmill_host::pattern::{Pattern, Patterns};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{SourceError, Timestamp};

/// A record.
#[derive(Debug)]
pub(crate) struct Record {
    /// With `eventSourceARN`, as Lambda delivers it.
    pub(crate) json: Box<str>,
    pub(crate) sequence_number: Box<str>,
    /// None of a record that does not say; such a one is never too old.
    pub(crate) created_at: Option<Timestamp>,
    /// The same for all records of an item.
    item: u64,
}

/// What the filter says of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Yes,
    No,
    /// The filter cannot be evaluated, with the reason.
    Unreadable(String),
}

impl Record {
    /// Which of the lanes the record runs in: one for each item, so that order
    /// holds per item (AWS-FACTS, ParallelizationFactor). Records whose key
    /// cannot be read share one.
    pub(crate) fn lane(&self, lanes: usize) -> usize {
        usize::try_from(self.item % lanes as u64).unwrap_or(0)
    }
}

/// A mapping's filter.
pub(crate) struct Filter(Patterns);

impl Filter {
    /// A configuration has only patterns that were read before, so none is left
    /// out here.
    pub(crate) fn new(patterns: &[String]) -> Self {
        Self(Patterns::new(vec![patterns.iter().filter_map(|text| Pattern::parse(text).ok()).collect()]))
    }

    /// Reads a page of records, in ascending order of their numbers.
    ///
    /// # Errors
    ///
    /// [`SourceError::Failed`] when a record has no decimal sequence number or
    /// is none of a DynamoDB stream: no position could be kept.
    pub(crate) fn read(&self, page: &[String], stream_arn: &str) -> Result<Vec<(Arc<Record>, Wanted)>, SourceError> {
        // Most pages of a quiet stream.
        if page.is_empty() {
            return Ok(Vec::new());
        }
        let arn = serde_json::Value::from(stream_arn).to_string();
        let texts: Vec<Cow<'_, str>> = page.iter().map(|text| with_source_arn(text, &arn)).collect();
        self.judge(&texts)
    }

    /// Reads a record again that was read before, by what the filter is now.
    pub(crate) fn wants(&self, record: &Record) -> Wanted {
        let judged = self.judge(&[Cow::Borrowed(&*record.json)]);
        judged.ok().and_then(|mut one| one.pop()).map_or(Wanted::Yes, |(_, wanted)| wanted)
    }

    fn judge(&self, texts: &[Cow<'_, str>]) -> Result<Vec<(Arc<Record>, Wanted)>, SourceError> {
        let event = Event::parse(format!("{{\"Records\":[{}]}}", texts.join(",")))
            .map_err(|error| SourceError::Failed(error.to_string()))?;
        let judged = event.records().map(|record| {
            let wanted = match self.0.on(record).is_for(0) {
                Ok(true) => Wanted::Yes,
                Ok(false) => Wanted::No,
                Err(error) => Wanted::Unreadable(error.to_string()),
            };
            let mut hasher = DefaultHasher::new();
            record.item().hash(&mut hasher);
            let record = Record {
                json: texts[record.index()].as_ref().into(),
                sequence_number: record.sequence_number().as_str().into(),
                created_at: record.created_at_ms().map(Timestamp::from_ms),
                item: hasher.finish(),
            };
            (Arc::new(record), wanted)
        });
        Ok(judged.collect())
    }
}

/// GetRecords' records have no `eventSourceARN`; Lambda adds it as the last
/// field (AWS-FACTS, Streams and The record).
pub(crate) fn with_source_arn<'a>(text: &'a str, stream_arn_json: &str) -> Cow<'a, str> {
    #[derive(Deserialize)]
    struct Source {
        #[serde(rename = "eventSourceARN")]
        arn: Option<IgnoredAny>,
    }
    // An image may have an attribute of that name, so the text alone does not
    // decide; but most records have none.
    let has_arn = text.contains("\"eventSourceARN\"")
        && serde_json::from_str::<Source>(text).is_ok_and(|source| source.arn.is_some());
    match text.trim_end().strip_suffix('}') {
        Some(open) if !has_arn => {
            let comma = if open.trim_end().ends_with('{') { "" } else { "," };
            Cow::Owned(format!("{open}{comma}\"eventSourceARN\":{stream_arn_json}}}"))
        }
        Some(_) | None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/t/stream/2026-09-14T00:00:00.000";

    fn record(rest: &str) -> String {
        format!(
            r#"{{"eventID":"1","eventName":"INSERT","eventSource":"aws:dynamodb","dynamodb":{{"Keys":{{"id":{{"S":"a"}}}},"SequenceNumber":"100","ApproximateCreationDateTime":1.5{rest}}}}} "#
        )
    }

    #[test]
    fn the_source_arn_is_the_last_field_and_all_else_as_it_came() {
        let text = record(r#","Later":{"deep":[1.50,"é"]}"#);
        let read = Filter::new(&[]).read(std::slice::from_ref(&text), ARN).unwrap();
        let (record, wanted) = &read[0];
        let before = text.trim_end().strip_suffix('}').unwrap();
        assert_eq!(&*record.json, format!("{before},\"eventSourceARN\":\"{ARN}\"}}"));
        assert_eq!((&*record.sequence_number, record.created_at), ("100", Some(Timestamp::from_ms(1_500))));
        assert_eq!(*wanted, Wanted::Yes);
    }

    #[test]
    fn a_source_arn_that_is_there_is_not_added() {
        let text = record("").replacen('{', &format!("{{\"eventSourceARN\":\"{ARN}\","), 1);
        let read = Filter::new(&[]).read(std::slice::from_ref(&text), ARN).unwrap();
        assert_eq!(&*read[0].0.json, text);
    }

    #[test]
    fn an_attribute_of_that_name_is_no_source_arn() {
        let text = record(r#","NewImage":{"eventSourceARN":{"S":"x"}}"#);
        let read = Filter::new(&[]).read(&[text], ARN).unwrap();
        assert!(read[0].0.json.ends_with(&format!(",\"eventSourceARN\":\"{ARN}\"}}")));
    }

    #[test]
    fn what_has_no_position_is_an_error() {
        let text = record("").replace("\"100\"", "\"x\"");
        assert!(Filter::new(&[]).read(&[text], ARN).is_err());
    }

    #[test]
    fn a_filter_that_cannot_be_evaluated_says_so() {
        let filter = Filter::new(&[r#"{"dynamodb":{"NewImage":{"a":{"S":["x"]}}}}"#.to_owned()]);
        let text = record(r#","NewImage":{"a":{"S":"\ud800"}}"#);
        let read = filter.read(&[text], ARN).unwrap();
        assert!(matches!(&read[0].1, Wanted::Unreadable(_)), "{:?}", read[0].1);
    }
}
