//! Exchange rates for all functions, so that one of them asks for all.

use crate::DynamoStore;
use crate::items::RatesItem;
use crate::keys;
use crate::retry::{failure, passes};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use fatura_application::ports::{KeptRates, RateStore, StoreError};
use fatura_domain::exchange::{Publication, RateSource};

#[async_trait]
impl RateStore for DynamoStore {
    async fn rates(&self, source: RateSource) -> Result<Option<Publication>, StoreError> {
        self.get(keys::rates(source)).await?.map(RatesItem::read).transpose()
    }

    /// Keeping the same twice is keeping it once, so a lost answer does no harm.
    async fn keep_rates(&self, publication: &Publication) -> Result<KeptRates, StoreError> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(RatesItem::write(publication)?))
            .condition_expression(RatesItem::SUPERSEDED)
            .set_expression_attribute_names(Some(RatesItem::names()))
            .set_expression_attribute_values(Some(RatesItem::values(publication)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.patiently(|| request.clone().send(), passes).await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(KeptRates::Kept)
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    let newer = failed.item.clone().ok_or_else(|| {
                        StoreError::Unavailable("newer rates are kept, which were not shown".to_owned())
                    })?;
                    Ok(KeptRates::Superseded(Box::new(RatesItem::read(newer)?)))
                }
                _ => Err(failure(&error)),
            },
        }
    }
}
