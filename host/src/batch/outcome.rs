//! What became of a record at a handler (R9).

use std::fmt;

/// What became of a record at a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The handler succeeded.
    Done,
    /// The handler has the stream and its filter declined.
    Filtered,
    /// An earlier invocation did it, as a durable memo tells (R13). Nothing
    /// makes this outcome in 0.1.
    AlreadyDone,
    /// The handler asked for another delivery.
    Retry(String),
    /// The handler said that it will never go better (R14).
    Rejected(String),
    /// The guest trapped: a panic, an exit, a fault.
    Trapped(String),
    /// The guest passed one of its limits.
    Limit(LimitKind, String),
    /// The guest took longer than it may.
    TimedOut,
    /// The record can be named but not read (R4).
    Malformed(String),
    /// The handler was not called, or its call does not count.
    NotRun(NotRun),
}

/// Which limit a guest passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitKind {
    /// Linear memory, all memories together.
    Memory,
    /// Elements of all tables together.
    Tables,
    /// Core instances, tables or memories by number.
    Instances,
    /// The stack: recursion too deep.
    Stack,
    /// Bytes copied by host calls.
    HostCalls,
    /// Handles to host resources.
    Handles,
}

impl LimitKind {
    /// The manifest's key for the limit, or its name where there is no key.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory-mb",
            Self::Tables => "table-elements",
            Self::Instances => "instances",
            Self::Stack => "stack",
            Self::HostCalls => "host-call-mb",
            Self::Handles => "handles",
        }
    }
}

/// Why a handler was not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotRun {
    /// An earlier record of its lane is not done (R6).
    Behind,
    /// An earlier record is malformed (R4).
    Barrier,
    /// There was no time left (R8).
    Deadline,
}

impl NotRun {
    /// One word, for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Behind => "behind",
            Self::Barrier => "barrier",
            Self::Deadline => "deadline",
        }
    }
}

impl Outcome {
    /// Whether Lambda must deliver the record again (R10): every outcome but
    /// done, filtered and already done.
    pub fn must_come_again(&self) -> bool {
        match self {
            Self::Done | Self::Filtered | Self::AlreadyDone => false,
            Self::Retry(_)
            | Self::Rejected(_)
            | Self::Trapped(_)
            | Self::Limit(..)
            | Self::TimedOut
            | Self::Malformed(_)
            | Self::NotRun(_) => true,
        }
    }

    /// Whether the handler was tried (R15). A call that was cut for want of
    /// time counts as no attempt.
    pub fn is_attempt(&self) -> bool {
        match self {
            Self::Done | Self::Retry(_) | Self::Rejected(_) | Self::Trapped(_) | Self::Limit(..) | Self::TimedOut => {
                true
            }
            Self::Filtered | Self::AlreadyDone | Self::Malformed(_) | Self::NotRun(_) => false,
        }
    }

    /// The kind of outcome, for logs and metrics: one of a fixed few.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Filtered => "filtered",
            Self::AlreadyDone => "already-done",
            Self::Retry(_) => "retry",
            Self::Rejected(_) => "rejected",
            Self::Trapped(_) => "trapped",
            Self::Limit(..) => "limit",
            Self::TimedOut => "timed-out",
            Self::Malformed(_) => "malformed",
            Self::NotRun(_) => "not-run",
        }
    }

    /// What can be said beyond the kind.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Done | Self::Filtered | Self::AlreadyDone | Self::TimedOut => None,
            Self::Retry(text) | Self::Rejected(text) | Self::Trapped(text) | Self::Malformed(text) => {
                Some(text.clone())
            }
            Self::Limit(kind, text) => Some(format!("{}: {text}", kind.as_str())),
            Self::NotRun(why) => Some(why.as_str().to_owned()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        self.detail().map_or(Ok(()), |detail| write!(f, " ({detail})"))
    }
}
