//! From text to a tree, with bounds that hold before the parser sees the text and after.

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::parser::{ParseErrors, PrattParser};

/// Characters by which an expression nests. The parser goes one deeper on its stack for each, whatever its own limit says
/// of brackets; quoted ones count too, as telling them apart would take a parser.
const NESTING: &[char] = &['(', '[', '{', '!', '-', '?'];
const MOST_NESTING: usize = 100;
const MOST_PARSER_DEPTH: u16 = 24;
/// So deep may a tree be. Those who walk it do so on their stack.
const MOST_DEPTH: usize = 24;
/// So large may loops make the tree before they are refused. Without them it is no larger than its text, nor slower.
const MOST_EXPANDED: usize = 1_000;

/// Reads an expression. What is wrong with it is said in words for who wrote it.
pub(crate) fn parse(text: &str) -> Result<IdedExpr, String> {
    if text.chars().filter(|character| NESTING.contains(character)).count() > MOST_NESTING {
        return Err(format!("must have at most {MOST_NESTING} brackets and signs such as ! - ?"));
    }
    let parser =
        PrattParser::new().max_recursion_depth(MOST_PARSER_DEPTH).max_expression_node_count(MOST_EXPANDED);
    let tree = parser.parse(text).map_err(|errors| first_of(&errors))?;
    if depth_exceeds(&tree, MOST_DEPTH) {
        return Err(format!("must nest at most {MOST_DEPTH} deep"));
    }
    Ok(tree)
}

/// One is enough: what follows is mostly the parser's confusion about the first.
fn first_of(errors: &ParseErrors) -> String {
    let Some(first) = errors.errors.first() else { return "is not an expression".to_owned() };
    let (line, column) = first.pos;
    let message = first.msg.trim_start_matches("Syntax error: ");
    if line > 0 { format!("line {line}, column {column}: {message}") } else { message.to_owned() }
}

fn depth_exceeds(tree: &IdedExpr, most: usize) -> bool {
    let Some(most) = most.checked_sub(1) else { return true };
    children(&tree.expr).into_iter().any(|child| depth_exceeds(child, most))
}

fn children(expr: &Expr) -> Vec<&IdedExpr> {
    match expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Comprehension(all) => {
            vec![&all.iter_range, &all.accu_init, &all.loop_cond, &all.loop_step, &all.result]
        }
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_children(&entry.expr)).collect(),
        Expr::Struct(made) => made.entries.iter().flat_map(|entry| entry_children(&entry.expr)).collect(),
    }
}

fn entry_children(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}
