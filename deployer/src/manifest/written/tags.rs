//! Tags, as every service of AWS takes them.

use std::collections::BTreeMap;

use super::super::fields::Fields;
use crate::edge::quoted;

/// AWS's limits (Tag your AWS resources, Tag naming limits and requirements).
const MOST: usize = 50;
const MOST_KEY_CHARS: usize = 128;
const MOST_VALUE_CHARS: usize = 256;

/// The table under `tags`.
pub(super) fn read(fields: &mut Fields<'_, '_, '_>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    let written = fields.string_table("tags");
    if let Some((key, _)) = written.get(MOST) {
        fields.report.problem(key.offset, format!("there are {} tags; AWS takes {MOST}", written.len()));
    }
    for (key, value) in written {
        if key.value.is_empty() || key.value.chars().count() > MOST_KEY_CHARS {
            let message =
                format!("a tag's key has 1 to {MOST_KEY_CHARS} characters, and {} has not", quoted(&key.value));
            fields.report.problem(key.offset, message);
        } else if key.value.to_lowercase().starts_with("aws:") {
            fields
                .report
                .problem(key.offset, format!("{}: tags that begin with `aws:` are AWS's own", quoted(&key.value)));
        }
        if value.value.chars().count() > MOST_VALUE_CHARS {
            let message = format!(
                "a tag's value has at most {MOST_VALUE_CHARS} characters, and {} has more",
                quoted(&value.value)
            );
            fields.report.problem(value.offset, message);
        }
        tags.insert(key.value, value.value);
    }
    tags
}
