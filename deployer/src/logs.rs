//! `gristmill logs`: what dev mode did and what handlers said, from its log, in
//! another terminal too.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::cli::{LogsArgs, Output};
use crate::dev::console::{LOG_FILE, OLD_LOG_FILE, clock};
use crate::dev::event::{Event, Kind};
use crate::dev::folder;
use crate::edge::{Done, Misuse};
use crate::function::now_ms;
use crate::lines::Filter;
use crate::{manifest, project};

/// How often a log that is followed is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Runs `gristmill logs` in the project at `root`.
///
/// # Errors
///
/// * [`Misuse`]: there is no such handler, or no log;
/// * the log cannot be read.
pub fn run(root: &Path, args: &LogsArgs) -> anyhow::Result<Done> {
    if let Some(name) = &args.name {
        // A handler that the manifest does not have any more may be in the log.
        let manifest = manifest::load(root, None);
        if let Ok(manifest) = &manifest
            && !logged(root, name)?
        {
            manifest.handler(name)?;
        }
    }
    let wanted = Wanted {
        name: args.name.clone(),
        since_ms: args.since.map(|since| now_ms().saturating_sub(since.ms)),
        filter: Filter::parse(&args.filter),
    };
    let folder = folder(root);
    let path = folder.join(LOG_FILE);
    let mut follower = match Follower::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !args.follow => {
            bail!(Misuse::new("there is no log: nothing has run `gristmill dev` here yet"))
        }
        other => other.ok(),
    };
    let mut printer = Printer { output: args.output, wanted, is_over: false };
    for line in lines_of(&folder.join(OLD_LOG_FILE))? {
        printer.line(&line);
    }
    loop {
        if let Some(follower) = &mut follower {
            follower.each(|line| printer.line(line)).with_context(|| project::shown(&path))?;
        }
        if !args.follow || printer.is_over {
            return Ok(Done::default());
        }
        std::thread::sleep(LOOK_AGAIN);
        // The log may have been begun, or begun anew.
        match &mut follower {
            None => follower = Follower::open(&path).ok(),
            Some(old) if old.was_replaced() => {
                old.each(|line| printer.line(line)).with_context(|| project::shown(&path))?;
                follower = Follower::open(&path).ok();
            }
            Some(_) => {}
        }
    }
}

fn logged(root: &Path, name: &str) -> anyhow::Result<bool> {
    for file in [OLD_LOG_FILE, LOG_FILE] {
        let lines = lines_of(&folder(root).join(file))?;
        if lines.iter().any(|line| read(line).is_some_and(|event| event.handler() == Some(name))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What became of records in the end, and when, by handler and sequence number.
/// After a reset numbers begin anew: who looks one up knows how old its record is.
pub(crate) fn outcomes(root: &Path) -> anyhow::Result<BTreeMap<(String, String), (u64, String)>> {
    let mut outcomes = BTreeMap::new();
    for file in [OLD_LOG_FILE, LOG_FILE] {
        for event in lines_of(&folder(root).join(file))?.iter().filter_map(|line| read(line)) {
            let Kind::Record { handler, sequence_number, outcome, detail, .. } = event.kind else { continue };
            let words = if detail.is_empty() { outcome } else { format!("{outcome}: {detail}") };
            outcomes.insert((handler, sequence_number), (event.time_ms, words));
        }
    }
    Ok(outcomes)
}

fn lines_of(path: &Path) -> anyhow::Result<Vec<String>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| project::shown(path)),
        // Bytes that are no text are in no line of ours.
        Ok(file) => Ok(BufReader::new(file).lines().map_while(Result::ok).collect()),
    }
}

fn read(line: &str) -> Option<Event> {
    serde_json::from_str(line).ok()
}

/// Reads a file to its end, again and again.
struct Follower {
    path: PathBuf,
    file: File,
    /// The start of a line that is being written.
    partial: Vec<u8>,
}

impl Follower {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: File::open(path)?, partial: Vec::new() })
    }

    fn each(&mut self, mut line: impl FnMut(&str)) -> io::Result<()> {
        // Someone may have emptied it.
        if self.file.metadata()?.len() < self.file.stream_position()? {
            self.file.seek(SeekFrom::Start(0))?;
            self.partial.clear();
        }
        self.file.read_to_end(&mut self.partial)?;
        let whole = self.partial.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for text in self.partial[..whole].split_inclusive(|byte| *byte == b'\n') {
            line(String::from_utf8_lossy(text).trim_end());
        }
        self.partial.drain(..whole);
        Ok(())
    }

    fn was_replaced(&self) -> bool {
        match (std::fs::metadata(&self.path), self.file.metadata()) {
            (Ok(there), Ok(own)) => (there.dev(), there.ino()) != (own.dev(), own.ino()),
            _ => false,
        }
    }
}

struct Printer {
    output: Output,
    wanted: Wanted,
    /// The reader has gone.
    is_over: bool,
}

impl Printer {
    fn line(&mut self, line: &str) {
        // A line that another version wrote, or half of one after a crash.
        let Some(event) = read(line) else { return };
        if !self.wanted.wants(&event, line) {
            return;
        }
        let text = match self.output {
            Output::Json => format!("{line}\n"),
            Output::Text => match event.words() {
                Some(words) => format!("{} {words}\n", clock(event.time_ms)),
                None => return,
            },
        };
        let mut stdout = io::stdout().lock();
        self.is_over |= stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err();
    }
}

struct Wanted {
    name: Option<String>,
    since_ms: Option<u64>,
    filter: Filter,
}

impl Wanted {
    fn wants(&self, event: &Event, line: &str) -> bool {
        self.name.as_deref().is_none_or(|name| event.handler() == Some(name))
            && self.since_ms.is_none_or(|since| event.time_ms >= since)
            && self.filter.wants(&event.words().unwrap_or_default(), line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_followed_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOG_FILE);
        std::fs::write(&path, "a\nb").unwrap();
        let mut follower = Follower::open(&path).unwrap();
        let mut seen = Vec::new();
        follower.each(|line| seen.push(line.to_owned())).unwrap();
        assert_eq!(seen, ["a"]);
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"c\nd\n").unwrap();
        follower.each(|line| seen.push(line.to_owned())).unwrap();
        assert_eq!(seen, ["a", "bc", "d"]);
        std::fs::File::create(&path).unwrap().write_all(b"e\n").unwrap();
        follower.each(|line| seen.push(line.to_owned())).unwrap();
        assert_eq!(seen.last().unwrap(), "e");
        assert!(!follower.was_replaced());
        std::fs::rename(&path, folder.path().join(OLD_LOG_FILE)).unwrap();
        std::fs::write(&path, "f\n").unwrap();
        assert!(follower.was_replaced());
    }
}
