//! R8: deadlines, and whose turn it is when time is short.

use super::*;

/// The budget of an invocation that has this long, and no complaint.
fn budget(left: u64) -> Budget {
    let (budget, bad) = Budget::new(1_700_000_000_000, 1_700_000_000_000 + left);
    assert_eq!(bad, None);
    budget
}

fn timed(route: &Route, concurrency: usize, left: u64) -> Terms {
    Terms { budget: budget(left), ..terms(route, concurrency) }
}

#[test]
fn r08_the_reserve_is_at_most_a_quarter_of_the_time_left() {
    for (left, stop) in
        [(1, 1), (4, 3), (1_000, 750), (1_999, 1_500), (2_000, 1_500), (10_000, 9_500), (900_000, 899_500)]
    {
        let expected = ms(stop);
        let found = budget(left).stop().unwrap();
        assert!(found <= expected && expected - found < ms(1), "{left}: {found:?}");
        assert!(ms(left) - found <= RESERVE && ms(left) - found <= ms(left) / 4, "{left}");
    }
    assert_eq!(Budget::UNLIMITED.stop(), None);
}

#[test]
fn r08_a_deadline_that_is_none_is_ignored_and_told() {
    let now = 1_700_000_000_000;
    for (deadline, text) in [
        (0, Some("the deadline 0 (Unix milliseconds) is before the invocation was received; it is ignored")),
        (
            now,
            Some("the deadline 1700000000000 (Unix milliseconds) is before the invocation was received; it is ignored"),
        ),
        (
            now + 3_600_001,
            Some("the deadline 1700003600001 (Unix milliseconds) is more than an hour ahead; it is ignored"),
        ),
        (
            u64::MAX,
            Some("the deadline 18446744073709551615 (Unix milliseconds) is more than an hour ahead; it is ignored"),
        ),
        (now + 3_600_000, None),
        (now + 1, None),
    ] {
        let (budget, bad) = Budget::new(now, deadline);
        assert_eq!(bad.map(|bad| bad.to_string()).as_deref(), text);
        assert_eq!(budget == Budget::UNLIMITED, text.is_some(), "{deadline}");
    }
}

#[test]
fn r08_a_call_may_take_its_timeout_or_what_is_left_before_the_reserve() {
    let event = event(&["a", "b", "c"]);
    let route = route(&event, 1);
    let run = drive(&event, &route, timed(&route, 1, 2_400), |_| (ms(700), Ended::Done));
    assert_eq!(run.limits, [ms(1_000), ms(1_000), ms(500)]);
    assert_eq!(run.column(), ["done", "done", "not-run (deadline)"]);
    assert_eq!(run.report.answer.come_again_from(), Some("102"));
    assert_eq!(run.over, ms(1_900), "the reserve is left");
}

#[test]
fn r08_at_the_reserve_nothing_more_is_handed_out() {
    let event = event(&["a", "b", "c", "d"]);
    let route = route(&event, 1);
    let run = drive(&event, &route, timed(&route, 1, 2_000), |call| match call.position {
        0 => (ms(900), Ended::Done),
        1 => (ms(600), Ended::Done),
        _ => unreachable!("1,500 ms is the end, and only then would it start"),
    });
    let cut = "not-run (deadline)";
    assert_eq!(run.column(), ["done", "done", cut, cut]);
    assert_eq!(run.report.answer.come_again_from(), Some("102"));
}

#[test]
fn r08_a_call_that_was_cut_is_not_run_and_no_attempt() {
    let event = event(&["a", "b", "b", "c"]);
    let route = route(&event, 1);
    let run = drive(&event, &route, timed(&route, 2, 1_000), |call| match call.position {
        1 => (ms(800), Ended::Done),
        _ => done(),
    });
    assert_eq!(run.column(), ["done", "not-run (deadline)", "not-run (behind)", "done"]);
    assert_eq!(run.over, ms(750));
    assert!(!run.report.outcomes[1][0].is_attempt());
    assert_eq!(run.report.answer.come_again_from(), Some("101"));
}

#[test]
fn r08_a_call_that_was_cut_with_the_lowest_record_timed_out() {
    let event = event(&["a", "b", "a"]);
    let route = route(&event, 2);
    let run = drive(&event, &route, timed(&route, 4, 1_000), |call| match (call.position, call.handler) {
        (0, 0) | (1, 1) => (ms(800), Ended::Done),
        _ => done(),
    });
    assert_eq!(run.outcomes(), [["timed-out", "done"], ["done", "not-run (deadline)"], ["not-run (behind)", "done"]]);
    assert!(run.report.outcomes[0][0].is_attempt());
}

#[test]
fn r08_the_lowest_record_is_the_lowest_that_is_run() {
    let event = event(&["a", "b"]);
    let mut route = route(&event, 1);
    route.wants[0] = vec![Want::Filtered];
    let run = drive(&event, &route, timed(&route, 1, 1_000), |_| (ms(800), Ended::Done));
    assert_eq!(run.column(), ["filtered", "timed-out"]);
}

#[test]
fn r08_a_handlers_own_timeout_is_timed_out_wherever_it_is() {
    let event = event(&["a", "b", "b"]);
    let route = route(&event, 1);
    let run = drive(&event, &route, timed(&route, 1, 10_000), |call| match call.position {
        1 => (ms(1_001), Ended::Done),
        _ => done(),
    });
    assert_eq!(run.column(), ["done", "timed-out", "not-run (behind)"]);
    assert_eq!(run.over, ms(1_010));
    let run = drive(&event, &route, terms(&route, 1), |call| match call.position {
        1 => (ms(1_001), Ended::Done),
        _ => (ms(1_000), Ended::Done),
    });
    assert_eq!(run.column(), ["done", "timed-out", "not-run (behind)"], "without a deadline");
}

#[test]
fn r08_each_handler_has_its_own_timeout() {
    let event = event(&["a"]);
    let route = route(&event, 2);
    let terms = Terms { timeouts: vec![ms(50), ms(100)], ..terms(&route, 2) };
    let run = drive(&event, &route, terms, |_| (ms(80), Ended::Done));
    assert_eq!(run.limits, [ms(50), ms(100)]);
    assert_eq!(run.outcomes(), [["timed-out", "done"]]);
}

#[test]
fn r08_at_least_one_call_is_always_tried() {
    let event = event(&["a", "b"]);
    let route = route(&event, 1);
    // Held up until after the reserve: the first call may use half of it.
    let run = drive_from(ms(800), &event, &route, timed(&route, 4, 1_000), |_| done());
    assert_eq!(run.limits, [ms(100)]);
    assert_eq!(run.column(), ["done", "not-run (deadline)"]);
    assert_eq!(run.report.answer.come_again_from(), Some("101"));
    // Even after the deadline, for a moment.
    let run = drive_from(ms(5_000), &event, &route, timed(&route, 4, 1_000), |_| done());
    assert_eq!(run.limits, [ms(1)]);
    assert_eq!(run.column(), ["timed-out", "not-run (deadline)"]);
}

#[test]
fn r08_with_time_left_nothing_uses_the_reserve() {
    let event = event(&["a", "b"]);
    let route = route(&event, 1);
    let run = drive_from(ms(749), &event, &route, timed(&route, 1, 1_000), |_| done());
    assert_eq!(run.limits, [ms(1)]);
    assert_eq!(run.column(), ["timed-out", "not-run (deadline)"]);
}

#[test]
fn r08_a_records_handlers_start_from_one_that_rotates() {
    let event = event(&["a", "b"]);
    let route = route(&event, 3);
    let firsts = |rotation| {
        let terms = Terms { rotation, ..terms(&route, 1) };
        drive(&event, &route, terms, |_| done()).starts.iter().map(|(_, handler)| *handler).collect::<Vec<_>>()
    };
    assert_eq!(firsts(0), [0, 1, 2, 0, 1, 2]);
    assert_eq!(firsts(1), [1, 2, 0, 1, 2, 0]);
    assert_eq!(firsts(2), [2, 0, 1, 2, 0, 1]);
    assert_eq!(firsts(3), firsts(0));
    assert_eq!(firsts(usize::MAX), firsts(usize::MAX % 3));
}

#[test]
fn r08_no_handler_is_cut_every_time() {
    let event = event(&["a"]);
    let route = route(&event, 3);
    let mut tried = [0; 3];
    for rotation in 0..6 {
        let terms = Terms { rotation, ..timed(&route, 1, 1_000) };
        let run = drive(&event, &route, terms, |_| (ms(700), Ended::Done));
        for (handler, outcome) in run.report.outcomes[0].iter().enumerate() {
            tried[handler] += usize::from(*outcome == Outcome::Done);
        }
    }
    assert_eq!(tried, [2, 2, 2]);
}
