//! Which facts an expression mentions: what nobody asks for isn't looked up.

use crate::types::name_of;
use cel::common::ast::{Expr, IdedExpr};
use fatura_domain::risk::Fact;

pub(crate) fn mentioned(tree: &IdedExpr) -> Vec<&'static Fact> {
    match &tree.expr {
        Expr::Select(select) => name_of(select).and_then(|name| Fact::named(&name)).into_iter().collect(),
        Expr::Call(call) => {
            call.target.as_deref().into_iter().chain(&call.args).flat_map(mentioned).collect()
        }
        Expr::List(list) => list.elements.iter().flat_map(mentioned).collect(),
        _ => Vec::new(),
    }
}
