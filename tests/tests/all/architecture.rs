//! `ARCHITECTURE.md` lists what each room must not know, as words that may not
//! stand in its code. This holds the list.

use std::fs;
use std::path::{Path, PathBuf};

use gristmill_tests::root;

/// A row of the table of rooms.
struct Room {
    name: String,
    files: Vec<String>,
    unknown: Vec<String>,
}

fn rooms() -> Vec<Room> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [name, files, _, unknown] = cells.as_slice() else { return None };
        let is_row = !name.starts_with("room") && !name.starts_with('-');
        is_row.then(|| Room { name: (*name).to_owned(), files: words(files), unknown: words(unknown) })
    });
    rows.collect()
}

/// The sources of a room: no tests, and nothing generated.
fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    assert!(path.exists(), "ARCHITECTURE.md names {}", path.display());
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
        return;
    }
    let name = path.file_name().unwrap().to_str().unwrap();
    let in_tests = path.strip_prefix(root()).unwrap().components().any(|part| part.as_os_str() == "tests");
    if name.ends_with(".rs") && name != "tests.rs" && name != "bindings.rs" && !in_tests {
        found.push(path.to_owned());
    }
}

#[test]
fn no_room_knows_what_it_must_not() {
    let rooms = rooms();
    assert!(rooms.len() >= 10, "{} rooms", rooms.len());
    let mut wrong = Vec::new();
    for room in rooms {
        let mut files = Vec::new();
        for file in &room.files {
            // Below `tests/` nothing is a room, so this is never a folder of tests.
            sources(&root().join(file), &mut files);
        }
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for (number, line) in code.lines().enumerate() {
                let line = line.split("//").next().unwrap();
                for word in room.unknown.iter().filter(|word| line.contains(word.as_str())) {
                    wrong.push(format!("{}: {}:{}: {word}", room.name, path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
