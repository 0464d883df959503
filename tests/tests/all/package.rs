//! `gristmill package`: the zip, what is in it, where `bootstrap` comes from,
//! and that the zip runs on both of Lambda's architectures.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gristmill_tests::project::{Ran, TWO_HANDLERS};
use gristmill_tests::{Project, cache_home, profile, root, succeed, target_dir};
use serde_json::Value;
use tempfile::TempDir;

use crate::cases::COMMAND;

/// The folder of a project's cache below `XDG_CACHE_HOME`.
const CACHE: &str = "gristmill";

/// Runs the command in a folder.
fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(COMMAND);
    command.args(arguments).current_dir(folder).env("XDG_CACHE_HOME", cache_home()).stdin(Stdio::null());
    command.envs(profile(gristmill_tests::native()).iter().copied());
    Ran::new(&command.output().unwrap())
}

/// A zip, what the command said of it, and its contents as Lambda would lay
/// them out.
pub(crate) struct Package {
    zip: PathBuf,
    pub(crate) told: Value,
    pub(crate) folder: TempDir,
}

impl Package {
    /// `examples/clerk`, for an architecture.
    pub(crate) fn of_clerk(architecture: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("function.zip");
        let arguments = ["--architecture", architecture, "--response", "partial", "--output", "json", "--out"];
        let arguments = [&["package"], &arguments[..], &[zip.to_str().unwrap()], more].concat();
        let ran = run(&root().join("examples/clerk"), &arguments);
        assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
        unzip(&zip, &folder.path().join("task"));
        Self { zip, told: ran.json(), folder }
    }

    /// The folder that is `/var/task` on Lambda.
    pub(crate) fn task(&self) -> PathBuf {
        self.folder.path().join("task")
    }
}

/// Unzips as Lambda does, with the modes, and checks what a reader that we did
/// not write sees: names without folders, one time, two modes, nothing extra.
fn unzip(zip: &Path, to: &Path) {
    let script = r#"
import os, re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    assert archive.comment == b""
    names = archive.namelist()
    assert names == sorted(set(names)), names
    for info in archive.infolist():
        assert re.fullmatch(r"bootstrap|handlers\.json|[0-9a-f]{64}\.cwasm", info.filename), info
        assert info.date_time == (1980, 1, 1, 0, 0, 0), info
        assert info.extra == b"" and info.comment == b"" and info.create_system == 3, info
        mode = info.external_attr >> 16
        assert mode == (0o100755 if info.filename == "bootstrap" else 0o100644), oct(mode)
        os.chmod(archive.extract(info, sys.argv[2]), mode & 0o777)
    print("\n".join(f"{info.filename} {info.file_size} {info.compress_size}" for info in archive.infolist()))
"#;
    fs::create_dir(to).unwrap();
    succeed(Command::new("python3").args(["-c", script]).args([zip, to]));
}

#[test]
fn what_is_told_of_a_package_is_what_is_in_it() {
    let package = Package::of_clerk(native(), &[]);
    let told = &package.told;
    assert_eq!((&told["architecture"], &told["env"]), (&native().into(), &"dev".into()));
    assert_eq!(told["file"], package.zip.to_str().unwrap());
    assert_eq!(told["mostBytes"], 262_144_000);
    let digest = succeed(Command::new("sha256sum").arg(&package.zip)).stdout;
    assert_eq!(told["sha256"], std::str::from_utf8(&digest).unwrap()[..64]);
    let script = "import base64, hashlib, sys; print(base64.b64encode(hashlib.sha256(open(sys.argv[1], 'rb').read()).digest()).decode())";
    let base64 = succeed(Command::new("python3").args(["-c", script]).arg(&package.zip)).stdout;
    assert_eq!(told["codeSha256"], std::str::from_utf8(&base64).unwrap().trim());
    assert_eq!(told["zipBytes"], fs::metadata(&package.zip).unwrap().len());

    let contents = told["contents"].as_array().unwrap();
    let mut total = 0;
    for entry in contents {
        let length = fs::metadata(package.task().join(entry["name"].as_str().unwrap())).unwrap().len();
        assert_eq!(entry["bytes"], length);
        assert!(entry["zippedBytes"].as_u64().unwrap() < length);
        total += length;
    }
    assert_eq!(told["bytes"], total);
    assert_eq!(contents.len(), fs::read_dir(package.task()).unwrap().count());
    let handlers: Vec<&Value> = contents.iter().flat_map(|entry| entry["handlers"].as_array().unwrap()).collect();
    assert_eq!(handlers.len(), 2, "{contents:?}");
}

/// A project of two handlers of one component, and a file that passes for
/// `bootstrap`.
fn two_handlers() -> (Project, PathBuf) {
    let project = Project::new(COMMAND, TWO_HANDLERS);
    let bootstrap = project.path().join("given");
    fs::copy(gristmill_tests::bootstrap(), &bootstrap).unwrap();
    (project, bootstrap)
}

fn native() -> &'static str {
    gristmill_tests::native().as_str()
}

#[test]
fn handlers_of_one_component_share_a_file() {
    let (project, _given) = two_handlers();
    let ran = project.run(&["package", "--architecture", native(), "--bootstrap", "given"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let zip = format!(".gristmill/package/demo-dev-{}.zip", native());
    assert!(ran.stdout.starts_with(&format!("{zip}: {}, ", native())), "{}", ran.stdout);
    assert!(ran.stdout.contains("zipped  a, b\n") && ran.stdout.contains("the host, given\n"), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches(".cwasm").count(), 1, "{}", ran.stdout);
    let folder = project.path().join("task");
    unzip(&project.path().join(zip), &folder);
    let settings: Value = serde_json::from_slice(&fs::read(folder.join("handlers.json")).unwrap()).unwrap();
    let handlers = settings["functions"]["demo"]["handlers"].as_array().unwrap();
    assert_eq!(handlers[0]["module"], handlers[1]["module"]);
    assert!(folder.join(handlers[0]["module"].as_str().unwrap()).is_file());
}

#[test]
fn the_same_input_makes_the_same_bytes() {
    let (project, given) = two_handlers();
    let arguments = ["package", "--architecture", native(), "--bootstrap", "given", "--out"];
    let make = |out: &str, umask: &str, change: &dyn Fn(&mut Command)| {
        let mut command = Command::new("sh");
        command.args(["-c", r#"umask "$0"; exec "$@""#, umask, COMMAND]).args(arguments).arg(out);
        command.current_dir(project.path()).env("XDG_CACHE_HOME", cache_home()).stdin(Stdio::null());
        change(&mut command);
        succeed(&mut command);
        fs::read(project.path().join(out)).unwrap()
    };
    let first = make("a.zip", "022", &|_| {});
    // Another umask, mode, time zone, language, day, and name.
    fs::set_permissions(&given, fs::Permissions::from_mode(0o600)).unwrap();
    for file in ["given", "scripted.wasm", "gristmill.toml"] {
        succeed(Command::new("touch").args(["-d", "2001-02-03"]).arg(project.path().join(file)));
    }
    let change = |command: &mut Command| {
        command.env("TZ", "Asia/Tokyo").env("LANG", "tr_TR.UTF-8").env("SOURCE_DATE_EPOCH", "1");
    };
    assert!(make("some/where/b.zip", "077", &change) == first, "the bytes differ");
    // What was there is replaced, and what was written on the way is gone.
    assert!(make("a.zip", "077", &|_| {}) == first, "the bytes differ");
    let left = fs::read_dir(project.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!left.into_iter().any(|name| name.ends_with(".tmp")));
}

#[test]
fn two_at_once_make_one_whole_package() {
    let (project, _given) = two_handlers();
    let start = || {
        let arguments = ["package", "--architecture", native(), "--bootstrap", "given", "--output", "json"];
        project.command(&arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let digests = [start(), start()].map(|child| {
        let ran = Ran::new(&child.wait_with_output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.json()["sha256"].clone()
    });
    assert_eq!(digests[0], digests[1]);
    let zip = project.path().join(format!(".gristmill/package/demo-dev-{}.zip", native()));
    unzip(&zip, &project.path().join("task"));
    assert_eq!(fs::read_dir(zip.parent().unwrap()).unwrap().count(), 1);
}

/// Runs `package` with another file as `bootstrap`, which must be refused before
/// anything is built.
fn refused(project: &Project, architecture: &str, bootstrap: &str) -> String {
    let ran = project.run(&["package", "--architecture", architecture, "--bootstrap", bootstrap]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{bootstrap}: {}", ran.stderr);
    assert!(!project.path().join(".gristmill").exists(), "{bootstrap}");
    let start = format!("error: --bootstrap `{bootstrap}` ");
    let told = ran.stderr.strip_prefix(&start);
    told.unwrap_or_else(|| panic!("{bootstrap}: {}", ran.stderr)).trim_end().to_owned()
}

#[test]
fn what_lambda_cannot_start_is_no_bootstrap() {
    let (project, given) = two_handlers();
    let whole = fs::read(&given).unwrap();
    let write = |name: &str, bytes: &[u8]| project.write(name, bytes);
    let told = |name: &str| refused(&project, native(), name);

    assert_eq!(told("gone"), "is not there");
    fs::create_dir(project.path().join("folder")).unwrap();
    assert_eq!(told("folder"), "is a folder; name the file in it");
    succeed(Command::new("mkfifo").arg(project.path().join("pipe")));
    assert_eq!(told("pipe"), "is no regular file");
    assert_eq!(told("/dev/null"), "is no regular file");
    symlink("gone", project.path().join("dangling")).unwrap();
    assert_eq!(told("dangling"), "is not there");
    write("empty", b"");
    assert_eq!(told("empty"), "is empty");
    write("script", b"#!/bin/sh\nexec true\n");
    assert_eq!(told("script"), "is no program for Linux (ELF) but a script");
    assert_eq!(told("scripted.wasm"), "is no program for Linux (ELF) but something else");
    let huge = fs::File::create(project.path().join("huge")).unwrap();
    huge.set_len(300_000_000).unwrap();
    assert_eq!(told("huge"), "is larger than all of a package may be");

    let other = if native() == "arm64" { "x86_64" } else { "arm64" };
    assert_eq!(refused(&project, other, "given"), format!("is a program for {}, not for {other}", native()));
    // Precompiled code is ELF too, of a machine that nobody has.
    let code = fs::read_dir(cache_home().join(CACHE)).unwrap().map(|entry| entry.unwrap().path());
    let code = code.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "cwasm")).unwrap();
    fs::copy(code, project.path().join("code")).unwrap();
    let of_code = told("code");
    assert!(of_code.contains("not for") || of_code.contains("can be started"), "{of_code}");

    // Cut short anywhere, it is never taken for whole.
    for length in [1, 4, 5, 16, 63, 64, 100, 1000, whole.len() / 2, whole.len() - 1] {
        write("short", &whole[..length]);
        let of_short = told("short");
        assert!(of_short.starts_with("is "), "{length}: {of_short}");
    }
    for (at, value) in [(4, 1), (5, 2), (16, 1), (16, 4), (18, 0)] {
        let mut broken = whole.clone();
        broken[at] = value;
        write("broken", &broken);
        let of_broken = told("broken");
        assert!(of_broken.starts_with("is "), "{at}: {of_broken}");
    }
}

#[test]
fn a_program_that_needs_what_lambda_does_not_have_is_refused() {
    let (project, given) = two_handlers();
    let whole = fs::read(&given).unwrap();
    // The same program, in which a name has another of its length in its place.
    let with = |from: &str, to: &str| {
        let (mut bytes, from) = (whole.clone(), from.as_bytes());
        let mut found = 0;
        for at in 0..bytes.len() - from.len() {
            if bytes[at..].starts_with(from) {
                bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
                found += 1;
            }
        }
        assert!(found > 0, "{from:?}");
        project.write("changed", &bytes);
        refused(&project, native(), "changed")
    };
    let told = with("GLIBC_2.34\0", "GLIBC_2.38\0");
    let start = "needs `GLIBC_2.38` of `libc.so.6`, and Amazon Linux 2023 has glibc 2.34; build it on a system with";
    assert!(told.starts_with(start), "{told}");
    assert!(with("GLIBC_2.34\0", "GLIBC_9.34\0").starts_with("needs `GLIBC_9.34`"));
    // What a newer linker asks of the loader, and only a newer loader has, has no number.
    assert!(with("GLIBC_2.34\0", "GLIBC_RELR\0").starts_with("needs `GLIBC_RELR`"));
    assert_eq!(with("libm.so.6\0", "libz.so.1\0"), "needs `libz.so.1`, which Lambda does not have; link it statically");
    let told = with("/ld-linux-", "/ld-other-");
    assert!(told.starts_with("is started by `/lib") && told.contains("which Lambda does not have"), "{told}");

    // A library of this machine.
    let linked = String::from_utf8(succeed(Command::new("ldd").arg(&given)).stdout).unwrap();
    let library = linked.lines().find_map(|line| line.trim().strip_prefix("libm.so.6 => ")?.split(' ').next()).unwrap();
    let told = refused(&project, native(), library);
    assert_eq!(told, "is a library or a part of a program, and not one that can be started");
}

#[test]
fn a_static_program_is_taken_and_a_link_to_it_too() {
    let (project, _given) = two_handlers();
    // Without a library, by the compiler that Rust links with.
    project.write("main.c", b"void _start(void) { for (;;) {} }\n");
    let mut command = Command::new("cc");
    command.args(["-static", "-nostdlib", "main.c", "-o", "static"]).current_dir(project.path());
    succeed(&mut command);
    // A file that the user names may be a link to it.
    symlink("static", project.path().join("link")).unwrap();
    for name in ["static", "link"] {
        let ran = project.run(&["package", "--architecture", native(), "--bootstrap", name]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
    }
}

#[test]
fn a_bootstrap_beside_the_command_is_taken() {
    let (project, given) = two_handlers();
    // In the target folder, where a hard link can be made.
    let folder = tempfile::tempdir_in(target_dir()).unwrap();
    let command = folder.path().join("gristmill");
    fs::hard_link(COMMAND, &command).unwrap();
    let package = || {
        let mut command = Command::new(&command);
        command.args(["package", "--architecture", native(), "--output", "json"]).current_dir(project.path());
        Ran::new(&command.env("XDG_CACHE_HOME", cache_home()).output().unwrap())
    };
    let beside = folder.path().join(format!("bootstrap-{}", native()));
    fs::copy(&given, &beside).unwrap();
    let ran = package();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.json()["bootstrap"], "beside the command");

    // What is there and cannot be meant is told, and not passed over.
    fs::write(&beside, "").unwrap();
    let ran = package();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains(&format!("bootstrap-{}` is empty", native())), "{}", ran.stderr);
    fs::remove_file(&beside).unwrap();
    symlink("gone", &beside).unwrap();
    assert!(package().stderr.contains("is not there"));
}

#[test]
fn nothing_is_written_or_packed_through_a_link() {
    let (project, _given) = two_handlers();
    let outside = tempfile::tempdir().unwrap();
    let package = |more: &[&str]| {
        let arguments = ["package", "--architecture", native(), "--bootstrap", "given"];
        project.run(&[&arguments[..], more].concat())
    };
    for name in [".gristmill/package", ".gristmill"] {
        let link = project.path().join(name);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        let _ = fs::remove_dir_all(&link);
        symlink(outside.path(), &link).unwrap();
        let ran = package(&[]);
        assert_eq!(ran.code, 2, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("is a symbolic link out of the project; nothing was written"), "{}", ran.stderr);
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);

    project.write("old.zip", b"old");
    symlink("old.zip", project.path().join("link.zip")).unwrap();
    let ran = package(&["--out", "link.zip"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("link.zip is a symbolic link, or no file"), "{}", ran.stderr);
    assert_eq!(fs::read(project.path().join("old.zip")).unwrap(), b"old");
    fs::create_dir(project.path().join("folder")).unwrap();
    for (out, code, told) in [
        ("folder", 2, "folder is a folder; name a file"),
        (".", 2, "--out `.` names no file"),
        ("..", 2, "--out `..` names no file"),
        ("", 2, "--out"),
        ("given/x.zip", 1, "cannot make"),
    ] {
        let ran = package(&["--out", out]);
        assert_eq!(ran.code, code, "{out}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{out}: {}", ran.stderr);
    }

    // Code in the cache that is a link to a file is not what the cache made.
    let cache = own_cache();
    let folder = cache.path().join(CACHE);
    let codes: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for code in codes {
        let elsewhere = outside.path().join(code.file_name().unwrap());
        fs::rename(&code, &elsewhere).unwrap();
        symlink(&elsewhere, &code).unwrap();
    }
    let mut command = project.command(&["package", "--architecture", native(), "--bootstrap", "given"]);
    let ran = Ran::new(&command.env("XDG_CACHE_HOME", cache.path()).output().unwrap());
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("is a symbolic link, or no file; it is not packed"), "{}", ran.stderr);
}

/// A cache that has the code of the other tests, and no `bootstrap`.
fn own_cache() -> TempDir {
    // The code of this machine is there: it was compiled for another test, or is now.
    let (project, _given) = two_handlers();
    assert_eq!(project.run(&["build"]).code, 0);
    let cache = tempfile::tempdir_in(target_dir()).unwrap();
    let folder = cache.path().join(CACHE);
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(cache_home().join(CACHE)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "cwasm") {
            fs::hard_link(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    }
    cache
}

#[test]
fn what_is_missing_to_build_bootstrap_is_named_with_the_way_around() {
    let (project, _given) = two_handlers();
    let cache = own_cache();
    let package = |more: &[&str], path: &Path| {
        let mut command = project.command(&["package", "--architecture", native()]);
        command.args(more).env("XDG_CACHE_HOME", cache.path()).env("PATH", path);
        let ran = Ran::new(&command.output().unwrap());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let around = format!(
            "cannot build bootstrap for {} (`--bootstrap FILE` takes one that was built elsewhere): ",
            native()
        );
        let told = ran.stderr.lines().last().unwrap().strip_prefix("error: ").unwrap().to_owned();
        told.strip_prefix(&around).unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    let nothing = tempfile::tempdir().unwrap();
    let told = package(&[], nothing.path());
    assert!(told.starts_with("rustc does not start; install Rust, see https://rustup.rs"), "{told}");

    let everything = std::env::var_os("PATH").unwrap();
    let told = package(&["--offline"], Path::new(&everything));
    assert!(told.ends_with("/tools, and --offline forbids to install it; build once without"), "{told}");

    let rust = tempfile::tempdir().unwrap();
    let rustc =
        std::env::split_paths(&everything).map(|folder| folder.join("rustc")).find(|path| path.is_file()).unwrap();
    symlink(rustc, rust.path().join("rustc")).unwrap();
    let told = package(&[], rust.path());
    assert!(told.starts_with("cargo-zigbuild-0.24.1 is installed from PyPI, and python3 does not start"), "{told}");
    let python = rust.path().join("python3");
    fs::write(&python, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let bin = [rust.path(), Path::new("/bin"), Path::new("/usr/bin")];
    let path = std::env::join_paths(bin).unwrap();
    let told = package(&[], Path::new(&path));
    assert!(told.contains("python3 has no pip; install it"), "{told}");
    // A pip that fails, and one that installs nothing: neither leaves anything that counts.
    fs::write(&python, "#!/bin/sh\ncase \"$*\" in *--version*) exit 0 ;; esac\nexit 1\n").unwrap();
    let told = package(&[], Path::new(&path));
    assert!(
        told.contains("pip could not install cargo-zigbuild-0.24.1 (exit status: 1); its messages are above"),
        "{told}"
    );
    fs::write(&python, "#!/bin/sh\nexit 0\n").unwrap();
    let told = package(&[], Path::new(&path));
    assert!(told.contains("cargo-zigbuild-0.24.1 from PyPI has no bin/cargo-zigbuild"), "{told}");
    let left = fs::read_dir(cache.path().join(CACHE).join("tools")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["cargo-zigbuild-0.24.1.lock"]);
    assert!(!project.path().join(".gristmill/package").exists());
}

/// Panics name the source, and a library's is below the user's home.
#[test]
fn no_folder_of_this_machine_is_in_bootstrap() {
    let has = |text: &str| {
        let file = gristmill_tests::bootstrap();
        let status = Command::new("grep").args(["-q", "-a", "-F", "-e", text]).arg(file).status().unwrap();
        status.code().filter(|code| *code < 2).expect("grep reads the file") == 0
    };
    // The search finds what is there.
    assert!(has("/cargo/registry/src/"));
    let home = std::env::home_dir().unwrap();
    for folder in [home.as_path(), root(), target_dir(), cache_home(), Path::new("/.cargo/"), Path::new("/.rustup/")] {
        assert!(!has(folder.to_str().unwrap()), "{}", folder.display());
    }
}

#[test]
fn what_is_no_handler_is_not_packaged() {
    let manifest = TWO_HANDLERS.replacen("scripted.wasm", "world.wasm", 1);
    let project = Project::new(COMMAND, &manifest);
    fs::copy(gristmill_tests::bootstrap(), project.path().join("given")).unwrap();
    project.write("world.wasm", &wat::parse_str("(component)").unwrap());
    let ran = project.run(&["package", "--architecture", native(), "--bootstrap", "given"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("handler a cannot be packaged: it must export"), "{}", ran.stderr);
    project.write("world.wasm", b"\x7fELF");
    let ran = project.run(&["package", "--architecture", native(), "--bootstrap", "given"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("precompiled or native code"), "{}", ran.stderr);
    assert!(!project.path().join(".gristmill/package").exists());
}
