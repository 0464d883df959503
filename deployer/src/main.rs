//! The command `gristmill`.

use std::process::ExitCode;

use clap::Parser;
use gristmill::cli::{Cli, Command, Generate};
use gristmill::edge::{self, Done};
use gristmill::{build, check, completions, generate, invoke, new, package, project};
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
        Command::Package(args) => package::run(&root()?, &args),
        Command::Invoke(args) => invoke::run(&root()?, &args),
        #[cfg(feature = "dev")]
        Command::Dev(args) => dev::run(&root()?, &args),
        #[cfg(feature = "dev")]
        Command::Demo(args) => dev::demo::run(&root()?, &args),
        #[cfg(feature = "dev")]
        Command::Doctor(args) => doctor::run(&root()?, &args),
        #[cfg(feature = "dev")]
        Command::Logs(args) => logs::run(&root()?, &args),
        Command::Completions(args) => completions::run(&args),
    }
}
