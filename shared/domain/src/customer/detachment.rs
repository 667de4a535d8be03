use super::{Instrument, PaymentMethod};
use crate::Timestamp;
use crate::dunning::Policy;
use crate::gateway::{GatewayName, Token};
use crate::id::PaymentMethodId;
use std::collections::BTreeMap;

/// A card that is gone here, and that gateways have yet to forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detachment {
    pub method: PaymentMethodId,
    pub version: u64,
    /// Where it is still kept.
    pub tokens: BTreeMap<GatewayName, Token>,
    pub tries: u8,
    /// When the sweep looks at it next.
    pub due: Timestamp,
}

impl Detachment {
    /// None: no gateway keeps anything of it.
    pub fn of(method: &PaymentMethod, policy: &Policy, now: Timestamp) -> Option<Self> {
        let Instrument::CreditCard(card) = &method.instrument else { return None };
        let mut tokens = card.others.clone();
        tokens.insert(card.gateway.clone(), card.token.clone());
        Some(Self { method: method.id, version: 1, tokens, tries: 0, due: policy.again_at(0, now) })
    }

    /// Of a card that a gateway came to keep, and that we never did.
    pub fn of_token(
        method: PaymentMethodId,
        gateway: GatewayName,
        token: Token,
        policy: &Policy,
        now: Timestamp,
    ) -> Self {
        let tokens = BTreeMap::from([(gateway, token)]);
        Self { method, version: 1, tokens, tries: 0, due: policy.again_at(0, now) }
    }

    /// The same, with one more gateway to be told.
    #[must_use]
    pub fn and(&self, gateway: GatewayName, token: Token, policy: &Policy, now: Timestamp) -> Self {
        let mut next = Self { version: self.version + 1, due: policy.again_at(0, now), ..self.clone() };
        next.tokens.insert(gateway, token);
        next
    }

    /// After the gateways were told, and these don't say that they have forgotten it. None: it is done.
    pub fn told(
        &self,
        silent: BTreeMap<GatewayName, Token>,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<Self> {
        let tries = self.tries.saturating_add(1);
        let due = policy.again_at(tries, now);
        let next = Self { method: self.method, version: self.version + 1, tokens: silent, tries, due };
        (!next.tokens.is_empty()).then_some(next)
    }

    /// Write this, then send a message about it. None: it isn't time.
    pub fn woken(&self, policy: &Policy, now: Timestamp) -> Option<Self> {
        let due = policy.again_at(self.tries, now);
        (self.due <= now).then(|| Self { version: self.version + 1, due, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SignedDuration;
    use crate::customer::Card;
    use crate::gateway::PixKey;
    use crate::id::CustomerId;

    fn method(instrument: Instrument) -> PaymentMethod {
        let id = PaymentMethodId::new(CustomerId::new(1), Timestamp::UNIX_EPOCH, 1);
        PaymentMethod { id, instrument, created_at: Timestamp::UNIX_EPOCH }
    }

    fn name(text: &str) -> GatewayName {
        GatewayName::parse(text).unwrap()
    }

    #[test]
    fn every_gateway_is_told_until_it_has_forgotten() {
        let (policy, now) = (Policy::default(), Timestamp::UNIX_EPOCH);
        let card = Card {
            gateway: name("a"),
            token: Token("tok_a".to_owned()),
            others: BTreeMap::from([(name("b"), Token("tok_b".to_owned()))]),
            brand: None,
            is_brand_claimed: false,
            last4: None,
            expiry: None,
            country: None,
        };
        let begun = Detachment::of(&method(Instrument::CreditCard(card)), &policy, now).unwrap();
        assert_eq!(begun.tokens.keys().map(GatewayName::as_str).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(begun.due, now + SignedDuration::from_mins(1));
        assert_eq!(begun.woken(&policy, now), None);
        let woken = begun.woken(&policy, begun.due).unwrap();
        assert_eq!((woken.version, woken.tries), (2, 0));
        assert_eq!(woken.due, begun.due + SignedDuration::from_mins(1));
        let later = now + SignedDuration::from_hours(1);
        let more = begun.and(name("c"), Token("tok_c".to_owned()), &policy, later);
        assert_eq!(more.tokens.keys().map(GatewayName::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!((more.version, more.due), (2, later + SignedDuration::from_mins(1)));

        let silent = BTreeMap::from([(name("b"), Token("tok_b".to_owned()))]);
        let half = woken.told(silent.clone(), &policy, now).unwrap();
        assert_eq!((half.version, half.tries, &half.tokens), (3, 1, &silent));
        assert_eq!(half.due, now + SignedDuration::from_mins(2));
        let mut stubborn = half.clone();
        for _ in 0..20 {
            stubborn = stubborn.told(silent.clone(), &policy, now).unwrap();
        }
        assert_eq!(stubborn.due, now + SignedDuration::from_hours(24), "daily, for as long as it takes");
        assert_eq!(half.told(BTreeMap::new(), &policy, now), None);
    }

    #[test]
    fn a_pix_key_is_kept_nowhere_else() {
        let pix = method(Instrument::Pix(PixKey("ana@example.com".to_owned())));
        assert_eq!(Detachment::of(&pix, &Policy::default(), Timestamp::UNIX_EPOCH), None);
    }
}
