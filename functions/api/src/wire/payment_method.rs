use super::common::Instant;
use super::fields::Fields;
use super::values::{flag, one_of, text, whole};
use crate::problem::Problem;
use fatura_application::{AddPaymentMethod, NewInstrument};
use fatura_domain::customer::{Expiry, Instrument, PaymentMethod, PaymentMethodError};
use fatura_domain::gateway::{GatewayName, MeansType, PixKey, Token};
use fatura_domain::id::CustomerId;
use fatura_domain::risk::Country;
use fatura_domain::text::{Text, holds_card_number};
use serde::Serialize;

const CARD_MEMBERS: [&str; 7] = ["gateway", "token", "brand", "last4", "exp_month", "exp_year", "country"];

pub(crate) fn read_payment_method(
    customer: CustomerId,
    mut fields: Fields,
) -> Result<AddPaymentMethod, Problem> {
    refuse_card_numbers(&mut fields);
    let kinds = MeansType::ALL.into_iter().map(|means| (means.as_str(), means));
    let kind = fields.required("type", one_of(kinds));
    let make_default = fields.optional("default", flag).unwrap_or_default();
    let instrument = match kind {
        Some(MeansType::CreditCard) => read_card(&mut fields),
        Some(MeansType::Pix) => fields.required("key", text(PixKey::parse)).map(NewInstrument::Pix),
        None => {
            fields.ignore(&CARD_MEMBERS);
            fields.ignore(&["key"]);
            None
        }
    };
    fields.finish(|| Some(AddPaymentMethod { customer, instrument: instrument?, make_default }))
}

pub(crate) fn read_token(mut fields: Fields) -> Result<Token, Problem> {
    refuse_card_numbers(&mut fields);
    let token = fields.required("token", text(Token::parse));
    fields.finish(|| token)
}

/// A card number must not come in by any door. A pix key may look like one, and is judged by its own rules.
fn refuse_card_numbers(fields: &mut Fields) {
    let mut found = Vec::new();
    fields.each_text(&mut |path, text| {
        if path != "key" && holds_card_number(text) {
            found.push(path.to_owned());
        }
    });
    for path in found {
        fields.fault_at(path, PaymentMethodError::CardNumber.to_string());
    }
}

fn read_card(fields: &mut Fields) -> Option<NewInstrument> {
    let gateway = fields.optional("gateway", text(GatewayName::parse));
    let token = fields.required("token", text(Token::parse));
    let brand = fields.optional("brand", text(Text::<40>::parse));
    let last4 = fields.optional("last4", text(last_four));
    let expiry = read_expiry(fields);
    let country = fields.optional("country", text(str::parse::<Country>));
    Some(NewInstrument::CreditCard { gateway, token: token?, brand, last4, expiry, country })
}

/// Both halves or neither.
fn read_expiry(fields: &mut Fields) -> Option<Expiry> {
    const HALVES: [&str; 2] = ["exp_month", "exp_year"];
    let given = HALVES.map(|name| fields.has(name));
    let month = fields.optional("exp_month", whole::<u8>);
    let year = fields.optional("exp_year", whole::<u16>);
    if given.contains(&true) {
        for (name, _) in HALVES.into_iter().zip(given).filter(|(_, given)| !given) {
            fields.fault(name, "is required with the other half of the expiry");
        }
    }
    let refused = match Expiry::parse(month?, year?) {
        Ok(expiry) => return Some(expiry),
        Err(error) => error,
    };
    let field = if refused == PaymentMethodError::NotAMonth { "exp_month" } else { "exp_year" };
    fields.fault(field, refused.to_string());
    None
}

fn last_four(text: &str) -> Result<String, PaymentMethodError> {
    let is_four_digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_four_digits.then(|| text.to_owned()).ok_or(PaymentMethodError::NotLastFour)
}

/// What may be shown of a payment method: never a card's token.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum PaymentMethodBody<'a> {
    CreditCard {
        id: String,
        customer_id: String,
        r#type: &'static str,
        gateway: &'a str,
        /// All that hold the card.
        gateways: Vec<&'a str>,
        brand: Option<&'a str>,
        last4: Option<&'a str>,
        exp_month: Option<u8>,
        exp_year: Option<u16>,
        country: Option<String>,
        default: bool,
        created_at: Instant,
    },
    Pix {
        id: String,
        customer_id: String,
        r#type: &'static str,
        key: &'a str,
        default: bool,
        created_at: Instant,
    },
}

impl<'a> PaymentMethodBody<'a> {
    pub(crate) fn of(method: &'a PaymentMethod, default: bool) -> Self {
        let (id, customer_id) = (method.id.to_string(), method.id.owner().to_string());
        let created_at = Instant(method.created_at);
        match &method.instrument {
            Instrument::CreditCard(card) => Self::CreditCard {
                id,
                customer_id,
                r#type: MeansType::CreditCard.as_str(),
                gateway: card.gateway.as_str(),
                gateways: card.gateways().map(GatewayName::as_str).collect(),
                brand: card.brand.as_ref().map(Text::as_str),
                last4: card.last4.as_deref(),
                exp_month: card.expiry.map(|expiry| expiry.month),
                exp_year: card.expiry.map(|expiry| expiry.year),
                country: card.country.map(String::from),
                default,
                created_at,
            },
            Instrument::Pix(key) => Self::Pix {
                id,
                customer_id,
                r#type: MeansType::Pix.as_str(),
                key: &key.0,
                default,
                created_at,
            },
        }
    }
}
