//! Inputs made of others: bytes changed anywhere, words that mean something put in, JSON changed where it stands.

mod json;

use fatura_application::ports::Entropy;
use fatura_testkit::SeededEntropy;

/// Numbers at which something begins or ends.
const NUMBERS: [&str; 20] = [
    "0",
    "-0",
    "-1",
    "1",
    "0.1",
    "0.00000000000000000000000000001",
    "1e30",
    "1E-400",
    "0.5e-9223372036854775807",
    "1e9223372036854775807",
    "255",
    "256",
    "65536",
    "2147483648",
    "4294967296",
    "9007199254740991",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
];
/// Texts that readers have stumbled over.
const TEXTS: [&str; 16] = [
    "", " ", "\0", "\u{feff}", "\u{202e}", "é", "e\u{301}", "💸", "\r\n", "%00", "%2F..%2F", "../", "'",
    "\"", "\\u0000", "\\ud800",
];
/// What an input may come to: beyond what any reader takes, and little enough for many tries.
pub(crate) const LONGEST: usize = 300 * 1024;
/// Of one piece that is repeated; a body of 256 KiB is refused.
const MOST_REPEATED: usize = 280 * 1024;

#[derive(Debug)]
pub(crate) struct Mutator {
    chance: SeededEntropy,
    words: Vec<Vec<u8>>,
}

impl Mutator {
    pub(crate) fn new(seed: u64, words: Vec<Vec<u8>>) -> Self {
        let known = NUMBERS.iter().chain(&TEXTS).map(|text| text.as_bytes().to_vec());
        Self { chance: SeededEntropy::new(seed), words: known.chain(words).collect() }
    }

    /// Below `end`, which is greater than zero.
    pub(crate) fn below(&self, end: usize) -> usize {
        usize::try_from(self.chance.bits() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_in(&self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Another input, of one that is interesting and parts of a second one.
    pub(crate) fn mutate(&self, base: &[u8], other: &[u8]) -> Vec<u8> {
        let mut input = base.to_vec();
        for _ in 0..=self.below(4) {
            // Half of them keep the JSON whole: bytes alone would rarely get past its reader.
            if self.one_in(2) && self.mutate_json(&mut input) {
                continue;
            }
            self.mutate_bytes(&mut input, other);
        }
        input.truncate(LONGEST);
        input
    }

    fn mutate_bytes(&self, input: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(input.len() + 1);
        let until = (at + 1 + self.below(16)).min(input.len());
        let until = until.max(at);
        match self.below(9) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = *self.pick(&[0, 9, 10, 13, 32, 34, 92, 127, 128, 255]),
            2 => drop(input.drain(at..until)),
            3 => self.repeat(input, at, until),
            4 => {
                let from = self.below(other.len() + 1);
                let piece = &other[from..(from + self.below(64)).min(other.len())];
                input.splice(at..at, piece.iter().copied());
            }
            5 => self.replace_number(input, at),
            6 => drop(input.splice(at..until, self.pick(&self.words).iter().copied())),
            7 => input.truncate(at),
            _ => drop(input.splice(at..at, self.pick(&self.words).iter().copied())),
        }
    }

    /// Twice mostly; now and then as often as fits.
    fn repeat(&self, input: &mut Vec<u8>, from: usize, until: usize) {
        let piece = input[from..until].to_vec();
        let most = MOST_REPEATED / piece.len().max(1);
        let times = if self.one_in(50) { self.below(most) } else { 1 + self.below(3) };
        input.splice(from..from, piece.repeat(times));
    }

    /// The next number from here on, where there is one.
    fn replace_number(&self, input: &mut Vec<u8>, from: usize) {
        let Some(start) = input[from..].iter().position(u8::is_ascii_digit) else { return };
        let start = from + start;
        let length = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        input.splice(start..start + length, self.pick(&NUMBERS).bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_inputs_and_another_one_others() {
        let inputs = |seed| {
            let mutator = Mutator::new(seed, vec![b"word".to_vec()]);
            (0..50).map(|_| mutator.mutate(br#"{"a": [1, "b"]}"#, b"other")).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
    }

    #[test]
    fn nothing_grows_without_end() {
        let mutator = Mutator::new(3, Vec::new());
        let mut input = b"0123456789".to_vec();
        for _ in 0..2_000 {
            input = mutator.mutate(&input, b"0123456789");
            assert!(input.len() <= LONGEST);
        }
    }
}
