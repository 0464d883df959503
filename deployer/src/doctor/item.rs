//! One item: what became of its changes.

use gristmill_host::event::Event;
use serde_json::{Value, json};

use super::decline::decline;
use super::finding::Findings;
use super::{Look, filter_of};
use crate::database::{Youngest, call};
use crate::manifest::Stream;

/// More are hardly read.
const MOST_SHOWN: usize = 10;

pub(super) async fn look_at(
    look: &Look<'_>,
    stream: &Stream,
    key: &Value,
    described: &Value,
    event: &Event,
    found: &Youngest,
    findings: &mut Findings,
) {
    let subject = format!("item {key} of {}", stream.table());
    let names = described["KeySchema"].as_array().into_iter().flatten().filter_map(|key| key["AttributeName"].as_str());
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let mut given: Vec<&str> = key.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    given.sort_unstable();
    if names != given {
        let message = format!("the table's keys are {}", crate::names::list(&names));
        findings.problem(&subject, "item", message, "--key takes all of them, and nothing else");
        return;
    }
    let request = json!({ "TableName": stream.table(), "Key": key, "ConsistentRead": true });
    let item = match call::<Value>(&*look.api, "DynamoDB_20120810.GetItem", request).await {
        Ok(mut answer) => answer["Item"].take(),
        Err(refusal) => {
            findings.problem(&subject, "item", format!("it cannot be looked at: {refusal}"), "");
            return;
        }
    };
    let is_there = if item.is_null() { "it is not in the table" } else { "it is in the table" };
    let own: Vec<_> = event
        .records()
        .zip(&found.records)
        .filter_map(|(record, text)| {
            let fields: Value = serde_json::from_str(text).ok()?;
            (fields["dynamodb"]["Keys"] == *key).then_some((record, fields))
        })
        .collect();
    let Some((_, last)) = own.last() else {
        let which =
            if found.is_all { "the stream has no record of it" } else { "no record of it is among those looked at" };
        findings.warning(
            &subject,
            "item",
            format!("{is_there}, and {which}"),
            "it was written before the stream was switched on, or more than 24 hours ago, or to another table; or what was \
             written has changed nothing: such a write makes no record",
        );
        return;
    };
    findings.ok(&subject, "item", format!("{is_there}, and {} of the records are of it", own.len()));
    let image = &last["dynamodb"]["NewImage"];
    if (!image.is_null() || last["eventName"] == "REMOVE") && *image == item {
        let message =
            "it is as its last record left it: whatever was written since has changed nothing, and made no record";
        findings.ok(&subject, "unchanged", message);
    }
    for (record, fields) in &own[own.len().saturating_sub(MOST_SHOWN)..] {
        let number = record.sequence_number().as_str();
        let name = record.name().map_or("a record", |name| name.as_str());
        for handler in look.handlers_of(stream) {
            let wanted = filter_of(handler).on(*record).is_for(0) == Ok(true);
            // Not what became of a record that had this number before a reset.
            let outcome = look.outcomes.get(&(handler.name.clone(), number.to_owned()));
            let outcome = outcome.filter(|(at_ms, _)| record.created_at_ms().is_none_or(|created| *at_ms >= created));
            let outcome = outcome.map(|(_, outcome)| outcome);
            let said = format!("{name} {number} at {}", handler.name);
            match outcome {
                Some(outcome) if *outcome == "done" => findings.ok(&subject, "outcome", format!("{said}: done")),
                Some(outcome) => {
                    let command = format!("gristmill logs -n {}", handler.name);
                    findings.warning(&subject, "outcome", format!("{said}: {outcome}"), command);
                }
                None if !wanted => {
                    let why = handler.filters.iter().find_map(|pattern| decline(pattern, *record, fields));
                    let why = why.map(|why| why.words()).unwrap_or_default();
                    let advice = "`filter` in its [handler.NAME]";
                    findings.warning(&subject, "outcome", format!("{said}: its filter declines it: {why}"), advice);
                }
                None if look.is_local => findings.warning(
                    &subject,
                    "outcome",
                    format!("{said}: nothing is known of it"),
                    "it was not delivered yet, or the log of it is gone",
                ),
                None => findings.ok(&subject, "outcome", format!("{said}: its filter wants it")),
            }
        }
    }
}
