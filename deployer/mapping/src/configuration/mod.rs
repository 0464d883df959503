//! The parameters of an event source mapping: as written, then checked.
//!
//! [`Parameters`] is what a request says, in AWS's names. [`Configuration`] is
//! what holds after the ranges were checked and defaults filled in (AWS-FACTS,
//! The event source mapping on a DynamoDB stream). Does no IO, and knows
//! nothing of how the parameters are obeyed.

mod checks;

use std::collections::BTreeMap;

use gristmill_host::event::Arn;
use serde::{Deserialize, Serialize};

use crate::ApiError;
use checks::Checks;

/// What a request to make or change a mapping says. What it does not say is
/// none: the default when the mapping is made, no change when it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "each is AWS's parameter of that name, described in Configuration")]
pub struct Parameters {
    pub event_source_arn: Option<String>,
    pub function_name: Option<String>,
    pub enabled: Option<bool>,
    pub batch_size: Option<i64>,
    pub maximum_batching_window_in_seconds: Option<i64>,
    pub parallelization_factor: Option<i64>,
    pub starting_position: Option<String>,
    pub maximum_record_age_in_seconds: Option<i64>,
    pub maximum_retry_attempts: Option<i64>,
    pub bisect_batch_on_function_error: Option<bool>,
    pub function_response_types: Option<Vec<String>>,
    pub tumbling_window_in_seconds: Option<i64>,
    pub filter_criteria: Option<FilterCriteria>,
    pub destination_config: Option<DestinationConfig>,
    #[serde(rename = "KMSKeyArn")]
    pub kms_key_arn: Option<String>,
    pub metrics_config: Option<MetricsConfig>,
    pub tags: Option<BTreeMap<String, String>>,
}

/// The patterns of a filter, joined by OR.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct FilterCriteria {
    /// At most five.
    #[serde(default)]
    pub filters: Vec<Filter>,
}

/// One pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Filter {
    /// JSON text, at most 4,096 characters.
    pub pattern: String,
}

/// Where batches go that the mapping has given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DestinationConfig {
    /// The destination of failures, the only kind that a stream's mapping has.
    #[serde(default)]
    pub on_failure: OnFailureConfig,
}

/// The destination of failures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct OnFailureConfig {
    /// The ARN of a bucket, of a standard queue or of a standard topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
}

/// The metrics that a mapping counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct MetricsConfig {
    /// Only `EventCount`.
    #[serde(default)]
    pub metrics: Vec<String>,
}

/// A mapping's parameters after they were checked. Made by
/// [`Configuration::create`] and [`Configuration::changed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Configuration {
    /// The stream's ARN. Cannot change.
    pub event_source_arn: String,
    /// A name, an ARN, with a version or an alias.
    pub function_name: String,
    /// Whether records are delivered. Default true.
    pub enabled: bool,
    /// The most records of a batch, 1–10,000. Default 100.
    pub batch_size: u32,
    /// How long a batch may wait to fill, 0–300 s. Default 0.
    pub maximum_batching_window_in_seconds: u32,
    /// Batches of a shard at one time, 1–10. Default 1.
    pub parallelization_factor: u32,
    /// Where the mapping begins. Cannot change.
    pub starting_position: StartingPosition,
    /// 60–604,800 s; none (AWS's -1) is no limit, the default.
    pub maximum_record_age_in_seconds: Option<u32>,
    /// 0–10,000; none (AWS's -1) is until the record expires, the default.
    pub maximum_retry_attempts: Option<u32>,
    /// Whether a batch that failed is split. Default false.
    pub bisect_batch_on_function_error: bool,
    /// Whether `ReportBatchItemFailures` is there, without which the answer's
    /// body is ignored. Default false.
    pub function_response_types: bool,
    /// The length of a tumbling window, 1–900 s; 0, the default, is none.
    pub tumbling_window_in_seconds: u32,
    /// Patterns, joined by OR; none is no filter.
    pub filter_criteria: Vec<String>,
    /// Where batches go that were given up; none discards them.
    pub destination_config: Option<OnFailure>,
    /// The key that encrypts the filter.
    #[serde(rename = "KMSKeyArn")]
    pub kms_key_arn: Option<String>,
    /// Whether `EventCount` is counted.
    pub metrics_config: bool,
    /// The mapping's tags.
    pub tags: BTreeMap<String, String>,
}

/// Where a new mapping begins to read a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StartingPosition {
    /// With the oldest record.
    TrimHorizon,
    /// With what is written from now on.
    Latest,
}

impl StartingPosition {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TrimHorizon => "TRIM_HORIZON",
            Self::Latest => "LATEST",
        }
    }
}

/// A destination, by its ARN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum OnFailure {
    /// A bucket: the only kind that gets the records themselves.
    S3(String),
    /// A standard queue.
    Sqs(String),
    /// A standard topic.
    Sns(String),
}

impl OnFailure {
    /// The ARN.
    pub fn arn(&self) -> &str {
        match self {
            Self::S3(arn) | Self::Sqs(arn) | Self::Sns(arn) => arn,
        }
    }
}

impl Configuration {
    /// The parameters of a new mapping.
    ///
    /// # Errors
    ///
    /// - [`ApiError::Validation`] with every range, length and set of values
    ///   that is broken;
    /// - [`ApiError::InvalidParameterValue`] for a required parameter that is
    ///   missing, a value or a combination that Lambda refuses for DynamoDB, or
    ///   a pattern that is none.
    pub fn create(parameters: &Parameters) -> Result<Self, ApiError> {
        let checks = Checks::of(parameters)?;
        let required = |name: &str| {
            ApiError::invalid(format!(
                "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be \
                 null."
            ))
        };
        let event_source_arn = parameters.event_source_arn.clone().ok_or_else(|| required("eventSourceArn"))?;
        let function_name = parameters.function_name.clone().ok_or_else(|| required("functionName"))?;
        let starting_position = checks.starting_position.ok_or_else(|| required("startingPosition"))?;
        let new = Self {
            event_source_arn,
            function_name,
            enabled: true,
            batch_size: 100,
            maximum_batching_window_in_seconds: 0,
            parallelization_factor: 1,
            starting_position,
            maximum_record_age_in_seconds: None,
            maximum_retry_attempts: None,
            bisect_batch_on_function_error: false,
            function_response_types: false,
            tumbling_window_in_seconds: 0,
            filter_criteria: Vec::new(),
            destination_config: None,
            kms_key_arn: None,
            metrics_config: false,
            tags: BTreeMap::new(),
        };
        new.with(parameters, checks)
    }

    /// The parameters after a change in place.
    ///
    /// # Errors
    ///
    /// As [`Configuration::create`], and
    /// [`ApiError::InvalidParameterValue`] for another EventSourceArn or
    /// StartingPosition: those need a new mapping.
    pub fn changed(&self, parameters: &Parameters) -> Result<Self, ApiError> {
        let checks = Checks::of(parameters)?;
        let replaced = [
            ("EventSourceArn", parameters.event_source_arn.as_ref().is_some_and(|arn| *arn != self.event_source_arn)),
            ("StartingPosition", checks.starting_position.is_some_and(|position| position != self.starting_position)),
        ];
        if let Some((name, _)) = replaced.into_iter().find(|(_, changes)| *changes) {
            return Err(ApiError::InvalidParameterValue {
                message: format!("{name} cannot be changed in place"),
                detail: Some("delete the mapping and create another".to_owned()),
            });
        }
        self.clone().with(parameters, checks)
    }

    fn with(mut self, parameters: &Parameters, checks: Checks) -> Result<Self, ApiError> {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut self.function_name, parameters.function_name.clone());
        set(&mut self.enabled, parameters.enabled);
        set(&mut self.batch_size, checks.batch_size);
        set(&mut self.maximum_batching_window_in_seconds, checks.maximum_batching_window_in_seconds);
        set(&mut self.parallelization_factor, checks.parallelization_factor);
        set(&mut self.maximum_record_age_in_seconds, checks.maximum_record_age_in_seconds);
        set(&mut self.maximum_retry_attempts, checks.maximum_retry_attempts);
        set(&mut self.bisect_batch_on_function_error, parameters.bisect_batch_on_function_error);
        set(&mut self.function_response_types, parameters.function_response_types.as_ref().map(|t| !t.is_empty()));
        set(&mut self.tumbling_window_in_seconds, checks.tumbling_window_in_seconds);
        set(&mut self.destination_config, checks.destination_config);
        set(&mut self.metrics_config, parameters.metrics_config.as_ref().map(|config| !config.metrics.is_empty()));
        set(&mut self.tags, parameters.tags.clone());
        // An empty key takes the key away.
        set(&mut self.kms_key_arn, parameters.kms_key_arn.clone().map(|arn| Some(arn).filter(|arn| !arn.is_empty())));
        if let Some(criteria) = &parameters.filter_criteria {
            self.filter_criteria = criteria.filters.iter().map(|filter| filter.pattern.clone()).collect();
        }
        // Both refusals: AWS-FACTS, The event source mapping, TumblingWindowInSeconds.
        if self.tumbling_window_in_seconds > 0 && !self.filter_criteria.is_empty() {
            return Err(ApiError::invalid("Filtering is not supported with tumbling windows."));
        }
        if self.tumbling_window_in_seconds > 0 && self.parallelization_factor > 1 {
            return Err(ApiError::invalid("A parallelization factor above 1 is not supported with tumbling windows."));
        }
        Ok(self)
    }

    /// Says no when one of the mappings that are there has the same stream and
    /// function.
    ///
    /// # Errors
    ///
    /// [`ApiError::ResourceConflict`] with that mapping's UUID.
    pub fn unlike<'a>(&self, others: impl IntoIterator<Item = (&'a str, &'a Self)>) -> Result<(), ApiError> {
        for (uuid, other) in others {
            if other.event_source_arn == self.event_source_arn && other.function_arn() == self.function_arn() {
                return Err(ApiError::ResourceConflict {
                    event_source_arn: self.event_source_arn.clone(),
                    function: self.function_name.clone(),
                    uuid: uuid.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// The function's ARN: as it was given, or in the account and Region of the
    /// stream.
    pub fn function_arn(&self) -> String {
        if self.function_name.starts_with("arn:") {
            return self.function_name.clone();
        }
        let partition = self.event_source_arn.split(':').nth(1).unwrap_or("aws");
        let account = self.event_source_arn.split(':').nth(4).unwrap_or_default();
        let region = Arn::parse_stream(&self.event_source_arn).map_or("", |arn| arn.region());
        // `ACCOUNT:function:NAME` is a form of the name too.
        match self.function_name.split_once(":function:") {
            Some((account, name)) => format!("arn:{partition}:lambda:{region}:{account}:function:{name}"),
            None => format!("arn:{partition}:lambda:{region}:{account}:function:{}", self.function_name),
        }
    }

    /// The names of the parameters in which two configurations differ.
    pub(crate) fn different(&self, other: &Self) -> Vec<String> {
        let fields = |configuration: &Self| match serde_json::to_value(configuration) {
            Ok(serde_json::Value::Object(fields)) => fields,
            Ok(_) | Err(_) => serde_json::Map::new(),
        };
        let others = fields(other);
        fields(self).into_iter().filter(|(name, value)| others.get(name) != Some(value)).map(|(name, _)| name).collect()
    }

    /// The configuration as AWS's object has it, in [`Parameters`].
    pub fn parameters(&self) -> Parameters {
        let limit = |limit: Option<u32>| Some(limit.map_or(-1, i64::from));
        let number = |number: u32| Some(i64::from(number));
        let filters: Vec<_> = self.filter_criteria.iter().map(|pattern| Filter { pattern: pattern.clone() }).collect();
        let destination = self.destination_config.as_ref().map(|destination| destination.arn().to_owned());
        Parameters {
            event_source_arn: Some(self.event_source_arn.clone()),
            function_name: Some(self.function_name.clone()),
            enabled: Some(self.enabled),
            batch_size: number(self.batch_size),
            maximum_batching_window_in_seconds: number(self.maximum_batching_window_in_seconds),
            parallelization_factor: number(self.parallelization_factor),
            starting_position: Some(self.starting_position.as_str().to_owned()),
            maximum_record_age_in_seconds: limit(self.maximum_record_age_in_seconds),
            maximum_retry_attempts: limit(self.maximum_retry_attempts),
            bisect_batch_on_function_error: Some(self.bisect_batch_on_function_error),
            function_response_types: Some(match self.function_response_types {
                true => vec![checks::REPORT_BATCH_ITEM_FAILURES.to_owned()],
                false => Vec::new(),
            }),
            tumbling_window_in_seconds: number(self.tumbling_window_in_seconds),
            filter_criteria: (!filters.is_empty()).then_some(FilterCriteria { filters }),
            destination_config: Some(DestinationConfig { on_failure: OnFailureConfig { destination } }),
            kms_key_arn: self.kms_key_arn.clone(),
            metrics_config: self
                .metrics_config
                .then(|| MetricsConfig { metrics: vec![checks::EVENT_COUNT.to_owned()] }),
            tags: (!self.tags.is_empty()).then(|| self.tags.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
