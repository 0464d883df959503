//! What a handler costs in each language: invocations, the start of a process, and
//! memory, beside the same handler in Rust, Python and Node without gristmill.
//!
//! `cargo bench -p gristmill-bench --bench languages [PART OF A TITLE]`
//!
//! As in `process`, each has a Runtime API of its own in this process.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::time::Duration;

use gristmill_bench::events::{self, SMALL};
use gristmill_bench::functions::{Function, language, node, python, usual};
use gristmill_bench::process::Process;
use gristmill_bench::report::row;
use gristmill_bench::rounds::{add, cell, in_rounds, of, print};
use gristmill_host::settings::InstancePer::{Invocation, Record};

/// How long a group is measured.
const TIME: Duration = Duration::from_secs(30);

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wants = |title: &str| wanted.is_empty() || wanted.iter().any(|part| title.contains(part.as_str()));
    let (small, one) = (events::small(), events::event(1, 1));
    let title = format!("languages, {SMALL} records of {} bytes, the new image read", small.len() / SMALL);
    if wants(&title) {
        invocations(&title, &small);
    }
    let title = "languages, start of the process to the answer for a first record";
    if wants(title) {
        let functions = functions();
        let taken = in_rounds(functions.len(), TIME, |index| functions[index].start(Some(&one))?.first_answer());
        print(title, "ms", &functions, &taken);
    }
    let title = "languages, memory";
    if wants(title) {
        memory(title, &small);
    }
}

/// Node first: what the others are compared to.
fn functions() -> Vec<Function> {
    let mut functions = vec![node(), python(), usual(env!("CARGO_BIN_EXE_usual-handler"))];
    for (name, lang) in
        [("Rust", "rust"), ("JavaScript", "js"), ("Python", "python"), ("Go", "go"), ("C", "c"), ("Zig", "zig")]
    {
        functions.push(language(&format!("gristmill, {name}, an instance for each invocation"), lang, Invocation));
    }
    for (name, lang) in [("JavaScript", "js"), ("Python", "python"), ("Go", "go"), ("C", "c"), ("Zig", "zig")] {
        functions.push(language(&format!("gristmill, {name}, an instance for each record"), lang, Record));
    }
    functions
}

/// From handing out an invocation to its answer, in processes that stay.
fn invocations(title: &str, payload: &[u8]) {
    let functions = functions();
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
    print(title, "ms an invocation", &functions, &taken);
}

/// What is resident after some invocations.
fn memory(title: &str, payload: &[u8]) {
    const ROUNDS: usize = 3;
    const INVOCATIONS: usize = 20;
    let functions = functions();
    let look = |function: &Function| -> Result<f64, String> {
        let mut process = function.start(None)?;
        process.wait_until_initialised()?;
        for _ in 0..INVOCATIONS {
            process.invoke(payload)?;
        }
        Ok(process.memory()?.resident_mb)
    };
    let mut found: Vec<Result<Vec<f64>, String>> = functions.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..ROUNDS {
        for (function, found) in functions.iter().zip(&mut found) {
            add(found, || look(function));
        }
    }
    println!("\n{title}, after {INVOCATIONS} invocations of {SMALL} records\n");
    println!("| MB resident, median of {ROUNDS} | |\n| --- | ---: |");
    for (function, found) in functions.iter().zip(&found) {
        match found {
            Ok(found) => {
                let (least, median) = of(found.iter().copied());
                row(title, "MB", &function.name, least, median);
                println!("| {} | {median:.1} |", function.name);
            }
            Err(why) => println!("| {} | {} |", function.name, cell(why)),
        }
    }
}
