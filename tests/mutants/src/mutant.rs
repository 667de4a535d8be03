use proc_macro2::LineColumn;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};

/// What cargo-mutants tells of a mutant, as far as it takes to make it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Mutant {
    pub(crate) file: String,
    pub(crate) genre: Genre,
    /// What is there instead; nothing where something is taken away.
    pub(crate) replacement: String,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub(crate) enum Genre {
    /// A function that does nothing and returns that.
    FnValue,
    BinaryOperator,
    UnaryOperator,
    /// An arm is taken away, of a match that has one for everything else.
    MatchArm,
    MatchArmGuard,
    /// A member is taken away where a base has it, too.
    StructField,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Span {
    pub(crate) start: Place,
}

/// Both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl From<LineColumn> for Place {
    fn from(LineColumn { line, column }: LineColumn) -> Self {
        Self { line, column: column + 1 }
    }
}

/// What the compiler refused, found out by asking it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct LeftOut {
    pub(crate) mutants: BTreeSet<usize>,
    /// Those that constants call, as `Type::function`: a switch is no constant.
    pub(crate) functions: BTreeSet<String>,
}

/// The mutants of one file, by what they change and where.
#[derive(Debug, Default)]
pub(crate) struct Mutants(HashMap<(Genre, Place), Vec<Replacement>>);

#[derive(Debug, Clone)]
pub(crate) struct Replacement {
    pub(crate) id: usize,
    pub(crate) text: String,
}

impl Mutants {
    pub(crate) fn add(&mut self, id: usize, mutant: &Mutant) {
        let there = self.0.entry((mutant.genre, mutant.span.start)).or_default();
        there.push(Replacement { id, text: mutant.replacement.clone() });
    }

    pub(crate) fn at(&self, genre: Genre, place: impl Into<Place>) -> Vec<Replacement> {
        self.0.get(&(genre, place.into())).cloned().unwrap_or_default()
    }
}
