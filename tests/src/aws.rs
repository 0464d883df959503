//! Something that stands for AWS: moto, an emulator that we did not write, and
//! before it the CloudFormation of `tests/cloudformation`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::front::Front;
use crate::project::Ran;
use crate::{root, succeed, target_dir};

/// The Region of the tests.
pub const REGION: &str = "eu-west-1";

/// Moto's account.
pub const ACCOUNT: &str = "123456789012";

fn installed(tool: &str) -> String {
    let output = succeed(Command::new(root().join("tests/tools").join(tool)).arg(target_dir()));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Where Python finds moto and cfn-lint.
fn packages() -> &'static str {
    static PACKAGES: LazyLock<String> = LazyLock::new(|| format!("{}:{}", installed("moto"), installed("cfn-lint")));
    &PACKAGES
}

/// Moto's server on a free port, killed when it is dropped.
pub struct Moto {
    child: Child,
    /// Where it listens.
    pub url: String,
}

impl Moto {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start() -> Self {
        let mut child = Command::new("python3")
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONPATH", packages())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says where it listens, and then a line for each request.
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let url =
            lines.find_map(|line| Some(line.split_once("Running on ")?.1.trim().to_owned())).expect("its address");
        std::thread::spawn(move || lines.for_each(drop));
        let moto = Self { child, url };
        // Without Docker its Lambda gives answers that a test puts there.
        moto.post("moto-api/config", &json!({ "lambda": { "use_docker": false } }));
        moto
    }

    /// What the next invocations answer.
    ///
    /// # Panics
    ///
    /// When it does not take them.
    pub fn answer(&self, answers: &[&str]) {
        let body = json!({ "results": answers, "region": REGION });
        self.post("moto-api/static/lambda-simple/response", &body);
    }

    fn post(&self, path: &str, body: &Value) {
        curl(&format!("{}/{path}", self.url), body);
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends JSON and gives what was answered.
fn curl(url: &str, body: &Value) -> String {
    let script = "import sys, urllib.request\n\
                  request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': 'application/json'})\n\
                  print(urllib.request.urlopen(request, timeout=60).read().decode(), end='')";
    let output = succeed(Command::new("python3").args(["-c", script, url, &body.to_string()]));
    String::from_utf8(output.stdout).unwrap()
}

/// All of it behind one address.
pub struct Aws {
    moto: Option<Moto>,
    /// It ends when its input is closed.
    child: Option<(Child, ChildStdin)>,
    /// Where it listens; none is AWS itself.
    url: Option<String>,
}

/// The variable with the endpoint that the end-to-end test runs on: a URL, or `aws`
/// for the account of the environment's credentials.
pub const ENDPOINT: &str = "GRISTMILL_E2E_ENDPOINT";

/// The variable with what that endpoint is known to lack, with commas between.
pub const LACKS: &str = "GRISTMILL_E2E_LACKS";

/// What plain moto lacks of what the end-to-end test needs: a stack's aliases are
/// ignored, and a mapping on one then fails; outputs are not told after a change set.
pub const MOTO_LACKS: [&str; 2] = ["stack-aliases", "stack-outputs"];

impl Aws {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts it with tables, streams and mappings that deliver.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn with_front(front: &Front) -> Self {
        Self::with(&["--dynamodb", &front.dynamodb, "--mappings", &front.mappings])
    }

    fn with(arguments: &[&str]) -> Self {
        let moto = Moto::start();
        let mut child = Command::new("python3")
            .arg(root().join("tests/cloudformation/server.py"))
            .args(["--moto", &moto.url])
            .args(arguments)
            .env("PYTHONPATH", packages())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned())).expect("its address");
        std::thread::spawn(move || lines.for_each(drop));
        Self { moto: Some(moto), child: Some((child, stdin)), url: Some(url) }
    }

    /// Moto alone, with its own CloudFormation.
    pub fn plain_moto() -> Self {
        let moto = Moto::start();
        let url = Some(moto.url.clone());
        Self { moto: Some(moto), child: None, url }
    }

    /// The endpoint of [`ENDPOINT`] with what it lacks, when there is one.
    pub fn outside() -> Option<(Self, Vec<String>)> {
        let endpoint = std::env::var(ENDPOINT).ok().filter(|endpoint| !endpoint.is_empty())?;
        let url = (endpoint != "aws").then_some(endpoint);
        let lacks = std::env::var(LACKS).unwrap_or_default();
        let lacks = lacks.split(',').map(str::trim).filter(|lack| !lack.is_empty()).map(str::to_owned).collect();
        Some((Self { moto: None, child: None, url }, lacks))
    }

    /// What lies behind.
    ///
    /// # Panics
    ///
    /// When that is not ours.
    pub fn moto(&self) -> &Moto {
        self.moto.as_ref().expect("a moto of ours")
    }

    /// Tells the CloudFormation of the tests something (its README, Control).
    ///
    /// # Panics
    ///
    /// When it does not understand.
    pub fn control(&self, what: &Value) -> Value {
        let url = self.url.as_ref().expect("the CloudFormation of the tests");
        serde_json::from_str(&curl(&format!("{url}/_control"), what)).unwrap()
    }

    /// What was asked for since the last reset, as `service operation`, once for
    /// each time.
    ///
    /// # Panics
    ///
    /// When it does not say.
    pub fn calls(&self) -> Vec<String> {
        let answer = self.control(&json!({ "calls": true }));
        let mut calls = Vec::new();
        for call in answer["calls"].as_array().unwrap() {
            let text = format!("{} {}", call["service"].as_str().unwrap(), call["operation"].as_str().unwrap());
            calls.extend((0..call["count"].as_u64().unwrap()).map(|_| text.clone()));
        }
        calls
    }

    /// A command that finds it.
    pub fn reach<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        match (&self.url, &self.moto) {
            (Some(url), Some(_)) => credentials(command).env("AWS_ENDPOINT_URL", url),
            (Some(url), None) => own_credentials(command).env("AWS_ENDPOINT_URL", url),
            (None, _) => own_credentials(command).env_remove("AWS_ENDPOINT_URL"),
        }
    }

    /// What such a command leaves. It is asked nothing.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn ran(&self, command: &mut Command) -> Ran {
        Ran::new(&self.reach(command.stdin(Stdio::null())).output().unwrap())
    }

    /// The AWS CLI, and what it printed.
    ///
    /// # Panics
    ///
    /// When it fails, or prints no JSON.
    pub fn cli(&self, arguments: &[&str]) -> Value {
        let mut python = crate::clients::python();
        python.args(["-m", "awscli", "--output", "json"]).args(arguments);
        let output = succeed(self.reach(&mut python));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// A table with a string key `id`, and its stream.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn table(&self, name: &str) {
        self.cli(&[
            "dynamodb",
            "create-table",
            "--table-name",
            name,
            "--attribute-definitions",
            "AttributeName=id,AttributeType=S",
            "--key-schema",
            "AttributeName=id,KeyType=HASH",
            "--billing-mode",
            "PAY_PER_REQUEST",
            "--stream-specification",
            "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES",
        ]);
        if self.moto.is_none() {
            self.cli(&["dynamodb", "wait", "table-exists", "--table-name", name]);
        }
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Those of whoever names an endpoint, from the environment.
fn own_credentials(command: &mut Command) -> &mut Command {
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
    ] {
        match std::env::var_os(name) {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Credentials that mean nothing, and no configuration of the user's.
pub fn credentials(command: &mut Command) -> &mut Command {
    command
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_ENDPOINT_URL")
}
