//! `gristmill status`.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::Dimension;
use aws_sdk_cloudwatch::types::Statistic;
use serde::Serialize;
use serde_json::json;

use super::Running;
use crate::aws::{self, Aws, Refusal, Refused as _};
use crate::cli::{Output, StatusArgs};
use crate::deploy;
use crate::edge::{Done, escape};
use crate::manifest;
use crate::stack::{self, Standing};
use crate::template::ALIAS;

/// How far back the age of records is looked for.
const LOOK_BACK_SECS: u64 = 15 * 60;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct FunctionStatus {
    name: String,
    /// Of the alias.
    version: Option<String>,
    state: Option<String>,
    reason: Option<String>,
    modified: Option<String>,
    code_sha256: Option<String>,
    /// The oldest record that was done lately, in milliseconds; none when none was.
    iterator_age_ms: Option<f64>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    iterator_age_unknown: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct MappingStatus {
    stream: String,
    function: String,
    uuid: String,
    stream_arn: Option<String>,
    /// That of the table now; none when the stream is off.
    latest_stream_arn: Option<String>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_unknown: Option<String>,
    state: Option<String>,
    reason: Option<String>,
    last_result: Option<String>,
    partial: bool,
}

/// Runs `gristmill status` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems;
/// * there is no stack, or AWS refuses to say.
pub fn status(root: &Path, args: &StatusArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.env.as_deref())?;
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.aws).await?;
        let running = Running::find(&aws, &manifest).await?;
        let mut functions = Vec::new();
        for function in &running.functions {
            functions.push(function_status(&aws, &function.name()).await?);
        }
        let mut mappings = Vec::new();
        for mapping in running.mappings() {
            mappings.push(mapping_status(&aws, mapping.stream, &mapping.function.name(), mapping.uuid).await?);
        }
        Ok(shown(&aws, &running, &functions, &mappings, args.output))
    })
}

async fn function_status(aws: &Aws, name: &str) -> anyhow::Result<FunctionStatus> {
    let get = aws.lambda.get_function_configuration().function_name(name).qualifier(ALIAS).send().await;
    let found = match get.refused("lambda:GetFunctionConfiguration") {
        Err(refusal) if refusal.is("ResourceNotFoundException") => None,
        other => Some(other?),
    };
    let text = |value: Option<&str>| value.map(str::to_owned);
    let age = iterator_age_ms(aws, name).await;
    Ok(FunctionStatus {
        name: name.to_owned(),
        version: found.as_ref().and_then(|each| text(each.version())),
        state: found.as_ref().and_then(|each| each.state()).map(|state| state.as_str().to_owned()),
        reason: found.as_ref().and_then(|each| text(each.state_reason())),
        modified: found.as_ref().and_then(|each| text(each.last_modified())),
        code_sha256: found.as_ref().and_then(|each| text(each.code_sha256())),
        iterator_age_ms: age.as_ref().ok().copied().flatten(),
        iterator_age_unknown: age.err().map(|refusal| refusal.to_string()),
    })
}

/// How old the oldest record was that a function was done with lately, in
/// milliseconds; none when it did none.
pub(crate) async fn iterator_age_ms(aws: &Aws, name: &str) -> Result<Option<f64>, Refusal> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let time = |secs: u64| DateTime::from_secs(i64::try_from(secs).unwrap_or(i64::MAX));
    let dimension = Dimension::builder().name("FunctionName").value(name).build();
    let get = aws
        .cloudwatch
        .get_metric_statistics()
        .namespace("AWS/Lambda")
        .metric_name("IteratorAge")
        .dimensions(dimension)
        .start_time(time(now.saturating_sub(LOOK_BACK_SECS)))
        .end_time(time(now))
        .period(60)
        .statistics(Statistic::Maximum);
    let answer = get.send().await.refused("cloudwatch:GetMetricStatistics")?;
    Ok(answer.datapoints().iter().filter_map(|point| point.maximum()).max_by(f64::total_cmp))
}

async fn mapping_status(aws: &Aws, stream: &str, function: &str, uuid: &str) -> anyhow::Result<MappingStatus> {
    let get = aws.lambda.get_event_source_mapping().uuid(uuid).send().await;
    let found = match get.refused("lambda:GetEventSourceMapping") {
        Err(refusal) if refusal.is("ResourceNotFoundException") => None,
        other => Some(other?),
    };
    let text = |value: Option<&str>| value.map(str::to_owned);
    let latest = match found.as_ref().and_then(|each| each.event_source_arn()) {
        Some(arn) => super::latest_stream(aws, arn).await,
        None => Ok(None),
    };
    Ok(MappingStatus {
        stream: stream.to_owned(),
        function: function.to_owned(),
        uuid: uuid.to_owned(),
        stream_arn: found.as_ref().and_then(|each| text(each.event_source_arn())),
        latest_stream_arn: latest.as_ref().ok().cloned().flatten(),
        latest_unknown: latest.err().map(|refusal| refusal.to_string()),
        state: found.as_ref().and_then(|each| text(each.state())),
        reason: found.as_ref().and_then(|each| text(each.state_transition_reason())),
        last_result: found.as_ref().and_then(|each| text(each.last_processing_result())),
        partial: found.as_ref().is_some_and(|each| !each.function_response_types().is_empty()),
    })
}

fn shown(
    aws: &Aws,
    running: &Running<'_>,
    functions: &[FunctionStatus],
    mappings: &[MappingStatus],
    output: Output,
) -> Done {
    let stack = &running.stack;
    let problems = problems(running, functions, mappings);
    let failed = !problems.is_empty();
    if output == Output::Json {
        let problems: Vec<_> =
            problems.iter().map(|(message, next)| json!({ "message": message, "next": next })).collect();
        let value = json!({
            "stack": stack.name,
            "status": stack.status.as_str(),
            "region": aws.region,
            "account": aws.account,
            "functions": functions,
            "mappings": mappings,
            "outputs": stack.outputs,
            "problems": problems,
        });
        return Done { stdout: value.to_string() + "\n", failed };
    }
    let or = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let mut text =
        format!("{} in {} of the account {}: {}\n", stack.name, aws.region, aws.account, stack.status.as_str());
    for function in functions {
        let _ = writeln!(text, "\nfunction {}", function.name);
        let _ = writeln!(text, "  version      {} (alias {ALIAS})", or(&function.version));
        let _ = writeln!(text, "  state        {}", or(&function.state));
        let _ = writeln!(text, "  changed      {}", or(&function.modified));
        let _ = writeln!(text, "  CodeSha256   {}", or(&function.code_sha256));
        let age = match (&function.iterator_age_unknown, function.iterator_age_ms) {
            (Some(why), _) => format!("not known: {why}"),
            (None, None) => "no record was done in the last 15 minutes".to_owned(),
            (None, Some(ms)) => {
                format!("{:.1} s, the oldest record that was done in the last 15 minutes", ms / 1_000.0)
            }
        };
        let _ = writeln!(text, "  lag          {age}");
        for mapping in mappings.iter().filter(|mapping| mapping.function == function.name) {
            let _ = writeln!(text, "\n  mapping of the stream {}", mapping.stream);
            let _ = writeln!(text, "    id         {}", mapping.uuid);
            let _ = writeln!(text, "    stream     {}", or(&mapping.stream_arn));
            if let Some(why) = &mapping.latest_unknown {
                let _ = writeln!(text, "               whether it is the table's latest is not known: {why}");
            }
            let _ = writeln!(text, "    state      {}", or(&mapping.state));
            let _ = writeln!(text, "    last       {}", or(&mapping.last_result));
        }
    }
    if problems.is_empty() {
        let _ = writeln!(text, "\nAll is well. Next: `gristmill logs --remote -f` shows what handlers say");
    }
    for (message, next) in problems {
        let _ = writeln!(text, "\nPROBLEM: {message}\n  > {next}");
    }
    Done { stdout: escape(&text), failed }
}

/// What is not well, each with the next command.
fn problems(running: &Running<'_>, functions: &[FunctionStatus], mappings: &[MappingStatus]) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    match stack::standing(Some(&running.stack)) {
        // What it does not have has no other cause.
        Standing::Broken(why) => return vec![(why.what, why.next)],
        Standing::Busy(why) => problems.push((why.what, why.next)),
        Standing::New | Standing::Ready => {}
    }
    for function in functions {
        match function.state.as_deref() {
            Some("Active" | "Inactive" | "Pending") => {}
            Some(state) => {
                let reason = function.reason.clone().unwrap_or_else(|| "without a reason".to_owned());
                problems.push((
                    format!("the function {} is {state}: {reason}", function.name),
                    "gristmill deploy".to_owned(),
                ));
            }
            None => {
                problems.push((format!("the function {} is not there", function.name), "gristmill plan".to_owned()))
            }
        }
    }
    for mapping in mappings {
        let wanted = running.manifest.stream(&mapping.stream).is_none_or(|stream| stream.mapping.enabled);
        let of = format!("the mapping of the stream {} to {}", mapping.stream, mapping.function);
        match mapping.state.as_deref() {
            Some("Enabled" | "Creating" | "Enabling" | "Updating") => {}
            Some("Disabled" | "Disabling") if !wanted => {}
            Some(state @ ("Disabled" | "Disabling")) => problems.push((
                format!("{of} is {state}: nothing is delivered"),
                format!(
                    "gristmill resume {}; a new stream of a table waits so for the old one (gristmill plan)",
                    mapping.stream
                ),
            )),
            Some(state) => problems.push((format!("{of} is {state}"), "gristmill doctor --remote".to_owned())),
            None => problems.push((format!("{of} is not there"), "gristmill plan".to_owned())),
        }
        if mapping.state.is_some() && !mapping.partial {
            let message = format!("{of} has no ReportBatchItemFailures: Lambda takes failures for success");
            problems.push((message, "gristmill deploy".to_owned()));
        }
        if let Some(stale) = stale(mapping, mappings) {
            problems.push((format!("{of} {stale}"), "gristmill plan".to_owned()));
        }
        if let Some(result) = mapping.last_result.as_deref().filter(|result| result.starts_with("PROBLEM")) {
            problems.push((format!("{of}: {result}"), "gristmill doctor --remote".to_owned()));
        }
    }
    problems
}

/// How a mapping misses what is written to its table now, unless another of the
/// function waits for the new stream already.
fn stale(mapping: &MappingStatus, all: &[MappingStatus]) -> Option<String> {
    let own = mapping.stream_arn.as_deref()?;
    let Some(latest) = mapping.latest_stream_arn.as_deref() else {
        let is_off = mapping.latest_unknown.is_none();
        return is_off.then(|| format!("reads {own}, and its table has no stream any more, or is gone"));
    };
    let is_of_latest = |other: &MappingStatus| {
        other.stream == mapping.stream
            && other.function == mapping.function
            && other.stream_arn.as_deref() == Some(latest)
    };
    let is_waited_for = all.iter().any(is_of_latest);
    (!is_waited_for).then(|| {
        format!(
            "reads {own}, and the table has another stream since: {latest}; what is written now does not reach the function"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(arn: &str, latest: Option<&str>) -> MappingStatus {
        MappingStatus {
            stream: "orders".to_owned(),
            function: "demo-dev".to_owned(),
            uuid: arn.to_owned(),
            stream_arn: Some(arn.to_owned()),
            latest_stream_arn: latest.map(str::to_owned),
            latest_unknown: None,
            state: None,
            reason: None,
            last_result: None,
            partial: true,
        }
    }

    #[test]
    fn a_mapping_of_an_older_stream_is_told_unless_one_of_the_new_is_there() {
        let (old, new) = (reading("1", Some("2")), reading("2", Some("2")));
        assert_eq!(stale(&new, std::slice::from_ref(&new)), None);
        assert!(stale(&old, std::slice::from_ref(&old)).is_some_and(|told| told.contains("another stream since: 2")));
        let other = MappingStatus { function: "demo-dev-own".to_owned(), ..reading("2", Some("2")) };
        assert!(stale(&old, &[reading("1", Some("2")), other]).is_some());
        assert_eq!(stale(&old, &[reading("1", Some("2")), new]), None);
        let off = reading("1", None);
        assert!(stale(&off, std::slice::from_ref(&off)).is_some_and(|told| told.contains("no stream any more")));
        let unknown = MappingStatus { latest_unknown: Some("no".to_owned()), ..off };
        assert_eq!(stale(&unknown, std::slice::from_ref(&unknown)), None);
    }
}
