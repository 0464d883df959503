//! `bootstrap` as it is packaged, on both of Lambda's architectures.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use gristmill_tests::events::{of_table, seed};
use gristmill_tests::runtime_api::Bootstrap;
use gristmill_tests::{succeed, target_dir};

use super::AMPLE;
use crate::package::Package;

/// The seed event on the example's table, and with an item that has no name.
fn events() -> [Vec<u8>; 2] {
    let whole = of_table(&seed(None), "demo-dev_test-table");
    let text = String::from_utf8(whole.clone()).unwrap();
    let nameless = text.replacen(r#""name":{"S":"Tung Nguyen"},"#, "", 1);
    assert_ne!(nameless, text);
    [whole, nameless.into_bytes()]
}

/// Sends the events to a `bootstrap` that runs, and checks the answers and what
/// the handlers said.
fn answers_the_seed_event(mut bootstrap: Bootstrap) {
    let [whole, nameless] = events();
    let answer = bootstrap.invoke(&whole, AMPLE);
    assert_eq!(answer.response(), r#"{"batchItemFailures":[]}"#, "{:?}", answer.lines);
    let said = answer.lines.concat();
    assert!(said.contains(r#"event: MODIFY demo-dev_test-table keys {\"id\":{\"S\":\"1\"}}"#), "{said}");
    let answer = bootstrap.invoke(&nameless, AMPLE);
    let failed = r#"{"batchItemFailures":[{"itemIdentifier":"261800000000059086429283"}]}"#;
    assert_eq!(answer.response(), failed, "{:?}", answer.lines);
    assert!(answer.lines.concat().contains("the item has no name"), "{:?}", answer.lines);
}

/// The libraries of glibc. What else a program needs is not in the root that it
/// is started in.
const OF_GLIBC: [&str; 7] =
    ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "libresolv.so.2", "librt.so.1", "libutil.so.1"];

/// A root that holds a package in `/var/task`, the parts of this machine's glibc
/// that `bootstrap` is linked with, and nothing else.
fn empty_root(package: &Package) -> PathBuf {
    let root = package.folder.path().join("root");
    fs::create_dir_all(root.join("var")).unwrap();
    fs::create_dir(root.join("proc")).unwrap();
    fs::rename(package.task(), root.join("var/task")).unwrap();
    let linked = succeed(Command::new("ldd").arg(root.join("var/task/bootstrap"))).stdout;
    let mut loaders = 0;
    for line in String::from_utf8(linked).unwrap().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let path = match words.as_slice() {
            ["linux-vdso.so.1", ..] => continue,
            [name, "=>", path, _] => {
                assert!(OF_GLIBC.contains(name), "bootstrap needs {name}, which is not glibc's");
                Path::new(*path)
            }
            [path, _] if path.contains("/ld-linux") => {
                loaders += 1;
                Path::new(*path)
            }
            _ => panic!("{line}"),
        };
        let to = root.join(path.strip_prefix("/").unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
    }
    assert_eq!(loaders, 1);
    root
}

/// Starts `/var/task/bootstrap` in a root of its own, with `/proc`, where it
/// looks for its own folder.
fn in_root(root: &Path) -> Command {
    let mut command = Command::new("unshare");
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        command.args(["--user", "--map-root-user"]);
    }
    let script = r#"mount --rbind /proc "$0/proc" && exec unshare --root "$0" --wd /var/task /var/task/bootstrap"#;
    command.args(["--mount", "sh", "-c", script]).arg(root);
    command
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "needs an x86_64 machine, as CI has")]
fn the_x86_64_package_answers_the_seed_event_with_glibc_and_nothing_else() {
    // `bootstrap` is built by the command, or was by another test.
    let package = Package::of_clerk("x86_64", &[]);
    assert_eq!(package.told["bootstrap"], "built from the command's own sources");
    let root = empty_root(&package);
    answers_the_seed_event(Bootstrap::start_command(in_root(&root), "demo"));
}

#[test]
#[ignore = "builds bootstrap for arm64, which takes minutes, and needs x86_64; `.ci/deep` runs it"]
fn the_arm64_package_answers_the_seed_event_under_emulation() {
    let tool = succeed(Command::new(gristmill_tests::root().join("tests/tools/qemu")).arg(target_dir()));
    let tool = PathBuf::from(String::from_utf8(tool.stdout).unwrap().trim());
    let package =
        Package::of_clerk("arm64", &["--bootstrap", gristmill_tests::bootstrap_for_arm64().to_str().unwrap()]);
    let mut command = Command::new(tool.join("qemu-aarch64-static"));
    // Of libraries for arm64, glibc's are all that there is on this machine.
    command.arg("-L").arg(tool.join("sysroot")).arg(package.task().join("bootstrap")).current_dir(package.task());
    answers_the_seed_event(Bootstrap::start_command(command, "demo"));
}
