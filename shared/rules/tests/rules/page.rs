//! docs/risk-rules.md is true: its facts are those there are, its expressions are taken or refused as it says, and each charge
//! in it is judged as it says.

use crate::{charge, compile, found, question, rule, set};
use fatura_domain::risk::{
    Decision, Effect, EmailDomain, FACTS, Facts, Finding, Reason, RuleSet, Thresholds,
};

const PAGE: &str = include_str!("../../../../docs/risk-rules.md");

/// The cells of each row below the table's head.
fn rows(head: &str) -> Vec<Vec<Vec<&'static str>>> {
    let tables = PAGE.match_indices(head).map(|(at, _)| {
        let lines = PAGE[at..].lines().skip(2).take_while(|line| line.starts_with('|'));
        lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
    });
    let tables: Vec<Vec<Vec<&str>>> = tables.collect();
    assert!(!tables.is_empty(), "the page has no table {head}");
    tables
}

/// What stands between backticks.
fn code(cell: &'static str) -> Vec<&'static str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// A charge as a table tells it: `fact` = value, or absent.
fn told(cell: &'static str) -> Facts {
    if cell == "as usual" {
        return charge::usual();
    }
    cell.split(", ").fold(charge::usual(), |facts, part| {
        let name = code(part)[0];
        let value = part.split_once(" = ").map(|(_, value)| value.trim_matches('`'));
        assert!(value.is_some() || part.ends_with(" absent"), "{part}");
        charge::with(facts, name, value)
    })
}

fn with_the_pages_lists(set: RuleSet) -> RuleSet {
    let mut set = set;
    set.blocklists.email_domains.insert(EmailDomain::parse("spam.example").unwrap());
    set.blocklists.countries.insert("KP".parse().unwrap());
    set
}

#[test]
fn the_facts_are_those_there_are() {
    let told: Vec<String> = rows("| Fact | Type |")[0].iter().map(|cells| cells.join(" | ")).collect();
    let there: Vec<String> = FACTS
        .iter()
        .map(|fact| {
            let absent = if fact.may_be_absent { " yes" } else { "" };
            format!("`{}` | {} |{absent} | {}", fact.name, fact.kind.as_str(), fact.meaning)
        })
        .collect();
    assert_eq!(told, there);
}

#[test]
fn each_expression_answers_as_its_table_says() {
    let expressions: Vec<&str> =
        PAGE.split("```cel\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let tables = rows("| Charge | Answer |");
    assert_eq!(expressions.len(), 8);
    assert_eq!(expressions.len(), tables.len(), "each expression has its charges");
    for (expression, table) in expressions.iter().zip(tables) {
        let rules = compile(&with_the_pages_lists(question(expression))).unwrap();
        for cells in table {
            let expected = match cells[1] {
                "yes" => Finding::Holds,
                "no" => Finding::DoesNotHold,
                other => panic!("{other} is no answer"),
            };
            assert_eq!(found(&rules, &told(cells[0])), expected, "{expression} of {}", cells[0]);
        }
    }
}

#[test]
fn each_charge_is_judged_as_the_page_says() {
    let told_rules = &rows("| Rule | Expression |")[0];
    let rules = told_rules.iter().map(|cells| {
        let effect = match cells[2].split_once(' ').unwrap() {
            ("score", points) => Effect::Score(points.parse().unwrap()),
            (_, decision) => Effect::Decide(decided(decision)),
        };
        rule(code(cells[0])[0], code(cells[1])[0], effect)
    });
    let rules = with_the_pages_lists(set(rules.collect()));
    assert_eq!(rules.thresholds, Thresholds { review: 50, decline: 100 });
    let rules = compile(&rules).unwrap();
    let charges = &rows("| Charge | Decision |")[0];
    assert_eq!(charges.len(), 7);
    for cells in charges {
        let assessment = rules.assess(&told(cells[0]));
        assert_eq!(assessment.decision, decided(cells[1]), "{cells:?}");
        assert_eq!(assessment.score.to_string(), cells[2], "{cells:?}");
        let reasons: Vec<String> = assessment.reasons.iter().map(Reason::to_string).collect();
        assert_eq!(reasons, cells.get(3).map(|cell| code(cell)).unwrap_or_default(), "{cells:?}");
    }
}

fn decided(text: &str) -> Decision {
    Decision::ALL.into_iter().find(|decision| decision.as_str() == text).unwrap()
}

#[test]
fn what_the_page_calls_refused_is_refused_in_its_words() {
    let table = &rows("| Expression | What is said |")[0];
    assert_eq!(table.len(), 10);
    for cells in table {
        let said = compile(&question(code(cells[0])[0])).unwrap_err();
        assert_eq!(said, [format!("rules[0].expression: {}", cells[1])], "{}", cells[0]);
    }
}
