//! R11: code that answers which record must come again goes live only behind
//! mappings that look at the answer. CloudFormation changes function and alias
//! before a mapping, so the property is set, and read back, before it begins.

use std::time::Duration;

use anyhow::bail;
use aws_sdk_lambda::types::FunctionResponseType;

use crate::aws::{self, Aws, Refusal, Refused as _};
use crate::functions::Function;
use crate::template::ALIAS;

/// How long a mapping may take to be changed.
const TO_CHANGE: Duration = Duration::from_secs(120);

/// The mappings of the functions, ours or not, whose answers Lambda ignores.
///
/// # Errors
///
/// AWS refuses to list them.
pub(crate) async fn deaf(aws: &Aws, functions: &[Function<'_>]) -> anyhow::Result<Vec<(String, String)>> {
    let mut deaf = Vec::new();
    for function in functions {
        // The one list has those of the function itself, the other the alias's.
        for name in [function.name(), format!("{}:{ALIAS}", function.name())] {
            let mut pages = aws.lambda.list_event_source_mappings().function_name(&name).into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = match page.refused("lambda:ListEventSourceMappings") {
                    Err(refusal) if refusal.is("ResourceNotFoundException") => break,
                    other => other?,
                };
                for mapping in page.event_source_mappings() {
                    let uuid = mapping.uuid().unwrap_or_default().to_owned();
                    if !hears(mapping.function_response_types()) && !deaf.iter().any(|(known, _)| *known == uuid) {
                        deaf.push((uuid, mapping.event_source_arn().unwrap_or_default().to_owned()));
                    }
                }
            }
        }
    }
    Ok(deaf)
}

fn hears(types: &[FunctionResponseType]) -> bool {
    types.contains(&FunctionResponseType::ReportBatchItemFailures)
}

/// Sets the property, and reads it back.
///
/// # Errors
///
/// AWS refuses, or the mapping does not have it after two minutes: nothing may be
/// deployed then.
pub(crate) async fn make_hear(aws: &Aws, uuid: &str) -> anyhow::Result<()> {
    let update = aws.lambda.update_event_source_mapping().uuid(uuid);
    let update = update.function_response_types(FunctionResponseType::ReportBatchItemFailures);
    update.send().await.refused("lambda:UpdateEventSourceMapping")?;
    let set = aws::ask_until(TO_CHANGE, async || {
        let read = aws.lambda.get_event_source_mapping().uuid(uuid).send().await;
        let read = read.refused("lambda:GetEventSourceMapping")?;
        let moves = ["Creating", "Updating", "Enabling", "Disabling"].contains(&read.state().unwrap_or_default());
        Ok::<_, Refusal>((hears(read.function_response_types()) && !moves).then_some(()))
    });
    if set.await?.is_none() {
        bail!(
            "the mapping {uuid} does not take ReportBatchItemFailures; without it Lambda would take failures for success"
        );
    }
    Ok(())
}
