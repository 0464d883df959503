//! Ranges, lengths and sets of values, with the errors that AWS has for them.

use gristmill_host::event::Arn;
use gristmill_host::pattern::{MOST_CHARS, Pattern};

use super::{OnFailure, Parameters, StartingPosition};
use crate::ApiError;

pub(super) const REPORT_BATCH_ITEM_FAILURES: &str = "ReportBatchItemFailures";
pub(super) const EVENT_COUNT: &str = "EventCount";

/// Ten on request to AWS (AWS-FACTS), and who has them tries them there.
const MOST_FILTERS: usize = 5;

/// What was checked and has another form than it was written in.
#[derive(Default)]
pub(super) struct Checks {
    pub(super) batch_size: Option<u32>,
    pub(super) maximum_batching_window_in_seconds: Option<u32>,
    pub(super) parallelization_factor: Option<u32>,
    pub(super) starting_position: Option<StartingPosition>,
    /// None within is no limit.
    pub(super) maximum_record_age_in_seconds: Option<Option<u32>>,
    pub(super) maximum_retry_attempts: Option<Option<u32>>,
    pub(super) tumbling_window_in_seconds: Option<u32>,
    pub(super) destination_config: Option<Option<OnFailure>>,
}

/// The constraints of the API model that a request breaks, all of them.
#[derive(Default)]
struct Constraints(Vec<String>);

impl Constraints {
    fn broken(&mut self, value: impl std::fmt::Display, name: &str, constraint: impl std::fmt::Display) {
        self.0.push(format!("Value '{value}' at '{name}' failed to satisfy constraint: {constraint}"));
    }

    /// The number, where it is in the range. None where it is not, too.
    fn range(&mut self, value: Option<i64>, name: &str, least: i64, most: i64) -> Option<i64> {
        let value = value?;
        if value < least {
            self.broken(value, name, format_args!("Member must have value greater than or equal to {least}"));
        } else if value > most {
            self.broken(value, name, format_args!("Member must have value less than or equal to {most}"));
        } else {
            return Some(value);
        }
        None
    }

    fn number(&mut self, value: Option<i64>, name: &str, least: u32, most: u32) -> Option<u32> {
        self.range(value, name, least.into(), most.into()).and_then(|value| u32::try_from(value).ok())
    }

    /// -1 is no limit, which is none within.
    fn limit(&mut self, value: Option<i64>, name: &str, most: u32) -> Option<Option<u32>> {
        self.range(value, name, -1, most.into()).map(|value| u32::try_from(value).ok())
    }

    fn one_of(&mut self, values: Option<&[String]>, name: &str, allowed: &str) {
        for value in values.unwrap_or_default().iter().filter(|value| *value != allowed) {
            self.broken(value, name, format_args!("Member must satisfy enum value set: [{allowed}]"));
        }
    }
}

impl Checks {
    /// Model constraints first, as AWS's front has it, then what only Lambda
    /// knows.
    pub(super) fn of(written: &Parameters) -> Result<Self, ApiError> {
        let mut model = Constraints::default();
        let response_types = written.function_response_types.as_deref();
        model.one_of(response_types, "functionResponseTypes", REPORT_BATCH_ITEM_FAILURES);
        let metrics = written.metrics_config.as_ref().map(|config| config.metrics.as_slice());
        model.one_of(metrics, "metricsConfig.metrics", EVENT_COUNT);
        if let Some(name) = written.function_name.as_deref().filter(|name| name.is_empty() || name.len() > 140) {
            model.broken(name, "functionName", "Member must have length between 1 and 140");
        }
        for (index, filter) in written.filter_criteria.iter().flat_map(|criteria| &criteria.filters).enumerate() {
            let chars = filter.pattern.chars().count();
            if chars > MOST_CHARS {
                let name = format!("filterCriteria.filters.{}.member.pattern", index + 1);
                let constraint = format_args!("Member must have length less than or equal to {MOST_CHARS}");
                model.broken(format_args!("{chars} characters"), &name, constraint);
            }
        }
        let starting_position = starting_position(written.starting_position.as_deref(), &mut model);
        let mut checks = Self {
            batch_size: model.number(written.batch_size, "batchSize", 1, 10_000),
            maximum_batching_window_in_seconds: model.number(
                written.maximum_batching_window_in_seconds,
                "maximumBatchingWindowInSeconds",
                0,
                300,
            ),
            parallelization_factor: model.number(written.parallelization_factor, "parallelizationFactor", 1, 10),
            maximum_record_age_in_seconds: model.limit(
                written.maximum_record_age_in_seconds,
                "maximumRecordAgeInSeconds",
                604_800,
            ),
            maximum_retry_attempts: model.limit(written.maximum_retry_attempts, "maximumRetryAttempts", 10_000),
            tumbling_window_in_seconds: model.number(
                written.tumbling_window_in_seconds,
                "tumblingWindowInSeconds",
                0,
                900,
            ),
            starting_position: None,
            destination_config: None,
        };
        if !model.0.is_empty() {
            return Err(ApiError::Validation(model.0));
        }
        checks.lambda(written, starting_position)?;
        Ok(checks)
    }

    fn lambda(&mut self, written: &Parameters, starting_position: Option<Position>) -> Result<(), ApiError> {
        if let Some(arn) = &written.event_source_arn
            && Arn::parse_stream(arn).is_none()
        {
            return Err(ApiError::invalid(format!(
                "Unrecognized event source: {arn} is no stream of a DynamoDB table"
            )));
        }
        self.starting_position = match starting_position {
            Some(Position::Refused) => {
                let arn = written.event_source_arn.as_deref().unwrap_or_default();
                return Err(ApiError::invalid(format!("Unsupported starting position for arn type: {arn}")));
            }
            Some(Position::Known(position)) => Some(position),
            None => None,
        };
        // The model's range begins at -1; what lies between has no meaning.
        if let Some(Some(age @ 0..60)) = self.maximum_record_age_in_seconds {
            return Err(ApiError::invalid(format!(
                "Invalid value for maximumRecordAgeInSeconds: {age}. It is -1 or between 60 and 604800"
            )));
        }
        if let Some(arn) = written.kms_key_arn.as_deref().filter(|arn| !arn.is_empty() && !is_key(arn)) {
            return Err(ApiError::invalid(format!("Invalid KMSKeyArn: {arn}")));
        }
        if let Some(config) = &written.destination_config {
            self.destination_config = Some(config.on_failure.destination.as_deref().map(destination).transpose()?);
        }
        let filters = written.filter_criteria.as_ref().map_or(&[][..], |criteria| criteria.filters.as_slice());
        if filters.len() > MOST_FILTERS {
            return Err(ApiError::invalid(format!(
                "FilterCriteria has {} filters, and at most {MOST_FILTERS} are allowed",
                filters.len()
            )));
        }
        for filter in filters {
            // Lambda says the first sentence, and no more (AWS-FACTS, Filters).
            Pattern::parse(&filter.pattern).map_err(|error| ApiError::InvalidParameterValue {
                message: "Invalid filter pattern definition.".to_owned(),
                detail: Some(format!("{}: {}", error.path, error.reason)),
            })?;
        }
        Ok(())
    }
}

enum Position {
    Known(StartingPosition),
    /// A word of the model that DynamoDB's mappings do not take.
    Refused,
}

fn starting_position(written: Option<&str>, model: &mut Constraints) -> Option<Position> {
    match written? {
        "TRIM_HORIZON" => Some(Position::Known(StartingPosition::TrimHorizon)),
        "LATEST" => Some(Position::Known(StartingPosition::Latest)),
        "AT_TIMESTAMP" => Some(Position::Refused),
        other => {
            let constraint = "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]";
            model.broken(other, "startingPosition", constraint);
            None
        }
    }
}

fn is_key(arn: &str) -> bool {
    matches!(arn.splitn(6, ':').collect::<Vec<_>>().as_slice(), ["arn", _, "kms", _, _, key] if key.starts_with("key/"))
}

fn destination(arn: &str) -> Result<OnFailure, ApiError> {
    let refused = |why: &str| Err(ApiError::invalid(format!("Invalid destination: {arn} {why}")));
    match arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "sqs" | "sns", _, _, name] if name.ends_with(".fifo") => refused("is FIFO, which is not supported"),
        ["arn", _, "s3", "", "", bucket] if !bucket.is_empty() && !bucket.contains('/') => {
            Ok(OnFailure::S3(arn.to_owned()))
        }
        ["arn", _, "sqs", _, _, _] => Ok(OnFailure::Sqs(arn.to_owned())),
        ["arn", _, "sns", _, _, _] => Ok(OnFailure::Sns(arn.to_owned())),
        // In the model, documented for Kafka's own mappings only (AWS-FACTS).
        _ if arn.starts_with("kafka://") || arn.contains(":kafka:") => refused("is a Kafka topic"),
        _ => refused("is no ARN of a bucket, a queue or a topic"),
    }
}
