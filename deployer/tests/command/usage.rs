//! The command line itself.

use std::path::Path;

use super::{Folder, fails};

#[test]
fn help_has_every_command_and_an_example() {
    let folder = Folder::new();
    let help = folder.run(&["help"]);
    assert_eq!(help.code, 0);
    for part in [
        "new ",
        "generate ",
        "build ",
        "check ",
        "[alias: validate]",
        "package ",
        "invoke ",
        "completions ",
        "gristmill generate sample > event.json",
    ] {
        assert!(help.stdout.contains(part), "{part}");
    }
    // Every command that clap knows, and what is under it.
    let mut commands: Vec<Vec<String>> = named(&help.stdout).into_iter().map(|name| vec![name]).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    while let Some(command) = commands.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let help = folder.run(&[&["help"], &words[..]].concat());
        assert_eq!(help.code, 0);
        let under = named(&help.stdout);
        assert!(!under.is_empty() || help.stdout.contains("\nExamples:\n"), "{command:?}");
        commands.extend(under.into_iter().map(|name| [command.clone(), vec![name]].concat()));
    }
    // And what takes more than a line to say.
    for (command, part) in [
        (&["new"][..], "A folder that exists must be empty."),
        (&["generate", "event"], "The same NAME with another METHOD"),
        (&["generate", "sample"], "The same arguments print the same bytes."),
        (&["build"], "so that nothing is compiled when an event comes"),
        (&["check"], "What would have to be granted is named."),
        (&["package"], "makes the same bytes"),
        (&["completions"], "Names of streams, handlers and environments are not completed."),
        (&["invoke"], "Exit code 0 when no record must come again"),
    ] {
        let help = folder.run(&[command, &["--help"]].concat()).stdout;
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(part), "{help}");
    }
    assert_eq!(folder.run(&["--version"]).stdout, "gristmill 0.1.0\n");
}

/// The commands that a help lists.
fn named(help: &str) -> Vec<String> {
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let names = list
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next().filter(|_| !line.starts_with("   ")));
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn misuse_is_two() {
    let folder = Folder::new();
    for args in [
        &[][..],
        &["frobnicate"],
        &["generate", "event", "a"],
        &["invoke"],
        &["new"],
        &["completions"],
        &["completions", "tcsh"],
        &["package", "--architecture", "mips"],
        &["package", "--architecture", ""],
        &["package", "--response", "maybe"],
        &["package", "--out"],
        &["package", "extra"],
    ] {
        assert_eq!(folder.run(args).code, 2, "{args:?}");
    }
    let near = folder.run(&["generat"]);
    assert!(near.stderr.contains("'generate'"), "{}", near.stderr);
    let both = ["generate", "event", "a", "--trigger", "dynamodb", "--table", "t", "--stream-arn", "a"];
    assert!(folder.run(&both).stderr.contains("'--table <TABLE>' cannot be used with '--stream-arn <ARN>'"));
}

#[test]
fn a_project_is_found_from_below_and_by_name() {
    let folder = Folder::new();
    assert_eq!(folder.run(&["new", "demo"]).code, 0);
    let event = ["generate", "event", "a", "--trigger", "dynamodb", "--table", "orders"];
    let ran = folder.run_in(Path::new("demo/vendor/wit"), &event);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(folder.has("demo/handlers/a-handle/src/lib.rs"));
    assert_eq!(folder.run(&["-C", "demo", "generate", "sample", "-n", "0"]).stdout, "{\"Records\":[]}\n");
    assert_eq!(folder.run(&["generate", "sample", "-n", "0", "--project", "demo"]).stdout, "{\"Records\":[]}\n");
}

#[test]
fn without_a_project_the_way_to_one_is_told() {
    let folder = Folder::new();
    folder.write("file", "");
    let sample = ["generate", "sample"];
    fails(
        &folder.run(&sample),
        2,
        &format!(
            "there is no gristmill.toml in `{}` or in a folder above it; `gristmill new NAME` makes a project",
            folder.path.display()
        ),
    );
    let with = |dir| folder.run(&[&["-C", dir], &sample[..]].concat());
    fails(&with("."), 2, "there is no gristmill.toml in `.`; `gristmill new NAME` makes a project");
    fails(&with("file"), 2, "--project `file` is not a folder");
    fails(&with("gone"), 2, "--project `gone` is not a folder");
}

#[test]
fn what_comes_from_a_file_cannot_steer_the_terminal() {
    let folder = Folder::with_manifest("[project]\nname = \"demo\"\n\"\\u001b[2J\\nerror: forged\" = 1\n", &[]);
    fails(
        &folder.run(&["generate", "sample"]),
        2,
        "gristmill.toml:3:1: `\\u{1b}[2J\\u{a}error: forged` is not a key of [project]; there is `name`, `env` and \
         `namespace`",
    );
}

#[test]
fn an_architecture_has_the_name_that_lambda_has_for_it() {
    let folder = Folder::new();
    let near = folder.run(&["package", "--architecture", "arm"]);
    assert_eq!(near.code, 2);
    assert!(near.stderr.contains("[possible values: x86_64, arm64]"), "{}", near.stderr);
    assert_eq!(folder.run(&["package", "--architecture", "aarch64"]).code, 2);
}

#[test]
fn nothing_is_packaged_where_nothing_is_to_run() {
    let folder = Folder::with_manifest("[project]\nname = \"demo\"\n", &[]);
    let ran = folder.run(&["package"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("gristmill.toml has no [handler.NAME]"), "{}", ran.stderr);
    assert!(!folder.has(".gristmill"));
    let ran = folder.run(&["package", "--env", "No Name"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("--env `No Name`"), "{}", ran.stderr);
}
