use crate::mentions::mentioned;
use crate::samples::samples;
use crate::variables::variables;
use crate::{parse, presence, types};
use cel::common::ast::IdedExpr;
use cel::{Context, Env, ExecutionError, Value};
use fatura_application::ports;
use fatura_domain::risk::{Assessment, Blocklists, Expression, Facts, Finding, Needs, RuleFault, RuleSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What understands rules. Made once; it holds the language's own operators and functions, from when there is a rule.
#[derive(Clone, Default)]
pub struct RuleEngine {
    env: OnceLock<Arc<Env>>,
}

/// A rule set of one edition, understood.
pub struct Compiled {
    env: Arc<Env>,
    edition: u64,
    set: RuleSet,
    /// In the order of the rules. None: not understood.
    trees: Vec<Option<IdedExpr>>,
    needs: Needs,
}

impl RuleEngine {
    pub const fn new() -> Self {
        Self { env: OnceLock::new() }
    }

    fn env(&self) -> Arc<Env> {
        let make = || Arc::new(Env::default().with_optional_support(false).with_stdlib());
        Arc::clone(self.env.get_or_init(make))
    }

    /// Understands a rule set that somebody puts, or says everything that is wrong with it, of every rule.
    pub fn compile(&self, edition: u64, set: &RuleSet) -> Result<Compiled, Vec<RuleFault>> {
        let mut faults = set.faults();
        // Too many of them are not worth looking at.
        let rules = set.rules.iter().take(RuleSet::MOST_RULES).enumerate();
        let samples: Vec<Charge> = samples()
            .into_iter()
            .map(|(name, facts)| (name, variables(self.env(), &facts, &Blocklists::default())))
            .collect();
        let mut trees = Vec::with_capacity(set.rules.len());
        for (index, rule) in rules {
            match understand(&rule.expression, &samples) {
                Ok(tree) => trees.push(Some(tree)),
                Err(reasons) => {
                    let field = format!("rules[{index}].expression");
                    faults.extend(reasons.into_iter().map(|reason| RuleFault::new(&field, reason)));
                }
            }
        }
        if faults.is_empty() { Ok(self.compiled(edition, set, trees)) } else { Err(faults) }
    }

    /// Understands a rule set that was accepted before, perhaps by an older release. A rule that is no longer understood
    /// fails at each charge, which is held for review then: neither does it stop all charging, nor does it let all pass.
    pub fn load(&self, edition: u64, set: &RuleSet) -> Compiled {
        let trees = set.rules.iter().map(|rule| read(&rule.expression).ok()).collect();
        self.compiled(edition, set, trees)
    }

    fn compiled(&self, edition: u64, set: &RuleSet, trees: Vec<Option<IdedExpr>>) -> Compiled {
        let needs = Needs::of(trees.iter().flatten().flat_map(mentioned));
        Compiled { env: self.env(), edition, set: set.clone(), trees, needs }
    }
}

/// What a sample is like, and its variables.
type Charge = (&'static str, Context<'static, 'static>);

fn understand(expression: &Expression, samples: &[Charge]) -> Result<IdedExpr, Vec<String>> {
    let tree = read(expression)?;
    let unasked = presence::check(&tree);
    if !unasked.is_empty() {
        return Err(unasked);
    }
    for (name, variables) in samples {
        if let Err(error) = Value::resolve(&tree, variables) {
            return Err(vec![format!("fails where {name}: {}", failure(&error))]);
        }
    }
    Ok(tree)
}

/// Text to a tree of sound types.
fn read(expression: &Expression) -> Result<IdedExpr, Vec<String>> {
    let tree = parse::parse(expression.as_str()).map_err(|fault| vec![fault])?;
    let faults = types::check(&tree);
    if faults.is_empty() { Ok(tree) } else { Err(faults) }
}

impl Compiled {
    pub const fn edition(&self) -> u64 {
        self.edition
    }

    /// What has to be known of a charge before it can be assessed.
    pub const fn needs(&self) -> Needs {
        self.needs
    }

    /// Asks every rule about a charge. No rule's failure keeps another from being asked.
    pub fn assess(&self, facts: &Facts) -> Assessment {
        let context = variables(Arc::clone(&self.env), facts, &self.set.blocklists);
        let findings = self.trees.iter().map(|tree| find(tree.as_ref(), &context));
        self.set.conclude(self.edition, self.set.rules.iter().zip(findings))
    }
}

impl ports::RuleEngine for RuleEngine {
    fn compile(&self, edition: u64, rules: &RuleSet) -> Result<Arc<dyn ports::Judge>, Vec<RuleFault>> {
        Ok(Arc::new(Self::compile(self, edition, rules)?))
    }

    fn load(&self, edition: u64, rules: &RuleSet) -> Arc<dyn ports::Judge> {
        Arc::new(Self::load(self, edition, rules))
    }
}

impl ports::Judge for Compiled {
    fn needs(&self) -> Needs {
        self.needs
    }

    fn assess(&self, facts: &Facts) -> Assessment {
        Self::assess(self, facts)
    }
}

fn failure(error: &ExecutionError) -> String {
    match error {
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "it divides by 0".to_owned()
        }
        ExecutionError::Overflow(..) => "a number grows too large".to_owned(),
        other => other.to_string(),
    }
}

fn find(tree: Option<&IdedExpr>, context: &Context<'_, '_>) -> Finding {
    match tree.map(|tree| Value::resolve(tree, context)) {
        Some(Ok(Value::Bool(true))) => Finding::Holds,
        Some(Ok(Value::Bool(false))) => Finding::DoesNotHold,
        _ => Finding::Failed,
    }
}

impl fmt::Debug for RuleEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleEngine").finish_non_exhaustive()
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").field("edition", &self.edition).finish_non_exhaustive()
    }
}
