use crate::DynamoStore;
use crate::items::{InvoiceItem, corrupt, to_key};
use crate::keys;
use crate::transact::failure;
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure,
};
use fatura_application::ChangeSet;
use fatura_application::ports::{Claim, CommitError, Store, StoreError};
use fatura_domain::Timestamp;
use fatura_domain::charge::LiveAttempt;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Invoice;

#[async_trait]
impl Store for DynamoStore {
    async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError> {
        self.write(changes).await
    }

    /// Touches neither of the index's keys, so the index costs nothing.
    async fn claim(
        &self,
        invoice: InvoiceId,
        version: u64,
        live: LiveAttempt,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let number = |n: i128| AttributeValue::N(n.to_string());
        let stored: AttributeValue = serde_dynamo::to_attribute_value(&live).map_err(corrupt)?;
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(to_key(keys::invoice(invoice))))
            .update_expression("SET st.pending.live = :live, n = :n, v = :next, u = :now")
            .condition_expression(
                "v = :v AND attribute_exists(st.pending) AND attribute_not_exists(st.pending.live)",
            )
            .expression_attribute_values(":live", stored)
            .expression_attribute_values(":n", number(i128::from(live.number.0)))
            .expression_attribute_values(":v", number(i128::from(version)))
            .expression_attribute_values(":next", number(i128::from(version) + 1))
            .expression_attribute_values(":now", number(i128::from(now.as_millisecond())))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        self.meter.call();
        match request.send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                let item = answer.attributes.ok_or_else(|| corrupt("a claim without an invoice"))?;
                Ok(Claim::Claimed(Box::new(InvoiceItem::read(item)?)))
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                let UpdateItemError::ConditionalCheckFailedException(failed) = error.into_service_error()
                else {
                    return Ok(Claim::Refused(None));
                };
                let found = failed.item.filter(|item| !item.is_empty()).map(InvoiceItem::read).transpose()?;
                Ok(match found {
                    // This very claim stands: the answer to our first try was lost.
                    Some(found) if is_claimed_by(&found, version, &live) => Claim::Claimed(Box::new(found)),
                    found => Claim::Refused(found.map(Box::new)),
                })
            }
            Err(error) => Err(failure(&error)),
        }
    }
}

/// The lease ends at a millisecond that only one claim in a version can have chosen... unless two began in the same one;
/// then both hold the same attempt with the same key, and the gateway takes it once.
fn is_claimed_by(found: &Invoice, version: u64, live: &LiveAttempt) -> bool {
    found.version == version + 1 && found.state.live_attempt() == Some(live)
}
