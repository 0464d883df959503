//! What may be done with a stack as it stands.

use aws_sdk_cloudformation::types::StackStatus;

use super::Stack;

/// What a stack's status means to who wants to change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is none, or an empty one that a change set left behind: it is made.
    New,
    /// It can be changed.
    Ready,
    /// Another change goes on.
    Busy(String),
    /// It must be repaired first: what is wrong, and the next command.
    Broken(String),
}

/// Looks at a stack's status (CloudFormation, Stack status codes).
pub(crate) fn standing(stack: Option<&Stack>) -> Standing {
    let Some(stack) = stack else { return Standing::New };
    let name = &stack.name;
    let reason = stack.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    match &stack.status {
        StackStatus::ReviewInProgress => Standing::New,
        StackStatus::CreateComplete
        | StackStatus::UpdateComplete
        | StackStatus::UpdateRollbackComplete
        | StackStatus::ImportComplete
        | StackStatus::ImportRollbackComplete => Standing::Ready,
        StackStatus::RollbackComplete => Standing::Broken(format!(
            "the stack {name} was not made: its first deploy failed and was taken back{reason}. CloudFormation only lets it \
             be deleted: `gristmill delete`, then `gristmill deploy`"
        )),
        StackStatus::CreateFailed | StackStatus::RollbackFailed => Standing::Broken(format!(
            "the stack {name} was not made, and what was made of it could not be taken back{reason}; `gristmill delete`, then \
             `gristmill deploy`"
        )),
        StackStatus::UpdateRollbackFailed | StackStatus::UpdateFailed => Standing::Broken(format!(
            "the last change of the stack {name} failed, and so did taking it back{reason}; mend the cause, then `aws \
             cloudformation continue-update-rollback --stack-name {name}`"
        )),
        StackStatus::DeleteFailed => Standing::Broken(format!(
            "the stack {name} was not deleted whole{reason}; `gristmill delete` goes on with it"
        )),
        status if status.as_str().ends_with("_IN_PROGRESS") => Standing::Busy(format!(
            "the stack {name} is being changed by someone else ({status}); `gristmill status` shows when it is done"
        )),
        status => Standing::Broken(format!("the stack {name} is {status}{reason}, which this command does not know")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of(status: &str) -> Standing {
        standing(Some(&Stack {
            name: "demo-dev".to_owned(),
            id: String::new(),
            status: StackStatus::from(status),
            reason: None,
            parameters: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }))
    }

    #[test]
    fn each_status_says_what_may_be_done() {
        assert_eq!(standing(None), Standing::New);
        assert_eq!(of("REVIEW_IN_PROGRESS"), Standing::New);
        for status in ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"] {
            assert_eq!(of(status), Standing::Ready, "{status}");
        }
        for status in
            ["CREATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "DELETE_IN_PROGRESS", "NEW_IN_PROGRESS"]
        {
            assert!(matches!(of(status), Standing::Busy(_)), "{status}");
        }
        for (status, next) in [
            ("ROLLBACK_COMPLETE", "`gristmill delete`, then `gristmill deploy`"),
            ("ROLLBACK_FAILED", "`gristmill delete`"),
            ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name demo-dev"),
            ("DELETE_FAILED", "`gristmill delete` goes on"),
            ("NO_SUCH_STATUS", "does not know"),
        ] {
            let Standing::Broken(message) = of(status) else { panic!("{status}") };
            assert!(message.contains(next), "{message}");
        }
    }
}
