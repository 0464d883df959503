//! `[deploy]` and `[alarms]` as written: how the project comes to AWS, and what
//! tells when something is wrong there.

use std::collections::BTreeMap;

use super::super::fields::{At, Fields, Refused};
use super::tags;
use crate::edge::quoted;

const REFUSED: &[Refused] = &[
    ("region", "AWS's own configuration says where to deploy: --region, AWS_REGION or the profile's"),
    ("profile", "--profile or AWS_PROFILE says as whom; a manifest is shared with others"),
    ("stack", "the stack is named after project and environment"),
    ("stack-name", "the stack is named after project and environment"),
];

/// `[deploy]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deploy {
    /// The bucket that packages go to; none is that of `gristmill bootstrap`.
    pub bucket: Option<String>,
    /// A policy that bounds what the roles may do, for accounts that ask for one.
    pub permissions_boundary: Option<String>,
    /// The role that CloudFormation takes; none is who deploys.
    pub cloudformation_role: Option<String>,
    /// How long records that were given up on are kept in gristmill's own bucket,
    /// 1–3,650 days. Default a year: what goes there is lost after it.
    pub failed_retention_days: u32,
    /// The stack's tags, which CloudFormation gives to all that is in it.
    pub tags: BTreeMap<String, String>,
}

impl Default for Deploy {
    fn default() -> Self {
        Self {
            bucket: None,
            permissions_boundary: None,
            cloudformation_role: None,
            failed_retention_days: 365,
            tags: BTreeMap::new(),
        }
    }
}

/// `[alarms]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarms {
    /// Default true.
    pub enabled: bool,
    /// The age of records at which the alarm goes off, 60–86,400. Default an hour:
    /// a stream keeps a record for 24.
    pub iterator_age_seconds: u32,
    /// The ARNs of topics, or of what else an alarm may call; at most five.
    pub actions: Vec<String>,
}

impl Default for Alarms {
    fn default() -> Self {
        Self { enabled: true, iterator_age_seconds: 3_600, actions: Vec::new() }
    }
}

/// `[deploy]` of the file's root.
pub(super) fn read(root: &mut Fields<'_, '_, '_>) -> Deploy {
    let Some((offset, table)) = root.table("deploy", "a table: [deploy]") else { return Deploy::default() };
    let mut fields = Fields::new("[deploy]", offset, table, root.report);
    let days = fields.integer("failed-retention-days", &[1..=3_650]).and_then(|at| u32::try_from(at.value).ok());
    let deploy = Deploy {
        failed_retention_days: days.unwrap_or(Deploy::default().failed_retention_days),
        bucket: bucket(&mut fields),
        permissions_boundary: iam_arn(&mut fields, "permissions-boundary", "policy/"),
        cloudformation_role: iam_arn(&mut fields, "cloudformation-role", "role/"),
        tags: tags::read(&mut fields),
    };
    fields.finish(REFUSED);
    deploy
}

/// Held to S3's rules for buckets (General purpose bucket naming rules).
fn bucket(fields: &mut Fields<'_, '_, '_>) -> Option<String> {
    let At { value, offset } = fields.string("bucket", "a bucket's name")?;
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let chars = value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'));
    if !(3..=63).contains(&value.len())
        || !chars
        || !edge(value.chars().next())
        || !edge(value.chars().last())
        || value.contains("..")
    {
        let message =
            format!("`bucket` takes a bucket's name, 3 to 63 of a–z, 0–9, `-` and `.`, and this is {}", quoted(&value));
        fields.report.problem(offset, message);
        return None;
    }
    Some(value)
}

fn iam_arn(fields: &mut Fields<'_, '_, '_>, key: &'static str, kind: &str) -> Option<String> {
    let like = format!("arn:aws:iam::ACCOUNT:{kind}NAME");
    let At { value, offset } = fields.string(key, &like)?;
    let is_it = matches!(value.splitn(6, ':').collect::<Vec<_>>().as_slice(),
        ["arn", partition, "iam", "", _, name] if partition.starts_with("aws") && name.starts_with(kind) && name.len() > kind.len());
    if !is_it {
        fields.report.problem(offset, format!("`{key}` takes {like}, and this is {}", quoted(&value)));
        return None;
    }
    Some(value)
}

/// `[alarms]` of the file's root.
pub(super) fn alarms(root: &mut Fields<'_, '_, '_>) -> Alarms {
    /// CloudWatch's own limit of an alarm's actions.
    const MOST_ACTIONS: usize = 5;
    let default = Alarms::default();
    let Some((offset, table)) = root.table("alarms", "a table: [alarms]") else { return default };
    let mut fields = Fields::new("[alarms]", offset, table, root.report);
    let enabled = fields.boolean("enabled").map_or(default.enabled, |at| at.value);
    let age = fields.integer("iterator-age-seconds", &[60..=86_400]);
    let actions = fields.strings("actions", "an array of ARNs, as of SNS topics").unwrap_or_default();
    for action in &actions {
        if action.value.split(':').count() < 6 || !action.value.starts_with("arn:aws") {
            let message =
                format!("an alarm's action is an ARN, as of an SNS topic, and this is {}", quoted(&action.value));
            fields.report.problem(action.offset, message);
        }
    }
    if let Some(action) = actions.get(MOST_ACTIONS) {
        let message = format!("there are {} actions; CloudWatch takes {MOST_ACTIONS}", actions.len());
        fields.report.problem(action.offset, message);
    }
    fields
        .finish(&[("action", "the key is `actions`, an array"), ("iterator-age", "the key is `iterator-age-seconds`")]);
    Alarms {
        enabled,
        iterator_age_seconds: age.and_then(|at| u32::try_from(at.value).ok()).unwrap_or(default.iterator_age_seconds),
        actions: actions.into_iter().map(|action| action.value).collect(),
    }
}
