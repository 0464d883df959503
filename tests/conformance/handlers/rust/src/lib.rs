//! Answers the conformance suite: does what the attribute `case` of the record's key says. The protocol is in
//! docs/any-language.md.

use std::error::Error;
use std::fmt::Display;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gristmill_sdk::log::{self, Level};
use gristmill_sdk::{Failure, Item, OrFail, StreamRecord, invocation, item_to_json};

gristmill_sdk::handler!(answer);

fn answer(record: &StreamRecord) -> Result<(), Failure> {
    let keys = record.keys().or_reject("keys")?;
    match keys.get("case").and_then(|case| case.as_s()).unwrap_or_default() {
        "echo" => echo(record),
        "accessors" => accessors(record),
        "retry" => Err(Failure::retry(text(&arguments(record)?, "text"))),
        "reject" => Err(Failure::reject(text(&arguments(record)?, "text"))),
        "throw" => thrown(&text(&arguments(record)?, "text")),
        "trap" => panic!("trap"),
        "exit" => std::process::exit(3),
        "loop" => loop {
            std::hint::black_box(());
        },
        "grow" => grow(),
        "recurse" => Err(Failure::reject(recurse(1).to_string())),
        "print" => print(&arguments(record)?),
        "log" => write_line(&arguments(record)?),
        "clock" => clock(),
        "random" => random(),
        other => Err(Failure::reject(format!("no such case: {other}"))),
    }
}

fn arguments(record: &StreamRecord) -> Result<Item, Failure> {
    record.new_image().or_reject("arguments")?.or_reject("there are no arguments")
}

fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s()).unwrap_or_default().to_owned()
}

fn info(message: &str, fields: &[(&str, String)]) {
    let fields: Vec<(&str, &dyn Display)> = fields.iter().map(|(name, value)| (*name, value as &dyn Display)).collect();
    log::write(Level::Info, format_args!("{message}"), &fields);
}

fn echo(record: &StreamRecord) -> Result<(), Failure> {
    let mut fields = vec![("keys", item_to_json(&record.keys().or_reject("keys")?))];
    // The error names the image itself.
    let refused = |error: &dyn Error| Failure::reject(error.to_string());
    for (name, image) in [("new", record.new_image()), ("old", record.old_image())] {
        if let Some(item) = image.map_err(|error| refused(&error))? {
            fields.push((name, item_to_json(&item)));
        }
    }
    info("echo", &fields);
    Ok(())
}

fn accessors(record: &StreamRecord) -> Result<(), Failure> {
    let mut fields = vec![
        ("event-id", record.event_id()),
        ("table", record.table()),
        ("stream-arn", record.stream_arn()),
        ("region", record.region()),
        ("sequence-number", record.sequence_number()),
        ("event-name", record.event_name().to_string()),
        ("ttl-delete", record.is_ttl_delete().to_string()),
        ("json", record.json()),
        ("display", record.to_string()),
        ("request-id", invocation::request_id()),
        ("handler", invocation::handler()),
        ("function-name", invocation::function_name()),
        ("function-version", invocation::function_version()),
        ("attempt", invocation::attempt().to_string()),
    ];
    fields.extend(record.size_bytes().map(|bytes| ("size-bytes", bytes.to_string())));
    fields.extend(record.created_at_ms().map(|ms| ("created-at-ms", ms.to_string())));
    if let Some(identity) = record.user_identity() {
        fields.push(("identity-type", identity.kind));
        fields.push(("identity-principal-id", identity.principal_id));
    }
    fields.extend(invocation::deadline_ms().map(|ms| ("deadline-ms", ms.to_string())));
    fields.extend(invocation::trace_header().map(|header| ("trace-header", header)));
    info("accessors", &fields);
    Ok(())
}

fn thrown(text: &str) -> Result<(), Failure> {
    Err(std::io::Error::other(text.to_owned()))?
}

fn grow() -> ! {
    let mut all = Vec::new();
    loop {
        all.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

/// Not the last thing that it does, so that it needs a stack.
#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    std::hint::black_box(depth) + recurse(depth + 1)
}

fn print(arguments: &Item) -> Result<(), Failure> {
    let line = match arguments.get("bytes").and_then(|bytes| bytes.as_n()) {
        Some(bytes) => "x".repeat(bytes.as_str().parse()?),
        None => text(arguments, "text"),
    };
    match text(arguments, "stream").as_str() {
        "stderr" => eprintln!("{line}"),
        _ => println!("{line}"),
    }
    Ok(())
}

fn write_line(arguments: &Item) -> Result<(), Failure> {
    let level = match text(arguments, "level").as_str() {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        "error" => Level::Error,
        _ => Level::Critical,
    };
    let own = arguments.get("fields").and_then(|fields| fields.as_m()).or_reject("there are no fields")?;
    let texts: Vec<(&str, &str)> =
        own.iter().map(|(name, value)| (&**name, value.as_s().unwrap_or_default())).collect();
    let fields: Vec<(&str, &dyn Display)> = texts.iter().map(|(name, value)| (*name, value as &dyn Display)).collect();
    log::write(level, format_args!("{}", text(arguments, "text")), &fields);
    Ok(())
}

fn clock() -> Result<(), Failure> {
    let first = SystemTime::now();
    while first.elapsed()? < Duration::from_millis(2) {}
    let ms = |time: SystemTime| Ok::<_, Failure>(time.duration_since(UNIX_EPOCH)?.as_millis().to_string());
    info("clock", &[("first-ms", ms(first)?), ("second-ms", ms(SystemTime::now())?)]);
    Ok(())
}

/// The standard library's one source of chance: the keys of its hashes.
fn random() -> Result<(), Failure> {
    let number = || format!("{:016x}", RandomState::new().build_hasher().finish());
    info("random", &[("first", number()), ("second", number())]);
    Ok(())
}
