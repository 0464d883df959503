//! Several functions measured in turn, and the table of what came of it.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::time::{Duration, Instant};

use crate::functions::Function;
use crate::report::row;

/// How often everything is measured at least.
const FEWEST: usize = 5;

/// Runs all in turn, round after round, for so long, and gives the milliseconds
/// of each. One that has had twice its share of the time sits out a round, so
/// that the quick ones, which are compared closely, are measured often enough
/// beside a slow one. One that fails is not tried again.
pub fn in_rounds(
    contestants: usize,
    time: Duration,
    mut run: impl FnMut(usize) -> Result<Duration, String>,
) -> Vec<Result<Vec<f64>, String>> {
    let mut taken: Vec<Result<Vec<f64>, String>> = (0..contestants).map(|_| Ok(Vec::new())).collect();
    let mut spent = vec![Duration::ZERO; contestants];
    let started = Instant::now();
    let mut rounds = 0;
    while started.elapsed() < time || rounds < FEWEST {
        for (index, (taken, spent)) in taken.iter_mut().zip(&mut spent).enumerate() {
            let before = Instant::now();
            if rounds < FEWEST || *spent * (contestants as u32) < 2 * started.elapsed() {
                add(taken, || run(index).map(|time| time.as_secs_f64() * 1e3));
                *spent += before.elapsed();
            }
        }
        rounds += 1;
    }
    taken
}

/// Adds one more, unless something has failed already.
pub fn add<T>(taken: &mut Result<Vec<T>, String>, once: impl FnOnce() -> Result<T, String>) {
    if let Ok(list) = taken {
        match once() {
            Ok(one) => list.push(one),
            Err(why) => *taken = Err(why),
        }
    }
}

/// Least and median.
pub fn of(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2])
}

/// Prints a table, with ratios to the first row.
pub fn print(title: &str, unit: &str, functions: &[Function], taken: &[Result<Vec<f64>, String>]) {
    println!("\n{title}\n");
    println!("| {unit} | least | median | least, ratio | median, ratio | times |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let base = taken[0].as_ref().ok().map(|taken| of(taken.iter().copied()));
    for (Function { name, .. }, taken) in functions.iter().zip(taken) {
        match taken {
            Ok(taken) => {
                let (least, median) = of(taken.iter().copied());
                row(title, unit, name, least, median);
                let ratios = base.map_or([String::new(), String::new()], |(base_least, base_median)| {
                    [format!("{:.2}", least / base_least), format!("{:.2}", median / base_median)]
                });
                println!("| {name} | {least:.2} | {median:.2} | {} | {} |", ratios.join(" | "), taken.len());
            }
            Err(why) => println!("| {name} | {} | | | | |", cell(why)),
        }
    }
}

/// A reason as it fits into a table.
pub fn cell(why: &str) -> String {
    let text: String = why.chars().map(|char| if char.is_control() { ' ' } else { char }).take(300).collect();
    text.replace('|', "\\|")
}
