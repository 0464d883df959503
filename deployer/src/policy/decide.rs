//! Whether a policy allows a call, as IAM decides it for one policy (Policy
//! evaluation logic): an explicit deny wins, else an allow is needed. Conditions
//! are not evaluated: who asks is told that there is one.

use serde_json::Value;

/// What a policy says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// The same, if the conditions of a statement hold.
    Conditional,
    /// No statement allows it, or one denies it.
    Denied,
}

/// Decides whether `policy` allows `action` on `resource`. The policy's values
/// are strings, or what a template has in their place, which matches itself.
pub fn decide(policy: &Value, action: &str, resource: &Value) -> Decision {
    let mut decision = Decision::Denied;
    for statement in many(&policy["Statement"]) {
        let is_of = |wanted: &str, pattern: &Value| {
            // Names of actions have no case (IAM JSON policy elements: Action).
            pattern.as_str().is_some_and(|pattern| matches(&pattern.to_lowercase(), &wanted.to_lowercase()))
        };
        let names = many(&statement["Action"]).any(|pattern| is_of(action, pattern));
        let holds = many(&statement["Resource"]).any(|pattern| match (pattern.as_str(), resource.as_str()) {
            (Some(pattern), Some(resource)) => matches(pattern, resource),
            (Some("*"), None) => true,
            (Some(_), None) | (None, Some(_)) => false,
            (None, None) => pattern == resource,
        });
        if !names || !holds {
            continue;
        }
        let conditional = statement.get("Condition").is_some();
        match statement["Effect"].as_str() {
            Some("Allow") if !conditional => decision = Decision::Allowed,
            Some("Allow") if decision == Decision::Denied => decision = Decision::Conditional,
            // One that may not hold does not take away for certain.
            Some("Deny") if !conditional => return Decision::Denied,
            Some(_) | None => {}
        }
    }
    decision
}

/// A list, or the one that stands in the place of one.
fn many(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, one) = match value {
        Value::Array(list) => (Some(list), None),
        Value::Null => (None, None),
        one => (None, Some(one)),
    };
    list.into_iter().flatten().chain(one)
}

/// `*` stands for any characters and `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // The last `*`, and where the text was then: nothing before it need be tried
    // again, so this is at most the product of the lengths.
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[from] => {
                at += 1;
                from += 1;
            }
            Some(_) | None => match star {
                Some((star_at, star_from)) => {
                    star = Some((star_at, star_from + 1));
                    at = star_at + 1;
                    from = star_from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wildcards_match_as_iam_has_them() {
        for (pattern, text, holds) in [
            ("*", "", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:Get*", "s3:PutObject", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*d", "abcbd", true),
            ("*b*d", "abcb", false),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/", true),
            ("arn:aws:s3:::b", "arn:aws:s3:::bb", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), holds, "{pattern} {text}");
        }
    }

    #[test]
    fn a_deny_wins_and_nothing_is_allowed_unsaid() {
        let policy = json!({ "Statement": [
            { "Effect": "Allow", "Action": ["s3:Get*"], "Resource": ["arn:aws:s3:::b/*"] },
            { "Effect": "Deny", "Action": "S3:GETOBJECTACL", "Resource": "*" },
            { "Effect": "Allow", "Action": "sqs:*", "Resource": { "Ref": "Queue" }, "Condition": { "Bool": {} } },
        ] });
        let on = |action, resource| decide(&policy, action, &resource);
        assert_eq!(on("s3:GetObject", json!("arn:aws:s3:::b/x")), Decision::Allowed);
        assert_eq!(on("s3:getobject", json!("arn:aws:s3:::b/x")), Decision::Allowed);
        assert_eq!(on("s3:GetObjectAcl", json!("arn:aws:s3:::b/x")), Decision::Denied);
        assert_eq!(on("s3:PutObject", json!("arn:aws:s3:::b/x")), Decision::Denied);
        assert_eq!(on("s3:GetObject", json!("arn:aws:s3:::c/x")), Decision::Denied);
        assert_eq!(on("sqs:SendMessage", json!({ "Ref": "Queue" })), Decision::Conditional);
        assert_eq!(on("sqs:SendMessage", json!({ "Ref": "Other" })), Decision::Denied);
        assert_eq!(decide(&json!({}), "s3:GetObject", &json!("*")), Decision::Denied);
    }
}
