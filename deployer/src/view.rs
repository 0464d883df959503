//! What the records of a stream have, and who asks for what they have not. Pure.

use serde_json::Value;

use crate::component::Report;
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

/// Of the images that records of a view type do not have, those that a component
/// asks for. It is given none, which it may be written for.
fn unmet(view: &str, report: &Report) -> Vec<&'static str> {
    let mut missing = missing_images(view).to_vec();
    missing.retain(|image| report.images.contains(image));
    missing
}

/// A warning of what a handler asks for in vain.
pub(crate) fn warning(handler: &str, stream: &str, view: &str, report: &Report) -> Option<String> {
    let unmet = unmet(view, report);
    (!unmet.is_empty()).then(|| {
        let images = unmet.join("` and `");
        format!("handler {handler}: it asks for `{images}`, and the records of the stream {stream} have {view} alone: it is given none")
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_asks_for_an_image_that_records_have_not_is_told() {
        let report = |images: &[&'static str]| Report {
            imports: vec![],
            exports: vec![],
            refusal: None,
            images: images.to_vec(),
        };
        let both = report(&["NewImage", "OldImage"]);
        assert_eq!(unmet("KEYS_ONLY", &both), ["NewImage", "OldImage"]);
        assert_eq!(unmet("NEW_IMAGE", &both), ["OldImage"]);
        assert_eq!(unmet("OLD_IMAGE", &report(&["NewImage"])), ["NewImage"]);
        assert!(unmet("NEW_IMAGE", &report(&["NewImage"])).is_empty());
        assert!(unmet("KEYS_ONLY", &report(&[])).is_empty());
        assert!(unmet("NEW_AND_OLD_IMAGES", &both).is_empty());
        let told = warning("a", "orders", "KEYS_ONLY", &both).unwrap();
        assert!(told.starts_with("handler a: it asks for `NewImage` and `OldImage`, and"), "{told}");
    }
}
