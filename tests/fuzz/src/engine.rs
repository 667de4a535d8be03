//! Tries one input after the other until something is found, or enough was tried.

use crate::coverage::Reached;
use crate::mutate::{LONGEST, Mutator};
use crate::targets::{Subject, Target};
use crate::{corpus, memory, panics};
use std::fmt;
use std::path::PathBuf;

/// Of what is changed further: a long input is slow and hides what matters in it.
const LONGEST_KEPT: usize = 8 * 1024;
const MOST_KEPT: usize = 10_000;

/// A target at work.
#[derive(Debug)]
pub struct Fuzzer {
    target: &'static Target,
    subject: Subject,
    mutator: Mutator,
    pool: Vec<Vec<u8>>,
    reached: Reached,
    tried: u64,
}

/// What was done.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    pub tried: u64,
    /// Inputs that are changed further: the seeds, and what reached something new.
    pub kept: usize,
    /// None: this build doesn't count them.
    pub branches: Option<usize>,
}

/// An input that must not do what it did.
#[derive(Debug)]
pub struct Found {
    pub target: &'static str,
    pub why: String,
    pub input: Vec<u8>,
    /// Whether it does the same to a subject that has seen nothing else.
    pub is_alone: bool,
}

impl Fuzzer {
    pub fn new(target: &'static Target, seed: u64) -> Self {
        let mut pool = corpus::seeds(target.name);
        pool.extend((target.seeds)());
        assert!(!pool.is_empty(), "{} has no seeds", target.name);
        Self {
            target,
            subject: (target.open)(),
            mutator: Mutator::new(seed, (target.words)()),
            pool,
            reached: Reached::default(),
            tried: 0,
        }
    }

    /// Every seed as it is.
    pub fn try_seeds(&mut self) -> Result<(), Found> {
        for seed in self.pool.clone() {
            self.attempt(&seed)?;
        }
        Ok(())
    }

    /// Changed inputs, for as long as it is told to go on after so many.
    pub fn run(&mut self, mut goes_on: impl FnMut(u64) -> bool) -> Result<(), Found> {
        let mut done = 0;
        while goes_on(done) {
            let (base, other) = (self.mutator.pick(&self.pool), self.mutator.pick(&self.pool));
            let input = self.mutator.mutate(base, other);
            let is_new = self.attempt(&input)?;
            if is_new && input.len() <= LONGEST_KEPT && self.pool.len() < MOST_KEPT {
                self.pool.push(input);
            }
            done += 1;
        }
        Ok(())
    }

    pub fn tally(&self) -> Tally {
        let branches = Some(self.reached.branches()).filter(|branches| *branches > 0);
        Tally { tried: self.tried, kept: self.pool.len(), branches }
    }

    /// Whether it reached something new.
    pub fn attempt(&mut self, input: &[u8]) -> Result<bool, Found> {
        if self.tried > 0 && self.tried.is_multiple_of(self.target.inputs_a_subject) {
            self.subject = (self.target.open)();
        }
        self.tried += 1;
        Reached::begin();
        let Err(why) = self.try_once(input) else { return Ok(self.reached.is_new()) };
        self.subject = (self.target.open)();
        let is_alone = self.try_once(input).is_err();
        Err(Found { target: self.target.name, why, input: input.to_vec(), is_alone })
    }

    fn try_once(&mut self, input: &[u8]) -> Result<(), String> {
        let input = &input[..input.len().min(LONGEST)];
        let (most, ended) = memory::measured(|| panics::caught(|| self.subject.look_at(input)));
        ended?;
        if most > self.target.most_memory {
            return Err(format!("held {most} bytes, and may hold {}", self.target.most_memory));
        }
        Ok(())
    }
}

impl Found {
    /// Puts the input into a file, for [`crate::Fuzzer::attempt`] and, once it is mended, for the corpus.
    pub fn keep(&self) -> std::io::Result<PathBuf> {
        corpus::keep(self.target, &self.input)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = if self.is_alone { "again when it is alone" } else { "only after those before it" };
        let shown = String::from_utf8_lossy(&self.input[..self.input.len().min(4_000)]);
        write!(f, "{}: {}\n{} bytes, {again}:\n{shown}", self.target, self.why, self.input.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static QUIET: Target = Target {
        name: "quiet",
        tries: 0,
        most_memory: 1 << 20,
        inputs_a_subject: 10,
        words: Vec::new,
        seeds: || vec![br#"{"amount": 1}"#.to_vec()],
        open: || Subject::new(|_| ()),
    };
    static FRAIL: Target = Target {
        open: || Subject::new(|input| assert!(!input.ends_with(br#"{"amount":9007199254740993}"#))),
        ..QUIET
    };
    static GREEDY: Target = Target {
        open: || Subject::new(|input| drop(vec![0_u8; if input.starts_with(b"{") { 1 } else { 2 << 20 }])),
        ..QUIET
    };
    static FORGETFUL: Target = Target {
        open: || {
            let mut seen = 0;
            Subject::new(move |_| {
                seen += 1;
                assert!(seen < 5, "the fifth");
            })
        },
        ..QUIET
    };

    fn found(target: &'static Target) -> Found {
        Fuzzer::new(target, 7).run(|done| done < 20_000).unwrap_err()
    }

    #[test]
    fn what_panics_is_found_with_its_input() {
        let found = found(&FRAIL);
        assert!(found.is_alone && found.input.ends_with(b"9007199254740993}"), "{found}");
    }

    #[test]
    fn what_costs_too_much_is_found() {
        assert!(found(&GREEDY).why.contains("may hold 1048576"));
    }

    #[test]
    fn what_follows_from_earlier_inputs_is_said_to() {
        let found = found(&FORGETFUL);
        assert!(!found.is_alone && found.why.contains("the fifth"), "{found}");
    }

    #[test]
    fn what_nothing_is_wrong_with_is_tried_as_often_as_asked() {
        let mut fuzzer = Fuzzer::new(&QUIET, 7);
        fuzzer.try_seeds().unwrap();
        fuzzer.run(|done| done < 100).unwrap();
        assert_eq!((fuzzer.tally().tried, fuzzer.tally().branches), (101, None));
    }
}
