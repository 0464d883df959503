//! The records that a stream has, as an event: what `invoke --from-stream` runs.

use std::sync::Arc;

use anyhow::Context as _;
use gristmill_mapping::event_of;

use crate::cli::InvokeArgs;
use crate::database::{self, TableStreams, Target};
use crate::edge::{Misuse, quoted};
use crate::manifest::{Manifest, Stream};
use crate::{dev, names};

/// The youngest records of a stream, as the event that they would be.
///
/// # Errors
///
/// * [`Misuse`]: there is no such stream, or no database;
/// * it has no records, or cannot be read.
pub(crate) fn event(manifest: &Manifest, args: &InvokeArgs) -> anyhow::Result<Vec<u8>> {
    let records = args.from_stream.ok_or_else(|| Misuse::new("there is no event; give --event or --from-stream"))?;
    let stream = stream_of(manifest, args)?;
    let target = Target::of(&args.endpoint)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let api = Arc::new(database::reach(&dev::folder(&manifest.root), manifest, target.as_ref()).await?);
        let table = stream.table();
        let arn = match database::streams_of(&*api, table).await? {
            TableStreams::Streams(arns) => arns.into_iter().next_back(),
            TableStreams::NoTable | TableStreams::NoStream => None,
        };
        let advice = "`gristmill doctor` says more";
        let arn = arn.ok_or_else(|| Misuse::new(format!("there is no stream of the table {table}; {advice}")))?;
        let found = database::youngest(&api, &arn, records as usize).await?;
        if found.is_cut {
            eprintln!("warning: the stream has more than is read here: these are not its youngest records");
        }
        if found.records.is_empty() {
            return Err(Misuse::new(format!("the stream of the table {table} has no records; {advice}")).into());
        }
        Ok(event_of(&found.records, &arn).into_bytes())
    })
}

/// The stream that is named, or that of the handler that is, or the only one.
fn stream_of<'m>(manifest: &'m Manifest, args: &InvokeArgs) -> anyhow::Result<&'m Stream> {
    let name = match (&args.stream, &args.handler) {
        (Some(name), _) => Some(name.as_str()),
        (None, Some(handler)) => Some(manifest.handler(handler)?.stream.as_str()),
        (None, None) => None,
    };
    let known: Vec<&str> = manifest.streams.iter().map(|stream| stream.name.as_str()).collect();
    match (name, manifest.streams.as_slice()) {
        (Some(name), streams) => streams.iter().find(|stream| stream.name == name).ok_or_else(|| {
            let wanted = quoted(&format!("[stream.{name}]"));
            Misuse::new(format!("there is no {wanted} in gristmill.toml{}", names::suggest(name, &known))).into()
        }),
        (None, [only]) => Ok(only),
        (None, _) => {
            let message = format!("there are several streams: {}; name one with --stream", names::list(&known));
            Err(Misuse::new(message).into())
        }
    }
}
