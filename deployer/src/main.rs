//! The command `gristmill`.

use std::process::ExitCode;

use clap::Parser;
use gristmill::cli::{Cli, Command, Generate};
#[cfg(feature = "deploy")]
use gristmill::cli::{Env, Failed};
use gristmill::edge::{self, Done};
use gristmill::{build, check, completions, conformance, generate, invoke, new, package, printed, project};
#[cfg(feature = "deploy")]
use gristmill::{deploy, environment, failed, running};
#[cfg(feature = "dev")]
use gristmill::{dev, doctor, logs};

fn main() -> ExitCode {
    edge::finish(run(Cli::parse()))
}

fn run(cli: Cli) -> anyhow::Result<Done> {
    let root = || project::find(cli.project.as_deref());
    match cli.command {
        Command::New(args) => new::run(&args),
        Command::Generate(Generate::Event(args)) => generate::event::run(&root()?, &args),
        Command::Generate(Generate::Sample(args)) => generate::sample::run(&root()?, &args),
        Command::Build(args) => build::run(&root()?, &args),
        Command::Check(args) => check::run(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Invoke(args) if args.remote.remote => running::invoke(&root()?, &args),
        Command::Conformance(args) => conformance::run(&args),
        Command::Package(args) => package::run(&root()?, &args),
        Command::Invoke(args) => invoke::run(&root()?, &args),
        #[cfg(feature = "dev")]
        Command::Dev(args) => dev::run(&root()?, &args),
        #[cfg(feature = "dev")]
        Command::Demo(args) => dev::demo::run(&root()?, &args),
        #[cfg(feature = "dev")]
        Command::Doctor(args) => doctor::run(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Logs(args) if args.remote => running::logs(&root()?, &args),
        #[cfg(feature = "dev")]
        Command::Logs(args) => logs::run(&root()?, &args),
        Command::Template(args) => printed::template(root, &args),
        Command::Policy(args) => printed::policy(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Bootstrap(args) => running::bootstrap(&args),
        #[cfg(feature = "deploy")]
        Command::Plan(args) => deploy::plan(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Deploy(args) => deploy::deploy(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Status(args) => running::status(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Pause(args) => running::pause(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Resume(args) => running::resume(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Releases(args) => running::releases(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Rollback(args) => running::rollback(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Failed(Failed::List(args)) => failed::list(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Failed(Failed::Show(args)) => failed::show(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Failed(Failed::Replay(args)) => failed::replay(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Env(Env::List(args)) => environment::list(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Env(Env::Set(args)) => environment::set(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Env(Env::Unset(args)) => environment::unset(&root()?, &args),
        #[cfg(feature = "deploy")]
        Command::Delete(args) => running::delete(&root()?, &args),
        Command::Completions(args) => completions::run(&args),
    }
}
