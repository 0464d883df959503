//! The functions that a project is on AWS: one that handlers share, and one for
//! each handler that has its own. What each is called, what it runs and what its
//! mappings deliver follows from the manifest here, for the package, the template
//! and dev mode alike. Pure.

use crate::manifest::{FunctionSettings, Handler, Iam, Manifest, Stream};

/// The most patterns that the filter of a mapping has (AWS-FACTS, The event
/// source mapping, FilterCriteria).
const MOST_PATTERNS: usize = 5;

/// One function, its handlers and the streams that they are on.
#[derive(Clone, Debug)]
pub struct Function<'m> {
    /// The handler whose own it is; none is the shared one.
    pub own: Option<&'m Handler>,
    /// What it is made with.
    pub settings: &'m FunctionSettings,
    /// What the user says of this function's rights, beside the project's.
    pub iam: &'m Iam,
    /// In the order of the manifest; at least one.
    pub handlers: Vec<&'m Handler>,
    /// Those that have one of the handlers, in the order of the manifest.
    pub streams: Vec<&'m Stream>,
    project: &'m str,
    env: &'m str,
}

impl<'m> Function<'m> {
    /// The name by which `GRISTMILL_FUNCTION` selects it in `handlers.json`. No
    /// name of a project or handler has a dot.
    pub fn key(&self) -> String {
        match self.own {
            None => self.project.to_owned(),
            Some(handler) => format!("{}.{}", self.project, handler.name),
        }
    }

    /// Its name on AWS.
    pub fn name(&self) -> String {
        match self.own {
            None => format!("{}-{}", self.project, self.env),
            Some(handler) => format!("{}-{}-{}", self.project, self.env, handler.name),
        }
    }

    /// Its handlers that are on a stream.
    pub fn handlers_of(&self, stream: &str) -> impl Iterator<Item = &'m Handler> {
        self.handlers.iter().copied().filter(move |handler| handler.stream == stream)
    }

    /// The filter of its mapping on a stream.
    pub fn filters_of(&self, stream: &str) -> Vec<&'m str> {
        filters_of(self.handlers_of(stream))
    }
}

/// The filter of a mapping that delivers for these handlers: the patterns of all
/// of them, joined by OR; or none when one of them wants every record, or there
/// are more than a mapping takes. The host filters in any case.
pub fn filters_of<'m>(handlers: impl Iterator<Item = &'m Handler>) -> Vec<&'m str> {
    let mut patterns = Vec::new();
    for handler in handlers {
        if handler.filters.is_empty() {
            return Vec::new();
        }
        // One of several handlers is enough, and AWS takes none twice.
        for pattern in &handler.filters {
            if !patterns.contains(&pattern.as_str()) {
                patterns.push(pattern.as_str());
            }
        }
    }
    if patterns.len() > MOST_PATTERNS { Vec::new() } else { patterns }
}

/// The functions of a project: the shared one first, when it has a handler.
pub fn of(manifest: &Manifest) -> Vec<Function<'_>> {
    let shared = manifest.handlers.iter().filter(|handler| handler.own.is_none()).collect::<Vec<_>>();
    let mut functions = Vec::new();
    if !shared.is_empty() {
        functions.push(one(manifest, None, &manifest.function, &manifest.function_iam, shared));
    }
    for handler in &manifest.handlers {
        if let Some(own) = &handler.own {
            functions.push(one(manifest, Some(handler), &own.settings, &own.iam, vec![handler]));
        }
    }
    functions
}

fn one<'m>(
    manifest: &'m Manifest,
    own: Option<&'m Handler>,
    settings: &'m FunctionSettings,
    iam: &'m Iam,
    handlers: Vec<&'m Handler>,
) -> Function<'m> {
    let has = |stream: &&Stream| handlers.iter().any(|handler| handler.stream == stream.name);
    let streams = manifest.streams.iter().filter(has).collect();
    Function { own, settings, iam, streams, handlers, project: &manifest.project, env: &manifest.env }
}
