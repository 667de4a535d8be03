//! Reading many items by key at once, in no order that means anything.

use crate::DynamoStore;
use crate::items::{Item, key_of, to_key};
use crate::keys::Key;
use crate::retry::{failure, passes};
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use fatura_application::ports::StoreError;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::{BTreeSet, HashMap};

/// What DynamoDB reads by key in one request.
const BATCH: usize = 100;
/// A request is a connection, and a small function shouldn't open many.
const AT_ONCE: usize = 8;
/// How often the rest of a batch is asked for, which DynamoDB leaves out when it is throttling.
const MOST_RESTS: u32 = 6;

impl DynamoStore {
    /// Those of these items that there are, as they are now.
    pub(crate) async fn get_all(
        &self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<HashMap<Key, Item>, StoreError> {
        self.batches(keys, true).await
    }

    /// The same for half of the price: as they were a moment ago.
    pub(crate) async fn glance_at_all(
        &self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<HashMap<Key, Item>, StoreError> {
        self.batches(keys, false).await
    }

    async fn batches(
        &self,
        keys: impl IntoIterator<Item = Key>,
        is_consistent: bool,
    ) -> Result<HashMap<Key, Item>, StoreError> {
        // DynamoDB refuses a batch that asks for one item twice. The same items are the same batches every time.
        let keys: Vec<Key> = keys.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let batches: Vec<Vec<Key>> = keys.chunks(BATCH).map(<[Key]>::to_vec).collect();
        stream::iter(batches)
            .map(|keys| self.batch(keys, is_consistent))
            .buffer_unordered(AT_ONCE)
            .try_fold(HashMap::new(), |mut all, items| async move {
                all.extend(items);
                Ok(all)
            })
            .await
    }

    async fn batch(&self, keys: Vec<Key>, is_consistent: bool) -> Result<HashMap<Key, Item>, StoreError> {
        let keys = keys.into_iter().map(to_key).collect();
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(is_consistent).build();
        let keys = keys.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let mut asked = HashMap::from([(self.table.clone(), keys)]);
        let mut found = HashMap::new();
        for rests in 0.. {
            let request = self
                .client
                .batch_get_item()
                .set_request_items(Some(asked))
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let answer = self.patiently(|| request.clone().send(), passes).await;
            let answer = answer.map_err(|error| failure(&error))?;
            self.meter.read(answer.consumed_capacity());
            let items = answer.responses.into_iter().flatten().flat_map(|(_, items)| items);
            found.extend(items.map(|item| (key_of(&item), item)));
            asked = answer.unprocessed_keys.unwrap_or_default();
            if asked.is_empty() {
                break;
            }
            if rests == MOST_RESTS {
                return Err(StoreError::Contended("a batch is read only in part".to_owned()));
            }
            self.rest(rests).await;
        }
        Ok(found)
    }
}
