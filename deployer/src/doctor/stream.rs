//! A stream of the manifest: whether it is on, what is in it, who wants that, who
//! reads it, and how far.

use gristmill_host::event::{Arn, Event};
use gristmill_host::settings::Source;
use gristmill_mapping::{Position, PositionStore as _, event_of};
use serde_json::{Value, json};

use super::decline::decline;
use super::finding::Findings;
use super::{Look, filter_of, item, table};
use crate::database::{Connection, TableStreams, Youngest, call, streams_of, youngest};
use crate::dev;
use crate::dev::positions::Positions;
use crate::dev::streams::mapping_of;
use crate::functions::{self, Function};
use crate::manifest::{Handler, Stream};
use crate::view::{self, missing_images, patterns_with};

/// DynamoDB serves two readers of a shard; more are throttled (AWS-FACTS,
/// Streams).
const MOST_READERS: usize = 2;

pub(super) async fn look_at(look: &Look<'_>, stream: &Stream, findings: &mut Findings) {
    let subject = format!("stream {}", stream.name);
    if look.handlers_of(stream).next().is_none() {
        findings.problem(&subject, "handlers", "no handler is on it", "`stream` in a [handler.NAME]");
    }
    if !stream.mapping.enabled {
        let message = "`enabled = false`: its mapping delivers nothing";
        findings.problem(&subject, "enabled", message, format!("take it out of [stream.{}]", stream.name));
    }
    let Some(described) = table::describe(look, stream, &subject, findings).await else { return };
    let Some(arn) = look_at_arn(look, stream, &subject, &described, findings).await else { return };
    look_at_view(look, stream, &subject, &described, findings);
    look_at_readers(look, &subject, &arn, findings).await;
    match youngest(&look.api, &arn, look.records).await {
        Err(error) => findings.problem(&subject, "records", format!("it cannot be read: {error}"), ""),
        Ok(found) => look_at_records(look, stream, &subject, &arn, &described, &found, findings).await,
    }
}

/// The ARN of the stream that is written to; none when there is none, which is
/// then told.
async fn look_at_arn(
    look: &Look<'_>,
    stream: &Stream,
    subject: &str,
    described: &Value,
    findings: &mut Findings,
) -> Option<String> {
    let table = stream.table();
    if described["StreamSpecification"]["StreamEnabled"] != json!(true) {
        let older = matches!(streams_of(&*look.api, table).await, Ok(TableStreams::Streams(_)));
        let message = match older {
            true => format!("the stream of the table {table} is switched off; what is written now makes no record"),
            false => format!("the table {table} has no stream; what is written makes no record"),
        };
        let advice = format!(
            "aws dynamodb update-table --table-name {table} --stream-specification \
             StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
        );
        findings.problem(subject, "stream", message, advice);
        return None;
    }
    let Some(latest) = described["LatestStreamArn"].as_str() else {
        findings.problem(subject, "stream", format!("the table {table} does not say which stream it has"), "");
        return None;
    };
    findings.ok(subject, "stream", format!("the table {table} has a stream: {latest}"));
    if let Source::StreamArn(written) = &stream.source {
        let labels = (Arn::parse(written).and_then(|arn| arn.label().map(str::to_owned)), latest.rsplit('/').next());
        match labels {
            _ if !same_table(written, latest) => findings.problem(
                subject,
                "stream-arn",
                format!("the manifest names {written}, and the table here is another one: {latest}"),
                "look at the account and the Region: --profile, --region",
            ),
            // A database of dev mode has labels of its own.
            (Some(old), Some(new)) if old != new && !look.is_local => findings.warning(
                subject,
                "stream-arn",
                format!("the manifest names the stream of {old}, and the table has another one since: {new}"),
                "handlers get records of both, since the label never decides; but a mapping of the old ARN reads nothing \
                 new. Write the table's ARN, without /stream/…",
            ),
            _ => {}
        }
    }
    Some(latest.to_owned())
}

fn same_table(a: &str, b: &str) -> bool {
    match (Arn::parse(a), Arn::parse(b)) {
        (Some(a), Some(b)) => a.table_arn() == b.table_arn(),
        _ => false,
    }
}

/// What the records have, against what handlers and filters may ask for.
fn look_at_view(look: &Look<'_>, stream: &Stream, subject: &str, described: &Value, findings: &mut Findings) {
    let view = described["StreamSpecification"]["StreamViewType"].as_str().unwrap_or_default();
    let missing = missing_images(view);
    if missing.is_empty() {
        findings.ok(subject, "view-type", format!("its records have both images ({view})"));
        return;
    }
    let advice = "switch the stream off, and on with NEW_AND_OLD_IMAGES: that makes another stream, with another ARN";
    let mut is_told = false;
    for handler in look.handlers_of(stream) {
        for (image, pattern) in missing.iter().flat_map(|image| patterns_with(handler, image).map(move |p| (image, p)))
        {
            is_told = true;
            let name = &handler.name;
            let message =
                format!("the filter of {name} asks for `{image}`, and its records have {view} alone: {pattern}");
            findings.problem(subject, "view-type", message, advice);
        }
    }
    for handler in look.handlers_of(stream) {
        let warning = match look.reports.get(&handler.name) {
            Some(report) => view::warning(&handler.name, &stream.name, view, report),
            None => Some(format!(
                "its records have {view} alone, and whether {} asks for more is not known before it is built",
                handler.name
            )),
        };
        if let Some(warning) = warning {
            is_told = true;
            findings.warning(subject, "view-type", warning, advice);
        }
    }
    if !is_told {
        findings.ok(subject, "view-type", format!("its records have {view}, and no handler asks for more"));
    }
}

async fn look_at_readers(look: &Look<'_>, subject: &str, arn: &str, findings: &mut Findings) {
    let Connection::Remote(remote) = &*look.api else { return };
    // Emulators, and dev mode itself, have no Lambda there.
    let Some(mappings) = remote.mappings_of(arn).await else { return };
    let mut names: Vec<&str> = mappings.iter().map(|(function, _)| function.as_str()).collect();
    names.sort_unstable();
    match mappings.len() {
        0 => findings.warning(
            subject,
            "readers",
            "no event source mapping reads it",
            "a mapping of this ARN calls the function; that of an older one of the table does not",
        ),
        readers if readers > MOST_READERS => findings.warning(
            subject,
            "readers",
            format!(
                "{readers} event source mappings read it ({}), and a shard serves {MOST_READERS}",
                names.join(", ")
            ),
            "more readers are throttled and late; one function can call any number of handlers",
        ),
        _ => findings.ok(subject, "readers", format!("event source mappings: {}", names.join(", "))),
    }
    for (function, state) in mappings.iter().filter(|(_, state)| state != "Enabled") {
        findings.warning(subject, "readers", format!("the mapping of {function} is {state}"), "");
    }
}

async fn look_at_records(
    look: &Look<'_>,
    stream: &Stream,
    subject: &str,
    arn: &str,
    described: &Value,
    found: &Youngest,
    findings: &mut Findings,
) {
    if found.records.is_empty() {
        let has_items = call::<Value>(
            &*look.api,
            "DynamoDB_20120810.Scan",
            json!({ "TableName": stream.table(), "Limit": 1, "Select": "COUNT" }),
        )
        .await
        .is_ok_and(|answer| answer["Count"].as_u64().unwrap_or_default() > 0);
        let why = match has_items {
            true => {
                "its items were written before it was switched on, or more than 24 hours ago, or what was written since \
                 has changed nothing: a write that changes nothing makes no record"
            }
            false => "nothing was written to the table yet",
        };
        findings.warning(subject, "records", "it has no records", why);
    }
    let event = match Event::parse(event_of(&found.records, arn)) {
        Ok(event) => event,
        Err(error) => {
            findings.problem(subject, "records", format!("its records cannot be read: {error}"), "");
            return;
        }
    };
    if let Some(last) = event.records().last() {
        let number = last.sequence_number().as_str();
        let which = match (found.is_all, found.is_cut) {
            (_, true) => "some of its records: there are more than are read here",
            (true, false) => "all of its records",
            (false, false) => "its youngest records",
        };
        let count = found.records.len();
        findings.ok(subject, "records", format!("looked at {count}, {which}; the last is {number}"));
        if look.is_local {
            for function in functions::of(look.manifest) {
                if function.handlers_of(&stream.name).next().is_some() {
                    look_at_position(look, &function, stream, subject, arn, &event, findings).await;
                }
            }
        }
    }
    for handler in look.handlers_of(stream) {
        look_at_filter(handler, &event, found, findings);
    }
    if let Some(key) = &look.key {
        item::look_at(look, stream, key, described, &event, found, findings).await;
    }
}

/// How far dev mode's mapping has come.
async fn look_at_position(
    look: &Look<'_>,
    function: &Function<'_>,
    stream: &Stream,
    subject: &str,
    arn: &str,
    event: &Event,
    findings: &mut Findings,
) {
    let positions = Positions::Folder(dev::folder(&look.manifest.root).join("positions"));
    let loaded = match positions.load(&mapping_of(look.manifest, function, stream, arn)).await {
        Ok(loaded) => loaded,
        Err(error) => {
            findings.problem(subject, "position", format!("how far it was read is not known: {error}"), "");
            return;
        }
    };
    if loaded.is_empty() {
        findings.warning(subject, "position", "`gristmill dev` has not read it yet", "start it");
        return;
    }
    // A shard's own records are not told apart here: what is before the lowest
    // position is done for certain.
    let numbers = loaded.values().filter_map(|position| match position {
        Position::After { sequence_number, .. } => Some(sequence_number.as_str()),
        Position::TrimHorizon | Position::Latest { .. } | Position::Finished => None,
    });
    let begins = loaded.values().any(|position| matches!(position, Position::TrimHorizon));
    let lowest = numbers.min_by_key(|number| (number.len(), *number)).filter(|_| !begins);
    let is_after = |number: &str| lowest.is_none_or(|lowest| (number.len(), number) > (lowest.len(), lowest));
    // What was written before a mapping that began with LATEST is not its own.
    // DynamoDB's times are whole seconds.
    let since = loaded.values().filter_map(|position| match position {
        Position::Latest { since_ms } => Some(since_ms.ms() / 1_000 * 1_000),
        Position::TrimHorizon | Position::After { .. } | Position::Finished => None,
    });
    let since = since.min().filter(|_| lowest.is_none() && !begins);
    let is_own = |created: Option<u64>| since.is_none_or(|since| created.is_none_or(|created| created >= since));
    let waiting: Vec<_> = match loaded.values().all(|position| *position == Position::Finished) {
        true => Vec::new(),
        false => event
            .records()
            .filter(|record| is_after(record.sequence_number().as_str()) && is_own(record.created_at_ms()))
            .collect(),
    };
    match waiting.first() {
        None => findings.ok(subject, "position", "all of that was delivered by `gristmill dev`"),
        Some(first) => findings.warning(
            subject,
            "position",
            format!("{} of them are not done yet; the first is {}", waiting.len(), first.sequence_number().as_str()),
            "a record that fails holds back those after it: `gristmill logs` says what it fails of. Or `gristmill dev` \
             does not run",
        ),
    }
}

/// Whether a handler's filter wants any of the youngest records, and if not, where
/// it declines the last one.
fn look_at_filter(handler: &Handler, event: &Event, found: &Youngest, findings: &mut Findings) {
    let subject = format!("handler {}", handler.name);
    let count = found.records.len();
    if handler.filters.is_empty() {
        findings.ok(&subject, "filter", "it has no filter, and wants every record");
        return;
    }
    if count == 0 {
        return;
    }
    let patterns = filter_of(handler);
    let wanted = event.records().filter(|record| patterns.on(*record).is_for(0) == Ok(true)).count();
    if wanted > 0 {
        findings.ok(&subject, "filter", format!("its filter wants {wanted} of {count} records"));
        return;
    }
    let (Some(record), Some(text)) = (event.records().last(), found.records.last()) else { return };
    let fields: Value = serde_json::from_str(text).unwrap_or_default();
    let number = record.sequence_number().as_str();
    let name = record.name().map_or("a record", |name| name.as_str());
    for pattern in &handler.filters {
        let (why, advice) = match decline(pattern, record, &fields) {
            Some(decline) => (decline.words(), decline.advice()),
            None => ("it cannot be evaluated".to_owned(), String::new()),
        };
        let message = format!("its filter wants none of {count} records; {name} {number}: {why}");
        findings.problem(&subject, "filter", message, advice);
    }
}
