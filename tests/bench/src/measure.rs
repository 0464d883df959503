//! Times, taken in turn.

use std::time::{Duration, Instant};

/// One of those that are compared.
pub struct Contestant<'a> {
    /// What it is.
    pub name: String,
    run: Box<dyn FnMut() + 'a>,
}

impl<'a> Contestant<'a> {
    /// Something to be run over and over.
    pub fn new(name: impl Into<String>, run: impl FnMut() + 'a) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

/// Of one contestant, in microseconds for each unit of work.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The least: what the machine can do when nothing disturbs it.
    pub least: f64,
    /// The median.
    pub median: f64,
}

/// Runs all in turn, round after round, for so long; gives the times of each in
/// microseconds for each of `units` that a run works through.
pub fn in_turn(contestants: &mut [Contestant<'_>], units: usize, time: Duration) -> Vec<Times> {
    const FEWEST: usize = 20;
    for contestant in contestants.iter_mut() {
        (contestant.run)();
    }
    let mut taken = vec![Vec::new(); contestants.len()];
    let started = Instant::now();
    while started.elapsed() < time || taken[0].len() < FEWEST {
        for (contestant, taken) in contestants.iter_mut().zip(&mut taken) {
            let started = Instant::now();
            (contestant.run)();
            taken.push(started.elapsed());
        }
    }
    taken.iter_mut().map(|taken| Times::of(taken, units)).collect()
}

impl Times {
    /// Least and median of these.
    pub fn of(taken: &mut [Duration], units: usize) -> Self {
        taken.sort_unstable();
        let us = |time: Duration| time.as_secs_f64() * 1e6 / units as f64;
        Self { least: us(taken[0]), median: us(taken[taken.len() / 2]) }
    }
}

/// Prints a group: each contestant's times, and how they compare to those of
/// the one at `base`.
pub fn print(title: &str, unit: &str, contestants: &[Contestant<'_>], times: &[Times], base: usize) {
    println!("\n{title}\n");
    println!("| {unit} | least | median | least, ratio | median, ratio |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (contestant, times_of) in contestants.iter().zip(times) {
        let (least, median) = (times_of.least / times[base].least, times_of.median / times[base].median);
        let Times { least: us, median: us_median } = times_of;
        crate::report::row(title, unit, &contestant.name, *us, *us_median);
        println!("| {} | {us:.2} | {us_median:.2} | {least:.2} | {median:.2} |", contestant.name);
    }
}
