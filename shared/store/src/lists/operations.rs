//! What operators look at: open matters, runs and how far they have come, the rules and who put them.

use crate::DynamoStore;
use crate::items::{
    AttentionItem, CircuitItem, DifferenceItem, Item, PartItem, RunItem, read_plan, read_rules, read_tally,
    sort_key,
};
use crate::keys::{self, Configuration};
use crate::retry::{failure, passes};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::circuit::Circuit;
use fatura_application::ports::{
    Attentions, Circuits, ListError, Page, PageRequest, Plans, Progress, Rulebook, Runs, StoreError,
};
use fatura_application::{Difference, PlanEdition, RulesEdition};
use fatura_domain::Timestamp;
use fatura_domain::attention::{Attention, AttentionId, AttentionKind};
use fatura_domain::id::RunId;
use fatura_domain::run::{Part, Run};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeMap;

const READS_AT_ONCE: usize = 8;

#[async_trait]
impl Attentions for DynamoStore {
    async fn attention(&self, id: &AttentionId) -> Result<Option<Attention>, StoreError> {
        self.get(keys::attention(id)).await?.map(AttentionItem::read).transpose()
    }

    async fn open_attention(
        &self,
        kind: Option<AttentionKind>,
        page: PageRequest,
    ) -> Result<Page<Attention>, ListError> {
        let mut data = Vec::new();
        let mut after = page.after;
        for _ in 0..super::MOST_READS {
            let request = PageRequest { limit: page.limit - data.len(), after };
            let range = (keys::WORK_FROM.to_owned(), keys::WORK_TO.to_owned());
            let is_place = |place: &str| keys::work_attention(place).is_some();
            let (entries, next) = self.shard(keys::ATTENTION.to_owned(), range, request, is_place).await?;
            let ids: Vec<AttentionId> = entries.iter().filter_map(|sk| keys::work_attention(sk)).collect();
            let items: Vec<Option<Item>> = stream::iter(ids)
                .map(|id| self.get(keys::attention(&id)))
                .buffered(READS_AT_ONCE)
                .try_collect()
                .await?;
            for item in items.into_iter().flatten() {
                let matter = AttentionItem::read(item)?;
                if matter.closed.is_none() && kind.is_none_or(|kind| matter.kind == kind) {
                    data.push(matter);
                }
            }
            after = next;
            if after.is_none() || data.len() >= page.limit {
                break;
            }
        }
        Ok(Page { data, next: after })
    }
}

#[async_trait]
impl Runs for DynamoStore {
    async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        self.get(keys::run(id)).await?.map(RunItem::read).transpose()
    }

    async fn part(&self, run: &RunId, number: u8) -> Result<Option<Part>, StoreError> {
        self.get(keys::part(run, number)).await?.map(PartItem::read).transpose()
    }

    async fn progress(&self, id: &RunId) -> Result<Option<Progress>, StoreError> {
        let (partition, from, to) = keys::progress_range(id);
        let mut run = None;
        let mut parts = Vec::new();
        let mut outcomes: BTreeMap<String, i64> = BTreeMap::new();
        for item in self.range(partition, &from, &to, false).await? {
            if keys::is_tally(sort_key(&item)) {
                for (outcome, count) in read_tally(item) {
                    *outcomes.entry(outcome).or_default() += count;
                }
            } else if keys::part_number(sort_key(&item)).is_some() {
                parts.push(PartItem::read(item)?);
            } else {
                run = Some(RunItem::read(item)?);
            }
        }
        let counted =
            outcomes.into_iter().filter_map(|(name, count)| Some((name, u64::try_from(count).ok()?)));
        let outcomes = counted.filter(|(_, count)| *count > 0).collect();
        Ok(run.map(|run| Progress { run, parts, outcomes }))
    }

    async fn due_parts(&self, now: Timestamp, limit: usize) -> Result<Vec<(RunId, u8)>, StoreError> {
        let partitions = [keys::PARTS.to_owned()];
        let mut merge = super::shards::Merge::new(self, partitions, keys::WORK_FROM, keys::due_by(now));
        Ok(merge.next(limit).await?.iter().filter_map(|sk| keys::work_part(sk)).collect())
    }

    async fn differences(&self, id: &RunId, page: PageRequest) -> Result<Page<Difference>, ListError> {
        let (partition, from, to) = keys::differences(id);
        self.newest_first(&partition, (from, to), page, DifferenceItem::read, |_| true).await
    }
}

#[async_trait]
impl Rulebook for DynamoStore {
    async fn rules(&self) -> Result<Option<RulesEdition>, StoreError> {
        self.get(Configuration::Dunning.current()).await?.map(read_rules).transpose()
    }

    async fn rule_editions(&self, page: PageRequest) -> Result<Page<RulesEdition>, ListError> {
        let (partition, from, to) = Configuration::Dunning.editions();
        self.newest_first(&partition, (from, to), page, read_rules, |_| true).await
    }
}

#[async_trait]
impl Plans for DynamoStore {
    async fn plan(&self) -> Result<Option<PlanEdition>, StoreError> {
        self.get(Configuration::Gateways.current()).await?.map(read_plan).transpose()
    }

    async fn plan_editions(&self, page: PageRequest) -> Result<Page<PlanEdition>, ListError> {
        let (partition, from, to) = Configuration::Gateways.editions();
        self.newest_first(&partition, (from, to), page, read_plan, |_| true).await
    }
}

#[async_trait]
impl Circuits for DynamoStore {
    async fn open_circuits(&self) -> Result<Vec<Circuit>, StoreError> {
        let items = self.range(keys::circuits_partition(), "-", "~", false).await?;
        items.into_iter().map(CircuitItem::read).collect()
    }

    async fn change_circuit(&self, seen: Option<&Circuit>, next: &Circuit) -> Result<bool, StoreError> {
        let condition = if seen.is_some() { "v = :seen" } else { "attribute_not_exists(PK)" };
        let version = seen.map(|circuit| AttributeValue::N(circuit.version.to_string()));
        let values = version.map(|version| [(":seen".to_owned(), version)].into());
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(CircuitItem::write(next)?))
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        match self.patiently(|| request.clone().send(), passes).await {
            Ok(_) => Ok(true),
            // An answer that was lost looks like somebody else's change, and costs one pause more.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(failure(&error)),
        }
    }
}
