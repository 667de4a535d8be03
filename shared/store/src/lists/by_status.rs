//! Lists of the work index over all customers: what has a status, wherever it lies.

use super::MOST_READS;
use super::shards::Merge;
use crate::DynamoStore;
use crate::items::Item;
use crate::keys::{self, Key};
use fatura_application::ports::{ListError, Page, PageRequest, Position, StoreError};
use fatura_domain::id::{Kind, OwnedId};
use std::collections::HashSet;

/// What such a list is called in the index, and how what stands in it is found and read.
pub(super) struct WorkList<K, T> {
    pub(super) name: &'static str,
    pub(super) key: fn(OwnedId<K>) -> Key,
    pub(super) read: fn(Item) -> Result<T, StoreError>,
}

impl DynamoStore {
    /// The shards share one order, so one place in it is the place in each of them. The index is a moment behind: whether
    /// what it shows is still so is for `wanted` to say.
    pub(super) async fn listed<K: Kind, T>(
        &self,
        list: WorkList<K, T>,
        page: PageRequest,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Page<T>, ListError> {
        let mut place = match page.after {
            Some(position) => Some(list.place(&position).ok_or(ListError::BadPosition)?),
            None => None,
        };
        let from = place.as_deref().map_or_else(|| keys::WORK_FROM.to_owned(), keys::just_after);
        let mut merge = Merge::new(self, keys::partitions(list.name), &from, keys::WORK_TO.to_owned());
        let mut data: Vec<T> = Vec::new();
        let mut seen: HashSet<OwnedId<K>> = HashSet::new();
        for _ in 0..MOST_READS {
            let entries = merge.next(page.limit - data.len()).await?;
            let Some(reached) = entries.last() else { return Ok(Page { data, next: None }) };
            place = Some(reached.clone());
            // What is being moved may stand in the index twice for a moment.
            let ids = entries.iter().filter_map(|sk| keys::work_id(sk)).filter(|id| seen.insert(*id));
            let found = self.found(ids.collect(), list.key, list.read).await?;
            data.extend(found.into_iter().filter(&wanted));
            if data.len() == page.limit {
                let is_last = merge.next(1).await?.is_empty();
                let next = place.filter(|_| !is_last).map(|place| list.position(&place));
                return Ok(Page { data, next });
            }
        }
        Ok(Page { data, next: place.map(|place| list.position(&place)) })
    }

    /// Those of these that there are, in this order.
    pub(super) async fn found<K: Kind, T>(
        &self,
        ids: Vec<OwnedId<K>>,
        key: fn(OwnedId<K>) -> Key,
        read: fn(Item) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut items = self.get_all(ids.iter().copied().map(key)).await?;
        ids.into_iter().filter_map(|id| items.remove(&key(id))).map(read).collect()
    }
}

impl<K: Kind, T> WorkList<K, T> {
    /// The list's name is part of it: a place in one list is none in another.
    fn position(&self, place: &str) -> Position {
        Position(format!("{}#{place}", self.name))
    }

    fn place(&self, Position(text): &Position) -> Option<String> {
        let place = text.strip_prefix(self.name)?.strip_prefix('#')?;
        keys::work_id::<K>(place).map(|_| place.to_owned())
    }
}
