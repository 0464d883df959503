//! What was deployed: the stack, the functions, and the mappings with what holds
//! them back. After the table and its stream, which `stream` looks at.

use serde_json::Value;

use super::finding::Findings;
use crate::aws::{self, Aws, Refused as _};
use crate::cli::AwsArgs;
use crate::manifest::{Destination, Manifest};
use crate::policy;
use crate::running::{Mapping, Running};
use crate::stack::{self, Standing};
use crate::template::{ALIAS, Generations, failure_bucket, ids::Ids};
use crate::view::missing_images;

/// A stream keeps records for a day (AWS-FACTS, The event source mapping).
const KEPT_MS: f64 = 24.0 * 60.0 * 60.0 * 1_000.0;

/// Looks at all of it.
///
/// # Errors
///
/// AWS cannot be asked.
pub(super) async fn look_at(manifest: &Manifest, args: &AwsArgs, findings: &mut Findings) -> anyhow::Result<()> {
    let aws = aws::connect(args).await?;
    let running = match Running::find(&aws, manifest).await {
        Ok(running) => running,
        Err(error) if error.is::<crate::edge::Misuse>() => {
            findings.problem("stack", "stack", format!("{error}"), "gristmill deploy");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    match stack::standing(Some(&running.stack)) {
        Standing::Broken(why) | Standing::Busy(why) => findings.problem("stack", "stack", why.what, why.next),
        Standing::New | Standing::Ready => {
            findings.ok("stack", "stack", format!("{} is {}", running.stack.name, running.stack.status.as_str()));
        }
    }
    let template = stack::template(&aws, &running.stack).await?;
    for function in &running.functions {
        look_at_function(&aws, &function.name(), findings).await?;
        look_at_policy(&running, function, &template, findings);
    }
    for mapping in running.mappings() {
        look_at_mapping(&aws, &running, &mapping, findings).await?;
    }
    Ok(())
}

async fn look_at_function(aws: &Aws, name: &str, findings: &mut Findings) -> anyhow::Result<()> {
    let subject = format!("function {name}");
    let get = aws.lambda.get_function_configuration().function_name(name).qualifier(ALIAS).send().await;
    let found = match get.refused("lambda:GetFunctionConfiguration") {
        Err(refusal) if refusal.is("ResourceNotFoundException") => {
            let message = format!("it has no alias `{ALIAS}`, which mappings call");
            findings.problem(&subject, "function", message, "gristmill deploy");
            return Ok(());
        }
        other => other?,
    };
    let state = found.state().map_or("", |state| state.as_str());
    let reason = found.state_reason().unwrap_or("no reason is given");
    match state {
        "Failed" => findings.problem(&subject, "state", format!("it is Failed: {reason}"), "gristmill deploy"),
        _ => findings.ok(&subject, "state", format!("version {} runs", found.version().unwrap_or("?"))),
    }
    let failed = found.last_update_status().is_some_and(|status| status.as_str() == "Failed");
    if failed {
        let reason = found.last_update_status_reason().unwrap_or("no reason is given");
        findings.problem(&subject, "update", format!("its last update failed: {reason}"), "gristmill deploy");
    }
    if found.dead_letter_config().and_then(|config| config.target_arn()).is_some() {
        findings.warning(
            &subject,
            "dead-letter-queue",
            "its dead-letter queue gets nothing of a stream: it is for asynchronous calls alone",
            "`on-failure` in [stream.NAME]",
        );
    }
    Ok(())
}

/// The deployed policy against what mapping and host do in the role's name.
fn look_at_policy(
    running: &Running<'_>,
    function: &crate::functions::Function<'_>,
    template: &Value,
    findings: &mut Findings,
) {
    let subject = format!("function {}", function.name());
    let deployed = &template["Resources"][Ids::of(function).policy()]["Properties"]["PolicyDocument"];
    let mut wanted = policy::runtime(running.manifest, function, &Generations::default());
    wanted.retain(|each| each.statement["Effect"] == "Allow");
    let denied = policy::denied(deployed, &wanted);
    let mut denied: Vec<_> = denied.iter().map(|call| format!("{} ({})", call.action, call.why)).collect();
    denied.dedup();
    if denied.is_empty() {
        findings.ok(&subject, "policy", "its deployed policy allows what the manifest needs");
    }
    for each in denied {
        findings.problem(&subject, "policy", format!("its role may not {each}"), "gristmill deploy");
    }
}

async fn look_at_mapping(
    aws: &Aws,
    running: &Running<'_>,
    mapping: &Mapping<'_, '_>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let subject = format!("mapping of the stream {} to {}", mapping.stream, mapping.function.name());
    let get = aws.lambda.get_event_source_mapping().uuid(mapping.uuid).send().await;
    let found = match get.refused("lambda:GetEventSourceMapping") {
        Err(refusal) if refusal.is("ResourceNotFoundException") => {
            findings.problem(
                &subject,
                "mapping",
                "it was deleted",
                "gristmill deploy makes it again, after a change; or delete and deploy",
            );
            return Ok(());
        }
        other => other?,
    };
    let wanted = running.manifest.stream(mapping.stream);
    match found.state().unwrap_or_default() {
        "Enabled" => findings.ok(&subject, "state", "it is Enabled"),
        state @ ("Disabled" | "Disabling") => {
            let by_manifest = wanted.is_some_and(|stream| !stream.mapping.enabled);
            let advice = match by_manifest {
                true => format!("`enabled = false` in [stream.{}]", mapping.stream),
                false => format!("gristmill resume {}", mapping.stream),
            };
            findings.problem(&subject, "state", format!("it is {state}: nothing is delivered"), advice);
        }
        state => findings.warning(&subject, "state", format!("it is {state}"), "look again in a minute"),
    }
    match found.last_processing_result() {
        Some("OK" | "No records processed") | None => {}
        Some(result) => findings.problem(
            &subject,
            "last-result",
            format!("its last result is {result:?}"),
            "gristmill logs --remote",
        ),
    }
    let hears = found.function_response_types().iter().any(|each| each.as_str() == "ReportBatchItemFailures");
    match hears {
        true => findings.ok(&subject, "response-types", "it has ReportBatchItemFailures"),
        false => findings.problem(
            &subject,
            "response-types",
            "it has no ReportBatchItemFailures: Lambda ignores what the function answers, and takes failures for success",
            "gristmill deploy sets it",
        ),
    }
    if !found.bisect_batch_on_function_error().unwrap_or(false) {
        findings.warning(
            &subject,
            "bisect",
            "without bisect, giving up discards the rest of a batch",
            "`bisect-batch-on-function-error`",
        );
    }
    look_at_destination(&subject, mapping, &found, running, findings);
    look_at_source(aws, &subject, found.event_source_arn().unwrap_or_default(), findings).await;
    look_at_age(aws, &subject, &mapping.function.name(), findings).await;
    Ok(())
}

fn look_at_destination(
    subject: &str,
    mapping: &Mapping<'_, '_>,
    found: &aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput,
    running: &Running<'_>,
    findings: &mut Findings,
) {
    let destination =
        found.destination_config().and_then(|config| config.on_failure()).and_then(|each| each.destination());
    let wanted = running.manifest.stream(mapping.stream).and_then(|stream| stream.mapping.on_failure.as_ref());
    match destination {
        None => findings.problem(
            subject,
            "destination",
            "it has no destination: what is given up on is lost",
            "gristmill deploy; somebody has changed it by hand",
        ),
        Some(arn) if arn.ends_with(".fifo") => findings.problem(
            subject,
            "destination",
            format!("its destination {arn} is FIFO, which Lambda does not deliver to"),
            "a standard queue or topic, or a bucket: `on-failure`",
        ),
        Some(arn) => {
            let own = running.resources.get(failure_bucket()).map(|bucket| bucket.physical_id.as_str());
            let is_own = own.is_some_and(|own| arn.ends_with(&format!(":{own}")));
            let is_bucket = is_own || matches!(wanted, Some(Destination::S3(_)));
            if is_bucket {
                findings.ok(subject, "destination", format!("what is given up on goes to {arn}, with its records"));
            } else {
                let message = format!("its destination {arn} gets no records, only where they are");
                findings.warning(subject, "destination", message, "a bucket gets the records: leave `on-failure` out");
            }
        }
    }
}

/// Whether it reads the stream that is written to, and what its records have.
async fn look_at_source(aws: &Aws, subject: &str, arn: &str, findings: &mut Findings) {
    // The table itself was looked at before.
    let Ok(Some(described)) = crate::running::table_of(aws, arn).await else { return };
    let latest = described.latest_stream_arn().unwrap_or_default();
    if latest != arn {
        findings.problem(
            subject,
            "stale-arn",
            format!("it reads {arn}, and the table's stream is another one since: {latest}; what is written now does not reach it"),
            "gristmill deploy goes over to it, in order",
        );
    }
    let view =
        described.stream_specification().and_then(|each| each.stream_view_type()).map_or("", |view| view.as_str());
    if missing_images(view).is_empty() {
        findings.ok(subject, "view-type", format!("its records have {view}"));
    }
}

async fn look_at_age(aws: &Aws, subject: &str, function: &str, findings: &mut Findings) {
    let age_ms = match crate::running::iterator_age_ms(aws, function).await {
        Ok(Some(age_ms)) => age_ms,
        Ok(None) => return,
        Err(refusal) => {
            findings.warning(subject, "age", format!("how old its records are is not known: {refusal}"), "");
            return;
        }
    };
    if age_ms >= KEPT_MS {
        findings.problem(
            subject,
            "age",
            format!(
                "records were {:.0} hours old when they were done: the stream drops what is older than 24",
                age_ms / 3_600_000.0
            ),
            "more time, a larger `parallelization-factor`, or a look at what fails: gristmill logs --remote",
        );
    } else {
        findings.ok(subject, "age", format!("records were at most {:.0} s old when they were done", age_ms / 1_000.0));
    }
}
