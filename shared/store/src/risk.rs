//! What the risk rules ask about a customer, and the rules themselves.

use crate::DynamoStore;
use crate::items::{Item, TRIES, corrupt, read_risk_rules, read_tries, to_key, write_try};
use crate::keys::{self, Configuration};
use crate::retry::{failure, passes};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure, Select,
};
use fatura_application::RiskEdition;
use fatura_application::ports::{ListError, Page, PageRequest, RiskRecords, StoreError};
use fatura_domain::bug::Bug;
use fatura_domain::id::CustomerId;
use fatura_domain::ledger::TransactionKind;
use fatura_domain::risk::{Hour, Record, Try, Velocity};
use fatura_domain::{SignedDuration, Timestamp};

/// Nobody asks for what is older than a day.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(26);

#[async_trait]
impl RiskRecords for DynamoStore {
    async fn risk_rules(&self) -> Result<Option<RiskEdition>, StoreError> {
        self.get(Configuration::Risk.current()).await?.map(read_risk_rules).transpose()
    }

    async fn risk_editions(&self, page: PageRequest) -> Result<Page<RiskEdition>, ListError> {
        let (partition, from, to) = Configuration::Risk.editions();
        self.newest_first(&partition, (from, to), page, read_risk_rules, |_| true).await
    }

    async fn payments(&self, customer: CustomerId) -> Result<u32, StoreError> {
        let (partition, range) =
            (keys::record_partition(customer), keys::transactions_between(customer, None, None));
        self.count_latest(partition, range, Record::MOST_MOVEMENTS, Some(TransactionKind::Charge)).await
    }

    async fn disputes(&self, customer: CustomerId) -> Result<u32, StoreError> {
        let range = keys::disputes_since(customer, Timestamp::UNIX_EPOCH);
        self.count_latest(keys::customer_partition(customer), range, Record::MOST_DISPUTES, None).await
    }

    async fn velocity(&self, customer: CustomerId, now: Timestamp) -> Result<Velocity, StoreError> {
        let (from, to) = Hour::of_last_day(now);
        self.tried_between(customer, from, to).await
    }

    async fn count_try(
        &self,
        customer: CustomerId,
        one: Try,
        now: Timestamp,
    ) -> Result<Velocity, StoreError> {
        let (first, Hour(this)) = Hour::of_last_day(now);
        let before = self.tried_between(customer, first, Hour(this.saturating_sub(1)));
        let (before, (hour, tries)) = futures::try_join!(before, self.add_try(customer, one, now))?;
        Ok(before.with_hour(hour, tries))
    }
}

impl DynamoStore {
    async fn tried_between(
        &self,
        customer: CustomerId,
        from: Hour,
        to: Hour,
    ) -> Result<Velocity, StoreError> {
        let (from, to) = keys::velocity_between(from, to);
        let items = self.range(keys::customer_partition(customer), &from, &to, false).await?;
        items.iter().map(read_tries).try_fold(Velocity::default(), |velocity, hour| {
            let (hour, tries) = hour?;
            Ok(velocity.with_hour(hour, tries))
        })
    }

    /// One write to one item that stays below a kilobyte. A full one is left as it is, and answers all the same.
    async fn add_try(
        &self,
        customer: CustomerId,
        one: Try,
        now: Timestamp,
    ) -> Result<(Hour, Vec<Try>), StoreError> {
        let is_overwritten = Bug::VelocityOverwritten.is_planted();
        let add = if is_overwritten { "SET #tries = :one," } else { "ADD #tries :one SET" };
        let delete_after = now.checked_add(KEPT_FOR).unwrap_or(Timestamp::MAX).as_second();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(to_key(keys::velocity(customer, one.hour()))))
            .update_expression(format!("{add} #ttl = if_not_exists(#ttl, :ttl)"))
            .condition_expression("attribute_not_exists(#tries) OR size(#tries) < :most")
            .expression_attribute_names("#tries", TRIES)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":one", write_try(one))
            .expression_attribute_values(":ttl", AttributeValue::N(delete_after.to_string()))
            .expression_attribute_values(":most", AttributeValue::N(Velocity::MOST_IN_AN_HOUR.to_string()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let item: Option<Item> = match self.patiently(|| request.clone().send(), passes).await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                answer.attributes
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(full)) => full.item.clone(),
                _ => return Err(failure(&error)),
            },
        };
        read_tries(&item.ok_or_else(|| corrupt("an hour without tries"))?)
    }

    /// How many of the latest items of a range are there, or of those the ones of a kind that are the customer's own: what
    /// mirrors another's was paid by that other. Reads no more than `most`, at half the price: what is a moment old will do.
    async fn count_latest(
        &self,
        partition: String,
        (from, to): (String, String),
        most: u16,
        kind: Option<TransactionKind>,
    ) -> Result<u32, StoreError> {
        let kind =
            kind.map(serde_dynamo::to_attribute_value::<_, AttributeValue>).transpose().map_err(corrupt)?;
        let mut request = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND SK BETWEEN :from AND :to")
            .expression_attribute_values(":pk", AttributeValue::S(partition))
            .expression_attribute_values(":from", AttributeValue::S(from))
            .expression_attribute_values(":to", AttributeValue::S(to))
            .scan_index_forward(false)
            .limit(most.into())
            .select(Select::Count)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        if let Some(kind) = kind {
            request = request
                .filter_expression("#kind = :kind AND attribute_not_exists(#mirrors)")
                .expression_attribute_names("#kind", "k")
                .expression_attribute_names("#mirrors", "mi")
                .expression_attribute_values(":kind", kind);
        }
        let answer = self.patiently(|| request.clone().send(), passes).await;
        let answer = answer.map_err(|error| failure(&error))?;
        self.meter.read(answer.consumed_capacity());
        Ok(u32::try_from(answer.count).unwrap_or_default())
    }
}
