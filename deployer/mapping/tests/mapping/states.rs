//! The states of a mapping, and what its API tells.

use gristmill_mapping::testing::{Rig, UUID, function_error, parameters, succeed};
use gristmill_mapping::trace::Decision;
use gristmill_mapping::{ApiError, Parameters};

use super::*;

fn states(rig: &Rig) -> Vec<&'static str> {
    let state = |entry: &gristmill_mapping::trace::Entry| match &entry.decision {
        Decision::State { state, .. } => Some(state.as_str()),
        _ => None,
    };
    rig.trace.entries().iter().filter_map(state).collect()
}

#[test]
fn a_new_mapping_is_creating_and_then_enabled() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    assert_eq!(rig.handle().describe().state, "Creating");
    rig.advance(seconds(1));
    let description = rig.handle().describe();
    assert_eq!((description.state.as_str(), description.state_transition_reason.as_str()), ("Enabled", "User action"));
    assert_eq!(description.last_processing_result, "No records processed");
    rig.stream.put("1");
    rig.advance(seconds(1));
    assert_eq!(rig.handle().describe().last_processing_result, "OK");
    rig.target.answer(|_| function_error());
    rig.stream.put("2");
    rig.advance(seconds(1));
    assert_eq!(rig.handle().describe().last_processing_result, "PROBLEM: Function call failed");
    assert_eq!(states(&rig), ["Creating", "Enabled"]);
}

#[test]
fn its_object_has_the_defaults_of_aws() {
    let rig = Rig::new(parameters(), |_| succeed());
    let object = serde_json::to_value(rig.handle().describe()).unwrap();
    let expected = serde_json::json!({
        "UUID": UUID,
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "EventSourceArn": gristmill_mapping::testing::STREAM_ARN,
        "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:handlers",
        "LastModified": 1_789_344_000.0,
        "LastProcessingResult": "No records processed",
        "State": "Creating",
        "StateTransitionReason": "User action",
        "DestinationConfig": {"OnFailure": {}},
        "MaximumRecordAgeInSeconds": -1,
        "BisectBatchOnFunctionError": false,
        "MaximumRetryAttempts": -1,
        "TumblingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
    });
    assert_eq!(object, expected);
}

#[test]
fn a_mapping_that_is_made_disabled_delivers_once_it_is_enabled() {
    let mut rig = Rig::new(Parameters { enabled: Some(false), ..parameters() }, |_| succeed());
    rig.stream.put("1");
    rig.advance(seconds(10));
    assert_eq!((rig.handle().describe().state.as_str(), rig.stream.calls()), ("Disabled", 0));
    rig.enable(true);
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["1 a"]);
    assert_eq!(states(&rig), ["Creating", "Disabled", "Enabling", "Enabled"]);
}

#[test]
fn a_disabled_mapping_lets_the_invoke_in_flight_end_and_keeps_its_position() {
    let mut rig = Rig::new(Parameters { batch_size: Some(1), ..parameters() }, |_| succeed());
    rig.target.takes(seconds(5));
    rig.stream.put("1");
    rig.stream.put("2");
    rig.advance(seconds(1));
    rig.enable(false);
    rig.advance(seconds(1));
    assert_eq!(rig.handle().describe().state, "Disabling");
    rig.advance(seconds(100));
    assert_eq!(rig.handle().describe().state, "Disabled");
    assert_eq!(calls(&rig), ["1 a"]);
    rig.stream.put("3");
    rig.enable(true);
    rig.advance(seconds(100));
    assert_eq!(calls(&rig), ["1 a", "2 b", "3 c"]);
    assert_eq!(states(&rig), ["Creating", "Enabled", "Disabling", "Disabled", "Enabling", "Enabled"]);
}

#[test]
fn a_retry_that_waits_is_put_back_by_disabling() {
    let mut rig = Rig::new(parameters(), fail_with("1"));
    rig.stream.put("1");
    rig.advance(seconds(3));
    rig.enable(false);
    rig.advance(seconds(100));
    let tries = rig.target.calls().len();
    assert_eq!(rig.handle().describe().state, "Disabled");
    assert!(rig.trace.has(|decision| matches!(decision, Decision::PutBack { .. })));
    rig.target.answer(|_| succeed());
    rig.enable(true);
    rig.advance(seconds(1));
    assert_eq!(rig.target.calls().len(), tries + 1);
    assert_eq!(rig.counts().delivered, 1);
}

#[test]
fn switching_off_and_on_at_once_loses_and_repeats_nothing_that_was_done() {
    let mut rig = Rig::new(Parameters { batch_size: Some(1), ..parameters() }, |_| succeed());
    rig.target.takes(Duration::from_millis(300));
    for n in 0..20 {
        rig.stream.put(&n.to_string());
    }
    for _ in 0..20 {
        rig.advance(Duration::from_millis(170));
        rig.enable(false);
        rig.advance(Duration::from_millis(30));
        rig.enable(true);
    }
    rig.advance(seconds(20));
    let delivered: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(rig.target.calls().iter().map(|call| call.keys.concat()).collect::<Vec<_>>(), delivered);
}

#[test]
fn a_deleted_mapping_ends_and_its_position_is_forgotten() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    rig.target.takes(seconds(5));
    rig.stream.put("1");
    rig.advance(seconds(1));
    rig.handle().delete(gristmill_mapping::Clock::now(&rig.clock));
    assert_eq!(rig.handle().describe().state, "Deleting");
    assert_eq!(rig.update(&parameters()), Err(ApiError::ResourceInUse(UUID.to_owned())));
    assert!(rig.advance_to_end(seconds(100)));
    assert_eq!(calls(&rig), ["1 a"]);
    assert!(rig.positions.of(UUID).is_empty());
}

#[test]
fn a_stopped_mapping_ends_and_goes_on_later() {
    let mut rig = Rig::new(Parameters { batch_size: Some(1), ..parameters() }, |_| succeed());
    rig.target.takes(seconds(5));
    rig.stream.put("1");
    rig.stream.put("2");
    rig.advance(seconds(1));
    rig.handle().stop();
    assert!(rig.advance_to_end(seconds(100)));
    assert_eq!(calls(&rig), ["1 a"]);
    rig.restart();
    rig.advance(seconds(100));
    assert_eq!(calls(&rig), ["1 a", "2 b"]);
}

#[test]
fn what_is_being_given_up_is_put_back_too_and_comes_again() {
    // One lane waits for its destination while another one's invoke keeps the
    // mapping from resting.
    let parameters = Parameters {
        batch_size: Some(1),
        parallelization_factor: Some(10),
        maximum_retry_attempts: Some(0),
        ..with_destination(BUCKET)
    };
    let mut rig = Rig::new(parameters, fail_with("bad"));
    rig.target.takes(seconds(5));
    rig.destination.fail(u32::MAX);
    rig.stream.put("bad");
    rig.advance(seconds(4));
    rig.stream.put("slow");
    rig.advance(seconds(2));
    assert_eq!(calls(&rig), ["bad a", "slow b"]);
    rig.enable(false);
    rig.advance(seconds(1));
    assert_eq!(rig.handle().describe().state, "Disabling");
    rig.enable(true);
    rig.destination.fail(0);
    rig.advance(seconds(60));
    assert_eq!((rig.counts().delivered, rig.counts().exhausted), (1, 1));
    assert_eq!(calls(&rig), ["bad a", "slow b", "bad c"]);
}
