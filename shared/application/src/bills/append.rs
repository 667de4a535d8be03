//! What a bill gathers: a line item and its shard's sum are one transaction, which doesn't touch the bill itself.

use super::BillView;
use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, Fault};
use crate::idempotency::{Answer, Once, Reply, StoredAnswer};
use crate::ports::{CommitError, Refusal, StoreError};
use fatura_domain::bill::{
    Append, AppendRefusal, Bill, BillFault, BillLine, BillStatus, LineContent, LineKey, Shard, ShardRefusal,
    Sums,
};
use fatura_domain::id::{BillId, LineItemId};
use std::collections::BTreeMap;

pub type RenderAppended<'a> = &'a (dyn Fn(&BillView, &[BillLine]) -> Answer + Sync);

/// Line items that one transaction takes: their shard is one action more.
const TOGETHER: usize = 50;

/// What came of writing line items.
enum Appended {
    Written,
    Replayed(Box<StoredAnswer>),
    /// The bill has a line item of that key.
    Taken(Box<BillLine>),
    Refused(ShardRefusal),
}

impl App {
    /// Takes one line item. One that has a reference needs no idempotency key: the same reference is the same line item.
    pub async fn append_line(
        &self,
        caller: &Caller,
        id: BillId,
        content: LineContent,
        once: Option<&Once>,
        render: RenderAppended<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::LineItemsWrite, Operation::BillTo(id.owner()))?;
        for _ in 0..DECISIONS {
            let moment = self.moment();
            let line_id = LineItemId::new(id.owner(), moment.now, moment.entropy);
            let (bill, shards) = self.records.bills.bill_with_shards(id).await?.ok_or(Error::NotFound)?;
            let (line, shard) = match bill.append(content.clone(), line_id, None, moment.now) {
                Ok(Append::New { line, shard }) => (*line, shard),
                Ok(Append::Known(line)) => return self.known(bill, &shards, *line, once, render).await,
                Err(refusal) => return self.too_late(refusal, bill, &shards, &content, once, render).await,
            };
            let sums = with(&shards, [&line])?;
            let answer = render(&self.view(bill.clone(), sums).await, std::slice::from_ref(&line));
            let changes = ChangeSet::of([Change::LineAppended { line, shard, of: bill.shards }])
                .and(once.map(|once| once.answered(answer.clone(), moment.now)));
            match (self.append(changes).await?, once) {
                (Appended::Written, _) => return Ok(Reply { answer, replayed: false }),
                (Appended::Replayed(stored), Some(once)) => return once.replay(*stored),
                (Appended::Taken(known), _) if content.reference().is_some() => {
                    Bill::again(&known, &content).map_err(|refusal| refused(&refusal, bill.status()))?;
                    // It came after what was read.
                    let (bill, shards) =
                        self.records.bills.bill_with_shards(id).await?.ok_or(Error::NotFound)?;
                    return self.known(bill, &shards, *known, once, render).await;
                }
                (Appended::Refused(refusal @ ShardRefusal::Full(_)), _) => {
                    return Err(refused(&refusal.into(), bill.status()));
                }
                // Another line item has this one's id, or the bill was closed since it was read: it says how it stands.
                (Appended::Taken(_) | Appended::Replayed(_) | Appended::Refused(ShardRefusal::Closed), _) => {
                }
            }
        }
        Err(Error::Busy)
    }

    /// Whatever has become of the bill since, what was answered was answered, and what it has it has.
    async fn too_late(
        &self,
        refusal: AppendRefusal,
        bill: Bill,
        shards: &[Shard],
        content: &LineContent,
        once: Option<&Once>,
        render: RenderAppended<'_>,
    ) -> Result<Reply, Error> {
        if let Some(once) = once
            && let Some(stored) = self.records.answers.answer(&once.scope, self.clock.now()).await?
        {
            return once.replay(stored);
        }
        let Some(reference) = content.reference().cloned() else {
            return Err(refused(&refusal, bill.status()));
        };
        let known = self.records.bills.lines(&bill, &[LineKey::Reference(reference)]).await?;
        match known.into_iter().next() {
            Some(line) => {
                Bill::again(&line, content).map_err(|refusal| refused(&refusal, bill.status()))?;
                self.known(bill, shards, line, once, render).await
            }
            None => Err(refused(&refusal, bill.status())),
        }
    }

    /// Takes many line items, each of which has a reference. They are written by shard: where the bill is closed in
    /// between, the answer says which ones are in it, and sending all of them again does no harm.
    pub async fn append_lines(
        &self,
        caller: &Caller,
        id: BillId,
        contents: Vec<LineContent>,
        render: RenderAppended<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::LineItemsWrite, Operation::BillTo(id.owner()))?;
        let contents = distinct(contents)?;
        let keys: Vec<LineKey> = contents.keys().cloned().collect();
        let (mut is_new, mut full) = (false, None);
        for _ in 0..DECISIONS {
            let (bill, shards) = self.records.bills.bill_with_shards(id).await?.ok_or(Error::NotFound)?;
            let known = self.records.bills.lines(&bill, &keys).await?;
            let known: BTreeMap<LineKey, BillLine> =
                known.into_iter().map(|line| (line.key(), line)).collect();
            let batch = self.batch(&bill, &contents, &known, full)?;
            if batch.is_empty() {
                let lines: Vec<BillLine> = keys.iter().filter_map(|key| known.get(key).cloned()).collect();
                let sums = with(&shards, [])?;
                let answer = render(&self.view(bill, sums).await, &lines);
                return Ok(Reply { answer, replayed: !is_new });
            }
            is_new = true;
            let written = batch.iter().flat_map(|(shard, lines)| {
                let appended = |line: &BillLine| Change::LineAppended {
                    line: line.clone(),
                    shard: *shard,
                    of: bill.shards,
                };
                lines.chunks(TOGETHER).map(move |few| self.append(ChangeSet::of(few.iter().map(appended))))
            });
            // Each shard is a matter of its own. What was refused is decided again, by what is there then.
            let appended = futures::future::try_join_all(written).await?;
            full = appended.into_iter().find_map(|appended| match appended {
                Appended::Refused(refusal @ ShardRefusal::Full(_)) => Some(refusal.into()),
                _ => None,
            });
        }
        Err(Error::TooMany)
    }

    /// What is still to be written, by shard; or everything that is wrong with the batch.
    fn batch(
        &self,
        bill: &Bill,
        contents: &BTreeMap<LineKey, Placed>,
        known: &BTreeMap<LineKey, BillLine>,
        full: Option<AppendRefusal>,
    ) -> Result<BTreeMap<u8, Vec<BillLine>>, Error> {
        let mut batch: BTreeMap<u8, Vec<BillLine>> = BTreeMap::new();
        let (mut faults, mut taken) = (BTreeMap::new(), BTreeMap::new());
        let (mut accepted, mut stop) = (Vec::new(), full);
        for (key, Placed { place, content }) in contents {
            let moment = self.moment();
            let id = LineItemId::new(bill.id.owner(), moment.now, moment.entropy);
            match bill.append(content.clone(), id, known.get(key), moment.now) {
                Ok(Append::New { line, shard }) => batch.entry(shard).or_default().push(*line),
                Ok(Append::Known(line)) => accepted.extend(line.reference()),
                Err(AppendRefusal::Fault(BillFault { field, reason })) => {
                    faults.insert(place, Fault::new(format!("line_items[{place}].{field}"), reason));
                }
                Err(AppendRefusal::ReferenceTaken) => {
                    taken.insert(place, format!("line_items[{place}]"));
                }
                Err(refusal) => stop = Some(refusal),
            }
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults.into_values().collect()));
        }
        if !taken.is_empty() {
            let places: Vec<String> = taken.into_values().collect();
            return Err(Error::Conflict(format!("{}: {}", AppendRefusal::ReferenceTaken, places.join(", "))));
        }
        match stop {
            Some(refusal) => Err(halfway(&refusal, bill, accepted)),
            None => Ok(batch),
        }
    }

    async fn append(&self, changes: ChangeSet) -> Result<Appended, Error> {
        let refusals = match self.records.store.commit(changes).await {
            Ok(()) => return Ok(Appended::Written),
            Err(CommitError::Refused(refusals)) => refusals,
            Err(CommitError::Store(StoreError::Contended(_))) => return Err(Error::TooMany),
            Err(CommitError::Store(error)) => return Err(error.into()),
        };
        // An answer on record explains every other refusal; then a line item that is there, if the shard is closed since.
        let mut verdict = Err(Error::Busy);
        for refusal in refusals {
            match refusal {
                Refusal::Answered(stored) => return Ok(Appended::Replayed(stored)),
                Refusal::LineTaken(line) => verdict = Ok(Appended::Taken(line)),
                Refusal::ShardRefused(refusal) if verdict.is_err() => {
                    verdict = Ok(Appended::Refused(refusal));
                }
                _ => {}
            }
        }
        verdict
    }

    /// The answer to a line item that was there before.
    async fn known(
        &self,
        bill: Bill,
        shards: &[Shard],
        line: BillLine,
        once: Option<&Once>,
        render: RenderAppended<'_>,
    ) -> Result<Reply, Error> {
        let sums = match bill.state.closed() {
            Some(closed) => closed.sums.clone(),
            None => with(shards, [])?,
        };
        let answer = render(&self.view(bill, sums).await, std::slice::from_ref(&line));
        if let Some(once) = once {
            let answered = ChangeSet::of([once.answered(answer.clone(), self.clock.now())]);
            if let Committed::Replayed(reply) = self.commit(answered, Some(once)).await? {
                return Ok(reply);
            }
        }
        Ok(Reply { answer, replayed: true })
    }
}

fn refused(refusal: &AppendRefusal, status: BillStatus) -> Error {
    let detail = refusal.to_string();
    match refusal {
        AppendRefusal::Fault(fault) => Error::Invalid(vec![Fault::new(fault.field, fault.reason.clone())]),
        AppendRefusal::ReferenceTaken => Error::Conflict(detail),
        AppendRefusal::NotOpen(_) | AppendRefusal::PeriodOver(_) | AppendRefusal::Full(_) => {
            Error::FailedPrecondition { detail, status: Some(status.as_str()) }
        }
    }
}

/// A batch that can't go on: what it has in the bill stays there.
fn halfway(refusal: &AppendRefusal, bill: &Bill, accepted: Vec<String>) -> Error {
    match refused(refusal, bill.status()) {
        Error::FailedPrecondition { detail, status: Some(status) } if !accepted.is_empty() => {
            Error::StoppedHalfway { detail, status, accepted }
        }
        error => error,
    }
}

/// What the shards come to with these line items.
fn with<'a>(shards: &[Shard], lines: impl IntoIterator<Item = &'a BillLine>) -> Result<Sums, Error> {
    let internal = |error: fatura_domain::money::MoneyError| Error::Internal(Box::new(error));
    let sums = Sums::so_far(shards).map_err(internal)?;
    lines.into_iter().try_fold(sums, |sums, line| sums.with(line.total())).map_err(internal)
}

/// A line item, and where in its batch it stands.
struct Placed {
    place: usize,
    content: LineContent,
}

/// By key, each once: two that say the same are one, and two that don't are a fault of the request.
fn distinct(contents: Vec<LineContent>) -> Result<BTreeMap<LineKey, Placed>, Error> {
    let mut distinct: BTreeMap<LineKey, Placed> = BTreeMap::new();
    let mut faults = Vec::new();
    for (place, content) in contents.into_iter().enumerate() {
        let field = format!("line_items[{place}].reference");
        let Some(reference) = content.reference().cloned() else {
            faults.push(Fault::new(field, "is required in a batch"));
            continue;
        };
        match distinct.get(&LineKey::Reference(reference.clone())) {
            Some(same) if same.content.says_the_same(&content) => {}
            Some(_) => faults.push(Fault::new(field, "is that of another line item of this batch")),
            None => {
                distinct.insert(LineKey::Reference(reference), Placed { place, content });
            }
        }
    }
    if faults.is_empty() { Ok(distinct) } else { Err(Error::Invalid(faults)) }
}
