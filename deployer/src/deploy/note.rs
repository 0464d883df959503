//! What a plan says beside its changes: facts, warnings, and what stands in its
//! way, each with the next command.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    /// Good to know.
    Fact,
    /// Something that is done and is no resource.
    News,
    /// It may be wrong.
    Warning,
    /// It is not deployed like this.
    Problem,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Note {
    pub(super) level: Level,
    pub(super) message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) next: String,
}

/// All of them, in the order in which they were found.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(pub(super) Vec<Note>);

impl Notes {
    pub(super) fn fact(&mut self, message: impl Into<String>) {
        self.add(Level::Fact, message.into(), String::new());
    }

    pub(super) fn news(&mut self, message: impl Into<String>) {
        self.add(Level::News, message.into(), String::new());
    }

    pub(super) fn warning(&mut self, message: impl Into<String>, next: impl Into<String>) {
        self.add(Level::Warning, message.into(), next.into());
    }

    /// One that everything else must not hide.
    pub(super) fn warning_first(&mut self, message: impl Into<String>, next: impl Into<String>) {
        let note = Note { level: Level::Warning, message: message.into(), next: next.into() };
        if !self.0.contains(&note) {
            self.0.insert(0, note);
        }
    }

    pub(super) fn problem(&mut self, message: impl Into<String>, next: impl Into<String>) {
        self.add(Level::Problem, message.into(), next.into());
    }

    fn add(&mut self, level: Level, message: String, next: String) {
        let note = Note { level, message, next };
        // Two functions on one stream find the same.
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    /// Whether something stands in the way.
    pub(super) fn has_problem(&self) -> bool {
        self.0.iter().any(|note| note.level == Level::Problem)
    }
}
