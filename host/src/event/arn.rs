//! The ARN of a DynamoDB stream, or of its table.

/// `arn:PARTITION:dynamodb:REGION:ACCOUNT:table/TABLE[/stream/LABEL]`.
///
/// Partition, Region and account are taken as they are: emulators have their
/// own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    text: &'a str,
    region: &'a str,
    table: &'a str,
    /// `arn:…:table/TABLE`, the part that stays when a stream is switched off
    /// and on.
    table_arn: &'a str,
    label: Option<&'a str>,
}

impl<'a> Arn<'a> {
    /// Reads the ARN of a table or of one of its streams.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        if arn != "arn" || service != "dynamodb" || partition.is_empty() || region.is_empty() || account.is_empty() {
            return None;
        }
        let resource = resource.strip_prefix("table/")?;
        let (table, label) = match resource.split_once('/') {
            None => (resource, None),
            Some((table, rest)) => (table, Some(rest.strip_prefix("stream/")?)),
        };
        let bad_label = label.is_some_and(|label| label.is_empty() || label.contains('/'));
        if table.is_empty() || table.contains(':') || bad_label {
            return None;
        }
        let table_arn = match label {
            None => text,
            Some(label) => &text[..text.len() - label.len() - "/stream/".len()],
        };
        Some(Self { text, region, table, table_arn, label })
    }

    /// Reads the ARN of a stream: the label must be there.
    pub fn parse_stream(text: &'a str) -> Option<Self> {
        Self::parse(text).filter(|arn| arn.label.is_some())
    }

    /// The whole ARN as it came.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// The Region, for example `us-west-2`.
    pub fn region(&self) -> &'a str {
        self.region
    }

    /// The table's name.
    pub fn table(&self) -> &'a str {
        self.table
    }

    /// The ARN of the table.
    pub fn table_arn(&self) -> &'a str {
        self.table_arn
    }

    /// The stream's label, a timestamp; none in a table's ARN.
    pub fn label(&self) -> Option<&'a str> {
        self.label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_arn_has_its_parts() {
        let text = "arn:aws-us-gov:dynamodb:us-gov-west-1:112233445566:table/My.Table_1/stream/2019-02-15T23:01:06.871";
        let arn = Arn::parse_stream(text).unwrap();
        assert_eq!(arn.as_str(), text);
        assert_eq!(arn.region(), "us-gov-west-1");
        assert_eq!(arn.table(), "My.Table_1");
        assert_eq!(arn.label(), Some("2019-02-15T23:01:06.871"));
        assert_eq!(arn.table_arn(), "arn:aws-us-gov:dynamodb:us-gov-west-1:112233445566:table/My.Table_1");
        assert_eq!(Arn::parse(arn.table_arn()).unwrap().table_arn(), arn.table_arn());
    }

    #[test]
    fn what_is_no_stream_arn_is_refused() {
        for text in [
            "",
            "arn",
            "arn:aws:sqs:us-west-2:112233445566:queue",
            "arn:aws:dynamodb:us-west-2:112233445566:table/t",
            "arn:aws:dynamodb:us-west-2:112233445566:table//stream/l",
            "arn:aws:dynamodb:us-west-2:112233445566:table/t/stream/",
            "arn:aws:dynamodb:us-west-2:112233445566:table/t/stream/a/b",
            "arn:aws:dynamodb:us-west-2:112233445566:table/t/index/i",
            "arn:aws:dynamodb::112233445566:table/t/stream/l",
            "ARN:aws:dynamodb:us-west-2:112233445566:table/t/stream/l",
        ] {
            assert!(Arn::parse_stream(text).is_none(), "{text:?}");
        }
    }
}
