//! Who may do what: the policy of each function's role, and the policy of whoever
//! deploys. Every statement has the reason why it is there. Pure: from a manifest
//! to JSON that CloudFormation or IAM takes.

mod decide;
mod deploying;
mod runtime;

use serde::Serialize;
use serde_json::{Value, json};

pub use decide::{Decision, decide};
pub use deploying::deploying;
pub use runtime::{Call, denied, missing, runtime};

/// A statement and why it is there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statement {
    /// Its name in the policy.
    pub sid: String,
    /// Why it is there; for one of the user's own, that it is.
    pub why: String,
    /// As a policy has it.
    pub statement: Value,
}

impl Statement {
    fn allow(sid: impl Into<String>, actions: &[&str], resources: Vec<Value>, why: impl Into<String>) -> Self {
        let sid = sid.into();
        let statement = json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources });
        Self { sid, why: why.into(), statement }
    }

    fn when(mut self, condition: Value) -> Self {
        if let Some(fields) = self.statement.as_object_mut() {
            fields.insert("Condition".to_owned(), condition);
        }
        self
    }
}

/// The statements as a policy.
pub fn document(statements: &[Statement]) -> Value {
    let statements: Vec<_> = statements.iter().map(|statement| &statement.statement).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}
