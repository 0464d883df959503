//! What the mapping's API refuses, by AWS's names. Knows no protocol: a front
//! turns name, status and message into one.

/// Why a request to make, change or look at a mapping was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// A parameter's value is not one that Lambda takes for a DynamoDB stream.
    #[error("{message}")]
    InvalidParameterValue {
        /// The message, as AWS has it where that is known.
        message: String,
        /// What AWS does not say: where the fault is and what to try.
        detail: Option<String>,
    },
    /// A parameter breaks a constraint of the API model: a range, a length, a
    /// set of values.
    #[error("{} validation error{} detected: {}", .0.len(), if .0.len() == 1 { "" } else { "s" }, .0.join("; "))]
    Validation(
        /// Each constraint that is broken.
        Vec<String>,
    ),
    /// The stream and the function have a mapping already.
    #[error(
        "The event source arn (\" {event_source_arn} \") and function (\" {function} \") provided mapping already \
         exists. Please update or delete the existing mapping with UUID {uuid}"
    )]
    ResourceConflict {
        /// The stream.
        event_source_arn: String,
        /// The function's name.
        function: String,
        /// The mapping that is there.
        uuid: String,
    },
    /// There is no such mapping.
    #[error("The resource you requested does not exist.")]
    ResourceNotFound,
    /// The mapping is being deleted.
    #[error("Cannot update the event source mapping with ID {0} because it is in use.")]
    ResourceInUse(
        /// The mapping.
        String,
    ),
}

impl ApiError {
    /// The name of the exception.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidParameterValue { .. } => "InvalidParameterValueException",
            Self::Validation(_) => "ValidationException",
            Self::ResourceConflict { .. } => "ResourceConflictException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::ResourceInUse(_) => "ResourceInUseException",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidParameterValue { .. } | Self::Validation(_) | Self::ResourceInUse(_) => 400,
            Self::ResourceNotFound => 404,
            Self::ResourceConflict { .. } => 409,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidParameterValue { message: message.into(), detail: None }
    }
}
