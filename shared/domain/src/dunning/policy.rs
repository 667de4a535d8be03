use super::rules::Rules;
use crate::charge::FailureClass;
use crate::{Moment, SignedDuration, Timestamp};

/// Every span of time and every cap that collecting obeys: the business's rules, and the machine's own patience, which
/// follows from how long calls take and is no matter of business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub rules: Rules,
    /// A pending invoice without an attempt for this long has lost its message, and is sent again.
    pub resend_after: SignedDuration,
    /// How long after the QR code's expiry the gateway is asked whether it was paid after all.
    pub pix_grace: SignedDuration,
    /// How often a charge that waits for the payer or for a review is looked up.
    pub awaiting_poll: SignedDuration,
    /// How often the gateway is asked how an open dispute stands.
    pub dispute_poll: SignedDuration,
    /// How long a bank may take to open a case after its customer has contested a payment with us.
    pub contest_patience: SignedDuration,
    /// How long a bank may take to decide.
    pub case_patience: SignedDuration,
    /// A refund without a word from the gateway is sent again after this, doubled each time up to a day.
    pub refund_resend: SignedDuration,
    /// After so many silent sends a person has to look.
    pub refund_max_sends: u8,
}

impl Default for Policy {
    fn default() -> Self {
        Self::of(Rules::default())
    }
}

impl Policy {
    pub fn of(rules: Rules) -> Self {
        let minutes = SignedDuration::from_mins;
        Self {
            rules,
            resend_after: minutes(1),
            pix_grace: minutes(1),
            awaiting_poll: minutes(60),
            dispute_poll: SignedDuration::from_hours(24),
            // What card networks give cardholders.
            contest_patience: SignedDuration::from_hours(120 * 24),
            // Longer than networks take from a contest to an arbitration's end.
            case_patience: SignedDuration::from_hours(365 * 24),
            refund_resend: minutes(1),
            refund_max_sends: 12,
        }
    }

    /// How long whoever calls the gateway owns the attempt: longer than the call can take.
    pub const LEASE: SignedDuration = SignedDuration::from_secs(30);

    /// When an invoice whose attempt failed in this way is tried again, if by itself at all. `failures` counts the
    /// failures so far, this one included.
    pub fn retry_at(&self, class: FailureClass, failures: u8, now: Timestamp) -> Option<Timestamp> {
        let index = usize::from(failures).checked_sub(1)?;
        let wait = *self.rules.classes.get(&class)?.retry_after.get(index)?;
        now.checked_add(wait.duration()).ok()
    }

    /// When an invoice that was first charged then, and is still unpaid, is given up.
    pub fn gives_up_at(&self, first_charged: Timestamp) -> Timestamp {
        let days = i64::from(self.rules.caps.days);
        first_charged.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX)
    }

    /// When an order that has not reached the gateway `unsent` times goes out again.
    pub fn resend_at(&self, unsent: u8, moment: Moment) -> Option<Timestamp> {
        let rule = self.rules.not_sent;
        if unsent >= rule.most_sends {
            return None;
        }
        let doublings = u32::from(unsent.saturating_sub(1));
        let first = rule.first_wait.duration().as_millis();
        let wait = first.checked_mul(1_i128.checked_shl(doublings)?)?;
        let jitter = i128::from(moment.entropy % 1_000) * wait * i128::from(rule.jitter_percent) / 100_000;
        let wait = SignedDuration::from_millis(i64::try_from(wait + jitter).ok()?);
        moment.now.checked_add(wait).ok()
    }

    /// When a refund that was sent `sends` times goes out again.
    pub fn resend_refund_at(&self, sends: u8, now: Timestamp) -> Option<Timestamp> {
        if sends >= self.refund_max_sends {
            return None;
        }
        Some(self.again_at(sends, now))
    }

    /// When whatever a gateway was told `times` without an answer is told again.
    pub fn again_at(&self, times: u8, now: Timestamp) -> Timestamp {
        let day = SignedDuration::from_hours(24);
        let doublings = 1_i32.checked_shl(u32::from(times)).unwrap_or(i32::MAX);
        let wait = self.refund_resend.checked_mul(doublings).unwrap_or(day).min(day);
        now.checked_add(wait).unwrap_or(now)
    }

    pub fn poll_at(&self, polls: u8, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(self.rules.unknown_polls.get(usize::from(polls))?.duration()).ok()
    }

    pub fn poll_dispute_at(&self, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(self.dispute_poll).ok()
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
        let jittered = |unsent| policy.resend_at(unsent, Moment { now: NOW, entropy: 999 });
        // 99.9 of a hundred parts of ten per cent.
        let milliseconds = |ms| Some(NOW + SignedDuration::from_millis(ms));
        assert_eq!((jittered(1), jittered(2)), (milliseconds(329_970), milliseconds(659_940)));
    }
}
