use super::common::Instant;
use super::fields::{Fields, Read};
use super::risk::AssessmentBody;
use super::values::{flag, id, money, one_of, text, whole};
use crate::problem::Problem;
use fatura_application::{Example, Outcome, PutRiskRules, RiskEdition, RulesPut};
use fatura_domain::actor::Actor;
use fatura_domain::gateway::MeansType;
use fatura_domain::id::{CustomerId, PaymentMethodId};
use fatura_domain::risk::{
    Blocklists, Buyer, Country, Counts, Decision, Effect, EmailDomain, Expression, Facts, Method, Person,
    Record, Rule, RuleName, RuleSet, Thresholds,
};
use fatura_domain::text::Email;
use fatura_domain::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

const MOST_EXAMPLES: usize = 100;

/// Rules are put as a whole: what isn't named isn't there, and thresholds are the defaults.
pub(crate) fn read_rules(mut fields: Fields, if_version: Option<u64>) -> Result<PutRiskRules, Problem> {
    if !fields.has("rules") {
        fields.fault("rules", "is required; with an empty list nothing is asked");
    }
    let has_rules = fields.array_has_entries("rules");
    let rules =
        if has_rules { fields.objects("rules", RuleSet::MOST_RULES, read_rule) } else { Some(Vec::new()) };
    let defaults = Thresholds::default();
    let thresholds = fields.object("thresholds", |thresholds| {
        let review = thresholds.optional("review", points).unwrap_or(defaults.review);
        let decline = thresholds.optional("decline", points).unwrap_or(defaults.decline);
        Some(Thresholds { review, decline })
    });
    let blocklists = fields.object("blocklists", |lists| Some(read_blocklists(lists)));
    let has_examples = fields.array_has_entries("examples");
    let examples =
        if has_examples { fields.objects("examples", MOST_EXAMPLES, read_example) } else { Some(Vec::new()) };
    let dry_run = fields.optional("dry_run", flag).unwrap_or_default();
    fields.finish(|| {
        let rules = RuleSet {
            rules: rules?,
            thresholds: thresholds.unwrap_or_default(),
            blocklists: blocklists.unwrap_or_default(),
        };
        Some(PutRiskRules { rules, examples: examples?, dry_run, if_version })
    })
}

fn read_rule(rule: &mut Fields) -> Option<Rule> {
    let name = rule.required("name", text(RuleName::parse));
    let expression = rule.required("expression", text(Expression::parse));
    let score = rule.optional("score", points).map(Effect::Score);
    let decision = rule.optional("decision", decision).map(Effect::Decide);
    let effect = match (score, decision) {
        (Some(_), Some(_)) => {
            rule.fault("decision", "is refused beside a score");
            None
        }
        (None, None) => {
            rule.fault("score", "is required, or decision");
            None
        }
        (score, decision) => score.or(decision),
    };
    Some(Rule { name: name?, expression: expression?, effect: effect? })
}

fn read_blocklists(lists: &mut Fields) -> Blocklists {
    Blocklists {
        customers: lists.optional("customers", all(id::<CustomerId>)).unwrap_or_default(),
        payment_methods: lists.optional("payment_methods", all(id::<PaymentMethodId>)).unwrap_or_default(),
        emails: lists.optional("emails", all(text(Email::parse))).unwrap_or_default(),
        email_domains: lists.optional("email_domains", all(text(EmailDomain::parse))).unwrap_or_default(),
        countries: lists.optional("countries", all(text(str::parse::<Country>))).unwrap_or_default(),
    }
}

/// A charge: what isn't said of it is as of somebody's very first, this one being counted already.
fn read_example(example: &mut Fields) -> Option<Example> {
    let expected = example.optional("expect", decision);
    let amount = example.required("amount", money);
    let customer = example.object("customer", |customer| Some(read_buyer(customer)));
    let method = example.object("payment_method", read_method);
    let is_card = method.as_ref().is_some_and(|method| method.means == MeansType::CreditCard);
    let first = Counts {
        attempts_hour: 1,
        attempts_day: 1,
        cards_hour: u32::from(is_card),
        cards_day: u32::from(is_card),
    };
    let velocity = example.object("velocity", |counts| {
        Some(Counts {
            attempts_hour: counts.optional("attempts_hour", whole).unwrap_or(first.attempts_hour),
            attempts_day: counts.optional("attempts_day", whole).unwrap_or(first.attempts_day),
            cards_hour: counts.optional("cards_hour", whole).unwrap_or(first.cards_hour),
            cards_day: counts.optional("cards_day", whole).unwrap_or(first.cards_day),
        })
    });
    let customer = customer.unwrap_or_else(somebody_new);
    let facts = Facts { amount: amount?, customer, method, velocity: velocity.unwrap_or(first) };
    Some(Example { facts, expected })
}

fn read_buyer(buyer: &mut Fields) -> Buyer {
    let new = somebody_new();
    let email = buyer.optional("email", text(Email::parse));
    let age = buyer.optional("age_hours", whole::<u32>).map(|hours| SignedDuration::from_hours(hours.into()));
    let country = buyer.optional("country", text(str::parse::<Country>));
    let person = new.person.map(|person| Person {
        email: email.unwrap_or(person.email),
        age: age.unwrap_or(person.age),
        country,
    });
    Buyer {
        id: buyer.optional("id", id::<CustomerId>).unwrap_or(new.id),
        person,
        record: Record {
            payments: buyer.optional("payments", whole).unwrap_or_default(),
            disputes: buyer.optional("disputes", whole).unwrap_or_default(),
        },
    }
}

fn somebody_new() -> Buyer {
    let person = Email::parse("somebody@example.com").ok().map(|email| Person {
        email,
        age: SignedDuration::ZERO,
        country: None,
    });
    Buyer { id: CustomerId::new(0), person, record: Record::default() }
}

fn read_method(method: &mut Fields) -> Option<Method> {
    let kinds = MeansType::ALL.into_iter().map(|means| (means.as_str(), means));
    let means = method.required("type", one_of(kinds));
    let brand = method.optional("brand", text(|brand: &str| Ok::<_, String>(brand.to_lowercase())));
    let country = method.optional("country", text(str::parse::<Country>));
    let any = PaymentMethodId::new(CustomerId::new(0), Timestamp::UNIX_EPOCH, 0);
    let id = method.optional("id", id::<PaymentMethodId>).unwrap_or(any);
    Some(Method { id, means: means?, brand, country })
}

fn decision(value: &Value) -> Read<Decision> {
    one_of(Decision::ALL.into_iter().map(|decision| (decision.as_str(), decision)))(value)
}

fn points(value: &Value) -> Read<i32> {
    let number = value.as_i64().ok_or("must be a whole number")?;
    i32::try_from(number).map_err(|_| "is too large".to_owned())
}

/// A list whose order and repetitions mean nothing; which of its entries is wrong is said by its place.
fn all<T: Ord>(read: impl Fn(&Value) -> Read<T>) -> impl Fn(&Value) -> Read<BTreeSet<T>> {
    move |value| {
        let entries = value.as_array().ok_or("must be a list")?;
        let read = |(place, entry)| read(entry).map_err(|reason| format!("[{place}] {reason}"));
        entries.iter().enumerate().map(read).collect()
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct RiskRulesBody<'a> {
    version: u64,
    updated_at: Option<Instant>,
    updated_by: Option<&'a str>,
    rules: Vec<RuleBody<'a>>,
    thresholds: ThresholdsBody,
    blocklists: BlocklistsBody,
}

#[derive(Debug, Serialize)]
struct RuleBody<'a> {
    name: &'a str,
    expression: &'a str,
    #[serde(flatten)]
    effect: EffectBody,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum EffectBody {
    Score(i32),
    Decision(&'static str),
}

#[derive(Debug, Serialize)]
struct ThresholdsBody {
    review: i32,
    decline: i32,
}

#[derive(Debug, Serialize)]
struct BlocklistsBody {
    customers: Vec<String>,
    payment_methods: Vec<String>,
    emails: Vec<String>,
    email_domains: Vec<String>,
    countries: Vec<String>,
}

/// What came of putting rules: the rules, and what each example came to.
#[derive(Debug, Serialize)]
pub(crate) struct RulesPutBody<'a> {
    #[serde(flatten)]
    rules: RiskRulesBody<'a>,
    dry_run: bool,
    examples: Vec<OutcomeBody>,
}

#[derive(Debug, Serialize)]
struct OutcomeBody {
    #[serde(flatten)]
    assessment: AssessmentBody,
    expected: Option<&'static str>,
    as_expected: bool,
}

impl<'a> From<&'a RiskEdition> for RiskRulesBody<'a> {
    fn from(edition: &'a RiskEdition) -> Self {
        let RuleSet { rules, thresholds, blocklists } = &edition.rules;
        Self {
            version: edition.version,
            updated_at: edition.put.as_ref().map(|(_, at)| Instant(*at)),
            updated_by: edition.put.as_ref().map(|(by, _)| Actor::as_str(by)),
            rules: rules.iter().map(RuleBody::from).collect(),
            thresholds: ThresholdsBody { review: thresholds.review, decline: thresholds.decline },
            blocklists: BlocklistsBody {
                customers: texts(&blocklists.customers, ToString::to_string),
                payment_methods: texts(&blocklists.payment_methods, ToString::to_string),
                emails: texts(&blocklists.emails, |email| email.as_str().to_owned()),
                email_domains: texts(&blocklists.email_domains, |domain| domain.as_str().to_owned()),
                countries: texts(&blocklists.countries, ToString::to_string),
            },
        }
    }
}

impl<'a> From<&'a Rule> for RuleBody<'a> {
    fn from(rule: &'a Rule) -> Self {
        let effect = match rule.effect {
            Effect::Score(score) => EffectBody::Score(score),
            Effect::Decide(decision) => EffectBody::Decision(decision.as_str()),
        };
        Self { name: rule.name.as_str(), expression: rule.expression.as_str(), effect }
    }
}

fn texts<T>(list: &BTreeSet<T>, shown: impl Fn(&T) -> String) -> Vec<String> {
    list.iter().map(shown).collect()
}

impl<'a> RulesPutBody<'a> {
    pub(crate) fn of(put: &'a RulesPut, dry_run: bool) -> Self {
        let outcome = |outcome: &Outcome| OutcomeBody {
            assessment: (&outcome.assessment).into(),
            expected: outcome.expected.map(Decision::as_str),
            as_expected: outcome.is_as_expected(),
        };
        Self { rules: (&put.edition).into(), dry_run, examples: put.outcomes.iter().map(outcome).collect() }
    }
}
