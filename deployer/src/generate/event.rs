//! `gristmill generate event`: a handler's code, and its entry in the
//! manifest. Decides names and streams; the text of the files is `code`'s and
//! `entry`'s.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use gristmill_host::event::Arn;
use serde::Serialize;

use super::code;
use super::entry::{self, NewHandler, NewStream};
use super::method::Method;
use crate::cli::{EventArgs, Output, Trigger};
use crate::edge::{Done, Misuse, escape, quoted};
use crate::files::Changes;
use crate::language::Language;
use crate::manifest::written::{HandlerWritten, KindWritten, SourceWritten, StreamWritten, Written};
use crate::manifest::{self, FILE_NAME, Source};
use crate::names;

/// What was made, as `--output json` prints it.
#[derive(Clone, Debug, Serialize)]
struct Made {
    handler: String,
    function: String,
    stream: String,
    /// Paths below the project's folder, as are the others.
    created: Vec<String>,
    updated: Vec<String>,
}

/// Where the handler's records come from.
enum On<'w> {
    /// A stream that is in the manifest.
    There(&'w StreamWritten),
    New {
        name: String,
        key: &'static str,
        value: String,
    },
}

impl On<'_> {
    fn name(&self) -> &str {
        match self {
            Self::There(stream) => &stream.name.value,
            Self::New { name, .. } => name,
        }
    }
}

/// Adds the handler to the project at `root`.
///
/// # Errors
///
/// * [`Misuse`]: a name that is none, a stream that cannot be told;
/// * the manifest has problems, before or with the handler;
/// * the handler is there already, or a file cannot be written.
pub fn run(root: &Path, args: &EventArgs) -> anyhow::Result<Done> {
    // There is one of each; a new one must be thought of here.
    let Trigger::Dynamodb = args.trigger;
    let lang = args.lang;
    let method = Method::of(&args.method, lang)?;
    let handler = handler_name(&args.name, &method.snake)?;
    let source = Source::read(&root.join(FILE_NAME))?;
    let written = manifest::read_written(&source, None)?;
    let mut changes = Changes::new(root);

    let there = written.handlers.iter().find(|other| other.name.value == handler);
    let on = match there {
        Some(there) => {
            let dir = rewritable(root, there, args)?;
            let stream = stream_of(&written, there, args)?;
            code::add_to(&mut changes, root, &dir, lang, &handler, &method, &example_table(&stream))?;
            stream.name().to_owned()
        }
        None => {
            let dir = PathBuf::from("handlers").join(&handler);
            if !args.force && root.join(&dir).symlink_metadata().is_ok() {
                bail!(
                    "the folder {} is there, and no handler of {FILE_NAME}; --force writes the handler's code into it",
                    quoted(&dir.to_string_lossy())
                );
            }
            let stream = choose_stream(&written, args)?;
            code::add_to(&mut changes, root, &dir, lang, &handler, &method, &example_table(&stream))?;
            changes.write(FILE_NAME, with_entry(&source, &stream, &handler, &dir, lang)?);
            stream.name().to_owned()
        }
    };

    let shown = |path: &Path| path.to_string_lossy().into_owned();
    let (updated, created): (Vec<_>, Vec<_>) = changes.paths().partition(|path| root.join(path).exists());
    let made = Made {
        handler,
        function: method.written,
        stream: on,
        created: created.into_iter().map(shown).collect(),
        updated: updated.into_iter().map(shown).collect(),
    };
    changes.commit().with_context(|| format!("cannot make the handler {}", quoted(&made.handler)))?;
    print(&made, args.output)
}

fn handler_name(name: &str, function: &str) -> anyhow::Result<String> {
    names::check(name).map_err(|why| Misuse::new(format!("NAME {} {why}", quoted(name))))?;
    let handler = format!("{name}-{}", function.replace('_', "-"));
    names::check(&handler)
        .map_err(|why| Misuse::new(format!("NAME and METHOD make {}, which {why}", quoted(&handler))))?;
    // Its crate would depend on itself.
    if handler == "gristmill-sdk" {
        bail!(Misuse::new(
            "a handler cannot be called `gristmill-sdk`, as the crate that it uses is; choose another name"
        ));
    }
    Ok(handler)
}

/// The folder of a handler that is in the manifest, when its code may be
/// written anew.
fn rewritable(root: &Path, there: &HandlerWritten, args: &EventArgs) -> anyhow::Result<PathBuf> {
    let name = &there.name.value;
    if !args.force {
        bail!(
            "[handler.{name}] is in {FILE_NAME} already; give another --method, or --force to write its code anew \
             (its entry stays)"
        );
    }
    let dir = match &there.kind {
        Some(KindWritten::Source { lang, .. }) if *lang != args.lang => bail!(
            "[handler.{name}] is in {}; --force writes its code anew in the same language, so give --lang {}, or change \
             `lang` in {FILE_NAME} first",
            lang.name(),
            lang.key()
        ),
        Some(KindWritten::Source { dir, .. }) => dir.value.as_str(),
        Some(KindWritten::Component(_)) | None => {
            bail!("[handler.{name}] is a component, and has no source to write anew; choose another name or method")
        }
    };
    // The folder may be gone, and is then made again.
    if root.join(dir).symlink_metadata().is_ok() {
        manifest::inside(root, dir).map_err(|why| anyhow::anyhow!("the source of [handler.{name}]: {why}"))?;
    }
    Ok(PathBuf::from(dir))
}

/// The stream of a handler that is there: other arguments cannot move it.
fn stream_of<'w>(written: &'w Written, there: &HandlerWritten, args: &EventArgs) -> anyhow::Result<On<'w>> {
    let name = there.stream.as_ref().map_or("", |stream| &stream.value);
    let stream = written.streams.iter().find(|stream| stream.name.value == name);
    let stream =
        stream.with_context(|| format!("[handler.{}] is on {}, which is no stream", there.name.value, quoted(name)))?;
    if (args.table.is_some() || args.stream_arn.is_some()) && !is_named(stream, args) {
        bail!(
            "[handler.{}] is on [stream.{name}], of another table; --force writes the code alone, so change `stream` \
             in {FILE_NAME} first",
            there.name.value
        );
    }
    Ok(On::There(stream))
}

fn choose_stream<'w>(written: &'w Written, args: &EventArgs) -> anyhow::Result<On<'w>> {
    let (key, value, table) = match (&args.table, &args.stream_arn) {
        (Some(table), _) => {
            manifest::check_written_table(table).map_err(|why| {
                let instead = if table.starts_with("arn:") { "; --stream-arn takes one" } else { "" };
                Misuse::new(format!("--table {} {why}{instead}", quoted(table)))
            })?;
            ("table", table, table.as_str())
        }
        (None, Some(arn)) => {
            let table = manifest::check_arn(arn).map_err(|why| Misuse::new(format!("--stream-arn {why}")))?.table();
            ("stream-arn", arn, table)
        }
        (None, None) => return only_stream(written),
    };
    if let Some(stream) = written.streams.iter().find(|stream| is_named(stream, args)) {
        return Ok(On::There(stream));
    }
    let taken: Vec<_> = written.streams.iter().map(|stream| stream.name.value.as_str()).collect();
    Ok(On::New { name: names::for_stream(table, &taken), key, value: value.clone() })
}

fn only_stream(written: &Written) -> anyhow::Result<On<'_>> {
    match written.streams.as_slice() {
        [only] => Ok(On::There(only)),
        [] => bail!(Misuse::new(format!("{FILE_NAME} has no stream yet; give the table by --table or --stream-arn"))),
        several => {
            let names: Vec<_> = several.iter().map(|stream| stream.name.value.as_str()).collect();
            let message =
                format!("{FILE_NAME} has the streams {}; choose by --table or --stream-arn", names::list(&names));
            bail!(Misuse::new(message))
        }
    }
}

/// Whether the arguments name this stream's table. A label never decides (R5).
fn is_named(stream: &StreamWritten, args: &EventArgs) -> bool {
    match stream.source.as_ref().map(|source| &source.value) {
        Some(SourceWritten::Table(table)) => args.table.as_ref() == Some(table),
        Some(SourceWritten::StreamArn(arn)) => {
            let table_arn = |arn| Arn::parse(arn).map(|arn| arn.table_arn());
            args.stream_arn.as_ref().is_some_and(|asked| table_arn(asked) == table_arn(arn))
        }
        None => false,
    }
}

/// The manifest's text with the new entries, which was read over.
fn with_entry(source: &Source, stream: &On<'_>, handler: &str, dir: &Path, lang: Language) -> anyhow::Result<String> {
    let new = match stream {
        On::There(_) => None,
        On::New { name, key, value } => Some(NewStream { name, key, value }),
    };
    let more = code::settings(lang);
    let entry = NewHandler { name: handler, source: &dir.to_string_lossy(), stream: stream.name(), more: &more };
    let text = entry::append(&source.text, new.as_ref(), &entry);
    let added = Source { file: source.file.clone(), text };
    manifest::read_written(&added, None).with_context(|| {
        format!("{FILE_NAME} would not be right with [handler.{handler}] at its end; nothing was written")
    })?;
    Ok(added.text)
}

/// The name of the stream's table, for the generated test.
fn example_table(stream: &On<'_>) -> String {
    let of_arn = |arn: &str| Arn::parse(arn).map(|arn| arn.table().to_owned());
    let table = match stream {
        On::New { key: "table", value, .. } => Some(value.clone()),
        On::New { value, .. } => of_arn(value),
        On::There(stream) => match stream.source.as_ref().map(|source| &source.value) {
            Some(SourceWritten::StreamArn(arn)) => of_arn(arn),
            Some(SourceWritten::Table(table)) => Some(table.clone()),
            None => None,
        },
    };
    // Without one the manifest has a problem, and the test would still be a test.
    table.unwrap_or_else(|| "test-table".to_owned())
}

fn print(made: &Made, output: Output) -> anyhow::Result<Done> {
    Ok(Done::printing(match output {
        Output::Json => format!("{}\n", serde_json::to_string(made).context("cannot print as JSON")?),
        Output::Text => {
            let lines = |verb: &str, paths: &[String]| {
                paths.iter().map(|path| format!("{verb:>8} {path}\n")).collect::<String>()
            };
            let (created, updated) = (lines("created", &made.created), lines("updated", &made.updated));
            escape(&format!(
                "{created}{updated}\nThe handler `{}` is on the stream `{}`. Next: gristmill build\n",
                made.handler, made.stream
            ))
        }
    }))
}
