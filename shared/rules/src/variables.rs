//! A charge's facts as the language's variables.

use cel::{Context, Env, Value};
use fatura_domain::risk::{Blocklists, FACTS, FactValue, Facts};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Each fact twice: by its whole name, which is looked up first and so found at once, and in a map of its group, which is what
/// `has(…)` asks. What is absent is in neither.
pub(crate) fn variables(env: Arc<Env>, facts: &Facts, blocklists: &Blocklists) -> Context<'static, 'static> {
    let mut groups: BTreeMap<&str, HashMap<&str, Value>> = BTreeMap::new();
    let mut context = Context::with_env(env);
    for fact in &FACTS {
        let (group, member) = fact.path();
        let members = groups.entry(group).or_default();
        if let Some(value) = fact.read(facts, blocklists) {
            let value = value_of(value);
            context.add_variable_from_value(fact.name, value.clone());
            members.insert(member, value);
        }
    }
    for (group, members) in groups {
        context.add_variable_from_value(group, members);
    }
    context
}

fn value_of(value: FactValue) -> Value {
    match value {
        FactValue::Integer(number) => Value::Int(number),
        FactValue::Text(text) => Value::String(Arc::new(text)),
        FactValue::Truth(truth) => Value::Bool(truth),
    }
}
