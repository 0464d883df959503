//! What the golden traces leave out: throttles, timeouts, lost permissions,
//! other answers, expiry, destinations that refuse, answers that are lost.

use std::sync::{Arc, Mutex};

use gristmill_mapping::testing::{Rig, START, UUID, function_error, naming, parameters, succeed};
use gristmill_mapping::trace::{Decision, InvokeWhy, Meaning, WaitWhy};
use gristmill_mapping::{Answer, Clock, Parameters, Settings, Timestamp};

use super::*;

fn put_all(rig: &Rig, keys: &str) {
    for key in keys.chars() {
        rig.stream.put(&key.to_string());
    }
}

/// The first answers, then success.
fn first(answers: Vec<Answer>) -> impl FnMut(&Call) -> Answer + Send + 'static {
    let mut answers = answers.into_iter();
    move |_| answers.next().unwrap_or_else(succeed)
}

#[test]
fn a_throttle_and_a_lost_permission_spend_no_retry() {
    let unspent = [Answer::Throttled, Answer::PermissionLost("lambda:InvokeFunction".to_owned())];
    let answers: Vec<_> = unspent.iter().cycle().take(6).cloned().chain([function_error()]).collect();
    let parameters = Parameters { maximum_retry_attempts: Some(1), ..with_destination(BUCKET) };
    let mut rig = Rig::new(parameters, first(answers));
    put_all(&rig, "12");
    rig.advance(seconds(60));
    // Six that spend nothing, one failure, one retry: all one batch.
    assert_eq!(calls(&rig), ["12 a"; 8]);
    assert!(documents(&rig).is_empty());
    assert_eq!((rig.counts().delivered, rig.counts().failed_invokes), (2, 7));
    let waits: Vec<u64> = times(&rig).windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[..6].is_sorted() && waits[0] >= 200, "{waits:?}");
    for (why, count) in [(WaitWhy::Throttled, 3), (WaitWhy::PermissionLost, 3), (WaitWhy::Retry, 1)] {
        let entries = rig.trace.entries();
        let is_it = |decision: &Decision| matches!(decision, Decision::Waits { why: w, .. } if *w == why);
        assert_eq!(entries.iter().filter(|entry| is_it(&entry.decision)).count(), count, "{why:?}");
    }
}

#[test]
fn a_throttle_neither_splits_a_batch_nor_counts_as_an_invoke_of_it() {
    let parameters = Parameters {
        bisect_batch_on_function_error: Some(true),
        maximum_retry_attempts: Some(0),
        ..with_destination(BUCKET)
    };
    let mut rig = Rig::new(parameters, first(vec![Answer::Throttled]));
    put_all(&rig, "12");
    rig.advance(seconds(10));
    assert_eq!(calls(&rig), ["12 a", "12 a"]);
    assert_eq!(rig.counts().delivered, 2);
}

#[test]
fn a_timeout_is_a_failure_of_the_function() {
    let parameters = Parameters { maximum_retry_attempts: Some(1), ..with_destination(BUCKET) };
    let mut rig = Rig::new(parameters, |_| Answer::TimedOut);
    put_all(&rig, "1");
    rig.advance(seconds(10));
    assert_eq!(calls(&rig), ["1 a", "1 a"]);
    assert_eq!(documents(&rig)[0]["responseContext"]["functionError"], "Unhandled");
}

#[test]
fn a_suffix_is_a_new_batch_at_once_and_with_all_tries() {
    let parameters = Parameters {
        maximum_retry_attempts: Some(1),
        function_response_types: reporting(),
        ..with_destination(BUCKET)
    };
    let mut rig = Rig::new(parameters, report("3"));
    put_all(&rig, "1234");
    rig.advance(seconds(10));
    // No bisect: the suffix [34] is given up as a whole.
    assert_eq!(calls(&rig), ["1234 a", "34 b", "34 b"]);
    assert_eq!(times(&rig)[1], 0);
    assert_eq!(documents(&rig)[0]["DDBStreamBatchInfo"]["batchSize"], 2);
    assert_eq!((rig.counts().delivered, rig.counts().exhausted), (2, 2));
}

#[test]
fn of_two_identifiers_the_lowest_counts() {
    let parameters =
        Parameters { maximum_retry_attempts: Some(0), function_response_types: reporting(), ..parameters() };
    let mut rig = Rig::new(parameters, |call| {
        let failure = |key: &str| {
            let index = call.keys.iter().position(|k| k == key)?;
            Some(serde_json::json!({"itemIdentifier": call.sequence_numbers[index]}))
        };
        let failures: Vec<_> = ["4", "2"].into_iter().filter_map(failure).collect();
        let failures = if call.keys.len() == 4 { failures } else { Vec::new() };
        Answer::Returned(serde_json::json!({"batchItemFailures": failures}).to_string().into_bytes())
    });
    put_all(&rig, "1234");
    rig.advance(seconds(10));
    assert_eq!(calls(&rig), ["1234 a", "234 b"]);
    assert_eq!(rig.counts().delivered, 4);
}

#[test]
fn an_identifier_that_is_none_of_several_fails_the_batch() {
    let parameters =
        Parameters { maximum_retry_attempts: Some(1), function_response_types: reporting(), ..with_destination(QUEUE) };
    let mut rig = Rig::new(parameters, |_| naming("999"));
    put_all(&rig, "123");
    rig.advance(seconds(10));
    assert_eq!(calls(&rig), ["123 a", "123 a"]);
    assert_eq!(rig.counts().exhausted, 3);
}

#[test]
fn a_failure_that_goes_on_delivers_every_neighbour_under_bisect() {
    let parameters = Parameters {
        bisect_batch_on_function_error: Some(true),
        maximum_retry_attempts: Some(2),
        ..with_destination(BUCKET)
    };
    let mut rig = Rig::new(parameters, fail_with("5"));
    put_all(&rig, "0123456789");
    rig.advance(seconds(60));
    assert_eq!((rig.counts().delivered, rig.counts().exhausted), (9, 1));
    // Only [5] alone is retried.
    let retried = |entry: &&gristmill_mapping::trace::Entry| {
        matches!(&entry.decision, Decision::Invoked { why: InvokeWhy::Retry, .. })
    };
    assert_eq!(rig.trace.entries().iter().filter(retried).count(), 2);
    assert_eq!(first_deliveries(&rig).concat(), "0123456789");
}

#[test]
fn a_record_expires_during_its_retries_and_the_fresh_ones_go_on() {
    let parameters = Parameters { maximum_record_age_in_seconds: Some(60), ..with_destination(BUCKET) };
    let mut rig = Rig::new(parameters, fail_with("1"));
    rig.stream.put_at("1", "", Timestamp::from_ms(START.ms() - 50_000));
    rig.stream.put("2");
    rig.advance(seconds(120));
    let calls = calls(&rig);
    assert!(calls.len() > 4 && calls[..calls.len() - 1].iter().all(|call| call == "12 a"), "{calls:?}");
    assert_eq!(calls.last().unwrap(), "2 b");
    let [document] = documents(&rig).try_into().unwrap();
    assert_eq!(document["requestContext"]["condition"], "RecordAgeExceeded");
    assert_eq!(document["requestContext"]["requestId"], rig.target.calls()[0].request_id);
    assert_eq!(document["requestContext"]["approximateInvokeCount"], calls.len() - 1);
    assert!(document.get("responseContext").is_none());
    // The payload has the record that is too old, and no other.
    let payload: serde_json::Value = serde_json::from_str(document["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload["Records"].as_array().unwrap().len(), 1);
    assert_eq!((rig.counts().delivered, rig.counts().expired), (1, 1));
}

#[test]
fn without_any_limit_a_batch_is_tried_until_it_leaves_the_stream() {
    let mut rig = Rig::new(with_destination(QUEUE), fail_with("1"));
    put_all(&rig, "1");
    rig.advance(seconds(86_000));
    assert!(documents(&rig).is_empty());
    rig.stream.put("2");
    rig.advance(seconds(1_000));
    assert_eq!(documents(&rig)[0]["requestContext"]["condition"], "RecordAgeExceeded");
    assert_eq!((rig.counts().expired, rig.counts().delivered), (1, 1));
}

#[test]
fn without_a_destination_what_is_given_up_is_discarded_and_traced() {
    let mut rig = Rig::new(Parameters { maximum_retry_attempts: Some(0), ..parameters() }, fail_with("1"));
    put_all(&rig, "1");
    rig.advance(seconds(1));
    put_all(&rig, "2");
    rig.advance(seconds(1));
    assert!(rig.trace.has(|decision| matches!(decision, Decision::GivenUp { destination: None, .. })));
    assert_eq!((rig.counts().exhausted, rig.counts().delivered), (1, 1));
    assert_eq!(rig.counts().metrics()[4], ("DroppedEventCount", 1));
}

#[test]
fn a_destination_that_refuses_gets_the_same_document_again_and_nothing_passes_it() {
    let parameters = Parameters { batch_size: Some(1), maximum_retry_attempts: Some(0), ..with_destination(BUCKET) };
    let mut rig = Rig::new(parameters, fail_with("1"));
    rig.destination.fail(3);
    put_all(&rig, "12");
    // Waits of 0.25, 0.5 and 1 s.
    rig.advance(Duration::from_millis(1_700));
    assert_eq!(calls(&rig), ["1 a"]);
    assert!(rig.positions.of(UUID).values().all(|position| *position == gristmill_mapping::Position::TrimHorizon));
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["1 a", "2 b"]);
    assert_eq!(documents(&rig).len(), 1);
}

#[test]
fn the_position_is_written_before_anything_after_it_is_delivered() {
    let mut rig = Rig::new(Parameters { batch_size: Some(1), ..parameters() }, |_| succeed());
    put_all(&rig, "12");
    // The first write is that of the beginning.
    rig.advance(Duration::ZERO);
    let delivered = rig.target.calls().len();
    assert_eq!(delivered, 2);
    rig.positions.fail(2);
    put_all(&rig, "34");
    rig.advance(Duration::from_millis(300));
    assert_eq!(calls(&rig).len(), 3, "4 waits for the position of 3");
    rig.advance(seconds(2));
    assert_eq!(calls(&rig).len(), 4);
    assert!(rig.trace.has(|decision| matches!(decision, Decision::CheckpointFailed { .. })));
}

#[test]
fn a_lost_answer_delivers_twice_with_the_same_id_and_spends_no_retry() {
    let settings = Settings { lose_answers_per_mille: 300, ..Settings::new(UUID, 3) };
    let parameters = Parameters { batch_size: Some(1), maximum_retry_attempts: Some(0), ..with_destination(QUEUE) };
    let mut rig = Rig::with(parameters, settings, |_| succeed());
    for _ in 0..100 {
        rig.stream.put("1");
    }
    rig.advance(seconds(200));
    let (counts, invokes) = (rig.counts(), rig.target.calls());
    assert_eq!((counts.delivered, counts.exhausted), (100, 0));
    assert!((120..180).contains(&invokes.len()), "{} invokes", invokes.len());
    for pair in invokes.windows(2) {
        let is_same_batch = pair[0].sequence_numbers == pair[1].sequence_numbers;
        assert_eq!(is_same_batch, pair[0].request_id == pair[1].request_id);
    }
    assert!(rig.trace.has(|decision| matches!(decision, Decision::Answered { meaning: Meaning::Lost, .. })));
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_wait_for_the_time_it_had() {
    let failures = Arc::new(Mutex::new(6));
    let left = Arc::clone(&failures);
    let mut rig = Rig::new(parameters(), move |_| {
        let mut left = left.lock().unwrap();
        *left -= i32::from(*left > 0);
        if *left > 0 { function_error() } else { succeed() }
    });
    put_all(&rig, "1");
    rig.advance(seconds(2));
    rig.clock.set(Timestamp::from_ms(rig.clock.now().ms() - 3_600_000));
    rig.advance(seconds(30));
    assert_eq!(rig.counts().delivered, 1);
    rig.stream.put("2");
    rig.advance(seconds(1));
    assert_eq!(rig.counts().delivered, 2);
    assert_eq!(*failures.lock().unwrap(), 0);
}

#[test]
fn a_clock_that_jumps_a_day_ahead_expires_only_what_was_tried() {
    let mut rig = Rig::new(with_destination(QUEUE), fail_with("1"));
    put_all(&rig, "1");
    rig.advance(seconds(2));
    rig.clock.set(Timestamp::from_ms(rig.clock.now().ms() + 2 * 86_400_000));
    rig.stream.put("2");
    rig.advance(seconds(70));
    assert_eq!((rig.counts().expired, rig.counts().delivered), (1, 1));
}

#[test]
fn a_right_half_waits_for_the_position_of_the_left_one() {
    let parameters = Parameters { bisect_batch_on_function_error: Some(true), ..parameters() };
    let mut rig = Rig::new(parameters, first(vec![function_error()]));
    rig.advance(seconds(1));
    rig.positions.fail(2);
    put_all(&rig, "12");
    // Read after 0.25 s at most, and written at the third try: 0.75 s later.
    rig.advance(Duration::from_millis(700));
    assert_eq!(calls(&rig), ["12 a", "1 b"]);
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["12 a", "1 b", "2 c"]);
}

#[test]
fn a_suffix_of_a_batch_that_has_spent_its_tries_has_all_of_them() {
    let parameters = Parameters {
        maximum_retry_attempts: Some(1),
        function_response_types: reporting(),
        ..with_destination(BUCKET)
    };
    let (mut failed, mut answer) = (false, report("2"));
    let mut rig = Rig::new(parameters, move |call| match std::mem::replace(&mut failed, true) {
        false => function_error(),
        true => answer(call),
    });
    put_all(&rig, "12");
    rig.advance(seconds(10));
    assert_eq!(calls(&rig), ["12 a", "12 a", "2 b", "2 b"]);
    assert_eq!(documents(&rig)[0]["requestContext"]["approximateInvokeCount"], 2);
}

/// Whoever has mended the function need not wait. Without a word of theirs it
/// waits, and what waits for nothing is not touched.
#[test]
fn what_waits_is_tried_at_once_when_that_is_asked_for() {
    let hurried = |hurry: bool| {
        let mut rig = Rig::new(parameters(), first(vec![function_error(); 8]));
        put_all(&rig, "12");
        rig.advance(seconds(5));
        let before = calls(&rig).len();
        assert!((2..8).contains(&before), "{before} calls");
        for _ in 0..if hurry { 9 - before } else { 0 } {
            let now = rig.clock.now();
            rig.handle().retry_now(now);
            rig.advance(Duration::ZERO);
        }
        let all = calls(&rig);
        assert!(all.iter().all(|call| call == "12 a"), "{all:?}");
        let asked = rig.trace.entries().iter().filter(|e| matches!(e.decision, Decision::RetryNow { .. })).count();
        // What nothing waits for.
        let now = rig.clock.now();
        rig.handle().retry_now(now);
        rig.advance(Duration::ZERO);
        (before, all.len(), asked)
    };
    let (before, all, asked) = hurried(true);
    assert_eq!((all, asked), (9, 9 - before));
    let (before, all, asked) = hurried(false);
    assert_eq!((all, asked), (before, 0));
}

#[test]
fn of_several_failures_the_lowest_counts_wherever_it_stands() {
    let mut is_first = true;
    let answer = move |call: &Call| {
        if !std::mem::take(&mut is_first) {
            return succeed();
        }
        let named: Vec<_> = [2, 1, 3].iter().map(|index| call.sequence_numbers[*index].clone()).collect();
        let failures: Vec<_> = named.iter().map(|number| serde_json::json!({ "itemIdentifier": number })).collect();
        Answer::Returned(serde_json::json!({ "batchItemFailures": failures }).to_string().into_bytes())
    };
    let mut rig = Rig::new(Parameters { function_response_types: reporting(), ..parameters() }, answer);
    put_all(&rig, "1234");
    rig.advance(seconds(10));
    assert_eq!(calls(&rig), ["1234 a", "234 b"]);
}
