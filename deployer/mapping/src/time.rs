//! A point in time in milliseconds, and how AWS writes it. Reads no clock.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

const DAY_MS: u64 = 86_400_000;

impl Timestamp {
    /// The time that is `ms` milliseconds after the Unix epoch.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero when it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// `2026-09-14T06:05:04.321Z`: always three digits, as the `timestamp` of a
    /// failure document (AWS-FACTS, Golden traces).
    pub fn iso_ms(self) -> String {
        let Date { year, month, day, hour, minute, second, ms } = self.date();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }

    /// `2026-09-14T06:05:04Z`, with the milliseconds only where there are some:
    /// a record's time of arrival usually is in whole seconds.
    pub fn iso(self) -> String {
        if !self.0.is_multiple_of(1_000) {
            return self.iso_ms();
        }
        let Date { year, month, day, hour, minute, second, .. } = self.date();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// `2026/09/14/2026-09-14T06.05.04`, as in the key of a failure document in
    /// S3 (AWS-FACTS, Golden traces).
    pub fn s3_path(self) -> String {
        let Date { year, month, day, hour, minute, second, .. } = self.date();
        format!("{year:04}/{month:02}/{day:02}/{year:04}-{month:02}-{day:02}T{hour:02}.{minute:02}.{second:02}")
    }

    fn date(self) -> Date {
        let (days, in_day) = (self.0 / DAY_MS, self.0 % DAY_MS);
        // Days from the civil calendar's own epoch, 0000-03-01, in eras of 400
        // years: Howard Hinnant's `civil_from_days`.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Date {
            year: year_of_era + era * 400 + u64::from(month <= 2),
            month,
            day: of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: in_day / 3_600_000,
            minute: in_day / 60_000 % 60,
            second: in_day / 1_000 % 60,
            ms: in_day % 1_000,
        }
    }
}

struct Date {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    ms: u64,
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso_ms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_aws_writes_them() {
        let time = Timestamp::from_ms(1_573_690_429_717);
        assert_eq!(time.iso_ms(), "2019-11-14T00:13:49.717Z");
        assert_eq!(time.iso(), "2019-11-14T00:13:49.717Z");
        assert_eq!(time.s3_path(), "2019/11/14/2019-11-14T00.13.49");
        assert_eq!(Timestamp::from_ms(1_573_690_399_000).iso(), "2019-11-14T00:13:19Z");
    }

    #[test]
    fn the_calendar_has_leap_years() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_164_799_000, "2024-02-28T23:59:59Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::from_ms(ms).iso(), text);
        }
    }
}
