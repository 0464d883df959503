//! What the records of a stream have, and who asks for what they have not. Pure.

use serde_json::Value;

use crate::manifest::Handler;

/// The images that records of a view type do not have.
pub(crate) fn missing_images(view: &str) -> &'static [&'static str] {
    match view {
        "KEYS_ONLY" => &["NewImage", "OldImage"],
        "NEW_IMAGE" => &["OldImage"],
        "OLD_IMAGE" => &["NewImage"],
        _ => &[],
    }
}

/// The handler's patterns that ask for an image: on a stream without it they want
/// no record at all.
pub(crate) fn patterns_with<'h>(handler: &'h Handler, image: &'h str) -> impl Iterator<Item = &'h str> {
    let asks =
        move |pattern: &&String| serde_json::from_str::<Value>(pattern).is_ok_and(|pattern| mentions(&pattern, image));
    handler.filters.iter().filter(asks).map(String::as_str)
}

/// Whether a pattern has this field of `dynamodb`, at any depth of `$or`.
fn mentions(pattern: &Value, image: &str) -> bool {
    match pattern {
        Value::Object(fields) => fields.iter().any(|(name, value)| name == image || mentions(value, image)),
        Value::Array(values) => values.iter().any(|value| mentions(value, image)),
        _ => false,
    }
}
