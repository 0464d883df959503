//! `gristmill pause` and `gristmill resume`: whether mappings deliver. A paused one
//! goes on where it was (AWS-FACTS, The event source mapping, Enabled).

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::Running;
use crate::aws::{self, Aws, Refusal, Refused as _};
use crate::cli::{Output, PauseArgs};
use crate::deploy;
use crate::edge::{Done, Misuse, escape};
use crate::manifest;
use crate::names;

/// How long a mapping may take.
const TO_CHANGE: Duration = Duration::from_secs(180);

/// Runs `gristmill pause` in the project at `root`.
///
/// # Errors
///
/// * the manifest has no such stream;
/// * there is no stack, or AWS refuses.
pub fn pause(root: &Path, args: &PauseArgs) -> anyhow::Result<Done> {
    switch(root, args, false)
}

/// Runs `gristmill resume` in the project at `root`.
///
/// # Errors
///
/// As [`pause`].
pub fn resume(root: &Path, args: &PauseArgs) -> anyhow::Result<Done> {
    switch(root, args, true)
}

fn switch(root: &Path, args: &PauseArgs, on: bool) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.env.as_deref())?;
    for name in &args.streams {
        if manifest.stream(name).is_none() {
            let known: Vec<_> = manifest.streams.iter().map(|stream| stream.name.as_str()).collect();
            return Err(Misuse::new(format!("there is no [stream.{name}]{}", names::suggest(name, &known))).into());
        }
    }
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.aws).await?;
        let running = Running::find(&aws, &manifest).await?;
        let mut changed = Vec::new();
        for mapping in running.mappings() {
            if !args.streams.is_empty() && !args.streams.iter().any(|name| name == mapping.stream) {
                continue;
            }
            let state = set(&aws, mapping.uuid, on).await?;
            changed.push((mapping.stream.to_owned(), mapping.function.name(), mapping.uuid.to_owned(), state));
        }
        if changed.is_empty() {
            bail!("the stack {} has no mapping to {}", running.stack.name, if on { "resume" } else { "pause" });
        }
        Ok(Done::printing(match args.output {
            Output::Json => {
                let mappings: Vec<_> = changed
                    .iter()
                    .map(|(stream, function, uuid, state)| {
                        json!({ "stream": stream, "function": function, "uuid": uuid, "state": state })
                    })
                    .collect();
                json!({ "mappings": mappings }).to_string() + "\n"
            }
            Output::Text => {
                let mut text = String::new();
                for (stream, function, _, state) in &changed {
                    let _ = writeln!(text, "the mapping of the stream {stream} to {function} is {state}");
                }
                text += match on {
                    true => "\nThey go on where they were.\n",
                    false => "\nA stream keeps records for 24 hours. Next: `gristmill resume`; a deploy leaves them paused.\n",
                };
                escape(&text)
            }
        }))
    })
}

async fn set(aws: &Aws, uuid: &str, on: bool) -> anyhow::Result<String> {
    let update = aws.lambda.update_event_source_mapping().uuid(uuid).enabled(on);
    update.send().await.refused("lambda:UpdateEventSourceMapping")?;
    let wanted = if on { "Enabled" } else { "Disabled" };
    let is = aws::ask_until(TO_CHANGE, async || {
        let found = aws.lambda.get_event_source_mapping().uuid(uuid).send().await;
        let state = found.refused("lambda:GetEventSourceMapping")?.state;
        Ok::<_, Refusal>(state.filter(|state| state == wanted))
    });
    is.await?.with_context(|| {
        format!(
            "the mapping {uuid} is not {wanted} after {} s; `gristmill status` shows when it is",
            TO_CHANGE.as_secs()
        )
    })
}
