//! A function as a process, against a Runtime API of its own.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gristmill_runtime_api::{Answered, Deadline, RuntimeApi, Status};

/// The longest that anything is waited for. The slowest of those that are
/// compared needs a second on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The answer of a function that did its work.
const ANSWER: &str = r#"{"batchItemFailures":[]}"#;

/// A process, ended and reaped when it is dropped.
pub struct Process {
    child: Child,
    api: RuntimeApi,
    started: Instant,
    /// The invocation that was in the queue when it started.
    first: Option<String>,
    /// The end of what it wrote to standard error.
    stderr: Arc<Mutex<Vec<u8>>>,
}

/// The memory of a process, in MB (10⁶ bytes).
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What is resident now: `VmRSS`.
    pub resident_mb: f64,
    /// The most that was: `VmHWM`.
    pub most_mb: f64,
    /// What of the resident no file stands for, so that no other process has it
    /// too and none could be given up: `RssAnon`.
    pub anonymous_mb: f64,
}

impl Process {
    /// Starts a command, which needs everything but the Runtime API's address,
    /// with this invocation in the queue.
    ///
    /// # Errors
    ///
    /// For people, as in all of these: the program cannot be started.
    pub fn start(command: &mut Command, first: Option<&[u8]>) -> Result<Self, String> {
        let api = RuntimeApi::start();
        let first = first.map(|payload| api.push(payload, Deadline::In(PATIENCE)));
        command.env("AWS_LAMBDA_RUNTIME_API", api.address());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
        // Lambda reads what a function prints, so somebody must here too. The
        // threads end when the process has, and closed its end.
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        thread::spawn(move || drain(stdout, |_| ()));
        let printed = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&printed);
        thread::spawn(move || {
            drain(stderr, |bytes| {
                let mut printed = keep.lock().unwrap_or_else(PoisonError::into_inner);
                printed.extend_from_slice(bytes);
                let more = printed.len().saturating_sub(MOST_STDERR);
                printed.drain(..more);
            });
        });
        Ok(Self { child, api, started, first, stderr: printed })
    }

    /// From the start of the process to the answer to its first invocation,
    /// which it was started with.
    ///
    /// # Errors
    ///
    /// It ended, did not answer in time, or answered something else than that
    /// all is done.
    pub fn first_answer(&mut self) -> Result<Duration, String> {
        let (started, first) = (self.started, self.first.clone().ok_or("it was started without an invocation")?);
        self.answer(&first).map(|answered| answered.answered - started)
    }

    /// Waits until it has asked for its first invocation.
    ///
    /// # Errors
    ///
    /// It ended, or did not ask in time.
    pub fn wait_until_initialised(&mut self) -> Result<(), String> {
        let Self { child, api, stderr, .. } = self;
        let asked = api.wait_until_initialised(PATIENCE, || ended(child, stderr));
        asked.map(drop).map_err(|error| error.to_string())
    }

    /// Runs an invocation: how long from when it is sent until its answer is
    /// read, both at the server.
    ///
    /// # Errors
    ///
    /// As [`Process::first_answer`].
    pub fn invoke(&mut self, payload: &[u8]) -> Result<Duration, String> {
        let id = self.api.push(payload, Deadline::In(PATIENCE));
        self.answer(&id).map(|answered| answered.answered - answered.handed_out)
    }

    fn answer(&mut self, id: &str) -> Result<Answered, String> {
        let Self { child, api, stderr, .. } = self;
        let answered = api.wait_for_answer(id, PATIENCE, || ended(child, stderr)).map_err(|error| error.to_string())?;
        // Some write a space after a colon.
        match &answered.status {
            Status::Response(body) if body.replace(' ', "") == ANSWER => Ok(answered),
            other => Err(format!("it answered {other:?}")),
        }
    }

    /// Its memory, once that is the same twice in a row: after its request for
    /// an invocation a process may still tidy up.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn memory(&self) -> Result<Memory, String> {
        const BETWEEN: Duration = Duration::from_millis(20);
        const TRIES: usize = 50;
        let mut before = self.memory_now()?;
        for _ in 0..TRIES {
            thread::sleep(BETWEEN);
            let now = self.memory_now()?;
            if now.resident_mb == before.resident_mb {
                break;
            }
            before = now;
        }
        Ok(before)
    }

    fn memory_now(&self) -> Result<Memory, String> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let mb = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kib: Option<f64> =
                line.and_then(|rest| rest.trim_start_matches(':').trim().strip_suffix(" kB")?.parse().ok());
            kib.map(|kib| kib * 1024.0 / 1e6).ok_or_else(|| format!("no {name} in the status of the process"))
        };
        Ok(Memory { resident_mb: mb("VmRSS")?, most_mb: mb("VmHWM")?, anonymous_mb: mb("RssAnon")? })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails if it has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is kept of standard error, for a message.
const MOST_STDERR: usize = 500;

fn drain(pipe: Option<impl Read>, mut take: impl FnMut(&[u8])) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = pipe.read(&mut buffer) {
        take(&buffer[..length]);
    }
}

fn ended(child: &mut Child, stderr: &Mutex<Vec<u8>>) -> Option<String> {
    let status = child.try_wait().unwrap()?;
    let stderr = stderr.lock().unwrap_or_else(PoisonError::into_inner);
    // Of a traceback the last line says what it was.
    let text = String::from_utf8_lossy(&stderr);
    Some(format!("it ended ({status}): {}", text.trim().lines().last().unwrap_or_default()))
}
