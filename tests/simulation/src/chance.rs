//! Everything that is left to chance, from one seed.

use std::sync::atomic::{AtomicU64, Ordering};

/// `SplitMix64`: small, fast, and the same on every machine.
#[derive(Debug)]
pub(crate) struct Chance(AtomicU64);

impl Chance {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

    pub(crate) fn of(seed: u64) -> Self {
        Self(AtomicU64::new(seed.wrapping_mul(Self::STEP) ^ 0x5DEE_CE66))
    }

    pub(crate) fn bits(&self) -> u64 {
        let state = self.0.load(Ordering::Relaxed).wrapping_add(Self::STEP);
        self.0.store(state, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 until before `end`.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.bits() % end.max(1)
    }

    pub(crate) fn between(&self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(u64::try_from(to - from + 1).unwrap())).unwrap()
    }

    /// So many times in a thousand.
    pub(crate) fn happens(&self, in_a_thousand: u64) -> bool {
        self.below(1_000) < in_a_thousand
    }

    pub(crate) fn place(&self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap())).unwrap()
    }

    pub(crate) fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.place(from.len())) }
    }

    /// By weight.
    pub(crate) fn weighed<T: Copy>(&self, choices: &[(u64, T)]) -> T {
        let all = choices.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(all);
        for (weight, choice) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        panic!("nothing to choose from")
    }
}
