//! What a template is given: everything as it is to be read.

use crate::numerals::{date, moment, money, short_date, short_moment};
use crate::{Addressee, Language, Matter, Notice, PaidWith};
use fatura_domain::Timestamp;
use fatura_domain::money::Money;
use minijinja::Value;
use std::collections::BTreeMap;

/// Absent is empty: a name that isn't there at all is a mistake of the template's, and fails.
pub(crate) fn context(notice: &Notice) -> Value {
    let words = Words { to: &notice.to, said: BTreeMap::new() };
    let words = words.says("name", notice.to.name.as_str()).says("issuer", notice.from.as_str());
    Value::from_pairs(words.about(&notice.matter).said)
}

struct Words<'a> {
    to: &'a Addressee,
    said: BTreeMap<&'static str, Value>,
}

impl Words<'_> {
    fn says(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.said.insert(name, value.into());
        self
    }

    fn amount(self, amount: Money) -> Self {
        let amount = money(amount, self.to.language);
        self.says("amount", amount)
    }

    fn day(self, at: Timestamp) -> Self {
        let day = date(at, &self.to.zone, self.to.language);
        self.says("day", day)
    }

    fn about(self, matter: &Matter) -> Self {
        match matter {
            Matter::Receipt { invoice, amount, at, with } | Matter::Refund { invoice, amount, at, with } => {
                let language = self.to.language;
                self.says("invoice", invoice.to_string())
                    .amount(*amount)
                    .day(*at)
                    .says("with", means(with, language))
                    .says("is_wallet", *with == PaidWith::Wallet)
            }
            Matter::ChargeFailed { invoice, amount, remedy, again_at } => {
                let words = self.says("invoice", invoice.to_string()).amount(*amount);
                words.says("remedy", remedy.name()).again(*again_at)
            }
            Matter::DisputeOpened { invoice, amount, at } => {
                self.says("invoice", invoice.to_string()).amount(*amount).day(*at)
            }
            Matter::BillClosed { bill, from, to, totals, converted } => {
                self.says("bill", bill.to_string()).period(*from, *to).totals(totals, *converted)
            }
            Matter::PixQr { invoice, amount, emv, expires_at } => {
                let words = self.says("invoice", invoice.to_string()).amount(*amount);
                words.says("emv", emv.as_str()).until(*expires_at)
            }
        }
    }

    fn again(self, at: Option<Timestamp>) -> Self {
        let (zone, language) = (&self.to.zone, self.to.language);
        let day = at.map(|at| date(at, zone, language)).unwrap_or_default();
        let short_day = at.map(|at| short_date(at, zone, language)).unwrap_or_default();
        self.says("again", day).says("again_short", short_day)
    }

    fn until(self, at: Timestamp) -> Self {
        let (zone, language) = (&self.to.zone, self.to.language);
        let (moment, short) = (moment(at, zone, language), short_moment(at, zone, language));
        self.says("until", moment).says("until_short", short)
    }

    /// The last day is the one that the period's end has not come to.
    fn period(self, from: Timestamp, to: Timestamp) -> Self {
        let (zone, language) = (&self.to.zone, self.to.language);
        let last = Timestamp::from_millisecond(to.as_millisecond() - 1).unwrap_or(to);
        let (first, last) = (date(from, zone, language), date(last, zone, language));
        self.says("first_day", first).says("last_day", last)
    }

    fn totals(self, totals: &[Money], converted: Option<Money>) -> Self {
        let language = self.to.language;
        let read: Vec<String> = totals.iter().map(|total| money(*total, language)).collect();
        // In one currency the conversion would say the same twice.
        let differs = converted.filter(|converted| totals != [*converted]);
        let total = converted.map_or_else(|| read.join(" + "), |converted| money(converted, language));
        let words = self.says("totals", read).says("total", total);
        words.says("converted", differs.map(|converted| money(converted, language)).unwrap_or_default())
    }
}

/// `Visa •••• 4242`, as much of it as is known.
fn means(with: &PaidWith, language: Language) -> String {
    let (card, wallet) = match language {
        Language::English => ("card", "your wallet"),
        Language::BrazilianPortuguese => ("cartão", "sua carteira"),
    };
    match with {
        PaidWith::Pix => "Pix".to_owned(),
        PaidWith::Wallet => wallet.to_owned(),
        PaidWith::Card { brand, last4 } => {
            let brand = brand.as_deref().unwrap_or(card);
            last4.as_deref().map_or_else(|| brand.to_owned(), |last4| format!("{brand} •••• {last4}"))
        }
    }
}
