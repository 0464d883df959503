//! What a guest prints and logs: kept in part, counted whole, and never a
//! reason for the guest to fail.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::bindings::gristmill::events::log::Level;

/// What one write may bring. Any number does: nothing ever waits.
const PERMIT: usize = 64 << 10;

/// The first and the last bytes of a stream, each up to half of what is kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    half: usize,
    first: Vec<u8>,
    last: VecDeque<u8>,
    left_out: u64,
}

impl Kept {
    fn new(most: usize) -> Self {
        Self { half: most / 2, ..Self::default() }
    }

    /// Whether nothing was written. What is left out was not kept because
    /// something else was.
    fn is_empty(&self) -> bool {
        self.first.is_empty() && self.last.is_empty()
    }

    fn write(&mut self, bytes: &[u8]) {
        let room = self.half - self.first.len();
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.first.extend_from_slice(first);
        let surplus = (self.last.len() + rest.len()).saturating_sub(self.half);
        self.left_out += surplus as u64;
        let from_kept = surplus.min(self.last.len());
        self.last.drain(..from_kept);
        self.last.extend(&rest[surplus - from_kept..]);
    }

    /// The lines, and how many bytes are missing before which of them.
    ///
    /// A line costs more than its text, in the log and here: of very short
    /// ones the first and the last are kept, as of bytes.
    fn into_lines(self) -> (Vec<String>, Option<Gap>) {
        let most = (self.half / LINE_COST).max(1);
        let last: Vec<u8> = self.last.into();
        let (first, last) = match self.left_out {
            // Nothing is missing between the two: a line may go across.
            0 => ([self.first, last].concat(), Vec::new()),
            _ => (self.first, last),
        };
        let (head, rest) = first.split_at(end_of_line(&first, most));
        let (tail, mut bytes) = match (rest.is_empty(), last.is_empty()) {
            (_, false) => {
                let (cut, tail) = last.split_at(start_of_last_lines(&last, most));
                (tail, rest.len() + cut.len())
            }
            (false, true) => {
                let (cut, tail) = rest.split_at(start_of_last_lines(rest, most));
                (tail, cut.len())
            }
            (true, true) => (&[][..], 0),
        };
        bytes += usize::try_from(self.left_out).unwrap_or(usize::MAX);
        let mut lines = split(head);
        let gap = (bytes > 0).then_some(Gap { before_line: lines.len(), bytes: bytes as u64 });
        lines.extend(split(tail));
        (lines, gap)
    }
}

/// What a line counts for beyond its text. A log line has some 200 bytes
/// around it; 64 leaves a default guest a thousand lines.
const LINE_COST: usize = 64;

/// Where the line after the first `most` begins, or the end.
fn end_of_line(bytes: &[u8], most: usize) -> usize {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).nth(most - 1).unwrap_or(bytes.len())
}

/// Where the last `most` lines begin, or the start.
fn start_of_last_lines(bytes: &[u8], most: usize) -> usize {
    // The end of the last line, if it has one, begins no other.
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let ends = body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).nth(most - 1).unwrap_or(0)
}

/// Something that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The index of the line that comes after it.
    pub before_line: usize,
    /// How many bytes.
    pub bytes: u64,
}

fn split(bytes: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> =
        bytes.split(|&b| b == b'\n').map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    // What ends with a newline has no line after it.
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// One of a guest's two output streams.
#[derive(Clone)]
pub(super) struct Output(Arc<Mutex<Kept>>);

impl Output {
    pub(super) fn new(most_kb: u32) -> Self {
        Self(Arc::new(Mutex::new(Kept::new((most_kb as usize) << 10))))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a text to what was printed.
    pub(super) fn print(&self, text: &str) {
        self.kept().write(text.as_bytes());
    }

    /// Takes what was printed, and is empty again.
    pub(super) fn take(&self) -> (Vec<String>, Option<Gap>) {
        let mut kept = self.kept();
        if kept.is_empty() {
            return (Vec::new(), None);
        }
        let half = kept.half;
        std::mem::replace(&mut *kept, Kept { half, ..Kept::default() }).into_lines()
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.kept().write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.kept().write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A line that a guest logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The text.
    pub message: String,
    /// Names and values, as the guest gave them.
    pub fields: Vec<(String, String)>,
}

impl LogLine {
    /// What the line counts for: its text, and something for being a line.
    fn cost(&self) -> usize {
        let fields: usize = self.fields.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        self.message.len() + fields + 32
    }
}

/// The levels of the contract, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// `TRACE`
    Trace,
    /// `DEBUG`
    Debug,
    /// `INFO`
    Info,
    /// `WARN`
    Warn,
    /// `ERROR`
    Error,
    /// `FATAL`, as Lambda calls it.
    Critical,
}

impl LogLevel {
    /// The level as Lambda spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Critical => "FATAL",
        }
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
            Level::Critical => Self::Critical,
        }
    }
}

/// The first and the last lines of a call, each up to half of what is kept.
#[derive(Debug, Default)]
pub(super) struct LogBuffer {
    half: usize,
    first: Vec<LogLine>,
    first_cost: usize,
    last: VecDeque<LogLine>,
    last_cost: usize,
    left_out: u64,
}

impl LogBuffer {
    pub(super) fn new(most_kb: u32) -> Self {
        Self { half: (most_kb as usize) << 9, ..Self::default() }
    }

    pub(super) fn write(&mut self, line: LogLine) {
        let line = self.fitted(line);
        let cost = line.cost();
        if self.last.is_empty() && self.first_cost + cost <= self.half {
            self.first_cost += cost;
            self.first.push(line);
            return;
        }
        self.last_cost += cost;
        self.last.push_back(line);
        while self.last_cost > self.half
            && let Some(line) = self.last.pop_front()
        {
            self.last_cost -= line.cost();
            self.left_out += line.cost() as u64;
        }
    }

    /// A line that is too long alone loses the end of its text, or its fields.
    fn fitted(&mut self, mut line: LogLine) -> LogLine {
        let cost = line.cost();
        if cost > self.half {
            if cost - line.message.len() > self.half {
                line.fields.clear();
            }
            let room = self.half.saturating_sub(line.cost() - line.message.len());
            line.message.truncate(line.message.floor_char_boundary(room));
            self.left_out += (cost - line.cost()) as u64;
        }
        line
    }

    /// Takes what was logged, and is empty again.
    pub(super) fn take(&mut self) -> (Vec<LogLine>, Option<Gap>) {
        let half = self.half;
        let Self { first: mut lines, last, left_out, .. } = std::mem::replace(self, Self { half, ..Self::default() });
        let gap = (left_out > 0).then_some(Gap { before_line: lines.len(), bytes: left_out });
        lines.extend(last);
        (lines, gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(most: usize, writes: &[&str]) -> (Vec<String>, Option<Gap>) {
        let mut kept = Kept::new(most);
        writes.iter().for_each(|text| kept.write(text.as_bytes()));
        kept.into_lines()
    }

    #[test]
    fn what_fits_is_kept_whole_and_in_lines() {
        assert_eq!(
            kept(512, &["one\ntw", "o\n\nfour"]),
            (vec!["one".into(), "two".into(), "".into(), "four".into()], None)
        );
        assert_eq!(kept(64, &[]), (vec![], None));
        assert_eq!(kept(8, &["abcd", "efgh"]), (vec!["abcdefgh".into()], None));
    }

    #[test]
    fn of_a_flood_the_first_and_last_bytes_are_kept_and_the_rest_is_counted() {
        let flood: Vec<String> = (0..1000).map(|i| format!("{i:03}\n")).collect();
        let whole: String = flood.concat();
        let lines = ["000", "001", "002", "003", "996", "997", "998", "999"].map(str::to_owned).to_vec();
        let expected = (lines, Some(Gap { before_line: 4, bytes: 4000 - 32 }));
        assert_eq!(kept(512, &[&whole]), expected);
        assert_eq!(kept(512, &flood.iter().map(String::as_str).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such() {
        let mut kept = Kept::new(64);
        kept.write(b"a\xff\n");
        assert_eq!(kept.into_lines().0, ["a\u{fffd}"]);
    }

    #[test]
    fn log_lines_are_kept_from_both_ends() {
        let line = |text: &str| LogLine { level: LogLevel::Info, message: text.to_owned(), fields: vec![] };
        let mut buffer = LogBuffer::new(1);
        for i in 0..1000 {
            buffer.write(line(&i.to_string()));
        }
        buffer.write(line(&"x".repeat(10_000)));
        let (lines, gap) = buffer.take();
        assert_eq!(lines.first().unwrap().message, "0");
        assert_eq!(lines.last().unwrap().message, "x".repeat(512 - 32), "what is too long is cut");
        let gap = gap.unwrap();
        assert_eq!(gap.before_line, 15);
        let whole: usize = (0..1000).map(|i| line(&i.to_string()).cost()).sum::<usize>() + 10_032;
        assert_eq!(gap.bytes as usize, whole - lines.iter().map(LogLine::cost).sum::<usize>());
    }

    #[test]
    fn a_log_line_with_too_many_fields_loses_them() {
        let mut buffer = LogBuffer::new(1);
        let fields = vec![(String::new(), String::new()); 1_000];
        buffer.write(LogLine { level: LogLevel::Info, message: "text".to_owned(), fields });
        let (lines, gap) = buffer.take();
        assert_eq!((lines[0].message.as_str(), lines[0].fields.len()), ("text", 0));
        assert_eq!(gap.unwrap().bytes, 8_000);
    }

    #[test]
    fn of_very_short_lines_the_first_and_the_last_are_kept() {
        let numbered: String = (0..1000).map(|i| format!("{i}\n")).collect();
        let mut kept = Kept::new(4096);
        kept.write(numbered.as_bytes());
        let (lines, gap) = kept.into_lines();
        assert_eq!(lines.len(), 64);
        assert_eq!((lines[0].as_str(), lines[31].as_str()), ("0", "31"));
        assert_eq!((lines[32].as_str(), lines[63].as_str()), ("968", "999"));
        let shown: usize = lines.iter().map(|line| line.len() + 1).sum();
        assert_eq!(gap, Some(Gap { before_line: 32, bytes: (numbered.len() - shown) as u64 }));

        let mut kept = Kept::new(4096);
        kept.write(&[b'\n'; 1 << 20]);
        let (lines, gap) = kept.into_lines();
        assert_eq!((lines.len(), gap.unwrap().bytes), (64, (1 << 20) - 64));
    }
}
