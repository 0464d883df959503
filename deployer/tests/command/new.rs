//! `gristmill new`.

use std::path::Path;
use std::process::Command;

use super::{Folder, Ran, fails};

#[test]
fn a_project_is_made_and_its_manifest_is_right() {
    let folder = Folder::new();
    let ran = folder.run(&["new", "demo"]);
    assert_eq!(
        ran,
        Ran {
            code: 0,
            stdout: "Made the project `demo` in demo\n\nNext:\n  cd demo\n  gristmill generate event clerk --trigger \
                     dynamodb --table test-table --method file\n"
                .to_owned(),
            stderr: String::new(),
        }
    );
    let mine: Vec<_> = folder.files().into_iter().filter(|path| !path.starts_with("demo/vendor/")).collect();
    assert_eq!(
        mine,
        ["demo/.gitignore", "demo/Cargo.toml", "demo/README.md", "demo/gristmill.toml", "demo/handlers/README.md"]
    );
    assert!(folder.has("demo/vendor/gristmill-sdk/src/lib.rs"));
    assert!(folder.has("demo/vendor/wit/events.wit"));
    let manifest = gristmill::manifest::load(&folder.path.join("demo"), None).unwrap();
    assert_eq!((manifest.project.as_str(), manifest.env.as_str()), ("demo", "dev"));
    assert_eq!(manifest.warnings, []);
    let nothing = manifest.handlers_to_run().unwrap_err().to_string();
    assert_eq!(
        nothing,
        "gristmill.toml has no [handler.NAME], so there is nothing to run; `gristmill generate event NAME --trigger \
         dynamodb --table TABLE` makes a handler"
    );
}

#[test]
fn cargo_takes_the_workspace_with_and_without_a_handler() {
    // Below another workspace, as inside the checkout.
    let folder = Folder::new();
    folder.write("Cargo.toml", "[workspace]\nmembers = []\n");
    assert_eq!(folder.run(&["new", "demo"]).code, 0);
    let members = || {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
            .current_dir(folder.path.join("demo"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        packages.iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(members(), [""; 0]);
    let event = ["generate", "event", "clerk", "--trigger", "dynamodb", "--table", "orders"];
    assert_eq!(folder.run_in(Path::new("demo"), &event).code, 0);
    assert_eq!(members(), ["clerk-handle"]);
}

#[test]
fn the_current_folder_will_do_when_it_is_empty() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path.join("work")).unwrap();
    assert_eq!(folder.run_in(Path::new("work"), &["new", "."]).code, 0);
    assert!(folder.read("work/gristmill.toml").contains("name = \"work\""));
    fails(&folder.run_in(Path::new("work"), &["new", "."]), 2, "`.` is a project already: it has a gristmill.toml");
}

#[test]
fn nothing_is_written_over() {
    let folder = Folder::new();
    folder.write("full/mine.txt", "mine");
    folder.write("file", "");
    let before = folder.files();
    let run = |path| folder.run(&["new", path]);
    fails(&run("full"), 2, "the folder `full` is not empty; a new project needs one that is");
    fails(&run("file"), 2, "`file` is a file, not a folder");
    assert_eq!(folder.files(), before);
}

#[test]
fn a_name_is_checked() {
    let folder = Folder::new();
    let rule = "is not a name: 1 to 63 of a–z, 0–9 and `-`, the first a letter";
    let hint = ", or give the name by --name";
    let run = |args: &[&str]| folder.run(&[&["new"], args].concat());
    fails(&run(&["My_App"]), 2, &format!("the project's name `My_App` {rule}; for example `my-app`{hint}"));
    fails(&run(&["9"]), 2, &format!("the project's name `9` {rule}{hint}"));
    fails(&run(&["x", "--name", ""]), 2, &format!("the project's name `` {rule}"));
    fails(&run(&["a\u{1b}[31m"]), 2, &format!("the project's name `a\\u{{1b}}[31m` {rule}; for example `a-31m`{hint}"));
    assert_eq!(folder.files(), [""; 0]);
    assert_eq!(run(&["deep/er/demo"]).code, 0);
    assert!(folder.read("deep/er/demo/gristmill.toml").contains("name = \"demo\""));
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_refused() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("nowhere", folder.path.join("demo")).unwrap();
    fails(&folder.run(&["new", "demo"]), 2, "`demo` is a symlink to nothing");
}
