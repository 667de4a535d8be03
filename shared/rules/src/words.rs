//! How the language's operators are written, for those who are told that they used one wrongly.

use crate::types::Type;
use cel::common::ast::operators as op;

/// What a function or operator that rules may use is called in an expression.
pub(crate) fn sign_of(name: &str) -> Option<&str> {
    match name {
        op::CONDITIONAL => Some("? :"),
        op::IN => Some("in"),
        "startsWith" | "endsWith" | "contains" | "size" => Some(name),
        op::LOGICAL_AND
        | op::LOGICAL_OR
        | op::LOGICAL_NOT
        | op::EQUALS
        | op::NOT_EQUALS
        | op::LESS
        | op::LESS_EQUALS
        | op::GREATER
        | op::GREATER_EQUALS
        | op::ADD
        | op::SUBSTRACT
        | op::MULTIPLY
        | op::DIVIDE
        | op::MODULO
        | op::NEGATE => Some(name.trim_matches('_')),
        _ => None,
    }
}

pub(crate) fn mismatch(sign: &str, types: &[Type]) -> String {
    let types: Vec<String> = types.iter().map(Type::to_string).collect();
    format!("{sign} has no meaning for {}", types.join(" and "))
}
