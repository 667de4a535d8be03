use super::common::Instant;
use super::fields::{Fields, Read};
use super::values::{flag, whole};
use crate::problem::Problem;
use fatura_application::RulesEdition;
use fatura_domain::actor::Actor;
use fatura_domain::charge::FailureClass;
use fatura_domain::dunning::{Caps, ClassRule, Minutes, NetworkRule, NotSentRule, Rules};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What isn't named is as in the defaults, not as it was: a policy is put as a whole.
pub(crate) fn read_rules(mut fields: Fields) -> Result<Rules, Problem> {
    let defaults = Rules::default();
    let classes = fields.object("classes", |classes| {
        let mut rules = defaults.classes.clone();
        for class in FailureClass::ALL.into_iter().filter(|class| class.has_rule()) {
            let rule = classes.object(class.as_str(), |rule| {
                let default = defaults.of(class);
                Some(ClassRule {
                    retry_after: rule.optional("retry_after_minutes", minutes).unwrap_or(default.retry_after),
                    on_new_payment_method: rule
                        .optional("on_new_payment_method", flag)
                        .unwrap_or(default.on_new_payment_method),
                })
            });
            if let Some(rule) = rule {
                rules.insert(class, rule);
            }
        }
        Some(rules)
    });
    let not_sent = fields.object("not_sent", |rule| {
        let default = defaults.not_sent;
        Some(NotSentRule {
            first_wait: rule.optional("first_wait_minutes", whole).map_or(default.first_wait, Minutes),
            most_sends: rule.optional("most_sends", whole).unwrap_or(default.most_sends),
            jitter_percent: rule.optional("jitter_percent", whole).unwrap_or(default.jitter_percent),
        })
    });
    let unknown_polls =
        fields.object("unknown", |rule| Some(rule.optional("poll_after_minutes", minutes))).flatten();
    let caps = fields.object("caps", |caps| {
        Some(Caps {
            declines: caps.optional("declines", whole).unwrap_or(defaults.caps.declines),
            attempts: caps.optional("attempts", whole).unwrap_or(defaults.caps.attempts),
            days: caps.optional("days", whole).unwrap_or(defaults.caps.days),
        })
    });
    let card_networks = fields.object("card_networks", |networks| {
        let mut rules = defaults.card_networks.clone();
        for (brand, default) in &defaults.card_networks {
            let rule = networks.object(brand, |rule| {
                Some(NetworkRule {
                    declines: rule.optional("declines", whole).unwrap_or(default.declines),
                    days: rule.optional("days", whole).unwrap_or(default.days),
                })
            });
            if let Some(rule) = rule {
                rules.insert(brand.clone(), rule);
            }
        }
        Some(rules)
    });
    let refund_window_days = fields.optional("refund_window_days", whole);
    let run_charges_per_minute = fields.optional("run_charges_per_minute", whole);
    let rules = Rules {
        classes: classes.unwrap_or(defaults.classes),
        not_sent: not_sent.unwrap_or(defaults.not_sent),
        unknown_polls: unknown_polls.unwrap_or(defaults.unknown_polls),
        caps: caps.unwrap_or(defaults.caps),
        card_networks: card_networks.unwrap_or(defaults.card_networks),
        refund_window_days: refund_window_days.unwrap_or(defaults.refund_window_days),
        run_charges_per_minute: run_charges_per_minute.unwrap_or(defaults.run_charges_per_minute),
    };
    // What is out of bounds is told with what can't be read, in one answer.
    for fault in rules.faults() {
        fields.fault_at(fault.field, fault.reason);
    }
    fields.finish(|| Some(rules))
}

fn minutes(value: &Value) -> Read<Vec<Minutes>> {
    let list = value.as_array().ok_or("must be a list of whole minutes")?;
    let minutes = list.iter().map(|entry| entry.as_u64().and_then(|minutes| u32::try_from(minutes).ok()));
    minutes
        .map(|minutes| minutes.map(Minutes))
        .collect::<Option<_>>()
        .ok_or("must be a list of whole minutes".to_owned())
}

#[derive(Debug, Serialize)]
pub(crate) struct RulesBody<'a> {
    version: u64,
    updated_at: Option<Instant>,
    updated_by: Option<&'a str>,
    classes: BTreeMap<&'static str, ClassBody<'a>>,
    not_sent: NotSentBody,
    unknown: UnknownBody<'a>,
    caps: CapsBody,
    card_networks: BTreeMap<&'a str, NetworkBody>,
    refund_window_days: u16,
    run_charges_per_minute: u32,
}

#[derive(Debug, Serialize)]
struct ClassBody<'a> {
    retry_after_minutes: &'a [Minutes],
    on_new_payment_method: bool,
}

#[derive(Debug, Serialize)]
struct NotSentBody {
    first_wait_minutes: Minutes,
    most_sends: u8,
    jitter_percent: u8,
}

#[derive(Debug, Serialize)]
struct UnknownBody<'a> {
    poll_after_minutes: &'a [Minutes],
}

#[derive(Debug, Serialize)]
struct NetworkBody {
    declines: u8,
    days: u16,
}

#[derive(Debug, Serialize)]
struct CapsBody {
    declines: u8,
    attempts: u8,
    days: u16,
}

const fn network(rule: NetworkRule) -> NetworkBody {
    NetworkBody { declines: rule.declines, days: rule.days }
}

impl<'a> From<&'a RulesEdition> for RulesBody<'a> {
    fn from(edition: &'a RulesEdition) -> Self {
        let rules = &edition.rules;
        let class = |(class, rule): (&FailureClass, &'a ClassRule)| {
            let retry_after_minutes = rule.retry_after.as_slice();
            let on_new_payment_method = rule.on_new_payment_method;
            (class.as_str(), ClassBody { retry_after_minutes, on_new_payment_method })
        };
        let NotSentRule { first_wait, most_sends, jitter_percent } = rules.not_sent;
        let Caps { declines, attempts, days } = rules.caps;
        Self {
            version: edition.version,
            updated_at: edition.put.as_ref().map(|(_, at)| Instant(*at)),
            updated_by: edition.put.as_ref().map(|(by, _)| Actor::as_str(by)),
            classes: rules.classes.iter().map(class).collect(),
            not_sent: NotSentBody { first_wait_minutes: first_wait, most_sends, jitter_percent },
            unknown: UnknownBody { poll_after_minutes: &rules.unknown_polls },
            caps: CapsBody { declines, attempts, days },
            card_networks: rules
                .card_networks
                .iter()
                .map(|(brand, rule)| (brand.as_str(), network(*rule)))
                .collect(),
            refund_window_days: rules.refund_window_days,
            run_charges_per_minute: rules.run_charges_per_minute,
        }
    }
}
