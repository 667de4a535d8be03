//! A change set as one transaction, and what DynamoDB's refusal of it means.

mod plan;

use crate::DynamoStore;
use crate::items::{AnswerItem, Item};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use fatura_application::ChangeSet;
use fatura_application::idempotency::AnswerScope;
use fatura_application::ports::{CommitError, Refusal, StoreError};
use std::collections::HashMap;
use std::time::Duration;

/// How often a transaction is tried that met others at the same items, before the caller is told that the store is busy.
const TRIES: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(8);

/// One write of the transaction, named by what it means if its condition doesn't hold.
pub(crate) struct Action {
    write: Write,
    condition: Option<Condition>,
    if_refused: IfRefused,
}

pub(crate) enum Write {
    Put(Item),
    Delete(Item),
    /// Only looks; costs as much as a write.
    Check(Item),
    /// Sets one attribute.
    Set(Item, &'static str, AttributeValue),
}

#[derive(Clone)]
pub(crate) struct Condition {
    expression: &'static str,
    values: HashMap<String, AttributeValue>,
}

pub(crate) enum IfRefused {
    Stale,
    NoCustomer,
    EmailTaken,
    ExternalIdTaken,
    Answered(AnswerScope),
}

impl DynamoStore {
    pub(crate) async fn write(&self, changes: ChangeSet) -> Result<(), CommitError> {
        let actions = plan::actions(changes)?;
        match <[Action; 1]>::try_from(actions) {
            // Half the price of a transaction of one.
            Ok([Action { write: Write::Put(item), condition, if_refused }]) => {
                self.put(item, condition, &if_refused).await
            }
            Ok([other]) => self.transact(&[other]).await,
            Err(actions) if actions.is_empty() => Ok(()),
            Err(actions) => self.transact(&actions).await,
        }
    }

    async fn put(
        &self,
        item: Item,
        condition: Option<Condition>,
        if_refused: &IfRefused,
    ) -> Result<(), CommitError> {
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.clone()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(condition) = condition {
            let values = (!condition.values.is_empty()).then_some(condition.values);
            request =
                request.condition_expression(condition.expression).set_expression_attribute_values(values);
        }
        self.meter.call();
        match request.send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(())
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => {
                    let found = match error.into_service_error() {
                        aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed) => failed.item,
                        _ => None,
                    };
                    // What lies there is what we wrote: the answer to our first try was lost.
                    if found.as_ref() == Some(&item) {
                        return Ok(());
                    }
                    Err(CommitError::Refused(vec![refusal(if_refused, found)?]))
                }
                _ => Err(failure(&error).into()),
            },
        }
    }

    async fn transact(&self, actions: &[Action]) -> Result<(), CommitError> {
        let items = actions.iter().map(|action| self.item(action)).collect::<Result<Vec<_>, _>>()?;
        // One token for all tries: a try whose answer was lost is not done again.
        let token = random_token();
        for attempt in 0..TRIES {
            self.meter.call();
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .client_request_token(&token)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            let error = match sent {
                Ok(answer) => {
                    self.meter.write(answer.consumed_capacity());
                    return Ok(());
                }
                Err(error) => error,
            };
            match verdict(&error, actions)? {
                Verdict::Refused(refusals) => return Err(CommitError::Refused(refusals)),
                Verdict::TryAgain => tokio::time::sleep(pause(attempt)).await,
            }
        }
        Err(StoreError::Unavailable("others keep writing the same items".to_owned()).into())
    }

    fn item(&self, action: &Action) -> Result<TransactWriteItem, StoreError> {
        let condition = action.condition.as_ref();
        let expression = condition.map(|condition| condition.expression.to_owned());
        let values = condition.map(|condition| condition.values.clone()).filter(|values| !values.is_empty());
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        let item = TransactWriteItem::builder();
        let built = match &action.write {
            Write::Put(put) => Put::builder()
                .table_name(&self.table)
                .set_item(Some(put.clone()))
                .set_condition_expression(expression)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(all_old)
                .build()
                .map(|put| item.put(put)),
            Write::Delete(key) => Delete::builder()
                .table_name(&self.table)
                .set_key(Some(key.clone()))
                .set_condition_expression(expression)
                .set_expression_attribute_values(values)
                .build()
                .map(|delete| item.delete(delete)),
            Write::Check(key) => ConditionCheck::builder()
                .table_name(&self.table)
                .set_key(Some(key.clone()))
                .set_condition_expression(expression)
                .set_expression_attribute_values(values)
                .build()
                .map(|check| item.condition_check(check)),
            Write::Set(key, attribute, value) => Update::builder()
                .table_name(&self.table)
                .set_key(Some(key.clone()))
                .update_expression("SET #a = :a")
                .expression_attribute_names("#a", *attribute)
                .set_expression_attribute_values(Some(
                    values.into_iter().flatten().chain([(":a".to_owned(), value.clone())]).collect(),
                ))
                .set_condition_expression(expression)
                .build()
                .map(|update| item.update(update)),
        };
        built
            .map(aws_sdk_dynamodb::types::builders::TransactWriteItemBuilder::build)
            .map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

enum Verdict {
    Refused(Vec<Refusal>),
    TryAgain,
}

fn verdict(error: &SdkError<TransactWriteItemsError>, actions: &[Action]) -> Result<Verdict, StoreError> {
    let reasons = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            canceled.cancellation_reasons().to_vec()
        }
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => return Ok(Verdict::TryAgain),
        _ => {
            return match failure(error) {
                StoreError::Unavailable(_) => Ok(Verdict::TryAgain),
                corrupt @ StoreError::Corrupt(_) => Err(corrupt),
            };
        }
    };
    let code = |reason: &CancellationReason| reason.code().unwrap_or_default().to_owned();
    let refusals = reasons
        .iter()
        .zip(actions)
        .filter(|(reason, _)| code(reason) == "ConditionalCheckFailed")
        .map(|(reason, action)| refusal(&action.if_refused, reason.item.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    if !refusals.is_empty() {
        return Ok(Verdict::Refused(refusals));
    }
    let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    if reasons.iter().any(|reason| passing.contains(&code(reason).as_str())) {
        return Ok(Verdict::TryAgain);
    }
    let codes: Vec<String> = reasons.iter().map(code).collect();
    Err(StoreError::Corrupt(format!("the transaction was refused: {}", codes.join(", "))))
}

fn refusal(meaning: &IfRefused, found: Option<Item>) -> Result<Refusal, StoreError> {
    Ok(match (meaning, found) {
        (IfRefused::Answered(scope), Some(item)) if !item.is_empty() => {
            Refusal::Answered(Box::new(AnswerItem::read(scope, item)?))
        }
        (IfRefused::Stale | IfRefused::Answered(_), _) => Refusal::Stale,
        (IfRefused::NoCustomer, _) => Refusal::NoCustomer,
        (IfRefused::EmailTaken, _) => Refusal::EmailTaken,
        (IfRefused::ExternalIdTaken, _) => Refusal::ExternalIdTaken,
    })
}

/// What to tell the caller: to come again, or that something is wrong with what we sent or found.
pub(crate) fn failure<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> StoreError {
    match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("unknown").to_owned();
            match code.as_str() {
                "ValidationException"
                | "ResourceNotFoundException"
                | "AccessDeniedException"
                | "ItemCollectionSizeLimitExceededException" => StoreError::Corrupt(code),
                _ => StoreError::Unavailable(code),
            }
        }
        SdkError::ConstructionFailure(_) => StoreError::Corrupt("a request could not be built".to_owned()),
        SdkError::TimeoutError(_) => StoreError::Unavailable("no answer in time".to_owned()),
        _ => StoreError::Unavailable("no connection".to_owned()),
    }
}

/// Doubling, and anywhere within: two that met once shouldn't meet again.
fn pause(attempt: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << attempt.min(6));
    let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(getrandom::u64().unwrap_or(longest) % longest.max(1))
}

fn random_token() -> String {
    let half = || getrandom::u64().unwrap_or_default();
    format!("{:016x}{:016x}", half(), half())
}
