//! `gristmill invoke --remote`: an event to the deployed function.

use std::path::Path;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Running;
use crate::aws::{self, Aws, Refused as _};
use crate::cli::{InvokeArgs, Output};
use crate::deploy;
use crate::edge::{Done, Misuse, escape};
use crate::invoke::read_event;
use crate::manifest;
use crate::template::ALIAS;

/// The largest event that Lambda takes (AWS-FACTS: an invoke payload at most 6 MB).
const MOST_PAYLOAD: usize = 6 * 1024 * 1024;

/// What a function has answered.
pub(crate) struct Answer {
    /// The body.
    pub(crate) body: String,
    /// Lambda's word for a failure.
    pub(crate) error: Option<String>,
    /// The version that ran.
    pub(crate) version: Option<String>,
    /// The end of its log.
    pub(crate) log: String,
}

impl Answer {
    /// The records that must come again; none when the function failed as a whole,
    /// or has answered what no host of ours answers: that is no success.
    pub(crate) fn failures(&self) -> Option<Vec<String>> {
        if self.error.is_some() {
            return None;
        }
        let body: Value = serde_json::from_str(&self.body).ok()?;
        let failures = body.as_object()?.get("batchItemFailures")?.as_array()?;
        Some(failures.iter().map(|each| each["itemIdentifier"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Whether every record is done.
    pub(crate) fn is_success(&self) -> bool {
        self.failures().is_some_and(|failures| failures.is_empty())
    }
}

/// Invokes the alias of a function and waits for its answer.
///
/// # Errors
///
/// AWS refuses.
pub(crate) async fn call(aws: &Aws, function: &str, payload: Vec<u8>) -> anyhow::Result<Answer> {
    let invoke = aws.lambda.invoke().function_name(function).qualifier(ALIAS).log_type(LogType::Tail);
    let answer = invoke.payload(Blob::new(payload)).send().await.refused("lambda:InvokeFunction")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let log = answer.log_result().and_then(|log| STANDARD.decode(log).ok());
    Ok(Answer {
        body: answer.payload().map(|body| text(body.as_ref())).unwrap_or_default(),
        error: answer.function_error().map(str::to_owned),
        version: answer.executed_version().map(str::to_owned),
        log: log.map(|log| text(&log)).unwrap_or_default(),
    })
}

/// Runs `gristmill invoke --remote` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems, or the event cannot be read or is too large;
/// * there is no stack, or AWS refuses.
pub fn invoke(root: &Path, args: &InvokeArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.as_deref())?;
    let path = args.event.as_deref().ok_or_else(|| Misuse::new("--remote takes an event: --event FILE"))?;
    let payload = read_event(path)?;
    if payload.len() > MOST_PAYLOAD {
        let message =
            format!("the event has {} bytes, and Lambda takes {MOST_PAYLOAD}; send fewer records", payload.len());
        return Err(Misuse::new(message).into());
    }
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.remote.aws(&args.endpoint)).await?;
        let running = Running::find(&aws, &manifest).await?;
        let function = running.function(args.handler.as_deref())?;
        if let (Some(handler), None) = (&args.handler, function.own) {
            let message = format!(
                "{handler} shares its function, and Lambda calls all handlers of one; leave --handler out, or give it a \
                 function of its own"
            );
            return Err(Misuse::new(message).into());
        }
        let name = function.name();
        let answer = call(&aws, &name, payload).await?;
        let failed = !answer.is_success();
        let stdout = match args.output {
            Output::Json => {
                let body: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| json!(answer.body));
                let value = json!({
                    "function": name, "version": answer.version, "answer": body, "function-error": answer.error,
                    "log": answer.log.lines().collect::<Vec<_>>(),
                });
                value.to_string() + "\n"
            }
            Output::Text => {
                let mut text = answer.log.trim_end().to_owned();
                text += &format!("\n{name}:{} answered {}", answer.version.as_deref().unwrap_or(ALIAS), answer.body);
                if let Some(error) = &answer.error {
                    text += &format!("\nthe function failed ({error})");
                }
                escape(text.trim_start()) + "\n"
            }
        };
        Ok(Done { stdout, failed })
    })
}
