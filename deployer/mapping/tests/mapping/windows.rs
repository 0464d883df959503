//! Tumbling windows: what the golden trace leaves out.

use gristmill_mapping::testing::{Rig, START, UUID, parameters};
use gristmill_mapping::trace::Decision;
use gristmill_mapping::{Answer, Parameters, Position, Timestamp};
use serde_json::{Value, json};

use super::*;

fn window(seconds: i64) -> Parameters {
    Parameters { tumbling_window_in_seconds: Some(seconds), ..parameters() }
}

/// Counts the records in the state.
fn count(call: &Call) -> Answer {
    let event = call.event();
    let seen = event["state"]["seen"].as_u64().unwrap_or(0) + call.keys.len() as u64;
    Answer::Returned(json!({"state": {"seen": seen}}).to_string().into_bytes())
}

fn events(rig: &Rig) -> Vec<Value> {
    rig.target.calls().iter().map(Call::event).collect()
}

/// Records and state and whether it is the final call, of each call.
fn short(rig: &Rig) -> Vec<String> {
    let short = |(call, event): (&Call, Value)| {
        let end = if event["isFinalInvokeForWindow"] == true { " final" } else { "" };
        format!("{} {}{end}", call.keys.concat(), event["state"]["seen"].as_u64().unwrap_or(0))
    };
    let calls = rig.target.calls();
    calls.iter().map(|call| short((call, call.event()))).collect()
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_ms(START.ms() + ms)
}

#[test]
fn a_batch_never_has_records_of_two_windows() {
    let mut rig = Rig::new(window(10), count);
    for (key, ms) in [("1", 0), ("2", 9_999), ("3", 10_000), ("4", 15_000), ("5", 31_000)] {
        rig.stream.put_at(key, "", at(ms));
    }
    rig.advance(seconds(1));
    assert_eq!(short(&rig), ["12 0", " 2 final", "34 0", " 2 final", "5 0"]);
    assert_eq!(events(&rig)[4]["window"]["start"], "2026-09-14T00:00:30Z");
}

#[test]
fn an_answer_without_state_is_a_failure_and_the_state_stays() {
    let mut calls = 0;
    let parameters = Parameters { batch_size: Some(1), maximum_retry_attempts: Some(3), ..window(10) };
    let mut rig = Rig::new(parameters, move |call| {
        calls += 1;
        if calls == 2 { Answer::Returned(b"{}".to_vec()) } else { count(call) }
    });
    for key in ["1", "2", "3"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(5));
    assert_eq!(short(&rig), ["1 0", "2 1", "2 1", "3 2"]);
    let calls = rig.target.calls();
    assert_eq!(calls[1].request_id, calls[2].request_id);
    assert_eq!(calls[1].payload, calls[2].payload);
}

#[test]
fn a_partial_answer_carries_the_state_on() {
    let parameters = Parameters { function_response_types: reporting(), ..window(10) };
    let mut first = true;
    let mut rig = Rig::new(parameters, move |call| {
        if std::mem::take(&mut first) {
            let failures = json!([{"itemIdentifier": call.sequence_numbers[2]}]);
            let answer = json!({"batchItemFailures": failures, "state": {"seen": 2}});
            return Answer::Returned(answer.to_string().into_bytes());
        }
        count(call)
    });
    for key in ["1", "2", "3", "4"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(5));
    assert_eq!(short(&rig), ["1234 0", "34 2"]);
}

#[test]
fn a_state_above_a_megabyte_ends_the_window_early() {
    let parameters = Parameters { batch_size: Some(1), ..window(10) };
    let mut rig = Rig::new(parameters, |call| {
        let text = if call.keys == ["2"] { "x".repeat(1 << 20) } else { String::new() };
        Answer::Returned(json!({"state": {"seen": call.keys.len(), "text": text}}).to_string().into_bytes())
    });
    for key in ["1", "2", "3"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(11));
    rig.stream.put("4");
    rig.advance(seconds(1));
    let events = events(&rig);
    let flags: Vec<_> =
        events.iter().map(|e| (e["isFinalInvokeForWindow"] == true, e["isWindowTerminatedEarly"] == true)).collect();
    assert_eq!(flags, [(false, false), (false, false), (true, true), (false, false), (true, false), (false, false)]);
    // The final call has the state that was too large; what follows starts
    // anew, in the same window.
    assert_eq!(events[2]["state"]["text"].as_str().unwrap().len(), 1 << 20);
    assert_eq!((&events[3]["state"], &events[3]["window"]), (&json!({}), &events[0]["window"]));
}

#[test]
fn a_window_that_is_open_at_the_end_of_its_shard_is_closed_there() {
    let mut rig = Rig::new(window(900), count);
    rig.stream.put("1");
    rig.advance(seconds(1));
    let shard = rig.stream.shards().remove(0);
    rig.stream.roll(&shard);
    rig.stream.put("2");
    rig.advance(seconds(1));
    assert_eq!(short(&rig), ["1 0", " 1 final", "2 0"]);
    assert!(rig.trace.has(|decision| matches!(decision, Decision::WindowClosed { early: false, .. })));
}

#[test]
fn the_state_survives_a_restart_and_a_pause() {
    let mut rig = Rig::new(window(900), count);
    rig.stream.put("1");
    rig.advance(seconds(1));
    rig.restart();
    rig.stream.put("2");
    rig.advance(seconds(1));
    rig.enable(false);
    rig.advance(seconds(1));
    rig.enable(true);
    rig.stream.put("3");
    rig.advance(seconds(1));
    assert_eq!(short(&rig), ["1 0", "2 1", "3 2"]);
    let positions = rig.positions.of(UUID);
    let position = positions.values().next().unwrap();
    let text = serde_json::to_string(position).unwrap();
    assert_eq!(&serde_json::from_str::<Position>(&text).unwrap(), position);
    assert!(text.contains(r#""state":"{\"seen\":3}""#), "{text}");
}

#[test]
fn a_final_call_that_fails_is_tried_again_and_then_given_up() {
    let parameters = Parameters {
        tumbling_window_in_seconds: Some(10),
        maximum_retry_attempts: Some(1),
        ..with_destination(BUCKET)
    };
    let mut rig = Rig::new(parameters, |call| if call.keys.is_empty() { Answer::TimedOut } else { count(call) });
    let last = rig.stream.put("1");
    rig.advance(seconds(10));
    rig.stream.put("2");
    rig.advance(seconds(5));
    assert_eq!(short(&rig), ["1 0", " 1 final", " 1 final", "2 0"]);
    let [document] = documents(&rig).try_into().unwrap();
    assert_eq!(document["DDBStreamBatchInfo"]["batchSize"], 0);
    assert_eq!(document["DDBStreamBatchInfo"]["endSequenceNumber"], last.as_str());
}

#[test]
fn a_record_of_an_earlier_window_falls_into_the_open_one() {
    let mut rig = Rig::new(Parameters { batch_size: Some(1), ..window(10) }, count);
    rig.stream.put_at("1", "", at(20_000));
    rig.stream.put_at("2", "", at(5_000));
    rig.advance(seconds(1));
    assert_eq!(short(&rig), ["1 0", "2 1"]);
}

#[test]
fn an_answer_that_names_the_first_record_is_a_failure_and_its_state_is_not_taken() {
    let parameters = Parameters { function_response_types: reporting(), maximum_retry_attempts: Some(1), ..window(10) };
    let mut first = true;
    let mut rig = Rig::new(parameters, move |call| {
        if std::mem::take(&mut first) {
            let failures = json!([{"itemIdentifier": call.sequence_numbers[0]}]);
            let answer = json!({"batchItemFailures": failures, "state": {"seen": 7}});
            return Answer::Returned(answer.to_string().into_bytes());
        }
        count(call)
    });
    for key in ["1", "2"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(5));
    assert_eq!(short(&rig), ["12 0", "12 0"]);
    assert_eq!(calls(&rig), ["12 a", "12 a"]);
}
