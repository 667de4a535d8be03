use super::common::{Instant, MoneyBody};
use super::fields::{Fields, Read};
use super::values::{flag, id, numeral, one_of, text, whole};
use crate::problem::Problem;
use fatura_application::{PlanEdition, PutGateway};
use fatura_domain::actor::Actor;
use fatura_domain::charge::Failure;
use fatura_domain::gateway::{GatewayName, MeansType};
use fatura_domain::id::CustomerId;
use fatura_domain::money::{Currency, Money};
use fatura_domain::routing::{Condition, Routing, Rule, SecretRef, Settings};
use serde::Serialize;
use serde_json::Value;

const MOST_RULES: usize = 100;
/// As many as there are currencies, and then some.
const MOST_ENTRIES: usize = 200;

pub(crate) fn read_gateway(mut fields: Fields) -> Result<PutGateway, Problem> {
    let enabled = fields.required("enabled", flag);
    let priority = fields.required("priority", whole);
    let means = fields.required("payment_method_types", |value| match several(means)(value)? {
        none if none.is_empty() => Err("must have at least 1 entry".to_owned()),
        some => Ok(some),
    });
    let currencies = fields.optional("currencies", several(text(str::parse::<Currency>)));
    let secret = fields.optional("secret_ref", text(SecretRef::parse));
    fields.finish(|| {
        let currencies = currencies.unwrap_or_default();
        Some(PutGateway { enabled: enabled?, priority: priority?, means: means?, currencies, secret })
    })
}

pub(crate) fn read_routing(mut fields: Fields) -> Result<Routing, Problem> {
    if !fields.has("rules") {
        fields.fault("rules", "is required; an empty list goes by the default, or by priority");
    }
    let has_rules = fields.array_has_entries("rules");
    let rules = if has_rules { fields.objects("rules", MOST_RULES, read_rule) } else { Some(Vec::new()) };
    let default = fields.optional("default", several(text(GatewayName::parse)));
    fields.finish(|| Some(Routing { rules: rules?, default: default.unwrap_or_default() }))
}

fn read_rule(rule: &mut Fields) -> Option<Rule> {
    let when = rule.object("match", |when| {
        let means = when.optional("payment_method_type", means);
        let has_currency = when.has("currency");
        let currency = when.optional("currency", text(str::parse::<Currency>));
        let customer = when.optional("customer_id", id::<CustomerId>);
        if when.has("min_amount") && !has_currency {
            when.fault("min_amount", "needs the match's currency");
        }
        let currency_of_min = currency.unwrap_or(Currency::BRL);
        let min_amount = when.optional("min_amount", numeral(|text| Money::parse(text, currency_of_min)));
        Some(Condition { means, currency, customer, min_amount })
    });
    let gateways = rule.required("gateways", several(text(GatewayName::parse)));
    Some(Rule { when: when.unwrap_or_default(), gateways: gateways? })
}

fn means(value: &Value) -> Read<MeansType> {
    one_of(MeansType::ALL.into_iter().map(|means| (means.as_str(), means)))(value)
}

/// A list without repetitions; which of its entries is wrong is said by its place.
fn several<T: PartialEq>(read: impl Fn(&Value) -> Read<T>) -> impl Fn(&Value) -> Read<Vec<T>> {
    move |value| {
        let entries = value.as_array().ok_or("must be a list")?;
        if entries.len() > MOST_ENTRIES {
            return Err(format!("must have at most {MOST_ENTRIES} entries"));
        }
        let mut several = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            let thing = read(entry).map_err(|reason| format!("[{place}] {reason}"))?;
            if several.contains(&thing) {
                return Err(format!("[{place}] is named twice"));
            }
            several.push(thing);
        }
        Ok(several)
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct GatewayBody<'a> {
    name: &'a str,
    enabled: bool,
    priority: u16,
    payment_method_types: Vec<&'static str>,
    currencies: Vec<&'static str>,
    secret_ref: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct RoutingBody<'a> {
    version: u64,
    updated_at: Option<Instant>,
    updated_by: Option<&'a str>,
    rules: Vec<RuleBody<'a>>,
    default: Vec<&'a str>,
}

/// An edition as a whole: routing with the gateways that it was checked against.
#[derive(Debug, Serialize)]
pub(crate) struct PlanBody<'a> {
    #[serde(flatten)]
    routing: RoutingBody<'a>,
    gateways: Vec<GatewayBody<'a>>,
}

#[derive(Debug, Serialize)]
struct RuleBody<'a> {
    r#match: ConditionBody,
    gateways: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct ConditionBody {
    payment_method_type: Option<&'static str>,
    currency: Option<&'static str>,
    customer_id: Option<String>,
    min_amount: Option<MoneyBody>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CheckBody<'a> {
    ok: bool,
    code: Option<&'a str>,
    message: Option<&'a str>,
}

impl<'a> From<&'a Settings> for GatewayBody<'a> {
    fn from(settings: &'a Settings) -> Self {
        Self {
            name: settings.name.as_str(),
            enabled: settings.enabled,
            priority: settings.priority,
            payment_method_types: settings.means.iter().map(|means| means.as_str()).collect(),
            currencies: settings.currencies.iter().map(|currency| currency.code()).collect(),
            secret_ref: settings.secret.as_ref().map(SecretRef::as_str),
        }
    }
}

impl<'a> From<&'a PlanEdition> for RoutingBody<'a> {
    fn from(edition: &'a PlanEdition) -> Self {
        let names = |names: &'a [GatewayName]| names.iter().map(GatewayName::as_str).collect();
        let routing = &edition.plan.routing;
        Self {
            version: edition.version,
            updated_at: edition.put.as_ref().map(|(_, at)| Instant(*at)),
            updated_by: edition.put.as_ref().map(|(by, _)| Actor::as_str(by)),
            rules: routing
                .rules
                .iter()
                .map(|rule| RuleBody { r#match: (&rule.when).into(), gateways: names(&rule.gateways) })
                .collect(),
            default: names(&routing.default),
        }
    }
}

impl<'a> From<&'a PlanEdition> for PlanBody<'a> {
    fn from(edition: &'a PlanEdition) -> Self {
        Self {
            routing: edition.into(),
            gateways: edition.plan.gateways.iter().map(GatewayBody::from).collect(),
        }
    }
}

impl From<&Condition> for ConditionBody {
    fn from(when: &Condition) -> Self {
        Self {
            payment_method_type: when.means.map(MeansType::as_str),
            currency: when.currency.map(Currency::code),
            customer_id: when.customer.map(|customer| customer.to_string()),
            min_amount: when.min_amount.map(MoneyBody::from),
        }
    }
}

impl<'a> From<Option<&'a Failure>> for CheckBody<'a> {
    fn from(failure: Option<&'a Failure>) -> Self {
        Self {
            ok: failure.is_none(),
            code: failure.map(|failure| failure.code.as_str()),
            message: failure.map(|failure| failure.message.as_str()),
        }
    }
}
