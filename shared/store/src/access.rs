//! How customers sign in: by key, strongly consistent.

use crate::DynamoStore;
use crate::items::{CredentialsItem, Item, OwnerItem, SessionItem, TriesItem, from_item, sort_key};
use crate::keys;
use async_trait::async_trait;
use fatura_application::ports::{Access, SignIns, StoreError};
use fatura_application::sign_in::TriesOf;
use fatura_domain::id::CustomerId;
use fatura_domain::sign_in::Tries;
use fatura_domain::text::Email;

#[async_trait]
impl SignIns for DynamoStore {
    async fn by_email(&self, email: &Email) -> Result<Option<CustomerId>, StoreError> {
        let item = self.get(keys::email(email.as_str())).await?;
        Ok(item.map(from_item::<OwnerItem>).transpose()?.map(|owner| owner.customer))
    }

    async fn access(&self, customer: CustomerId) -> Result<Access, StoreError> {
        let (from, to) = keys::access_range();
        let items = self.range(keys::access_partition(customer), &from, &to, false).await?;
        let (sessions, credentials): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| keys::session_id(sort_key(item)).is_some());
        let credentials = credentials.into_iter().next();
        Ok(Access {
            credentials: credentials.map(|item| CredentialsItem::read(customer, item)).transpose()?,
            sessions: sessions.into_iter().map(SessionItem::read).collect::<Result<_, _>>()?,
        })
    }

    async fn tries(&self, of: &TriesOf) -> Result<Tries, StoreError> {
        let item = self.get(keys::tries(of)).await?;
        Ok(item.map(TriesItem::read).transpose()?.unwrap_or(Tries::NONE))
    }
}
