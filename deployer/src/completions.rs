//! `gristmill completions`: the command line of `cli` as a script for a shell.
//! Looks at no project.

use clap::CommandFactory as _;
use clap_complete::aot;

use crate::cli::{Cli, CompletionsArgs};
use crate::edge::Done;

/// Prints the script.
///
/// # Errors
///
/// The script is no text, which no shell's is.
pub fn run(args: &CompletionsArgs) -> anyhow::Result<Done> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // Into memory, since clap_complete panics where it cannot write, as on a closed pipe.
    let mut script = Vec::new();
    aot::generate(args.shell, &mut command, name, &mut script);
    Ok(Done::printing(String::from_utf8(script)?))
}
