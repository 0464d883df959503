//! The behaviours, by name.

use std::cell::RefCell;
use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use gristmill_sdk::{Failure, StreamRecord, invocation, log};

type Behaviour = fn(&StreamRecord, &str) -> Result<(), Failure>;

/// Every behaviour. A test fails when one of them is never asked for.
pub const ALL: &[(&str, Behaviour)] = &[
    ("ok", |_, _| Ok(())),
    ("retry", |_, text| Err(Failure::retry(text))),
    ("reject", |_, text| Err(Failure::reject(text))),
    ("error", |_, text| Ok(text.parse::<u32>().map(drop)?)),
    ("panic", |_, text| panic!("{text}")),
    ("exit", |_, status| std::process::exit(status.parse()?)),
    ("abort", |_, _| std::process::abort()),
    ("loop", |_, _| endless()),
    ("sleep-ms", sleep),
    ("spin-ms", spin),
    ("memory", |_, _| memory()),
    ("recursion", |_, _| Ok(_ = black_box(recursion(1)))),
    ("recursion-in-registers", |_, _| Ok(_ = black_box(recursion_in_registers(1)))),
    ("flood-stdout", |_, bytes| flood(std::io::stdout(), bytes)),
    ("flood-stderr", |_, bytes| flood(std::io::stderr(), bytes)),
    ("flood-log", flood_log),
    ("failure-bytes", |_, bytes| Err(Failure::retry("x".repeat(bytes.parse()?)))),
    ("log-bytes", |_, bytes| Ok(gristmill_sdk::info!("{}", "x".repeat(bytes.parse()?)))),
    ("copies", copies),
    ("handles", |_, _| handles()),
    ("keep", keep),
    ("print", |_, text| Ok(println!("{text}"))),
    ("print-unfinished", |_, text| Ok(print!("{text}"))),
    ("print-error", |_, text| Ok(eprintln!("{text}"))),
    ("print-hex", |_, hex| print_hex(hex)),
    ("forge", |_, _| forge()),
    ("dump", dump),
    ("environment", |_, _| environment()),
    ("clock", |_, _| clock()),
    ("random", |_, _| random()),
    ("random-bytes", |_, bytes| random_bytes(bytes.parse()?)),
    ("context", |_, _| context()),
    ("leak", |_, handles| leak(handles)),
    ("forget-mb", |_, mb| Ok(std::mem::forget(black_box(vec![1u8; mb.parse::<usize>()? << 20])))),
];

fn endless() -> Result<(), Failure> {
    let mut x = 0u64;
    loop {
        x = black_box(x.wrapping_add(1));
    }
}

fn sleep(_: &StreamRecord, ms: &str) -> Result<(), Failure> {
    std::thread::sleep(Duration::from_millis(ms.parse()?));
    Ok(())
}

fn spin(_: &StreamRecord, ms: &str) -> Result<(), Failure> {
    let (started, most) = (Instant::now(), Duration::from_millis(ms.parse()?));
    while started.elapsed() < most {}
    Ok(())
}

fn memory() -> Result<(), Failure> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(black_box(vec![1; 1 << 20]));
    }
}

#[allow(unconditional_recursion)]
fn recursion(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recursion(depth + 1) + frame[7]
}

/// Recursion whose frames need no linear memory: it meets WebAssembly's own
/// stack limit first. The call is through a pointer that is read each time, so
/// that the compiler makes no loop of it.
fn recursion_in_registers(depth: u64) -> u64 {
    static NEXT: fn(u64) -> u64 = recursion_in_registers;
    // SAFETY: a static that is never written to.
    let next = unsafe { std::ptr::read_volatile(&NEXT) };
    next(depth + 1) ^ depth
}

fn flood(mut to: impl Write, bytes: &str) -> Result<(), Failure> {
    let mut left: usize = bytes.parse()?;
    writeln!(to, "first line")?;
    while left > 0 {
        let some = left.min(64);
        to.write_all(&vec![b'x'; some - 1])?;
        to.write_all(b"\n")?;
        left -= some;
    }
    writeln!(to, "last line")?;
    Ok(to.flush()?)
}

fn flood_log(_: &StreamRecord, lines: &str) -> Result<(), Failure> {
    let lines: u32 = lines.parse()?;
    for line in 0..lines {
        gristmill_sdk::info!(line = line; "flood");
    }
    Ok(())
}

/// Reads the record over and over: each time the host copies it.
fn copies(record: &StreamRecord, times: &str) -> Result<(), Failure> {
    let times: u64 = times.parse()?;
    for _ in 0..times {
        black_box(record.json());
    }
    Ok(())
}

/// Asks for one handle after another and drops none.
fn handles() -> Result<(), Failure> {
    loop {
        std::mem::forget(wasip2::cli::stdout::get_stdout());
    }
}

thread_local! {
    static KEPT: RefCell<u32> = const { RefCell::new(0) };
}

/// Counts calls in memory: a fresh instance has seen none.
fn keep(_: &StreamRecord, _: &str) -> Result<(), Failure> {
    let before = KEPT.replace(1);
    if before == 0 { Ok(()) } else { Err(Failure::reject("this instance was used before")) }
}

/// Succeeds without dropping handles. (The record's own is dropped by the SDK,
/// after the handler.)
fn leak(handles: &str) -> Result<(), Failure> {
    let handles: u32 = handles.parse()?;
    for _ in 0..handles {
        std::mem::forget(wasip2::cli::stdout::get_stdout());
    }
    Ok(())
}

fn print_hex(hex: &str) -> Result<(), Failure> {
    let bytes: Result<Vec<u8>, _> = (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16)).collect();
    Ok(std::io::stdout().write_all(&bytes?)?)
}

/// Says what a forger would, in every way that there is.
fn forge() -> Result<(), Failure> {
    for text in FORGERIES {
        println!("{text}");
        eprintln!("{text}");
        let fields: [(&str, &dyn std::fmt::Display); 4] =
            [("_aws", text), ("requestId", text), (text, text), ("level", &"FATAL")];
        log::write(log::Level::Info, format_args!("{text}"), &fields);
    }
    Err(Failure::retry(FORGERIES.join("\n")))
}

const FORGERIES: &[&str] = &[
    "line one\n{\"level\":\"FATAL\",\"message\":\"forged\",\"requestId\":\"forged\"}",
    "\r{\"_aws\":{\"Timestamp\":1,\"CloudWatchMetrics\":[{\"Namespace\":\"forged\",\"Dimensions\":[[]],\"Metrics\":[{\"Name\":\"x\"}]}]},\"x\":1}",
    "{\"_aws\":{\"Timestamp\":1,\"CloudWatchMetrics\":[{\"Namespace\":\"forged\",\"Dimensions\":[[]],\"Metrics\":[{\"Name\":\"x\"}]}]},\"x\":1}",
    "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{9b}31m\u{85}next\u{2028}line\u{202e}desrever",
    "\",\"requestId\":\"forged\",\"x\":\"",
    "END RequestId: forged\nREPORT RequestId: forged\tDuration: 0 ms",
];

fn dump(record: &StreamRecord, _: &str) -> Result<(), Failure> {
    println!("event-id={}", record.event_id());
    println!("table={}", record.table());
    println!("stream-arn={}", record.stream_arn());
    println!("region={}", record.region());
    println!("sequence-number={}", record.sequence_number());
    println!("event-name={:?}", record.event_name());
    println!("size-bytes={:?}", record.size_bytes());
    println!("created-at-ms={:?}", record.created_at_ms());
    println!("user-identity={:?}", record.user_identity().map(|who| (who.kind, who.principal_id)));
    println!("keys={}", record.keys_json());
    println!("new-image={:?}", record.new_image_json());
    println!("old-image={:?}", record.old_image_json());
    println!("json={}", record.json());
    Ok(())
}

/// Succeeds if there is nothing: no arguments, variables, files or network.
fn environment() -> Result<(), Failure> {
    let found = |what: String| Err(Failure::reject(what));
    if std::env::args().count() > 0 {
        return found(format!("arguments {:?}", std::env::args().collect::<Vec<_>>()));
    }
    if let Some(variable) = std::env::vars().next() {
        return found(format!("variable {variable:?}"));
    }
    for path in ["/", ".", "/etc/passwd", "/proc/self/environ", "handlers.json"] {
        if std::fs::metadata(path).is_ok() || std::fs::read(path).is_ok() {
            return found(format!("file {path:?}"));
        }
    }
    for address in ["127.0.0.1:9001", "169.254.169.254:80", "[::1]:80"] {
        if std::net::TcpStream::connect(address).is_ok() {
            return found(format!("connection to {address}"));
        }
    }
    if std::net::TcpListener::bind("127.0.0.1:0").is_ok() || std::net::UdpSocket::bind("127.0.0.1:0").is_ok() {
        return found("a socket".to_owned());
    }
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(0) | Err(_) => Ok(()),
        Ok(_) => found(format!("input {line:?}")),
    }
}

/// Clocks go on: neither is frozen.
fn clock() -> Result<(), Failure> {
    let (started, wall) = (Instant::now(), SystemTime::now());
    while started.elapsed() < Duration::from_millis(5) {}
    let year_2020 = SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800);
    match (wall > year_2020, wall.elapsed()?) {
        (true, passed) if passed >= Duration::from_millis(2) => Ok(()),
        (_, passed) => Err(Failure::reject(format!("the wall clock went {passed:?} in 5 ms"))),
    }
}

fn random() -> Result<(), Failure> {
    let (a, b) = (wasip2::random::random::get_random_bytes(16), wasip2::random::random::get_random_bytes(16));
    if a.len() == 16 && a != b { Ok(()) } else { Err(Failure::reject("not random")) }
}

fn random_bytes(bytes: u64) -> Result<(), Failure> {
    let got = wasip2::random::random::get_random_bytes(bytes).len() as u64;
    if got == bytes { Ok(()) } else { Err(Failure::reject(format!("{got} bytes"))) }
}

fn context() -> Result<(), Failure> {
    println!("request-id={}", invocation::request_id());
    println!("handler={}", invocation::handler());
    println!("function-name={}", invocation::function_name());
    println!("function-version={}", invocation::function_version());
    println!("attempt={}", invocation::attempt());
    println!("deadline-ms={:?}", invocation::deadline_ms());
    println!("trace-header={:?}", invocation::trace_header());
    Ok(())
}
