//! What a deploy would do, found out: the stack as it is, the streams as they are,
//! the package as it would be, and the template that follows from all of them.
//! Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde_json::Value;

use super::drained::{self, Reading};
use super::moves::{self, Known, Move, Wishes};
use super::note::Notes;
use super::partial;
use super::streams::{self, Found};
use crate::aws::{Aws, Refused as _};
use crate::cli::{self, ChangeArgs};
use crate::edge::Misuse;
use crate::functions::{self, Function};
use crate::manifest::Manifest;
use crate::package::{self, Packed};
use crate::plan::{self, Change, Side};
use crate::stack::{self, Resource, Stack, Standing};
use crate::template::ids::Ids;
use crate::template::{self, ALIAS, Deployed, Generations, Template};

/// What a parameter is whose value is made by the deploy itself.
pub(super) const LATER: &str = "(known after it is made)";

/// All of it.
#[derive(Debug)]
pub(super) struct Prepared<'m> {
    pub(super) aws: &'m Aws,
    pub(super) manifest: &'m Manifest,
    pub(super) functions: Vec<Function<'m>>,
    pub(super) stack: Option<Stack>,
    pub(super) standing: Standing,
    pub(super) old: Option<Value>,
    pub(super) packed: Packed,
    /// Streams that are to be switched on.
    pub(super) to_enable: Vec<String>,
    /// Mappings that ignore what the function answers, with their streams.
    pub(super) deaf: Vec<(String, String)>,
    /// Functions whose alias was taken back, with the version that it is to have.
    pub(super) behind: Vec<(String, String)>,
    pub(super) laid: Laid,
    pub(super) changes: Vec<Change>,
    pub(super) notes: Notes,
    known: BTreeMap<String, Vec<Known>>,
    found: Vec<Found>,
    wishes: Wishes,
}

/// The template with its parameters, for streams that are known.
#[derive(Clone, Debug)]
pub(super) struct Laid {
    pub(super) template: Template,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) moves: BTreeMap<String, Move>,
}

/// Finds all of it out.
///
/// # Errors
///
/// * [`Misuse`]: AWS would not take what the manifest leads to, or the stack is not
///   ours to change;
/// * the handlers or the package cannot be built;
/// * AWS refuses to say.
pub(super) async fn prepare<'m>(
    aws: &'m Aws,
    manifest: &'m Manifest,
    args: &ChangeArgs,
) -> anyhow::Result<Prepared<'m>> {
    // What needs no AWS and no build first: it is told at once.
    let functions = functions::of(manifest);
    template::project(manifest, &Generations::default()).map_err(|problems| Misuse::new(problems.join("\n")))?;
    let mut notes = Notes::default();
    let name = template::stack_name(manifest);
    let stack = stack::find(aws, &name).await?;
    let standing = stack::standing(stack.as_ref());
    let old = match (&stack, &standing) {
        (Some(stack), Standing::Ready | Standing::Busy(_)) => Some(stack::template(aws, stack).await?),
        _ => None,
    };
    let deployed = match (&stack, &old) {
        (Some(stack), Some(old)) => template::read(manifest, old, &stack.parameters)
            .map_err(|not| Misuse::new(format!("the stack {name} is not this project's to change: {not}")))?,
        _ => Deployed::default(),
    };
    if let Standing::Busy(why) | Standing::Broken(why) = &standing {
        notes.problem(&why.what, "");
    }
    let found = streams::look_up(aws, manifest, &functions, args.enable_streams, &mut notes).await?;
    let resources = match (&stack, &old) {
        (Some(stack), Some(_)) => stack::resources(aws, stack).await?,
        _ => BTreeMap::new(),
    };
    let known = known(aws, &functions, &deployed, &found, &resources, &mut notes).await?;
    let (deaf, behind) = match &old {
        Some(_) => (partial::deaf(aws, &functions).await?, behind(aws, &functions, &resources).await?),
        None => (Vec::new(), Vec::new()),
    };
    for (uuid, arn) in &deaf {
        notes.news(format!(
            "the mapping {uuid} of {arn} gets ReportBatchItemFailures first: without it Lambda takes failures for success"
        ));
    }
    for (function, version) in &behind {
        notes.news(format!(
            "the function {function} was rolled back; it goes forward to version {version} or a newer one"
        ));
    }
    let packed = package::make(
        manifest,
        &package::Options {
            architecture: manifest.function.architecture,
            bootstrap: args.bootstrap.clone(),
            out: None,
            response: cli::Response::Partial,
            offline: args.offline,
        },
    )?;
    streams::check_components(manifest, &found, &mut notes)?;
    let wishes = Wishes { finish: args.finish, unordered: args.unordered };
    let to_enable = match args.enable_streams {
        true => found.iter().filter(|each| each.arn.is_none()).map(|each| each.stream.clone()).collect(),
        false => Vec::new(),
    };
    let laid = lay(manifest, &packed, stack.as_ref(), &known, &found, wishes)?;
    let mut prepared = Prepared {
        aws,
        manifest,
        functions,
        stack,
        standing,
        old,
        packed,
        to_enable,
        deaf,
        behind,
        laid,
        changes: Vec::new(),
        notes,
        known,
        found,
        wishes,
    };
    prepared.compare();
    prepared.tell_moves();
    Ok(prepared)
}

impl Prepared<'_> {
    fn compare(&mut self) {
        let new = Side { template: &self.laid.template.value, parameters: &self.laid.parameters };
        let old = self.old.as_ref().zip(self.stack.as_ref());
        let old = old.map(|(template, stack)| Side { template, parameters: &stack.parameters });
        self.changes = plan::changes(old, new);
    }

    /// The stream has this ARN now.
    ///
    /// # Errors
    ///
    /// [`Misuse`], as [`prepare`].
    pub(super) fn found(&mut self, stream: &str, arn: String) -> anyhow::Result<()> {
        for each in self.found.iter_mut().filter(|each| each.stream == stream) {
            each.arn = Some(arn.clone());
        }
        self.laid = lay(self.manifest, &self.packed, self.stack.as_ref(), &self.known, &self.found, self.wishes)?;
        self.compare();
        Ok(())
    }

    /// Whether a deploy has nothing to do.
    pub(super) fn is_unchanged(&self) -> bool {
        self.old.is_some()
            && self.changes.is_empty()
            && self.deaf.is_empty()
            && self.behind.is_empty()
            && self.to_enable.is_empty()
    }

    /// Whether the package is the one that is deployed, so that it need not be
    /// uploaded.
    pub(super) fn has_package(&self) -> bool {
        self.stack.as_ref().is_some_and(|stack| has_package(stack, &self.packed))
    }

    fn tell_moves(&mut self) {
        for (stream, moved) in &self.laid.moves {
            let known = self.known.get(stream).map_or(&[][..], Vec::as_slice);
            if known.is_empty() {
                continue;
            }
            let latest = moved.generations.last().map_or("", |(_, arn)| arn.as_str());
            if moved.is_new {
                let old = known.last().map_or("", |last| last.arn.as_str());
                self.notes.warning(
                    format!(
                        "stream {stream}: its table has another stream since the last deploy, {latest}, in the place of {old}. \
                         What was written while it was off made no record"
                    ),
                    "",
                );
            }
            for arn in &moved.done {
                self.notes
                    .news(format!("stream {stream}: {arn} is read no more, and {latest} is read from its beginning"));
            }
            if moved.is_under_way() && self.wishes.unordered {
                self.notes.warning(
                    format!("stream {stream}: its old and its new stream are read at once (--unordered): changes of an item may overtake one another"),
                    "gristmill deploy --finish, when the old one is read",
                );
            } else if moved.is_under_way() {
                self.notes.news(format!(
                    "stream {stream}: the new stream waits until the old one is read, so that no change overtakes another"
                ));
            }
        }
    }
}

fn has_package(stack: &Stack, packed: &Packed) -> bool {
    stack.parameters.get("CodeSha256") == Some(&packed.code_sha256())
}

/// What an earlier deploy has left, with how far its mappings have come where that
/// matters.
async fn known(
    aws: &Aws,
    functions: &[Function<'_>],
    deployed: &Deployed,
    found: &[Found],
    resources: &BTreeMap<String, Resource>,
    notes: &mut Notes,
) -> anyhow::Result<BTreeMap<String, Vec<Known>>> {
    let mut known = BTreeMap::new();
    for (stream, generations) in &deployed.streams {
        let latest = found.iter().find(|each| each.stream == *stream).and_then(|each| each.arn.as_deref());
        let mut of_stream = Vec::new();
        for (generation, arn) in generations {
            let newer = latest.filter(|latest| *latest != arn);
            let mut drained = newer.is_some();
            if let Some(newer) = newer {
                for function in functions.iter().filter(|each| each.streams.iter().any(|of| of.name == *stream)) {
                    let id = Ids::of(function).mapping(stream, generation.number);
                    let uuid = resources.get(&id).map(|resource| resource.physical_id.as_str());
                    let signs = drained::signs(aws, arn, newer, uuid).await?;
                    let reading = drained::judge(&signs, SystemTime::now());
                    drained &= tell_reading(stream, arn, &reading, notes);
                }
            }
            of_stream.push(Known { generation: generation.clone(), arn: arn.clone(), drained });
        }
        known.insert(stream.clone(), of_stream);
    }
    Ok(known)
}

/// Whether it is over with an old stream.
fn tell_reading(stream: &str, arn: &str, reading: &Reading, notes: &mut Notes) -> bool {
    match reading {
        Reading::Done => {
            notes.fact(format!("stream {stream}: all of {arn} was read"));
            true
        }
        Reading::Gone => {
            notes.warning(
                format!("stream {stream}: {arn} is gone, 24 hours after it was switched off; what was not read of it is lost"),
                "",
            );
            true
        }
        Reading::Goes { why, left } => {
            let (left_is, soon) = match left {
                Some(left) => (format!(", which is there for {} more", drained::shown(*left)), *left < drained::SOON),
                None => (String::new(), false),
            };
            let message = format!("stream {stream}: {arn}{left_is}, is not known to be read: {why}");
            if soon {
                notes.warning_first(
                    message,
                    "gristmill doctor --remote says what holds it back; after its time it is lost",
                );
            } else {
                notes.warning(message, "gristmill deploy again, later; or `--finish` where you know that it is read");
            }
            false
        }
    }
}

/// Functions whose alias points to another version than the stack has made, with
/// the stack's.
async fn behind(
    aws: &Aws,
    functions: &[Function<'_>],
    resources: &BTreeMap<String, Resource>,
) -> anyhow::Result<Vec<(String, String)>> {
    let mut behind = Vec::new();
    for function in functions {
        let Some(version) = resources.get(&Ids::of(function).version()) else { continue };
        let made = version.physical_id.rsplit(':').next().unwrap_or_default();
        let alias = aws.lambda.get_alias().function_name(function.name()).name(ALIAS).send().await;
        match alias.refused("lambda:GetAlias") {
            Ok(alias) if alias.function_version() != Some(made) => behind.push((function.name(), made.to_owned())),
            Ok(_) => {}
            // The stack's alias was deleted by hand; CloudFormation tells of that.
            Err(refusal) if refusal.is("ResourceNotFoundException") => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Ok(behind)
}

fn lay(
    manifest: &Manifest,
    packed: &Packed,
    stack: Option<&Stack>,
    known: &BTreeMap<String, Vec<Known>>,
    found: &[Found],
    wishes: Wishes,
) -> anyhow::Result<Laid> {
    let mut generations = Generations::default();
    let mut parameters = BTreeMap::new();
    let mut moves = BTreeMap::new();
    let streams: BTreeSet<&str> = manifest.handlers.iter().map(|handler| handler.stream.as_str()).collect();
    for stream in streams {
        let latest = found.iter().find(|each| each.stream == stream).and_then(|each| each.arn.as_deref());
        let moved = moves::next(known.get(stream).cloned().unwrap_or_default(), latest.unwrap_or(LATER), wishes);
        for (generation, arn) in &moved.generations {
            parameters.insert(generation.arn_parameter(stream), arn.clone());
        }
        generations.set(stream, moved.generations.iter().map(|(generation, _)| generation.clone()).collect());
        moves.insert(stream.to_owned(), moved);
    }
    for name in ["CodeBucket", "CodeKey", "CodeVersion"] {
        let same = stack.filter(|stack| has_package(stack, packed)).and_then(|stack| stack.parameters.get(name));
        parameters.insert(name.to_owned(), same.cloned().unwrap_or_else(|| LATER.to_owned()));
    }
    parameters.insert("CodeSha256".to_owned(), packed.code_sha256());
    let template = template::project(manifest, &generations).map_err(|problems| Misuse::new(problems.join("\n")))?;
    Ok(Laid { template, parameters, moves })
}
