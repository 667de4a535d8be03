//! Which gateway a charge goes to: what each is used for, and rules that come before their priorities. Data, changed while
//! the system runs; what was charged stays with the gateway that charged it.

mod check;

pub use check::PlanFault;

use crate::customer::{Alternative, KnownCard, PaymentMethod, PaymentSource};
use crate::gateway::{GatewayName, MeansType};
use crate::id::CustomerId;
use crate::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Everything that decides where a charge goes, changed as one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    #[serde(rename = "g")]
    pub gateways: Vec<Settings>,
    #[serde(rename = "r")]
    pub routing: Routing,
}

/// What one gateway is used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    #[serde(rename = "n")]
    pub name: GatewayName,
    #[serde(rename = "on")]
    pub enabled: bool,
    /// Lower comes first.
    #[serde(rename = "p")]
    pub priority: u16,
    #[serde(rename = "m")]
    pub means: Vec<MeansType>,
    /// Empty: all.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub currencies: Vec<Currency>,
    /// Where its credentials lie. None: with the deployment's own.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
}

/// The name or ARN of a secret in Secrets Manager, below a deployment's `gateways/`: never what the secret holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretRef(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must be the name or ARN of a secret whose name has /gateways/ in it, such as fatura/gateways/stripe"
)]
pub struct InvalidSecretRef;

impl SecretRef {
    pub fn parse(text: &str) -> Result<Self, InvalidSecretRef> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@:-".contains(&byte);
        let is_name = text.len() <= 512 && text.bytes().all(is_plain);
        let (before, after) = text.split_once("/gateways/").ok_or(InvalidSecretRef)?;
        if is_name && !before.is_empty() && !after.is_empty() {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSecretRef)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The first that matches decides.
    #[serde(rename = "r", default)]
    pub rules: Vec<Rule>,
    /// Where no rule matches, in this order. Empty: by priority.
    #[serde(rename = "d", default)]
    pub default: Vec<GatewayName>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    #[serde(rename = "w")]
    pub when: Condition,
    #[serde(rename = "g")]
    pub gateways: Vec<GatewayName>,
}

/// Everything that is said has to hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub means: Option<MeansType>,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    #[serde(rename = "cu", default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// In its own currency: an amount of another one never matches.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub min_amount: Option<Money>,
}

/// Why a charge goes to a gateway: by what, and by which edition of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    #[serde(rename = "e")]
    pub edition: u64,
    #[serde(rename = "t")]
    pub there: WhyThere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhyThere {
    /// The rule of this place, from 1.
    #[serde(rename = "r")]
    Rule(u8),
    #[serde(rename = "d")]
    Default,
    #[serde(rename = "p")]
    Priority,
    /// The gateway before it didn't take the order.
    #[serde(rename = "o")]
    Failover,
}

/// Gateways that a charge may be carried to after the first. More would keep a payer waiting for nothing.
const MOST_OTHERS: usize = 2;

impl Plan {
    pub fn settings(&self, name: &GatewayName) -> Option<&Settings> {
        self.gateways.iter().find(|settings| settings.name == *name)
    }

    /// Where a charge by this method goes, and where else it may go: the gateways in the order of the rules that are enabled
    /// for it and, for a card, hold the card. None: nowhere.
    pub fn route(&self, edition: u64, method: &PaymentMethod, amount: Money) -> Option<PaymentSource> {
        let (order, there) = self.order(method, amount);
        let takes = |name: &&GatewayName| {
            self.settings(name).is_some_and(|settings| settings.takes(method.means(), amount.currency()))
        };
        let mut routes = order.into_iter().filter(takes).filter_map(|name| {
            let means = method.means_at(name)?;
            Some(Alternative { gateway: name.clone(), means })
        });
        let Alternative { gateway, means } = routes.next()?;
        let why = Some(Why { edition, there });
        Some(PaymentSource {
            method: method.id,
            gateway,
            means,
            why,
            others: routes.take(MOST_OTHERS).collect(),
            card: KnownCard::of(method),
        })
    }

    fn order(&self, method: &PaymentMethod, amount: Money) -> (Vec<&GatewayName>, WhyThere) {
        let customer = method.id.owner();
        let matches = |(rule, _): &(&Rule, u8)| rule.when.holds(method.means(), amount, customer);
        match self.routing.rules.iter().zip(1..).find(matches) {
            Some((rule, place)) => (rule.gateways.iter().collect(), WhyThere::Rule(place)),
            None if !self.routing.default.is_empty() => {
                (self.routing.default.iter().collect(), WhyThere::Default)
            }
            None => (self.by_priority(), WhyThere::Priority),
        }
    }

    /// Where a card of this customer goes whose gateway isn't named: where most of what it pays would be charged.
    pub fn for_new_card(&self, customer: CustomerId) -> Option<&GatewayName> {
        let may_hold = |rule: &&Rule| {
            let Condition { means, customer: whose, .. } = &rule.when;
            means.is_none_or(|means| means == MeansType::CreditCard)
                && whose.is_none_or(|whose| whose == customer)
        };
        let by_rule = self.routing.rules.iter().filter(may_hold).flat_map(|rule| &rule.gateways);
        let order = by_rule.chain(&self.routing.default).chain(self.by_priority());
        order.into_iter().find(|name| self.takes_cards(name))
    }

    pub fn takes_cards(&self, name: &GatewayName) -> bool {
        let takes = |settings: &Settings| settings.enabled && settings.means.contains(&MeansType::CreditCard);
        self.settings(name).is_some_and(takes)
    }

    fn by_priority(&self) -> Vec<&GatewayName> {
        let mut gateways: Vec<&Settings> = self.gateways.iter().collect();
        gateways.sort_by_key(|settings| (settings.priority, &settings.name));
        gateways.into_iter().map(|settings| &settings.name).collect()
    }
}

impl Settings {
    pub fn takes(&self, means: MeansType, currency: Currency) -> bool {
        self.enabled
            && self.means.contains(&means)
            && (self.currencies.is_empty() || self.currencies.contains(&currency))
    }
}

impl Condition {
    fn holds(&self, means: MeansType, amount: Money, customer: CustomerId) -> bool {
        let is_enough = |min: Money| min.currency() == amount.currency() && amount.minor() >= min.minor();
        self.means.is_none_or(|wanted| wanted == means)
            && self.currency.is_none_or(|wanted| wanted == amount.currency())
            && self.customer.is_none_or(|wanted| wanted == customer)
            && self.min_amount.is_none_or(is_enough)
    }
}

#[cfg(test)]
mod tests;
