//! The types of an expression, and with them the part of the language that rules may use: no loops, no fractions, nothing
//! of which it can't be told beforehand what it will be. What isn't named here is refused.

use crate::words::{mismatch, sign_of};
use cel::common::ast::{CallExpr, Expr, IdedExpr, ListExpr, LiteralValue, SelectExpr, operators as op};
use fatura_domain::risk::{FACTS, Fact, FactKind};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    One(FactKind),
    /// All of one kind.
    ListOf(FactKind),
}

const INTEGER: Type = Type::One(FactKind::Integer);
const TEXT: Type = Type::One(FactKind::Text);
const TRUTH: Type = Type::One(FactKind::Truth);

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(kind) => f.write_str(kind.as_str()),
            Self::ListOf(kind) => write!(f, "list({})", kind.as_str()),
        }
    }
}

/// Everything that is wrong with an expression as a rule's question, which has to come to a bool.
pub(crate) fn check(tree: &IdedExpr) -> Vec<String> {
    let mut checker = Checker::default();
    match checker.type_of(tree) {
        Some(TRUTH) | None => {}
        Some(other) => checker.faults.push(format!("must come to a bool, and comes to {other}")),
    }
    checker.faults
}

/// What has no type has a fault already, and makes none above it.
#[derive(Default)]
struct Checker {
    faults: Vec<String>,
}

impl Checker {
    fn fault(&mut self, fault: impl Into<String>) -> Option<Type> {
        self.faults.push(fault.into());
        None
    }

    fn type_of(&mut self, tree: &IdedExpr) -> Option<Type> {
        match &tree.expr {
            Expr::Literal(literal) => self.of_literal(literal),
            Expr::Ident(name) => self.of_bare_name(name),
            Expr::Select(select) => self.of_fact(select),
            Expr::List(list) => self.of_list(list),
            Expr::Call(call) => self.of_call(call),
            Expr::Comprehension(_) => self.fault("there are no loops (all, exists, map, filter): use in"),
            Expr::Map(_) | Expr::Struct(_) => self.fault("there are no maps and no messages"),
            Expr::Unspecified => self.fault("is not an expression"),
        }
    }

    fn of_literal(&mut self, literal: &LiteralValue) -> Option<Type> {
        match literal {
            LiteralValue::Int(_) => Some(INTEGER),
            LiteralValue::String(_) => Some(TEXT),
            LiteralValue::Boolean(_) => Some(TRUTH),
            LiteralValue::Double(_) => self.fault("there are no fractions: amounts are whole minor units"),
            LiteralValue::UInt(_) => self.fault("integers are written without u"),
            LiteralValue::Bytes(_) => self.fault("there are no bytes"),
            LiteralValue::Null => self.fault("there is no null: ask has(…) for what may be absent"),
        }
    }

    /// The only things with a name are facts, and every fact is a member of a group.
    fn of_bare_name(&mut self, name: &str) -> Option<Type> {
        let members: Vec<&str> =
            FACTS.iter().filter(|fact| fact.path().0 == name).map(|fact| fact.name).collect();
        if members.is_empty() {
            self.fault(format!("there is no fact {name}"))
        } else {
            self.fault(format!("{name} is a group of facts: {}", members.join(", ")))
        }
    }

    fn of_fact(&mut self, select: &SelectExpr) -> Option<Type> {
        let Some(name) = name_of(select) else {
            return self.fault(format!("there is nothing to take .{} of", select.field));
        };
        match Fact::named(&name) {
            Some(_) if select.test => Some(TRUTH),
            Some(fact) => Some(Type::One(fact.kind)),
            None => self.fault(format!("there is no fact {name}")),
        }
    }

    fn of_list(&mut self, list: &ListExpr) -> Option<Type> {
        let mut kinds = Vec::with_capacity(list.elements.len());
        for element in self.types_of(&list.elements)? {
            match element {
                Type::One(kind) => kinds.push(kind),
                Type::ListOf(_) => return self.fault("there are no lists of lists"),
            }
        }
        let Some(first) = kinds.first() else { return self.fault("an empty list holds nothing") };
        match kinds.iter().find(|kind| *kind != first) {
            None => Some(Type::ListOf(*first)),
            Some(other) => {
                self.fault(format!("a list must not hold both {} and {}", first.as_str(), other.as_str()))
            }
        }
    }

    fn of_call(&mut self, call: &CallExpr) -> Option<Type> {
        let types = self.types_of(call.target.as_deref().into_iter().chain(&call.args))?;
        let name = call.func_name.as_str();
        let result = if call.target.is_some() { of_method(name, &types) } else { of_operator(name, &types) };
        if result.is_some() {
            return result;
        }
        match sign_of(name) {
            Some(sign) => self.fault(mismatch(sign, &types)),
            None => self.fault(format!("there is no function {name}")),
        }
    }

    /// Of all, so that each has its faults told.
    fn types_of<'a>(&mut self, trees: impl IntoIterator<Item = &'a IdedExpr>) -> Option<Vec<Type>> {
        let types: Vec<Option<Type>> = trees.into_iter().map(|tree| self.type_of(tree)).collect();
        types.into_iter().collect()
    }
}

/// The fact that a selection asks for, by its two names.
pub(crate) fn name_of(select: &SelectExpr) -> Option<String> {
    match &select.operand.expr {
        Expr::Ident(group) => Some(format!("{group}.{}", select.field)),
        _ => None,
    }
}

fn of_method(name: &str, types: &[Type]) -> Option<Type> {
    match (name, types) {
        ("startsWith" | "endsWith" | "contains", [TEXT, TEXT]) => Some(TRUTH),
        ("size", [TEXT | Type::ListOf(_)]) => Some(INTEGER),
        _ => None,
    }
}

fn of_operator(name: &str, types: &[Type]) -> Option<Type> {
    match (name, types) {
        (op::EQUALS | op::NOT_EQUALS, [Type::One(left), Type::One(right)]) if left == right => Some(TRUTH),
        // Texts have an order, too, but "9.00" comes after "10.00" in it: nobody means that.
        (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [INTEGER, INTEGER])
        | (op::LOGICAL_AND | op::LOGICAL_OR, [TRUTH, TRUTH])
        | (op::LOGICAL_NOT, [TRUTH]) => Some(TRUTH),
        (op::IN, [Type::One(one), Type::ListOf(many)]) if one == many => Some(TRUTH),
        (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO, [INTEGER, INTEGER])
        | (op::NEGATE, [INTEGER])
        | ("size", [TEXT | Type::ListOf(_)]) => Some(INTEGER),
        (op::CONDITIONAL, [TRUTH, left, right]) if left == right => Some(*left),
        _ => None,
    }
}
