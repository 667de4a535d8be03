//! Months and the days on which customers are billed, in the customer's own time zone.

use crate::{SignedDuration, Timestamp};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The day of the month on which a customer is billed. It stays what it is in a shorter month, which is billed on its last
/// day: the 31st comes back after February.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct AnchorDay(u8);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a day of the month, 1 to 31")]
pub struct NotADay;

impl TryFrom<u8> for AnchorDay {
    type Error = NotADay;

    fn try_from(day: u8) -> Result<Self, NotADay> {
        if (1..=31).contains(&day) { Ok(Self(day)) } else { Err(NotADay) }
    }
}

impl From<AnchorDay> for u8 {
    fn from(day: AnchorDay) -> Self {
        day.0
    }
}

/// A month, as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BillingPeriod {
    year: i16,
    month: i8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a month, such as 2026-11")]
pub struct NotAPeriod;

impl BillingPeriod {
    /// The month that an instant lies in, in UTC.
    pub fn of(at: Timestamp) -> Self {
        Self::of_date(TimeZone::UTC.to_datetime(at).date())
    }

    fn of_date(date: Date) -> Self {
        Self { year: date.year(), month: date.month() }
    }

    #[must_use]
    pub const fn next(self) -> Self {
        if self.month == 12 {
            Self { year: self.year + 1, month: 1 }
        } else {
            Self { month: self.month + 1, ..self }
        }
    }

    #[must_use]
    pub const fn previous(self) -> Self {
        if self.month == 1 {
            Self { year: self.year - 1, month: 12 }
        } else {
            Self { month: self.month - 1, ..self }
        }
    }

    /// The month's first instant, in UTC.
    pub fn begins_at(self) -> Timestamp {
        self.billed_at(AnchorDay(1), &TimeZone::UTC)
    }

    /// The month's anchor day at midnight in a time zone; where a clock that springs forward has no midnight, the first
    /// instant after it, and where a clock that falls back has two, the first of them.
    pub fn billed_at(self, anchor: AnchorDay, zone: &TimeZone) -> Timestamp {
        self.at(anchor, Time::midnight(), zone)
    }

    /// The same at another time of the day. A time that a clock skips is as much later as the clock was put forward.
    fn at(self, anchor: AnchorDay, time: Time, zone: &TimeZone) -> Timestamp {
        let day = i8::try_from(anchor.0).unwrap_or(1).min(self.first_day().days_in_month());
        let date = self.first_day().with().day(day).build().unwrap_or(self.first_day());
        zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().unwrap_or(Timestamp::MAX)
    }

    fn first_day(self) -> Date {
        Date::new(self.year, self.month, 1).unwrap_or(Date::ZERO)
    }
}

/// What comes back every month, on a day and at a time of the day by a local clock. It knows the month that it has come
/// to instead of reading it off an instant: a clock that is put forward may push one over a month's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monthly {
    #[serde(rename = "d")]
    day: AnchorDay,
    /// Milliseconds since midnight.
    #[serde(rename = "t")]
    time: u32,
    #[serde(rename = "m")]
    month: BillingPeriod,
}

impl Monthly {
    /// What has come at `at`, and before that at `before`. An `at` on its month's last day stands for a later day where
    /// `before` was on one: from January 31st to February 28th is a month of the 31st.
    pub fn since(before: Timestamp, at: Timestamp, zone: &TimeZone) -> Self {
        let (before, at) = (zone.to_datetime(before), zone.to_datetime(at));
        let is_last = at.day() == at.date().days_in_month();
        let day = if is_last { at.day().max(before.day()) } else { at.day() };
        let time = at.time().duration_since(Time::midnight()).as_millis();
        Self {
            day: AnchorDay(day.unsigned_abs()),
            time: u32::try_from(time).unwrap_or_default(),
            month: BillingPeriod::of_date(at.date()),
        }
    }

    #[must_use]
    pub const fn next(self) -> Self {
        Self { month: self.month.next(), ..self }
    }

    pub const fn day(self) -> AnchorDay {
        self.day
    }

    pub fn at(self, zone: &TimeZone) -> Timestamp {
        let time = Time::midnight().checked_add(SignedDuration::from_millis(i64::from(self.time)));
        self.month.at(self.day, time.unwrap_or(Time::midnight()), zone)
    }
}

impl FromStr for BillingPeriod {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        let (year, month) = text.split_once('-').ok_or(NotAPeriod)?;
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(NotAPeriod);
        }
        let period = Self {
            year: year.parse().map_err(|_| NotAPeriod)?,
            month: month.parse().map_err(|_| NotAPeriod)?,
        };
        if (1..=12).contains(&period.month) && (1970..=9998).contains(&period.year) {
            Ok(period)
        } else {
            Err(NotAPeriod)
        }
    }
}

impl fmt::Display for BillingPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl TryFrom<String> for BillingPeriod {
    type Error = NotAPeriod;

    fn try_from(text: String) -> Result<Self, NotAPeriod> {
        text.parse()
    }
}

impl From<BillingPeriod> for String {
    fn from(period: BillingPeriod) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn billed(period: &str, day: u8, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let period: BillingPeriod = period.parse().unwrap();
        period.billed_at(AnchorDay::try_from(day).unwrap(), &zone).to_string()
    }

    #[test]
    fn the_thirty_first_is_the_last_day_of_a_shorter_month_and_comes_back() {
        let days =
            ["2026-01", "2026-02", "2026-03", "2026-04", "2028-02"].map(|month| billed(month, 31, "UTC"));
        assert_eq!(
            days,
            [
                "2026-01-31T00:00:00Z",
                "2026-02-28T00:00:00Z",
                "2026-03-31T00:00:00Z",
                "2026-04-30T00:00:00Z",
                "2028-02-29T00:00:00Z",
            ]
        );
    }

    #[test]
    fn midnight_is_the_customers_own() {
        assert_eq!(billed("2026-11", 15, "America/Sao_Paulo"), "2026-11-15T03:00:00Z");
        assert_eq!(billed("2026-11", 15, "Asia/Kolkata"), "2026-11-14T18:30:00Z");
    }

    #[test]
    fn where_the_clock_skips_midnight_the_day_begins_after_the_gap() {
        // In Brazil's summer of 2018 the clock went from 24:00 to 01:00.
        assert_eq!(billed("2018-11", 4, "America/Sao_Paulo"), "2018-11-04T03:00:00Z");
        assert_eq!(billed("2018-11", 3, "America/Sao_Paulo"), "2018-11-03T03:00:00Z");
        assert_eq!(
            billed("2018-11", 5, "America/Sao_Paulo"),
            "2018-11-05T02:00:00Z",
            "an hour earlier in summer"
        );
    }

    #[test]
    fn where_the_clock_has_two_midnights_the_first_counts() {
        // Summer ended on a Sunday at 00:00, when it was 23:00 again: that Sunday has one midnight, after both.
        assert_eq!(billed("2018-02", 18, "America/Sao_Paulo"), "2018-02-18T03:00:00Z");
        // Havana falls back at 01:00: midnight comes twice.
        assert_eq!(billed("2025-11", 2, "America/Havana"), "2025-11-02T04:00:00Z");
    }

    #[test]
    fn europe_changes_its_clocks_at_night_and_days_still_begin_at_midnight() {
        assert_eq!(billed("2026-03", 29, "Europe/Berlin"), "2026-03-28T23:00:00Z");
        assert_eq!(billed("2026-03", 30, "Europe/Berlin"), "2026-03-29T22:00:00Z");
        assert_eq!(billed("2026-10", 25, "Europe/Berlin"), "2026-10-24T22:00:00Z");
        assert_eq!(billed("2026-10", 26, "Europe/Berlin"), "2026-10-25T23:00:00Z");
    }

    /// Three more after one that came at `at`, and before that at `before`.
    fn months_since(before: &str, at: &str, zone: &str) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let mut monthly = Monthly::since(before.parse().unwrap(), at.parse().unwrap(), &zone);
        assert_eq!(monthly.at(&zone).to_string(), at, "it has come when it came");
        let months = std::iter::repeat_with(|| {
            monthly = monthly.next();
            monthly.at(&zone).to_string()
        });
        months.take(3).collect()
    }

    #[test]
    fn what_comes_monthly_keeps_its_day_over_short_months() {
        assert_eq!(
            months_since("2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", "UTC"),
            ["2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z", "2026-05-31T00:00:00Z"]
        );
        assert_eq!(
            months_since("2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z", "UTC"),
            ["2026-04-30T00:00:00Z", "2026-05-31T00:00:00Z", "2026-06-30T00:00:00Z"]
        );
        assert_eq!(
            months_since("2026-01-28T00:00:00Z", "2026-02-28T00:00:00Z", "UTC"),
            ["2026-03-28T00:00:00Z", "2026-04-28T00:00:00Z", "2026-05-28T00:00:00Z"]
        );
        assert_eq!(
            months_since("2027-11-03T00:00:00Z", "2027-11-15T00:00:00Z", "UTC"),
            ["2027-12-15T00:00:00Z", "2028-01-15T00:00:00Z", "2028-02-15T00:00:00Z"],
            "a first part of a month says only when the next begin"
        );
    }

    #[test]
    fn what_comes_monthly_keeps_its_time_of_the_day_over_changed_clocks() {
        assert_eq!(
            months_since("2026-01-29T01:30:00Z", "2026-02-28T01:30:00Z", "Europe/Berlin"),
            ["2026-03-29T01:30:00Z", "2026-04-29T00:30:00Z", "2026-05-29T00:30:00Z"],
            "02:30 by the clock, which on March 29th springs from 02:00 to 03:00: 03:30"
        );
        assert_eq!(
            months_since("2026-08-25T00:30:00Z", "2026-09-25T00:30:00Z", "Europe/Berlin"),
            ["2026-10-25T00:30:00Z", "2026-11-25T01:30:00Z", "2026-12-25T01:30:00Z"],
            "02:30 comes twice on October 25th, and the first counts"
        );
    }

    #[test]
    fn a_clock_that_springs_over_a_months_end_costs_no_month() {
        // Kiritimati had no December 31st in 1994: what was due then came on January 1st, and on the 31st again.
        assert_eq!(
            months_since("1994-10-31T10:00:00Z", "1994-11-30T10:00:00Z", "Pacific/Kiritimati"),
            ["1994-12-31T10:00:00Z", "1995-01-30T10:00:00Z", "1995-02-27T10:00:00Z"]
        );
    }

    #[test]
    fn months_are_read_back_and_follow_each_other() {
        for text in ["2026-11", "2026-12", "1970-01"] {
            assert_eq!(text.parse::<BillingPeriod>().unwrap().to_string(), text);
        }
        for (earlier, later) in [("2026-12", "2027-01"), ("2026-01", "2026-02"), ("2026-11", "2026-12")] {
            let (earlier, later): (BillingPeriod, BillingPeriod) =
                (earlier.parse().unwrap(), later.parse().unwrap());
            assert_eq!((earlier.next(), later.previous()), (later, earlier));
        }
        for text in ["", "2026", "2026-13", "2026-00", "26-11", "2026-1", "2026-11-01", "+026-11"] {
            assert_eq!(text.parse::<BillingPeriod>(), Err(NotAPeriod), "{text}");
        }
        assert_eq!(AnchorDay::try_from(0), Err(NotADay));
        assert_eq!(AnchorDay::try_from(32), Err(NotADay));
    }

    proptest! {
        #[test]
        fn each_month_is_billed_once_and_in_order(months in 1_usize..40, day in 1_u8..=31, zone in 0_usize..4) {
            let zone = TimeZone::get(["America/Sao_Paulo", "Europe/Berlin", "Pacific/Apia", "UTC"][zone]).unwrap();
            let mut period: BillingPeriod = "2010-01".parse().unwrap();
            let anchor = AnchorDay::try_from(day).unwrap();
            for _ in 0..months {
                let (this, next) = (period.billed_at(anchor, &zone), period.next().billed_at(anchor, &zone));
                prop_assert!(this < next);
                period = period.next();
            }
        }
    }
}
