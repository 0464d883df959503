//! `bootstrap` against a Runtime API that we did not write: the emulator of
//! cargo-lambda. It sends a deadline in 1970, and answers a failed function
//! with HTTP 500.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use gristmill_tests::events::{of_table, seed};
use gristmill_tests::runtime_api::{Environment, package};
use gristmill_tests::{Project, root, succeed, target_dir};
use tempfile::TempDir;

use crate::bootstrap::ONE_HANDLER;
use crate::cases::COMMAND;

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The emulator, which is installed when it is not there.
fn cargo_lambda() -> &'static str {
    static PATH: LazyLock<String> = LazyLock::new(|| {
        let output = succeed(Command::new("/bin/sh").arg(root().join("tests/tools/cargo-lambda")).arg(target_dir()));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    });
    &PATH
}

/// A process with its output in a file, ended when it is dropped.
struct Process {
    child: Child,
    output: fs::File,
}

impl Process {
    fn start(command: &mut Command) -> Self {
        let output = tempfile::tempfile().unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output.try_clone().unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, output }
    }

    /// Fails the test with what was printed, if the process has ended.
    fn assert_runs(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("{status}: {}", self.printed());
        }
    }

    fn printed(&self) -> String {
        use std::os::unix::fs::FileExt as _;
        let mut bytes = vec![0; usize::try_from(self.output.metadata().unwrap().len()).unwrap()];
        self.output.read_exact_at(&mut bytes, 0).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Emulator {
    process: Process,
    port: u16,
    _folder: TempDir,
}

impl Emulator {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/main.rs"), "fn main() {}\n").unwrap();
        let manifest = "[package]\nname = \"any\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        // Free now; the emulator cannot be asked to take one of its choice.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let arguments = ["lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1", "-P"];
        let mut process =
            Process::start(Command::new(cargo_lambda()).args(arguments).arg(port.to_string()).current_dir(&folder));
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            process.assert_runs();
            assert!(Instant::now() < end, "the emulator does not listen: {}", process.printed());
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, port, _folder: folder }
    }

    /// Invokes the function and gives the status and the body. The emulator
    /// keeps the request until a runtime takes it.
    fn invoke(&self, payload: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST /2015-03-31/functions/_/invocations HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            payload.len()
        );
        stream.write_all(&[head.as_bytes(), payload].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap_or_else(|error| panic!("{error}: {}", self.process.printed()));
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }
}

/// Runs three invocations against the emulator, whose address `bootstrap` is
/// told in this form.
fn smoke(address: impl FnOnce(u16) -> String) {
    let emulator = Emulator::start();
    let package = package(&Project::new(COMMAND, ONE_HANDLER), "partial");
    let environment = Environment::of(&address(emulator.port), "demo").with("AWS_LAMBDA_FUNCTION_NAME", "_");
    let mut command = Command::new(package.path().join("bootstrap"));
    let mut bootstrap = Process::start(environment.apply(&mut command));

    assert_eq!(emulator.invoke(&seed(None)), (200, r#"{"batchItemFailures":[]}"#.to_owned()));
    let failing = seed(Some("retry the printer is out of paper"));
    let failed = r#"{"batchItemFailures":[{"itemIdentifier":"261800000000059086429283"}]}"#;
    assert_eq!(emulator.invoke(&failing), (200, failed.to_owned()));
    let (status, body) = emulator.invoke(&of_table(&seed(None), "other-table"));
    assert_eq!(status, 500, "{body}");
    assert!(body.contains("Gristmill.Unrouted"), "{body}");
    // The failure of one invocation is not the end of the process.
    assert_eq!(emulator.invoke(&seed(None)), (200, r#"{"batchItemFailures":[]}"#.to_owned()));
    bootstrap.assert_runs();

    let log = bootstrap.printed();
    assert!(log.contains("is before the invocation was received; it is ignored"), "{log}");
    succeed(Command::new("kill").args(["-TERM", &bootstrap.child.id().to_string()]));
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = bootstrap.child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < end, "bootstrap does not end: {}", bootstrap.printed());
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(status.code(), Some(0), "{}", bootstrap.printed());
}

#[test]
fn an_emulator_that_we_did_not_write_runs_it() {
    smoke(|port| format!("127.0.0.1:{port}/.rt"));
}

#[test]
fn the_emulators_address_may_be_a_url() {
    smoke(|port| format!("http://127.0.0.1:{port}/.rt"));
}

#[test]
fn without_python_the_script_says_what_is_missing() {
    let empty = tempfile::tempdir().unwrap();
    let script = root().join("tests/tools/cargo-lambda");
    let output = Command::new("/bin/sh").arg(script).arg(empty.path()).env("PATH", empty.path()).output().unwrap();
    let expected =
        "tests/tools/cargo-lambda: cargo-lambda 1.9.2 is installed from PyPI, and python3 is not on PATH; install it\n";
    assert_eq!((output.status.code(), &*String::from_utf8_lossy(&output.stderr)), (Some(1), expected));
}
