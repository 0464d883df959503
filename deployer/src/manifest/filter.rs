//! A handler's patterns: from a JSON string, or a TOML table, to JSON text.
//! What a pattern means is `gristmill_host::pattern`'s.

use gristmill_host::pattern::Pattern;
use serde_json::Value;
use toml::de::DeValue;

/// Checks one pattern.
///
/// # Errors
///
/// What is wrong with it.
pub fn check_pattern(text: &str) -> Result<(), String> {
    Pattern::parse(text).map(|_| ()).map_err(|err| err.to_string())
}

/// A value of TOML as JSON. Numbers keep their value; JSON has no dates, no
/// infinity and no NaN.
pub(crate) fn json(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            let number = i64::from_str_radix(&digits, number.radix());
            Value::from(number.map_err(|_| format!("{digits} does not fit a 64-bit number"))?)
        }
        DeValue::Float(number) => {
            let digits = number.as_str().replace('_', "");
            let float = digits.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
            Value::Number(float.ok_or_else(|| format!("{digits} is no number in JSON"))?)
        }
        DeValue::Datetime(date) => return Err(format!("JSON has no dates; write {date} as a string")),
        DeValue::Array(values) => {
            Value::Array(values.iter().map(|value| json(value.get_ref())).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => {
            let field = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let key: &toml::de::DeString<'_> = key.get_ref();
                json(value.get_ref()).map(|value| (key.to_string(), value))
            };
            Value::Object(table.iter().map(field).collect::<Result<_, _>>()?)
        }
    })
}
