//! A stack's events as they come, and the failure that was first.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_cloudformation::types::StackEvent;

use crate::aws::{Aws, Refusal, Refused as _};
use crate::edge::escape;

/// How long is waited before it is looked again: short while things move fast,
/// and never so often that CloudFormation would throttle.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// Waits that grow.
#[derive(Debug)]
pub(super) struct Waits(Duration);

impl Waits {
    pub(super) fn new() -> Self {
        Self(FIRST_WAIT)
    }

    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 3 / 2).min(LONGEST_WAIT);
    }
}

/// Follows the events of one operation.
#[derive(Debug, Default)]
pub(super) struct Events {
    seen: BTreeSet<String>,
    any: bool,
    /// What failed, oldest first: id, type, reason.
    failures: Vec<(String, String, String)>,
    quiet: bool,
}

impl Events {
    /// From the next event on: what there is was another operation's.
    pub(super) async fn from_now(aws: &Aws, stack: &str, quiet: bool) -> Result<Self, Refusal> {
        let mut events = Self { quiet: true, ..Self::default() };
        events.look(aws, stack).await?;
        Ok(Self { seen: events.seen, quiet, ..Self::default() })
    }

    /// Takes what is new, and prints it.
    pub(super) async fn look(&mut self, aws: &Aws, stack: &str) -> Result<(), Refusal> {
        let mut new: Vec<StackEvent> = Vec::new();
        let mut next = None;
        // Newest first: it is read until something is known.
        loop {
            let answer = aws.cloudformation.describe_stack_events().stack_name(stack).set_next_token(next).send().await;
            let page = match answer.refused("cloudformation:DescribeStackEvents") {
                // A stack that is only thought of has no events yet.
                Err(refusal) if refusal.is("ValidationError") => break,
                other => other?,
            };
            let fresh: Vec<_> = page
                .stack_events()
                .iter()
                .filter(|event| !self.seen.contains(event.event_id().unwrap_or_default()))
                .cloned()
                .collect();
            let reached = fresh.len() < page.stack_events().len();
            new.extend(fresh);
            next = page.next_token().map(str::to_owned);
            if reached || next.is_none() {
                break;
            }
        }
        for event in new.into_iter().rev() {
            self.take(&event);
        }
        Ok(())
    }

    /// Whether something has happened.
    pub(super) fn has_any(&self) -> bool {
        self.any
    }

    fn take(&mut self, event: &StackEvent) {
        self.any = true;
        self.seen.insert(event.event_id().unwrap_or_default().to_owned());
        let status = event.resource_status().map_or("", |status| status.as_str());
        let (id, kind) = (event.logical_resource_id().unwrap_or_default(), event.resource_type().unwrap_or_default());
        let reason = event.resource_status_reason().unwrap_or_default();
        // What was only stopped because of another is no cause.
        let is_cause = !reason.contains("cancelled") && kind != "AWS::CloudFormation::Stack";
        if status.ends_with("_FAILED") && is_cause {
            self.failures.push((id.to_owned(), kind.to_owned(), reason.to_owned()));
        }
        // The second of two lines on the same thing.
        if self.quiet || reason == "Resource creation Initiated" {
            return;
        }
        let kind = kind.strip_prefix("AWS::").unwrap_or(kind);
        let reason = if reason.is_empty() { String::new() } else { format!("  {reason}") };
        eprintln!("{}", escape(&format!("  {status:<44} {kind:<28} {id}{reason}")));
    }

    /// The failure that was first, as a sentence.
    pub(super) fn first_failure(&self) -> Option<String> {
        let (id, kind, reason) = self.failures.first()?;
        Some(format!("{id} ({kind}): {reason}"))
    }
}
