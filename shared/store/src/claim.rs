use crate::DynamoStore;
use crate::items::{InvoiceItem, corrupt, to_key};
use crate::keys;
use crate::retry::{failure, passes};
use crate::transact::{is_marked, mark};
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
        let mark = mark()?;
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(to_key(keys::invoice(invoice))))
            .update_expression("SET st.pending.live = :live, n = :n, v = :next, u = :now, w = :mark")
            .condition_expression(
                "v = :v AND attribute_exists(st.pending) AND attribute_not_exists(st.pending.live)",
            )
            .expression_attribute_values(":live", stored)
            .expression_attribute_values(":mark", mark.clone())
            .expression_attribute_values(":n", number(i128::from(live.number.0)))
            .expression_attribute_values(":v", number(i128::from(version)))
            .expression_attribute_values(":next", number(i128::from(version) + 1))
            .expression_attribute_values(":now", number(i128::from(now.as_millisecond())))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.patiently(|| request.clone().send(), passes).await {
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
                // This very claim stands: the answer to an earlier try was lost.
                let is_ours = is_marked(failed.item.as_ref(), &mark);
                let found = failed.item.filter(|item| !item.is_empty()).map(InvoiceItem::read).transpose()?;
                Ok(match found {
                    Some(found) if is_ours => Claim::Claimed(Box::new(found)),
                    found => Claim::Refused(found.map(Box::new)),
                })
            }
            Err(error) => Err(failure(&error)),
        }
    }
}
