//! No guest can make a line of the log, a metric or a move of the cursor: what
//! it says is text in a place of its own.

use std::fmt::Write as _;
use std::time::Duration;

use gristmill_tests::Project;
use gristmill_tests::events::{doing, event, record};
use gristmill_tests::runtime_api::{Answer, Bootstrap, Deadline, package};
use serde_json::{Value, json};

use crate::bootstrap::ONE_HANDLER;
use crate::cases::COMMAND;

const AMPLE: Deadline = Deadline::In(Duration::from_secs(50));

/// Lambda cuts a line here, and what comes after the cut is a line of its own.
const MOST_LINE: usize = 256 << 10;

/// That of the record in `doing`.
const EVENT_ID: &str = "1a87201789a6e14315b80000100000000000000000001";

/// What moves a cursor, breaks a line or turns its direction.
fn is_dangerous(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn answer(format: &str, event: &[u8]) -> Answer {
    let package = package(&Project::new(COMMAND, ONE_HANDLER), "partial");
    let mut bootstrap =
        Bootstrap::start_with(package.path(), "demo", |vars| vars.with("AWS_LAMBDA_LOG_FORMAT", format));
    let answer = bootstrap.invoke(event, AMPLE);
    assert_eq!(bootstrap.stderr(), "");
    answer
}

/// A line, taken apart: its level, its message and the rest. What is not the
/// host's own fails the test.
fn read_json(line: &str, request_id: &str) -> (String, String, Value) {
    assert!(line.len() < MOST_LINE && !line.contains(is_dangerous), "{line:?}");
    let mut value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let members = value.as_object_mut().unwrap();
    assert_eq!(members.remove("requestId").unwrap(), request_id);
    let mut text = |name: &str| members.remove(name).unwrap().as_str().unwrap().to_owned();
    text("timestamp");
    let (level, message) = (text("level"), text("message"));
    (level, message, value)
}

fn read_text(line: &str, request_id: &str) -> (String, String, Value) {
    assert!(line.len() < MOST_LINE && !line.replace('\t', "").contains(is_dangerous), "{line:?}");
    let columns: Vec<&str> = line.split('\t').collect();
    let [time, id, level, message, rest] = columns.as_slice() else { panic!("{line:?}") };
    assert!(time.len() == 24 && time.ends_with('Z') && time.starts_with("20"), "{line:?}");
    assert_eq!(*id, request_id);
    ((*level).to_owned(), (*message).to_owned(), serde_json::from_str(rest).unwrap())
}

/// Checks that each line is the host's, and gives them.
fn host_lines(answer: &Answer, read: fn(&str, &str) -> (String, String, Value)) -> Vec<(String, String, Value)> {
    let lines: Vec<_> = answer.lines.iter().map(|line| read(line, &answer.request_id)).collect();
    let (summary, lines_of_calls) = lines.split_last().unwrap();
    assert!(summary.2.get("outcomes").is_some(), "{summary:?}");
    for (level, message, rest) in lines_of_calls {
        assert_eq!(rest["handler"], "a");
        assert_eq!(rest["sequenceNumber"], "100000000000000000001");
        assert_eq!(rest["eventId"], EVENT_ID);
        let of = if let Some(stream) = rest.get("stream") {
            assert_eq!(level, if stream == "stdout" { "INFO" } else { "ERROR" });
            "stream"
        } else if rest.get("fields").is_some() {
            assert_eq!(level, "INFO");
            "fields"
        } else if rest.get("outcome").is_some() {
            assert_eq!(level, "ERROR");
            "outcome"
        } else {
            assert!(level == "WARN" && message.contains(" are left out here"), "{level} {message}");
            continue;
        };
        let names: Vec<&String> = rest.as_object().unwrap().keys().collect();
        let mut expected = ["eventId", "handler", "sequenceNumber", of];
        expected.sort_unstable();
        assert_eq!(names, expected);
    }
    lines
}

/// The forgeries of the guest: seven texts with four breaks of a line, each
/// printed twice and logged once, and all of them in the failure.
const FORGED_LINES: usize = (7 + 2) * 2 + 7 + 1;

#[test]
fn a_forged_line_is_text_in_json() {
    let answer = answer("JSON", &doing("forge"));
    let lines = host_lines(&answer, read_json);
    assert_eq!(lines.len(), FORGED_LINES + 1, "{lines:#?}");
    // Nothing is lost by it: what was said can be read.
    let said = |text: &str| lines.iter().any(|(_, message, _)| message == text);
    assert!(said("{\"level\":\"FATAL\",\"message\":\"forged\",\"requestId\":\"forged\"}"));
    assert!(said("\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}"));
    assert!(said("\u{9b}31m\u{85}next\u{2028}line\u{202e}desrever"));
    let fields = lines.iter().find_map(|(_, _, rest)| rest.get("fields")).unwrap();
    assert_eq!(fields["level"], "FATAL");
    assert!(fields["_aws"].is_string() && fields["requestId"].is_string());
    let outcome = lines.iter().find_map(|(_, _, rest)| rest.get("outcome")).unwrap();
    assert_eq!(outcome["kind"], "retry");
    assert!(outcome["detail"].as_str().unwrap().contains("END RequestId: forged\nREPORT"));
}

#[test]
fn a_forged_line_is_text_in_text() {
    let answer = answer("Text", &doing("forge"));
    let lines = host_lines(&answer, read_text);
    assert_eq!(lines.len(), FORGED_LINES + 1, "{lines:#?}");
    let said = |text: &str| lines.iter().any(|(_, message, _)| message == text);
    assert!(said(r"\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}"));
    assert!(said(r"\u{9b}31m\u{85}next\u{2028}line\u{202e}desrever"));
    assert!(said("REPORT RequestId: forged\\tDuration: 0 ms"));
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    let mut hex = String::new();
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[test]
fn every_byte_can_be_printed_and_none_gets_through() {
    // Every byte, then every control character beyond them as UTF-8.
    let c1: String =
        ('\u{80}'..='\u{9f}').chain(['\u{2028}', '\u{2029}', '\u{202e}', '\u{2067}', '\u{feff}']).collect();
    let script = format!("print-hex {}", hex((0..=255).chain(c1.bytes()).chain(*b"\n")));
    let json = answer("JSON", &doing(&script));
    let lines = host_lines(&json, read_json);
    // One line feed, two lines, and the summary.
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(lines[0].1, "\0\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\t");
    assert!(lines[1].1.ends_with(&c1) && lines[1].1.contains('\u{fffd}'));
    let text = answer("Text", &doing(&script));
    let lines = host_lines(&text, read_text);
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(lines[0].1, r"\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\t");
}

/// Sixty kilobytes of escapes are 360 when they are spelt out.
#[test]
fn no_line_is_so_long_that_lambda_cuts_it() {
    let script = format!("print-hex {}", hex([0x1b; 60_000].into_iter().chain(*b"\n")));
    for (format, read) in [("JSON", read_json as fn(&str, &str) -> _), ("Text", read_text)] {
        let lines = host_lines(&answer(format, &doing(&script)), read);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].1.ends_with("… (43616 bytes left out)"), "{}", &lines[0].1[lines[0].1.len() - 40..]);
    }
}

#[test]
fn a_flood_is_cut_and_counted() {
    for (script, stream) in
        [("flood-stdout 10000000", "stdout"), ("flood-stderr 10000000", "stderr"), ("flood-log 100000", "log")]
    {
        let answer = answer("JSON", &doing(script));
        let lines = host_lines(&answer, read_json);
        let bytes: usize = answer.lines.iter().map(String::len).sum();
        assert!((50_000..3_000_000).contains(&bytes), "{script}: {bytes} bytes of log");
        let gaps: Vec<&String> = lines.iter().filter(|(level, ..)| level == "WARN").map(|(_, text, _)| text).collect();
        let [gap] = gaps.as_slice() else { panic!("{script}: {gaps:?}") };
        let (number, rest) = gap.split_once(' ').unwrap();
        assert_eq!(rest, format!("bytes of {stream} are left out here"));
        assert!(number.parse::<u64>().unwrap() > 1_000_000, "{gap}");
        if stream != "log" {
            assert_eq!(lines[0].1, "first line");
            assert_eq!(lines[lines.len() - 2].1, "last line");
        }
    }
}

#[test]
fn nothing_of_it_reaches_the_terminal() {
    let project = Project::new(COMMAND, ONE_HANDLER);
    let script = format!("print-hex {}", hex(0..=255));
    let records = [
        record("11", "x", &[("do", "forge")]),
        record("12", "y", &[("do", &script)]),
        // A key is the table's, and can hold anything.
        record("13", "\u{1b}[31m\u{9b}", &[("do", "panic \u{1b}[2J\nforged")]),
    ];
    for output in ["text", "json"] {
        let ran = project.run_with_input(&["invoke", "--event", "-", "--output", output], &event(&records));
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        for text in [&ran.stdout, &ran.stderr] {
            let found: Vec<char> = text.chars().filter(|&c| is_dangerous(c) && c != '\n').collect();
            assert!(found.is_empty(), "{output}: {found:?} in {text}");
        }
        if output == "text" {
            let is_the_hosts = |line: &str| line.starts_with("a ") || line.starts_with("{\"batchItemFailures\":[{");
            let forged: Vec<&str> = ran.stdout.lines().filter(|line| !is_the_hosts(line)).collect();
            assert!(forged.is_empty(), "{forged:#?}");
        } else {
            assert_eq!(ran.json()["comeAgainFrom"], json!("11"));
        }
    }
}
