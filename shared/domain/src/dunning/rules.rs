use crate::SignedDuration;
use crate::charge::FailureClass;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a business decides about money that fails to come: data, changed while the system runs. The defaults are what
/// gateways and card networks advise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
// What an edition of an older release doesn't know is as in the defaults.
#[serde(default)]
pub struct Rules {
    pub classes: BTreeMap<FailureClass, ClassRule>,
    pub not_sent: NotSentRule,
    /// When to ask about an unknown outcome, each counted from the answer before.
    pub unknown_polls: Vec<Minutes>,
    pub caps: Caps,
    /// What card networks allow for one invoice on one card, by brand in lower case. The strictest holds for others.
    pub card_networks: BTreeMap<String, NetworkRule>,
    /// How long after the payment it can be given back.
    pub refund_window_days: u16,
    /// What a run sends to one gateway in a minute at most.
    pub run_charges_per_minute: u32,
}

/// What follows a failure of one class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassRule {
    /// The waits before the first retry, the second, and so on. Empty: none by itself.
    pub retry_after: Vec<Minutes>,
    /// Tried again at once, one time, when the customer brings another payment method.
    pub on_new_payment_method: bool,
}

/// An order that wasn't sent goes out again after a wait that doubles, with a little more by chance, so that a gateway
/// that comes back isn't met by everybody at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotSentRule {
    pub first_wait: Minutes,
    pub most_sends: u8,
    pub jitter_percent: u8,
}

/// What one invoice may be tried for, after which it is uncollectible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    pub declines: u8,
    pub attempts: u8,
    pub days: u16,
}

/// So many declines in so many days, and no order more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkRule {
    pub declines: u8,
    pub days: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minutes(pub u32);

impl Minutes {
    const DAY: u32 = 24 * 60;

    pub const fn of_days(days: u32) -> Self {
        Self(days.saturating_mul(Self::DAY))
    }

    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.0))
    }
}

/// One thing that is wrong with rules, by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFault {
    pub field: String,
    pub reason: String,
}

impl Default for Rules {
    fn default() -> Self {
        let days = |days: &[u32]| days.iter().map(|days| Minutes::of_days(*days)).collect::<Vec<_>>();
        let classes = FailureClass::ALL.into_iter().filter(|class| class.has_rule()).map(|class| {
            let retry_after = match class {
                FailureClass::InsufficientFunds => days(&[3, 5, 7]),
                FailureClass::DoNotHonor | FailureClass::Generic => days(&[1, 3, 5]),
                FailureClass::IssuerUnavailable => days(&[1, 1, 1]),
                FailureClass::CustomerNotFound => days(&[1]),
                // Not a decline: the payer gets a new QR code.
                FailureClass::PixExpired => days(&[0, 0, 0]),
                _ => Vec::new(),
            };
            (class, ClassRule { retry_after, on_new_payment_method: class == FailureClass::Hard })
        });
        Self {
            classes: classes.collect(),
            not_sent: NotSentRule { first_wait: Minutes(5), most_sends: 8, jitter_percent: 10 },
            unknown_polls: [&[Minutes(1), Minutes(5), Minutes(60)][..], &[Minutes::of_days(1); 5]].concat(),
            caps: Caps { declines: 7, attempts: 20, days: 60 },
            // From third parties' accounts of the networks' rules, not from the networks.
            card_networks: BTreeMap::from([
                ("visa".to_owned(), NetworkRule { declines: 15, days: 30 }),
                ("mastercard".to_owned(), NetworkRule { declines: 35, days: 30 }),
            ]),
            refund_window_days: 7,
            run_charges_per_minute: 4_800,
        }
    }
}

impl Rules {
    const MOST_RETRIES: usize = 20;

    pub fn of(&self, class: FailureClass) -> ClassRule {
        self.classes.get(&class).cloned().unwrap_or_default()
    }

    pub fn network(&self, brand: Option<&str>) -> Option<NetworkRule> {
        let named = brand.and_then(|brand| self.card_networks.get(&brand.to_lowercase()));
        let strictest = || self.card_networks.values().min_by_key(|rule| rule.declines);
        named.or_else(strictest).copied()
    }

    pub fn refund_window(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.refund_window_days))
    }

    /// Everything that is wrong with these rules. None: they may be used.
    pub fn faults(&self) -> Vec<RuleFault> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, field: &str, reason: &str| {
            if !holds {
                faults.push(RuleFault { field: field.to_owned(), reason: reason.to_owned() });
            }
        };
        for (class, rule) in &self.classes {
            let field = format!("classes.{}.retry_after_minutes", class.as_str());
            check(class.has_rule(), &format!("classes.{}", class.as_str()), "has a schedule of its own");
            check(rule.retry_after.len() <= Self::MOST_RETRIES, &field, "must have at most 20 entries");
            let longest = Minutes::of_days(60);
            check(
                rule.retry_after.iter().all(|wait| *wait <= longest),
                &field,
                "must be at most 60 days each",
            );
            check(
                !class.is_final() || rule.retry_after.is_empty(),
                &field,
                "must be empty: this card must not be sent again",
            );
        }
        let NotSentRule { first_wait, most_sends, jitter_percent } = self.not_sent;
        let a_day = (1..=Minutes::DAY).contains(&first_wait.0);
        check(a_day, "not_sent.first_wait_minutes", "must be 1 minute to a day");
        check((1..=12).contains(&most_sends), "not_sent.most_sends", "must be 1 to 12");
        check(jitter_percent <= 50, "not_sent.jitter_percent", "must be at most 50");
        let polls = &self.unknown_polls;
        let field = "unknown.poll_after_minutes";
        check((1..=20).contains(&polls.len()), field, "must have 1 to 20 entries");
        let in_bounds = |wait: &Minutes| (1..=7 * Minutes::DAY).contains(&wait.0);
        check(polls.iter().all(in_bounds), field, "must be 1 minute to 7 days each");
        check(
            (1..=15).contains(&self.caps.declines),
            "caps.declines",
            "must be 1 to 15, as card networks allow",
        );
        check((1..=50).contains(&self.caps.attempts), "caps.attempts", "must be 1 to 50");
        check((1..=365).contains(&self.caps.days), "caps.days", "must be 1 to 365");
        check(self.card_networks.len() <= 20, "card_networks", "must have at most 20 entries");
        for (brand, rule) in &self.card_networks {
            let field = format!("card_networks.{brand}");
            let is_name = (1..=40).contains(&brand.len()) && *brand == brand.to_lowercase();
            check(is_name, &field, "must be named by a brand in lower case");
            check((1..=99).contains(&rule.declines), &format!("{field}.declines"), "must be 1 to 99");
            check((1..=365).contains(&rule.days), &format!("{field}.days"), "must be 1 to 365");
        }
        check((1..=180).contains(&self.refund_window_days), "refund_window_days", "must be 1 to 180");
        let budget = (60..=600_000).contains(&self.run_charges_per_minute);
        check(budget, "run_charges_per_minute", "must be 60 to 600000");
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound() {
        assert_eq!(Rules::default().faults(), []);
    }

    fn at(low: bool) -> Rules {
        let of = |least: u32, most: u32| if low { least } else { most };
        let byte = |least: u8, most: u8| if low { least } else { most };
        let retries = if low { vec![] } else { vec![Minutes::of_days(60); 20] };
        let named = |number: u32| if low { number.to_string() } else { format!("{number:040}") };
        let network = NetworkRule { declines: byte(1, 99), days: if low { 1 } else { 365 } };
        Rules {
            classes: BTreeMap::from([(
                FailureClass::Generic,
                ClassRule { retry_after: retries, on_new_payment_method: false },
            )]),
            not_sent: NotSentRule {
                first_wait: Minutes(of(1, 24 * 60)),
                most_sends: byte(1, 12),
                jitter_percent: byte(0, 50),
            },
            unknown_polls: if low { vec![Minutes(1)] } else { vec![Minutes(7 * 24 * 60); 20] },
            caps: Caps { declines: byte(1, 15), attempts: byte(1, 50), days: if low { 1 } else { 365 } },
            card_networks: (0..of(1, 20)).map(|number| (named(number), network)).collect(),
            refund_window_days: if low { 1 } else { 180 },
            run_charges_per_minute: of(60, 600_000),
        }
    }

    #[test]
    fn the_least_and_the_most_may_be_used() {
        assert_eq!(at(true).faults(), []);
        assert_eq!(at(false).faults(), []);
    }

    #[test]
    fn a_step_beyond_is_a_fault() {
        let fields = |rules: Rules| rules.faults().into_iter().map(|fault| fault.field).collect::<Vec<_>>();
        let (low, high) = (at(true), at(false));
        let a_minute_more = Minutes(7 * 24 * 60 + 1);
        assert_eq!(
            fields(Rules { unknown_polls: vec![a_minute_more], ..low.clone() }),
            ["unknown.poll_after_minutes"]
        );
        assert_eq!(
            fields(Rules { unknown_polls: vec![Minutes(0)], ..low.clone() }),
            ["unknown.poll_after_minutes"]
        );
        let first_wait = Minutes(24 * 60 + 1);
        let not_sent = NotSentRule { first_wait, ..high.not_sent };
        assert_eq!(fields(Rules { not_sent, ..high.clone() }), ["not_sent.first_wait_minutes"]);
        let one_more = high.card_networks.iter().next().map(|(_, rule)| ("more".to_owned(), *rule));
        let card_networks = high.card_networks.clone().into_iter().chain(one_more).collect();
        assert_eq!(fields(Rules { card_networks, ..high.clone() }), ["card_networks"]);
        let unnamed = low.card_networks.values().map(|rule| (String::new(), *rule)).collect();
        assert_eq!(fields(Rules { card_networks: unnamed, ..low }), ["card_networks."]);
    }

    #[test]
    fn everything_wrong_is_named() {
        let hard = ClassRule { retry_after: vec![Minutes(1)], on_new_payment_method: true };
        let rules = Rules {
            classes: BTreeMap::from([
                (FailureClass::Hard, hard),
                (
                    FailureClass::Generic,
                    ClassRule { retry_after: vec![Minutes::of_days(61); 21], ..ClassRule::default() },
                ),
                (FailureClass::Unknown, ClassRule::default()),
            ]),
            not_sent: NotSentRule { first_wait: Minutes(0), most_sends: 13, jitter_percent: 51 },
            unknown_polls: vec![],
            caps: Caps { declines: 16, attempts: 0, days: 366 },
            card_networks: BTreeMap::from([("Visa".to_owned(), NetworkRule { declines: 0, days: 366 })]),
            refund_window_days: 181,
            run_charges_per_minute: 59,
        };
        let fields: Vec<String> = rules.faults().into_iter().map(|fault| fault.field).collect();
        assert_eq!(
            fields,
            [
                "classes.unknown",
                "classes.generic.retry_after_minutes",
                "classes.generic.retry_after_minutes",
                "classes.hard.retry_after_minutes",
                "not_sent.first_wait_minutes",
                "not_sent.most_sends",
                "not_sent.jitter_percent",
                "unknown.poll_after_minutes",
                "caps.declines",
                "caps.attempts",
                "caps.days",
                "card_networks.Visa",
                "card_networks.Visa.declines",
                "card_networks.Visa.days",
                "refund_window_days",
                "run_charges_per_minute",
            ]
        );
    }
}
