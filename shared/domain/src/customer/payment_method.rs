use crate::Timestamp;
use crate::gateway::{GatewayName, Means, MeansType, PixKey, Token};
use crate::id::PaymentMethodId;
use crate::risk::Country;
use crate::text::{Text, holds_card_number};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Something a customer registered to pay with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentMethod {
    pub id: PaymentMethodId,
    pub instrument: Instrument,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    CreditCard(Card),
    Pix(PixKey),
}

/// A card as gateways keep it: a token each, which only that gateway understands, and what may be shown of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub gateway: GatewayName,
    pub token: Token,
    /// The same card at other gateways.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<GatewayName, Token>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Text<40>>,
    /// Only its holder has said so: good enough to be shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_brand_claimed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// Where it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    pub month: u8,
    pub year: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PaymentMethodError {
    #[error("looks like a card number; send the token that the gateway's own form gives")]
    CardNumber,
    #[error("must be 1 to 255 visible characters")]
    NotAToken,
    #[error("must be a pix key: e-mail, +55 phone, CPF, CNPJ or random key")]
    NotAPixKey,
    #[error("must be exactly four digits")]
    NotLastFour,
    #[error("must be a month from 1 to 12")]
    NotAMonth,
    #[error("must be a year from 2000 to 2100")]
    NotAYear,
}

/// Why a gateway can't hold a payment method as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HeldError {
    #[error("a pix key is charged at any gateway and kept at none")]
    NotACard,
    #[error(
        "this gateway holds the card already; to give it another token, detach the card and add it again"
    )]
    HeldAlready,
    #[error("{} gateways hold the card, which is as many as may", MOST_OTHERS + 1)]
    TooMany,
}

const MOST_OTHERS: usize = 9;

impl PaymentMethod {
    /// The card's network, as far as it is known: what rules go by, and not what its holder says.
    pub fn brand(&self) -> Option<&str> {
        match &self.instrument {
            Instrument::CreditCard(card) => card.known_brand().map(Text::as_str),
            Instrument::Pix(_) => None,
        }
    }

    /// Where the card was issued, if it is one and the shop told.
    pub const fn country(&self) -> Option<Country> {
        match &self.instrument {
            Instrument::CreditCard(card) => card.country,
            Instrument::Pix(_) => None,
        }
    }

    pub const fn means(&self) -> MeansType {
        match &self.instrument {
            Instrument::CreditCard(_) => MeansType::CreditCard,
            Instrument::Pix(_) => MeansType::Pix,
        }
    }

    /// The same card, which one more gateway can charge.
    pub fn also_held_by(&self, gateway: &GatewayName, token: Token) -> Result<Self, HeldError> {
        let Instrument::CreditCard(card) = &self.instrument else { return Err(HeldError::NotACard) };
        let mut card = card.clone();
        match card.token_at(gateway) {
            Some(known) if *known == token => return Ok(self.clone()),
            Some(_) => return Err(HeldError::HeldAlready),
            None => {}
        }
        if card.others.len() >= MOST_OTHERS {
            return Err(HeldError::TooMany);
        }
        card.others.insert(gateway.clone(), token);
        Ok(Self { instrument: Instrument::CreditCard(card), ..self.clone() })
    }

    /// What to charge at this gateway. None: it doesn't hold the card.
    pub fn means_at(&self, gateway: &GatewayName) -> Option<Means> {
        Some(match &self.instrument {
            Instrument::CreditCard(card) => Means::CreditCard(card.token_at(gateway)?.clone()),
            Instrument::Pix(key) => Means::Pix(key.clone()),
        })
    }
}

impl Card {
    /// The gateways that hold it.
    pub fn gateways(&self) -> impl Iterator<Item = &GatewayName> {
        [&self.gateway].into_iter().chain(self.others.keys())
    }

    pub(super) fn known_brand(&self) -> Option<&Text<40>> {
        self.brand.as_ref().filter(|_| !self.is_brand_claimed)
    }

    fn token_at(&self, gateway: &GatewayName) -> Option<&Token> {
        if self.gateway == *gateway { Some(&self.token) } else { self.others.get(gateway) }
    }
}

impl Token {
    pub fn parse(text: &str) -> Result<Self, PaymentMethodError> {
        if holds_card_number(text) {
            Err(PaymentMethodError::CardNumber)
        } else if is_visible(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PaymentMethodError::NotAToken)
        }
    }
}

impl PixKey {
    /// A company's registration has fourteen digits, and one in ten of those passes for a card number: its own check
    /// digits tell them apart.
    pub fn parse(text: &str) -> Result<Self, PaymentMethodError> {
        if holds_card_number(text) && !is_cnpj(text) && !is_phone(text) {
            Err(PaymentMethodError::CardNumber)
        } else if is_visible(text) && text.len() <= 77 {
            Ok(Self(text.to_owned()))
        } else {
            Err(PaymentMethodError::NotAPixKey)
        }
    }
}

impl Expiry {
    pub fn parse(month: u8, year: u16) -> Result<Self, PaymentMethodError> {
        if !(1..=12).contains(&month) {
            Err(PaymentMethodError::NotAMonth)
        } else if !(2000..=2100).contains(&year) {
            Err(PaymentMethodError::NotAYear)
        } else {
            Ok(Self { month, year })
        }
    }
}

fn is_visible(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_phone(text: &str) -> bool {
    text.strip_prefix("+55")
        .is_some_and(|number| (10..=11).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()))
}

fn is_cnpj(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let check = |count: usize| {
        let weights = (2..=9).cycle();
        let sum: u32 =
            digits.iter().take(count).rev().zip(weights).map(|(digit, weight)| digit * weight).sum();
        let remainder = sum % 11;
        let expected = if remainder < 2 { 0 } else { 11 - remainder };
        digits.get(count) == Some(&expected)
    };
    digits.len() == 14 && check(12) && check(13)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::KnownCard;
    use crate::id::CustomerId;

    #[test]
    fn a_card_number_is_no_token_and_no_pix_key() {
        assert_eq!(Token::parse("4111111111111111"), Err(PaymentMethodError::CardNumber));
        assert_eq!(PixKey::parse("4111 1111 1111 1111"), Err(PaymentMethodError::CardNumber));
        assert!(Token::parse("tok_visa").is_ok());
        assert_eq!(Token::parse("tok visa"), Err(PaymentMethodError::NotAToken));
    }

    #[test]
    fn companies_may_pay_by_their_registration() {
        // 11222333003520 passes the cards' check as well as its own.
        for key in ["ana@example.com", "+5511987654321", "11222333003520", "61519118775290", "15518407370869"]
        {
            assert!(PixKey::parse(key).is_ok(), "{key}");
        }
        // One check digit of two is right, and the card's.
        for key in ["41504391940451", "33514171953640", "112223330035200000"] {
            assert_ne!(PixKey::parse(key), Ok(PixKey(key.to_owned())), "{key}");
        }
    }

    #[test]
    fn a_phone_that_passes_the_cards_check_is_a_phone() {
        assert!(PixKey::parse("+5511987000008").is_ok());
        for text in ["5511987000008", "+5511987000000009"] {
            assert_eq!(PixKey::parse(text), Err(PaymentMethodError::CardNumber), "{text}");
        }
    }

    #[test]
    fn a_key_has_77_visible_characters_at_most() {
        assert!(PixKey::parse(&"k".repeat(77)).is_ok());
        for text in [&"k".repeat(78), "", "a key"] {
            assert_eq!(PixKey::parse(text), Err(PaymentMethodError::NotAPixKey), "{text}");
        }
        assert!(Token::parse(&"t".repeat(255)).is_ok());
        assert_eq!(Token::parse(&"t".repeat(256)), Err(PaymentMethodError::NotAToken));
    }

    fn name(text: &str) -> GatewayName {
        GatewayName::parse(text).unwrap()
    }

    fn method(instrument: Instrument) -> PaymentMethod {
        let at = Timestamp::UNIX_EPOCH;
        PaymentMethod { id: PaymentMethodId::new(CustomerId::new(1), at, 1), instrument, created_at: at }
    }

    /// Held by the first gateway, as `tok_a`.
    fn card() -> PaymentMethod {
        method(Instrument::CreditCard(Card {
            gateway: name("a"),
            token: Token("tok_a".to_owned()),
            others: BTreeMap::new(),
            brand: None,
            is_brand_claimed: false,
            last4: None,
            expiry: None,
            country: None,
        }))
    }

    /// A holder who calls a card by another network's name would choose how often it may be tried.
    #[test]
    fn what_its_holder_says_is_no_cards_network() {
        let mut method = card();
        for (is_brand_claimed, known) in [(false, Some("visa")), (true, None)] {
            let Instrument::CreditCard(card) = &mut method.instrument else { panic!("a card") };
            (card.brand, card.is_brand_claimed) = (Text::parse("visa").ok(), is_brand_claimed);
            assert_eq!(method.brand(), known);
            let source = KnownCard::of(&method).unwrap();
            assert_eq!(source.brand.as_ref().map(Text::as_str), known);
        }
    }

    #[test]
    fn a_card_is_held_by_ten_gateways_each_with_a_token_of_its_own() {
        let token = |text: &str| Token(text.to_owned());
        let both = card().also_held_by(&name("b"), token("tok_b")).unwrap();
        assert_eq!(both.means_at(&name("a")), Some(Means::CreditCard(token("tok_a"))));
        assert_eq!(both.means_at(&name("b")), Some(Means::CreditCard(token("tok_b"))));
        assert_eq!(both.means_at(&name("c")), None);
        assert_eq!((both.id, both.created_at), (card().id, card().created_at));
        assert_eq!(both.also_held_by(&name("b"), token("tok_b")), Ok(both.clone()), "said twice");
        assert_eq!(both.also_held_by(&name("b"), token("tok_c")), Err(HeldError::HeldAlready));
        assert_eq!(both.also_held_by(&name("a"), token("tok_c")), Err(HeldError::HeldAlready));
        let more =
            |held: PaymentMethod, place: usize| held.also_held_by(&name(&format!("g{place}")), token("tok"));
        let ten = (0..8).try_fold(both, more).unwrap();
        assert_eq!(more(ten.clone(), 8), Err(HeldError::TooMany));
        let Instrument::CreditCard(held) = &ten.instrument else { panic!("a card") };
        let holders: Vec<&str> = held.gateways().map(GatewayName::as_str).collect();
        assert_eq!(holders, ["a", "b", "g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7"]);
        assert_eq!(ten.also_held_by(&name("b"), token("tok_b")), Ok(ten.clone()), "it is one of them");
        let pix = method(Instrument::Pix(PixKey("ana@example.com".to_owned())));
        assert_eq!(pix.also_held_by(&name("b"), token("tok_b")), Err(HeldError::NotACard));
    }

    #[test]
    fn a_card_ends_in_a_month_of_this_century() {
        assert_eq!(Expiry::parse(1, 2000), Ok(Expiry { month: 1, year: 2000 }));
        assert_eq!(Expiry::parse(12, 2100), Ok(Expiry { month: 12, year: 2100 }));
        for month in [0, 13] {
            assert_eq!(Expiry::parse(month, 2030), Err(PaymentMethodError::NotAMonth));
        }
        for year in [1999, 2101, 30] {
            assert_eq!(Expiry::parse(6, year), Err(PaymentMethodError::NotAYear));
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let shown = format!("{:?} {:?}", Token("tok_secret".into()), PixKey("ana@example.com".into()));
        assert!(!shown.contains("secret") && !shown.contains("ana"), "{shown}");
    }
}
