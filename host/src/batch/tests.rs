//! R4 and R6 to R15 by scripted runs in virtual time.

mod answers;
mod model;
mod time;

use serde_json::{Value, json};

use super::*;

const ARN: &str = "arn:aws:dynamodb:us-west-2:112233445566:table/t/stream/l";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn record(number: &str, item: &str) -> Value {
    json!({
        "eventID": format!("e{number}"),
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": ARN,
        "dynamodb": { "Keys": { "id": { "S": item } }, "SequenceNumber": number },
    })
}

fn malformed(number: &str) -> Value {
    let mut record = record(number, "x");
    record["dynamodb"]["Keys"] = Value::Null;
    record
}

fn event_of(records: &[Value]) -> Event {
    Event::parse(json!({ "Records": records }).to_string()).unwrap()
}

/// An event of records of these items, numbered from 100 on; `!` is a
/// malformed one.
fn event(items: &[&str]) -> Event {
    let number = |i: usize| (100 + i).to_string();
    let make = |(i, item): (usize, &&str)| if *item == "!" { malformed(&number(i)) } else { record(&number(i), item) };
    event_of(&items.iter().enumerate().map(make).collect::<Vec<_>>())
}

/// All handlers want all that can be read.
fn route(event: &Event, handlers: usize) -> Route {
    let want = |record: crate::event::Record<'_>| {
        record.malformed().map_or(Want::Run, |reason| Want::Malformed(reason.to_owned()))
    };
    Route {
        handlers: (0..handlers).collect(),
        wants: event.records().map(|record| vec![want(record); handlers]).collect(),
        order: Order::Item,
        response: crate::settings::Response::Partial,
        concurrency: None,
    }
}

fn terms(route: &Route, concurrency: usize) -> Terms {
    Terms { timeouts: vec![ms(1_000); route.handlers.len()], concurrency, budget: Budget::UNLIMITED, rotation: 0 }
}

/// What a driver saw.
struct Run {
    /// Record and handler of every call, in the order of hand-out.
    starts: Vec<(usize, usize)>,
    limits: Vec<Duration>,
    most_in_flight: usize,
    /// When the last call ended.
    over: Duration,
    report: Report,
}

impl Run {
    /// Each record's outcomes, one word or two for each handler.
    fn outcomes(&self) -> Vec<Vec<String>> {
        self.report.outcomes.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
    }

    /// The same when there is one handler.
    fn column(&self) -> Vec<String> {
        self.outcomes().into_iter().map(|mut row| row.remove(0)).collect()
    }

    fn records(&self) -> Vec<usize> {
        self.starts.iter().map(|(position, _)| *position).collect()
    }
}

/// Drives a batch in virtual time. `script` says how long a call takes and how
/// it ends, unless its limit cuts it first.
fn drive(event: &Event, route: &Route, terms: Terms, script: impl FnMut(Call) -> (Duration, Ended)) -> Run {
    drive_from(Duration::ZERO, event, route, terms, script)
}

fn drive_from(
    start: Duration,
    event: &Event,
    route: &Route,
    terms: Terms,
    mut script: impl FnMut(Call) -> (Duration, Ended),
) -> Run {
    let mut batch = Batch::new(event, route, terms);
    let mut now = start;
    let mut in_flight: Vec<(Duration, Call, Ended)> = Vec::new();
    let (mut starts, mut limits, mut most_in_flight) = (Vec::new(), Vec::new(), 0);
    loop {
        match batch.next(now) {
            Next::Call(call) => {
                let (takes, ended) = script(call);
                let end = if takes > call.limit { (call.limit, Ended::OutOfTime) } else { (takes, ended) };
                starts.push((call.position, call.handler));
                limits.push(call.limit);
                in_flight.push((now + end.0, call, end.1));
                most_in_flight = most_in_flight.max(in_flight.len());
            }
            Next::Wait => {
                let first = in_flight.iter().enumerate().min_by_key(|(_, (end, ..))| *end).unwrap().0;
                let (end, call, ended) = in_flight.remove(first);
                now = end;
                let outcome = batch.outcome(call, ended);
                batch.ended(call, outcome);
            }
            Next::Over => break,
        }
    }
    assert!(in_flight.is_empty(), "over while calls are in flight");
    Run { starts, limits, most_in_flight, over: now, report: batch.report(event) }
}

fn done() -> (Duration, Ended) {
    (ms(10), Ended::Done)
}

fn retry() -> (Duration, Ended) {
    (ms(10), Ended::Retry("x".to_owned()))
}

/// One handler, one call at a time, failing at the positions given.
fn run_failing(items: &[&str], failing: &[usize]) -> Run {
    let event = event(items);
    let route = route(&event, 1);
    drive(&event, &route, terms(&route, 1), |call| if failing.contains(&call.position) { retry() } else { done() })
}

#[test]
fn r06_a_failure_holds_back_only_its_own_item() {
    let run = run_failing(&["a", "b", "a", "b", "a", "c"], &[0]);
    let expected = ["retry (x)", "done", "not-run (behind)", "done", "not-run (behind)", "done"];
    assert_eq!(run.column(), expected);
    assert_eq!(run.records(), [0, 1, 3, 5]);
    assert_eq!(run.report.answer.come_again_from(), Some("100"));
    let run = run_failing(&["a", "b", "a", "b", "a", "b"], &[2]);
    assert_eq!(run.column(), ["done", "done", "retry (x)", "done", "not-run (behind)", "done"]);
    assert_eq!(run.report.answer.come_again_from(), Some("102"));
}

#[test]
fn r06_every_failure_holds_back_the_rest_of_its_lane() {
    for ended in [
        Ended::Retry("x".to_owned()),
        Ended::Rejected("x".to_owned()),
        Ended::Trapped("x".to_owned()),
        Ended::Limit(LimitKind::Memory, "x".to_owned()),
        Ended::OutOfTime,
    ] {
        let event = event(&["a", "a", "b", "a"]);
        let route = route(&event, 1);
        let run = drive(&event, &route, terms(&route, 2), |call| match call.position {
            0 => (ms(5), ended.clone()),
            _ => done(),
        });
        assert_eq!(run.records(), [0, 2], "{ended:?}");
        assert_eq!(run.column()[1..], ["not-run (behind)", "done", "not-run (behind)"], "{ended:?}");
        assert_eq!(run.report.answer.come_again_from(), Some("100"), "{ended:?}");
    }
}

#[test]
fn r06_records_of_a_lane_run_one_after_another() {
    let event = event(&["a", "a", "a", "b"]);
    let route = route(&event, 1);
    let run = drive(&event, &route, terms(&route, 8), |_| done());
    assert_eq!(run.most_in_flight, 2);
    assert_eq!(run.records(), [0, 3, 1, 2]);
    assert_eq!(run.over, ms(30));
}

#[test]
fn r06_each_handler_has_its_own_lanes() {
    let event = event(&["a", "a", "b"]);
    let route = route(&event, 2);
    let run = drive(&event, &route, terms(&route, 1), |call| match (call.position, call.handler) {
        (0, 1) => retry(),
        _ => done(),
    });
    assert_eq!(run.outcomes(), [["done", "retry (x)"], ["done", "not-run (behind)"], ["done", "done"]]);
    assert_eq!(run.report.answer.come_again_from(), Some("100"));
    // At once, on the same item.
    let run = drive(&event, &route, terms(&route, 8), |_| done());
    assert_eq!(run.starts[..4], [(0, 0), (0, 1), (2, 0), (2, 1)]);
}

#[test]
fn r03_r06_two_spellings_of_an_item_share_a_lane() {
    let mut records = [record("100", "@@@"), record("101", "@@@"), record("102", "a")];
    for record in &mut records[..2] {
        record["dynamodb"]["Keys"]["at"] = json!({ "N": "1" });
    }
    let text = json!({ "Records": records }).to_string();
    let text = text.replacen(r#"{"at":{"N":"1"},"id":{"S":"@@@"}}"#, r#"{"id":{"S":"a"},"at":{"N":"1.0"}}"#, 1);
    let text = text.replacen(r#"{"at":{"N":"1"},"id":{"S":"@@@"}}"#, r#"{"at":{"N":"1"},"id":{"S":"\u0061"}}"#, 1);
    let event = Event::parse(text).unwrap();
    let route = route(&event, 1);
    let run = drive(&event, &route, terms(&route, 8), |call| if call.position == 0 { retry() } else { done() });
    assert_eq!(run.column(), ["retry (x)", "not-run (behind)", "done"]);
}

#[test]
fn r06_order_shard_makes_one_lane_for_each_handler() {
    let event = event(&["a", "b", "c"]);
    let mut route = route(&event, 2);
    route.order = Order::Shard;
    let run = drive(&event, &route, terms(&route, 8), |call| match (call.position, call.handler) {
        (1, 0) => retry(),
        _ => done(),
    });
    assert_eq!(run.most_in_flight, 2);
    assert_eq!(run.outcomes(), [["done", "done"], ["retry (x)", "done"], ["not-run (behind)", "done"]]);
    assert_eq!(run.report.answer.come_again_from(), Some("101"));
}

#[test]
fn r06_a_filtered_record_holds_nothing_back() {
    let event = event(&["a", "a", "a"]);
    let mut route = route(&event, 1);
    route.wants[1] = vec![Want::Filtered];
    let run = drive(&event, &route, terms(&route, 1), |call| if call.position == 2 { retry() } else { done() });
    assert_eq!(run.column(), ["done", "filtered", "retry (x)"]);
    assert_eq!(run.records(), [0, 2]);
}

#[test]
fn r07_hand_out_ascends_over_lanes_and_handlers() {
    let event = event(&["a", "b", "a"]);
    let route = route(&event, 2);
    let run = drive(&event, &route, terms(&route, 1), |_| done());
    assert_eq!(run.starts, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]);
}

#[test]
fn r07_a_lower_record_that_becomes_free_goes_first() {
    let event = event(&["a", "a", "b", "c", "d"]);
    let route = route(&event, 1);
    let run = drive(&event, &route, terms(&route, 2), |call| (ms(10 + call.position as u64), Ended::Done));
    assert_eq!(run.records(), [0, 2, 1, 3, 4]);
}

#[test]
fn r02_r07_hand_out_is_by_number_and_not_by_payload() {
    let (nines, tens) = ("9".repeat(21), format!("1{}", "0".repeat(21)));
    let event = event_of(&[record(&tens, "a"), record(&nines, "a")]);
    let route = route(&event, 1);
    let run = drive(&event, &route, terms(&route, 1), |call| {
        assert_eq!(event.record(call.position).sequence_number().as_str(), [&nines, &tens][call.position]);
        retry()
    });
    assert_eq!(run.report.answer.come_again_from(), Some(nines.as_str()));
    assert_eq!(run.column(), ["retry (x)", "not-run (behind)"]);
}

#[test]
fn r07_calls_in_flight_are_at_most_the_concurrency() {
    let event = event(&["a", "b", "c", "d", "e", "f"]);
    let route = route(&event, 3);
    for concurrency in 1..20 {
        let run =
            drive(&event, &route, terms(&route, concurrency), |call| (ms(call.position as u64 * 7 % 5), Ended::Done));
        assert_eq!(run.most_in_flight, concurrency.min(18));
        assert_eq!(run.starts.len(), 18);
    }
    // Nothing would run with 0.
    assert_eq!(drive(&event, &route, terms(&route, 0), |_| done()).most_in_flight, 1);
}

#[test]
fn r04_nothing_after_a_malformed_record_runs() {
    let event = event(&["a", "b", "!", "a", "c"]);
    let route = route(&event, 2);
    let run = drive(&event, &route, terms(&route, 8), |_| done());
    let bad = "malformed (dynamodb.Keys: missing)";
    let behind = ["not-run (barrier)"; 2];
    assert_eq!(run.outcomes(), [["done"; 2], ["done"; 2], [bad; 2], behind, behind]);
    assert_eq!(run.report.answer.come_again_from(), Some("102"));
    assert_eq!(run.starts.len(), 4);
}

#[test]
fn r04_a_lower_failure_is_named_before_a_malformed_record() {
    let run = run_failing(&["a", "b", "!", "c"], &[1]);
    assert_eq!(run.column()[1..], ["retry (x)", "malformed (dynamodb.Keys: missing)", "not-run (barrier)"]);
    assert_eq!(run.report.answer.come_again_from(), Some("101"));
    let run = run_failing(&["!", "!", "a"], &[]);
    let bad = "malformed (dynamodb.Keys: missing)";
    assert_eq!(run.column(), [bad, "not-run (barrier)", "not-run (barrier)"]);
    assert_eq!(run.report.answer.come_again_from(), Some("100"));
}

#[test]
fn r04_a_record_that_one_filter_cannot_read_is_a_barrier_for_all() {
    let event = event(&["a", "b", "c"]);
    let mut route = route(&event, 3);
    route.wants[1] = vec![Want::Run, Want::Malformed("m".to_owned()), Want::Filtered];
    let run = drive(&event, &route, terms(&route, 1), |_| done());
    let barrier = "not-run (barrier)";
    assert_eq!(run.outcomes(), [["done"; 3], [barrier, "malformed (m)", "filtered"], [barrier; 3]]);
    assert_eq!(run.report.answer.come_again_from(), Some("101"));
}

#[test]
fn r02_a_repeat_runs_once_and_shares_its_outcome() {
    for failing in [false, true] {
        let event = event_of(&[record("100", "a"), record("101", "b"), record("100", "a"), record("102", "a")]);
        let route = route(&event, 2);
        let run = drive(&event, &route, terms(&route, 1), |call| match (call.position, call.handler) {
            (0, 1) if failing => retry(),
            _ => done(),
        });
        let first = if failing { ["done", "retry (x)"] } else { ["done", "done"] };
        let last = if failing { ["done", "not-run (behind)"] } else { ["done", "done"] };
        assert_eq!(run.outcomes(), [first, first, ["done", "done"], last]);
        assert_eq!(run.starts.iter().filter(|(position, _)| *position == 1).count(), 0, "{:?}", run.starts);
    }
}

#[test]
fn r02_a_repeat_that_cannot_be_read_raises_no_barrier() {
    let mut repeat = record("100", "a");
    repeat["dynamodb"]["Keys"] = json!({});
    let event = event_of(&[record("100", "a"), repeat, record("101", "b")]);
    let route = route(&event, 1);
    let run = drive(&event, &route, terms(&route, 1), |_| done());
    assert_eq!(run.column(), ["done", "done", "done"]);
    assert_eq!(run.report.answer.come_again_from(), None);
}

#[test]
fn r02_a_repeat_with_leading_zeros_is_one_too() {
    let mut other = record("00100", "a");
    other["eventID"] = json!("e100");
    let event = event_of(&[record("100", "a"), other]);
    let route = route(&event, 1);
    assert_eq!(drive(&event, &route, terms(&route, 1), |_| done()).records(), [0]);
}

#[test]
fn r02_one_number_with_two_event_ids_is_two_records_in_payload_order() {
    let mut other = record("100", "a");
    other["eventID"] = json!("other");
    let event = event_of(&[record("100", "a"), other.clone(), record("100", "a"), other, record("99", "b")]);
    let route = route(&event, 1);
    let run = drive(&event, &route, terms(&route, 8), |call| if call.position == 2 { retry() } else { done() });
    assert_eq!(run.records(), [0, 1, 2], "99, then both of 100, one after another");
    assert_eq!(run.column(), ["done", "done", "retry (x)", "done", "retry (x)"]);
    assert_eq!(run.report.answer.come_again_from(), Some("100"));
}

#[test]
fn r02_the_same_event_id_with_another_number_is_no_repeat() {
    let mut other = record("101", "a");
    other["eventID"] = json!("e100");
    let event = event_of(&[record("100", "a"), other]);
    let route = route(&event, 1);
    assert_eq!(drive(&event, &route, terms(&route, 1), |_| done()).records(), [0, 1]);
}

#[test]
fn r13_without_a_memo_a_delivery_runs_all_of_it_again() {
    let event = event(&["a", "b", "a"]);
    let route = route(&event, 1);
    for _ in 0..2 {
        let run = drive(&event, &route, terms(&route, 1), |call| if call.position == 0 { retry() } else { done() });
        assert_eq!(run.records(), [0, 1]);
    }
    assert_eq!(drive(&event, &route, terms(&route, 1), |_| done()).records(), [0, 1, 2]);
}

#[test]
fn nothing_to_do_is_over_at_once() {
    let event = event(&[]);
    for handlers in [0, 2] {
        let route = route(&event, handlers);
        let run = drive(&event, &route, terms(&route, 1), |_| unreachable!());
        assert!(run.report.outcomes.is_empty());
        assert_eq!(run.report.answer.come_again_from(), None);
    }
}
