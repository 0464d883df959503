//! The function as this machine runs it: the production host with the project's
//! handlers, and requests to it. `invoke` and `dev` share it, so that both run
//! the path that Lambda runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use gristmill_host::guest::Invocation;
use gristmill_host::invoke::{Host, Request};
use gristmill_host::settings::{Function, Response};

use crate::manifest::Manifest;
use crate::{code, functions, package};

/// A host with every handler of the manifest, from their components.
///
/// # Errors
///
/// When a handler is not built, or the host cannot be made.
pub fn host(manifest: &Manifest, response: Response) -> anyhow::Result<Host> {
    let cache = code::cache(&manifest.root)?;
    let mut codes = Vec::new();
    for handler in &manifest.handlers {
        codes.push((handler.name.clone(), code::precompiled(manifest, &cache, handler)?));
    }
    host_of(manifest, response, &codes)
}

/// A host with every handler of the manifest, from precompiled code: by
/// handler, a path that the cache gave.
///
/// # Errors
///
/// When the host cannot be made.
pub fn host_of(manifest: &Manifest, response: Response, codes: &[(String, PathBuf)]) -> anyhow::Result<Host> {
    // The settings name a module by its handler here: what is loaded is the
    // path that the cache gave, and no name is turned into one.
    made(package::function(manifest, response, str::to_owned), codes)
}

/// A host for each function of the project, by its key.
///
/// # Errors
///
/// As [`host_of`].
pub fn hosts_of(
    manifest: &Manifest,
    response: Response,
    codes: &[(String, PathBuf)],
) -> anyhow::Result<BTreeMap<String, Arc<Host>>> {
    let functions = functions::of(manifest);
    let host = |function: &functions::Function<'_>| {
        let host = made(package::function_of(function, response, str::to_owned), codes)?;
        Ok((function.key(), Arc::new(host)))
    };
    functions.iter().map(host).collect()
}

/// A host with settings that are no manifest's.
///
/// # Errors
///
/// As [`host_of`].
pub(crate) fn made(function: Function, codes: &[(String, PathBuf)]) -> anyhow::Result<Host> {
    let path_of =
        |name: &str| codes.iter().find(|(other, _)| other == name).map(|(_, path)| path.clone()).unwrap_or_default();
    Host::new(function, None, path_of).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(errors.join("\n"))
    })
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// An invocation that comes now. `timeout_ms` is the function's.
pub fn request(manifest: &Manifest, request_id: &str, payload: String, timeout_ms: Option<u64>) -> Request {
    let received_ms = now_ms();
    Request {
        payload,
        invocation: Arc::new(Invocation {
            request_id: request_id.to_owned(),
            function_name: manifest.project.clone(),
            function_version: "$LATEST".to_owned(),
            trace_header: None,
        }),
        received_ms,
        deadline_ms: timeout_ms.map(|ms| received_ms.saturating_add(ms)),
        handler: None,
        response: None,
    }
}
