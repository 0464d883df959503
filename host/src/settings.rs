//! What the host is told before the first event: `handlers.json`.
//!
//! The deployer derives the file from the manifest and the host reads it, both
//! through these types, so there is one description of it. This module knows
//! nothing of WASM, of Lambda or of the file system: text in, settings out.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The only version of `handlers.json` that this host reads.
pub const VERSION: u32 = 1;

/// What the host itself needs of a function's memory, in MB: its own 25 and a
/// payload with what is found in it.
pub const HOST_MB: u32 = 40;

/// `handlers.json`, whole: the handlers of every function that is made from
/// one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Package {
    /// [`VERSION`].
    pub version: u32,
    /// What each function runs, by the name that `GRISTMILL_FUNCTION` selects.
    #[serde(deserialize_with = "each_name_once")]
    pub functions: BTreeMap<String, Function>,
}

/// A plain map would keep the last of two functions of one name, and the
/// handlers of the other would never run.
fn each_name_once<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Function>, D::Error> {
    struct Functions;
    impl<'de> Visitor<'de> for Functions {
        type Value = BTreeMap<String, Function>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut functions = BTreeMap::new();
            while let Some(name) = map.next_key::<String>()? {
                if functions.contains_key(&name) {
                    return Err(A::Error::custom(format!("function {name:?} is there twice")));
                }
                functions.insert(name, map.next_value()?);
            }
            Ok(functions)
        }
    }
    deserializer.deserialize_map(Functions)
}

/// What one function runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Function {
    /// The streams that the function has mappings for.
    pub streams: Vec<Stream>,
    /// The handlers, in the order of their names.
    pub handlers: Vec<Handler>,
}

/// One stream and how its batches are run and answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stream {
    /// The stream's name in the manifest.
    pub name: String,
    /// What an event must come from to belong to this stream.
    pub source: Source,
    /// R11. Absent means `error`, which is safe under every mapping.
    #[serde(default)]
    pub response: Response,
    /// R6.
    #[serde(default)]
    pub order: Order,
    /// How many calls may be in flight at once (R7). Absent: the number of
    /// vCPUs, and no more than the function's memory has room for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<usize>,
}

/// How a stream is recognised (R5). The label, a timestamp, never decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The table's full name, in any account and Region.
    Table(String),
    /// The ARN of the table, or of one of its streams.
    StreamArn(String),
}

/// What the function answers when a record must come again (R11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// The function names the record. Only for a mapping that has
    /// ReportBatchItemFailures: without it Lambda takes the answer for success.
    Partial,
    /// The function fails.
    #[default]
    Error,
}

/// Which records wait for one another (R6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Those of one item.
    #[default]
    Item,
    /// All of them, for each handler.
    Shard,
}

/// One handler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Handler {
    /// The handler's name in the manifest.
    pub name: String,
    /// The name of its stream.
    pub stream: String,
    /// The file of precompiled code beside `handlers.json`:
    /// 64 hexadecimal digits and `.cwasm`.
    pub module: String,
    /// EventBridge patterns, joined by OR. Empty: every record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    /// How long an instance lives.
    #[serde(default)]
    pub instance_per: InstancePer,
    /// What a call may use.
    #[serde(default, skip_serializing_if = "Limits::are_default")]
    pub limits: Limits,
}

/// How long an instance of a handler lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstancePer {
    /// One record: nothing is left to the next.
    #[default]
    Record,
    /// One record after another of an invocation, until one ends it by a trap,
    /// a limit or a timeout. For guests whose start-up is dear.
    Invocation,
}

/// What one call of a handler may use. Each is a key of `[handler.…]` in the
/// manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Linear memory in MiB, summed over all memories of the component.
    /// 64 holds a 6 MB batch many times over and lets a 128 MB function run one
    /// call at a time.
    pub memory_mb: u32,
    /// Wall time of a call in milliseconds, start-up of the instance included.
    /// 5,000: an answer that takes longer is more often stuck than slow, and a
    /// batch must share the function's timeout.
    pub timeout_ms: u32,
    /// What is kept of stdout, and of stderr, in KiB: the first and the last
    /// half. The rest is counted. 64: some pages of text for a record.
    pub output_kb: u32,
    /// What is kept of the log lines of a call, in KiB. 64, like the output.
    pub log_kb: u32,
    /// What is kept of a failure's text, in KiB. 4: it goes into one log line,
    /// and Lambda cuts a line at 256 KB.
    pub failure_kb: u32,
    /// What host calls may copy, in MiB: into the guest over a whole call, and
    /// out of it in any one host call. 8: a record is at most 0.4 MB an image,
    /// so this reads each image ten times over.
    pub host_call_mb: u32,
    /// Handles to host resources at one time. 1,000: a guest needs about ten.
    pub handles: u32,
    /// Elements of all tables together. 100,000: a table holds the functions
    /// that are called indirectly; the largest language runtimes have 20,000.
    pub table_elements: u32,
    /// Core instances, and as many tables. 48: a Rust guest needs 3 instances
    /// and 2 tables, a runtime that links libraries dynamically some 30.
    pub instances: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mb: 64,
            timeout_ms: 5_000,
            output_kb: 64,
            log_kb: 64,
            failure_kb: 4,
            host_call_mb: 8,
            handles: 1_000,
            table_elements: 100_000,
            instances: 48,
        }
    }
}

impl Limits {
    /// Most handlers keep them, and a file that says so for each is five times
    /// as long.
    fn are_default(&self) -> bool {
        *self == Self::default()
    }

    /// Each limit's key, smallest and largest value.
    pub const RANGES: [(&'static str, u32, u32); 9] = [
        ("memory-mb", 1, 4_095),
        ("timeout-ms", 1, 900_000),
        ("output-kb", 1, 4_096),
        ("log-kb", 1, 4_096),
        ("failure-kb", 1, 64),
        ("host-call-mb", 1, 1_024),
        ("handles", 10, 1_000_000),
        ("table-elements", 1, 10_000_000),
        ("instances", 1, 1_000),
    ];

    /// Each limit's key and value, in the order of [`Limits::RANGES`].
    pub fn values(&self) -> [(&'static str, u32); 9] {
        let Self {
            memory_mb,
            timeout_ms,
            output_kb,
            log_kb,
            failure_kb,
            host_call_mb,
            handles,
            table_elements,
            instances,
        } = *self;
        let values =
            [memory_mb, timeout_ms, output_kb, log_kb, failure_kb, host_call_mb, handles, table_elements, instances];
        std::array::from_fn(|i| (Self::RANGES[i].0, values[i]))
    }
}

/// The length of the digest in a module's name, in hexadecimal digits.
const DIGEST_DIGITS: usize = 64;

impl Package {
    /// Reads `handlers.json`.
    ///
    /// # Errors
    ///
    /// What is wrong with it: not JSON of this form (with the JSON path), a
    /// version that this host does not read, a module that is not named by a
    /// digest, a limit out of its range.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        // A derived struct takes a list too, by position.
        if !text.trim_start().starts_with('{') {
            return Err(vec!["not a JSON object".to_owned()]);
        }
        // Read once, when nothing is wrong: a host starts by this.
        let read: Result<Self, _> = serde_json::from_str(text);
        let package = match read {
            Ok(package) if package.version == VERSION => package,
            _ => Self::faults(text)?,
        };
        let problems: Vec<String> =
            package.functions.iter().flat_map(|(name, function)| function.problems(name)).collect();
        if problems.is_empty() { Ok(package) } else { Err(problems) }
    }

    /// Reads what is no package of this version again, to say why.
    fn faults(text: &str) -> Result<Self, Vec<String>> {
        /// The version alone, so that a newer file is not reported as a
        /// mistyped one.
        #[derive(Deserialize)]
        struct Versioned {
            version: Option<u32>,
        }
        let Versioned { version } = serde_json::from_str(text).map_err(|error| vec![error.to_string()])?;
        match version {
            Some(VERSION) => {}
            None => return Err(vec!["version: missing".to_owned()]),
            Some(other) => return Err(vec![format!("version {other}, and this host reads version {VERSION}")]),
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| vec![format!("{}: {}", error.path(), error.inner())])
    }

    /// The function of that name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.get(name)
    }

    /// The functions' names, for messages.
    pub fn function_names(&self) -> String {
        let names: Vec<String> = self.functions.keys().map(|name| format!("{name:?}")).collect();
        if names.is_empty() { "no function".to_owned() } else { names.join(", ") }
    }
}

impl Function {
    fn problems(&self, function: &str) -> Vec<String> {
        let mut problems = Vec::new();
        for handler in &self.handlers {
            let at = |problem: String| format!("function {function:?}: handler {:?}: {problem}", handler.name);
            // A name and no path: nothing else beside `bootstrap` is loaded.
            let digest = handler.module.strip_suffix(".cwasm").unwrap_or_default();
            let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            if digest.len() != DIGEST_DIGITS || !digest.bytes().all(is_digit) {
                problems.push(at(format!(
                    "module {:?} is not {DIGEST_DIGITS} hexadecimal digits and .cwasm",
                    handler.module
                )));
            }
            for ((key, value), (_, least, most)) in handler.limits.values().into_iter().zip(Limits::RANGES) {
                if !(least..=most).contains(&value) {
                    problems.push(at(format!("{key} = {value} is not from {least} to {most}")));
                }
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(handler: &str) -> String {
        format!(
            r#"{{"version":1,"functions":{{"demo":{{"streams":[{{"name":"t","source":{{"table":"demo-dev_t"}}}}],"handlers":[{handler}]}}}}}}"#
        )
    }

    fn problems(text: &str) -> Vec<String> {
        Package::parse(text).unwrap_err()
    }

    #[test]
    fn what_is_not_said_has_the_safe_default() {
        let module = "0".repeat(64);
        let text = package(&format!(r#"{{"name":"h","stream":"t","module":"{module}.cwasm"}}"#));
        let package = Package::parse(&text).unwrap();
        let function = package.function("demo").unwrap();
        assert_eq!(function.streams[0].response, Response::Error);
        assert_eq!(function.streams[0].order, Order::Item);
        assert_eq!(function.handlers[0].limits, Limits::default());
        assert_eq!(package.function_names(), "\"demo\"");
        let written = serde_json::to_string(&package).unwrap();
        assert_eq!(Package::parse(&written).unwrap(), package);
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        assert_eq!(problems("{"), ["EOF while parsing an object at line 1 column 1"]);
        assert_eq!(problems("[1]"), ["not a JSON object"]);
        assert_eq!(problems("{}"), ["version: missing"]);
        assert_eq!(problems(r#"{"version":2,"new":{}}"#), ["version 2, and this host reads version 1"]);
        assert_eq!(
            problems(r#"{"version":1,"functions":{"f":{"streams":[{"name":"s","table":"t"}],"handlers":[]}}}"#),
            [
                "functions.f.streams[0].table: unknown field `table`, expected one of `name`, `source`, `response`, `order`, `concurrency` at line 1 column 61"
            ]
        );
        let text = package(r#"{"name":"h","stream":"t","module":"../x.cwasm","limits":{"memory-mb":0,"handles":5}}"#);
        assert_eq!(
            problems(&text),
            [
                "function \"demo\": handler \"h\": module \"../x.cwasm\" is not 64 hexadecimal digits and .cwasm",
                "function \"demo\": handler \"h\": memory-mb = 0 is not from 1 to 4095",
                "function \"demo\": handler \"h\": handles = 5 is not from 10 to 1000000",
            ]
        );
    }

    #[test]
    fn a_function_that_is_there_twice_is_told() {
        let function = r#""f":{"streams":[],"handlers":[]}"#;
        assert_eq!(
            problems(&format!(r#"{{"version":1,"functions":{{{function},{function}}}}}"#)),
            ["functions: function \"f\" is there twice at line 1 column 62"]
        );
    }

    #[test]
    fn the_default_limits_are_in_their_ranges() {
        for ((key, value), (name, least, most)) in Limits::default().values().into_iter().zip(Limits::RANGES) {
            assert_eq!(key, name);
            assert!((least..=most).contains(&value), "{key}");
        }
    }
}
