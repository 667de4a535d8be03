//! Ids and every other text that is something: what is read is written down the same, and nothing that is refused panics.

use super::{Subject, Target, bytes_of};
use fatura_application::access::Scope;
use fatura_domain::attention::AttentionId;
use fatura_domain::calendar::BillingPeriod;
use fatura_domain::customer::TimeZoneName;
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{
    AttemptId, BillId, CustomerId, DisputeId, InvoiceId, OrderId, PaymentMethodId, RefundId, RunId,
    TransactionId,
};
use fatura_domain::ledger::Account;
use fatura_domain::money::Currency;
use fatura_domain::notice::{Phone, PushTarget};
use fatura_domain::risk::Country;
use fatura_domain::sign_in::RefreshToken;
use fatura_domain::text::{Description, Email, ExternalId, Name};
use fatura_domain::webhook_endpoint::{EndpointId, EndpointUrl, EventFilter, Loopback, MessageId, Secret};
use std::fmt::{Debug, Display};
use std::net::IpAddr;
use std::str::FromStr;

pub(super) const TARGET: Target = Target { tries: 10_000, ..Target::pure("texts", words, open) };

fn words() -> Vec<Vec<u8>> {
    bytes_of(&[
        "cus_",
        "inv_",
        "att_",
        "pm_",
        "0",
        "Z",
        "l",
        "o",
        "I",
        "O",
        "127.0.0.1",
        "[::1]",
        "@",
        "https://",
        "*",
    ])
}

fn open() -> Subject {
    Subject::new(|input| {
        let text = &String::from_utf8_lossy(input);
        again::<CustomerId>(text);
        again::<InvoiceId>(text);
        again::<PaymentMethodId>(text);
        again::<RefundId>(text);
        again::<DisputeId>(text);
        again::<BillId>(text);
        again::<OrderId>(text);
        again::<TransactionId>(text);
        again::<AttemptId>(text);
        again::<RunId>(text);
        again::<AttentionId>(text);
        again::<EndpointId>(text);
        again::<MessageId>(text);
        again::<BillingPeriod>(text);
        again::<Scope>(text);
        again::<Currency>(text);
        again::<Country>(text);
        refused_or_not(text);
    })
}

/// An id has one spelling: what is read is what is written.
fn again<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = read.to_string();
        assert_eq!(written.parse().ok(), Some(read), "{text}");
        assert!(written.eq_ignore_ascii_case(text), "{text} became {written}");
    }
}

fn refused_or_not(text: &str) {
    let _ = RefreshToken::from_str(text);
    drop((GatewayName::parse(text), TimeZoneName::parse(text), Account::parse(text)));
    drop((Name::parse(text), Email::parse(text), ExternalId::parse(text), Description::parse(text)));
    drop((Phone::parse(text), PushTarget::parse(text), Secret::parse(text), EventFilter::parse(&[text])));
    // A shop's own network is nobody's business, however its address is spelt.
    if let Ok(url) = EndpointUrl::parse(text, Loopback::Refused) {
        assert!(!is_inside(host(url.as_str())), "{text}");
    }
}

fn host(url: &str) -> &str {
    let (_, rest) = url.split_once("//").unwrap();
    let authority = rest.split(['/', '?', '#']).next().unwrap();
    match authority.split_once(']') {
        Some((bracketed, _)) => bracketed.trim_start_matches('['),
        None => authority.split(':').next().unwrap(),
    }
}

fn is_inside(host: &str) -> bool {
    match host.parse() {
        Ok(IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[test]
fn an_address_inside_is_known_and_a_name_that_begins_like_one_is_not() {
    for inside in ["https://127.0.0.1", "https://10.0.0.1:8443/hooks", "https://[::1]/", "https://LOCALHOST"]
    {
        assert!(is_inside(host(inside)), "{inside}");
    }
    assert!(!is_inside(host("https://127.0.0.1example.com/hooks")));
}
