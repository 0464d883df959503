//! One invocation of the model, with every step of the machine checked.

use super::*;

/// What the model knows of a record at a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// The filter declines it.
    Declined,
    /// It cannot be read, or comes after one that cannot.
    Barred,
    Waiting,
    Running,
    Done,
    Failed,
}

struct Ledger<'w> {
    case: &'w Case,
    /// By position, the record.
    batch: &'w [usize],
    /// By position, then handler.
    seen: Vec<Vec<Seen>>,
}

impl<'w> Ledger<'w> {
    fn new(case: &'w Case, batch: &'w [usize]) -> Self {
        let barrier = batch.iter().position(|record| case.items[*record].is_none()).unwrap_or(batch.len());
        let cell = |position: usize, handler| match case.wants(batch[position], handler) {
            _ if position >= barrier => Seen::Barred,
            true => Seen::Waiting,
            false => Seen::Declined,
        };
        let handlers = case.declines.len();
        let seen = (0..batch.len()).map(|position| (0..handlers).map(|handler| cell(position, handler)).collect());
        Self { case, batch, seen: seen.collect() }
    }

    /// What was seen of the earlier records of the lane.
    fn before(&self, position: usize, handler: usize) -> impl Iterator<Item = Seen> {
        let item = |position: usize| self.case.items[self.batch[position]];
        let same = move |other: &usize| self.case.order == Order::Shard || item(*other) == item(position);
        (0..position).filter(same).map(move |other| self.seen[other][handler]).filter(|seen| *seen != Seen::Declined)
    }

    fn may_start(&self, position: usize, handler: usize) -> bool {
        self.seen[position][handler] == Seen::Waiting && self.before(position, handler).all(|seen| seen == Seen::Done)
    }

    fn start(&mut self, position: usize, handler: usize) {
        assert!(self.may_start(position, handler), "{position} {handler}: {:?}", self.seen);
        for lower in 0..position {
            let passed_over = (0..self.case.declines.len()).find(|handler| self.may_start(lower, *handler));
            assert_eq!(passed_over, None, "{position} was handed out before {lower}");
        }
        self.seen[position][handler] = Seen::Running;
    }

    /// Whether the outcome that was reported is what was seen.
    fn agrees(&self, position: usize, handler: usize, outcome: &Outcome, time_is_over: bool) -> bool {
        let behind = self.before(position, handler).any(|seen| seen == Seen::Failed);
        match (self.seen[position][handler], outcome) {
            (Seen::Declined, Outcome::Filtered) | (Seen::Done, Outcome::Done) => true,
            (Seen::Barred, Outcome::Malformed(_)) => self.case.items[self.batch[position]].is_none(),
            (Seen::Barred, Outcome::NotRun(NotRun::Barrier)) => true,
            (Seen::Waiting, Outcome::NotRun(NotRun::Behind)) => behind,
            (Seen::Waiting, Outcome::NotRun(NotRun::Deadline)) => time_is_over && !behind,
            (Seen::Failed, Outcome::NotRun(NotRun::Deadline)) => time_is_over && position > 0,
            (Seen::Failed, outcome) => outcome.must_come_again() && outcome.is_attempt(),
            _ => false,
        }
    }

    /// The lowest record that must come again, and nothing of the machine's
    /// own in how that is found.
    fn lowest(&self) -> Option<usize> {
        let fine = |seen: &Seen| matches!(seen, Seen::Declined | Seen::Done);
        self.seen.iter().position(|row| !row.iter().all(fine))
    }
}

impl World {
    fn budget(&mut self) -> Budget {
        const NOW: u64 = 1_700_000_000_000;
        // In the end there is always time enough.
        let left = if self.invocations > 40 { 4 } else { self.dice.roll(6) };
        let deadline = match left {
            0 | 1 => NOW + 20 + self.dice.roll(300),
            2 => NOW + 20 + self.dice.roll(3_000),
            3 => self.dice.roll(NOW),
            _ => return Budget::UNLIMITED,
        };
        Budget::new(NOW, deadline).0
    }

    /// How a call goes, and the time that it takes if it is not cut.
    fn play(&mut self, record: usize, handler: usize, timeout: Duration) -> (Duration, Ended) {
        let takes = Duration::from_millis(self.dice.roll(timeout.as_millis() as u64));
        if self.failures[record][handler] == 0 {
            return (takes, Ended::Done);
        }
        self.failures[record][handler] -= 1;
        let text = "x".to_owned();
        match self.dice.roll(5) {
            0 => (takes, Ended::Retry(text)),
            1 => (takes, Ended::Rejected(text)),
            2 => (takes, Ended::Trapped(text)),
            3 => (takes, Ended::Limit(LimitKind::Memory, text)),
            _ => (timeout * 10, Ended::OutOfTime),
        }
    }

    /// One invocation: the identifier in the answer, or that the function
    /// failed.
    pub(super) fn invoke(&mut self, batch: &[usize]) -> Result<Option<String>, ()> {
        self.invocations += 1;
        assert!(self.invocations < 2_000, "it never ends");
        let case = self.case.clone();
        let host = self.dice.roll(case.hosts as u64) as usize;
        let budget = self.budget();
        let timeouts = vec![ms(100 + self.dice.roll(100)); case.declines.len()];

        let mut payload: Vec<String> = batch.iter().map(|record| case.json(*record)).collect();
        if self.dice.one_in(4) {
            payload.reverse();
        }
        let event = Event::parse(format!("{{\"Records\":[{}]}}", payload.join(","))).unwrap();
        let route = self.router.route(&event).unwrap();
        let rotation = self.hosts[host].invocations;
        self.hosts[host].invocations += 1;
        let terms = Terms { timeouts: timeouts.clone(), concurrency: case.concurrency, budget, rotation };

        let mut machine = Batch::new(&event, &route, terms);
        let mut ledger = Ledger::new(&case, batch);
        // Late now and then, as on a busy machine.
        let mut now = if self.dice.one_in(8) { ms(self.dice.roll(200)) } else { Duration::ZERO };
        let mut in_flight: Vec<(Duration, Call, Ended)> = Vec::new();
        let mut starts = 0;
        loop {
            match machine.next(now) {
                Next::Call(call) => {
                    ledger.start(call.position, call.handler);
                    starts += 1;
                    let in_time = budget.stop().is_none_or(|stop| now < stop && now + call.limit <= stop);
                    assert!(in_time || starts == 1, "handed out at {now:?} for {:?}", call.limit);
                    assert!(call.limit <= timeouts[call.handler] && !call.limit.is_zero());
                    let record = batch[call.position];
                    let id = format!("e{record}");
                    let attempt = self.hosts[host].attempts.upcoming(call.handler, &id, &case.number(record));
                    self.tries[record][call.handler] += 1;
                    assert!((1..=self.tries[record][call.handler]).contains(&attempt));
                    let (takes, ended) = self.play(record, call.handler, timeouts[call.handler]);
                    let (takes, ended) =
                        if takes > call.limit { (call.limit, Ended::OutOfTime) } else { (takes, ended) };
                    in_flight.push((now + takes, call, ended));
                    assert!(in_flight.len() <= case.concurrency, "more calls in flight than the concurrency");
                }
                Next::Wait => {
                    let first = in_flight.iter().enumerate().min_by_key(|(_, (end, ..))| *end).unwrap().0;
                    let (end, call, ended) = in_flight.remove(first);
                    now = end;
                    let record = batch[call.position];
                    let is_done = ended == Ended::Done;
                    // A call that fails may have done half of its work.
                    if is_done || self.dice.one_in(2) {
                        self.effects.insert((call.handler, case.items[record].unwrap()), record);
                    }
                    let outcome = machine.outcome(call, ended);
                    assert_eq!(!outcome.must_come_again(), is_done);
                    if !is_done && outcome.is_attempt() {
                        self.hosts[host].attempts.failed(call.handler, &format!("e{record}"), &case.number(record));
                    }
                    machine.ended(call, outcome);
                    self.done[record][call.handler] += u32::from(is_done);
                    ledger.seen[call.position][call.handler] = if is_done { Seen::Done } else { Seen::Failed };
                }
                Next::Over => break,
            }
        }
        assert!(in_flight.is_empty(), "over while calls are in flight");

        let time_is_over = budget.stop().is_some_and(|stop| now >= stop);
        let report = machine.report(&event);
        assert_eq!(report.outcomes.len(), batch.len());
        for (position, row) in report.outcomes.iter().enumerate() {
            assert_eq!(row.len(), case.declines.len());
            for (handler, outcome) in row.iter().enumerate() {
                let agrees = ledger.agrees(position, handler, outcome, time_is_over);
                assert!(agrees, "{position} {handler}: {outcome} but {:?}", ledger.seen);
            }
        }
        let wanted = ledger.seen.iter().flatten().any(|seen| !matches!(seen, Seen::Declined | Seen::Barred));
        assert!(starts > 0 || !wanted, "nothing was tried");
        let expected = ledger.lowest().map(|position| case.number(batch[position]));
        let names: Vec<String> = (0..case.declines.len()).map(|handler| format!("h{handler}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match respond(&report, &names, &event, route.response) {
            Err(_) => {
                assert!(expected.is_some() && case.response == Response::Error);
                Err(())
            }
            Ok(body) => {
                let body: Value = serde_json::from_str(&body).unwrap();
                let failures = body["batchItemFailures"].as_array().unwrap();
                let named = failures.first().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned());
                assert_eq!(failures.len(), usize::from(named.is_some()));
                assert_eq!(named, expected);
                Ok(named)
            }
        }
    }
}
