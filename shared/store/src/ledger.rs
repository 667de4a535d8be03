//! The ledger as it is read: journals in order, wallets, chains and the platform's sums.

use crate::DynamoStore;
use crate::items::{
    HeadItem, LinkItem, TotalsItem, TransactionItem, WalletItem, partition_key, sort_key, to_key,
};
use crate::keys::{self, Key};
use crate::retry::{failure, passes};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use fatura_application::ports::{
    JournalRange, Journals, ListError, Page, PageRequest, Position, Sealed, StoreError, Wallets,
};
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::ledger::{Link, Totals, Transaction};
use fatura_domain::wallet::Wallet;

#[async_trait]
impl Wallets for DynamoStore {
    async fn wallets(&self, customer: CustomerId) -> Result<Vec<Wallet>, StoreError> {
        let (pk, first, last) = keys::wallets(customer);
        let items = self.range(pk, &first, &last, false).await?;
        items.into_iter().map(|item| WalletItem::read(customer, item)).collect()
    }
}

#[async_trait]
impl Journals for DynamoStore {
    async fn transaction(&self, id: TransactionId) -> Result<Option<Transaction>, StoreError> {
        self.get(keys::transaction(id)).await?.map(TransactionItem::read).transpose()
    }

    async fn journals(
        &self,
        customer: CustomerId,
        range: JournalRange,
        page: PageRequest,
    ) -> Result<Page<Transaction>, ListError> {
        let (first, last) = keys::transactions_between(customer, range.from, range.to);
        let last = range.before.map_or(last, keys::last_before);
        let partition = keys::record_partition(customer);
        self.oldest_first(&partition, (first, last), page, TransactionItem::read).await
    }

    async fn all_journals(&self, page: PageRequest) -> Result<Page<Transaction>, ListError> {
        let start = page.after.map(|position| place(&position)).transpose()?;
        let request = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("begins_with(SK, :journals)")
            .expression_attribute_values(":journals", AttributeValue::S(keys::JOURNALS.to_owned()))
            .limit(i32::try_from(page.limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start.map(to_key))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = self.patiently(|| request.clone().send(), passes).await;
        let answer = answer.map_err(|error| failure(&error))?;
        self.meter.read(answer.consumed_capacity());
        let data = answer.items.unwrap_or_default().into_iter().map(TransactionItem::read);
        let next = answer.last_evaluated_key;
        let next = next.map(|key| Position(format!("{} {}", partition_key(&key), sort_key(&key))));
        Ok(Page { data: data.collect::<Result<_, _>>()?, next })
    }

    async fn links(&self, journals: &[TransactionId]) -> Result<Vec<Link>, StoreError> {
        let items = self.get_all(journals.iter().map(|journal| keys::link(*journal))).await?;
        let mut links = items.into_values().map(LinkItem::read).collect::<Result<Vec<_>, _>>()?;
        links.sort_by_key(|link| link.transaction);
        Ok(links)
    }

    async fn chain(&self, customer: CustomerId, journals: &[TransactionId]) -> Result<Sealed, StoreError> {
        let head = keys::chain_head(customer);
        let asked = journals.iter().map(|journal| keys::link(*journal)).chain([head.clone()]);
        let mut items = self.get_all(asked).await?;
        let head = HeadItem::read(customer, items.remove(&head))?;
        let known = items.keys().filter_map(|Key { sk, .. }| keys::linked_journal(sk)).collect();
        Ok(Sealed { head, known })
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        let (pk, first, last) = keys::all_totals();
        let mut totals = Totals::default();
        for item in self.range(pk, &first, &last, false).await? {
            totals.merge(&TotalsItem::read(&item)?);
        }
        Ok(totals)
    }
}

/// A key of the table, partition and sort key apart by a blank: neither of a journal's has one.
fn place(position: &Position) -> Result<Key, ListError> {
    let (pk, sk) = position.0.split_once(' ').ok_or(ListError::BadPosition)?;
    if pk.is_empty() || sk.is_empty() {
        return Err(ListError::BadPosition);
    }
    Ok(Key { pk: pk.to_owned(), sk: sk.to_owned() })
}
