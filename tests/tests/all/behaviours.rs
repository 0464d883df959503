//! The roll-call: every behaviour of the scripted guest is asked for by a case
//! or a test.

use std::fs;

use gristmill_tests::root;

#[test]
fn every_behaviour_is_asked_for() {
    let source = fs::read_to_string(root().join("tests/guests/scripted/src/behaviours.rs")).unwrap();
    let list = source.split("pub const ALL").nth(1).unwrap().split("];").next().unwrap();
    let behaviours: Vec<&str> =
        list.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next()).collect();
    assert!(behaviours.len() >= 25, "{behaviours:?}");

    let mut texts = String::new();
    for folder in ["tests/cases", "tests/tests/all"] {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|path| path.is_file()) {
            texts.push_str(&fs::read_to_string(file).unwrap());
        }
    }
    // As a case has it (`do = "panic now"`), or as a test does.
    let marks = ["\"do\":{\"S\":", "do = \"", "do-a = \"", "do-b = \"", "doing(", "(\"do\", ", "let script = "];
    let asking: Vec<&str> = texts.lines().filter(|line| marks.iter().any(|mark| line.contains(mark))).collect();
    let asked =
        |name: &str| ["\"", " "].iter().any(|end| asking.iter().any(|line| line.contains(&format!("\"{name}{end}"))));
    let missing: Vec<_> = behaviours.into_iter().filter(|name| !asked(name)).collect();
    assert!(missing.is_empty(), "no case or test asks for {missing:?}");
}
