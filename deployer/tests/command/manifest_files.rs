//! The manifest as a file, and the files that it names.

use std::fs;

use super::Folder;

const BEFORE: &str = "[project]\nname = \"demo\"\n[stream.s]\ntable = \"orders\"\n";

#[track_caller]
fn refuses(folder: &Folder, message: &str) {
    let found = folder.load(None).unwrap_err();
    assert_eq!(found, message, "\nfound:    {found}\nexpected: {message}");
}

#[test]
fn a_file_that_is_no_manifest_is_told_as_such() {
    for (bytes, message) in [
        (&b""[..], "is empty; it needs at least [project] with `name = \"…\"`"),
        (b" \n\t\n", "is empty; it needs at least [project] with `name = \"…\"`"),
        (b"\xef\xbb\xbf[project]\n", "begins with a byte order mark; save it as UTF-8 without one"),
        (b"[project]\nname = \"\xff\"\n", "is not UTF-8 (line 2); save it as UTF-8"),
        (b"\xff\xfe[\0", "is not UTF-8 (line 1); save it as UTF-8"),
        (&[b'#'; 10 * 1024 * 1024], "has more than 1024 KiB; a manifest is smaller"),
    ] {
        let folder = Folder::new();
        folder.write("gristmill.toml", bytes);
        refuses(&folder, &format!("gristmill.toml: {message}"));
    }
}

#[test]
fn a_missing_manifest_or_a_folder_is_told_as_such() {
    let folder = Folder::new();
    refuses(&folder, "gristmill.toml: cannot be read: No such file or directory (os error 2)");
    fs::create_dir(folder.path.join("gristmill.toml")).unwrap();
    refuses(&folder, "gristmill.toml: is not a file; the manifest is a file by this name");
}

#[test]
fn a_source_is_the_folder_of_a_crate_in_the_project() {
    for (source, message) in [
        ("handlers/gone", "`handlers/gone` is not there"),
        ("", "the path is empty"),
        ("../out", "`../out` has `..`; paths stay in the project"),
        ("handlers/../handlers/a", "`handlers/../handlers/a` has `..`; paths stay in the project"),
        ("/etc", "`/etc` is absolute; paths are relative to the project"),
        ("gristmill.toml", "`gristmill.toml` is a file; `source` takes a handler's folder"),
        (
            "handlers",
            "there is no `Cargo.toml` in `handlers`, which a handler in Rust (`lang = \"rust\"`) is built from",
        ),
    ] {
        let text = format!("{BEFORE}[handler.x]\nsource = \"{source}\"\nstream = \"s\"\n");
        refuses(&Folder::with_manifest(&text, &["a"]), &format!("gristmill.toml:6:10: {message}"));
    }
}

#[test]
fn a_component_is_a_wasm_file_in_the_project() {
    let never = "does not end in .wasm; `component` is a WebAssembly component, never precompiled code";
    for (component, message) in [
        ("gone.wasm", "`gone.wasm` is not there".to_owned()),
        ("x.cwasm", format!("`x.cwasm` {never}")),
        ("x.wat", format!("`x.wat` {never}")),
        ("x", format!("`x` {never}")),
        ("../x.wasm", "`../x.wasm` has `..`; paths stay in the project".to_owned()),
        ("/x.wasm", "`/x.wasm` is absolute; paths are relative to the project".to_owned()),
        ("dir.wasm", "`dir.wasm` is not a file; `component` takes a .wasm file".to_owned()),
    ] {
        let text = format!("{BEFORE}[handler.x]\ncomponent = \"{component}\"\nstream = \"s\"\n");
        let folder = Folder::with_manifest(&text, &[]);
        folder.write("x.cwasm", "");
        folder.write("dir.wasm/file", "");
        refuses(&folder, &format!("gristmill.toml:6:13: {message}"));
    }
}

#[cfg(unix)]
#[test]
fn a_symlink_out_of_the_project_is_refused() {
    use std::os::unix::fs::symlink;
    let outside = Folder::new();
    outside.write("crate/Cargo.toml", "[package]\nname = \"x\"\n");
    outside.write("x.wasm", "");
    let text = format!(
        "{BEFORE}[handler.a]\nsource = \"crate\"\nstream = \"s\"\n[handler.b]\ncomponent = \"x.wasm\"\nstream = \"s\"\n\
         [handler.c]\nsource = \"mine\"\nstream = \"s\"\n[handler.d]\ncomponent = \"within.wasm\"\nstream = \"s\"\n"
    );
    let folder = Folder::with_manifest(&text, &[]);
    for name in ["crate", "x.wasm"] {
        symlink(outside.path.join(name), folder.path.join(name)).unwrap();
    }
    folder.write("mine/src/lib.rs", "");
    symlink(outside.path.join("crate/Cargo.toml"), folder.path.join("mine/Cargo.toml")).unwrap();
    // One that stays within is fine.
    folder.write("real.wasm", "");
    symlink("real.wasm", folder.path.join("within.wasm")).unwrap();
    let out = outside.path.display();
    refuses(
        &folder,
        &format!(
            "gristmill.toml has 3 problems\n\
             gristmill.toml:6:10: `crate` leads out of the project, to `{out}/crate`; copy it into the project\n\
             gristmill.toml:9:13: `x.wasm` leads out of the project, to `{out}/x.wasm`; copy it into the project\n\
             gristmill.toml:12:10: `mine/Cargo.toml` leads out of the project, to `{out}/crate/Cargo.toml`; copy it into \
             the project"
        ),
    );
}

#[test]
fn crates_that_are_built_as_one_file_collide() {
    let text = format!(
        "{BEFORE}[handler.one]\nsource = \"one\"\nstream = \"s\"\n[handler.two]\nsource = \"two\"\nstream = \"s\"\n\
         [handler.three]\nsource = \"three\"\nstream = \"s\"\n"
    );
    let folder = Folder::with_manifest(&text, &[]);
    folder.write("one/Cargo.toml", "[package]\nname = \"a-b\"\n");
    folder.write("two/Cargo.toml", "[package]\nname = \"a_b\"\n");
    folder.write("three/Cargo.toml", "[package]\nname = \"c\"\n[lib]\nname = \"a_b\"\n");
    let both = |other| {
        format!(
            "the crates of [handler.one] and [handler.{other}] are both built as a_b.wasm; rename one in its Cargo.toml"
        )
    };
    refuses(
        &folder,
        &format!(
            "gristmill.toml has 2 problems\ngristmill.toml:9:10: {}\ngristmill.toml:12:10: {}",
            both("two"),
            both("three")
        ),
    );
}

#[test]
fn a_crate_must_say_what_it_is() {
    let text = format!("{BEFORE}[handler.x]\nsource = \"x\"\nstream = \"s\"\n");
    let folder = Folder::with_manifest(&text, &[]);
    folder.write("x/Cargo.toml", "[workspace]\n");
    refuses(&folder, "gristmill.toml:6:10: `x/Cargo.toml` has no [package] with a `name`");
    folder.write("x/Cargo.toml", "[package]\nname = \n");
    let found = folder.load(None).unwrap_err();
    assert!(found.starts_with("gristmill.toml:6:10: `x/Cargo.toml` is not TOML, in line 2: "), "{found}");
}
