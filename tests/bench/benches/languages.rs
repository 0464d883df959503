//! What a handler costs in each language: invocations, the start of a process, and
//! memory, beside the same handler in Rust, Python and Node without gristmill.
//!
//! `cargo bench -p gristmill-bench --bench languages [PART OF A TITLE]`
//!
//! As in `process`, each has a Runtime API of its own in this process.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::time::Duration;

use gristmill_bench::events::{self, SMALL};
use gristmill_bench::functions::{Function, Work, language, node, python, several, usual};
use gristmill_bench::process::{Memory, Process};
use gristmill_bench::report::row;
use gristmill_bench::rounds::{add, cell, in_rounds, of, print};
use gristmill_host::settings::InstancePer::{Invocation, Record};

/// How long a group is measured.
const TIME: Duration = Duration::from_secs(30);

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wants = |title: &str| wanted.is_empty() || wanted.iter().any(|part| title.contains(part.as_str()));
    let (small, one) = (events::small(), events::event(1, 1));
    let bytes = small.len() / SMALL;
    for (work, what) in [(Work::Read, "the new image read"), (Work::Clerk, "a line printed for each")] {
        let title = format!("languages, {SMALL} records of {bytes} bytes, {what}");
        if wants(&title) {
            invocations(&title, &functions(work), &small);
        }
    }
    for (work, what) in [(Work::Read, "read"), (Work::Clerk, "printed")] {
        let title = format!("languages, start of the process to the answer for a first record, {what}");
        if wants(&title) {
            let functions = functions(work);
            let taken = in_rounds(functions.len(), TIME, |index| functions[index].start(Some(&one))?.first_answer());
            print(&title, "ms", &functions, &taken);
        }
    }
    let title = "languages, memory";
    if wants(title) {
        memory(title, &small);
    }
}

/// Node first: what the others are compared to.
fn functions(work: Work) -> Vec<Function> {
    let mut functions = vec![node(work), python(work)];
    if let Work::Read = work {
        functions.push(usual(env!("CARGO_BIN_EXE_usual-handler")));
    }
    for (name, lang) in
        [("Rust", "rust"), ("JavaScript", "js"), ("Python", "python"), ("Go", "go"), ("C", "c"), ("Zig", "zig")]
    {
        functions.push(language(
            &format!("gristmill, {name}, an instance for each invocation"),
            lang,
            work,
            Invocation,
        ));
    }
    for (name, lang) in [("JavaScript", "js"), ("Python", "python"), ("Go", "go"), ("C", "c"), ("Zig", "zig")] {
        functions.push(language(&format!("gristmill, {name}, an instance for each record"), lang, work, Record));
    }
    functions
}

/// From handing out an invocation to its answer, in processes that stay.
fn invocations(title: &str, functions: &[Function], payload: &[u8]) {
    let started = |function: &Function| -> Result<Process, String> {
        let mut process = function.start(None)?;
        process.wait_until_initialised()?;
        for _ in 0..5 {
            process.invoke(payload)?;
        }
        Ok(process)
    };
    let mut processes: Vec<_> = functions.iter().map(started).collect();
    let taken = in_rounds(functions.len(), TIME, |index| match &mut processes[index] {
        Ok(process) => process.invoke(payload),
        Err(why) => Err(why.clone()),
    });
    print(title, "ms an invocation", functions, &taken);
}

/// What is resident after some invocations, with one handler and with several
/// that all see each record.
fn memory(title: &str, payload: &[u8]) {
    const ROUNDS: usize = 3;
    const INVOCATIONS: usize = 20;
    let mut functions = functions(Work::Read);
    for (name, lang) in [("JavaScript", "js"), ("Python", "python"), ("Go", "go")] {
        for handlers in [2, 4, 8] {
            let name = format!("gristmill, {handlers} handlers in {name}, an instance for each invocation");
            functions.push(several(&name, lang, Work::Read, Invocation, handlers));
        }
    }
    let look = |function: &Function| -> Result<Memory, String> {
        let mut process = function.start(None)?;
        process.wait_until_initialised()?;
        for _ in 0..INVOCATIONS {
            process.invoke(payload)?;
        }
        process.memory()
    };
    let mut found: Vec<Result<Vec<Memory>, String>> = functions.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..ROUNDS {
        for (function, found) in functions.iter().zip(&mut found) {
            add(found, || look(function));
        }
    }
    println!("\n{title}, after {INVOCATIONS} invocations of {SMALL} records\n");
    println!("| MB, median of {ROUNDS} | resident | of it in no file |\n| --- | ---: | ---: |");
    for (function, found) in functions.iter().zip(&found) {
        match found {
            Ok(found) => {
                let (least, resident) = of(found.iter().map(|memory| memory.resident_mb));
                let (_, anonymous) = of(found.iter().map(|memory| memory.anonymous_mb));
                row(title, "MB", &function.name, least, resident);
                println!("| {} | {resident:.1} | {anonymous:.1} |", function.name);
            }
            Err(why) => println!("| {} | {} | |", function.name, cell(why)),
        }
    }
}
