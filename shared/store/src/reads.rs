//! Reading by key: strongly consistent, one round trip.

use crate::DynamoStore;
use crate::items::{
    AnswerItem, ApiKeyItem, CustomerItem, DetachmentItem, Item, MARK, OwnerItem, PaymentMethodItem,
    WebhookItem, from_item, sort_key, to_key,
};
use crate::keys::{self, Key};
use crate::lists::Merge;
use crate::retry::{failure, passes};
use crate::transact::{is_marked, mark};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use fatura_application::access::{ApiKey, KeyHash};
use fatura_application::idempotency::{AnswerScope, StoredAnswer};
use fatura_application::ports::{
    Answers, ApiKeys, Customers, Payer, Recorded, StoreError, WebhookEvent, Webhooks,
};
use fatura_domain::Timestamp;
use fatura_domain::customer::{Customer, Detachment};
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{CustomerId, PaymentMethodId};
use fatura_domain::text::ExternalId;

impl DynamoStore {
    pub(crate) async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(to_key(key)))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = self.patiently(|| request.clone().send(), passes).await;
        let answer = answer.map_err(|error| failure(&error))?;
        self.meter.read(answer.consumed_capacity());
        Ok(answer.item)
    }

    /// The first items of a range of one partition, or the last ones, the last first.
    pub(crate) async fn part_of_range(
        &self,
        pk: String,
        from: &str,
        to: &str,
        descending: bool,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND SK BETWEEN :from AND :to")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":from", AttributeValue::S(from.to_owned()))
            .expression_attribute_values(":to", AttributeValue::S(to.to_owned()))
            .scan_index_forward(!descending)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = self.patiently(|| request.clone().send(), passes).await;
        let answer = answer.map_err(|error| failure(&error))?;
        self.meter.read(answer.consumed_capacity());
        Ok(answer.items.unwrap_or_default())
    }

    /// All items of a short range of one partition.
    pub(crate) async fn range(
        &self,
        pk: String,
        from: &str,
        to: &str,
        descending: bool,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("PK = :pk AND SK BETWEEN :from AND :to")
                .expression_attribute_values(":pk", AttributeValue::S(pk.clone()))
                .expression_attribute_values(":from", AttributeValue::S(from.to_owned()))
                .expression_attribute_values(":to", AttributeValue::S(to.to_owned()))
                .scan_index_forward(!descending)
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let answer = self.patiently(|| request.clone().send(), passes).await;
            let answer = answer.map_err(|error| failure(&error))?;
            self.meter.read(answer.consumed_capacity());
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }
}

#[async_trait]
impl Customers for DynamoStore {
    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        self.get(keys::customer(id)).await?.map(CustomerItem::read).transpose()
    }

    async fn payer(&self, id: CustomerId) -> Result<Option<Payer>, StoreError> {
        let (from, to) = keys::payer_range();
        let items = self.range(keys::customer_partition(id), &from, &to, true).await?;
        let (customers, methods): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| keys::is_customer(sort_key(item)));
        let Some(customer) = customers.into_iter().next() else { return Ok(None) };
        let methods = methods.into_iter().map(PaymentMethodItem::read).collect::<Result<_, _>>()?;
        Ok(Some(Payer { customer: CustomerItem::read(customer)?, methods }))
    }

    async fn by_external_id(&self, external_id: &ExternalId) -> Result<Option<CustomerId>, StoreError> {
        let item = self.get(keys::external_id(external_id.as_str())).await?;
        Ok(item.map(from_item::<OwnerItem>).transpose()?.map(|owner| owner.customer))
    }

    async fn detachment(&self, method: PaymentMethodId) -> Result<Option<Detachment>, StoreError> {
        self.get(keys::detachment(method)).await?.map(DetachmentItem::read).transpose()
    }

    async fn due_detachments(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<PaymentMethodId>, StoreError> {
        let partitions = [keys::DETACHMENTS.to_owned()];
        let entries = Merge::new(self, partitions, keys::WORK_FROM, keys::due_by(now)).next(limit).await?;
        Ok(entries.iter().filter_map(|sk| keys::work_detachment(sk)).collect())
    }
}

#[async_trait]
impl Answers for DynamoStore {
    async fn answer(&self, scope: &AnswerScope, now: Timestamp) -> Result<Option<StoredAnswer>, StoreError> {
        let stored =
            self.get(keys::answer(scope)).await?.map(|item| AnswerItem::read(scope, item)).transpose()?;
        // DynamoDB deletes what has expired when it finds the time; for us it is gone at once.
        Ok(stored.filter(|stored| stored.expires_at >= now))
    }
}

#[async_trait]
impl ApiKeys for DynamoStore {
    async fn api_key(&self, hash: KeyHash) -> Result<Option<ApiKey>, StoreError> {
        self.get(keys::api_key(&hash.to_hex())).await?.map(ApiKeyItem::read).transpose()
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let items = self.range(keys::api_keys_partition(), "0", "~", false).await?;
        items.into_iter().map(ApiKeyItem::read).collect()
    }
}

#[async_trait]
impl Webhooks for DynamoStore {
    async fn record(&self, event: &WebhookEvent) -> Result<Recorded, StoreError> {
        let mark = mark()?;
        let mut item = WebhookItem::write(event)?;
        item.insert(MARK.to_owned(), mark.clone());
        let now = AttributeValue::N(event.received_at.as_second().to_string());
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK) OR #ttl < :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", now)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.patiently(|| request.clone().send(), passes).await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(Recorded::New)
            }
            Err(error) => match error.as_service_error() {
                Some(
                    aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(
                        failed,
                    ),
                ) => {
                    // The answer to an earlier try was lost.
                    if is_marked(failed.item.as_ref(), &mark) {
                        return Ok(Recorded::New);
                    }
                    let found = failed.item.clone().map(from_item::<WebhookItem>).transpose()?;
                    Ok(Recorded::Known { processed: found.is_some_and(|item| item.processed) })
                }
                _ => Err(failure(&error)),
            },
        }
    }

    async fn webhook(
        &self,
        gateway: &GatewayName,
        event_id: &str,
    ) -> Result<Option<WebhookEvent>, StoreError> {
        let item = self.get(keys::webhook(gateway, event_id)).await?;
        item.map(|item| WebhookItem::read(gateway, event_id, item)).transpose()
    }
}
