//! What is done with a project that runs on AWS: how it is, which version runs,
//! whether its streams are delivered, and its end. Changes the stack only to
//! delete it.

mod account;
mod delete;
mod invoke;
mod logs;
mod mappings;
mod releases;
mod status;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::TableDescription;
use gristmill_host::event::Arn;

use crate::aws::{Aws, Refusal, Refused as _};
use crate::edge::Misuse;
use crate::functions::{self, Function};
use crate::manifest::Manifest;
use crate::names;
use crate::stack::{self, Resource, Stack, Standing};
use crate::template;

pub use account::bootstrap;
pub use delete::delete;
pub(crate) use invoke::call;
pub use invoke::invoke;
pub use logs::logs;
pub use mappings::{pause, resume};
pub use releases::{releases, rollback};
pub(crate) use status::iterator_age_ms;
pub use status::status;

/// A project and its stack.
pub(crate) struct Running<'m> {
    pub(crate) manifest: &'m Manifest,
    pub(crate) functions: Vec<Function<'m>>,
    pub(crate) stack: Stack,
    pub(crate) resources: BTreeMap<String, Resource>,
}

impl<'m> Running<'m> {
    /// Looks it up.
    ///
    /// # Errors
    ///
    /// * [`Misuse`]: there is no such stack;
    /// * AWS refuses to say.
    pub(crate) async fn find(aws: &Aws, manifest: &'m Manifest) -> anyhow::Result<Self> {
        let name = template::stack_name(manifest);
        let found = stack::find(aws, &name).await?;
        let stack = match (stack::standing(found.as_ref()), found) {
            (Standing::New, _) | (_, None) => {
                return Err(Misuse::new(format!(
                    "there is no stack {name} in {} of the account {}: `gristmill deploy` makes it, or look at --env, \
                     --region and --profile",
                    aws.region, aws.account
                ))
                .into());
            }
            (_, Some(stack)) => stack,
        };
        let resources = stack::resources(aws, &stack).await?;
        Ok(Self { manifest, functions: functions::of(manifest), stack, resources })
    }

    /// The function of a handler of its own, or the shared one.
    ///
    /// # Errors
    ///
    /// [`Misuse`]: there is none of that name.
    pub(crate) fn function(&self, handler: Option<&str>) -> anyhow::Result<&Function<'m>> {
        let is_it = |function: &&Function<'m>| match handler {
            None => function.own.is_none() || self.functions.len() == 1,
            Some(name) => function.handlers.iter().any(|handler| handler.name == name),
        };
        self.functions.iter().find(is_it).ok_or_else(|| match handler {
            Some(name) => {
                let known: Vec<_> = self.manifest.handlers.iter().map(|handler| handler.name.as_str()).collect();
                Misuse::new(format!("there is no [handler.{name}]{}", names::suggest(name, &known))).into()
            }
            None => Misuse::new("every handler has a function of its own: say which, by -n HANDLER").into(),
        })
    }

    /// The mappings of the stack: of each the stream, the function, and its id.
    pub(crate) fn mappings(&self) -> Vec<Mapping<'_, 'm>> {
        let mut mappings = Vec::new();
        for function in &self.functions {
            let ids = template::ids::Ids::of(function);
            for stream in &function.streams {
                let base = ids.mapping(&stream.name, 1);
                for (id, found) in self.resources.range(base.clone()..) {
                    // Itself, or with the number of a later stream of its table.
                    let Some(number) = id.strip_prefix(&base) else { break };
                    if number.chars().all(|c| c.is_ascii_digit()) {
                        mappings.push(Mapping { stream: &stream.name, function, uuid: &found.physical_id });
                    }
                }
            }
        }
        mappings
    }
}

/// The table of a stream as it is now; none when it is gone.
///
/// # Errors
///
/// DynamoDB refuses to say.
pub(crate) async fn table_of(aws: &Aws, stream: &str) -> Result<Option<TableDescription>, Refusal> {
    let Some(arn) = Arn::parse(stream) else { return Ok(None) };
    let account = stream.split(':').nth(4).unwrap_or_default();
    let name = if account == aws.account { arn.table() } else { arn.table_arn() };
    match aws.dynamodb.describe_table().table_name(name).send().await.refused("dynamodb:DescribeTable") {
        Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(None),
        answer => Ok(answer?.table),
    }
}

/// The ARN of the stream that the table of this one has now; none when it is off.
async fn latest_stream(aws: &Aws, stream: &str) -> Result<Option<String>, Refusal> {
    let table = table_of(aws, stream).await?;
    let is_on = |table: &TableDescription| table.stream_specification().is_some_and(|each| each.stream_enabled);
    Ok(table.filter(is_on).and_then(|table| table.latest_stream_arn))
}

/// A mapping of the project.
pub(crate) struct Mapping<'r, 'm> {
    pub(crate) stream: &'r str,
    pub(crate) function: &'r Function<'m>,
    pub(crate) uuid: &'r str,
}
