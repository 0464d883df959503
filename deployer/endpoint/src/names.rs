//! Amazon Resource Names of tables and streams, and the labels and shard ids
//! inside them. Text in, text out: knows no store and no clock.

use sha2::{Digest as _, Sha256};

/// The Region and the account that everything here is in. Those of a request's
/// credentials change nothing: a table has one ARN, whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    region: String,
    account: String,
}

/// What is wrong with a Region or an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    /// A Region is lower-case letters, digits and hyphens.
    #[error("{0:?} is no AWS Region; use one such as us-east-1")]
    Region(
        /// What was given.
        String,
    ),
    /// An account is twelve digits.
    #[error("{0:?} is no AWS account id; use twelve digits such as 000000000000")]
    Account(
        /// What was given.
        String,
    ),
}

impl Names {
    /// Names in a Region and an account.
    ///
    /// # Errors
    ///
    /// - [`NamesError::Region`] when the Region could not be one
    /// - [`NamesError::Account`] when the account is not twelve digits
    pub fn new(region: &str, account: &str) -> Result<Self, NamesError> {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if region.len() > 64 || !region.split('-').all(is_word) {
            return Err(NamesError::Region(region.to_owned()));
        }
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NamesError::Account(account.to_owned()));
        }
        Ok(Self { region: region.to_owned(), account: account.to_owned() })
    }

    /// The Region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// A table's ARN.
    pub fn table_arn(&self, table: &str) -> String {
        format!("arn:aws:dynamodb:{}:{}:table/{table}", self.region, self.account)
    }

    /// A stream's ARN: the table's, `/stream/` and the label (AWS-FACTS,
    /// Streams).
    pub fn stream_arn(&self, table: &str, label: &str) -> String {
        format!("{}/stream/{label}", self.table_arn(table))
    }

    pub(crate) fn index_arn(&self, table: &str, index: &str) -> String {
        format!("{}/index/{index}", self.table_arn(table))
    }

    /// The table and the label of a stream's ARN, if it is one of ours.
    pub(crate) fn parse_stream_arn<'a>(&self, arn: &'a str) -> Option<(&'a str, &'a str)> {
        arn.strip_prefix(self.table_arn("").as_str())?.split_once("/stream/")
    }

    /// An ARN that Dynoxide made, in our Region and account. What is of
    /// another make stays as it is.
    pub(crate) fn adopt(&self, arn: &str) -> String {
        let mut parts = arn.splitn(6, ':');
        match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("arn"), Some(partition), Some(service), Some(region), Some(_), Some(resource))
                if region == dynoxide::streams::LOCAL_REGION =>
            {
                format!("arn:{partition}:{service}:{}:{}:{resource}", self.region, self.account)
            }
            _ => arn.to_owned(),
        }
    }
}

impl Default for Names {
    /// us-east-1 and 000000000000.
    fn default() -> Self {
        Self { region: "us-east-1".to_owned(), account: "0".repeat(12) }
    }
}

/// A stream's label: `YYYY-MM-DDTHH:MM:SS.mmm`, three digits, no zone
/// (AWS-FACTS, Streams).
pub(crate) fn label(unix_ms: u64) -> String {
    let (days, ms) = (unix_ms / 86_400_000, unix_ms % 86_400_000);
    let (year, month, day) = civil(days);
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1000)
}

/// The date of a day that is counted from 1970-01-01, in the Gregorian
/// calendar. The year begins with March, so that the leap day is its last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// A shard's id in AWS's form, which has 20 digits, the time in milliseconds,
/// and eight hex digits. AWS's own CLI refuses ids below 28 characters.
pub(crate) fn shard_id(stream: i64, ordinal: i64, label: &str, unix_ms: u64) -> String {
    let digest = Sha256::digest(format!("{stream} {ordinal} {label}"));
    format!("shardId-{unix_ms:020}-{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
}

/// A record's number as text. Numbers have at least 21 digits (AWS-FACTS, The
/// record), and with 21 of them all the order of the texts is that of the
/// numbers.
pub(crate) fn sequence_number(id: i64) -> String {
    format!("1{id:020}")
}

/// The number behind a text, or none when it cannot be one of ours.
pub(crate) fn parse_sequence_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('1')?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_dates() {
        assert_eq!(label(0), "1970-01-01T00:00:00.000");
        assert_eq!(label(951_827_696_789), "2000-02-29T12:34:56.789");
        assert_eq!(label(1_709_251_199_999), "2024-02-29T23:59:59.999");
        assert_eq!(label(1_764_028_800_001), "2025-11-25T00:00:00.001");
        assert_eq!(label(4_107_542_400_000), "2100-03-01T00:00:00.000");
    }

    #[test]
    fn numbers_come_back_and_nothing_else_does() {
        for id in [0, 1, 42, i64::MAX] {
            assert_eq!(sequence_number(id).len(), 21);
            assert_eq!(parse_sequence_number(&sequence_number(id)), Some(id));
        }
        for text in ["", "1", "0", "abc", "200000000000000000001", "1+0000000000000000001", "199999999999999999999"] {
            assert_eq!(parse_sequence_number(text), None, "{text}");
        }
    }

    #[test]
    fn regions_and_accounts_are_checked() {
        assert!(Names::new("eu-central-1", "123456789012").is_ok());
        for region in ["", "us east", "us-east-1/x", "US-EAST-1", "-"] {
            assert_eq!(Names::new(region, "123456789012"), Err(NamesError::Region(region.to_owned())));
        }
        assert_eq!(Names::new("us-east-1", "12"), Err(NamesError::Account("12".to_owned())));
    }

    #[test]
    fn only_arns_of_dynoxide_are_adopted() {
        let names = Names::new("eu-central-1", "123456789012").unwrap();
        let ours = names.adopt(&dynoxide::streams::table_arn("a"));
        assert_eq!(ours, "arn:aws:dynamodb:eu-central-1:123456789012:table/a");
        let key = "arn:aws:kms:us-west-2:1:key/k";
        assert_eq!(names.adopt(key), key);
    }

    #[test]
    fn shard_ids_have_the_length_that_the_cli_wants() {
        let id = shard_id(1, 2, "l", 1_234_567_890_123);
        assert!(id.starts_with("shardId-00000001234567890123-") && id.len() == 37, "{id}");
    }
}
