//! Who is told what happens: the terminal (or a program that reads it), and the
//! log file that `gristmill logs` reads. Knows how things are written, and not
//! what they mean.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::sync::mpsc;

use super::event::{Event, Kind};
use crate::cli::Output;
use crate::function::now_ms;
use crate::project;

/// The log of a project's dev mode.
pub const LOG_FILE: &str = "log.jsonl";

/// The log before it was begun anew.
pub const OLD_LOG_FILE: &str = "log.1.jsonl";

/// A log that is larger is begun anew. Two of them hold hours of a busy table,
/// and fit any disk.
const MOST_LOG_BYTES: u64 = 16 << 20;

/// Tells what happens. Cheap to clone.
#[derive(Clone)]
pub struct Console(Arc<Mutex<Inner>>);

struct Inner {
    output: Output,
    color: bool,
    folder: Option<PathBuf>,
    log: Option<File>,
    log_bytes: u64,
    /// The log could not be written; told once.
    log_failed: bool,
    listeners: Vec<mpsc::UnboundedSender<Event>>,
}

impl Console {
    /// Tells on standard output, and in the log in `folder` if there is one.
    ///
    /// # Errors
    ///
    /// When the log cannot be opened.
    pub fn open(output: Output, folder: Option<&Path>) -> anyhow::Result<Self> {
        let color = output == Output::Text
            && io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let mut inner = Inner {
            output,
            color,
            folder: folder.map(Path::to_owned),
            log: None,
            log_bytes: 0,
            log_failed: false,
            listeners: Vec::new(),
        };
        inner.open_log()?;
        Ok(Self(Arc::new(Mutex::new(inner))))
    }

    /// Gives all that is told from now on, too.
    pub fn listen(&self) -> mpsc::UnboundedReceiver<Event> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).listeners.push(sender);
        receiver
    }

    /// Tells that this happens now.
    pub fn tell(&self, kind: Kind) {
        let event = Event { time_ms: now_ms(), kind };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tell(&event);
    }
}

impl Inner {
    fn open_log(&mut self) -> anyhow::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.join(LOG_FILE);
        let log = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        let log = log.with_context(|| format!("cannot open the log {}", project::shown(&path)))?;
        self.log_bytes = log.metadata().map(|metadata| metadata.len()).unwrap_or_default();
        self.log = Some(log);
        Ok(())
    }

    fn tell(&mut self, event: &Event) {
        // Nothing in it is a map with keys that are no strings.
        let line = serde_json::to_string(event).unwrap_or_default() + "\n";
        let shown = match self.output {
            Output::Json => Some(line.clone()),
            Output::Text => event.words().map(|words| self.dress(event, &words)),
        };
        if let Some(shown) = shown {
            let mut stdout = io::stdout().lock();
            // A reader that has gone is no error: the log goes on.
            let _ = stdout.write_all(shown.as_bytes()).and_then(|()| stdout.flush());
        }
        self.write_log(&line);
        self.listeners.retain(|listener| listener.send(event.clone()).is_ok());
    }

    fn dress(&self, event: &Event, words: &str) -> String {
        let time = clock(event.time_ms);
        let (dim, bad, end) = if self.color { ("\u{1b}[2m", "\u{1b}[31m", "\u{1b}[0m") } else { ("", "", "") };
        match event.is_bad() {
            true => format!("{dim}{time}{end} {bad}{words}{end}\n"),
            false => format!("{dim}{time}{end} {words}\n"),
        }
    }

    fn write_log(&mut self, line: &str) {
        if self.log_bytes > MOST_LOG_BYTES
            && let Some(folder) = &self.folder
        {
            // Readers that follow it see that it was begun anew.
            let renamed = std::fs::rename(folder.join(LOG_FILE), folder.join(OLD_LOG_FILE));
            if renamed.is_ok() {
                self.log = None;
                self.log_bytes = 0;
                let _ = self.open_log();
            }
        }
        let Some(log) = &mut self.log else { return };
        match log.write_all(line.as_bytes()) {
            Ok(()) => {
                self.log_bytes += line.len() as u64;
                self.log_failed = false;
            }
            Err(error) if !self.log_failed => {
                self.log_failed = true;
                eprintln!("warning: the log cannot be written: {error}");
            }
            Err(_) => {}
        }
    }
}

/// `HH:MM:SS.mmm` in UTC, as Lambda's logs have it.
pub fn clock(time_ms: u64) -> String {
    let (seconds, ms) = (time_ms / 1_000, time_ms % 1_000);
    format!("{:02}:{:02}:{:02}.{ms:03}Z", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_begun_anew_when_it_is_large() {
        let folder = tempfile::tempdir().unwrap();
        let console = Console::open(Output::Json, Some(folder.path())).unwrap();
        console.0.lock().unwrap().log_bytes = MOST_LOG_BYTES + 1;
        console.tell(Kind::Note { message: "second".to_owned() });
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read(OLD_LOG_FILE), "");
        assert!(read(LOG_FILE).contains("second"));
    }

    #[test]
    fn a_time_is_that_of_the_day() {
        assert_eq!(clock(1_573_690_429_717), "00:13:49.717Z");
    }
}
