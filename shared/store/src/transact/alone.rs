//! One write by itself: half the price of a transaction of one, but without a token that makes a second try the same.

use super::{Condition, IfRefused, Update, random, refusal};
use crate::DynamoStore;
use crate::items::{Item, MARK};
use crate::retry::{failure, passes};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use fatura_application::ports::{CommitError, Refusal, StoreError};

impl DynamoStore {
    pub(super) async fn put(
        &self,
        mut item: Item,
        condition: Option<Condition>,
        if_refused: &IfRefused,
    ) -> Result<(), CommitError> {
        let mark = mark()?;
        item.insert(MARK.to_owned(), mark.clone());
        let (expression, values) = Condition::parts(condition);
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(expression)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.patiently(|| request.clone().send(), passes).await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(())
            }
            Err(SdkError::ServiceError(refused)) if refused.err().is_conditional_check_failed_exception() => {
                let PutItemError::ConditionalCheckFailedException(failed) = refused.into_err() else {
                    return Err(CommitError::Refused(vec![Refusal::Stale]));
                };
                // What lies there is what we wrote: the answer to an earlier try was lost.
                if is_marked(failed.item.as_ref(), &mark) {
                    return Ok(());
                }
                Err(CommitError::Refused(vec![refusal(if_refused, failed.item)?]))
            }
            Err(error) => Err(failure(&error).into()),
        }
    }

    /// What is done alone changes nothing when it is done again, so a lost answer needs no mark.
    pub(super) async fn update(
        &self,
        key: Item,
        update: Update,
        condition: Option<Condition>,
        if_refused: &IfRefused,
    ) -> Result<(), CommitError> {
        let (expression, values) = Condition::parts(condition);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .set_expression_attribute_names(update.names())
            .update_expression(update.expression)
            .set_expression_attribute_values(Some(
                values.into_iter().flatten().chain(update.values).collect(),
            ))
            .set_condition_expression(expression)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.patiently(|| request.clone().send(), passes).await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(())
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Err(CommitError::Refused(vec![refusal(if_refused, None)?]))
            }
            Err(error) => Err(failure(&error).into()),
        }
    }
}

/// Eight random bytes that tell this very write from an equal one of somebody else, at the same millisecond even.
pub(crate) fn mark() -> Result<AttributeValue, StoreError> {
    Ok(AttributeValue::B(Blob::new(random()?.to_be_bytes())))
}

pub(crate) fn is_marked(found: Option<&Item>, mark: &AttributeValue) -> bool {
    found.and_then(|item| item.get(MARK)) == Some(mark)
}
