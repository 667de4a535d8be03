//! When a message is sent again: as Standard Webhooks recommends, its last step shortened so that all is over in three days.

use super::MessageId;
use crate::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// The longest that one message is tried for.
pub(super) const LASTS: SignedDuration = SignedDuration::from_hours(72);
/// The longest that a receiver can put us off at a time.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);
/// How many times a message is sent before it is given up: at once, and after each of the delays.
pub(super) const MOST_TRIES: u8 = 10;

/// What is waited after the try of that number. None: that was the last.
const fn delay(tried: u8) -> Option<SignedDuration> {
    match tried {
        1 => Some(SignedDuration::from_secs(5)),
        2 => Some(SignedDuration::from_mins(5)),
        3 => Some(SignedDuration::from_mins(30)),
        4 => Some(SignedDuration::from_hours(2)),
        5 => Some(SignedDuration::from_hours(5)),
        6 => Some(SignedDuration::from_hours(10)),
        7 => Some(SignedDuration::from_hours(14)),
        8 | 9 => Some(SignedDuration::from_hours(20)),
        _ => None,
    }
}

/// When it is sent next, after `tried` tries since `begun`. None: it is given up.
pub(super) fn next(
    message: MessageId,
    begun: Timestamp,
    tried: u8,
    asked: Option<SignedDuration>,
    now: Timestamp,
) -> Option<Timestamp> {
    let end = begun.saturating_add(LASTS).ok().filter(|end| now < *end)?;
    let ours = earlier(message, tried, delay(tried)?);
    let wait = asked.map_or(ours, |asked| ours.max(asked.min(LONGEST_WAIT)));
    Some(now.saturating_add(wait).map_or(end, |due| due.min(end)))
}

/// Up to a tenth earlier, each message by its own part: all that failed together, when a server went down, needn't come
/// together when it is up. It follows from the message, so that deciding again decides the same.
fn earlier(message: MessageId, tried: u8, delay: SignedDuration) -> SignedDuration {
    let digest = Sha256::new().chain_update(message.to_string()).chain_update([tried]).finalize();
    let part = digest.first_chunk().copied().map(u16::from_be_bytes).unwrap_or_default();
    let thousandths = i64::from(part) % 1_000;
    let millis = i64::try_from(delay.as_millis()).unwrap_or_default();
    SignedDuration::from_millis(millis - millis / 10 * thousandths / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook_endpoint::EndpointId;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn message(number: u64) -> MessageId {
        MessageId::of("evt_1", EndpointId::new(Timestamp::UNIX_EPOCH, number))
    }

    #[test]
    fn the_delays_are_those_recommended_and_end_within_three_days() {
        let delays: Vec<_> = (1..MOST_TRIES).filter_map(delay).map(|delay| delay.as_secs()).collect();
        assert_eq!(delays, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 72_000]);
        assert!(delays.iter().sum::<i64>() <= LASTS.as_secs());
        assert_eq!((delay(0), delay(MOST_TRIES)), (None, None));
    }

    #[test]
    fn messages_come_back_at_times_of_their_own() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |number| next(message(number), now, 4, None, now).unwrap();
        let times: BTreeSet<_> = (0..100).map(at).collect();
        assert!(times.len() > 80, "{}", times.len());
        assert_eq!(at(1), now + SignedDuration::from_millis(6_547_680), "the same in each release");
    }

    #[test]
    fn a_receiver_can_put_us_off_within_bounds() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |asked| next(message(1), now, 1, Some(asked), now).unwrap();
        let hour = SignedDuration::from_hours(1);
        assert_eq!(after(hour), now + hour);
        assert!(
            after(SignedDuration::ZERO) > now + SignedDuration::from_secs(4),
            "never sooner than we would"
        );
        assert_eq!(after(SignedDuration::from_hours(1_000)), now + LONGEST_WAIT);
        let late = now + SignedDuration::from_hours(60);
        assert_eq!(
            next(message(1), now, 9, Some(LONGEST_WAIT), late),
            Some(now + LASTS),
            "once more at the end"
        );
        assert_eq!(next(message(1), now, 9, None, now + LASTS), None);
    }

    proptest! {
        #[test]
        fn the_next_try_is_later_and_within_the_three_days(number: u64, tried in 1_u8..20, waited in 0_i64..80 * 3_600, asked in proptest::option::of(0_u32..)) {
            let begun = Timestamp::UNIX_EPOCH;
            let now = begun + SignedDuration::from_secs(waited);
            let asked = asked.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
            match next(message(number), begun, tried, asked, now) {
                Some(due) => {
                    prop_assert!(due > now && due <= begun + LASTS);
                    let delay = delay(tried).unwrap();
                    prop_assert!(due == begun + LASTS || due >= now + delay * 9 / 10);
                    prop_assert!(asked.is_some() || due <= now + delay);
                }
                None => prop_assert!(tried >= MOST_TRIES || now >= begun + LASTS),
            }
        }
    }
}
