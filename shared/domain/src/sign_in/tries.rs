use crate::{SignedDuration, Timestamp};

/// Whose failures are counted. Guesses at one account come from many addresses, and one address guesses at many accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Against {
    Account,
    Address,
}

impl Against {
    /// Failures that cost nothing but the try: of one who has forgotten, or of an office behind one address.
    const fn free(self) -> u32 {
        match self {
            Self::Account => 5,
            Self::Address => 100,
        }
    }

    /// After so long without a failure it is as if there had been none. Addresses change hands sooner.
    const fn remembered(self) -> SignedDuration {
        match self {
            Self::Account => SignedDuration::from_hours(24),
            Self::Address => SignedDuration::from_hours(1),
        }
    }
}

/// How long to wait before the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub SignedDuration);

impl Wait {
    /// Whole seconds, never none: what `Retry-After` can say.
    pub fn seconds(self) -> u64 {
        let rounded_up =
            self.0.as_millis().max(1).div_euclid(1_000) + i128::from(self.0.as_millis() % 1_000 != 0);
        u64::try_from(rounded_up.max(1)).unwrap_or(1)
    }
}

/// Tries that have failed, or are under way: a try counts before the password is looked at, so that many at once are not
/// more than one after the other. One that succeeds is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    pub failures: u32,
    pub last_at: Timestamp,
    pub version: u64,
}

const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(1);
/// Whoever has the right password never waits longer, whatever others have tried.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// More would only overflow: a second that doubles ten times is longer than the longest wait.
const MOST_DOUBLINGS: u32 = 10;

impl Tries {
    pub const NONE: Self = Self { failures: 0, last_at: Timestamp::UNIX_EPOCH, version: 0 };

    /// What can be forgotten may also be deleted.
    pub fn forgotten_at(&self, against: Against) -> Timestamp {
        self.last_at.checked_add(against.remembered()).unwrap_or(self.last_at)
    }

    /// One try more, unless it comes too early. What comes too early doesn't count and makes nobody wait longer.
    pub fn counted(&self, against: Against, now: Timestamp) -> Result<Self, Wait> {
        let known = if now >= self.forgotten_at(against) { 0 } else { self.failures };
        let left = self.last_at.duration_since(now) + wait_after(known, against);
        if known >= against.free() && left > SignedDuration::ZERO {
            // A clock that went back must not make anybody wait longer either.
            return Err(Wait(left.min(LONGEST_WAIT)));
        }
        Ok(Self { failures: known.saturating_add(1), last_at: now, version: self.version + 1 })
    }

    /// It was the right password: that try was none.
    #[must_use]
    pub const fn taken_back(&self) -> Self {
        Self { failures: self.failures.saturating_sub(1), version: self.version + 1, ..*self }
    }
}

/// Doubles with each failure beyond those that are free.
fn wait_after(failures: u32, against: Against) -> SignedDuration {
    let doublings = failures.saturating_sub(against.free()).min(MOST_DOUBLINGS);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOON: i64 = 1_793_620_800_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millisecond(NOON + second * 1_000).unwrap()
    }

    /// As many failures as are given, each as early as it may come, and when that was.
    fn failed(times: u32) -> (Tries, i64) {
        let (mut tries, mut second) = (Tries::NONE, 0);
        for _ in 0..times {
            if let Err(wait) = tries.counted(Against::Account, at(second)) {
                second += i64::try_from(wait.seconds()).unwrap();
            }
            tries = tries.counted(Against::Account, at(second)).unwrap();
        }
        (tries, second)
    }

    #[test]
    fn five_are_free_then_the_wait_doubles_to_a_quarter_of_an_hour() {
        let waits = (5..18).map(|times| {
            let (tries, second) = failed(times);
            tries.counted(Against::Account, at(second)).unwrap_err().seconds()
        });
        assert_eq!(waits.collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900],);
        assert!(failed(4).0.counted(Against::Account, at(0)).is_ok());
    }

    #[test]
    fn a_wait_is_said_in_whole_seconds_and_never_too_short() {
        let seconds = |millis| Wait(SignedDuration::from_millis(millis)).seconds();
        assert_eq!([0, 1, 999, 1_000, 1_001, 2_000].map(seconds), [1, 1, 1, 1, 2, 2]);
    }

    #[test]
    fn what_comes_too_early_changes_nothing_and_what_is_old_is_forgotten() {
        let (tries, second) = failed(9);
        for _ in 0..3 {
            assert_eq!(tries.counted(Against::Account, at(second + 7)).unwrap_err().seconds(), 9);
        }
        let later = at(second + 24 * 3_600);
        assert_eq!(tries.counted(Against::Account, later).unwrap().failures, 1);
        assert_eq!(
            tries.counted(Against::Address, at(second)).unwrap().failures,
            10,
            "an office may fail more"
        );
    }

    #[test]
    fn the_right_password_takes_its_own_try_back_and_no_other() {
        let tries = failed(3).0.counted(Against::Address, at(0)).unwrap().taken_back();
        assert_eq!((tries.failures, tries.version), (3, 5));
        assert_eq!(Tries::NONE.taken_back().failures, 0);
    }

    proptest! {
        /// Invariant: whatever has happened, and however the clock goes, nobody waits longer than 15 minutes.
        #[test]
        fn the_longest_wait_is_bounded(failures: u32, last in -100_000_i64..100_000, now in -100_000_i64..100_000) {
            let tries = Tries { failures, last_at: at(last), version: 1 };
            for against in [Against::Account, Against::Address] {
                if let Err(wait) = tries.counted(against, at(now)) {
                    prop_assert!((1..=900).contains(&wait.seconds()));
                    // Said to be enough, it is.
                    if now >= last {
                        let then = at(now + i64::try_from(wait.seconds()).unwrap());
                        prop_assert!(tries.counted(against, then).is_ok());
                    }
                }
            }
        }

        /// Invariant: a guesser who never rests has fewer than 120 tries a day at one account.
        #[test]
        fn guesses_in_a_day_are_bounded(steps in prop::collection::vec(0_i64..400, 0..2_000)) {
            let (mut tries, mut second, mut guesses) = (Tries::NONE, 0, 0);
            for step in steps {
                second += step;
                if second >= 24 * 3_600 {
                    break;
                }
                if let Ok(next) = tries.counted(Against::Account, at(second)) {
                    tries = next;
                    guesses += 1;
                }
            }
            prop_assert!(guesses < 120, "{guesses}");
        }
    }
}
