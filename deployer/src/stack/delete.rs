//! Deleting a stack.

use anyhow::bail;
use aws_sdk_cloudformation::types::StackStatus;

use super::events::{Events, Waits};
use super::{Stack, find};
use crate::aws::{Aws, Refused as _};

/// Deletes a stack, and tells what happens as it happens.
///
/// # Errors
///
/// AWS refuses, or something of it could not be deleted: the first failure.
pub(crate) async fn delete(aws: &Aws, stack: &Stack, role: Option<&str>, quiet: bool) -> anyhow::Result<()> {
    let mut events = Events::from_now(aws, &stack.id, quiet).await?;
    let delete = aws.cloudformation.delete_stack().stack_name(&stack.id).set_role_arn(role.map(str::to_owned));
    delete.send().await.refused("cloudformation:DeleteStack")?;
    let mut waits = Waits::new();
    loop {
        waits.wait().await;
        let has_begun = events.has_any();
        let found = find(aws, &stack.id).await?;
        events.look(aws, &stack.id).await?;
        match found.map(|found| found.status) {
            None | Some(StackStatus::DeleteComplete) => return Ok(()),
            Some(StackStatus::DeleteFailed) if has_begun => {
                let cause = events.first_failure().unwrap_or_else(|| "CloudFormation gives no reason".to_owned());
                bail!(
                    "{cause}\nThe stack {} is DELETE_FAILED: mend the cause, and `gristmill delete` goes on",
                    stack.name
                )
            }
            Some(_) => {}
        }
    }
}
