//! `bootstrap` as a process, in an environment that holds what a test gives it
//! and nothing else.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use gristmill_runtime_api::{Answered, NotCome};
use serde_json::Value;
use tempfile::TempDir;

use super::{Deadline, RuntimeApi, Status};
use crate::Project;

/// The longest that a test waits for anything. The machines that run the tests
/// may be busy with other builds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stands for what must never be seen in a log: the value of every variable
/// with credentials.
pub const SECRET: &str = "wJalrXUtnFEMI-K7MDENG";

/// The environment of `bootstrap`.
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// What Lambda sets, for a function that `handlers.json` has under this
    /// name.
    pub fn of(api: &str, function: &str) -> Self {
        let own = [
            ("AWS_LAMBDA_RUNTIME_API", api),
            ("AWS_ACCESS_KEY_ID", SECRET),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SESSION_TOKEN", SECRET),
            ("GRISTMILL_FUNCTION", function),
        ];
        let all = gristmill_runtime_api::variables("512").into_iter().chain(own);
        Self(all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// With this variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Gives a command these variables and no others.
    pub fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env_clear().envs(&self.0)
    }

    /// Without this variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }
}

/// How an invocation ended, and what was logged by then.
pub struct Answer {
    /// How it ended.
    pub status: Status,
    /// Lambda's id of the invocation.
    pub request_id: String,
    /// The lines that came on standard output since the invocation before, but
    /// for metrics.
    pub lines: Vec<String>,
    /// Of those lines, the documents in the embedded metric format that the host
    /// has written.
    pub metrics: Vec<Value>,
    /// When the answer came, in Unix milliseconds.
    pub at_ms: u64,
    /// The deadline that was sent, in Unix milliseconds.
    pub deadline_ms: u64,
}

impl Answer {
    /// The lines, read as JSON.
    ///
    /// # Panics
    ///
    /// When one is not.
    pub fn logs(&self) -> Vec<Value> {
        logs(&self.lines)
    }

    /// The body of the response.
    ///
    /// # Panics
    ///
    /// When the function failed.
    pub fn response(&self) -> &str {
        match &self.status {
            Status::Response(body) => body,
            Status::Error { error_type, message } => panic!("the function failed: {error_type}: {message}"),
        }
    }

    /// The type and the message of the failure.
    ///
    /// # Panics
    ///
    /// When the function answered.
    pub fn error(&self) -> (&str, &str) {
        match &self.status {
            Status::Error { error_type, message } => (error_type, message),
            Status::Response(body) => panic!("the function answered {body}"),
        }
    }
}

fn logs(lines: &[String]) -> Vec<Value> {
    let read = |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    lines.iter().map(read).collect()
}

/// How a process ended.
pub struct Ended {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// The lines on standard output since the last invocation.
    pub lines: Vec<String>,
    /// Standard error.
    pub stderr: String,
    /// The Runtime API that it spoke to.
    pub api: RuntimeApi,
}

impl Ended {
    /// The lines, read as JSON.
    ///
    /// # Panics
    ///
    /// When one is not.
    pub fn logs(&self) -> Vec<Value> {
        logs(&self.lines)
    }
}

/// A process, ended when it is dropped.
struct Process(Child);

impl Process {
    fn status(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// How it ended, if it has.
    fn ended(&mut self, stderr: &File) -> Option<String> {
        self.status().map(|status| format!("bootstrap ended ({status}): {}", text(stderr, 0)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails if it has ended, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `bootstrap`, running against a Runtime API of its own.
///
/// Its output goes to files: what it wrote before it answered is there when
/// the answer is, and nothing can fill up.
pub struct Bootstrap {
    process: Process,
    api: RuntimeApi,
    stdout: File,
    stderr: File,
    /// How much of stdout was handed out.
    read: u64,
}

impl Bootstrap {
    /// Starts the `bootstrap` of a package for one of its functions.
    pub fn start(package: &Path, function: &str) -> Self {
        Self::start_with(package, function, |environment| environment)
    }

    /// The same with another environment.
    pub fn start_with(package: &Path, function: &str, change: impl FnOnce(Environment) -> Environment) -> Self {
        let mut command = Command::new(package.join("bootstrap"));
        command.current_dir(package);
        Self::start_changed(command, function, change)
    }

    /// The same by a command that ends in being `bootstrap`.
    pub fn start_command(command: Command, function: &str) -> Self {
        Self::start_changed(command, function, |environment| environment)
    }

    fn start_changed(mut command: Command, function: &str, change: impl FnOnce(Environment) -> Environment) -> Self {
        let api = RuntimeApi::start();
        let environment = change(Environment::of(&api.address(), function));
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let child = environment
            .apply(&mut command)
            .stdin(Stdio::null())
            .stdout(stdout.try_clone().unwrap())
            .stderr(stderr.try_clone().unwrap())
            .spawn()
            .unwrap();
        Self { process: Process(child), api, stdout, stderr, read: 0 }
    }

    /// The server's side.
    pub fn api(&self) -> &RuntimeApi {
        &self.api
    }

    /// Runs an invocation to its end.
    ///
    /// # Panics
    ///
    /// When the process ends, or does not answer within a minute, or asks for
    /// something that Lambda refuses.
    pub fn invoke(&mut self, payload: &[u8], deadline: Deadline) -> Answer {
        let id = self.api.push(payload, deadline);
        self.wait_for(&id)
    }

    /// Waits for the end of an invocation that was pushed.
    ///
    /// # Panics
    ///
    /// As [`Bootstrap::invoke`].
    pub fn wait_for(&mut self, request_id: &str) -> Answer {
        let Self { process, api, stderr, .. } = self;
        let answered = api.wait_for_answer(request_id, PATIENCE, || process.ended(stderr)).unwrap_or_else(fail);
        let Answered { id: request_id, status, at_ms, deadline_ms, .. } = answered;
        // By the namespace: what a guest forges is not taken out.
        let is_metrics =
            |line: &String| line.contains(r#"{"CloudWatchMetrics":[{"#) && line.contains(r#""Namespace":"Gristmill""#);
        let (metrics, lines) = self.lines().into_iter().partition(is_metrics);
        Answer { status, request_id, lines, metrics: logs(&metrics), at_ms, deadline_ms }
    }

    /// Waits until the runtime has asked for its first invocation.
    pub fn wait_until_initialised(&mut self) {
        let Self { process, api, stderr, .. } = self;
        api.wait_until_initialised(PATIENCE, || process.ended(stderr)).unwrap_or_else(fail);
    }

    /// Waits until an invocation was handed out.
    pub fn wait_until_running(&mut self) {
        self.api.wait_until_running(PATIENCE, || None).unwrap_or_else(fail);
    }

    /// Waits until an extension is registered and asks for its next event.
    pub fn wait_until_extended(&mut self) {
        self.api.wait_until_extended(PATIENCE, || None).unwrap_or_else(fail);
    }

    fn lines(&mut self) -> Vec<String> {
        let bytes = bytes(&self.stdout, self.read);
        self.read += bytes.len() as u64;
        let text = String::from_utf8(bytes).expect("bootstrap writes UTF-8");
        assert!(text.is_empty() || text.ends_with('\n'), "a line was not written to its end: {text}");
        // Not `lines`, which would hide a carriage return.
        text.split_terminator('\n').map(str::to_owned).collect()
    }

    /// What came on standard error.
    pub fn stderr(&self) -> String {
        text(&self.stderr, 0)
    }

    /// Sends SIGTERM, as Lambda does at the end, and waits.
    pub fn terminate(self) -> Ended {
        let id = self.process.0.id().to_string();
        crate::succeed(Command::new("kill").args(["-TERM", &id]));
        self.wait_until_ended()
    }

    /// Waits for the process to end by itself.
    ///
    /// # Panics
    ///
    /// When it does not within a minute.
    pub fn wait_until_ended(mut self) -> Ended {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.process.status() {
                break status;
            }
            assert!(Instant::now() < end, "bootstrap did not end in {PATIENCE:?}: {}", self.stderr());
            // There is no wait with a limit in std; this is one.
            std::thread::sleep(Duration::from_millis(5));
        };
        let lines = self.lines();
        Ended { code: status.code(), lines, stderr: self.stderr(), api: self.api }
    }
}

fn fail<T>(error: NotCome) -> T {
    panic!("{error}")
}

/// What is in a file from an offset on. The process writes at an offset that it
/// shares with `file`, which therefore is not moved.
fn bytes(file: &File, from: u64) -> Vec<u8> {
    let length = file.metadata().unwrap().len();
    let mut bytes = vec![0; usize::try_from(length - from).unwrap()];
    file.read_exact_at(&mut bytes, from).unwrap();
    bytes
}

fn text(file: &File, from: u64) -> String {
    String::from_utf8_lossy(&bytes(file, from)).into_owned()
}

/// A package as `gristmill build` lays it out for a project, with `bootstrap`.
/// `response` is `partial` or `error`.
///
/// # Panics
///
/// When the command fails, with what it printed.
pub fn package(project: &Project, response: &str) -> TempDir {
    let package = tempfile::tempdir().unwrap();
    let (dir, bootstrap) = (package.path().to_str().unwrap(), crate::bootstrap().to_str().unwrap());
    let ran = project.run(&["build", "--package", dir, "--bootstrap", bootstrap, "--response", response]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    package
}
