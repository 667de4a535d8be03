//! How hostile a world is and how long it lasts. All of it follows from the seed, and less of it may be enough to fail.

use crate::chance::Chance;
use crate::task::operations;
use std::fmt;
use std::str::FromStr;

/// Chance lets nobody die later. Every later call has its death in [`crate::crashes`].
pub(crate) const LAST_DEADLY_CALL: u32 = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub clients: u64,
    pub steps: u64,
    /// By weight, beside 60 for what goes well.
    pub declines: u64,
    pub lost_hints: u64,
    /// In a thousand calls, where all is calm; many more where it isn't.
    pub faults: u64,
    /// In a thousand invocations.
    pub deaths: u64,
    pub zombies: u64,
    /// In a thousand charges.
    pub disputes: u64,
    pub contradictions: u64,
    pub forgeries: u64,
    /// How far clocks are apart at most.
    pub skew_ms: u64,
    /// In a thousand wishes: those of shops; and in a thousand of those, what is said about risk.
    pub shops: u64,
    pub risks: u64,
    /// What its clients want more often than others do.
    pub theme: u64,
    /// The only death that there is.
    pub crash: Option<Crash>,
}

/// A death at one call of the first invocation that comes so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    pub operation: &'static str,
    pub nth: u32,
    /// The call has its effect before.
    pub after: bool,
}

impl Plan {
    const LONGEST_SKEW_MS: u64 = 5 * 60 * 1_000;

    pub fn of(seed: u64) -> Self {
        let chance = Chance::of(seed ^ 0xFA70_BA5E);
        // Some worlds are kinder than others: what is hidden by noise in one shows in another.
        let unkind = [0, 1, 1, 2, 4][chance.place(5)];
        Self {
            seed,
            clients: 1 + chance.below(3),
            steps: 85 + chance.below(150),
            declines: 4 + chance.below(20),
            lost_hints: chance.below(40),
            faults: 15 * unkind,
            deaths: 60 * unkind,
            zombies: 30 * unkind,
            disputes: chance.below(200),
            contradictions: chance.below(150),
            forgeries: chance.below(150),
            skew_ms: if chance.happens(500) { Self::LONGEST_SKEW_MS } else { 0 },
            shops: [150, 400, 850][chance.place(3)],
            risks: [30, 60, 250][chance.place(3)],
            theme: chance.below(8),
            crash: None,
        }
    }

    /// What shrinking makes less, by the names that the command line knows.
    pub fn numbers(&mut self) -> [(&'static str, &mut u64); 12] {
        [
            ("--clients", &mut self.clients),
            ("--steps", &mut self.steps),
            ("--faults", &mut self.faults),
            ("--deaths", &mut self.deaths),
            ("--zombies", &mut self.zombies),
            ("--disputes", &mut self.disputes),
            ("--contradictions", &mut self.contradictions),
            ("--forgeries", &mut self.forgeries),
            ("--skew-ms", &mut self.skew_ms),
            ("--shops", &mut self.shops),
            ("--risks", &mut self.risks),
            ("--theme", &mut self.theme),
        ]
    }

    /// What has to be said beside the seed for the same world to come of it.
    pub fn arguments(&self) -> Vec<String> {
        let (mut this, mut whole) = (self.clone(), Self::of(self.seed));
        let pairs = this.numbers().into_iter().zip(whole.numbers());
        let others = pairs.filter(|((_, is), (_, was))| is != was);
        let numbers = others.map(|((name, is), _)| format!("{name} {is}"));
        numbers.chain(self.crash.map(|crash| format!("--crash {crash}"))).collect()
    }

    /// Where nothing breaks.
    pub fn kind(seed: u64) -> Self {
        Self { faults: 0, deaths: 0, zombies: 0, steps: 600, skew_ms: 0, ..Self::of(seed) }
    }
}

/// As the command line has it: `create-invoice:3:after`.
impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = if self.after { "after" } else { "before" };
        write!(f, "{}:{}:{when}", self.operation, self.nth)
    }
}

impl FromStr for Crash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(':');
        let (operation, nth, when) = (parts.next(), parts.next(), parts.next());
        // Of what there isn't nobody would ever die.
        let operation =
            operations().find(|known| operation == Some(known)).ok_or("there is no such operation")?;
        let nth = nth.and_then(|nth| nth.parse().ok()).ok_or("which call?")?;
        let after = match when {
            Some("before") => false,
            Some("after") => true,
            _ => return Err("before or after its effect?"),
        };
        Ok(Self { operation, nth, after })
    }
}
