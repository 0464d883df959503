//! Whether a mapping has read all of a stream that nothing is written to any more
//! (docs/adr/0018). AWS tells no mapping's position, so this is concluded from what
//! it does tell, and only when all of it agrees; else it is "not yet".

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};

use crate::aws::{Aws, Refusal, Refused as _};

/// How long a mapping must have been idle. Longer than the longest wait before a
/// retry of ten, which double from 0.3 s to five minutes (AWS-FACTS, Golden
/// traces), than a batching window, five minutes too, and than metrics are late.
pub(super) const QUIET: Duration = Duration::from_secs(15 * 60);

/// How long a stream keeps records (AWS-FACTS, The event source mapping).
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Below this, who deploys is told first of all.
pub(super) const SOON: Duration = Duration::from_secs(4 * 60 * 60);

/// What is known of an old stream's mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It has read all.
    Done,
    /// It has not, or that is not known: why, and how long the stream is there.
    Goes { why: String, left: Option<Duration> },
    /// The stream is gone, with what was not read.
    Gone,
}

/// What was found out of it, before it is judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    /// Whether the stream is there.
    pub(super) is_there: bool,
    /// Whether each of its shards is closed, so that none will come.
    pub(super) is_closed: bool,
    /// When the stream that took its place was made, after it was switched off.
    pub(super) since: Option<SystemTime>,
    /// The mapping's state, and its last result.
    pub(super) state: Option<String>,
    pub(super) last_result: Option<String>,
    /// Sums over [`QUIET`], by metric; none when the mapping does not count.
    pub(super) counts: Option<BTreeMap<String, f64>>,
}

/// Judges them. Pure.
pub(super) fn judge(signs: &Signs, now: SystemTime) -> Reading {
    if !signs.is_there {
        return Reading::Gone;
    }
    let age = signs.since.and_then(|since| now.duration_since(since).ok());
    // It was written to until some time before the new one was made.
    let left = age.map(|age| KEPT.saturating_sub(age));
    let goes = |why: &str| Reading::Goes { why: why.to_owned(), left };
    if !signs.is_closed {
        return goes("its last shard is still open");
    }
    match age {
        None => return goes("it is not known when it was switched off"),
        Some(age) if age < QUIET => return goes("it was switched off less than 15 minutes ago"),
        Some(_) => {}
    }
    match signs.state.as_deref() {
        Some("Enabled") => {}
        Some(state) => return goes(&format!("its mapping is {state}")),
        None => return goes("its mapping is not there"),
    }
    match signs.last_result.as_deref() {
        Some("OK" | "No records processed") => {}
        Some(other) => return goes(&format!("its mapping's last result is {other:?}")),
        None => return goes("its mapping tells no last result"),
    }
    let Some(counts) = &signs.counts else {
        return goes(
            "the counts of its mapping are not known (`event-count-metrics`, cloudwatch:GetMetricData); `--finish` says it",
        );
    };
    match counts.iter().find(|(_, sum)| **sum > 0.0) {
        Some((metric, sum)) => goes(&format!("its mapping was busy in the last 15 minutes ({metric} {sum})")),
        None => Reading::Done,
    }
}

/// The metrics that a mapping which still has something to do would have: what it
/// reads, what it calls the function with (each retry too), and what fails.
const METRICS: [&str; 3] = ["PolledEventCount", "InvokedEventCount", "FailedInvokeEventCount"];

/// Finds the signs out.
///
/// # Errors
///
/// AWS refuses to say.
pub(super) async fn signs(aws: &Aws, old: &str, new: &str, uuid: Option<&str>) -> anyhow::Result<Signs> {
    let mut signs = Signs { since: made(new), ..Signs::default() };
    match closed(aws, old).await? {
        None => return Ok(signs),
        Some(is_closed) => (signs.is_there, signs.is_closed) = (true, is_closed),
    }
    let Some(uuid) = uuid else { return Ok(signs) };
    match aws.lambda.get_event_source_mapping().uuid(uuid).send().await.refused("lambda:GetEventSourceMapping") {
        Ok(mapping) => {
            signs.state = mapping.state().map(str::to_owned);
            signs.last_result = mapping.last_processing_result().map(str::to_owned);
            let counts = mapping.metrics_config().is_some_and(|config| !config.metrics().is_empty());
            if counts {
                // Not known is not read.
                signs.counts = sums(aws, uuid).await.ok();
            }
        }
        Err(refusal) if refusal.is("ResourceNotFoundException") => {}
        Err(refusal) => return Err(refusal.into()),
    }
    Ok(signs)
}

/// When a stream was made: its label says so (AWS-FACTS, Streams).
fn made(arn: &str) -> Option<SystemTime> {
    let label = arn.rsplit_once("/stream/")?.1;
    humantime::parse_rfc3339_weak(label).ok()
}

/// Whether every shard of a stream is closed; none when the stream is gone.
async fn closed(aws: &Aws, arn: &str) -> anyhow::Result<Option<bool>> {
    let mut after = None;
    loop {
        let describe = aws.streams.describe_stream().stream_arn(arn).set_exclusive_start_shard_id(after);
        let description = match describe.send().await.refused("dynamodb:DescribeStream") {
            Err(refusal) if refusal.is("ResourceNotFoundException") || refusal.is("TrimmedDataAccessException") => {
                return Ok(None);
            }
            other => other?.stream_description,
        };
        let Some(description) = description else { return Ok(None) };
        let is_open = description
            .shards()
            .iter()
            .any(|shard| shard.sequence_number_range().is_none_or(|range| range.ending_sequence_number().is_none()));
        if is_open {
            return Ok(Some(false));
        }
        after = description.last_evaluated_shard_id().map(str::to_owned);
        if after.is_none() {
            return Ok(Some(true));
        }
    }
}

async fn sums(aws: &Aws, uuid: &str) -> Result<BTreeMap<String, f64>, Refusal> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let begin = now.saturating_sub(QUIET.as_secs());
    let time = |secs: u64| DateTime::from_secs(i64::try_from(secs).unwrap_or(i64::MAX));
    let queries = METRICS.iter().enumerate().map(|(index, name)| {
        let dimension = Dimension::builder().name("EventSourceMappingUUID").value(uuid).build();
        let metric = Metric::builder().namespace("AWS/Lambda").metric_name(*name).dimensions(dimension).build();
        let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
        MetricDataQuery::builder().id(format!("m{index}")).metric_stat(stat).build()
    });
    let request = aws.cloudwatch.get_metric_data().start_time(time(begin)).end_time(time(now));
    let answer = request.set_metric_data_queries(Some(queries.collect())).send().await;
    let answer = answer.refused("cloudwatch:GetMetricData")?;
    let mut sums = BTreeMap::new();
    for result in answer.metric_data_results() {
        let index = result.id().and_then(|id| id.strip_prefix('m')).and_then(|id| id.parse::<usize>().ok());
        if let Some(name) = index.and_then(|index| METRICS.get(index)) {
            *sums.entry((*name).to_owned()).or_insert(0.0) += result.values().iter().sum::<f64>();
        }
    }
    Ok(sums)
}

/// `3 h 20 min`.
pub(super) fn shown(left: Duration) -> String {
    let minutes = left.as_secs() / 60;
    match minutes / 60 {
        0 => format!("{minutes} min"),
        hours => format!("{hours} h {} min", minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done() -> Signs {
        Signs {
            is_there: true,
            is_closed: true,
            since: Some(UNIX_EPOCH),
            state: Some("Enabled".to_owned()),
            last_result: Some("OK".to_owned()),
            counts: Some(BTreeMap::new()),
        }
    }

    fn after(minutes: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(minutes * 60)
    }

    #[test]
    fn only_when_all_signs_agree_it_is_read() {
        assert_eq!(judge(&done(), after(15)), Reading::Done);
        let is_gone = Signs { is_there: false, ..done() };
        assert_eq!(judge(&is_gone, after(15)), Reading::Gone);
        let polled = BTreeMap::from([("PolledEventCount".to_owned(), 0.0), ("InvokedEventCount".to_owned(), 1.0)]);
        for (signs, minutes, why) in [
            (Signs { is_closed: false, ..done() }, 15, "open"),
            (done(), 14, "less than 15 minutes"),
            (Signs { since: None, ..done() }, 15, "not known when"),
            (Signs { state: Some("Disabled".to_owned()), ..done() }, 15, "is Disabled"),
            (Signs { state: None, ..done() }, 15, "not there"),
            (Signs { last_result: Some("PROBLEM: Function call failed".to_owned()), ..done() }, 15, "PROBLEM"),
            (Signs { last_result: None, ..done() }, 15, "no last result"),
            (Signs { counts: None, ..done() }, 15, "are not known"),
            (Signs { counts: Some(polled), ..done() }, 15, "InvokedEventCount 1"),
        ] {
            let Reading::Goes { why: said, .. } = judge(&signs, after(minutes)) else { panic!("{why}") };
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn what_is_left_of_its_day_is_told() {
        let open = Signs { is_closed: false, ..done() };
        let Reading::Goes { left, .. } = judge(&open, after(60 * 21)) else { panic!() };
        assert_eq!(left, Some(Duration::from_secs(3 * 60 * 60)));
        assert_eq!(
            (shown(left.unwrap()), shown(Duration::from_secs(59))),
            ("3 h 0 min".to_owned(), "0 min".to_owned())
        );
    }

    #[test]
    fn a_label_is_a_time() {
        let arn = "arn:aws:dynamodb:eu-west-1:112233445566:table/t/stream/1970-01-01T00:00:01.500";
        assert_eq!(made(arn), Some(UNIX_EPOCH + Duration::from_millis(1_500)));
        assert_eq!(made("arn:aws:dynamodb:eu-west-1:112233445566:table/t/stream/x"), None);
    }
}
