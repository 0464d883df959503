//! `[function]` as written: the Lambda function that all handlers share.

use toml::de::DeValue;

use super::super::fields::{At, Fields};

/// The timeout of a function that names none: a minute, so that a batch of a
/// few slow records ends by itself.
const DEFAULT_TIMEOUT_MS: u32 = 60_000;

/// `[function]`.
#[derive(Clone, Debug)]
pub(crate) struct FunctionWritten {
    /// Lambda's own unit is the second.
    pub(crate) timeout_ms: u32,
}

impl Default for FunctionWritten {
    fn default() -> Self {
        Self { timeout_ms: DEFAULT_TIMEOUT_MS }
    }
}

pub(super) fn read(root: &mut Fields<'_, '_, '_>) -> FunctionWritten {
    let Some(value) = root.value("function") else { return FunctionWritten::default() };
    let DeValue::Table(table) = value.get_ref() else {
        root.wrong_type::<()>("function", value, value.get_ref(), "a table: [function]");
        return FunctionWritten::default();
    };
    let mut fields = Fields::new("[function]", value.span().start, table, root.report);
    let timeout = fields.integer("timeout-ms", &[1_000..=900_000]);
    if let Some(At { value, offset }) = timeout
        && value % 1_000 != 0
    {
        fields.report.problem(offset, "`timeout-ms` takes whole seconds here, because Lambda does: a multiple of 1000");
    }
    fields.finish(&[("timeout", "the key is `timeout-ms`"), ("memory-mb", "nothing deploys the function yet")]);
    let timeout = timeout.and_then(|at| u32::try_from(at.value).ok());
    timeout.map_or_else(FunctionWritten::default, |timeout_ms| FunctionWritten { timeout_ms })
}
