//! Sealing: what the table's stream tells of journals becomes links of a chain and sums in the platform's books, off the
//! path of the money itself, once for each journal however often it is told.

use crate::app::CONTENDED_DECISIONS;
use crate::change_set::{Change, ChangeSet};
use crate::ports::{CommitError, Journals, Store, StoreError};
use fatura_domain::bug::Bug;
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::ledger::{Totals, Transaction};
use futures::stream::{self, StreamExt};
use std::collections::BTreeMap;
use thiserror::Error;

/// What one transaction seals: each journal is an item, and the chain's head and the sums are two more.
const TOGETHER: usize = 50;
/// A request is a connection, and a small function shouldn't open many.
const AT_ONCE: usize = 8;

#[derive(Debug, Error)]
pub enum SealError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("others keep sealing journals of the same customer")]
    Busy,
}

/// Seals journals. Answers with the first of them that is not sealed, from which the stream has to tell again.
pub async fn seal(
    store: &dyn Store,
    journals: &dyn Journals,
    told: &[Transaction],
) -> Result<(), (usize, SealError)> {
    let mut by_customer: BTreeMap<CustomerId, BTreeMap<TransactionId, (usize, &Transaction)>> =
        BTreeMap::new();
    for (place, journal) in told.iter().enumerate() {
        // Told twice in one batch, it is sealed once; in the order of their ids, which is that of time.
        by_customer.entry(journal.id.owner()).or_default().entry(journal.id).or_insert((place, journal));
    }
    // Made before they are streamed: a closure that borrowed from its argument would not be general enough to be sent.
    let sealing: Vec<_> = by_customer
        .into_iter()
        .map(|(customer, told)| seal_all(store, journals, customer, told.into_values().collect()))
        .collect();
    let sealed = stream::iter(sealing).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
    let failed = sealed.into_iter().filter_map(Result::err).min_by_key(|(place, _)| *place);
    failed.map_or(Ok(()), Err)
}

/// One customer's, each with its place among all of them.
async fn seal_all(
    store: &dyn Store,
    journals: &dyn Journals,
    customer: CustomerId,
    told: Vec<(usize, &Transaction)>,
) -> Result<(), (usize, SealError)> {
    let first = told.iter().map(|(place, _)| *place).min().unwrap_or_default();
    let told: Vec<&Transaction> = told.into_iter().map(|(_, journal)| journal).collect();
    for few in told.chunks(TOGETHER) {
        seal_for(store, journals, customer, few).await.map_err(|error| (first, error))?;
    }
    Ok(())
}

async fn seal_for(
    store: &dyn Store,
    journals: &dyn Journals,
    customer: CustomerId,
    told: &[&Transaction],
) -> Result<(), SealError> {
    let ids: Vec<TransactionId> = told.iter().map(|journal| journal.id).collect();
    for _ in 0..CONTENDED_DECISIONS {
        let chain = journals.chain(customer, &ids).await?;
        let (mut after, mut links, mut counted) = (chain.head, Vec::new(), Totals::default());
        for journal in told.iter().filter(|journal| !chain.known.contains(&journal.id)) {
            let (link, next) = after.link(journal);
            links.push(link);
            counted.count(journal);
            after = next;
        }
        if links.is_empty() {
            return Ok(());
        }
        if Bug::ToldIsCounted.is_planted() {
            told.iter()
                .filter(|journal| chain.known.contains(&journal.id))
                .for_each(|journal| counted.count(journal));
        }
        let sealed = Change::Sealed { before: chain.head, after, links, counted };
        match store.commit(ChangeSet::of([sealed])).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Refused(_)) => {}
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Err(SealError::Busy)
}
