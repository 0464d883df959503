//! The command line, as clap has it. Definitions only.

mod deploy;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use gristmill_host::settings;

use crate::architecture::Architecture;
use crate::language::Language;
pub use deploy::*;

#[cfg(feature = "dev")]
use crate::lines::Since;

/// Runs DynamoDB Streams handlers that are WebAssembly components.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "gristmill",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "\
A handler, from nothing:
  gristmill new demo && cd demo
  gristmill generate event clerk --trigger dynamodb --table test-table --method file
  gristmill build
  gristmill generate sample > event.json
  gristmill invoke --event event.json

Exit codes: 0 done, 1 something failed, 2 misuse or a manifest with problems.
See `gristmill help COMMAND` for more on a command."
)]
pub struct Cli {
    /// Work in the project in this folder [default: the nearest folder, from
    /// the current one upwards, that has a gristmill.toml]
    #[arg(long, short = 'C', global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub project: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
#[allow(missing_docs, reason = "clap would show a variant's words and drop the long ones of its arguments")]
pub enum Command {
    New(NewArgs),
    /// Add to the project, or make an event to try it with
    #[command(subcommand, visible_alias = "g")]
    Generate(Generate),
    Build(BuildArgs),
    #[command(visible_alias = "validate")]
    Check(CheckArgs),
    Conformance(ConformanceArgs),
    Package(PackageArgs),
    Invoke(InvokeArgs),
    #[cfg(feature = "dev")]
    Dev(DevArgs),
    #[cfg(feature = "dev")]
    Demo(DemoArgs),
    #[cfg(feature = "dev")]
    Doctor(DoctorArgs),
    #[cfg(feature = "dev")]
    Logs(LogsArgs),
    Template(TemplateArgs),
    Policy(PolicyArgs),
    #[cfg(feature = "deploy")]
    Bootstrap(BootstrapArgs),
    #[cfg(feature = "deploy")]
    Plan(PlanArgs),
    #[cfg(feature = "deploy")]
    Deploy(DeployArgs),
    #[cfg(feature = "deploy")]
    Status(StatusArgs),
    /// Stop the delivery of streams; records wait
    #[cfg(feature = "deploy")]
    Pause(PauseArgs),
    /// Go on with the delivery of streams, where it was
    #[cfg(feature = "deploy")]
    Resume(PauseArgs),
    #[cfg(feature = "deploy")]
    Releases(ReleasesArgs),
    #[cfg(feature = "deploy")]
    Rollback(RollbackArgs),
    /// Look at batches that were given up on, and deliver them again
    #[cfg(feature = "deploy")]
    #[command(subcommand)]
    Failed(Failed),
    /// Look at the function's variables, and change them
    #[cfg(feature = "deploy")]
    #[command(subcommand)]
    Env(Env),
    #[cfg(feature = "deploy")]
    Delete(DeleteArgs),
    Completions(CompletionsArgs),
}

/// How a command prints what it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object for programs
    Json,
}

/// `gristmill new`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Make a new project",
    long_about = "Make a new project: a manifest, a Cargo workspace for its handlers, and the SDK and the contract \
                  under vendor/, so that it builds without anything from outside but the crates that they use.\n\n\
                  A folder that exists must be empty. Nothing is put under version control.",
    after_help = "\
Examples:
  gristmill new demo                  the project `demo` in the new folder demo
  gristmill new work/demo             the project `demo` in work/demo
  gristmill new . --name demo         in the current folder, which is empty"
)]
pub struct NewArgs {
    /// The folder to make; its last part is the project's name
    #[arg(value_name = "NAME|PATH", value_hint = ValueHint::DirPath)]
    pub path: PathBuf,
    /// The project's name, when it is not the folder's
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub name: Option<String>,
}

/// `gristmill generate`.
#[derive(Clone, Debug, Subcommand)]
#[allow(missing_docs, reason = "clap would show a variant's words and drop the long ones of its arguments")]
pub enum Generate {
    Event(EventArgs),
    Sample(SampleArgs),
}

/// What a handler is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Trigger {
    /// The records of a DynamoDB table's stream
    Dynamodb,
}

/// `gristmill generate event`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Add a handler and, when it is the first on its table, the stream",
    long_about = "Add the handler NAME-METHOD to the project: its code in handlers/NAME-METHOD, and its entry at the \
                  end of gristmill.toml, where nothing else changes. The same NAME with another METHOD is another \
                  handler.\n\n\
                  Without --table and --stream-arn the handler goes on the only stream of the project.",
    after_help = "\
Examples:
  gristmill generate event clerk --trigger dynamodb --table test-table --method file
  gristmill generate event clerk --trigger dynamodb --method on_insert
  gristmill generate event audit --trigger dynamodb \\
      --stream-arn arn:aws:dynamodb:us-west-2:112233445566:table/orders"
)]
pub struct EventArgs {
    /// What the handler is about, for example clerk
    #[arg(value_hint = ValueHint::Other)]
    pub name: String,
    /// What the handler is called for
    #[arg(long, value_enum)]
    pub trigger: Trigger,
    /// The table, without the namespace: test-table is demo-dev_test-table
    /// once it is deployed
    #[arg(long, value_name = "TABLE", conflicts_with = "stream_arn", value_hint = ValueHint::Other)]
    pub table: Option<String>,
    /// The ARN of a table or of its stream, taken as it is
    #[arg(long, value_name = "ARN", value_hint = ValueHint::Other)]
    pub stream_arn: Option<String>,
    /// The function that is called for each record
    #[arg(long, default_value = "handle", value_hint = ValueHint::Other)]
    pub method: String,
    /// The language to write it in
    #[arg(long, value_enum, default_value_t)]
    pub lang: Language,
    /// Write the code anew where it is already there; what stands in
    /// gristmill.toml stays
    #[arg(long)]
    pub force: bool,
    /// How to print what was made
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `gristmill generate sample`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Print an event of the project's stream",
    long_about = "Print an event as Lambda would send it: an insert, a change, a removal and a delete by Time to Live, \
                  in turn, with attributes of every type. The same arguments print the same bytes.",
    after_help = "\
Examples:
  gristmill generate sample > event.json
  gristmill generate sample -n 1000 --seed 7 | gristmill invoke --event -"
)]
pub struct SampleArgs {
    /// The stream in gristmill.toml [default: the only one]
    #[arg(long, value_name = "STREAM", value_hint = ValueHint::Other)]
    pub stream: Option<String>,
    /// How many records, at most 10,000, as in Lambda's largest batch
    #[arg(short = 'n', long = "records", value_name = "N", default_value_t = 4, value_hint = ValueHint::Other,
          value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub records: u32,
    /// The environment whose table the records are of [default: the
    /// manifest's]
    #[arg(long, value_name = "ENV", value_hint = ValueHint::Other)]
    pub env: Option<String>,
    /// Other items, ids and numbers for another seed
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_hint = ValueHint::Other)]
    pub seed: u64,
}

/// `gristmill build`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Build the handlers and compile them ahead of time",
    long_about = "Build every handler from its source, check the components, and compile them ahead of time for the \
                  host, so that nothing is compiled when an event comes.",
    after_help = "\
Examples:
  gristmill build
  gristmill build --offline
  gristmill build --package dist --bootstrap target/lambda/bootstrap"
)]
pub struct BuildArgs {
    /// Lay out the deployment package, with handlers.json, in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub package: Option<PathBuf>,
    /// The host's binary to put into the package
    #[arg(long, value_name = "FILE", requires = "package", value_hint = ValueHint::FilePath)]
    pub bootstrap: Option<PathBuf>,
    /// The environment whose tables the package is for [default: the
    /// manifest's]
    #[arg(long, value_name = "ENV", value_hint = ValueHint::Other)]
    pub env: Option<String>,
    /// What the packaged function answers when a record must come again.
    /// partial is only for a mapping that has ReportBatchItemFailures: without
    /// it Lambda takes the answer for success
    #[arg(long, value_enum, default_value = "error")]
    pub response: Response,
    /// Do not use the network: crates, packages and tools must be there
    #[arg(long)]
    pub offline: bool,
    /// How to print what was built
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `gristmill check`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Check the manifest, and what each component exports and imports",
    long_about = "Check the manifest, and each component that is built: that it exports the handler, and that all it \
                  imports is the contract or is served with nothing behind it. What would have to be granted is named.",
    after_help = "\
Examples:
  gristmill check
  gristmill check --output json"
)]
pub struct CheckArgs {
    /// The environment to check the names of tables for [default: the
    /// manifest's]
    #[arg(long, value_name = "ENV", value_hint = ValueHint::Other)]
    pub env: Option<String>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `gristmill conformance`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Run the conformance suite on a component that answers it",
    long_about = "Run every case of the suite that holds gristmill's own SDKs on a component: values, text, images, \
                  failures, output, log lines, clock and chance. What the handler in it has to do for a case is in \
                  docs/any-language.md. No project is needed.",
    after_help = "\
Examples:
  gristmill conformance answers.wasm
  gristmill conformance answers.wasm --instance-per invocation --output json"
)]
pub struct ConformanceArgs {
    /// The component
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub component: PathBuf,
    /// How long an instance lives
    #[arg(long, value_enum, default_value = "record")]
    pub instance_per: InstancePer,
    /// What a call may use of memory, in MiB [default: 64]
    #[arg(long, value_name = "MIB", value_hint = ValueHint::Other, value_parser = clap::value_parser!(u32).range(1..=4095))]
    pub memory_mb: Option<u32>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// How long an instance of a handler lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InstancePer {
    /// Each record has one of its own
    Record,
    /// The records of an invocation share one
    Invocation,
}

impl From<InstancePer> for settings::InstancePer {
    fn from(instance_per: InstancePer) -> Self {
        match instance_per {
            InstancePer::Record => Self::Record,
            InstancePer::Invocation => Self::Invocation,
        }
    }
}

/// `gristmill package`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Make the zip that Lambda runs, for either of its architectures",
    long_about = "Build the handlers, compile them ahead of time for an architecture, and put them with the host, \
                  bootstrap, into a zip for the runtime provided.al2023. The same input, \
                  `bootstrap` included, makes the same bytes.\n\n\
                  bootstrap is the FILE of --bootstrap, or else bootstrap-x86_64 or bootstrap-arm64 beside this \
                  command, or else built from the sources in this command. That takes minutes, once for each version \
                  of it and of Rust, and needs python3 with pip and, for what is missing, the network.",
    after_help = "\
Examples:
  gristmill package
  gristmill package --architecture arm64 --env prod --response partial
  gristmill package --bootstrap bootstrap-x86_64 --out function.zip --output json"
)]
pub struct PackageArgs {
    /// The zip to write [default: .gristmill/package/PROJECT-ENV-ARCHITECTURE.zip]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// The function's architecture: x86_64 or arm64 [default: x86_64]
    #[arg(long, value_name = "ARCHITECTURE", value_parser = architecture())]
    pub architecture: Option<Architecture>,
    /// The host's binary, in place of one that is built
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub bootstrap: Option<PathBuf>,
    /// The environment whose tables the package is for [default: the
    /// manifest's]
    #[arg(long, value_name = "ENV", value_hint = ValueHint::Other)]
    pub env: Option<String>,
    /// What the function answers when a record must come again. partial is only
    /// for a mapping that has ReportBatchItemFailures: without it Lambda takes
    /// the answer for success
    #[arg(long, value_enum, default_value = "error")]
    pub response: Response,
    /// Do not use the network: every crate, target and tool must be there
    #[arg(long)]
    pub offline: bool,
    /// How to print what was packed
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// Reads one of Lambda's architectures, by the name that Lambda has for it.
fn architecture() -> impl TypedValueParser<Value = Architecture> {
    let by_name = |name: String| Architecture::ALL.into_iter().find(|one| one.as_str() == name).unwrap_or_default();
    PossibleValuesParser::new(Architecture::ALL.map(Architecture::as_str)).map(by_name)
}

/// What the function answers when a record must come again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Response {
    /// Names the lowest record that must come again
    #[default]
    Partial,
    /// Fails, as for a mapping without ReportBatchItemFailures
    Error,
}

impl From<Response> for settings::Response {
    fn from(response: Response) -> Self {
        match response {
            Response::Partial => Self::Partial,
            Response::Error => Self::Error,
        }
    }
}

/// `gristmill invoke`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Run an event through the handlers and print Lambda's answer",
    long_about = "Run an event through the handlers as the Lambda function would: the handlers' logs, the outcome of \
                  each record, and the answer.\n\n\
                  Exit code 0 when no record must come again, 1 when one must or the function fails, 2 on misuse.",
    after_help = "\
Examples:
  gristmill invoke --event event.json
  gristmill invoke --handler clerk-file --event event.json --output json
  gristmill invoke --from-stream 10          of the database of `gristmill dev`
  gristmill generate sample | gristmill invoke --build --event -"
)]
pub struct InvokeArgs {
    /// The event, as Lambda would send it; - reads standard input
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    #[cfg_attr(feature = "dev", arg(required_unless_present = "from_stream"))]
    #[cfg_attr(not(feature = "dev"), arg(required = true))]
    pub event: Option<PathBuf>,
    /// Take the N youngest records of the project's stream in place of an event
    #[cfg(feature = "dev")]
    #[arg(long, value_name = "N", value_hint = ValueHint::Other, conflicts_with = "event",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub from_stream: Option<u32>,
    /// Which stream, when there are several
    #[cfg(feature = "dev")]
    #[arg(long, value_name = "STREAM", requires = "from_stream", value_hint = ValueHint::Other)]
    pub stream: Option<String>,
    #[cfg(feature = "dev")]
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub endpoint: EndpointArgs,
    #[cfg(feature = "deploy")]
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub remote: RemoteArgs,
    /// Run this handler alone, whatever table the event is of
    #[arg(long, value_name = "HANDLER", value_hint = ValueHint::Other)]
    pub handler: Option<String>,
    /// The environment whose tables the handlers are on [default: the
    /// manifest's]
    #[arg(long, value_name = "ENV", value_hint = ValueHint::Other)]
    pub env: Option<String>,
    /// Build the handlers first
    #[arg(long)]
    pub build: bool,
    /// What to answer when a record must come again
    #[arg(long, value_enum, default_value_t)]
    pub response: Response,
    /// The function's timeout in milliseconds: stop as Lambda's deadline would
    /// make it [default: none]
    #[arg(long, value_name = "MS", value_hint = ValueHint::Other, value_parser = clap::value_parser!(u64).range(1..=900_000))]
    pub timeout_ms: Option<u64>,
    /// How to print what happened
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// Which database.
#[cfg(feature = "dev")]
#[derive(Clone, Debug, Default, Args)]
pub struct EndpointArgs {
    /// A DynamoDB that runs elsewhere: DynamoDB Local, an emulator, or `aws`
    /// for AWS itself
    #[arg(long, value_name = "URL|aws", group = "elsewhere", value_hint = ValueHint::Url)]
    pub endpoint: Option<String>,
    /// The profile of AWS's configuration to take credentials from
    #[arg(long, value_name = "NAME", requires = "elsewhere", value_hint = ValueHint::Other)]
    pub profile: Option<String>,
    /// The Region [default: the environment's or the profile's]
    #[arg(long, value_name = "REGION", requires = "elsewhere", value_hint = ValueHint::Other)]
    pub region: Option<String>,
}

/// What was deployed, in the place of what is on this machine.
#[cfg(feature = "deploy")]
#[derive(Clone, Debug, Default, Args)]
pub struct RemoteArgs {
    /// Speak of what was deployed to AWS
    #[arg(long, group = "elsewhere")]
    pub remote: bool,
    /// Ask here in place of AWS, for an emulator [env: AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL", requires = "remote", value_hint = ValueHint::Url)]
    pub endpoint_url: Option<String>,
}

#[cfg(feature = "deploy")]
impl RemoteArgs {
    /// Which account and Region.
    pub fn aws(&self, endpoint: &EndpointArgs) -> AwsArgs {
        AwsArgs {
            profile: endpoint.profile.clone(),
            region: endpoint.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
        }
    }
}

/// `gristmill dev`.
#[cfg(feature = "dev")]
#[derive(Clone, Debug, Args)]
#[command(
    about = "Run the project on this machine: a DynamoDB, its streams, and the handlers",
    long_about = "Run the project on this machine, with no account: a DynamoDB with Streams on a port, an event source \
                  mapping that does what Lambda's does, and the handlers in the host that Lambda would run. A handler \
                  whose source changes is built and takes its place at the next batch; one that does not build leaves \
                  the old one running.\n\n\
                  Tables and items stay in .gristmill/dev, and so does how far each stream was read. Ctrl-C ends it.",
    after_help = "\
Examples:
  gristmill dev
  gristmill dev --port 8100 --create-tables
  gristmill dev --in-memory --output json
  aws --endpoint-url http://127.0.0.1:8000 dynamodb list-tables      in another terminal"
)]
pub struct DevArgs {
    /// The endpoint's port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8000, conflicts_with = "endpoint", value_hint = ValueHint::Other)]
    pub port: u16,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub endpoint: EndpointArgs,
    /// Make the tables of the manifest's streams that are not there, with the key
    /// id (a string) and a stream, and switch on the streams of those that have
    /// none. Those with a [table.NAME] in the manifest are made in any case
    #[arg(long)]
    pub create_tables: bool,
    /// Keep tables, items and positions in memory only; with --endpoint,
    /// positions
    #[arg(long)]
    pub in_memory: bool,
    /// Remove all tables, items and positions first; with --endpoint,
    /// positions
    #[arg(long, conflicts_with = "in_memory")]
    pub reset: bool,
    /// The environment whose tables the handlers are on [default: the
    /// manifest's]
    #[arg(long, value_name = "ENV", value_hint = ValueHint::Other)]
    pub env: Option<String>,
    /// Do not use the network for building
    #[arg(long)]
    pub offline: bool,
    /// How to print what happens: lines, or a JSON object on each line
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `gristmill demo`.
#[cfg(feature = "dev")]
#[derive(Clone, Debug, Args)]
#[command(
    about = "Show what the project's handlers do, on a table made for it",
    long_about = "Show what the project's handlers do, in one go: make a table and its stream in memory, write, change, \
                  repeat and delete an item, and let a record fail, with what comes of each. Everything shown is \
                  really run.\n\n\
                  Made for the example in this repository, on which `cargo demo` runs it. Another project needs one \
                  stream, handlers without filters, and one that refuses an item without a name.",
    after_help = "\
Examples:
  gristmill demo"
)]
pub struct DemoArgs {
    /// Do not use the network for building
    #[arg(long)]
    pub offline: bool,
}

/// `gristmill doctor`.
#[cfg(feature = "dev")]
#[derive(Clone, Debug, Args)]
#[command(
    about = "Explain why a handler did not fire",
    long_about = "Look at everything that has to be right before a handler is called, and say what is not: the handler, \
                  the table and its name, the stream and what is in it, the filter and where it declines the youngest \
                  records, how far the stream was read, and who else reads it.\n\n\
                  Looks at the database of `gristmill dev` here, running or not, or at another one with --endpoint; with \
                  --remote at AWS, and at the deployed stack, functions and mappings. Changes nothing.\n\n\
                  Exit code 0 when there is no problem, 1 when there is one, 2 on misuse.",
    after_help = "\
Examples:
  gristmill doctor
  gristmill doctor -n clerk-file --key '{\"id\": {\"S\": \"id-1\"}}'
  gristmill doctor --endpoint aws --profile work --env prod
  gristmill doctor --remote --env prod"
)]
pub struct DoctorArgs {
    /// Look at this handler and its stream alone
    #[arg(long, short, value_name = "HANDLER", value_hint = ValueHint::Other)]
    pub name: Option<String>,
    /// Tell what became of the item with this key, as the AWS CLI takes it
    #[arg(long, value_name = "JSON", value_hint = ValueHint::Other)]
    pub key: Option<String>,
    #[cfg(feature = "deploy")]
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub remote: RemoteArgs,
    /// How many of each stream's youngest records to look at
    #[arg(long, value_name = "N", default_value_t = 100, value_hint = ValueHint::Other,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub records: u32,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub endpoint: EndpointArgs,
    /// The environment whose tables the handlers are on [default: the
    /// manifest's]
    #[arg(long, value_name = "ENV", value_hint = ValueHint::Other)]
    pub env: Option<String>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `gristmill logs`.
#[cfg(feature = "dev")]
#[derive(Clone, Debug, Args)]
#[command(
    about = "Show what dev mode did and what handlers said, here or on AWS",
    long_about = "Show what `gristmill dev` did and what handlers said, from its log, while it runs or after; with --remote \
                  what the deployed functions said, from CloudWatch.",
    after_help = "\
Examples:
  gristmill logs --remote -f -n clerk-file
  gristmill logs -f -n clerk-file
  gristmill logs --since 10m --filter 'ERROR -\"out of time\"'
  gristmill logs --output json | jq 'select(.type == \"record\")'"
)]
pub struct LogsArgs {
    /// Go on, and show what is new
    #[arg(long, short)]
    pub follow: bool,
    /// Only what this handler said and did
    #[arg(long, short, value_name = "HANDLER", value_hint = ValueHint::Other)]
    pub name: Option<String>,
    /// Only what is younger: a number and s, m, h or d
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other)]
    pub since: Option<Since>,
    /// Only lines with all of these words; \"…\" is one word, and -word is one
    /// that must not be there
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true, allow_hyphen_values = true, value_hint = ValueHint::Other)]
    pub filter: String,
    /// Speak of what was deployed to AWS
    #[cfg(feature = "deploy")]
    #[arg(long)]
    pub remote: bool,
    /// The environment, with --remote [default: the manifest's]
    #[cfg(feature = "deploy")]
    #[arg(long, value_name = "ENV", requires = "remote", value_hint = ValueHint::Other)]
    pub env: Option<String>,
    #[cfg(feature = "deploy")]
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub aws: AwsArgs,
    /// How to print a line
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `gristmill completions`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Print a script that completes this command in a shell",
    long_about = "Print a script for a shell that completes subcommands, options, and the values that are always the \
                  same. Names of streams, handlers and environments are not completed.\n\n\
                  Put it where the shell looks for it, as below, and start a new shell. Do so again after an update.",
    after_help = "\
Examples:
  bash        gristmill completions bash > ~/.local/share/bash-completion/completions/gristmill
  zsh         gristmill completions zsh > ~/.zfunc/_gristmill
              and in ~/.zshrc, before compinit:  fpath+=~/.zfunc
  fish        gristmill completions fish > ~/.config/fish/completions/gristmill.fish
  elvish      in ~/.config/elvish/rc.elv:  eval (gristmill completions elvish | slurp)
  powershell  in $PROFILE:  gristmill completions powershell | Out-String | Invoke-Expression"
)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    /// A shell would offer files where a name or a number goes.
    #[test]
    fn what_an_argument_takes_is_told_to_the_shell() {
        fn look(command: &clap::Command, unsaid: &mut Vec<String>) {
            let takes = |arg: &&clap::Arg| arg.get_action().takes_values() && arg.get_possible_values().is_empty();
            let silent = |arg: &&clap::Arg| arg.get_value_hint() == ValueHint::Unknown;
            unsaid.extend(
                command
                    .get_arguments()
                    .filter(takes)
                    .filter(silent)
                    .map(|arg| format!("{} {}", command.get_name(), arg.get_id())),
            );
            command.get_subcommands().for_each(|below| look(below, unsaid));
        }
        let mut unsaid = Vec::new();
        look(&Cli::command(), &mut unsaid);
        assert!(unsaid.is_empty(), "{unsaid:?}");
    }
}
