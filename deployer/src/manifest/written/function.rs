//! `[function]` as written: the Lambda function that handlers share. A handler's
//! own function takes the same keys, and has what it does not say from here.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::super::fields::{At, Fields, Refused};
use super::super::problem::Report;
use super::iam::{self, Iam};
use super::tags;
use crate::architecture::Architecture;
use crate::edge::quoted;

const REFUSED: &[Refused] = &[
    ("timeout", "the key is `timeout-ms`"),
    ("memory", "the key is `memory-mb`"),
    ("memory-size", "the key is `memory-mb`"),
    ("ephemeral-storage", "the key is `ephemeral-storage-mb`"),
    ("architectures", "the key is `architecture`"),
    ("env", "the key is `environment`"),
    ("variables", "the key is `environment`"),
    ("vpc-config", "the key is `vpc`"),
    ("tracing-config", "the key is `tracing`"),
    ("log-retention", "the key is `log-retention-days`"),
    ("reserved-concurrent-executions", "the key is `reserved-concurrency`"),
    ("runtime", "a function of gristmill's runs on provided.al2023"),
    ("name", "functions are named after project, environment and handler"),
    ("function-name", "functions are named after project, environment and handler"),
    ("role", "gristmill makes the role; `[iam]` adds to its rights, or replaces them"),
    ("dead-letter-config", "an async dead-letter queue does nothing for a stream; `on-failure` in [stream.NAME] does"),
    ("dead-letter-queue", "an async dead-letter queue does nothing for a stream; `on-failure` in [stream.NAME] does"),
];

/// What a function is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSettings {
    /// 128–10,240. Default 512: the host needs some 20 MB beside the handlers, and
    /// a function's share of a vCPU grows with its memory.
    pub memory_mb: u32,
    /// How long an invocation may take, 1,000–900,000, whole seconds. Default a
    /// minute, so that a batch of a few slow records ends by itself.
    pub timeout_ms: u32,
    /// Default [`Architecture::X86_64`].
    pub architecture: Architecture,
    /// `/tmp`, 512–10,240. Default 512, which costs nothing.
    pub ephemeral_storage_mb: u32,
    /// Variables of the function: the host's settings. No handler sees them.
    pub environment: BTreeMap<String, String>,
    /// ARNs of layer versions, at most five: extensions.
    pub layers: Vec<String>,
    /// The network that the function is in.
    pub vpc: Option<Vpc>,
    /// Whether X-Ray samples requests. Default false.
    pub tracing: bool,
    /// Default 30. None is for ever.
    pub log_retention_days: Option<u32>,
    /// Default none.
    pub reserved_concurrency: Option<u32>,
    /// The function's tags.
    pub tags: BTreeMap<String, String>,
}

impl Default for FunctionSettings {
    fn default() -> Self {
        Self {
            memory_mb: 512,
            timeout_ms: 60_000,
            architecture: Architecture::default(),
            ephemeral_storage_mb: 512,
            environment: BTreeMap::new(),
            layers: Vec::new(),
            vpc: None,
            tracing: false,
            log_retention_days: Some(30),
            reserved_concurrency: None,
            tags: BTreeMap::new(),
        }
    }
}

/// A function's network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    /// 1–16 (the public model of Lambda, SubnetIds).
    pub subnet_ids: Vec<String>,
    /// 1–5 (the same, SecurityGroupIds).
    pub security_group_ids: Vec<String>,
}

/// `[function]`, or `[handler.NAME.function]`: what was said and no default.
#[derive(Clone, Debug, Default)]
pub(crate) struct FunctionWritten {
    pub(crate) memory_mb: Option<At<i64>>,
    pub(crate) timeout_ms: Option<At<i64>>,
    architecture: Option<At<Architecture>>,
    ephemeral_storage_mb: Option<At<i64>>,
    environment: BTreeMap<String, String>,
    layers: Option<Vec<String>>,
    vpc: Option<Vpc>,
    tracing: Option<bool>,
    log_retention_days: Option<At<i64>>,
    reserved_concurrency: Option<At<i64>>,
    tags: BTreeMap<String, String>,
    pub(crate) iam: Iam,
}

impl FunctionWritten {
    /// With what is not said from `base`. Tables are joined, key by key.
    pub(crate) fn over(&self, base: &FunctionSettings) -> FunctionSettings {
        // The ranges were checked.
        let number = |read: &Option<At<i64>>, default| {
            read.as_ref().and_then(|at| u32::try_from(at.value).ok()).unwrap_or(default)
        };
        let joined = |own: &BTreeMap<String, String>, base: &BTreeMap<String, String>| {
            let mut joined = base.clone();
            joined.extend(own.clone());
            joined
        };
        FunctionSettings {
            memory_mb: number(&self.memory_mb, base.memory_mb),
            timeout_ms: number(&self.timeout_ms, base.timeout_ms),
            architecture: self.architecture.as_ref().map_or(base.architecture, |at| at.value),
            ephemeral_storage_mb: number(&self.ephemeral_storage_mb, base.ephemeral_storage_mb),
            environment: joined(&self.environment, &base.environment),
            layers: self.layers.clone().unwrap_or_else(|| base.layers.clone()),
            vpc: self.vpc.clone().or_else(|| base.vpc.clone()),
            tracing: self.tracing.unwrap_or(base.tracing),
            log_retention_days: match &self.log_retention_days {
                // -1, for ever.
                Some(at) => u32::try_from(at.value).ok(),
                None => base.log_retention_days,
            },
            reserved_concurrency: self
                .reserved_concurrency
                .as_ref()
                .map_or(base.reserved_concurrency, |at| u32::try_from(at.value).ok()),
            tags: joined(&self.tags, &base.tags),
        }
    }
}

/// `[function]` of the file's root.
pub(super) fn read(root: &mut Fields<'_, '_, '_>) -> FunctionWritten {
    match root.table("function", "a table: [function]") {
        Some((offset, table)) => read_table("[function]".to_owned(), offset, table, root.report, &[]),
        None => FunctionWritten::default(),
    }
}

/// The days that CloudWatch Logs keeps lines for (PutRetentionPolicy), and -1
/// for ever.
const RETENTION_DAYS: [i64; 23] =
    [-1, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// `also` are keys that this table must not have, and why.
pub(super) fn read_table<'t>(
    place: String,
    offset: usize,
    table: &'t DeTable<'t>,
    report: &mut Report<'_>,
    also: &[Refused],
) -> FunctionWritten {
    let mut fields = Fields::new(place, offset, table, report);
    let timeout_ms = fields.integer("timeout-ms", &[1_000..=900_000]);
    if let Some(At { value, offset }) = &timeout_ms
        && value % 1_000 != 0
    {
        let message = "`timeout-ms` takes whole seconds here, because Lambda does: a multiple of 1000";
        fields.report.problem(*offset, message);
    }
    let retention = RETENTION_DAYS.iter().map(|days| *days..=*days).collect::<Vec<_>>();
    let written = FunctionWritten {
        memory_mb: fields.integer("memory-mb", &[128..=10_240]),
        timeout_ms,
        architecture: match also.iter().any(|(key, _)| *key == "architecture") {
            true => None,
            false => fields.choice("architecture", &Architecture::ALL.map(|each| (each.as_str(), each))),
        },
        ephemeral_storage_mb: fields.integer("ephemeral-storage-mb", &[512..=10_240]),
        environment: environment(&mut fields),
        layers: layers(&mut fields),
        vpc: vpc(&mut fields),
        tracing: fields.choice("tracing", &[("active", true), ("pass-through", false)]).map(|at| at.value),
        log_retention_days: fields.integer("log-retention-days", &retention),
        // An account has 1,000 unless it asked for more.
        reserved_concurrency: fields.integer("reserved-concurrency", &[0..=100_000]),
        tags: tags::read(&mut fields),
        iam: iam::read(&mut fields),
    };
    let refused: Vec<Refused> = REFUSED.iter().chain(also).copied().collect();
    fields.finish(&refused);
    written
}

/// Variables that Lambda sets or refuses (Using Lambda environment variables,
/// Reserved environment variables), and the one by which gristmill tells a
/// function which of the package it is.
const RESERVED: [&str; 4] = ["GRISTMILL_FUNCTION", "_HANDLER", "_X_AMZN_TRACE_ID", "TZ"];

/// Lambda's limit for all variables of a function, names and values.
const MOST_ENVIRONMENT_BYTES: usize = 4 * 1024;

fn environment(fields: &mut Fields<'_, '_, '_>) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    let mut bytes = 0;
    for (name, value) in fields.string_table("environment") {
        let shown = quoted(&name.value);
        let first = name.value.starts_with(|c: char| c.is_ascii_alphabetic());
        let rest = name.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if RESERVED.contains(&name.value.as_str())
            || name.value.starts_with("AWS_")
            || name.value.starts_with("LAMBDA_")
        {
            fields.report.problem(name.offset, format!("the variable {shown} is set by Lambda or by gristmill"));
        } else if !first || !rest || name.value.len() < 2 {
            let message =
                format!("{shown} is no variable's name: letters, digits and `_`, at least two, the first a letter");
            fields.report.problem(name.offset, message);
        } else if value.value.contains('\0') {
            fields.report.problem(value.offset, format!("the value of {shown} has a NUL character in it"));
        }
        bytes += name.value.len() + value.value.len();
        environment.insert(name.value, value.value);
    }
    if bytes > MOST_ENVIRONMENT_BYTES {
        let at = fields.key_offset("environment").unwrap_or(fields.offset());
        let message = format!("`environment` has {bytes} bytes; Lambda takes {MOST_ENVIRONMENT_BYTES}");
        fields.report.problem(at, message);
    }
    environment
}

fn layers(fields: &mut Fields<'_, '_, '_>) -> Option<Vec<String>> {
    /// Lambda's own limit.
    const MOST: usize = 5;
    let written = fields.strings("layers", "an array of the ARNs of layer versions")?;
    for layer in &written {
        let parts: Vec<_> = layer.value.split(':').collect();
        let is_version = matches!(parts.as_slice(), ["arn", partition, "lambda", _, _, "layer", _, version]
            if partition.starts_with("aws") && !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()));
        if !is_version {
            let message = format!(
                "a layer is arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION, and this is {}",
                quoted(&layer.value)
            );
            fields.report.problem(layer.offset, message);
        }
    }
    if let Some(layer) = written.get(MOST) {
        fields.report.problem(layer.offset, format!("there are {} layers; Lambda takes {MOST}", written.len()));
    }
    Some(written.into_iter().map(|layer| layer.value).collect())
}

fn vpc(fields: &mut Fields<'_, '_, '_>) -> Option<Vpc> {
    let (offset, table) = fields.table("vpc", "a table with `subnet-ids` and `security-group-ids`")?;
    let mut inner = Fields::new("`vpc`", offset, table, fields.report);
    let subnet_ids = ids(&mut inner, "subnet-ids", "subnet-", 16);
    let security_group_ids = ids(&mut inner, "security-group-ids", "sg-", 5);
    inner.finish(&[("subnets", "the key is `subnet-ids`"), ("security-groups", "the key is `security-group-ids`")]);
    Some(Vpc { subnet_ids: subnet_ids?, security_group_ids: security_group_ids? })
}

fn ids(fields: &mut Fields<'_, '_, '_>, key: &'static str, prefix: &str, most: usize) -> Option<Vec<String>> {
    if fields.key_offset(key).is_none() {
        fields.value(key);
        fields.report.problem(fields.offset(), format!("`vpc` has no `{key}`"));
        return None;
    }
    let written = fields.strings(key, &format!("an array of ids, as {prefix}0a1b2c3d"))?;
    for id in &written {
        if !id.value.starts_with(prefix) {
            let message = format!("`{key}` takes ids as {prefix}0a1b2c3d, and this is {}", quoted(&id.value));
            fields.report.problem(id.offset, message);
        }
    }
    if written.is_empty() || written.len() > most {
        let at = fields.key_offset(key).unwrap_or(fields.offset());
        fields.report.problem(at, format!("`{key}` has {}; Lambda takes 1 to {most}", written.len()));
    }
    Some(written.into_iter().map(|id| id.value).collect())
}
