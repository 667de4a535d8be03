//! A charge's facts as the language's variables.

use cel::{Context, Env, Value};
use fatura_domain::risk::{Blocklists, FACTS, FactValue, Facts};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// One map a group of facts. What is absent isn't in it, so that `has(…)` says so.
pub(crate) fn variables(env: Arc<Env>, facts: &Facts, blocklists: &Blocklists) -> Context<'static, 'static> {
    let mut groups: BTreeMap<&str, HashMap<&str, Value>> = BTreeMap::new();
    for fact in &FACTS {
        let (group, member) = fact.path();
        let members = groups.entry(group).or_default();
        if let Some(value) = fact.read(facts, blocklists) {
            members.insert(member, value_of(value));
        }
    }
    let mut context = Context::with_env(env);
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
