//! What becomes of a charge when rules fail, and when they are older than the release.

use crate::charge::{usual, with};
use crate::{compile, found, question, rule, set};
use fatura_domain::risk::{Decision, Effect, Finding, Needs, Reason};
use fatura_rules::{Compiled, RuleEngine};

/// A failure that no sample meets: only between what is tried is the divisor nothing.
const FAILS_AT_FIVE: &str = "1 / (velocity.attempts_hour - 5) > 0";

#[test]
fn a_rule_that_fails_at_a_charge_holds_it() {
    let rules = set(vec![
        rule("fragile", FAILS_AT_FIVE, Effect::Score(10)),
        rule("friend", "true", Effect::Decide(Decision::Approve)),
    ]);
    let rules = compile(&rules).unwrap();
    assert_eq!(rules.assess(&usual()).decision, Decision::Approve);
    let held = rules.assess(&with(usual(), "velocity.attempts_hour", Some("5")));
    assert_eq!(held.decision, Decision::Review);
    let reasons: Vec<String> = held.reasons.iter().map(Reason::to_string).collect();
    assert_eq!(reasons, ["rule_failed:fragile", "friend:approve"]);
}

#[test]
fn a_failure_that_decides_nothing_is_none() {
    let rules = compile(&question(&format!("{FAILS_AT_FIVE} || true"))).unwrap();
    assert_eq!(found(&rules, &with(usual(), "velocity.attempts_hour", Some("5"))), Finding::Holds);
}

#[test]
fn rules_of_an_older_release_that_are_not_understood_hold_charges_and_the_others_still_decide() {
    let older = set(vec![
        rule("gone", "customer.shoe_size > 40", Effect::Score(1)),
        rule("many", "velocity.cards_day > 2", Effect::Decide(Decision::Decline)),
        rule("broken", "1 +", Effect::Score(1)),
        rule("no_bool", "1 + 1", Effect::Score(1)),
    ]);
    let rules = RuleEngine::new().load(4, &older);
    let held = rules.assess(&usual());
    assert_eq!((held.decision, held.edition), (Decision::Review, 4));
    let reasons: Vec<String> = held.reasons.iter().map(Reason::to_string).collect();
    assert_eq!(reasons, ["rule_failed:gone", "rule_failed:broken", "rule_failed:no_bool"]);
    let declined = rules.assess(&with(usual(), "velocity.cards_day", Some("3")));
    assert_eq!(declined.decision, Decision::Decline);
}

#[test]
fn no_rules_approve() {
    let assessment = compile(&set(vec![])).unwrap().assess(&usual());
    assert_eq!((assessment.decision, assessment.score, assessment.reasons), (Decision::Approve, 0, vec![]));
}

#[test]
fn rules_need_what_they_mention_and_nothing_else() {
    let needs = |expression| compile(&question(expression)).unwrap().needs();
    let nothing = Needs::default();
    assert_eq!(needs("amount.minor > 5 && customer.id != 'x' && !blocked.customer"), nothing);
    let person = Needs { person: true, ..nothing };
    assert_eq!(needs("blocked.country"), person);
    assert_eq!(needs("has(customer.country) || customer.email.endsWith('x')"), person);
    let counted = Needs { payments: true, disputes: true, velocity: true, person: false };
    let many = "(customer.payments in [1, customer.disputes] ? velocity.cards_day : 0) > 1";
    assert_eq!(needs(many), counted);
}

#[test]
fn compiled_rules_are_shared_by_those_who_charge() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Compiled>();
    shared::<RuleEngine>();
}
