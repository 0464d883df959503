//! The functions that are compared as processes: `bootstrap` in packages of its
//! own, and what people have today in Rust, Python and JavaScript.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use gristmill_host::settings::{Function as Settings, InstancePer, Package, VERSION};

use crate::package::{self, root};
use crate::process::Process;

/// Memory of the function, in MB: about that of one vCPU.
const MEMORY_MB: &str = "1769";

/// One that is compared.
pub struct Function {
    /// What it is.
    pub name: String,
    /// How it is started, or why it cannot be.
    start: Result<Start, String>,
}

struct Start {
    program: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Function {
    /// Starts it, with an invocation in the queue or none.
    ///
    /// # Errors
    ///
    /// For people: what it needs is not there, or the process does not start.
    pub fn start(&self, first: Option<&[u8]>) -> Result<Process, String> {
        let Start { program, arguments, variables } = self.start.as_ref().map_err(Clone::clone)?;
        let mut command = Command::new(program);
        // What Lambda sets, and nothing else.
        command.args(arguments).env_clear().envs(gristmill_runtime_api::variables(MEMORY_MB));
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        Process::start(&mut command, first)
    }
}

/// `bootstrap` with so many handlers, each of a stream and in a file of its
/// own. The events are of the first.
pub fn bootstrap(name: &str, instance_per: InstancePer, handlers: usize) -> Function {
    let program = target().join(format!("bench-functions/{handlers}-{instance_per:?}/bootstrap"));
    let built = package::Built { dir: package::guests(), guest: "structs" };
    lay_out(program.parent().unwrap(), &built, instance_per, handlers, Streams::Own);
    let variables = vec![("GRISTMILL_FUNCTION", "bench".to_owned())];
    Function { name: name.to_owned(), start: Ok(Start { program, arguments: Vec::new(), variables }) }
}

/// What a handler does with a record, in each language and without gristmill.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Reads the new image, and looks at all parts of it.
    Read,
    /// Prints a line, as the generated handler does.
    Clerk,
}

impl Work {
    /// The module of the functions in Node and Python.
    fn module(self) -> &'static str {
        match self {
            Self::Read => "handler",
            Self::Clerk => "clerk",
        }
    }
}

/// `bootstrap` with the handler of a language, which is one of
/// `tests/bench/languages`, `tests/bench/project` or `examples`.
pub fn language(name: &str, lang: &str, work: Work, instance_per: InstancePer) -> Function {
    several(name, lang, work, instance_per, 1)
}

/// The same with so many handlers on one stream, each in a file of its own: as
/// different handlers are, only that their code is the same.
pub fn several(name: &str, lang: &str, work: Work, instance_per: InstancePer, handlers: usize) -> Function {
    let dir = target().join(format!("bench-functions/{lang}-{work:?}-{instance_per:?}-{handlers}"));
    let clerk = format!("clerk-{lang}-file");
    let built = match (lang, work) {
        ("rust", Work::Read) => package::Built { dir: package::guests(), guest: "structs" },
        ("rust", Work::Clerk) => package::Built { dir: package::clerk(), guest: "clerk-file" },
        (_, Work::Read) => package::Built { dir: package::languages(), guest: lang },
        (_, Work::Clerk) => package::Built { dir: package::clerks(), guest: &clerk },
    };
    lay_out(&dir, &built, instance_per, handlers, Streams::One);
    let variables = vec![("GRISTMILL_FUNCTION", "bench".to_owned())];
    let start = Start { program: dir.join("bootstrap"), arguments: Vec::new(), variables };
    Function { name: name.to_owned(), start: Ok(start) }
}

/// The usual handler in Rust, which cargo has built for the benchmark.
pub fn usual(program: &str) -> Function {
    let start = Start { program: program.into(), arguments: Vec::new(), variables: Vec::new() };
    Function { name: "usual: lambda_runtime, aws_lambda_events, serde_dynamo".to_owned(), start: Ok(start) }
}

/// Python on AWS's own client.
pub fn python(work: Work) -> Function {
    let start = || {
        // A program of that name may be a script that chooses among several.
        let program = ask("python3", &["-c", "import sys; print(sys.executable)"])?;
        let installed = install("awslambdaric")?;
        let variables = vec![
            ("PYTHONPATH", format!("{installed}:{}", root().join("tests/bench/functions/python").display())),
            // Nothing is left in the sources.
            ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ];
        let arguments = vec!["-m".to_owned(), "awslambdaric".to_owned(), format!("{}.handler", work.module())];
        Ok(Start { program: program.into(), arguments, variables })
    };
    let version = ask("python3", &["--version"]).unwrap_or_else(|_| "Python".to_owned());
    Function { name: format!("{version}: awslambdaric, boto3's TypeDeserializer"), start: start() }
}

/// JavaScript on a loop of ours.
pub fn node(work: Work) -> Function {
    let start = || {
        let program = ask("node", &["--print", "process.execPath"])?;
        let script = root().join("tests/bench/functions/node/runtime.cjs").display().to_string();
        Ok(Start {
            program: program.into(),
            arguments: vec![script, work.module().to_owned()],
            variables: vec![("NODE_PATH", install("util-dynamodb")?)],
        })
    };
    let version = ask("node", &["--version"]).unwrap_or_default();
    Function { name: format!("Node {version}: a bare loop, AWS's unmarshall"), start: start() }
}

/// The folder that cargo builds into.
fn target() -> &'static Path {
    package::guests().parent().unwrap()
}

/// What a program prints.
fn ask(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        // A client of a registry may say more than fits into a table.
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(stderr.lines().last().unwrap_or("it failed and said nothing").to_owned())
    }
}

/// Runs a script of `tests/tools`, which prints where it has installed what it
/// is for.
fn install(tool: &str) -> Result<String, String> {
    let (script, target) = (root().join("tests/tools").join(tool), target().display().to_string());
    ask(&script.display().to_string(), &[&target])
}

/// `bootstrap` as it is shipped: built alone, without a compiler.
fn shipped() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(root()).args(["build", "--release", "--quiet", "--locked", "-p", "gristmill-host"]);
        cargo.args(["--features", "lambda", "--bin", "bootstrap"]);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_TARGET_DIR") {
            cargo.env_remove(name);
        }
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        target().join("release/bootstrap")
    })
}

/// Which streams several handlers are on.
enum Streams {
    /// Each on its own. Events are of the first's.
    Own,
    /// All on one, so that each has every record.
    One,
}

/// A package: `bootstrap`, `handlers.json`, and the code of each handler, which
/// is the same code in different files.
fn lay_out(dir: &Path, built: &package::Built<'_>, instance_per: InstancePer, handlers: usize, streams: Streams) {
    if dir.exists() {
        // Code of guests that have changed since.
        fs::remove_dir_all(dir).unwrap();
    }
    fs::create_dir_all(dir).unwrap();
    let place = |from: &Path, to: PathBuf| {
        fs::copy(from, &to).unwrap_or_else(|error| panic!("{} to {}: {error}", from.display(), to.display()));
    };
    place(shipped(), dir.join("bootstrap"));
    let mut settings = Settings::default();
    for index in 0..handlers {
        let table = match streams {
            Streams::Own if index > 0 => format!("orders-{index}"),
            _ => "orders".to_owned(),
        };
        let mut handler = built.handler(&format!("{}-{index}", built.guest), instance_per);
        let code = built.dir.join(&handler.module);
        handler.stream.clone_from(&table);
        if index > 0 {
            handler.module = format!("{index:064x}.cwasm");
        }
        place(&code, dir.join(&handler.module));
        if settings.streams.iter().all(|stream| stream.name != table) {
            settings.streams.push(package::stream(&table));
        }
        settings.handlers.push(handler);
    }
    let package = Package { version: VERSION, functions: BTreeMap::from([("bench".to_owned(), settings)]) };
    fs::write(dir.join("handlers.json"), serde_json::to_string_pretty(&package).unwrap()).unwrap();
}
