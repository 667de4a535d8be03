//! Facts that may be absent, and whether an expression asks before it reads them. Reading one that is absent makes the rule
//! fail, and the charge is held: better told when the rule is put than by the charges that are held for nothing.

use crate::types::name_of;
use cel::common::ast::{CallExpr, Expr, IdedExpr, operators as op};
use fatura_domain::risk::Fact;
use std::collections::BTreeSet;

/// Facts, by name.
type Known = BTreeSet<&'static str>;

/// What the expression reads without having asked for it.
pub(crate) fn check(tree: &IdedExpr) -> Vec<String> {
    let mut unasked = BTreeSet::new();
    read(tree, &Known::new(), &mut unasked);
    unasked.into_iter().map(|name| format!("{name} may be absent: ask has({name}) && … first")).collect()
}

fn read(tree: &IdedExpr, known: &Known, unasked: &mut Known) {
    match &tree.expr {
        Expr::Select(select) if !select.test => {
            let fact = name_of(select).and_then(|name| Fact::named(&name));
            let absent = fact.filter(|fact| fact.may_be_absent && !known.contains(fact.name));
            unasked.extend(absent.map(|fact| fact.name));
        }
        Expr::Call(call) => read_call(call, known, unasked),
        Expr::List(list) => list.elements.iter().for_each(|element| read(element, known, unasked)),
        _ => {}
    }
}

fn read_call(call: &CallExpr, known: &Known, unasked: &mut Known) {
    match (call.func_name.as_str(), call.args.as_slice()) {
        // A side that decides the whole by itself excuses a failure of the other, whichever comes first.
        (name @ (op::LOGICAL_AND | op::LOGICAL_OR), [left, right]) => {
            let undecided = name == op::LOGICAL_AND;
            read(left, &union(known, &proved(right, undecided)), unasked);
            read(right, &union(known, &proved(left, undecided)), unasked);
        }
        (op::CONDITIONAL, [condition, then, otherwise]) => {
            read(condition, known, unasked);
            read(then, &union(known, &proved(condition, true)), unasked);
            read(otherwise, &union(known, &proved(condition, false)), unasked);
        }
        _ => call.target.as_deref().into_iter().chain(&call.args).for_each(|tree| read(tree, known, unasked)),
    }
}

/// The facts that are there if the expression comes to this answer.
fn proved(tree: &IdedExpr, answer: bool) -> Known {
    match &tree.expr {
        Expr::Select(select) if select.test && answer => {
            name_of(select).and_then(|name| Fact::named(&name)).map(|fact| fact.name).into_iter().collect()
        }
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (op::LOGICAL_NOT, [negated]) => proved(negated, !answer),
            (name @ (op::LOGICAL_AND | op::LOGICAL_OR), [left, right]) => {
                let (left, right) = (proved(left, answer), proved(right, answer));
                let needs_both = (name == op::LOGICAL_AND) == answer;
                if needs_both { union(&left, &right) } else { left.intersection(&right).copied().collect() }
            }
            _ => Known::new(),
        },
        _ => Known::new(),
    }
}

fn union(some: &Known, others: &Known) -> Known {
    some.union(others).copied().collect()
}
