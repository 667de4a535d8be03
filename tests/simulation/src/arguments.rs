//! What the command line asks for. What isn't understood is refused: other worlds than those that were meant prove nothing.

use fatura_simulation::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One world again, with its whole trace or without.
    Replay { plan: Plan, is_whole: bool },
    /// These, and what was seen in none of them is a failure or not.
    Worlds { seeds: Range<u64>, is_long: bool },
    /// A death at each call that so many kind worlds come to.
    Crashes { worlds: u64 },
    /// What catches the deliberate bugs of these names, or each if none is named.
    Bugs { seeds: u64, names: Vec<String> },
}

const FLAGS: [&str; 4] = ["--trace", "--long", "--crashes", "--bugs"];

impl Wanted {
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut said = Said::read(arguments)?;
        let wanted = said.wanted()?;
        let left = said.values.into_keys().chain(said.flags).chain(said.words).next();
        left.map_or(Ok(wanted), |left| Err(format!("there is no {left}, or it means nothing here")))
    }
}

/// What was said and has not been understood yet.
#[derive(Debug, Default)]
struct Said {
    values: BTreeMap<String, String>,
    flags: BTreeSet<String>,
    words: Vec<String>,
}

impl Said {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut said = Self::default();
        while let Some(argument) = arguments.next() {
            let is_new = if FLAGS.contains(&argument.as_str()) {
                said.flags.insert(argument.clone())
            } else if argument.starts_with("--") {
                let value = arguments.next().ok_or_else(|| format!("{argument} of what?"))?;
                said.values.insert(argument.clone(), value).is_none()
            } else {
                said.words.push(argument.clone());
                true
            };
            if !is_new {
                return Err(format!("{argument} is said twice"));
            }
        }
        Ok(said)
    }

    fn wanted(&mut self) -> Result<Wanted, String> {
        if let Some(seed) = self.number("--seed")? {
            return Ok(Wanted::Replay { plan: self.plan(seed)?, is_whole: self.flags.remove("--trace") });
        }
        if self.flags.remove("--bugs") {
            let seeds = self.worlds(500)?;
            return Ok(Wanted::Bugs { seeds, names: std::mem::take(&mut self.words) });
        }
        if self.flags.remove("--crashes") {
            return Ok(Wanted::Crashes { worlds: self.worlds(60)? });
        }
        let from = self.number("--from")?.unwrap_or_default();
        let end = from.checked_add(self.worlds(2_000)?).ok_or("there are not so many seeds")?;
        Ok(Wanted::Worlds { seeds: from..end, is_long: self.flags.remove("--long") })
    }

    /// As a shrunk plan says.
    fn plan(&mut self, seed: u64) -> Result<Plan, String> {
        let mut plan = Plan::of(seed);
        for (name, place) in plan.numbers() {
            *place = self.number(name)?.unwrap_or(*place);
        }
        if let Some(crash) = self.values.remove("--crash") {
            plan.crash = Some(crash.parse().map_err(|error| format!("--crash {crash}: {error}"))?);
        }
        Ok(plan)
    }

    fn worlds(&mut self, unless_said: u64) -> Result<u64, String> {
        match self.number("--seeds")? {
            Some(0) => Err("no world at all shows nothing".to_owned()),
            said => Ok(said.unwrap_or(unless_said)),
        }
    }

    fn number(&mut self, name: &str) -> Result<Option<u64>, String> {
        let Some(value) = self.values.remove(name) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| format!("{name} {value}: that is no number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fatura_simulation::Crash;

    fn read(text: &str) -> Result<Wanted, String> {
        Wanted::read(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn each_way_to_ask_is_understood() {
        let crash: Crash = "refund:3:after".parse().unwrap();
        let plan = Plan { steps: 20, crash: Some(crash), ..Plan::of(7) };
        let all = [
            ("", Wanted::Worlds { seeds: 0..2_000, is_long: false }),
            ("--seeds 5 --from 3 --long", Wanted::Worlds { seeds: 3..8, is_long: true }),
            ("--seed 7", Wanted::Replay { plan: Plan::of(7), is_whole: false }),
            ("--seed 7 --steps 20 --crash refund:3:after --trace", Wanted::Replay { plan, is_whole: true }),
            ("--seeds 4 --crashes", Wanted::Crashes { worlds: 4 }),
            ("--bugs --seeds 9 HeldIsSent", Wanted::Bugs { seeds: 9, names: vec!["HeldIsSent".to_owned()] }),
        ];
        for (text, wanted) in all {
            assert_eq!(read(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_it_was() {
        for (text, named) in [
            ("--seed x", "--seed x"),
            ("--seed", "--seed of what?"),
            ("--seed --trace", "--seed --trace"),
            ("--seed 7 --seed 8", "--seed is said twice"),
            ("--seed 7 --step 20", "--step"),
            ("--seed 7 --steps -1", "--steps -1"),
            ("--seed 7 --crash refund:x:after", "--crash refund:x:after"),
            ("--seed 7 --crash refnud:3:after", "refnud"),
            ("--seed 7 --from 3", "--from"),
            ("--seeds 0", "no world"),
            ("--seeds 2 --from 18446744073709551615", "seeds"),
            ("--crashes --long", "--long"),
            ("--trace", "--trace"),
            ("seven", "seven"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
