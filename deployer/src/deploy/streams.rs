//! The streams of the manifest's tables, as they are on AWS now: the latest ARN,
//! what the records have, and who reads it already.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_dynamodb::types::{StreamSpecification, StreamViewType, TableDescription};
use gristmill_host::event::Arn;
use gristmill_host::settings::Source;

use super::note::Notes;
use crate::aws::{self, Aws, Refusal, Refused as _};
use crate::code;
use crate::component::{self, Report};
use crate::functions::Function;
use crate::manifest::{self, Manifest, Stream};
use crate::names;
use crate::view::{self, missing_images, patterns_with};

/// DynamoDB serves two readers of a shard (AWS-FACTS, Streams), and it is not a
/// quota that can be raised.
const MOST_READERS: usize = 2;

/// How a table gets a stream with both images.
const BOTH_IMAGES: &str = "switch the stream off, and on with NEW_AND_OLD_IMAGES: that makes another stream, which `gristmill deploy` goes over to";

/// How long a table may take to have its stream.
const TO_ENABLE: Duration = Duration::from_secs(120);

/// A stream of the manifest as it is now.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Its name in the manifest.
    pub(super) stream: String,
    /// The latest; none when it is off.
    pub(super) arn: Option<String>,
    /// What its records have, or will have.
    view: String,
}

/// Looks up the streams that have a handler. What is wrong is a problem in the
/// notes, for all of them in one go.
///
/// # Errors
///
/// AWS refuses for a reason that is not a table's own.
pub(super) async fn look_up(
    aws: &Aws,
    manifest: &Manifest,
    functions: &[Function<'_>],
    enable: bool,
    notes: &mut Notes,
) -> anyhow::Result<Vec<Found>> {
    let mut all = Vec::new();
    for stream in &manifest.streams {
        let readers = functions.iter().filter(|each| each.streams.iter().any(|of| of.name == stream.name)).count();
        if readers == 0 {
            continue;
        }
        let Some(table) = describe(aws, stream, notes).await? else { continue };
        check_key(stream, &table, notes);
        let found = look_at(manifest, stream, &table, enable, notes)?;
        if let Some(arn) = &found.arn {
            count_readers(aws, stream, arn, functions, readers, notes).await;
        }
        all.push(found);
    }
    Ok(all)
}

/// Warns of handlers that ask for images that their records do not have. They are
/// built by now.
///
/// # Errors
///
/// A component cannot be read.
pub(super) fn check_components(manifest: &Manifest, found: &[Found], notes: &mut Notes) -> anyhow::Result<()> {
    let mut short = found.iter().filter(|each| !missing_images(&each.view).is_empty()).peekable();
    if short.peek().is_none() {
        return Ok(());
    }
    let cache = code::cache(&manifest.root)?;
    let guests = component::guests(manifest)?;
    for each in short {
        for handler in manifest.handlers.iter().filter(|handler| handler.stream == each.stream) {
            let report = Report::of(&guests, &code::compiled(manifest, &cache, handler)?)?;
            if let Some(warning) = view::warning(&handler.name, &each.stream, &each.view, &report) {
                notes.warning(warning, BOTH_IMAGES);
            }
        }
    }
    Ok(())
}

async fn describe(aws: &Aws, stream: &Stream, notes: &mut Notes) -> anyhow::Result<Option<TableDescription>> {
    let name = match &stream.source {
        Source::Table(table) => table.clone(),
        Source::StreamArn(text) => {
            let arn = Arn::parse(text).context("an ARN was checked")?;
            let mut parts = text.split(':').skip(3);
            let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if region != aws.region {
                notes.problem(
                    format!(
                        "stream {}: {text} is in {region}, and this deploy goes to {}; a mapping and its stream are in one \
                         Region",
                        stream.name, aws.region
                    ),
                    format!("gristmill deploy --region {region}"),
                );
                return Ok(None);
            }
            if account == aws.account { arn.table().to_owned() } else { arn.table_arn().to_owned() }
        }
    };
    match aws.dynamodb.describe_table().table_name(&name).send().await.refused("dynamodb:DescribeTable") {
        Ok(answer) => Ok(Some(answer.table.context("DynamoDB describes no table")?)),
        Err(refusal) if refusal.is("ResourceNotFoundException") => {
            let (message, advice) = missing(aws, stream, &name).await;
            notes.problem(message, advice);
            Ok(None)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn missing(aws: &Aws, stream: &Stream, table: &str) -> (String, String) {
    let message =
        format!("stream {}: there is no table {table} in {} of the account {}", stream.name, aws.region, aws.account);
    // Who may not list tables is told no less than who has none.
    let listed = aws.dynamodb.list_tables().send().await.map(|answer| answer.table_names.unwrap_or_default());
    let mut others = listed.unwrap_or_default();
    others.retain(|other| other != table);
    if let Some(other) =
        others.iter().find(|other| table.strip_suffix(other.as_str()).is_some_and(|before| !before.is_empty()))
    {
        let before = table.strip_suffix(other.as_str()).unwrap_or_default();
        let advice = format!(
            "there is {other}, without the namespace `{before}`: say `namespace = false` in [project], or name it by \
             `stream-arn`"
        );
        return (message, advice);
    }
    match names::nearest(table, others.iter().map(String::as_str)) {
        Some(other) => {
            (message, format!("there is {other}: is it spelt otherwise, or of another environment (--env)?"))
        }
        None => (message, "create it with a stream, or look at --region and --profile".to_owned()),
    }
}

/// A table under a key of one's own is read with that key's rights.
fn check_key(stream: &Stream, table: &TableDescription, notes: &mut Notes) {
    let key = table.sse_description().and_then(|sse| sse.kms_master_key_arn());
    if let (Some(key), None) = (key, &stream.mapping.table_kms_key_arn) {
        notes.warning(
            format!(
                "stream {}: its table is encrypted with {key}, and the function has no rights to a key",
                stream.name
            ),
            format!("if it is a key of your own: table-kms-key-arn = \"{key}\" in [stream.{}]", stream.name),
        );
    }
}

fn look_at(
    manifest: &Manifest,
    stream: &Stream,
    table: &TableDescription,
    enable: bool,
    notes: &mut Notes,
) -> anyhow::Result<Found> {
    let found = |arn: Option<String>, view: &str| Found { stream: stream.name.clone(), arn, view: view.to_owned() };
    let name = table.table_name().unwrap_or_default().to_owned();
    let specification = table.stream_specification();
    let is_on = specification.is_some_and(|each| each.stream_enabled);
    if !is_on {
        let view = wanted_view(manifest, &name);
        if !enable {
            let was = if table.latest_stream_arn().is_some() { "is switched off" } else { "is not on" };
            notes.problem(
                format!(
                    "stream {}: the stream of the table {name} {was}; what is written makes no record",
                    stream.name
                ),
                format!("gristmill deploy --enable-streams switches it on, with {}", view.as_str()),
            );
            return Ok(found(None, view.as_str()));
        }
        notes.news(format!(
            "stream {}: the stream of the table {name} is switched on with {}; what was written before makes no record",
            stream.name,
            view.as_str()
        ));
        check_filters(manifest, stream, view.as_str(), notes);
        return Ok(found(None, view.as_str()));
    }
    let view = specification.and_then(|each| each.stream_view_type()).map_or("", StreamViewType::as_str);
    check_filters(manifest, stream, view, notes);
    let latest = table.latest_stream_arn().context("a stream that is on has an ARN")?.to_owned();
    if let Source::StreamArn(written) = &stream.source
        && let Some(label) = Arn::parse(written).and_then(|arn| arn.label().map(str::to_owned))
        && !latest.ends_with(&label)
    {
        notes.warning(
            format!(
                "stream {}: the manifest names the stream of {label}, and the table has a newer one: {latest}",
                stream.name
            ),
            "write the table's ARN, without /stream/…, and the latest is taken",
        );
    }
    Ok(found(Some(latest), view))
}

/// What the stream of a table is switched on with: the manifest's, else both images.
fn wanted_view(manifest: &Manifest, table: &str) -> manifest::StreamViewType {
    let of_it = manifest.tables.iter().find(|each| each.name == table);
    of_it.map(|each| each.keys.stream_view_type).unwrap_or_default()
}

/// Switches the streams on that are off: each with its ARN.
///
/// # Errors
///
/// AWS refuses, or the table takes too long.
pub(super) async fn enable(aws: &Aws, manifest: &Manifest, stream: &Stream) -> anyhow::Result<String> {
    let table = stream.table();
    let specification = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::from(wanted_view(manifest, table).as_str()))
        .build()?;
    let update = aws.dynamodb.update_table().table_name(table).stream_specification(specification);
    update.send().await.refused("dynamodb:UpdateTable")?;
    let arn = aws::ask_until(TO_ENABLE, async || {
        let answer = aws.dynamodb.describe_table().table_name(table).send().await.refused("dynamodb:DescribeTable")?;
        let is_on = |each: &TableDescription| each.stream_specification().is_some_and(|each| each.stream_enabled);
        Ok::<_, Refusal>(answer.table.filter(is_on).and_then(|each| each.latest_stream_arn))
    });
    arn.await?.with_context(|| {
        format!(
            "the table {table} takes more than {} s to switch its stream on; look at it and deploy again",
            TO_ENABLE.as_secs()
        )
    })
}

/// What records have, against what filters ask for: such a filter wants nothing.
fn check_filters(manifest: &Manifest, stream: &Stream, view: &str, notes: &mut Notes) {
    for handler in manifest.handlers.iter().filter(|handler| handler.stream == stream.name) {
        for image in missing_images(view) {
            for pattern in patterns_with(handler, image) {
                let message = format!(
                    "handler {}: its filter asks for `{image}`, and the records of the stream {} have {view} alone: {pattern}",
                    handler.name, stream.name
                );
                notes.problem(message, BOTH_IMAGES);
            }
        }
    }
}

/// Who reads the stream beside us, and how many that will be.
async fn count_readers(
    aws: &Aws,
    stream: &Stream,
    arn: &str,
    functions: &[Function<'_>],
    own: usize,
    notes: &mut Notes,
) {
    let names: Vec<_> = functions.iter().map(Function::name).collect();
    let mut others = Vec::new();
    let mut pages = aws.lambda.list_event_source_mappings().event_source_arn(arn).into_paginator().send();
    while let Some(page) = pages.next().await {
        // A count that is not known is no reason not to deploy.
        let Ok(page) = page else {
            notes.warning(
                format!("stream {}: who else reads it is not known", stream.name),
                "lambda:ListEventSourceMappings",
            );
            return;
        };
        for mapping in page.event_source_mappings() {
            let function = mapping.function_arn().unwrap_or_default();
            let name = function.split(":function:").nth(1).unwrap_or(function);
            let base = name.split(':').next().unwrap_or(name);
            if !names.iter().any(|ours| ours == base) {
                others.push(name.to_owned());
            }
        }
    }
    let readers = own + others.len();
    if readers > MOST_READERS {
        let message = format!(
            "stream {}: {readers} mappings would read it ({own} of this project{}), and a shard serves {MOST_READERS}: more are \
             throttled and late",
            stream.name,
            others.iter().map(|other| format!(", {other}")).collect::<String>()
        );
        notes.warning(message, "handlers of one function share a mapping: take `function = \"own\"` out");
    } else {
        notes.fact(format!(
            "stream {}: {readers} of {MOST_READERS} readers{}",
            stream.name,
            others.iter().map(|other| format!("; {other} is one")).collect::<String>()
        ));
    }
}
