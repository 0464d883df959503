//! `gristmill completions`: the scripts, and in bash what they complete.

use std::process::Command;

use super::Folder;

fn script(folder: &Folder, shell: &str) -> String {
    let ran = folder.run(&["completions", shell]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{shell}");
    ran.stdout
}

/// What bash prints, which must succeed.
#[track_caller]
fn bash(folder: &Folder, args: &[&str]) -> String {
    let output = Command::new("bash").args(args).current_dir(&folder.path).output();
    let output = output.unwrap_or_else(|error| panic!("this test needs bash: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap()
}

/// What bash would offer after these words, the last of which is being typed.
/// As bash does it: the words and the place in variables, and command, word and
/// the word before as arguments.
fn offered(folder: &Folder, words: &[&str]) -> Vec<String> {
    // `compopt` works within a completion only; here it says that it was called.
    let driver = r#"
        source gristmill.bash
        compopt() { printf 'compopt %s\n' "$*"; }
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _gristmill "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let args = [&["--norc", "-c", driver, "driver", "gristmill"], words].concat();
    bash(folder, &args).lines().map(str::to_owned).collect()
}

#[test]
fn bash_takes_the_script_and_completes_by_it() {
    let folder = Folder::new();
    folder.write("gristmill.bash", script(&folder, "bash"));
    folder.write("event.json", "");
    bash(&folder, &["--norc", "-n", "gristmill.bash"]);
    assert_eq!(
        bash(&folder, &["--norc", "-c", "source gristmill.bash; complete -p gristmill | grep -o _gristmill"]).trim(),
        "_gristmill"
    );

    let first = offered(&folder, &[""]);
    for command in ["new", "generate", "build", "check", "invoke", "completions", "help", "--project", "-C"] {
        assert!(first.iter().any(|word| word == command), "{command}: {first:?}");
    }
    for (words, expected) in [
        (&["inv"][..], &["invoke"][..]),
        (&["frobnicate"], &[]),
        // Aliases lead to the same.
        (&["generate", ""], &["event", "sample", "help"]),
        (&["g", "s"], &["sample"]),
        (&["validate", "--out"], &["--output"]),
        // The option that all have, before the subcommand and after it.
        (&["--pro"], &["--project"]),
        (&["build", "--pro"], &["--project"]),
        (&["invoke", "--pro"], &["--profile", "--project"]),
        (&["generate", "event", "--pro"], &["--project"]),
        (&["-C", "shop", "inv"], &["invoke"]),
        (&["--project", "d"], &["compopt -o plusdirs"]),
        // Values that are always the same.
        (&["generate", "event", "clerk", "--trigger", ""], &["dynamodb"]),
        (&["invoke", "--output", ""], &["text", "json"]),
        (&["build", "--response", "p"], &["partial"]),
        (&["completions", "z"], &["zsh"]),
        // Files, and nothing where a name goes.
        (&["invoke", "--event", "ev"], &["event.json", "compopt -o filenames"]),
        (&["invoke", "--handler", "e"], &["e", "compopt -o nospace"]),
    ] {
        let mut offered = offered(&folder, words);
        offered.retain(|word| !word.is_empty());
        // Options are offered where any word could stand; the tests are of the others.
        if words.ends_with(&[""]) {
            offered.retain(|word| !word.starts_with('-'));
        }
        offered.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(offered, expected, "{words:?}");
    }
}

#[test]
fn every_shell_has_a_script() {
    let folder = Folder::new();
    for (shell, part) in [
        ("bash", "complete -F _gristmill"),
        ("zsh", "#compdef gristmill\n"),
        ("fish", "complete -c gristmill "),
        ("elvish", "set edit:completion:arg-completer[gristmill]"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName 'gristmill'"),
    ] {
        let text = script(&folder, shell);
        assert!(text.contains(part), "{shell}:\n{text}");
        for word in ["completions", "invoke", "sample", "project"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
        // The same words for the same command, so that a file of them can be compared.
        assert_eq!(script(&folder, shell), text);
        // And how to install it.
        assert!(folder.run(&["completions", "--help"]).stdout.contains(&format!("gristmill completions {shell}")));
    }
    assert!(script(&folder, "zsh").starts_with("#compdef gristmill\n"));
}
