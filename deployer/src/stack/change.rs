//! Changing a stack: by a change set, so that what will be done can be looked at
//! before, and nothing is done when there is nothing to do.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use aws_sdk_cloudformation::types::{Capability, ChangeSetStatus, ChangeSetType, Parameter, StackStatus, Tag};

use super::events::{Events, Waits};
use super::{Stack, find};
use crate::aws::{Aws, Refusal, Refused as _};
use crate::edge::Misuse;

/// What CloudFormation says when a change set has nothing in it
/// (DescribeChangeSet, and the empty one of UpdateStack).
const NOTHING: [&str; 2] = ["didn't contain changes", "No updates are to be performed"];

/// The most bytes that a template has in a request (CreateChangeSet,
/// TemplateBody). A larger one is read from S3.
pub(crate) const MOST_INLINE_BYTES: usize = 51_200;

/// A stack as it is to be.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) name: &'a str,
    pub(crate) template: TemplateText<'a>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// CloudFormation's own.
    pub(crate) role: Option<&'a str>,
    /// Whether the stack is there and has resources.
    pub(crate) exists: bool,
    /// Why, for who looks at the change set.
    pub(crate) description: String,
    /// Whether events are not printed.
    pub(crate) quiet: bool,
}

/// Where the template is.
#[derive(Clone, Debug)]
pub(crate) enum TemplateText<'a> {
    /// At most [`MOST_INLINE_BYTES`].
    Inline(&'a str),
    /// An object's URL.
    Url(String),
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) enum Applied {
    /// CloudFormation saw no difference.
    Nothing,
    /// It was changed.
    Changed(Stack),
}

/// Makes the change, and tells what happens as it happens.
///
/// # Errors
///
/// * AWS refuses the change set;
/// * the change failed: the first failure, and how the stack stands now.
pub(crate) async fn apply(aws: &Aws, request: &Request<'_>) -> anyhow::Result<Applied> {
    let name = change_set_name();
    let Some(change_set) = create(aws, request, &name).await? else { return Ok(Applied::Nothing) };
    let mut events = Events::from_now(aws, request.name, request.quiet).await?;
    // The same request twice is one.
    let executed = aws.cloudformation.execute_change_set().change_set_name(&change_set).client_request_token(&name);
    executed.send().await.refused("cloudformation:ExecuteChangeSet")?;
    let mut waits = Waits::new();
    let stack = loop {
        waits.wait().await;
        // The first event is of the stack itself. A status that was read before it
        // is that of before; what led to one that is read now is seen after.
        let has_begun = events.has_any();
        let stack = find(aws, request.name).await?;
        events.look(aws, request.name).await?;
        let stack = stack.context("the stack is gone while it was being changed: someone else has deleted it")?;
        if has_begun && !stack.status.as_str().ends_with("_IN_PROGRESS") {
            break stack;
        }
    };
    match &stack.status {
        StackStatus::CreateComplete | StackStatus::UpdateComplete => Ok(Applied::Changed(stack)),
        status => {
            let cause = events.first_failure().or_else(|| stack.reason.clone());
            let cause = cause.unwrap_or_else(|| "CloudFormation gives no reason".to_owned());
            let next = match super::standing(Some(&stack)) {
                super::Standing::Ready => "what was deployed before runs on".to_owned(),
                super::Standing::Broken(why) | super::Standing::Busy(why) => why.to_string(),
                super::Standing::New => "nothing was made".to_owned(),
            };
            bail!("{cause}\nThe stack {} is {status}: {next}", request.name)
        }
    }
}

/// A change set that is ready, by its ARN; none when nothing is different.
async fn create(aws: &Aws, request: &Request<'_>, name: &str) -> anyhow::Result<Option<String>> {
    let parameters = request
        .parameters
        .iter()
        .map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build())
        .collect();
    let tags = request.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let mut create = aws
        .cloudformation
        .create_change_set()
        .stack_name(request.name)
        .change_set_name(name)
        .change_set_type(if request.exists { ChangeSetType::Update } else { ChangeSetType::Create })
        .description(&request.description)
        .capabilities(Capability::CapabilityIam)
        .set_parameters(Some(parameters))
        .set_tags(Some(tags))
        .set_role_arn(request.role.map(str::to_owned));
    create = match &request.template {
        TemplateText::Inline(text) => create.template_body(*text),
        TemplateText::Url(url) => create.template_url(url),
    };
    let created = match create.send().await.refused("cloudformation:CreateChangeSet") {
        Err(refusal) if says_nothing(&refusal.message) => return Ok(None),
        Err(refusal) if is_busy(&refusal) => {
            let message = format!("the stack {} is being changed by someone else: {}", request.name, refusal.message);
            return Err(Misuse::new(message).into());
        }
        other => other?,
    };
    let id = created.id().context("CloudFormation names no change set")?.to_owned();
    let mut waits = Waits::new();
    loop {
        let answer = aws.cloudformation.describe_change_set().change_set_name(&id).send().await;
        let set = answer.refused("cloudformation:DescribeChangeSet")?;
        match set.status() {
            Some(ChangeSetStatus::CreateComplete) => return Ok(Some(id)),
            Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress) | None => {}
            Some(status) => {
                let reason = set.status_reason().unwrap_or_default().to_owned();
                // It would stand in the stack's list, and for a new stack an empty
                // stack with it.
                let _ = aws.cloudformation.delete_change_set().change_set_name(&id).send().await;
                if says_nothing(&reason) {
                    return Ok(None);
                }
                bail!("CloudFormation does not take the template ({status}): {reason}");
            }
        }
        waits.wait().await;
    }
}

fn says_nothing(reason: &str) -> bool {
    NOTHING.iter().any(|nothing| reason.contains(nothing))
}

fn is_busy(refusal: &Refusal) -> bool {
    refusal.is("ValidationError") && refusal.message.contains("_IN_PROGRESS state")
}

/// Another for each: letters, digits and dashes.
fn change_set_name() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("gristmill-{}-{}", since.as_millis(), std::process::id())
}
