use super::BillFault;
use crate::calendar::Monthly;
use crate::customer::TimeZoneName;
use crate::money::Currency;
use crate::{SignedDuration, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// From `start` until before `end`, in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(i64, i64)", into = "(i64, i64)")]
pub struct Period {
    start: Timestamp,
    end: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be after period_start")]
pub struct EmptyPeriod;

impl Period {
    /// Both are cut to the millisecond, which is what ids and the table keep.
    pub fn try_new(start: Timestamp, end: Timestamp) -> Result<Self, EmptyPeriod> {
        Self::try_from((start.as_millisecond(), end.as_millisecond()))
    }

    pub const fn start(self) -> Timestamp {
        self.start
    }

    pub const fn end(self) -> Timestamp {
        self.end
    }

    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

impl TryFrom<(i64, i64)> for Period {
    type Error = EmptyPeriod;

    fn try_from((start, end): (i64, i64)) -> Result<Self, EmptyPeriod> {
        let at = |millisecond| Timestamp::from_millisecond(millisecond).map_err(|_| EmptyPeriod);
        let period = Self { start: at(start)?, end: at(end)? };
        if period.end > period.start { Ok(period) } else { Err(EmptyPeriod) }
    }
}

impl From<Period> for (i64, i64) {
    fn from(period: Period) -> Self {
        (period.start.as_millisecond(), period.end.as_millisecond())
    }
}

/// Whether another bill follows, as a client says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recurs {
    #[default]
    Never,
    Monthly,
}

impl Recurs {
    pub const ALL: [Self; 2] = [Self::Never, Self::Monthly];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "none",
            Self::Monthly => "monthly",
        }
    }
}

/// Whether another bill follows, and when its period ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recurrence {
    None,
    /// The end of this period, as what comes back every month.
    Monthly(Monthly),
}

impl Recurrence {
    pub const fn recurs(self) -> Recurs {
        match self {
            Self::None => Recurs::Never,
            Self::Monthly(_) => Recurs::Monthly,
        }
    }
}

/// What a client says of a bill.
#[derive(Debug, Clone)]
pub struct TermsDraft {
    pub period_start: Timestamp,
    pub period_end: Timestamp,
    pub time_zone: Option<TimeZoneName>,
    pub settlement_currency: Option<Currency>,
    pub recurs: Recurs,
}

/// What a bill is for. It never changes, so that whoever has read it once knows it: an append needs no fresh look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillTerms {
    #[serde(rename = "p")]
    period: Period,
    /// None: UTC.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<TimeZoneName>,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    settlement_currency: Option<Currency>,
    #[serde(rename = "r")]
    recurrence: Recurrence,
}

impl BillTerms {
    pub const MAX_DAYS: i32 = 366;
    /// After it, following periods would run out of years.
    const LAST_YEAR: i16 = 8999;

    /// Everything that is wrong with them at once, if anything is.
    pub fn try_new(draft: TermsDraft) -> Result<Self, Vec<BillFault>> {
        let zone = zone(draft.time_zone.as_ref());
        let mut faults = Vec::new();
        if zone.to_datetime(draft.period_end).year() > Self::LAST_YEAR {
            faults.push(BillFault::new("period_end", "is too far in the future"));
        }
        if draft.period_start < Timestamp::UNIX_EPOCH {
            faults.push(BillFault::new("period_start", "must not be before 1970"));
        }
        if draft.period_end > latest_end(draft.period_start, &zone) {
            let reason = format!("must be at most {} days after period_start", Self::MAX_DAYS);
            faults.push(BillFault::new("period_end", reason));
        }
        let period = Period::try_new(draft.period_start, draft.period_end);
        match period {
            Ok(period) if faults.is_empty() => {
                let recurrence = match draft.recurs {
                    Recurs::Never => Recurrence::None,
                    Recurs::Monthly => Recurrence::Monthly(Monthly::since(period.start, period.end, &zone)),
                };
                let TermsDraft { time_zone, settlement_currency, .. } = draft;
                Ok(Self { period, time_zone, settlement_currency, recurrence })
            }
            Ok(_) => Err(faults),
            Err(empty) => {
                faults.push(BillFault::new("period_end", empty.to_string()));
                Err(faults)
            }
        }
    }

    pub const fn period(&self) -> Period {
        self.period
    }

    pub const fn time_zone(&self) -> Option<&TimeZoneName> {
        self.time_zone.as_ref()
    }

    pub const fn settlement_currency(&self) -> Option<Currency> {
        self.settlement_currency
    }

    pub const fn recurrence(&self) -> Recurrence {
        self.recurrence
    }

    /// The same for the period that begins where this one ends, if one follows. It begins there even if this bill is closed
    /// before: its periods are the calendar's, not the closer's.
    pub(super) fn following(&self) -> Option<Self> {
        let Recurrence::Monthly(monthly) = self.recurrence else { return None };
        let next = monthly.next();
        let period = Period::try_new(self.period.end, next.at(&zone(self.time_zone.as_ref()))).ok()?;
        Some(Self { period, recurrence: Recurrence::Monthly(next), ..self.clone() })
    }

    /// Its first and last day by its own clock.
    pub(super) fn days(&self) -> (Date, Date) {
        let zone = zone(self.time_zone.as_ref());
        let last = self.period.end.checked_sub(SignedDuration::from_millis(1)).unwrap_or(self.period.end);
        (zone.to_datetime(self.period.start).date(), zone.to_datetime(last).date())
    }
}

fn zone(name: Option<&TimeZoneName>) -> TimeZone {
    name.map_or(TimeZone::UTC, TimeZoneName::zone)
}

/// 366 days by the clock or by the calendar, whichever is more: of those, one may be of 23 or 25 hours.
fn latest_end(start: Timestamp, zone: &TimeZone) -> Timestamp {
    let days: Span = BillTerms::MAX_DAYS.days();
    let by_clock = start.checked_add(SignedDuration::from_hours(24 * i64::from(BillTerms::MAX_DAYS)));
    let by_calendar = start.to_zoned(zone.clone()).checked_add(days).map(|end| end.timestamp());
    by_clock.unwrap_or(Timestamp::MAX).max(by_calendar.unwrap_or(Timestamp::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn draft(start: &str, end: &str, zone: &str) -> TermsDraft {
        TermsDraft {
            period_start: at(start),
            period_end: at(end),
            time_zone: Some(TimeZoneName::parse(zone).unwrap()),
            settlement_currency: None,
            recurs: Recurs::Monthly,
        }
    }

    fn faults(draft: TermsDraft) -> Vec<String> {
        let said = |fault: BillFault| format!("{} {}", fault.field, fault.reason);
        BillTerms::try_new(draft).err().unwrap_or_default().into_iter().map(said).collect()
    }

    #[test]
    fn a_period_is_of_one_millisecond_to_366_days() {
        let refused = ["period_end must be at most 366 days after period_start"];
        let to = |end: &str| faults(draft("2027-03-01T00:00:00Z", end, "UTC"));
        assert_eq!(to("2027-03-01T00:00:00.001Z"), [""; 0]);
        assert_eq!(to("2028-03-01T00:00:00Z"), [""; 0], "a year with a leap day has 366");
        assert_eq!(to("2028-03-01T00:00:00.001Z"), refused);
        assert_eq!(to("2027-03-01T00:00:00.000999Z"), ["period_end must be after period_start"]);
        assert_eq!(to("2027-03-01T00:00:00Z"), ["period_end must be after period_start"]);
        assert_eq!(to("2026-03-01T00:00:00Z"), ["period_end must be after period_start"]);
    }

    #[test]
    fn a_day_may_have_another_length_where_clocks_change() {
        // From the last day of summer time to the first of winter time a year later: 366 days and an hour.
        let end = |end: &str| faults(draft("2025-11-01T04:00:00Z", end, "America/New_York"));
        assert_eq!(end("2026-11-02T05:00:00Z"), [""; 0]);
        assert_eq!(end("2026-11-02T05:00:00.001Z").len(), 1);
        // And the other way: 366 days by the clock are an hour more than by the calendar.
        let end = |end: &str| faults(draft("2027-03-13T05:00:00Z", end, "America/New_York"));
        assert_eq!(end("2028-03-13T05:00:00Z"), [""; 0]);
        assert_eq!(end("2028-03-13T05:00:00.001Z").len(), 1);
    }

    #[test]
    fn periods_are_from_1970_to_8999() {
        assert_eq!(faults(draft("1970-01-01T00:00:00Z", "1970-02-01T00:00:00Z", "UTC")), [""; 0]);
        assert_eq!(faults(draft("8999-11-01T00:00:00Z", "8999-12-31T23:59:59Z", "UTC")), [""; 0]);
        let late = faults(draft("8999-12-01T00:00:00Z", "9000-01-01T00:00:00Z", "UTC"));
        assert_eq!(late, ["period_end is too far in the future"]);
    }

    #[test]
    fn every_fault_is_named() {
        assert_eq!(
            faults(draft("1969-01-01T00:00:00Z", "9000-06-01T00:00:00Z", "UTC")),
            [
                "period_end is too far in the future",
                "period_start must not be before 1970",
                "period_end must be at most 366 days after period_start",
            ]
        );
        assert_eq!(
            faults(draft("1969-01-02T00:00:00Z", "1969-01-01T00:00:00Z", "UTC")),
            ["period_start must not be before 1970", "period_end must be after period_start"]
        );
    }

    #[test]
    fn periods_follow_each_other_on_the_anchor_day() {
        let terms = BillTerms::try_new(draft("2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", "UTC")).unwrap();
        assert_eq!(terms.recurrence().recurs(), Recurs::Monthly);
        let following = std::iter::successors(Some(terms), BillTerms::following);
        let ends: Vec<_> = following.take(5).map(|terms| terms.period().end().to_string()).collect();
        assert_eq!(
            ends,
            [
                "2026-02-28T00:00:00Z",
                "2026-03-31T00:00:00Z",
                "2026-04-30T00:00:00Z",
                "2026-05-31T00:00:00Z",
                "2026-06-30T00:00:00Z"
            ]
        );
        let once = TermsDraft {
            recurs: Recurs::Never,
            ..draft("2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", "UTC")
        };
        let once = BillTerms::try_new(once).unwrap();
        assert_eq!((once.following(), once.recurrence().recurs()), (None, Recurs::Never));
        assert_eq!(once.time_zone().map(TimeZoneName::as_str), Some("UTC"));
    }

    #[test]
    fn the_days_are_those_of_its_own_clock() {
        let days = |zone| {
            let terms = BillTerms::try_new(draft("2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", zone));
            let (first, last) = terms.unwrap().days();
            format!("{first} {last}")
        };
        assert_eq!(days("UTC"), "2026-01-31 2026-02-27");
        assert_eq!(days("America/Sao_Paulo"), "2026-01-30 2026-02-27");
    }

    proptest! {
        #[test]
        fn periods_leave_no_gap_and_never_end(start in 0_i64..2_000_000_000_000, days in 1_i64..366, hours in 0_i64..24, zone in 0_usize..6) {
            let zone = ["UTC", "America/Havana", "Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca"][zone];
            let period_start = Timestamp::from_millisecond(start).unwrap();
            let terms = BillTerms::try_new(TermsDraft {
                period_start,
                period_end: period_start + SignedDuration::from_hours(24 * days - hours),
                time_zone: Some(TimeZoneName::parse(zone).unwrap()),
                settlement_currency: Some(Currency::USD),
                recurs: Recurs::Monthly,
            }).unwrap();
            let Recurrence::Monthly(first) = terms.recurrence() else { panic!("monthly") };
            let mut before = terms;
            for _ in 0..36 {
                let next = before.following().unwrap();
                prop_assert_eq!(next.period().start(), before.period().end());
                let length = next.period().end().duration_since(next.period().start()).as_hours();
                prop_assert!((27 * 24 - 1..=32 * 24).contains(&length), "{length}");
                let Recurrence::Monthly(monthly) = next.recurrence() else { panic!("monthly") };
                prop_assert_eq!(monthly.day(), first.day());
                before = next;
            }
        }
    }
}
