//! A CloudFormation stack: what it is now, and how it is changed. Knows nothing of
//! what is in its template.

mod change;
mod delete;
mod events;
mod state;

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::StackStatus;
use serde_json::Value;

use crate::aws::{Aws, Refusal, Refused as _};

pub(crate) use change::{Applied, MOST_INLINE_BYTES, Request, TemplateText, apply};
pub(crate) use delete::delete;
pub(crate) use state::{Standing, standing};

/// A stack that is there.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    pub(crate) name: String,
    /// Its ARN, by which it is found when it is deleted too.
    pub(crate) id: String,
    pub(crate) status: StackStatus,
    /// Why it is so, when CloudFormation says it.
    pub(crate) reason: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) outputs: BTreeMap<String, String>,
}

/// The stack by this name or ARN, if there is one.
///
/// # Errors
///
/// AWS refuses to say.
pub(crate) async fn find(aws: &Aws, name: &str) -> Result<Option<Stack>, Refusal> {
    let answer = aws.cloudformation.describe_stacks().stack_name(name).send().await;
    let answer = match answer.refused("cloudformation:DescribeStacks") {
        // The one code is for all that is wrong with a request (DescribeStacks,
        // Errors).
        Err(refusal) if refusal.is("ValidationError") && refusal.message.contains("does not exist") => return Ok(None),
        other => other?,
    };
    let Some(found) = answer.stacks().first() else { return Ok(None) };
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Ok(Some(Stack {
        name: text(found.stack_name()),
        id: text(found.stack_id()),
        status: found.stack_status().cloned().unwrap_or(StackStatus::from("UNKNOWN")),
        reason: found.stack_status_reason().map(str::to_owned),
        parameters: found
            .parameters()
            .iter()
            .map(|each| (text(each.parameter_key()), text(each.parameter_value())))
            .collect(),
        outputs: found.outputs().iter().map(|each| (text(each.output_key()), text(each.output_value()))).collect(),
    }))
}

/// The template that the stack was made with.
///
/// # Errors
///
/// AWS refuses to say, or the template is not JSON, which is what we send.
pub(crate) async fn template(aws: &Aws, stack: &Stack) -> anyhow::Result<Value> {
    let answer = aws.cloudformation.get_template().stack_name(&stack.id).send().await;
    let answer = answer.refused("cloudformation:GetTemplate")?;
    let text = answer.template_body().unwrap_or_default();
    serde_json::from_str(text).map_err(|error| {
        anyhow::anyhow!("the template of the stack {} is not one of gristmill's: it is no JSON ({error})", stack.name)
    })
}

/// What there is in the stack: by logical id, the type and the physical id.
///
/// # Errors
///
/// AWS refuses to say.
pub(crate) async fn resources(aws: &Aws, stack: &Stack) -> Result<BTreeMap<String, Resource>, Refusal> {
    let mut resources = BTreeMap::new();
    let mut pages = aws.cloudformation.list_stack_resources().stack_name(&stack.id).into_paginator().send();
    while let Some(page) = pages.next().await {
        for each in page.refused("cloudformation:ListStackResources")?.stack_resource_summaries() {
            let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
            let status = each.resource_status().map_or("", |status| status.as_str());
            if status != "DELETE_COMPLETE" {
                resources.insert(
                    text(each.logical_resource_id()),
                    Resource { kind: text(each.resource_type()), physical_id: text(each.physical_resource_id()) },
                );
            }
        }
    }
    Ok(resources)
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// `AWS::Lambda::Function`.
    pub(crate) kind: String,
    /// The name or id by which its service knows it.
    pub(crate) physical_id: String,
}
