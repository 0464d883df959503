//! `gristmill conformance`: whether a component behaves as a handler in any
//! language must. It runs in the production host, a case an invocation, with no
//! project around it.
//!
//! The cases are data ([`cases`]); what the handler that is tested does for each is
//! in docs/any-language.md; [`judge`] compares.

mod cases;
mod judge;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use gristmill_host::guest::Invocation;
use gristmill_host::guest::compile::NATIVE_TARGET;
use gristmill_host::invoke::{Host, Request};
use gristmill_host::settings::{self, Function, InstancePer, Limits, Order, Response, Source, Stream};
use serde::Serialize;
use serde_json::Value;

use self::cases::{Case, Expect};
use crate::cli::{ConformanceArgs, Output};
use crate::edge::{Done, Misuse, escape};
use crate::function::{self, now_ms};
use crate::{build, code, invoke};

/// The handler as records meet it, and the same with little time: for the case
/// that has no end.
const HANDLERS: [(&str, u32); 2] = [("guest", 60_000), ("hasty", 1_000)];

const FUNCTION: &str = "conformance";
const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

/// What became of a case.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// What it is about.
    pub group: String,
    /// Its name in the group.
    pub name: String,
    /// What is wrong; none when it passed.
    pub wrong: Option<String>,
}

/// Runs `gristmill conformance`.
///
/// # Errors
///
/// * [`Misuse`]: there is no such file;
/// * it is no component, or no handler;
/// * the cache cannot be written.
pub fn run(args: &ConformanceArgs) -> anyhow::Result<Done> {
    let verdicts = verdicts(&args.component, args.instance_per.into(), args.memory_mb, |verdict| {
        if args.output == Output::Text {
            eprintln!("{}", as_line(verdict));
        }
    })?;
    let failed = verdicts.iter().filter(|verdict| verdict.wrong.is_some()).count();
    let stdout = match args.output {
        Output::Json => {
            serde_json::json!({ "passed": verdicts.len() - failed, "failed": failed, "cases": verdicts }).to_string()
                + "\n"
        }
        Output::Text => format!("{} of {} cases passed\n", verdicts.len() - failed, verdicts.len()),
    };
    Ok(Done { stdout, failed: failed > 0 })
}

fn as_line(verdict: &Verdict) -> String {
    let place = format!("{}: {}", verdict.group, verdict.name);
    escape(&match &verdict.wrong {
        None => format!("ok      {place}"),
        Some(wrong) => format!("FAILED  {place}: {wrong}"),
    })
}

/// Runs all cases on a component; each verdict is told as it is there.
///
/// # Errors
///
/// As [`run`].
pub fn verdicts(
    component: &Path,
    instance_per: InstancePer,
    memory_mb: Option<u32>,
    mut tell: impl FnMut(&Verdict),
) -> anyhow::Result<Vec<Verdict>> {
    let bytes = std::fs::read(component)
        .map_err(|error| Misuse::new(format!("cannot read the component {}: {error}", component.display())))?;
    let here = std::env::current_dir().context("cannot find the current folder")?;
    let cache = code::cache(&here)?;
    let compiled = cache
        .get(&bytes, NATIVE_TARGET, build::telling(String::new(), bytes.len(), ""))
        .with_context(|| format!("{}", component.display()))?;
    let codes = HANDLERS.map(|(name, _)| (name.to_owned(), compiled.clone()));
    let host = Arc::new(function::made(settings(instance_per, memory_mb), &codes)?);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let mut verdicts = Vec::new();
    for (index, case) in cases::all()?.into_iter().enumerate() {
        let wrong = runtime.block_on(tried(&host, &case, index)).err();
        let verdict = Verdict { group: case.group, name: case.name, wrong };
        tell(&verdict);
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

fn settings(instance_per: InstancePer, memory_mb: Option<u32>) -> Function {
    let stream = Stream {
        name: "cases".to_owned(),
        source: Source::Table(cases::TABLE.to_owned()),
        response: Response::Partial,
        order: Order::Item,
        concurrency: Some(1),
    };
    let handler = |(name, timeout_ms): (&str, u32)| settings::Handler {
        name: name.to_owned(),
        stream: stream.name.clone(),
        module: name.to_owned(),
        filters: Vec::new(),
        instance_per,
        limits: Limits {
            timeout_ms,
            memory_mb: memory_mb.unwrap_or(Limits::default().memory_mb),
            // Images are logged whole.
            log_kb: 4_096,
            ..Limits::default()
        },
    };
    Function { streams: vec![stream.clone()], handlers: HANDLERS.map(handler).to_vec() }
}

async fn tried(host: &Arc<Host>, case: &Case, index: usize) -> Result<(), String> {
    let handler = if matches!(case.expect, Expect::TimesOut) { HANDLERS[1].0 } else { HANDLERS[0].0 };
    let request_id = format!("00000000-0000-0000-0000-{index:012}");
    let begin_ms = now_ms();
    let printed = invoked(host, case, &request_id, handler).await?;
    let between_ms = [begin_ms, now_ms()];
    let again = match case.expect {
        Expect::Random => invoked(host, case, &request_id, handler).await?,
        _ => Value::Null,
    };
    judge::judge(
        case,
        &judge::Invocation { request_id: &request_id, handler, between_ms, printed: &printed, again: &again },
    )
}

async fn invoked(host: &Arc<Host>, case: &Case, request_id: &str, handler: &str) -> Result<Value, String> {
    let received_ms = now_ms();
    let request = Request {
        payload: case.event(),
        invocation: Arc::new(Invocation {
            request_id: request_id.to_owned(),
            function_name: FUNCTION.to_owned(),
            function_version: "$LATEST".to_owned(),
            trace_header: Some(TRACE.to_owned()),
        }),
        received_ms,
        // Room for both of its records.
        deadline_ms: Some(received_ms + 180_000),
        handler: Some(handler.to_owned()),
        response: None,
    };
    invoke::to_json(host, request).await
}
