//! What a function costs as a process: its invocations, its start and its
//! memory, of `bootstrap` and of what people have today.
//!
//! `cargo bench -p gristmill-bench --bench process [PART OF A TITLE]`
//!
//! Each process speaks to a Runtime API of its own, in this process. What cannot
//! be installed or started is a row that says why.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::time::Duration;

use gristmill_bench::events::{self, LARGE, SMALL};
use gristmill_bench::functions::{Function, Work, bootstrap, node, python, usual};
use gristmill_bench::process::{Memory, Process};
use gristmill_bench::report::row;
use gristmill_bench::rounds::{add, cell, in_rounds, of, print};
use gristmill_host::settings::InstancePer;

/// How long a group is measured.
const TIME: Duration = Duration::from_secs(15);

/// How often each function is invoked before its memory is read again.
const INVOCATIONS: usize = 100;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wants = |title: &str| wanted.is_empty() || wanted.iter().any(|part| title.contains(part.as_str()));
    let (small, large, one) = (events::small(), events::large(), events::event(1, 1));

    for (payload, records, warm) in [(&small, SMALL, 20), (&large, LARGE, 3)] {
        let title = format!("whole invocations, {records} records of {} bytes", payload.len() / records);
        if wants(&title) {
            invocations(&title, payload, warm);
        }
    }
    let title = "start of the process to the answer for a first record";
    if wants(title) {
        start_up(title, &one);
    }
    let title = "memory";
    if wants(title) {
        memory(title, &small);
    }
}

/// The usual handler, to which all are compared.
fn base() -> Function {
    usual(env!("CARGO_BIN_EXE_usual-handler"))
}

/// From handing out an invocation to its answer, in processes that stay.
fn invocations(title: &str, payload: &[u8], warm: usize) {
    let functions = [
        base(),
        bootstrap("bootstrap, an instance for each record", InstancePer::Record, 1),
        bootstrap("bootstrap, an instance for each invocation", InstancePer::Invocation, 1),
        python(Work::Read),
        node(Work::Read),
    ];
    let mut processes: Vec<Result<Process, String>> =
        functions.iter().map(|function| started(function, payload, warm)).collect();
    let taken = in_rounds(functions.len(), TIME, |index| match &mut processes[index] {
        Ok(process) => process.invoke(payload),
        Err(why) => Err(why.clone()),
    });
    print(title, "ms an invocation", &functions, &taken);
    println!(
        "\nThe new image into a struct, a dict or an object. Measured at the server, from before an invocation is sent until\n\
         its answer is read, so that the protocol's share is in all of them. What a process prints goes into a pipe that\n\
         is read: `bootstrap` writes its log there. All of them take one record at a time."
    );
    note_on_node();
}

fn started(function: &Function, payload: &[u8], warm: usize) -> Result<Process, String> {
    let mut process = function.start(None)?;
    process.wait_until_initialised()?;
    for _ in 0..warm {
        process.invoke(payload)?;
    }
    Ok(process)
}

/// From before the process is made to the answer to an invocation with one
/// record, which waits for it.
fn start_up(title: &str, payload: &[u8]) {
    let functions = [
        base(),
        bootstrap("bootstrap, 1 handler", InstancePer::Record, 1),
        bootstrap("bootstrap, 20 handlers", InstancePer::Record, 20),
        bootstrap("bootstrap, 200 handlers", InstancePer::Record, 200),
        python(Work::Read),
        node(Work::Read),
    ];
    let taken = in_rounds(functions.len(), TIME, |index| functions[index].start(Some(payload))?.first_answer());
    print(title, "ms", &functions, &taken);
    println!(
        "\nFiles are in the page cache. Each handler has a stream and a file of code of its own, and the record is for one\n\
         of them, with an instance for each record. On Lambda the time to fetch a package and to make a sandbox comes on\n\
         top of all."
    );
    note_on_node();
}

/// What is resident after a process asked for its first invocation, and after
/// many.
fn memory(title: &str, payload: &[u8]) {
    const ROUNDS: usize = 3;
    type Column = fn(&[Memory; 2]) -> f64;
    const COLUMNS: [(&str, Column); 4] = [
        ("at rest, resident", |[rest, _]| rest.resident_mb),
        ("at rest, most", |[rest, _]| rest.most_mb),
        ("after, resident", |[_, after]| after.resident_mb),
        ("after, most", |[_, after]| after.most_mb),
    ];
    let functions = [
        base(),
        bootstrap("bootstrap, 1 handler, an instance for each record", InstancePer::Record, 1),
        bootstrap("bootstrap, 1 handler, an instance for each invocation", InstancePer::Invocation, 1),
        bootstrap("bootstrap, 200 handlers, an instance for each record", InstancePer::Record, 200),
        python(Work::Read),
        node(Work::Read),
    ];
    let look = |function: &Function| -> Result<[Memory; 2], String> {
        let mut process = started(function, payload, 0)?;
        let rest = process.memory()?;
        for _ in 0..INVOCATIONS {
            process.invoke(payload)?;
        }
        Ok([rest, process.memory()?])
    };
    let mut found: Vec<Result<Vec<[Memory; 2]>, String>> = functions.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..ROUNDS {
        for (function, found) in functions.iter().zip(&mut found) {
            add(found, || look(function));
        }
    }

    println!("\n{title}, {INVOCATIONS} invocations of {SMALL} records of {} bytes\n", payload.len() / SMALL);
    println!("| MB, median of {ROUNDS} | {} |", COLUMNS.map(|(column, _)| column).join(" | "));
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (function, found) in functions.iter().zip(&found) {
        let name = &function.name;
        match found {
            Ok(found) => {
                let values = COLUMNS.map(|(column, value)| {
                    let (least, median) = of(found.iter().map(value));
                    row(&format!("{title} {column}"), "MB", name, least, median);
                    format!("{median:.1}")
                });
                println!("| {name} | {} |", values.join(" | "));
            }
            Err(why) => println!("| {name} | {} | | | |", cell(why)),
        }
    }
    println!("\nVmRSS and VmHWM, in MB of 10⁶ bytes. At rest: the process has asked for its first invocation.");
    note_on_node();
}

fn note_on_node() {
    println!(
        "\nNode is flattered: AWS's own client compiles native code when it is installed, which fails on some systems, so\n\
         Node runs a loop of 30 lines that does less."
    );
}
