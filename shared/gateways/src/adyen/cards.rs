//! Stored cards. The form in the browser (Drop-in with `storePaymentMethod`, under our customer's id as
//! `shopperReference`) makes them; what is charged is `customer/stored payment method`. Encrypted card data is not taken.

use super::wire::StoredCards;
use super::{Adyen, succeeded};
use crate::brazil::{forgotten, is_plain, parts};
use crate::trouble::Trouble;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{StoreOutcome, StoreRequest, Token};
use reqwest::Url;

impl Adyen {
    /// Nothing is made here: the gateway is asked whether the card is this customer's.
    pub(super) async fn store(&self, request: &StoreRequest) -> Result<StoreOutcome, Trouble> {
        let (shopper, card) = (request.customer.to_string(), request.token.0.as_str());
        let told = self.told_merchant().await?;
        let url = with_query(self.url(&["storedPaymentMethods"]), &shopper, &told.merchant_account);
        let found: StoredCards = succeeded(&self.call(&told, self.http.get(url)).await?)?.json()?;
        let is_there = found.stored_payment_methods.iter().any(|stored| stored.id.as_deref() == Some(card));
        if is_there && is_plain(card) {
            return Ok(StoreOutcome::Stored(Token(format!("{shopper}/{card}"))));
        }
        let message = "the gateway has no such card of this customer";
        Ok(StoreOutcome::Declined { failure: Failure::new(FailureClass::Hard, "invalid_card", message) })
    }

    pub(super) async fn forget(&self, token: &Token) -> Result<(), Trouble> {
        let [shopper, card] = parts(&token.0)?;
        let told = self.told_merchant().await?;
        let url = with_query(self.url(&["storedPaymentMethods", card]), shopper, &told.merchant_account);
        forgotten(&self.call(&told, self.http.delete(url)).await?)
    }
}

fn with_query(mut url: Url, shopper: &str, merchant_account: &str) -> Url {
    url.query_pairs_mut()
        .append_pair("shopperReference", shopper)
        .append_pair("merchantAccount", merchant_account);
    url
}
