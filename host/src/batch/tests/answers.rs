//! R9 to R12, R14 and R15: outcomes and the answer.

use super::*;
use crate::settings::Response;

fn every_outcome() -> [(Outcome, &'static str, bool, bool); 17] {
    let text = || "x".to_owned();
    let limit = |kind| Outcome::Limit(kind, text());
    // Outcome, in words, must come again, is an attempt.
    [
        (Outcome::Done, "done", false, true),
        (Outcome::Filtered, "filtered", false, false),
        (Outcome::AlreadyDone, "already-done", false, false),
        (Outcome::Retry(text()), "retry (x)", true, true),
        (Outcome::Rejected(text()), "rejected (x)", true, true),
        (Outcome::Trapped(text()), "trapped (x)", true, true),
        (limit(LimitKind::Memory), "limit (memory-mb: x)", true, true),
        (limit(LimitKind::Tables), "limit (table-elements: x)", true, true),
        (limit(LimitKind::Instances), "limit (instances: x)", true, true),
        (limit(LimitKind::Stack), "limit (stack: x)", true, true),
        (limit(LimitKind::HostCalls), "limit (host-call-mb: x)", true, true),
        (limit(LimitKind::Handles), "limit (handles: x)", true, true),
        (Outcome::TimedOut, "timed-out", true, true),
        (Outcome::Malformed(text()), "malformed (x)", true, false),
        (Outcome::NotRun(NotRun::Behind), "not-run (behind)", true, false),
        (Outcome::NotRun(NotRun::Barrier), "not-run (barrier)", true, false),
        (Outcome::NotRun(NotRun::Deadline), "not-run (deadline)", true, false),
    ]
}

#[test]
fn r09_every_outcome_has_its_words() {
    for (outcome, words, ..) in every_outcome() {
        assert_eq!(outcome.to_string(), words);
        assert_eq!(words.split(' ').next(), Some(outcome.kind()));
        assert_eq!(outcome.detail().is_some(), words.contains('('), "{words}");
    }
}

#[test]
fn r09_every_end_of_a_call_has_its_outcome() {
    for (ended, words) in [
        (Ended::Done, "done"),
        (Ended::Retry("x".to_owned()), "retry (x)"),
        (Ended::Rejected("x".to_owned()), "rejected (x)"),
        (Ended::Trapped("x".to_owned()), "trapped (x)"),
        (Ended::Limit(LimitKind::Handles, "x".to_owned()), "limit (handles: x)"),
        (Ended::OutOfTime, "timed-out"),
    ] {
        let event = event(&["a"]);
        let route = route(&event, 1);
        let mut batch = Batch::new(&event, &route, terms(&route, 1));
        let Next::Call(call) = batch.next(ms(0)) else { panic!("nothing to do") };
        let outcome = batch.outcome(call, ended);
        assert_eq!(outcome.to_string(), words, "told before the lane goes on, for the log");
        batch.ended(call, outcome);
        assert_eq!(batch.report(&event).outcomes[0][0].to_string(), words);
    }
}

#[test]
fn r10_only_done_filtered_and_already_done_need_not_come_again() {
    let event = event(&["a", "a"]);
    for (outcome, words, again, _) in every_outcome() {
        assert_eq!(outcome.must_come_again(), again, "{words}");
        let answer = Answer::of(&event, &[vec![Outcome::Done], vec![outcome]]);
        assert_eq!(answer.come_again_from(), again.then_some("101"), "{words}");
        assert_eq!(answer.position(), again.then_some(1), "{words}");
    }
}

#[test]
fn r10_the_answer_is_the_lowest_over_all_handlers() {
    let event = event(&["a", "b", "c", "d"]);
    let route = route(&event, 3);
    for (failing, lowest) in [
        (vec![(3, 0), (1, 2), (2, 1)], Some("101")),
        (vec![(3, 2)], Some("103")),
        (vec![(0, 1), (0, 0)], Some("100")),
        (vec![], None),
    ] {
        for concurrency in [1, 5] {
            let run = drive(&event, &route, terms(&route, concurrency), |call| {
                if failing.contains(&(call.position, call.handler)) { retry() } else { done() }
            });
            assert_eq!(run.report.answer.come_again_from(), lowest);
        }
    }
}

#[test]
fn r10_the_identifier_is_the_text_as_it_came() {
    let event = event_of(&[record("0100", "a"), record("20", "b")]);
    let route = route(&event, 1);
    let run = drive(&event, &route, terms(&route, 1), |call| if call.position == 1 { retry() } else { done() });
    let body = respond(&run.report, &["h"], &event, Response::Partial).unwrap();
    assert_eq!(body, r#"{"batchItemFailures":[{"itemIdentifier":"0100"}]}"#);
}

#[test]
fn r10_a_driver_that_gives_up_names_what_it_left() {
    let event = event(&["a", "b"]);
    let route = route(&event, 1);
    let mut batch = Batch::new(&event, &route, terms(&route, 1));
    assert!(matches!(batch.next(ms(0)), Next::Call(_)));
    let report = batch.report(&event);
    assert_eq!(report.answer.come_again_from(), Some("100"));
    assert_eq!(report.outcomes, [[Outcome::NotRun(NotRun::Deadline)], [Outcome::NotRun(NotRun::Deadline)]]);
}

#[test]
fn r11_partial_names_one_record_and_error_fails_the_function() {
    let run = run_failing(&["a", "b", "b", "a"], &[1]);
    let event = event(&["a", "b", "b", "a"]);
    let respond = |response| respond(&run.report, &["file"], &event, response);
    assert_eq!(respond(Response::Partial).unwrap(), r#"{"batchItemFailures":[{"itemIdentifier":"101"}]}"#);
    let error = respond(Response::Error).unwrap_err();
    assert_eq!(error.kind, "Gristmill.RecordsFailed");
    assert_eq!(
        error.to_string(),
        "2 of 4 records must come again, from sequence number 101 on: handler file: retry (x)"
    );
}

#[test]
fn r11_the_error_names_the_handler_that_failed() {
    let event = event(&["a"]);
    let route = route(&event, 2);
    let run = drive(&event, &route, terms(&route, 1), |call| if call.handler == 1 { retry() } else { done() });
    let error = respond(&run.report, &["first", "second"], &event, Response::Error).unwrap_err();
    assert_eq!(error.message, "1 of 1 records must come again, from sequence number 100 on: handler second: retry (x)");
}

#[test]
fn r11_a_deadline_cut_is_an_error_too() {
    let event = event(&["a", "b"]);
    let route = route(&event, 1);
    let (budget, _) = Budget::new(0, 1_000);
    let run = drive(&event, &route, Terms { budget, ..terms(&route, 1) }, |_| (ms(740), Ended::Done));
    let error = respond(&run.report, &["h"], &event, Response::Error).unwrap_err();
    assert!(error.message.ends_with("from sequence number 101 on: handler h: not-run (deadline)"), "{error}");
}

#[test]
fn r11_success_is_the_same_under_both() {
    let run = run_failing(&["a", "b"], &[]);
    let event = event(&["a", "b"]);
    for response in [Response::Partial, Response::Error] {
        assert_eq!(respond(&run.report, &["h"], &event, response).unwrap(), r#"{"batchItemFailures":[]}"#);
    }
}

/// The answer to an event of a window, as it was given.
fn windowed(records: &[Value], rest: &str, response: Response) -> Result<String, FunctionError> {
    let text = json!({ "Records": records }).to_string();
    let text = format!("{}{rest}}}", text.strip_suffix('}').unwrap());
    let event = Event::parse(text).unwrap();
    let route = route(&event, 1);
    let run = drive(&event, &route, terms(&route, 1), |call| if call.position == 1 { retry() } else { done() });
    respond(&run.report, &["h"], &event, response)
}

#[test]
fn r12_in_a_window_the_answer_carries_the_state() {
    let window = r#","window":{"start":"2020-07-30T17:00:00Z","end":"2020-07-30T17:05:00Z"}"#;
    let state = format!("{window},\"state\":{{ \"n\" : 1.50 }}");
    let one = [record("100", "a")];
    let two = [record("100", "a"), record("101", "b")];
    let partial = |records: &[Value], rest: &str| windowed(records, rest, Response::Partial).unwrap();
    assert_eq!(partial(&one, ""), r#"{"batchItemFailures":[]}"#);
    assert_eq!(partial(&one, window), r#"{"batchItemFailures":[],"state":{}}"#);
    assert_eq!(partial(&one, &state), r#"{"batchItemFailures":[],"state":{ "n" : 1.50 }}"#);
    assert_eq!(partial(&two, &state), r#"{"batchItemFailures":[{"itemIdentifier":"101"}],"state":{ "n" : 1.50 }}"#);
    // The call that closes the window has no records.
    let last = format!("{state},\"isFinalInvokeForWindow\":true");
    assert_eq!(partial(&[], &last), r#"{"batchItemFailures":[],"state":{ "n" : 1.50 }}"#);
    assert_eq!(windowed(&[], &last, Response::Error).unwrap(), r#"{"batchItemFailures":[],"state":{ "n" : 1.50 }}"#);
    assert!(windowed(&two, &state, Response::Error).is_err());
}

#[test]
fn r14_reject_and_retry_differ_in_outcome_and_not_in_the_answer() {
    let answer = |ended: &Ended| {
        let event = event(&["a", "b", "a"]);
        let route = route(&event, 1);
        let run = drive(&event, &route, terms(&route, 1), |call| match call.position {
            0 => (ms(1), ended.clone()),
            _ => done(),
        });
        (respond(&run.report, &["h"], &event, Response::Partial).unwrap(), run.column())
    };
    let (retry, retried) = answer(&Ended::Retry("x".to_owned()));
    let (reject, rejected) = answer(&Ended::Rejected("x".to_owned()));
    assert_eq!(retry, reject);
    assert_eq!(retried, ["retry (x)", "done", "not-run (behind)"]);
    assert_eq!(rejected, ["rejected (x)", "done", "not-run (behind)"]);
}

#[test]
fn r15_only_a_call_that_counts_is_an_attempt() {
    for (outcome, words, _, attempt) in every_outcome() {
        assert_eq!(outcome.is_attempt(), attempt, "{words}");
    }
}

#[test]
fn r15_attempts_are_at_least_one_and_grow_with_failures() {
    let mut attempts = Attempts::default();
    assert_eq!(attempts.upcoming(0, "e", "1"), 1);
    for seen in 2..5 {
        attempts.failed(0, "e", "1");
        assert_eq!(attempts.upcoming(0, "e", "1"), seen);
    }
    assert_eq!(attempts.upcoming(1, "e", "1"), 1, "another handler");
    assert_eq!(Attempts::default().upcoming(0, "e", "1"), 1, "another environment");
}
