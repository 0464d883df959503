//! `gristmill generate sample`: an event as Lambda would send it, of the
//! manifest's stream (AWS-FACTS, "The record"). The same arguments give the
//! same bytes. Reads the manifest, and no handler.

mod record;
mod value;

use std::path::Path;

use anyhow::Context as _;
use gristmill_host::event::Arn;
use gristmill_host::settings;

use crate::cli::SampleArgs;
use crate::edge::{Done, Misuse, quoted};
use crate::manifest::{self, FILE_NAME, Source, Stream};
use crate::names;

/// Where a table is that the manifest names without a place: AWS's own Region
/// and account of examples.
const PLACE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/";

/// The label of a stream that has none in the manifest.
const LABEL: &str = "2026-01-05T09:30:00.000";

/// Prints the event.
///
/// # Errors
///
/// * the manifest has problems;
/// * [`Misuse`]: no such stream, or several and none was chosen.
pub fn run(root: &Path, args: &SampleArgs) -> anyhow::Result<Done> {
    if let Some(env) = &args.env {
        names::check(env).map_err(|why| Misuse::new(format!("--env {} {why}", quoted(env))))?;
    }
    let source = Source::read(&root.join(FILE_NAME))?;
    let streams = manifest::read_streams(&source, args.env.as_deref())?;
    let stream_arn = arn(choose(&streams, args.stream.as_deref())?);
    let region = Arn::parse(&stream_arn).context("a checked ARN can be read")?.region();
    let records = (0..args.records).map(|index| {
        let record = record::Record::new(args.seed, u64::from(index), region, &stream_arn);
        serde_json::to_string(&record)
    });
    let records = records.collect::<Result<Vec<_>, _>>().context("cannot print as JSON")?;
    // A record a line: it is the unit that people cut and compare.
    Ok(Done::printing(match records.as_slice() {
        [] => "{\"Records\":[]}\n".to_owned(),
        some => format!("{{\"Records\":[\n{}\n]}}\n", some.join(",\n")),
    }))
}

fn choose<'m>(streams: &'m [Stream], name: Option<&str>) -> anyhow::Result<&'m Stream> {
    let known: Vec<_> = streams.iter().map(|stream| stream.name.as_str()).collect();
    let message = match (name, streams) {
        (_, []) => format!(
            "{FILE_NAME} has no stream yet; `gristmill generate event NAME --trigger dynamodb --table TABLE` adds one"
        ),
        (None, [only]) => return Ok(only),
        (None, _) => format!("{FILE_NAME} has the streams {}; choose by --stream", names::list(&known)),
        (Some(name), _) => match streams.iter().find(|stream| stream.name == name) {
            Some(stream) => return Ok(stream),
            None => {
                let wanted = quoted(&format!("[stream.{name}]"));
                format!("there is no {wanted} in {FILE_NAME}{}", names::suggest(name, &known))
            }
        },
    };
    Err(Misuse::new(message).into())
}

/// The ARN that the events of this stream carry.
fn arn(stream: &Stream) -> String {
    match &stream.source {
        settings::Source::Table(table) => format!("{PLACE}{table}/stream/{LABEL}"),
        settings::Source::StreamArn(arn) if arn.contains("/stream/") => arn.clone(),
        settings::Source::StreamArn(arn) => format!("{arn}/stream/{LABEL}"),
    }
}
