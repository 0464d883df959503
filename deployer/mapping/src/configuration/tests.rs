use super::*;

const ARN: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/2026-09-14T00:00:00.000";

fn least() -> Parameters {
    Parameters {
        event_source_arn: Some(ARN.to_owned()),
        function_name: Some("f".to_owned()),
        starting_position: Some("LATEST".to_owned()),
        ..Parameters::default()
    }
}

/// The least parameters with some JSON members more.
fn with(json: serde_json::Value) -> Result<Configuration, ApiError> {
    let mut all = serde_json::to_value(least()).unwrap();
    all.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
    Configuration::create(&serde_json::from_value(all).unwrap())
}

#[track_caller]
fn refused(json: serde_json::Value, name: &str, message: &str) {
    let error = with(json).unwrap_err();
    assert_eq!((error.name(), error.status()), (name, 400));
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn the_defaults_are_awss() {
    let configuration = Configuration::create(&least()).unwrap();
    let json = serde_json::to_value(configuration.parameters()).unwrap();
    for (name, value) in [
        ("BatchSize", serde_json::json!(100)),
        ("MaximumBatchingWindowInSeconds", 0.into()),
        ("ParallelizationFactor", 1.into()),
        ("MaximumRecordAgeInSeconds", (-1).into()),
        ("MaximumRetryAttempts", (-1).into()),
        ("BisectBatchOnFunctionError", false.into()),
        ("TumblingWindowInSeconds", 0.into()),
        ("FunctionResponseTypes", serde_json::json!([])),
        ("DestinationConfig", serde_json::json!({"OnFailure": {}})),
        ("FilterCriteria", serde_json::Value::Null),
    ] {
        assert_eq!(json[name], value, "{name}");
    }
}

#[test]
fn every_range_has_its_ends() {
    for (name, least, most) in [
        ("BatchSize", 1, 10_000),
        ("MaximumBatchingWindowInSeconds", 0, 300),
        ("ParallelizationFactor", 1, 10),
        ("MaximumRecordAgeInSeconds", -1, 604_800),
        ("MaximumRetryAttempts", -1, 10_000),
        ("TumblingWindowInSeconds", 0, 900),
    ] {
        for value in [least, most] {
            assert!(with(serde_json::json!({ name: value })).is_ok(), "{name} {value}");
        }
        let camel = format!("'{}{}'", name[..1].to_lowercase(), &name[1..]);
        for (value, words) in [
            (least - 1, format!("greater than or equal to {least}")),
            (most + 1, format!("less than or equal to {most}")),
        ] {
            let message = format!(
                "1 validation error detected: Value '{value}' at {camel} failed to satisfy constraint: Member must have \
                 value {words}"
            );
            refused(serde_json::json!({ name: value }), "ValidationException", &message);
        }
    }
    for age in [0, 1, 59] {
        refused(serde_json::json!({"MaximumRecordAgeInSeconds": age}), "InvalidParameterValueException", "60");
    }
    assert!(with(serde_json::json!({"MaximumRecordAgeInSeconds": 60})).is_ok());
}

#[test]
fn every_constraint_that_is_broken_is_told_at_once() {
    let json = serde_json::json!({"BatchSize": 0, "ParallelizationFactor": 11, "FunctionResponseTypes": ["Report"]});
    refused(json, "ValidationException", "3 validation errors detected: ");
}

#[test]
fn a_batch_of_more_than_ten_needs_no_window() {
    assert!(with(serde_json::json!({"BatchSize": 10_000})).is_ok());
}

#[test]
fn what_is_required_is_asked_for() {
    for (name, camel) in [
        ("EventSourceArn", "eventSourceArn"),
        ("FunctionName", "functionName"),
        ("StartingPosition", "startingPosition"),
    ] {
        let message = format!("Value null at '{camel}' failed to satisfy constraint: Member must not be null.");
        refused(serde_json::json!({ name: null }), "InvalidParameterValueException", &message);
    }
}

#[test]
fn the_starting_position_is_one_that_dynamodb_has() {
    refused(
        serde_json::json!({"StartingPosition": "AT_TIMESTAMP"}),
        "InvalidParameterValueException",
        &format!("Unsupported starting position for arn type: {ARN}"),
    );
    refused(
        serde_json::json!({"StartingPosition": "NOW"}),
        "ValidationException",
        "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
    );
}

#[test]
fn a_pattern_that_is_none_has_lambdas_message() {
    for pattern in ["", "red", "[]", r#"{"a":[]}"#, r#"{"a":"b"}"#, r#"{"a":[{"wildcard":"*"}]}"#] {
        let error = with(serde_json::json!({"FilterCriteria": {"Filters": [{"Pattern": pattern}]}})).unwrap_err();
        assert_eq!(error.name(), "InvalidParameterValueException");
        assert_eq!(error.to_string(), "Invalid filter pattern definition.", "{pattern}");
    }
    let filters = |n: usize| {
        let filters: Vec<_> = (0..n).map(|_| serde_json::json!({"Pattern": r#"{"eventName":["INSERT"]}"#})).collect();
        serde_json::json!({"FilterCriteria": {"Filters": filters}})
    };
    assert!(with(filters(5)).is_ok());
    refused(filters(6), "InvalidParameterValueException", "6 filters");
    let long = format!(r#"{{"a":["{}"]}}"#, "x".repeat(4_096));
    let json = serde_json::json!({"FilterCriteria": {"Filters": [{"Pattern": long}]}});
    refused(json, "ValidationException", "less than or equal to 4096");
}

#[test]
fn a_tumbling_window_goes_with_neither_a_filter_nor_a_factor() {
    let filter = serde_json::json!({"Filters": [{"Pattern": r#"{"eventName":["INSERT"]}"#}]});
    refused(
        serde_json::json!({"TumblingWindowInSeconds": 10, "FilterCriteria": filter}),
        "InvalidParameterValueException",
        "tumbling",
    );
    let json = serde_json::json!({"TumblingWindowInSeconds": 10, "ParallelizationFactor": 2});
    refused(json, "InvalidParameterValueException", "tumbling");
    // Nor one after the other.
    let window = with(serde_json::json!({"TumblingWindowInSeconds": 10})).unwrap();
    let factor = Parameters { parallelization_factor: Some(2), ..Parameters::default() };
    assert!(window.changed(&factor).is_err());
    let both = Parameters { tumbling_window_in_seconds: Some(0), ..factor };
    assert!(window.changed(&both).is_ok());
}

#[test]
fn destinations_are_a_bucket_a_standard_queue_or_a_standard_topic() {
    let on_failure = |arn: &str| serde_json::json!({"DestinationConfig": {"OnFailure": {"Destination": arn}}});
    for arn in ["arn:aws:s3:::b", "arn:aws:sqs:eu-west-1:111122223333:q", "arn:aws-cn:sns:cn-north-1:111122223333:t"] {
        let configuration = with(on_failure(arn)).unwrap();
        assert_eq!(configuration.destination_config.unwrap().arn(), arn);
    }
    for (arn, why) in [
        ("arn:aws:sqs:eu-west-1:111122223333:q.fifo", "FIFO"),
        ("arn:aws:sns:eu-west-1:111122223333:t.fifo", "FIFO"),
        ("kafka://topic", "Kafka"),
        ("arn:aws:kafka:eu-west-1:111122223333:topic/c/1/t", "Kafka"),
        ("arn:aws:s3:::b/prefix", "no ARN"),
        ("arn:aws:lambda:eu-west-1:111122223333:function:f", "no ARN"),
        ("q", "no ARN"),
    ] {
        refused(on_failure(arn), "InvalidParameterValueException", why);
    }
}

#[test]
fn what_is_no_stream_of_a_table_is_no_event_source() {
    for arn in ["arn:aws:sqs:eu-west-1:111122223333:q", "arn:aws:dynamodb:eu-west-1:111122223333:table/t", "t"] {
        refused(serde_json::json!({"EventSourceArn": arn}), "InvalidParameterValueException", arn);
    }
}

#[test]
fn a_key_is_the_arn_of_one() {
    refused(serde_json::json!({"KMSKeyArn": "alias/x"}), "InvalidParameterValueException", "alias/x");
}

#[test]
fn an_unknown_parameter_is_not_read() {
    let parameters = serde_json::from_value::<Parameters>(serde_json::json!({"BatchSizes": 1}));
    assert!(parameters.unwrap_err().to_string().contains("BatchSizes"));
}

#[test]
fn the_same_stream_and_function_have_one_mapping() {
    let here = Configuration::create(&least()).unwrap();
    let arn = "arn:aws:lambda:eu-west-1:111122223333:function:f";
    let same = with(serde_json::json!({"FunctionName": arn, "BatchSize": 5})).unwrap();
    let error = same.unlike([("0000-1", &here)]).unwrap_err();
    assert_eq!((error.name(), error.status()), ("ResourceConflictException", 409));
    assert!(error.to_string().ends_with("with UUID 0000-1"), "{error}");
    let other = with(serde_json::json!({"FunctionName": "g"})).unwrap();
    assert_eq!(other.unlike([("0000-1", &here)]), Ok(()));
}

#[test]
fn a_function_has_its_arn_however_it_is_named() {
    for (name, arn) in [
        ("f", "arn:aws:lambda:eu-west-1:111122223333:function:f"),
        ("f:live", "arn:aws:lambda:eu-west-1:111122223333:function:f:live"),
        ("444455556666:function:f", "arn:aws:lambda:eu-west-1:444455556666:function:f"),
        ("arn:aws:lambda:eu-west-1:1:function:f", "arn:aws:lambda:eu-west-1:1:function:f"),
    ] {
        assert_eq!(with(serde_json::json!({"FunctionName": name})).unwrap().function_arn(), arn);
    }
}

#[test]
fn what_was_checked_is_written_as_it_was_read() {
    let json = serde_json::json!({
        "EventSourceArn": ARN, "FunctionName": "f", "Enabled": false, "BatchSize": 7,
        "MaximumBatchingWindowInSeconds": 8, "ParallelizationFactor": 1, "StartingPosition": "TRIM_HORIZON",
        "MaximumRecordAgeInSeconds": 70, "MaximumRetryAttempts": 0, "BisectBatchOnFunctionError": true,
        "FunctionResponseTypes": ["ReportBatchItemFailures"], "TumblingWindowInSeconds": 0,
        "FilterCriteria": {"Filters": [{"Pattern": "{\"eventName\":[\"INSERT\"]}"}]},
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::b"}},
        "KMSKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1", "MetricsConfig": {"Metrics": ["EventCount"]},
        "Tags": {"a": "b"},
    });
    let parameters: Parameters = serde_json::from_value(json.clone()).unwrap();
    let again = Configuration::create(&parameters).unwrap().parameters();
    assert_eq!(serde_json::to_value(again).unwrap(), json);
}

#[test]
fn the_other_errors_have_awss_names() {
    let not_found = ApiError::ResourceNotFound;
    assert_eq!((not_found.name(), not_found.status()), ("ResourceNotFoundException", 404));
    let in_use = ApiError::ResourceInUse("1".to_owned());
    assert_eq!((in_use.name(), in_use.status()), ("ResourceInUseException", 400));
}
