use crate::charge::FailureClass;
use crate::{Moment, SignedDuration, Timestamp};

/// Every span of time and every cap that collecting obeys, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long whoever calls the gateway owns the attempt: longer than the call can take.
    pub lease: SignedDuration,
    /// A pending invoice without an attempt for this long has lost its message, and is sent again.
    pub resend_after: SignedDuration,
    /// When to ask about an unknown outcome, each counted from the answer before.
    pub unknown_polls: Vec<SignedDuration>,
    /// How long after the QR code's expiry the gateway is asked whether it was paid after all.
    pub pix_grace: SignedDuration,
    /// How often a charge that waits for the payer or for a review is looked up.
    pub awaiting_poll: SignedDuration,
    /// An order that wasn't sent goes out again after this, doubled each time.
    pub not_sent_backoff: SignedDuration,
    pub not_sent_max: u8,
    pub max_declines: u8,
    pub max_attempts: u8,
    pub give_up_after: SignedDuration,
    /// How long after the payment it can be given back.
    pub refund_window: SignedDuration,
    /// A refund without a word from the gateway is sent again after this, doubled each time up to a day.
    pub refund_resend: SignedDuration,
    /// After so many silent sends a person has to look.
    pub refund_max_sends: u8,
}

impl Default for Policy {
    fn default() -> Self {
        let minutes = SignedDuration::from_mins;
        let day = SignedDuration::from_hours(24);
        Self {
            lease: SignedDuration::from_secs(30),
            resend_after: minutes(1),
            unknown_polls: vec![minutes(1), minutes(5), minutes(60), day, day, day, day, day],
            pix_grace: minutes(1),
            awaiting_poll: minutes(60),
            not_sent_backoff: minutes(5),
            not_sent_max: 8,
            max_declines: 7,
            max_attempts: 20,
            give_up_after: SignedDuration::from_hours(24 * 60),
            refund_window: SignedDuration::from_hours(24 * 7),
            refund_resend: minutes(1),
            refund_max_sends: 12,
        }
    }
}

impl Policy {
    /// When an invoice whose attempt failed in this way is tried again, if by itself at all. `failures` counts the
    /// failures so far, this one included.
    pub fn retry_at(&self, class: FailureClass, failures: u8, now: Timestamp) -> Option<Timestamp> {
        let index = usize::from(failures).checked_sub(1)?;
        let wait = *schedule(class).get(index)?;
        now.checked_add(wait).ok()
    }

    /// When an order that has not reached the gateway `unsent` times goes out again: doubling, with up to a tenth more
    /// so that a gateway that comes back isn't met by everybody at once.
    pub fn resend_at(&self, unsent: u8, moment: Moment) -> Option<Timestamp> {
        if unsent >= self.not_sent_max {
            return None;
        }
        let doublings = u32::from(unsent.saturating_sub(1));
        let wait = self.not_sent_backoff.as_millis().checked_mul(1_i128.checked_shl(doublings)?)?;
        let jitter = i128::from(moment.entropy % 1_000).checked_mul(wait)? / 10_000;
        let wait = SignedDuration::from_millis(i64::try_from(wait + jitter).ok()?);
        moment.now.checked_add(wait).ok()
    }

    /// When a refund that was sent `sends` times goes out again.
    pub fn resend_refund_at(&self, sends: u8, now: Timestamp) -> Option<Timestamp> {
        if sends >= self.refund_max_sends {
            return None;
        }
        let doublings = 1_i32.checked_shl(u32::from(sends)).unwrap_or(i32::MAX);
        let wait = self.refund_resend.checked_mul(doublings)?.min(SignedDuration::from_hours(24));
        now.checked_add(wait).ok()
    }

    pub fn poll_at(&self, polls: u8, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(*self.unknown_polls.get(usize::from(polls))?).ok()
    }
}

/// Days after which each class is tried again. Empty: not by itself.
fn schedule(class: FailureClass) -> &'static [SignedDuration] {
    const DAY: SignedDuration = SignedDuration::from_hours(24);
    const fn days(number: i64) -> SignedDuration {
        SignedDuration::from_hours(24 * number)
    }
    static SOON_THEN_LATER: [SignedDuration; 3] = [days(3), days(5), days(7)];
    static DAYS_APART: [SignedDuration; 3] = [days(1), days(3), days(5)];
    static DAILY: [SignedDuration; 3] = [DAY; 3];
    static ONCE: [SignedDuration; 1] = [DAY];
    static AT_ONCE: [SignedDuration; 3] = [SignedDuration::ZERO; 3];

    match class {
        FailureClass::InsufficientFunds => &SOON_THEN_LATER,
        FailureClass::DoNotHonor | FailureClass::Generic => &DAYS_APART,
        FailureClass::IssuerUnavailable => &DAILY,
        FailureClass::CustomerNotFound => &ONCE,
        // Not a decline: the payer gets a new QR code.
        FailureClass::PixExpired => &AT_ONCE,
        FailureClass::NotSent
        | FailureClass::Unknown
        | FailureClass::Hard
        | FailureClass::AuthenticationRequired
        | FailureClass::SuspectedFraud
        | FailureClass::CurrencyMismatch
        | FailureClass::Configuration
        | FailureClass::Duplicate
        | FailureClass::AmountMismatch => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn hours_until_retry(class: FailureClass, failures: u8) -> Option<i64> {
        Policy::default().retry_at(class, failures, NOW).map(|at| at.duration_since(NOW).as_hours())
    }

    #[test]
    fn each_class_has_its_own_patience() {
        let days = |class| (1..=4).map(|n| hours_until_retry(class, n).map(|h| h / 24)).collect::<Vec<_>>();
        assert_eq!(days(FailureClass::InsufficientFunds), [Some(3), Some(5), Some(7), None]);
        assert_eq!(days(FailureClass::DoNotHonor), [Some(1), Some(3), Some(5), None]);
        assert_eq!(days(FailureClass::IssuerUnavailable), [Some(1), Some(1), Some(1), None]);
        assert_eq!(days(FailureClass::Hard), [None; 4]);
        assert_eq!(days(FailureClass::AuthenticationRequired), [None; 4]);
    }

    #[test]
    fn what_was_not_sent_goes_out_again_ever_later_and_not_for_ever() {
        let policy = Policy::default();
        let wait = |unsent| {
            policy
                .resend_at(unsent, Moment { now: NOW, entropy: 0 })
                .map(|at| at.duration_since(NOW).as_mins())
        };
        assert_eq!(
            (1..=8).map(wait).collect::<Vec<_>>(),
            [Some(5), Some(10), Some(20), Some(40), Some(80), Some(160), Some(320), None]
        );
        let jittered = policy.resend_at(1, Moment { now: NOW, entropy: 999 }).unwrap();
        assert!(
            jittered > NOW + SignedDuration::from_mins(5) && jittered < NOW + SignedDuration::from_secs(330)
        );
    }
}
