//! The guests, built by the command as a user's are, and hosts that run them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use gristmill_host::guest::Invocation;
use gristmill_host::invoke::{Host, Invoked, Observer, Request};
use gristmill_host::settings::{Function, Handler, InstancePer, Limits, Order, Package, Response, Source, Stream};

/// What a user may have set.
const KEPT: [&str; 2] = ["CARGO_HOME", "CARGO_TARGET_DIR"];

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// The folder that cargo builds into.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folder of the precompiled guests and their `handlers.json`.
pub fn guests() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| built(&root().join("tests/bench/project"), "bench-package"))
}

/// The same of the handlers in other languages than Rust.
pub fn languages() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| built(&root().join("tests/bench/languages"), "bench-languages"))
}

/// The clerk of the examples in Rust.
pub fn clerk() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| built(&root().join("examples/clerk"), "bench-clerk"))
}

/// The clerk of the examples in other languages.
pub fn clerks() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| built(&root().join("examples/languages"), "bench-clerks"))
}

/// A guest of a package that was built.
pub struct Built<'a> {
    /// The package's folder.
    pub dir: &'a Path,
    /// The handler's name in it.
    pub guest: &'a str,
}

impl Built<'_> {
    /// A handler of the table `orders` with the guest's code.
    pub fn handler(&self, name: &str, instance_per: InstancePer) -> Handler {
        let text = std::fs::read_to_string(self.dir.join("handlers.json")).unwrap();
        let package = Package::parse(&text).unwrap();
        // The only one of its project.
        let function = package.functions.values().next().unwrap();
        let module = function.handlers.iter().find(|handler| handler.name == self.guest).unwrap().module.clone();
        handler_of(name, module, instance_per)
    }
}

/// Builds a project by the command, and gives the folder of its package, which
/// has this name.
pub fn built(project: &Path, name: &str) -> PathBuf {
    let dir = target().join(name);
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(root())
        .args(["run", "--quiet", "--locked"])
        // As tests/bench/run has built it.
        .args(std::env::var("GRISTMILL_BENCH_COMMAND").as_deref().unwrap_or("--bin gristmill").split(' '));
    cargo
        .arg("--")
        .arg("--project")
        .arg(project)
        .args(["build", "--package"])
        .arg(&dir)
        .args(["--response", "partial"]);
    // What cargo tells a benchmark is not for the build of another project. What a user has set is.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && !KEPT.contains(&name.as_str())) {
        cargo.env_remove(name);
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    dir
}

/// The file name of a guest's code.
pub fn module(guest: &str) -> String {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    let package = PACKAGE
        .get_or_init(|| Package::parse(&std::fs::read_to_string(guests().join("handlers.json")).unwrap()).unwrap());
    let function = package.function("bench").unwrap();
    function.handlers.iter().find(|handler| handler.name == guest).unwrap().module.clone()
}

/// A handler of the table `orders` with the code of a guest.
pub fn handler(name: &str, guest: &str, instance_per: InstancePer) -> Handler {
    handler_of(name, module(guest), instance_per)
}

fn handler_of(name: &str, module: String, instance_per: InstancePer) -> Handler {
    Handler {
        name: name.to_owned(),
        stream: "orders".to_owned(),
        module,
        filters: Vec::new(),
        instance_per,
        limits: Limits::default(),
    }
}

/// A stream of a table. One call at a time: all that is compared has one
/// thread.
pub fn stream(table: &str) -> Stream {
    Stream {
        name: table.to_owned(),
        source: Source::Table(table.to_owned()),
        response: Response::Partial,
        order: Order::Item,
        concurrency: Some(1),
    }
}

/// A host with one handler of the table `orders`.
pub fn host(name: &str, guest: &str, instance_per: InstancePer) -> Arc<Host> {
    host_of(Function { streams: vec![stream("orders")], handlers: vec![handler(name, guest, instance_per)] })
}

/// The host of a function.
pub fn host_of(function: Function) -> Arc<Host> {
    let host = Host::new(function, None, |module| guests().join(module));
    Arc::new(host.unwrap_or_else(|errors| panic!("{errors:?}")))
}

/// Runs an event through a host, from the bytes of the payload to the answer.
pub fn invoke(runtime: &tokio::runtime::Runtime, host: &Arc<Host>, payload: &[u8], observer: &Arc<dyn Observer>) {
    drop(invoked(runtime, host, payload, observer));
}

/// The same, with what became of it: all is done.
pub fn invoked(
    runtime: &tokio::runtime::Runtime,
    host: &Arc<Host>,
    payload: &[u8],
    observer: &Arc<dyn Observer>,
) -> Invoked {
    let invoked = run(runtime, host, payload, observer);
    assert_eq!(invoked.response.as_deref().unwrap(), r#"{"batchItemFailures":[]}"#);
    invoked
}

/// The same, whatever became of it.
pub fn run(
    runtime: &tokio::runtime::Runtime,
    host: &Arc<Host>,
    payload: &[u8],
    observer: &Arc<dyn Observer>,
) -> Invoked {
    let request = Request {
        payload: std::str::from_utf8(payload).unwrap().to_owned(),
        invocation: Arc::new(Invocation::default()),
        received_ms: 0,
        deadline_ms: None,
        handler: None,
        response: None,
    };
    runtime.block_on(host.invoke(request, Arc::clone(observer))).unwrap()
}
