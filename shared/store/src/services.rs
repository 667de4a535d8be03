//! What functions say of themselves. Each writes its own row, and whichever instance speaks last is heard.

use crate::DynamoStore;
use crate::items::{ServiceItem, to_key};
use crate::keys;
use crate::retry::{failure, passes};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use fatura_application::ports::{ServiceVitals, StoreError};
use fatura_domain::Timestamp;
use fatura_domain::service::{ServiceName, Trouble, Vitals};
use std::collections::{BTreeMap, HashMap};

#[async_trait]
impl ServiceVitals for DynamoStore {
    async fn vitals(&self, service: &ServiceName) -> Result<Option<Vitals>, StoreError> {
        self.get(keys::service(service)).await?.map(ServiceItem::read).transpose()
    }

    async fn all_vitals(
        &self,
        services: &[ServiceName],
    ) -> Result<BTreeMap<ServiceName, Vitals>, StoreError> {
        let mut items = self.get_all(services.iter().map(keys::service)).await?;
        let found = services.iter().filter_map(|name| Some((name, items.remove(&keys::service(name))?)));
        found.map(|(name, item)| Ok((name.clone(), ServiceItem::read(item)?))).collect()
    }

    async fn keep_start(
        &self,
        service: &ServiceName,
        version: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.keep(service, ServiceItem::START, values(version, at)).await
    }

    async fn keep_trouble(
        &self,
        service: &ServiceName,
        version: &str,
        trouble: &Trouble,
    ) -> Result<(), StoreError> {
        let mut values = values(version, trouble.at);
        values.insert(":t".to_owned(), ServiceItem::trouble(trouble)?);
        self.keep(service, ServiceItem::TROUBLE, values).await
    }
}

fn values(version: &str, at: Timestamp) -> HashMap<String, AttributeValue> {
    HashMap::from([
        (":v".to_owned(), AttributeValue::S(version.to_owned())),
        (":at".to_owned(), AttributeValue::N(at.as_millisecond().to_string())),
    ])
}

impl DynamoStore {
    /// Twice is once, so a lost answer does no harm.
    async fn keep(
        &self,
        service: &ServiceName,
        update: &str,
        values: HashMap<String, AttributeValue>,
    ) -> Result<(), StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(to_key(keys::service(service))))
            .update_expression(update)
            .set_expression_attribute_values(Some(values))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = self.patiently(|| request.clone().send(), passes).await;
        self.meter.write(answer.map_err(|error| failure(&error))?.consumed_capacity());
        Ok(())
    }
}
