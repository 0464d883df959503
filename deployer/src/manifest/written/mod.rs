//! The manifest as it was written: every value with its place, types and
//! ranges checked, nothing joined and no file looked at.

mod deploy;
mod function;
mod handler;
mod iam;
mod mapping;
mod project;
mod stream;
mod table;
mod tags;

use toml::de::DeTable;

use super::fields::{At, Fields};
use super::problem::Report;
use crate::edge::quoted;
use crate::names;

pub use deploy::{Alarms, Deploy};
pub(crate) use function::FunctionWritten;
pub use function::{FunctionSettings, Vpc};
pub(crate) use handler::{HandlerWritten, KindWritten};
pub use iam::Iam;
pub(crate) use iam::check_sids;
pub use mapping::{Destination, Mapping, StartingPosition};
pub(crate) use project::{DEFAULT_ENV, NamespaceWritten, ProjectWritten};
pub(crate) use stream::{SourceWritten, StreamWritten};
pub(crate) use table::TableWritten;
pub use table::{Key, KeyType, Keys, StreamViewType};

/// A manifest as written. What could not be read is absent, and was reported.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    pub(crate) project: Option<ProjectWritten>,
    pub(crate) function: FunctionWritten,
    /// Of all functions.
    pub(crate) iam: Iam,
    pub(crate) deploy: Deploy,
    pub(crate) alarms: Alarms,
    /// In the order of the file, as are streams and handlers.
    pub(crate) tables: Vec<TableWritten>,
    pub(crate) streams: Vec<StreamWritten>,
    pub(crate) handlers: Vec<HandlerWritten>,
}

/// Reads the whole file's tree.
pub(crate) fn read(table: &DeTable<'_>, report: &mut Report<'_>) -> Written {
    let mut fields = Fields::new("gristmill.toml", 0, table, report);
    let project = project::read(&mut fields);
    let function = function::read(&mut fields);
    let iam = iam::read(&mut fields);
    let deploy = deploy::read(&mut fields);
    let alarms = deploy::alarms(&mut fields);
    let tables = fields.named("table", "a table");
    let streams = fields.named("stream", "a stream");
    let handlers = fields.named("handler", "a handler");
    fields.finish(&[
        ("tables", "a table stands in [table.NAME]"),
        ("streams", "a stream stands in [stream.NAME]"),
        ("handlers", "a handler stands in [handler.NAME]"),
    ]);
    Written {
        project,
        function,
        iam,
        deploy,
        alarms,
        tables: tables.into_iter().map(|(name, offset, table)| table::read(name, offset, table, report)).collect(),
        streams: streams.into_iter().map(|(name, offset, table)| stream::read(name, offset, table, report)).collect(),
        handlers: handlers
            .into_iter()
            .map(|(name, offset, table)| handler::read(name, offset, table, report))
            .collect(),
    }
}

/// Reports a name that is none.
fn check_name(name: &At<String>, report: &mut Report<'_>) {
    if let Err(why) = names::check(&name.value) {
        report.problem(name.offset, format!("{} {why}", quoted(&name.value)));
    }
}
