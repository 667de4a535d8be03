//! A change set as one transaction, and what DynamoDB's refusal of it means.

mod alone;
mod bills;
mod ledger;
mod outgoing;
mod plan;

pub(crate) use alone::{is_marked, mark};

use crate::DynamoStore;
use crate::items::{AnswerItem, Item, LineItem};
use crate::retry::{failure, passes};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use fatura_application::ChangeSet;
use fatura_application::idempotency::AnswerScope;
use fatura_application::ports::{CommitError, Refusal, StoreError};
use std::borrow::Cow;
use std::collections::HashMap;

/// What DynamoDB takes in one transaction.
const MOST_ACTIONS: usize = 100;

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
    Update(Item, Update),
}

/// How an item changes that is not written as a whole. Doing it again changes nothing, or its action is one of several,
/// which are done once.
#[derive(Clone)]
pub(crate) struct Update {
    pub(crate) expression: String,
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: HashMap<String, AttributeValue>,
}

#[derive(Clone)]
pub(crate) struct Condition {
    expression: Cow<'static, str>,
    values: HashMap<String, AttributeValue>,
}

pub(crate) enum IfRefused {
    Stale,
    NoCustomer,
    EmailTaken,
    ExternalIdTaken,
    LineTaken,
    Counted(bills::Counted),
    Moved(ledger::Moved),
    Reversed,
    Answered(AnswerScope),
}

impl DynamoStore {
    pub(crate) async fn write(&self, changes: ChangeSet) -> Result<(), CommitError> {
        let actions = plan::actions(changes)?;
        if actions.len() > MOST_ACTIONS {
            return Err(StoreError::Corrupt(format!("{} actions in one transaction", actions.len())).into());
        }
        // Alone, a write costs half of what a transaction of one does.
        match <[Action; 1]>::try_from(actions) {
            Ok([Action { write: Write::Put(item), condition, if_refused }]) => {
                self.put(item, condition, &if_refused).await
            }
            Ok([Action { write: Write::Update(key, update), condition, if_refused }]) => {
                self.update(key, update, condition, &if_refused).await
            }
            Ok([other]) => self.transact(&[other]).await,
            Err(actions) if actions.is_empty() => Ok(()),
            Err(actions) => self.transact(&actions).await,
        }
    }

    async fn transact(&self, actions: &[Action]) -> Result<(), CommitError> {
        let items = actions.iter().map(|action| self.item(action)).collect::<Result<Vec<_>, _>>()?;
        // One token for all tries: for ten minutes a try whose answer was lost is not done again, and succeeds again.
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .client_request_token(token()?)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.patiently(|| request.clone().send(), passes_in_transaction).await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(())
            }
            Err(error) => Err(verdict(&error, actions)),
        }
    }

    fn item(&self, action: &Action) -> Result<TransactWriteItem, StoreError> {
        let (expression, values) = Condition::parts(action.condition.clone());
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
            Write::Update(key, update) => {
                let all = values.into_iter().flatten().chain(update.values.clone());
                aws_sdk_dynamodb::types::Update::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.clone()))
                    .update_expression(&update.expression)
                    .set_expression_attribute_names(update.names())
                    .set_expression_attribute_values(Some(all.collect()))
                    .set_condition_expression(expression)
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map(|update| item.update(update))
            }
        };
        built
            .map(aws_sdk_dynamodb::types::builders::TransactWriteItemBuilder::build)
            .map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

impl Update {
    /// An empty map is refused.
    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        Some(self.names.clone()).filter(|names| !names.is_empty())
    }
}

impl Condition {
    fn parts(this: Option<Self>) -> (Option<String>, Option<HashMap<String, AttributeValue>>) {
        let expression = this.as_ref().map(|condition| condition.expression.clone().into_owned());
        (expression, this.map(|condition| condition.values).filter(|values| !values.is_empty()))
    }
}

const REFUSED: &str = "ConditionalCheckFailed";

fn reasons(error: &SdkError<TransactWriteItemsError>) -> Option<&[CancellationReason]> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            Some(canceled.cancellation_reasons())
        }
        _ => None,
    }
}

/// A condition that failed has decided the matter, whatever else was in the way.
fn passes_in_transaction(error: &SdkError<TransactWriteItemsError>) -> bool {
    let Some(reasons) = reasons(error) else { return passes(error) };
    let has = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
    !has(REFUSED)
        && ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"].into_iter().any(has)
}

fn verdict(error: &SdkError<TransactWriteItemsError>, actions: &[Action]) -> CommitError {
    let Some(reasons) = reasons(error) else { return failure(error).into() };
    let refusals: Result<Vec<Refusal>, StoreError> = reasons
        .iter()
        .zip(actions)
        .filter(|(reason, _)| reason.code() == Some(REFUSED))
        .map(|(reason, action)| refusal(&action.if_refused, reason.item.clone()))
        .collect();
    match refusals {
        Ok(refusals) if !refusals.is_empty() => CommitError::Refused(refusals),
        Err(error) => error.into(),
        Ok(_) if passes_in_transaction(error) => {
            StoreError::Contended("others keep writing the same items".to_owned()).into()
        }
        Ok(_) => {
            // Messages may quote what was written: the codes alone say enough.
            let codes: Vec<&str> = reasons.iter().filter_map(CancellationReason::code).collect();
            StoreError::Corrupt(format!("the transaction was refused: {}", codes.join(", "))).into()
        }
    }
}

fn refusal(meaning: &IfRefused, found: Option<Item>) -> Result<Refusal, StoreError> {
    Ok(match (meaning, found) {
        (IfRefused::Answered(scope), Some(item)) if !item.is_empty() => {
            Refusal::Answered(Box::new(AnswerItem::read(scope, item)?))
        }
        (IfRefused::LineTaken, Some(item)) if !item.is_empty() => {
            Refusal::LineTaken(Box::new(LineItem::read(item)?))
        }
        (IfRefused::Counted(counted), found) => counted.refusal(found.as_ref())?,
        (IfRefused::Moved(moved), found) => moved.refusal(found)?,
        (IfRefused::Reversed, _) => Refusal::Reversed,
        (IfRefused::Stale | IfRefused::LineTaken | IfRefused::Answered(_), _) => Refusal::Stale,
        (IfRefused::NoCustomer, _) => Refusal::NoCustomer,
        (IfRefused::EmailTaken, _) => Refusal::EmailTaken,
        (IfRefused::ExternalIdTaken, _) => Refusal::ExternalIdTaken,
    })
}

fn token() -> Result<String, StoreError> {
    Ok(format!("{:016x}{:016x}", random()?, random()?))
}

fn random() -> Result<u64, StoreError> {
    getrandom::u64().map_err(|error| StoreError::Unavailable(error.to_string()))
}
