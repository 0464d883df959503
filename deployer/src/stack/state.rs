//! What may be done with a stack as it stands.

use std::fmt;

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
    Busy(Hindrance),
    /// It must be repaired first.
    Broken(Hindrance),
}

/// Why a stack cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hindrance {
    /// What is wrong.
    pub(crate) what: String,
    /// The next command.
    pub(crate) next: String,
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.next)
    }
}

/// What is left to do with a stack that was never made.
const BEGIN_ANEW: &str = "`gristmill delete`, then `gristmill deploy`";

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
        StackStatus::RollbackComplete => Standing::Broken(Hindrance {
            what: format!(
                "the stack {name} was not made: its first deploy failed and was taken back{reason}, and CloudFormation only \
                 lets it be deleted"
            ),
            next: BEGIN_ANEW.to_owned(),
        }),
        StackStatus::CreateFailed | StackStatus::RollbackFailed => Standing::Broken(Hindrance {
            what: format!("the stack {name} was not made, and what was made of it could not be taken back{reason}"),
            next: BEGIN_ANEW.to_owned(),
        }),
        StackStatus::UpdateRollbackFailed | StackStatus::UpdateFailed => Standing::Broken(Hindrance {
            what: format!("the last change of the stack {name} failed, and so did taking it back{reason}"),
            next: format!("mend the cause, then `aws cloudformation continue-update-rollback --stack-name {name}`"),
        }),
        StackStatus::DeleteFailed => Standing::Broken(Hindrance {
            what: format!("the stack {name} was not deleted whole{reason}"),
            next: "`gristmill delete` goes on with it".to_owned(),
        }),
        status if status.as_str().ends_with("_IN_PROGRESS") => Standing::Busy(Hindrance {
            what: format!("the stack {name} is being changed by someone else ({status})"),
            next: "`gristmill status` shows when it is done".to_owned(),
        }),
        status => Standing::Broken(Hindrance {
            what: format!("the stack {name} is {status}{reason}, which this command does not know"),
            next: "look at it in CloudFormation's console".to_owned(),
        }),
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
            ("NO_SUCH_STATUS", "console"),
        ] {
            let Standing::Broken(why) = of(status) else { panic!("{status}") };
            assert!(why.next.contains(next), "{why}");
        }
    }
}
