//! Each parameter of a mapping, and its change in place. `docs/mapping.md`
//! names these tests.

use gristmill_mapping::testing::{Rig, START, STREAM_ARN, function_error, parameters, succeed};
use gristmill_mapping::trace::Decision;
use gristmill_mapping::{Answer, ApiError, Configuration, Parameters, Timestamp};

use super::*;

fn change() -> Parameters {
    Parameters::default()
}

fn refused(result: Result<(), ApiError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.name(), "InvalidParameterValueException");
    error.to_string()
}

#[test]
fn event_source_arn_cannot_be_changed_in_place() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    let other = STREAM_ARN.replace("2026-09-14", "2026-09-15");
    let message = refused(rig.update(&Parameters { event_source_arn: Some(other), ..change() }));
    assert!(message.contains("EventSourceArn"), "{message}");
    rig.update(&Parameters { event_source_arn: Some(STREAM_ARN.to_owned()), ..change() }).unwrap();
    rig.stream.put("1");
    rig.advance(seconds(1));
    let event = rig.target.calls()[0].event();
    assert_eq!(event["Records"][0]["eventSourceARN"], STREAM_ARN);
}

#[test]
fn function_name_is_where_the_next_invoke_goes() {
    let mut rig = Rig::new(parameters(), fail_with("1"));
    rig.stream.put("1");
    rig.advance(seconds(1));
    let arn = "arn:aws:lambda:us-east-1:111122223333:function:other:live".to_owned();
    rig.update(&Parameters { function_name: Some(arn.clone()), ..change() }).unwrap();
    rig.advance(seconds(5));
    let calls = rig.target.calls();
    assert_eq!(calls[0].function_arn, "arn:aws:lambda:us-east-1:111122223333:function:handlers");
    assert_eq!(calls.last().unwrap().function_arn, arn);
    // It is the same batch still.
    assert_eq!(calls[0].request_id, calls.last().unwrap().request_id);
}

#[test]
fn batch_size_bounds_a_batch() {
    let mut rig = Rig::new(Parameters { batch_size: Some(2), ..parameters() }, |_| succeed());
    for key in ["1", "2", "3", "4", "5"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["12 a", "34 b", "5 c"]);
    rig.update(&Parameters { batch_size: Some(3), ..change() }).unwrap();
    for key in ["1", "2", "3", "4"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(1));
    assert_eq!(calls(&rig)[3..], ["123 d", "4 e"]);
}

#[test]
fn batch_size_of_ten_thousand_takes_several_pages() {
    let parameters =
        Parameters { batch_size: Some(10_000), maximum_batching_window_in_seconds: Some(5), ..parameters() };
    let mut rig = Rig::new(parameters, |_| succeed());
    for _ in 0..10_500 {
        rig.stream.put("1");
    }
    rig.advance(seconds(10));
    let lengths: Vec<usize> = rig.target.calls().iter().map(|call| call.keys.len()).collect();
    assert_eq!(lengths, [10_000, 500]);
}

#[test]
fn a_payload_is_at_most_6_mb() {
    let parameters =
        Parameters { batch_size: Some(1_000), maximum_batching_window_in_seconds: Some(300), ..parameters() };
    let mut rig = Rig::new(parameters, |_| succeed());
    let large = format!(r#","text":{{"S":"{}"}}"#, "x".repeat(400_000));
    for n in 0..40 {
        rig.stream.put_image(&n.to_string(), &large);
    }
    // The window is not over: a batch goes because the next record has no room.
    rig.advance(seconds(1));
    let lengths: Vec<usize> = rig.target.calls().iter().map(|call| call.keys.len()).collect();
    assert_eq!(lengths, [15, 15]);
    for call in rig.target.calls() {
        assert!((5_500_000..=6 * 1024 * 1024).contains(&call.payload.len()), "{}", call.payload.len());
    }
    rig.advance(seconds(300));
    assert_eq!(rig.counts().delivered, 40);
}

#[test]
fn a_record_that_is_larger_than_a_payload_goes_alone() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    rig.stream.put("1");
    rig.stream.put_image("2", &format!(r#","text":{{"S":"{}"}}"#, "x".repeat(7_000_000)));
    rig.stream.put("3");
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["1 a", "2 b", "3 c"]);
}

#[test]
fn maximum_batching_window_waits_for_a_full_batch() {
    let parameters = Parameters { batch_size: Some(3), maximum_batching_window_in_seconds: Some(20), ..parameters() };
    let mut rig = Rig::new(parameters, |_| succeed());
    rig.stream.put("1");
    rig.advance(seconds(15));
    rig.stream.put("2");
    rig.advance(seconds(4));
    assert!(rig.target.calls().is_empty());
    rig.advance(seconds(2));
    assert_eq!(calls(&rig), ["12 a"]);
    for key in ["1", "2", "3"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["12 a", "123 b"]);
    // Switched off, what waits goes at once.
    rig.stream.put("4");
    rig.advance(seconds(1));
    assert_eq!(calls(&rig).len(), 2);
    rig.update(&Parameters { maximum_batching_window_in_seconds: Some(0), ..change() }).unwrap();
    rig.advance(Duration::ZERO);
    assert_eq!(calls(&rig).len(), 3);
}

/// Keys, and how many calls are in flight when each is begun.
fn most_in_flight(rig: &Rig, takes: Duration) -> usize {
    let calls = rig.target.calls();
    let at_once = |call: &Call| calls.iter().filter(|o| o.at <= call.at && call.at < o.at + takes).count();
    calls.iter().map(at_once).max().unwrap_or(0)
}

#[test]
fn parallelization_factor_runs_batches_side_by_side_with_order_per_item() {
    let takes = seconds(1);
    let parameters = Parameters { batch_size: Some(1), parallelization_factor: Some(4), ..parameters() };
    let mut rig = Rig::new(parameters, |_| succeed());
    rig.target.takes(takes);
    for n in 0..60 {
        rig.stream.put(&format!("k{}", n % 12));
    }
    rig.advance(seconds(100));
    assert_eq!(most_in_flight(&rig, takes), 4);
    assert_eq!(rig.counts().delivered, 60);
    let calls = rig.target.calls();
    for key in 0..12 {
        let mut of_key = calls.iter().filter(|call| call.keys[0] == format!("k{key}"));
        let first = of_key.next().unwrap();
        of_key.fold(first, |before, call| {
            assert!(before.at + takes <= call.at && before.sequence_numbers < call.sequence_numbers);
            call
        });
    }
}

#[test]
fn parallelization_factor_changes_once_nothing_is_being_delivered() {
    let takes = seconds(1);
    let mut rig = Rig::new(Parameters { batch_size: Some(1), ..parameters() }, |_| succeed());
    rig.target.takes(takes);
    for n in 0..60 {
        rig.stream.put(&format!("k{}", n % 12));
    }
    rig.advance(Duration::from_millis(500));
    rig.update(&Parameters { parallelization_factor: Some(10), ..change() }).unwrap();
    rig.advance(Duration::from_millis(400));
    assert_eq!(rig.target.calls().len(), 1);
    rig.advance(seconds(100));
    assert!(most_in_flight(&rig, takes) > 4);
    assert_eq!(rig.counts().delivered, 60);
    let numbers_of = |key: &str| {
        let calls = rig.target.calls();
        calls.iter().filter(|c| c.keys[0] == key).map(|c| c.sequence_numbers[0].clone()).collect::<Vec<_>>()
    };
    assert!((0..12).all(|n| numbers_of(&format!("k{n}")).is_sorted()));
}

#[test]
fn a_lane_that_is_stuck_holds_back_its_items_and_the_position() {
    let parameters = Parameters { batch_size: Some(1), parallelization_factor: Some(10), ..parameters() };
    let mut rig = Rig::new(parameters, fail_with("stuck"));
    rig.stream.put("stuck");
    let keys: Vec<String> = (0..40).map(|n| format!("k{n}")).collect();
    for key in &keys {
        rig.stream.put(key);
    }
    rig.advance(seconds(5));
    let delivered = rig.counts().delivered;
    assert!((20..40).contains(&delivered), "{delivered} of 40 are in other lanes");
    assert!(
        rig.positions
            .of(gristmill_mapping::testing::UUID)
            .values()
            .all(|p| *p == gristmill_mapping::Position::TrimHorizon)
    );
    rig.target.answer(|_| succeed());
    rig.advance(seconds(60));
    assert_eq!(rig.counts().delivered, 41);
}

#[test]
fn starting_position_cannot_be_changed_in_place() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    rig.stream.put("1");
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["1 a"]);
    let latest = Parameters { starting_position: Some("LATEST".to_owned()), ..change() };
    let message = refused(rig.update(&latest));
    assert!(message.contains("StartingPosition"), "{message}");
}

#[test]
fn maximum_record_age_expires_what_is_too_old_and_can_be_lifted() {
    let parameters = Parameters { maximum_record_age_in_seconds: Some(60), ..with_destination(QUEUE) };
    let mut rig = Rig::new(parameters, |_| succeed());
    let old = Timestamp::from_ms(START.ms() - 100_000);
    rig.stream.put_at("1", "", old);
    rig.advance(seconds(1));
    assert_eq!((rig.counts().expired, rig.target.calls().len()), (1, 0));
    rig.update(&Parameters { maximum_record_age_in_seconds: Some(-1), ..change() }).unwrap();
    rig.stream.put_at("2", "", old);
    rig.advance(seconds(1));
    assert_eq!((rig.counts().expired, rig.counts().delivered), (1, 1));
}

#[test]
fn maximum_record_age_above_a_day_does_nothing() {
    let mut rig = Rig::new(Parameters { maximum_record_age_in_seconds: Some(604_800), ..parameters() }, |_| succeed());
    rig.stream.put_at("1", "", Timestamp::from_ms(START.ms() - 700_000_000));
    rig.advance(seconds(1));
    assert_eq!(rig.counts().delivered, 1);
}

#[test]
fn maximum_retry_attempts_can_be_changed_while_a_batch_is_tried() {
    let mut rig = Rig::new(with_destination(QUEUE), fail_with("1"));
    rig.stream.put("1");
    rig.advance(seconds(300));
    assert!(documents(&rig).is_empty());
    rig.update(&Parameters { maximum_retry_attempts: Some(2), ..change() }).unwrap();
    rig.advance(seconds(61));
    assert_eq!(rig.counts().exhausted, 1);
}

#[test]
fn bisect_can_be_switched_on_while_a_batch_is_tried() {
    let mut rig = Rig::new(Parameters { maximum_retry_attempts: Some(50), ..with_destination(QUEUE) }, fail_with("2"));
    for key in ["1", "2", "3", "4"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(2));
    assert!(calls(&rig).iter().all(|call| call == "1234 a"));
    let on = Parameters { bisect_batch_on_function_error: Some(true), maximum_retry_attempts: Some(0), ..change() };
    rig.update(&on).unwrap();
    rig.advance(seconds(10));
    assert_eq!((rig.counts().delivered, rig.counts().exhausted), (3, 1));
}

#[test]
fn function_response_types_decide_whether_the_body_is_read() {
    let mut rig = Rig::new(Parameters { maximum_retry_attempts: Some(0), ..with_destination(QUEUE) }, report("2"));
    rig.stream.put("1");
    rig.stream.put("2");
    rig.advance(seconds(1));
    assert_eq!((calls(&rig), rig.counts().delivered), (vec!["12 a".to_owned()], 2));
    rig.update(&Parameters { function_response_types: reporting(), ..change() }).unwrap();
    rig.stream.put("1");
    rig.stream.put("2");
    rig.advance(seconds(1));
    assert_eq!(calls(&rig)[1..], ["12 b", "2 c"]);
    assert_eq!((rig.counts().delivered, rig.counts().exhausted), (3, 1));
    rig.update(&Parameters { function_response_types: Some(Vec::new()), ..change() }).unwrap();
    rig.stream.put("2");
    rig.advance(seconds(1));
    assert_eq!(rig.counts().delivered, 4);
}

#[test]
fn tumbling_window_can_be_switched_off_and_is_then_closed() {
    let parameters = Parameters { tumbling_window_in_seconds: Some(60), ..parameters() };
    let mut rig = Rig::new(parameters, |_| Answer::Returned(br#"{"state":{"n":1}}"#.to_vec()));
    rig.stream.put("1");
    rig.advance(seconds(1));
    rig.update(&Parameters { tumbling_window_in_seconds: Some(0), ..change() }).unwrap();
    rig.stream.put("2");
    rig.advance(seconds(1));
    let events: Vec<_> = rig.target.calls().iter().map(Call::event).collect();
    assert_eq!(events.len(), 3);
    assert_eq!(events[1]["isFinalInvokeForWindow"], true);
    assert!(events[2].get("window").is_none() && events[2].get("state").is_none());
}

#[test]
fn filter_criteria_decline_records_and_move_the_position() {
    let pattern = r#"{"dynamodb":{"NewImage":{"color":{"S":["red"]}}}}"#;
    let mut rig = Rig::new(Parameters { filter_criteria: filter(pattern), ..parameters() }, |_| succeed());
    let red = r#","color":{"S":"red"}"#;
    rig.stream.put("1");
    rig.stream.put_image("2", red);
    let last = rig.stream.put("3");
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["2 a"]);
    assert_eq!((rig.counts().filtered, rig.counts().delivered), (2, 1));
    let position = rig.positions.of(gristmill_mapping::testing::UUID).into_values().next().unwrap();
    let after_last = gristmill_mapping::Position::After { sequence_number: last.clone(), window: None };
    assert_eq!(position, after_last);
    assert!(
        rig.trace.has(|d| matches!(d, Decision::Filtered { sequence_numbers, .. } if sequence_numbers.contains(&last)))
    );
    // Without patterns there is no filter.
    rig.update(&Parameters { filter_criteria: Some(Default::default()), ..change() }).unwrap();
    rig.stream.put("4");
    rig.advance(seconds(1));
    assert_eq!(calls(&rig)[1..], ["4 b"]);
}

#[test]
fn filter_criteria_that_change_are_asked_about_what_waits() {
    let parameters = Parameters { maximum_batching_window_in_seconds: Some(60), ..parameters() };
    let mut rig = Rig::new(parameters, |_| succeed());
    for key in ["1", "2", "3"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(1));
    let pattern = r#"{"dynamodb":{"Keys":{"id":{"S":["2"]}}}}"#;
    rig.update(&Parameters { filter_criteria: filter(pattern), ..change() }).unwrap();
    rig.advance(seconds(60));
    assert_eq!(calls(&rig), ["2 a"]);
    assert_eq!((rig.counts().filtered, rig.counts().delivered), (2, 1));
}

#[test]
fn filter_criteria_that_cannot_be_evaluated_deliver_the_record() {
    let pattern = r#"{"dynamodb":{"NewImage":{"color":{"S":["red"]}}}}"#;
    let mut rig = Rig::new(Parameters { filter_criteria: filter(pattern), ..parameters() }, |_| succeed());
    // Half of a surrogate pair: no text.
    rig.stream.put_image("1", r#","color":{"S":"\ud800"}"#);
    rig.advance(seconds(1));
    assert_eq!(rig.counts().delivered, 1);
    assert!(rig.trace.has(|decision| matches!(decision, Decision::FilterUnreadable { .. })));
}

#[test]
fn destination_config_is_where_the_next_document_goes() {
    let mut rig =
        Rig::new(Parameters { maximum_retry_attempts: Some(0), ..with_destination(BUCKET) }, |_| function_error());
    rig.stream.put("1");
    rig.advance(seconds(1));
    rig.update(&Parameters { destination_config: with_destination(QUEUE).destination_config, ..change() }).unwrap();
    rig.stream.put("2");
    rig.advance(seconds(1));
    rig.update(&Parameters { destination_config: Some(Default::default()), ..change() }).unwrap();
    rig.stream.put("3");
    rig.advance(seconds(1));
    let to: Vec<_> = rig.destination.documents().iter().map(|document| document.to.arn().to_owned()).collect();
    assert_eq!(to, [BUCKET, QUEUE]);
    assert_eq!(rig.counts().exhausted, 3);
}

#[test]
fn metrics_config_counts_events_by_awss_names() {
    let parameters: Parameters = serde_json::from_value(serde_json::json!({
        "MetricsConfig": {"Metrics": ["EventCount"]},
        "FilterCriteria": {"Filters": [{"Pattern": r#"{"dynamodb":{"Keys":{"id":{"S":[{"anything-but":"no"}]}}}}"#}]},
    }))
    .unwrap();
    let parameters = Parameters {
        maximum_retry_attempts: Some(1),
        batch_size: Some(1),
        metrics_config: parameters.metrics_config,
        filter_criteria: parameters.filter_criteria,
        ..with_destination(QUEUE)
    };
    let mut rig = Rig::new(parameters, fail_with("bad"));
    for key in ["no", "good", "bad"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(5));
    let expected = [
        ("PolledEventCount", 3),
        ("FilteredOutEventCount", 1),
        ("InvokedEventCount", 3),
        ("FailedInvokeEventCount", 2),
        ("DroppedEventCount", 0),
        ("OnFailureDestinationDeliveredEventCount", 1),
    ];
    assert_eq!(rig.counts().metrics(), expected);
    assert!(rig.handle().describe().metrics_config.is_some());
}

#[test]
fn kms_key_arn_and_tags_are_kept_and_told() {
    let key = "arn:aws:kms:us-east-1:111122223333:key/0000".to_owned();
    let tags = [("team".to_owned(), "clerks".to_owned())].into();
    let parameters = Parameters { kms_key_arn: Some(key.clone()), tags: Some(tags), ..parameters() };
    let configuration = Configuration::create(&parameters).unwrap();
    assert_eq!((configuration.kms_key_arn.as_ref(), configuration.tags["team"].as_str()), (Some(&key), "clerks"));
    assert_eq!(Rig::new(parameters, |_| succeed()).handle().describe().kms_key_arn, Some(key));
    let without = configuration.changed(&Parameters { kms_key_arn: Some(String::new()), ..change() }).unwrap();
    assert_eq!(without.kms_key_arn, None);
}
