//! Which handlers an event is for (R5).
//!
//! This module knows the settings and the event. It runs nothing, and what a
//! record needs in order to be tried (lanes, time) is not its business.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::event::{Arn, Event};
use crate::pattern::{Pattern, PatternError, Patterns};
use crate::settings::{Function, Order, Response, Source, Stream};

/// The streams and handlers of a function, ready to route events.
pub struct Router {
    streams: Vec<Stream>,
    /// By stream, the indexes of its handlers in the settings.
    readers: Vec<Vec<usize>>,
    /// By stream, what its handlers ask for, in the order of `readers`.
    filters: Vec<Patterns>,
    /// By handler.
    names: Vec<String>,
}

/// What an event is for.
#[derive(Debug)]
pub struct Route {
    /// The handlers that have the stream, by index in the settings.
    pub handlers: Vec<usize>,
    /// By record (in the order of [`Event::records`]), then by handler (in the
    /// order of `handlers`).
    pub wants: Vec<Vec<Want>>,
    /// R6.
    pub order: Order,
    /// R11.
    pub response: Response,
    /// R7; none for the default.
    pub concurrency: Option<usize>,
}

/// Whether a handler wants a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// It does.
    Run,
    /// It has the stream and its filter declined.
    Filtered,
    /// The record cannot be read, for the reason given (R4).
    Malformed(String),
}

/// Why the settings cannot route. An init error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouterError {
    /// Two streams or two handlers have one name.
    #[error("{kind} {name:?} is there twice")]
    Twice {
        /// `stream` or `handler`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// Two streams are recognised by the same table.
    #[error("streams {first:?} and {second:?} are of one table")]
    OneTable {
        /// A stream's name.
        first: String,
        /// Another's.
        second: String,
    },
    /// A stream's ARN is none.
    #[error("stream {stream:?}: {arn:?} is not the ARN of a DynamoDB table or stream")]
    BadArn {
        /// The stream's name.
        stream: String,
        /// What stands there.
        arn: String,
    },
    /// A handler is for a stream that is not there.
    #[error("handler {handler:?} is for stream {stream:?}, which is not there")]
    NoStream {
        /// The handler's name.
        handler: String,
        /// The name of the missing stream.
        stream: String,
    },
    /// A handler's filter is no pattern.
    #[error("handler {handler:?}: filter {number}: {error}")]
    BadFilter {
        /// The handler's name.
        handler: String,
        /// Which filter, from 1.
        number: usize,
        /// What is wrong with it.
        error: PatternError,
    },
    /// A number of calls at once that is none.
    #[error("stream {stream:?}: a concurrency of 0 runs nothing")]
    NoConcurrency {
        /// The stream's name.
        stream: String,
    },
}

/// Why an event is not routed. The function fails; no handler has run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No handler names the stream of the event.
    #[error("no handler is for the stream {arn}{}", nearest_of(.nearest.as_deref()))]
    Unrouted {
        /// The ARN of the event's stream.
        arn: String,
        /// The configured table or ARN that is most like it.
        nearest: Option<String>,
    },
    /// There is no handler of that name.
    #[error("there is no handler {name:?}{}", nearest_of(.nearest.as_deref()))]
    NoHandler {
        /// The name asked for.
        name: String,
        /// The handler whose name is most like it.
        nearest: Option<String>,
    },
}

fn nearest_of(name: Option<&str>) -> String {
    name.map_or_else(|| "; none is configured".to_owned(), |name| format!("; the nearest configured is {name:?}"))
}

impl Router {
    /// Prepares the routes of a function.
    ///
    /// # Errors
    ///
    /// Every [`RouterError`] that the settings have.
    pub fn new(function: &Function) -> Result<Self, Vec<RouterError>> {
        let mut errors = check_streams(&function.streams);
        let mut seen = HashSet::new();
        let mut readers = vec![Vec::new(); function.streams.len()];
        let mut filters = vec![Vec::new(); function.streams.len()];
        // Of two streams of one name, which is an error, the first.
        let streams = function.streams.iter().enumerate().rev();
        let streams: HashMap<&str, usize> = streams.map(|(index, stream)| (stream.name.as_str(), index)).collect();
        for (index, handler) in function.handlers.iter().enumerate() {
            if !seen.insert(&handler.name) {
                errors.push(RouterError::Twice { kind: "handler", name: handler.name.clone() });
            }
            let mut patterns = Vec::new();
            for (i, filter) in handler.filters.iter().enumerate() {
                match Pattern::parse(filter) {
                    Ok(pattern) => patterns.push(pattern),
                    Err(error) => {
                        errors.push(RouterError::BadFilter { handler: handler.name.clone(), number: i + 1, error });
                    }
                }
            }
            match streams.get(handler.stream.as_str()).copied() {
                Some(stream) => {
                    readers[stream].push(index);
                    filters[stream].push(patterns);
                }
                None => {
                    errors.push(RouterError::NoStream { handler: handler.name.clone(), stream: handler.stream.clone() })
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let names = function.handlers.iter().map(|handler| handler.name.clone()).collect();
        let filters = filters.into_iter().map(Patterns::new).collect();
        Ok(Self { streams: function.streams.clone(), readers, filters, names })
    }

    /// Finds the handlers of an event and what each wants of it.
    ///
    /// # Errors
    ///
    /// [`RouteError::Unrouted`] when no handler is for the stream. An event
    /// without records has no stream, and is for nobody.
    pub fn route(&self, event: &Event) -> Result<Route, RouteError> {
        let Some(arn) = event.stream() else { return Ok(Route::for_nobody()) };
        let matching = || self.readers.iter().enumerate().filter(|(_, readers)| !readers.is_empty());
        // A stream that names the ARN is meant more exactly than one that
        // names a table of any account and Region.
        let exact = matching().find(|(i, _)| self.streams[*i].source.is_arn_of(&arn));
        match exact.or_else(|| matching().find(|(i, _)| self.streams[*i].source.is_table(arn.table()))) {
            Some((stream, readers)) => Ok(self.plan(event, stream, 0..readers.len())),
            None => Err(RouteError::Unrouted { arn: arn.as_str().to_owned(), nearest: self.nearest_stream(&arn) }),
        }
    }

    /// Gives an event to one handler, whatever table it is of. The handler's
    /// filter still decides.
    ///
    /// # Errors
    ///
    /// [`RouteError::NoHandler`]
    pub fn route_to(&self, event: &Event, name: &str) -> Result<Route, RouteError> {
        let handler = self.names.iter().position(|candidate| candidate == name);
        let reader = |handler| {
            let of =
                |(stream, readers): (usize, &Vec<usize>)| Some((stream, readers.iter().position(|i| *i == handler)?));
            self.readers.iter().enumerate().find_map(of)
        };
        match handler.and_then(reader) {
            Some((stream, reader)) => Ok(self.plan(event, stream, reader..reader + 1)),
            None => Err(RouteError::NoHandler {
                name: name.to_owned(),
                nearest: most_like(name, self.names.iter().map(String::as_str)),
            }),
        }
    }

    fn plan(&self, event: &Event, stream: usize, readers: Range<usize>) -> Route {
        let filters = &self.filters[stream];
        let wants = event.records().map(|record| {
            if let Some(reason) = record.malformed() {
                return vec![Want::Malformed(reason.to_owned()); readers.len()];
            }
            let filters = filters.on(record);
            let want = |reader| match filters.is_for(reader) {
                Ok(true) => Want::Run,
                Ok(false) => Want::Filtered,
                Err(error) => Want::Malformed(error.to_string()),
            };
            readers.clone().map(want).collect()
        });
        let settings = &self.streams[stream];
        Route {
            wants: wants.collect(),
            handlers: self.readers[stream][readers.clone()].to_vec(),
            order: settings.order,
            response: settings.response,
            concurrency: settings.concurrency,
        }
    }

    fn nearest_stream(&self, arn: &Arn<'_>) -> Option<String> {
        let tables = self.streams.iter().zip(&self.readers).filter(|(_, readers)| !readers.is_empty());
        let named = tables.filter_map(|(stream, _)| Some((stream.source.text(), stream.source.table()?)));
        most_like_by(arn.table(), named)
    }
}

impl Route {
    fn for_nobody() -> Self {
        Self {
            handlers: Vec::new(),
            wants: Vec::new(),
            order: Order::default(),
            response: Response::default(),
            concurrency: None,
        }
    }
}

impl Source {
    fn text(&self) -> &str {
        match self {
            Self::Table(text) | Self::StreamArn(text) => text,
        }
    }

    fn table(&self) -> Option<&str> {
        match self {
            Self::Table(name) => Some(name),
            Self::StreamArn(arn) => Arn::parse(arn).map(|arn| arn.table()),
        }
    }

    fn is_table(&self, table: &str) -> bool {
        matches!(self, Self::Table(name) if name == table)
    }

    fn is_arn_of(&self, arn: &Arn<'_>) -> bool {
        match self {
            Self::Table(_) => false,
            Self::StreamArn(own) => Arn::parse(own).is_some_and(|own| own.table_arn() == arn.table_arn()),
        }
    }
}

fn check_streams(streams: &[Stream]) -> Vec<RouterError> {
    let mut errors = Vec::new();
    let mut names = HashSet::new();
    // By the table or the table's ARN, the first stream of it.
    let mut sources: HashMap<(bool, &str), &str> = HashMap::new();
    for stream in streams {
        if !names.insert(stream.name.as_str()) {
            errors.push(RouterError::Twice { kind: "stream", name: stream.name.clone() });
        }
        let source = match &stream.source {
            Source::Table(table) => Some((false, table.as_str())),
            Source::StreamArn(arn) => Arn::parse(arn).map(|arn| (true, arn.table_arn())),
        };
        match source {
            None => {
                let arn = stream.source.text().to_owned();
                errors.push(RouterError::BadArn { stream: stream.name.clone(), arn });
            }
            Some(source) => match sources.entry(source) {
                Entry::Vacant(entry) => {
                    entry.insert(&stream.name);
                }
                Entry::Occupied(first) => {
                    let first = (*first.get()).to_owned();
                    errors.push(RouterError::OneTable { first, second: stream.name.clone() });
                }
            },
        }
        if stream.concurrency == Some(0) {
            errors.push(RouterError::NoConcurrency { stream: stream.name.clone() });
        }
    }
    errors
}

fn most_like<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    most_like_by(name, candidates.map(|candidate| (candidate, candidate)))
}

fn most_like_by<'a>(name: &str, candidates: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let distance = |(_, candidate): &(&str, &str)| strsim::damerau_levenshtein(name, candidate);
    candidates.min_by_key(distance).map(|(text, _)| text.to_owned())
}

#[cfg(test)]
mod tests;
