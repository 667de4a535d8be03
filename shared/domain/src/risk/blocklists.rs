use super::country::Country;
use super::facts::Facts;
use crate::id::{CustomerId, PaymentMethodId};
use crate::text::Email;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

/// Who and what is not welcome, by kind. Being listed decides nothing by itself: rules ask for it as `blocked.…`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Blocklists {
    #[serde(rename = "cu", skip_serializing_if = "BTreeSet::is_empty")]
    pub customers: BTreeSet<CustomerId>,
    #[serde(rename = "pm", skip_serializing_if = "BTreeSet::is_empty")]
    pub payment_methods: BTreeSet<PaymentMethodId>,
    #[serde(rename = "em", skip_serializing_if = "BTreeSet::is_empty")]
    pub emails: BTreeSet<Email>,
    #[serde(rename = "ed", skip_serializing_if = "BTreeSet::is_empty")]
    pub email_domains: BTreeSet<EmailDomain>,
    #[serde(rename = "co", skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: BTreeSet<Country>,
}

/// What stands after the `@`, and every domain below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailDomain(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a domain, such as example.com")]
pub struct InvalidEmailDomain;

impl EmailDomain {
    pub fn parse(text: &str) -> Result<Self, InvalidEmailDomain> {
        let address = Email::parse(&format!("a@{text}")).map_err(|_| InvalidEmailDomain)?;
        address.as_str().strip_prefix("a@").map(|domain| Self(domain.to_owned())).ok_or(InvalidEmailDomain)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn holds(&self, email: &Email) -> bool {
        let domain = email.as_str().split_once('@').map_or("", |(_, domain)| domain);
        let below = domain.strip_suffix(self.as_str());
        below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
    }
}

impl TryFrom<String> for EmailDomain {
    type Error = InvalidEmailDomain;

    fn try_from(text: String) -> Result<Self, InvalidEmailDomain> {
        Self::parse(&text)
    }
}

impl From<EmailDomain> for String {
    fn from(domain: EmailDomain) -> Self {
        domain.0
    }
}

impl Blocklists {
    pub fn block_customer(&self, facts: &Facts) -> bool {
        self.customers.contains(&facts.customer.id)
    }

    pub fn block_payment_method(&self, facts: &Facts) -> bool {
        facts.method.as_ref().is_some_and(|method| self.payment_methods.contains(&method.id))
    }

    /// The address itself, or its domain. None: nobody looked it up.
    pub fn block_email(&self, facts: &Facts) -> Option<bool> {
        let email = &facts.customer.person.as_ref()?.email;
        Some(self.emails.contains(email) || self.email_domains.iter().any(|domain| domain.holds(email)))
    }

    /// The customer's country, or the payment method's. None: nobody looked the customer's up.
    pub fn block_country(&self, facts: &Facts) -> Option<bool> {
        let method = facts.method.as_ref().and_then(|method| method.country);
        let mut countries = [facts.customer.person.as_ref()?.country, method].into_iter().flatten();
        Some(countries.any(|country| self.countries.contains(&country)))
    }

    pub(super) fn lengths(&self) -> [(&'static str, usize); 5] {
        [
            ("customers", self.customers.len()),
            ("payment_methods", self.payment_methods.len()),
            ("emails", self.emails.len()),
            ("email_domains", self.email_domains.len()),
            ("countries", self.countries.len()),
        ]
    }
}
