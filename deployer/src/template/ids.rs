//! Logical ids: names of the manifest as CloudFormation takes them, letters and
//! digits. Two names never make one id.

use sha2::{Digest as _, Sha256};

use crate::functions::Function;

/// The ids of a function's resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Empty for the shared function.
    prefix: String,
}

impl Ids {
    /// Of this function.
    pub fn of(function: &Function<'_>) -> Self {
        let prefix = function.own.map(|handler| format!("Handler{}", pascal(&handler.name)));
        Self { prefix: prefix.unwrap_or_default() }
    }

    /// The function itself.
    pub fn function(&self) -> String {
        self.with("Function")
    }

    /// Its role.
    pub fn role(&self) -> String {
        self.with("Role")
    }

    /// The policy of its role.
    pub fn policy(&self) -> String {
        self.with("Policy")
    }

    /// Its log group.
    pub fn log_group(&self) -> String {
        self.with("LogGroup")
    }

    /// The version that is published.
    pub fn version(&self) -> String {
        self.with("Version")
    }

    /// The alias that mappings call.
    pub fn alias(&self) -> String {
        self.with("Alias")
    }

    /// One of its alarms.
    pub fn alarm(&self, what: &str) -> String {
        self.with(&format!("{what}Alarm"))
    }

    /// The mapping on a stream: `number` counts the streams that its table has
    /// had since it was first deployed.
    pub fn mapping(&self, stream: &str, number: u32) -> String {
        let base = match self.prefix.is_empty() {
            true => format!("Stream{}", pascal(stream)),
            // It has one stream.
            false => self.prefix.clone(),
        };
        format!("{base}Mapping{}", suffix(number))
    }

    fn with(&self, kind: &str) -> String {
        format!("{}{kind}", self.prefix)
    }
}

/// The parameter with a stream's ARN.
pub fn stream_arn(stream: &str, number: u32) -> String {
    format!("Stream{}Arn{}", pascal(stream), suffix(number))
}

fn suffix(number: u32) -> String {
    if number == 1 { String::new() } else { number.to_string() }
}

/// `clerk-file` as `ClerkFile`. A dash before anything but a letter leaves no
/// trace in that, so such a name gets a part of its digest: `a-1` is not `a1`.
pub fn pascal(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    let (mut upper, mut ambiguous) = (true, name.ends_with('-'));
    for c in name.chars() {
        if c == '-' {
            ambiguous |= upper;
            upper = true;
            continue;
        }
        ambiguous |= upper && !c.is_ascii_lowercase();
        out.push(if upper { c.to_ascii_uppercase() } else { c });
        upper = false;
    }
    if ambiguous {
        // Capitals are of words only, so no plain name ends so.
        let digest = Sha256::digest(name);
        out.push('X');
        out.extend(digest.iter().take(4).map(|byte| format!("{byte:02X}")));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn names_become_ids() {
        for (name, id) in [("clerk-file", "ClerkFile"), ("a", "A"), ("orders2", "Orders2"), ("a-b-c", "ABC")] {
            assert_eq!(pascal(name), id);
        }
        for name in ["a-1", "a-", "a--b", "a-b-"] {
            let id = pascal(name);
            assert!(id.len() > name.len() && id.chars().all(|c| c.is_ascii_alphanumeric()), "{name}: {id}");
        }
    }

    /// All names of up to five of these characters, of which some are apart by a
    /// dash alone.
    #[test]
    fn two_names_never_make_one_id() {
        let mut names = vec![String::new()];
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        for _ in 0..5 {
            names = names
                .iter()
                .flat_map(|name| ['a', 'x', '1', '-'].map(|c| format!("{name}{c}")))
                .filter(|name| crate::names::check(name).is_ok())
                .collect();
            for name in &names {
                if let Some(other) = ids.insert(pascal(name), name.clone()) {
                    panic!("{name} and {other}");
                }
            }
        }
        assert!(ids.len() > 500, "{}", ids.len());
    }
}
