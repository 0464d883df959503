//! The ARN of a DynamoDB table or stream, held to what AWS gives out: the
//! host's own reader is wider, for the sake of emulators. Pure text.

use gristmill_host::event::Arn;

use crate::edge::quoted;

/// Checks `arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME[/stream/LABEL]`,
/// in any partition.
///
/// # Errors
///
/// What is wrong, and what it should look like.
pub(crate) fn check(text: &str) -> Result<Arn<'_>, String> {
    let like = "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME, with or without /stream/LABEL";
    let wrong =
        |why: &str| Err(format!("{} is not the ARN of a table or stream: {why}; it looks like {like}", quoted(text)));
    let Some(arn) = Arn::parse(text) else {
        return wrong("its form is another");
    };
    let mut parts = text.splitn(6, ':').skip(1);
    let (partition, region, account) =
        (parts.next().unwrap_or(""), parts.nth(1).unwrap_or(""), parts.next().unwrap_or(""));
    let word = |part: &str| part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !partition.starts_with("aws") || !word(partition) {
        return wrong("the partition is not aws, aws-cn, aws-us-gov or another of AWS");
    }
    if !word(region) {
        return wrong("the Region is not one");
    }
    if account.len() != 12 || !account.chars().all(|c| c.is_ascii_digit()) {
        return wrong("an account has 12 digits");
    }
    if let Err(why) = check_table(arn.table()) {
        return wrong(&format!("the table's name {why}"));
    }
    // A label is a timestamp: `2019-02-15T23:01:06.871` (AWS-FACTS, Streams).
    let stamp = |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | 'T' | '.');
    if arn.label().is_some_and(|label| !label.chars().all(stamp)) {
        return wrong("the stream's label is a time, as in 2019-02-15T23:01:06.871");
    }
    Ok(arn)
}

/// Checks the full name of a table.
///
/// # Errors
///
/// DynamoDB's rule, as the rest of a sentence that begins with the name.
pub(crate) fn check_table(name: &str) -> Result<(), String> {
    if let Some(bad) = name.chars().find(|c| !table_char(*c)) {
        return Err(format!("has {}; DynamoDB takes a–z, A–Z, 0–9, `_`, `-` and `.`", quoted(&bad.to_string())));
    }
    match name.len() {
        3..=255 => Ok(()),
        length => Err(format!("has {length} characters; DynamoDB takes 3 to 255")),
    }
}

/// Whether a table's name may have this character.
pub(crate) fn table_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_every_partition_are_taken_with_and_without_a_label() {
        for partition in ["aws", "aws-cn", "aws-us-gov", "aws-iso-b"] {
            let table = format!("arn:{partition}:dynamodb:us-west-2:112233445566:table/My.Table_1");
            assert_eq!(check(&table).unwrap().table(), "My.Table_1");
            let stream = format!("{table}/stream/2019-02-15T23:01:06.871");
            assert_eq!(check(&stream).unwrap().table_arn(), table);
        }
    }

    #[test]
    fn other_arns_are_refused_with_the_reason() {
        for (text, why) in [
            ("", "its form is another"),
            ("arn:aws:sqs:us-west-2:112233445566:queue", "its form is another"),
            ("arn:aws:dynamodb:us-west-2:112233445566:table/orders/index/i", "its form is another"),
            ("arn:aws:dynamodb:us-west-2:1122:table/orders", "an account has 12 digits"),
            ("arn:aws:dynamodb:us-west-2:11223344556x:table/orders", "an account has 12 digits"),
            ("arn:gcp:dynamodb:us-west-2:112233445566:table/orders", "the partition is not aws"),
            ("arn:aws:dynamodb:US West:112233445566:table/orders", "the Region is not one"),
            ("arn:aws:dynamodb:us-west-2:112233445566:table/or", "the table's name has 2 characters"),
            ("arn:aws:dynamodb:us-west-2:112233445566:table/or\"ders", "the table's name has `\"`"),
            ("arn:aws:dynamodb:us-west-2:112233445566:table/orders/stream/new", "the stream's label is a time"),
        ] {
            let message = check(text).unwrap_err();
            assert!(message.contains(why), "{message}");
            assert!(
                message.ends_with(
                    "it looks like arn:aws:dynamodb:REGION:ACCOUNT:table/NAME, with or without /stream/LABEL"
                )
            );
        }
    }
}
