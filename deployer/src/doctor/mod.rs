//! `gristmill doctor`: why a handler did not fire. Asks of each link between a
//! write and a handler whether it holds.

mod decline;
#[cfg(feature = "deploy")]
mod deployed;
mod finding;
mod item;
mod stream;
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use gristmill_host::pattern::{Pattern, Patterns};
use serde_json::Value;

use crate::cli::DoctorArgs;
use crate::component::{self, Report};
use crate::database::{Connection, Target, reach};
use crate::dev;
use crate::edge::{Done, Misuse, quoted};
use crate::manifest::{self, Handler, Manifest, Stream};
use crate::{code, logs};
use finding::Findings;

/// What all looks share.
struct Look<'a> {
    manifest: &'a Manifest,
    /// The handlers that are looked at.
    handlers: Vec<&'a Handler>,
    api: Arc<Connection>,
    /// Whether dev mode's own positions and log are of this database.
    is_local: bool,
    records: usize,
    /// The key of the item that is asked about.
    key: Option<Value>,
    /// Of the handlers that are built, what their components are.
    reports: BTreeMap<String, Report>,
    /// From dev mode's log.
    outcomes: BTreeMap<(String, String), (u64, String)>,
}

impl Look<'_> {
    fn handlers_of(&self, stream: &Stream) -> impl Iterator<Item = &Handler> {
        self.handlers.iter().copied().filter(|handler| handler.stream == stream.name)
    }
}

/// A handler's filter. A manifest has only patterns that were read, so none is
/// left out here.
fn filter_of(handler: &Handler) -> Patterns {
    Patterns::new(vec![handler.filters.iter().filter_map(|text| Pattern::parse(text).ok()).collect()])
}

/// Runs `gristmill doctor` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems;
/// * [`Misuse`]: there is no such handler, no database, or the key is no JSON.
pub fn run(root: &Path, args: &DoctorArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.as_deref())?;
    let handlers = match &args.name {
        Some(name) => vec![manifest.handler(name)?],
        None => manifest.handlers.iter().collect(),
    };
    let key = args.key.as_deref().map(parse_key).transpose()?;
    let mut findings = Findings::default();
    for warning in &manifest.warnings {
        findings.warning("gristmill.toml", "manifest", warning.to_string(), "");
    }
    let reports = look_at_handlers(&manifest, &handlers, &mut findings)?;
    let target = target(args)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let api = Arc::new(reach(&dev::folder(root), &manifest, target.as_ref()).await?);
        let is_local = target.is_none();
        let outcomes = if is_local { logs::outcomes(root)? } else { BTreeMap::new() };
        let records = args.records as usize;
        let look = Look { manifest: &manifest, handlers, api, is_local, records, key, reports, outcomes };
        let wanted = |stream: &&Stream| args.name.is_none() || look.handlers_of(stream).next().is_some();
        for stream in manifest.streams.iter().filter(wanted) {
            stream::look_at(&look, stream, &mut findings).await;
        }
        #[cfg(feature = "deploy")]
        if args.remote.remote {
            deployed::look_at(&manifest, &args.remote.aws(&args.endpoint), &mut findings).await?;
        }
        anyhow::Ok(())
    })?;
    Ok(findings.into_done(args.output, next(args)))
}

/// Whose tables: those of what was deployed are AWS's, or those of whoever stands
/// for it.
fn target(args: &DoctorArgs) -> anyhow::Result<Option<Target>> {
    #[cfg(feature = "deploy")]
    if args.remote.remote {
        let mut endpoint = args.endpoint.clone();
        let elsewhere = args.remote.endpoint_url.clone().or_else(|| std::env::var("AWS_ENDPOINT_URL").ok());
        endpoint.endpoint = Some(elsewhere.unwrap_or_else(|| "aws".to_owned()));
        return Ok(Target::of(&endpoint)?);
    }
    Ok(Target::of(&args.endpoint)?)
}

/// Where nothing is wrong, what handlers say shows more.
fn next(args: &DoctorArgs) -> &'static str {
    #[cfg(feature = "deploy")]
    if args.remote.remote {
        return "`gristmill logs --remote -f` shows what handlers say";
    }
    let _ = args;
    "`gristmill logs -f` shows what handlers do"
}

fn parse_key(text: &str) -> anyhow::Result<Value> {
    let wrong = || {
        Misuse::new(format!(
            "--key {} is no key; it takes JSON as the AWS CLI does, for example {{\"id\": {{\"S\": \"1\"}}}}",
            quoted(text)
        ))
    };
    let key: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let is_attribute = |value: &Value| value.as_object().is_some_and(|fields| fields.len() == 1);
    match key.as_object() {
        Some(fields) if !fields.is_empty() && fields.values().all(is_attribute) => Ok(key),
        Some(_) | None => Err(wrong().into()),
    }
}

/// Whether each handler is built, and is one; those that are.
fn look_at_handlers(
    manifest: &Manifest,
    handlers: &[&Handler],
    findings: &mut Findings,
) -> anyhow::Result<BTreeMap<String, Report>> {
    let mut reports = BTreeMap::new();
    if handlers.is_empty() {
        findings.problem(
            "gristmill.toml",
            "handlers",
            "there is no [handler.NAME], so there is nothing to call",
            "gristmill generate event NAME --trigger dynamodb --table TABLE",
        );
        return Ok(reports);
    }
    let cache = code::cache(&manifest.root)?;
    let guests = component::guests(manifest)?;
    for handler in handlers {
        let subject = format!("handler {}", handler.name);
        let path = code::component_path(manifest, handler);
        if !path.exists() {
            findings.problem(&subject, "built", "it is not built", "gristmill build, or gristmill dev, which builds");
            continue;
        }
        let report = code::compiled(manifest, &cache, handler).and_then(|code| Ok(Report::of(&guests, &code)?));
        match report {
            Err(error) => findings.problem(&subject, "component", format!("{error:#}"), "gristmill check"),
            Ok(Report { refusal: Some(refusal), .. }) => {
                findings.problem(&subject, "component", format!("it is no handler: {refusal}"), "gristmill check");
            }
            Ok(report) => {
                if code::is_stale(handler, &path) {
                    findings.warning(
                        &subject,
                        "built",
                        "its source has changed since it was built",
                        "gristmill build, or gristmill dev, which builds",
                    );
                } else {
                    findings.ok(&subject, "built", "it is built, and a handler");
                }
                reports.insert(handler.name.clone(), report);
            }
        }
    }
    Ok(reports)
}
