//! The commands that reach an AWS account. Definitions only.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

use super::Output;

/// Which account and Region: as the AWS CLI has it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "AWS")]
pub struct AwsArgs {
    /// The profile of AWS's configuration to take credentials and Region from
    /// [env: AWS_PROFILE]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub profile: Option<String>,
    /// The Region [default: the environment's or the profile's]
    #[arg(long, value_name = "REGION", value_hint = ValueHint::Other)]
    pub region: Option<String>,
    /// Ask here in place of AWS, for an emulator [env: AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub endpoint_url: Option<String>,
}

/// Which environment.
#[derive(Clone, Debug, Default, Args)]
pub struct EnvArgs {
    /// The environment [default: the manifest's]
    #[arg(long, value_name = "ENV", value_hint = ValueHint::Other)]
    pub env: Option<String>,
}

/// `gristmill template`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Print the CloudFormation template of the project",
    long_about = "Print the CloudFormation template of the project: what `gristmill deploy` sends for a stack that is not \
                  there yet. It asks AWS nothing and builds nothing. The package's place and the streams' ARNs are its \
                  parameters.",
    after_help = "\
Examples:
  gristmill template
  gristmill template --env prod > template.json
  gristmill template --account            the stack that `gristmill bootstrap` makes"
)]
pub struct TemplateArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    /// The template of the account's own stack, with the bucket for packages
    #[arg(long)]
    pub account: bool,
    /// On one line, as it is sent
    #[arg(long)]
    pub compact: bool,
}

/// `gristmill policy`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Print what the functions may do, and why, or what a deploying user needs",
    long_about = "Print the policy of each function's role, with the reason for each statement; or, with --deploying, the \
                  policy that a user needs to deploy this project and to look at it. It asks AWS nothing.",
    after_help = "\
Examples:
  gristmill policy
  gristmill policy --deploying
  gristmill policy --deploying --output json --account-id 112233445566 --region eu-west-1 | jq .policy"
)]
pub struct PolicyArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    /// What a deploying user needs, in place of what the functions may do
    #[arg(long)]
    pub deploying: bool,
    /// The account to write into ARNs [default: any]
    #[arg(long, value_name = "NUMBER", requires = "deploying", value_hint = ValueHint::Other)]
    pub account_id: Option<String>,
    /// The Region to write into ARNs [default: any]
    #[arg(long, value_name = "REGION", requires = "deploying", value_hint = ValueHint::Other)]
    pub region: Option<String>,
    /// The partition to write into ARNs
    #[arg(long, value_name = "PARTITION", default_value = "aws", requires = "deploying", value_hint = ValueHint::Other)]
    pub partition: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `gristmill bootstrap`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Make the account's bucket for packages, once for each Region",
    long_about = "Make the stack gristmill-account with a bucket for packages: versioned, encrypted, private, by TLS only. \
                  Every project of the account and Region uses it, unless its manifest names another: `bucket` in [deploy].",
    after_help = "\
Examples:
  gristmill bootstrap
  gristmill bootstrap --profile work --region eu-west-1 --yes"
)]
pub struct BootstrapArgs {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// How to print what was made
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub aws: AwsArgs,
}

/// What a deploy does beyond what is always done.
#[derive(Clone, Debug, Default, Args)]
pub struct ChangeArgs {
    /// Switch on the streams of tables that have none, with the view type of the
    /// manifest's [table.NAME], else with both images
    #[arg(long)]
    pub enable_streams: bool,
    /// Take an old stream of a table for read, and go over to the new one now
    #[arg(long)]
    pub finish: bool,
    /// Read an old and a new stream of a table at once: changes of an item may
    /// then overtake one another
    #[arg(long, conflicts_with = "finish")]
    pub unordered: bool,
    /// The host's binary [default: beside this command, else built]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub bootstrap: Option<PathBuf>,
    /// Do not use the network for building
    #[arg(long)]
    pub offline: bool,
}

/// `gristmill plan`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Show what a deploy would change, replace and lose",
    long_about = "Show what `gristmill deploy` would do: which resources it makes, changes, makes anew and removes, what is \
                  lost by that, and what stands in its way. It builds the handlers, looks the streams up, and changes \
                  nothing.\n\n\
                  Exit code 0 also when there is something to do.",
    after_help = "\
Examples:
  gristmill plan
  gristmill plan --env prod --output json"
)]
pub struct PlanArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub change: ChangeArgs,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub aws: AwsArgs,
}

/// `gristmill deploy`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Bring the project to AWS, or what is there to what the manifest says",
    long_about = "Build the handlers, upload the package, and bring the project's stack to what the manifest says, by a \
                  CloudFormation change set. What would be done is shown first. When nothing is different, nothing is done.",
    after_help = "\
Examples:
  gristmill deploy
  gristmill deploy --env prod --yes
  gristmill deploy --dry-run            the same as `gristmill plan`"
)]
pub struct DeployArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub change: ChangeArgs,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub aws: AwsArgs,
}

/// `gristmill delete`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Delete the project's stack",
    long_about = "Show what the project's stack has, ask, and delete it. The bucket with records that were given up on \
                  stays, unless --data; so do tables and packages in any case.",
    after_help = "\
Examples:
  gristmill delete
  gristmill delete --env test --yes --data"
)]
pub struct DeleteArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Delete the bucket with records that were given up on too, and all in it
    #[arg(long)]
    pub data: bool,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub aws: AwsArgs,
}

/// `gristmill status`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Show the deployed functions and mappings, and how they are",
    long_about = "Show the project's stack, its functions, and of each event source mapping the state, the last result, and \
                  how old the records are when they are done.\n\n\
                  Exit code 0 when all is well, 1 when something is not.",
    after_help = "\
Examples:
  gristmill status
  gristmill status --output json | jq '.mappings[].state'"
)]
pub struct StatusArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub aws: AwsArgs,
}

/// `gristmill releases`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "List the versions that were deployed",
    after_help = "\
Examples:
  gristmill releases
  gristmill releases --output json"
)]
pub struct ReleasesArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    /// The handler whose own function it is [default: the shared one]
    #[arg(long, short, value_name = "HANDLER", value_hint = ValueHint::Other)]
    pub name: Option<String>,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub aws: AwsArgs,
}

/// `gristmill rollback`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Run the version that ran before",
    long_about = "Let the alias point to the version before, or to the one that is named: it is there already, so this takes \
                  seconds and builds nothing. Mappings and settings of the stack stay as they are. The next `gristmill \
                  deploy` goes forward again.",
    after_help = "\
Examples:
  gristmill rollback
  gristmill rollback --to 7 --yes"
)]
pub struct RollbackArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    /// The version, of those that `gristmill releases` lists
    #[arg(long, value_name = "VERSION", value_hint = ValueHint::Other, value_parser = clap::value_parser!(u64).range(1..))]
    pub to: Option<u64>,
    /// The handler whose own function it is [default: the shared one]
    #[arg(long, short, value_name = "HANDLER", value_hint = ValueHint::Other)]
    pub name: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub aws: AwsArgs,
}

/// `gristmill pause` and `gristmill resume`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  gristmill pause orders
  gristmill resume")]
pub struct PauseArgs {
    /// The streams in gristmill.toml [default: all]
    #[arg(value_name = "STREAM", value_hint = ValueHint::Other)]
    pub streams: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub aws: AwsArgs,
}

/// `gristmill failed`.
#[derive(Clone, Debug, Subcommand)]
#[allow(missing_docs, reason = "clap would show a variant's words and drop the long ones of its arguments")]
pub enum Failed {
    /// List the batches that were given up on
    List(FailedListArgs),
    /// Print the document of one of them, with its records
    Show(FailedShowArgs),
    /// Deliver them again, in their order
    Replay(FailedReplayArgs),
}

/// Which of the batches that were given up on.
#[derive(Clone, Debug, Default, Args)]
pub struct FailedScope {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    /// Of this stream alone
    #[arg(long, value_name = "STREAM", value_hint = ValueHint::Other)]
    pub stream: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub aws: AwsArgs,
}

/// `gristmill failed list`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  gristmill failed list
  gristmill failed list --stream orders --output json")]
pub struct FailedListArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub scope: FailedScope,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `gristmill failed show`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  gristmill failed show aws/lambda/UUID/SHARD/2026/11/28/DOCUMENT")]
pub struct FailedShowArgs {
    /// The key of the document, as `gristmill failed list` prints it
    #[arg(value_hint = ValueHint::Other)]
    pub key: String,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub scope: FailedScope,
}

/// `gristmill failed replay`.
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Deliver batches that were given up on again: to the alias, in the order of their sequence numbers for each \
                  shard, and no further than the first that fails. Later changes of the same items may have run since: a \
                  handler that only sets what it finds may set old values.\n\n\
                  A document whose records are done is deleted, unless --keep.",
    after_help = "\
Examples:
  gristmill failed replay --dry-run
  gristmill failed replay --stream orders --yes"
)]
pub struct FailedReplayArgs {
    /// Only the documents with these keys
    #[arg(value_name = "KEY", value_hint = ValueHint::Other)]
    pub keys: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub scope: FailedScope,
    /// Show what would be delivered, and deliver nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Keep the documents whose records are done
    #[arg(long)]
    pub keep: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `gristmill env`.
#[derive(Clone, Debug, Subcommand)]
#[allow(missing_docs, reason = "clap would show a variant's words and drop the long ones of its arguments")]
pub enum Env {
    /// List the function's variables in gristmill.toml
    List(EnvListArgs),
    /// Set variables in gristmill.toml
    Set(EnvSetArgs),
    /// Take variables out of gristmill.toml
    Unset(EnvUnsetArgs),
}

/// `gristmill env list`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  gristmill env list
  gristmill env list --env prod")]
pub struct EnvListArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `gristmill env set`.
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Set variables of the function in gristmill.toml: in [function.environment], or with --env in that \
                  environment's [env.ENV.function.environment]. They are the host's settings; no handler sees them. The next \
                  `gristmill deploy` brings them to AWS.",
    after_help = "\
Examples:
  gristmill env set GRISTMILL_METRICS=on
  gristmill env set --env prod GRISTMILL_METRICS=on"
)]
pub struct EnvSetArgs {
    /// NAME=VALUE
    #[arg(value_name = "NAME=VALUE", required = true, value_hint = ValueHint::Other)]
    pub variables: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
}

/// `gristmill env unset`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  gristmill env unset GRISTMILL_METRICS")]
pub struct EnvUnsetArgs {
    /// The names
    #[arg(value_name = "NAME", required = true, value_hint = ValueHint::Other)]
    pub names: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show them")]
    pub env: EnvArgs,
}
