//! A mapping as its API tells it (AWS-FACTS, The mapping's own API).

use serde::Serialize;

use super::Machine;
use crate::Timestamp;
use crate::configuration::{DestinationConfig, FilterCriteria, MetricsConfig};
use crate::lifecycle::USER_ACTION;

/// The whole object, as create, update, delete, get and list answer with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "each is AWS's field of that name")]
pub struct Description {
    #[serde(rename = "UUID")]
    pub uuid: String,
    pub starting_position: String,
    pub batch_size: i64,
    pub maximum_batching_window_in_seconds: i64,
    pub parallelization_factor: i64,
    pub event_source_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_criteria: Option<FilterCriteria>,
    #[serde(rename = "KMSKeyArn", skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_config: Option<MetricsConfig>,
    pub function_arn: String,
    /// Seconds since the Unix epoch.
    pub last_modified: f64,
    pub last_processing_result: String,
    pub state: String,
    pub state_transition_reason: String,
    pub destination_config: DestinationConfig,
    pub maximum_record_age_in_seconds: i64,
    pub bisect_batch_on_function_error: bool,
    pub maximum_retry_attempts: i64,
    pub tumbling_window_in_seconds: i64,
    pub function_response_types: Vec<String>,
}

impl Machine {
    /// The mapping as its API tells it.
    pub fn describe(&self) -> Description {
        let rules = self.configuration();
        let limit = |limit: Option<u32>| limit.map_or(-1, i64::from);
        let parameters = rules.parameters();
        Description {
            uuid: self.settings.uuid.clone(),
            starting_position: rules.starting_position.as_str().to_owned(),
            batch_size: rules.batch_size.into(),
            maximum_batching_window_in_seconds: rules.maximum_batching_window_in_seconds.into(),
            parallelization_factor: rules.parallelization_factor.into(),
            event_source_arn: rules.event_source_arn.clone(),
            filter_criteria: parameters.filter_criteria,
            kms_key_arn: rules.kms_key_arn.clone(),
            metrics_config: parameters.metrics_config,
            function_arn: self.function_arn.clone(),
            last_modified: seconds(self.last_modified),
            last_processing_result: self.result.as_str().to_owned(),
            state: self.state().as_str().to_owned(),
            state_transition_reason: USER_ACTION.to_owned(),
            destination_config: parameters.destination_config.unwrap_or_default(),
            maximum_record_age_in_seconds: limit(rules.maximum_record_age_in_seconds),
            bisect_batch_on_function_error: rules.bisect_batch_on_function_error,
            maximum_retry_attempts: limit(rules.maximum_retry_attempts),
            tumbling_window_in_seconds: rules.tumbling_window_in_seconds.into(),
            function_response_types: parameters.function_response_types.unwrap_or_default(),
        }
    }
}

/// Milliseconds fit a double for some 285,000 years.
fn seconds(time: Timestamp) -> f64 {
    time.ms() as f64 / 1_000.0
}
