use super::{Plan, Routing, Settings};
use crate::gateway::{GatewayName, MeansType};
use crate::money::Money;

/// One thing that is wrong with a plan, by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFault {
    pub field: String,
    pub reason: String,
}

const MOST_RULES: usize = 100;

impl Plan {
    /// Everything that is wrong with it. None: it may be used. A type of payment that some enabled gateway takes must find
    /// one wherever a rule sends it, or a charge would come to nothing only when it is made.
    pub fn faults(&self) -> Vec<PlanFault> {
        let Routing { rules, default } = &self.routing;
        let mut faults = Vec::new();
        if rules.len() > MOST_RULES {
            faults.push(fault("rules", format!("must have at most {MOST_RULES} entries")));
        }
        for (index, rule) in rules.iter().enumerate() {
            let field = format!("rules[{index}].gateways");
            let currency = rule.when.currency.or(rule.when.min_amount.map(Money::currency));
            let wanted = rule.when.means.map_or_else(|| self.taken(), |means| vec![means]);
            let takes = |settings: &Settings, means| {
                currency.map_or_else(
                    || settings.enabled && settings.means.contains(&means),
                    |currency| settings.takes(means, currency),
                )
            };
            faults.extend(self.unknown(&field, &rule.gateways));
            faults.extend(self.left_out(&field, &rule.gateways, &wanted, takes));
            if rule.when.min_amount.is_some_and(|min| rule.when.currency.is_some_and(|c| c != min.currency()))
            {
                faults.push(fault(
                    &format!("rules[{index}].match.min_amount"),
                    "must be in the match's currency",
                ));
            }
        }
        faults.extend(self.unknown("default", default));
        if !default.is_empty() {
            let takes = |settings: &Settings, means| settings.enabled && settings.means.contains(&means);
            faults.extend(self.left_out("default", default, &self.taken(), takes));
        }
        faults
    }

    /// The types of payment that some gateway is enabled for.
    fn taken(&self) -> Vec<MeansType> {
        let enabled = |means: &MeansType| {
            self.gateways.iter().any(|settings| settings.enabled && settings.means.contains(means))
        };
        MeansType::ALL.into_iter().filter(enabled).collect()
    }

    fn unknown(&self, field: &str, names: &[GatewayName]) -> Vec<PlanFault> {
        if names.is_empty() && field != "default" {
            return vec![fault(field, "must name at least one gateway")];
        }
        let unknown = names.iter().filter(|name| self.settings(name).is_none());
        unknown.map(|name| fault(field, format!("{name} is not a gateway of this deployment"))).collect()
    }

    fn left_out(
        &self,
        field: &str,
        names: &[GatewayName],
        wanted: &[MeansType],
        takes: impl Fn(&Settings, MeansType) -> bool,
    ) -> Vec<PlanFault> {
        let is_taken = |means: MeansType| {
            names.iter().filter_map(|name| self.settings(name)).any(|settings| takes(settings, means))
        };
        let left_out = wanted.iter().filter(|means| !is_taken(**means));
        left_out
            .map(|means| {
                fault(field, format!("leave {} with no gateway that is enabled for it", means.as_str()))
            })
            .collect()
    }
}

fn fault(field: &str, reason: impl Into<String>) -> PlanFault {
    PlanFault { field: field.to_owned(), reason: reason.into() }
}
