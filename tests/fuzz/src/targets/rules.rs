//! Expressions of risk rules: understood or refused, and asked about the engine's own samples on the way.

use super::{Subject, Target, bytes_of};
use fatura_domain::risk::{Decision, Effect, Expression, FACTS, Rule, RuleName, RuleSet};
use fatura_rules::RuleEngine;

pub(super) const TARGET: Target = Target { tries: 2_000, ..Target::pure("rules", words, open) };

fn words() -> Vec<Vec<u8>> {
    let facts = FACTS.iter().map(|fact| fact.name.as_bytes().to_vec());
    let signs = bytes_of(&[
        "(", ")", "[", "]", "!", "-", "?", ":", " && ", " || ", " == ", " < ", " in ", "has(", "'''", "r'",
        "size(", ".all(x, ", "`",
    ]);
    facts.chain(signs).collect()
}

fn open() -> Subject {
    let engine = RuleEngine::new();
    Subject::new(move |input| {
        let Ok(expression) = Expression::parse(&String::from_utf8_lossy(input)) else { return };
        let effect = Effect::Decide(Decision::Decline);
        let rule = Rule { name: RuleName::parse("it").unwrap(), expression, effect };
        let set = RuleSet { rules: vec![rule], ..RuleSet::default() };
        match engine.compile(1, &set) {
            Ok(compiled) => assert_eq!(compiled.edition(), 1),
            Err(faults) => assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.reason.is_empty())),
        }
        engine.load(1, &set);
    })
}
