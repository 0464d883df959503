//! The CloudFormation template of a project: a pure function of its manifest and
//! of the streams that its tables have had. What is only known when it is deployed
//! (the package's place and digest, the streams' ARNs) are parameters, so that
//! `gristmill template` prints the very text that `deploy` sends.

mod account;
mod alarms;
mod bucket;
mod function;
pub mod ids;
mod mapping;
mod metadata;

use std::collections::BTreeMap;

use gristmill_host::event::Arn;
use gristmill_host::settings::Source;
use serde_json::{Map, Value, json};

use crate::functions::{self, Function};
use crate::manifest::{Manifest, Stream};

pub use account::account;
pub use metadata::{Deployed, NotOurs, read};

/// The stack of an account and Region, with the bucket for packages.
pub const ACCOUNT_STACK: &str = "gristmill-account";

/// The alias that mappings call, in every function.
pub const ALIAS: &str = "live";

/// The version of what stands under `Metadata`: a command that does not know it
/// leaves the stack alone.
pub const FORMAT: u64 = 1;

/// CloudFormation's limits (Understand CloudFormation quotas).
const MOST_RESOURCES: usize = 500;
const MOST_PARAMETERS: usize = 200;
const MOST_OUTPUTS: usize = 200;
/// Of a template that is read from S3.
pub const MOST_BYTES: usize = 1_000_000;

/// The length of a function's name (CreateFunction).
const MOST_FUNCTION_NAME: usize = 64;

/// The characters, white space aside, of all policies that stand in one role
/// (IAM and STS quotas).
const MOST_POLICY_CHARS: usize = 10_240;

/// One of the streams that a table has had. Another ARN is another mapping at
/// AWS, so each has a mapping of its own, and the old one's must not be touched
/// before it has read all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Counted from 1, since the project was deployed first.
    pub number: u32,
    /// Whether its mapping delivers, when the manifest says so too.
    pub enabled: bool,
    /// Where its mapping began, when it is there: CloudFormation could change that
    /// by replacement only, which ends in a conflict, and it means nothing any more.
    pub starting_position: Option<String>,
}

impl Generation {
    /// A table's first stream.
    pub fn first() -> Self {
        Self { number: 1, enabled: true, starting_position: None }
    }

    /// The name of the parameter with its ARN.
    pub fn arn_parameter(&self, stream: &str) -> String {
        ids::stream_arn(stream, self.number)
    }
}

/// The generations of each stream of the manifest that has more than its first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generations {
    by_stream: BTreeMap<String, Vec<Generation>>,
    /// What all others have.
    first: [Generation; 1],
}

impl Default for Generations {
    /// Every stream with its first alone.
    fn default() -> Self {
        Self { by_stream: BTreeMap::new(), first: [Generation::first()] }
    }
}

impl Generations {
    /// Sets those of a stream, oldest first.
    pub fn set(&mut self, stream: &str, generations: Vec<Generation>) {
        self.by_stream.insert(stream.to_owned(), generations);
    }

    /// Those of a stream, oldest first.
    pub fn of(&self, stream: &str) -> &[Generation] {
        self.by_stream.get(stream).map_or(&self.first, Vec::as_slice)
    }
}

/// A template, and what must be known to use it.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// As CloudFormation takes it.
    pub value: Value,
}

impl Template {
    /// The text that is printed and sent.
    pub fn text(&self) -> String {
        // Of strings and numbers only: it cannot fail.
        serde_json::to_string_pretty(&self.value).unwrap_or_default() + "\n"
    }

    /// The bytes that are sent: large projects have no room for indentation.
    pub fn compact(&self) -> String {
        self.value.to_string()
    }
}

/// The stack's name.
pub fn stack_name(manifest: &Manifest) -> String {
    format!("{}-{}", manifest.project, manifest.env)
}

/// The logical id of the bucket for records that were given up.
pub fn failure_bucket() -> &'static str {
    "FailureBucket"
}

/// Makes the template.
///
/// # Errors
///
/// Every reason why AWS would not take it: names that are too long for what is
/// derived from them, and its limits, each with what to do.
pub fn project(manifest: &Manifest, generations: &Generations) -> Result<Template, Vec<String>> {
    let functions = functions::of(manifest);
    let mut problems = Vec::new();
    let (mut resources, mut outputs) = (Map::new(), Map::new());
    for each in &functions {
        check_name(each, manifest, &mut problems);
        function::add(manifest, each, generations, &mut resources, &mut outputs, &mut problems);
        for stream in &each.streams {
            for generation in generations.of(&stream.name) {
                mapping::add(each, stream, generation, &mut resources);
            }
        }
        if manifest.alarms.enabled {
            alarms::add(manifest, each, generations, &mut resources);
        }
    }
    let keeps = |stream: &&Stream| stream.mapping.on_failure.is_none();
    if functions.iter().any(|function| function.streams.iter().any(keeps)) {
        bucket::add_failures(manifest, &mut resources);
        let value = json!({ "Ref": failure_bucket() });
        outputs.insert("FailureBucketName".to_owned(), output("Where records go that were given up on", value));
    }
    let template = Template {
        value: json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": format!("{} in {}: DynamoDB Streams handlers, by gristmill", manifest.project, manifest.env),
            "Metadata": { "Gristmill": metadata::write(manifest, generations) },
            "Parameters": parameters(manifest, &functions, generations),
            "Resources": resources,
            "Outputs": outputs,
        }),
    };
    check_limits(&template, &mut problems);
    if problems.is_empty() { Ok(template) } else { Err(problems) }
}

fn output(description: &str, value: Value) -> Value {
    json!({ "Description": description, "Value": value })
}

fn parameters(manifest: &Manifest, functions: &[Function<'_>], generations: &Generations) -> Value {
    let mut parameters = Map::new();
    let mut add = |name: &str, value: Value| drop(parameters.insert(name.to_owned(), value));
    add("CodeBucket", json!({ "Type": "String", "Description": "The bucket that the package is in", "MinLength": 3 }));
    add("CodeKey", json!({ "Type": "String", "Description": "The package's key in it", "MinLength": 1 }));
    add("CodeVersion", json!({ "Type": "String", "Description": "The version of that object", "MinLength": 1 }));
    add(
        "CodeSha256",
        json!({ "Type": "String", "Description": "The package's SHA-256 in base64, as Lambda shows it", "MinLength": 44, "MaxLength": 44 }),
    );
    let is_read = |stream: &&Stream| {
        functions.iter().any(|function| function.streams.iter().any(|each| each.name == stream.name))
    };
    for stream in manifest.streams.iter().filter(is_read) {
        for generation in generations.of(&stream.name) {
            let mut parameter = json!({
                "Type": "String",
                "Description": format!("The ARN of the stream of the table {}", stream.table()),
                "AllowedPattern": "arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]+/stream/[0-9T:.-]+",
            });
            if let Source::StreamArn(arn) = &stream.source
                && Arn::parse(arn).is_some_and(|arn| arn.label().is_some())
            {
                parameter["Default"] = json!(arn);
            }
            add(&generation.arn_parameter(&stream.name), parameter);
        }
    }
    Value::Object(parameters)
}

fn check_name(function: &Function<'_>, manifest: &Manifest, problems: &mut Vec<String>) {
    let name = function.name();
    if name.len() > MOST_FUNCTION_NAME {
        let what = match function.own {
            None => format!("the project {} in {}", manifest.project, manifest.env),
            Some(handler) => format!("the handler {}", handler.name),
        };
        problems.push(format!(
            "{what}: its function would be called {name}, which has {} characters, and Lambda takes {MOST_FUNCTION_NAME}; \
             shorten the name of the project, the environment or the handler",
            name.len()
        ));
    }
}

fn check_limits(template: &Template, problems: &mut Vec<String>) {
    let count = |section: &str| template.value[section].as_object().map_or(0, Map::len);
    for (section, what, most) in [
        ("Resources", "resources", MOST_RESOURCES),
        ("Parameters", "parameters", MOST_PARAMETERS),
        ("Outputs", "outputs", MOST_OUTPUTS),
    ] {
        let has = count(section);
        if has > most {
            problems.push(format!(
                "the stack would have {has} {what}, and CloudFormation takes {most}; fewer handlers with functions of their \
                 own or fewer streams make it smaller, and two projects are two stacks"
            ));
        }
    }
    let bytes = template.compact().len();
    if bytes > MOST_BYTES {
        problems.push(format!(
            "the template would have {bytes} bytes, and CloudFormation takes {MOST_BYTES}; make two projects of this one, or \
             shorten filters"
        ));
    }
}
