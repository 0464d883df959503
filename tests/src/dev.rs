//! `gristmill dev` as a process, and the database that it serves.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Project;

/// The longest that a test waits for anything. The machines that run the tests
/// may be busy with other builds.
const PATIENCE: Duration = Duration::from_secs(300);

/// Dev mode in a project, with `--output json` on a free port. Killed when it is
/// dropped.
pub struct Dev {
    child: Child,
    lines: Receiver<String>,
    /// All that it has told so far.
    pub told: Vec<Value>,
    /// The endpoint, for example `http://127.0.0.1:40123`.
    pub endpoint: String,
}

impl Dev {
    /// Starts it, and waits until it serves.
    pub fn start(project: &Project, arguments: &[&str]) -> Self {
        Self::start_with(project, &[&["--port", "0"], arguments].concat())
    }

    /// The same on a database that runs elsewhere.
    pub fn start_on(project: &Project, endpoint: &str, arguments: &[&str]) -> Self {
        Self::start_with(project, &[&["--endpoint", endpoint], arguments].concat())
    }

    fn start_with(project: &Project, arguments: &[&str]) -> Self {
        let mut command = project.command(&["dev", "--output", "json"]);
        command.args(arguments);
        Self::run(command)
    }

    /// The same from a command of the test's own.
    pub fn run(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            // A failure shows it. Nobody reads it otherwise, and it must be read.
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                eprintln!("dev: {line}");
            }
        });
        let mut dev = Self { child, lines, told: Vec::new(), endpoint: String::new() };
        let started = dev.wait_for("the start", |event| event["type"] == "started");
        dev.endpoint = started["endpoint"].as_str().unwrap().to_owned();
        dev
    }

    /// Waits for something to be told, from here on.
    ///
    /// # Panics
    ///
    /// When it does not come.
    pub fn wait_for(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("{what} did not come; told so far: {:#?}", self.told)
            };
            let event: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            self.told.push(event.clone());
            if is_it(&event) {
                return event;
            }
        }
    }

    /// Waits until a record with this outcome was told `count` times, from here
    /// on. Gives them.
    pub fn records(&mut self, outcome: &str, count: usize) -> Vec<Value> {
        let what = format!("{count} records {outcome}");
        (0..count).map(|_| self.wait_for(&what, |e| e["type"] == "record" && e["outcome"] == outcome)).collect()
    }

    /// Waits until the handlers run and the stream is read.
    pub fn ready(&mut self) {
        let (mut runs, mut reads) = (false, false);
        while !(runs && reads) {
            let event = self.wait_for("handlers and a stream", |_| true);
            runs |= event["type"] == "swapped";
            reads |= event["type"] == "stream" && event["state"] == "reading";
        }
    }

    /// Makes a request that must succeed.
    pub fn call(&self, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(&format!("DynamoDB_20120810.{operation}"), body);
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        answer
    }

    /// Makes a request.
    pub fn ask(&self, target: &str, body: &Value) -> (u16, Value) {
        try_ask(&self.endpoint, target, body).unwrap()
    }

    /// Makes a table with the key `id` and a stream.
    pub fn create_table(&self, table: &str) {
        self.call(
            "CreateTable",
            &json!({
                "TableName": table,
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
            }),
        );
    }

    /// Puts an item whose handlers do this.
    pub fn put(&self, table: &str, id: &str, script: &str) {
        self.call("PutItem", &json!({ "TableName": table, "Item": { "id": { "S": id }, "do": { "S": script } } }));
    }

    /// Sends Ctrl-C, and gives how it ended.
    pub fn interrupt(mut self) -> ExitStatus {
        self.signal("INT");
        self.end()
    }

    /// Kills it at once, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(status.success());
    }

    fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not end; told: {:#?}", self.told);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request over HTTP, of a connection of its own.
///
/// # Errors
///
/// When there is no answer, as while the process is being killed.
pub fn try_ask(endpoint: &str, target: &str, body: &Value) -> std::io::Result<(u16, Value)> {
    let host = endpoint.strip_prefix("http://").unwrap();
    let body = body.to_string();
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.0\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=local/20261124/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=host, Signature=0\r\nX-Amz-Date: 20261124T000000Z\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let bad = || std::io::Error::other(format!("no answer: {answer:?}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(bad)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(bad)?;
    Ok((status, serde_json::from_str(body).map_err(|_| bad())?))
}
