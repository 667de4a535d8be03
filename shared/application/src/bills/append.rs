//! What a bill gathers: a line item and its shard's sum are one transaction, which doesn't touch the bill itself.

use super::BillView;
use crate::access::{Caller, Operation};
use crate::app::{App, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, Fault};
use crate::idempotency::{Answer, Once, Reply, StoredAnswer};
use crate::ports::{CommitError, Refusal, StoreError};
use fatura_domain::Timestamp;
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
        caller.may(Operation::BillTo(id.owner()))?;
        let moment = self.moment();
        let line_id = LineItemId::new(id.owner(), moment.now, moment.entropy);
        let (bill, shards) = self.records.bills.bill_with_shards(id).await?.ok_or(Error::NotFound)?;
        let (line, shard) = match bill.append(content.clone(), line_id, None, moment.now) {
            Ok(Append::New { line, shard }) => (*line, shard),
            Ok(Append::Known(line)) => return self.known(bill, &shards, *line, render).await,
            Err(refusal) => {
                // Whatever has become of the bill since, what it has it has.
                return match self.known_line(&bill, &content, line_id).await? {
                    Some(line) => self.known(bill, &shards, line, render).await,
                    None => self.refused_append(refusal, &bill, once, moment.now).await,
                };
            }
        };
        let sums = with(&shards, [&line])?;
        let answer = render(&self.view(bill.clone(), sums).await, std::slice::from_ref(&line));
        let changes = ChangeSet::of([Change::LineAppended { line: line.clone(), shard, of: bill.shards }])
            .and(once.map(|once| once.answered(answer.clone(), moment.now)));
        match self.append(changes).await? {
            Appended::Written => Ok(Reply { answer, replayed: false }),
            Appended::Replayed(stored) => match once {
                Some(once) => once.replay(*stored),
                None => Err(Error::Busy),
            },
            Appended::Taken(known) => match Bill::again(&known, &content) {
                Ok(_) => {
                    // It came after what was read.
                    let (bill, shards) =
                        self.records.bills.bill_with_shards(id).await?.ok_or(Error::NotFound)?;
                    self.known(bill, &shards, *known, render).await
                }
                Err(refusal) => self.refused_append(refusal, &bill, once, moment.now).await,
            },
            Appended::Refused(refusal) => self.refused_append(refusal.into(), &bill, once, moment.now).await,
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
        caller.may(Operation::BillTo(id.owner()))?;
        let contents = distinct(contents)?;
        let keys: Vec<LineKey> = contents.keys().cloned().collect();
        let mut is_new = false;
        for _ in 0..DECISIONS {
            let (bill, shards) = self.records.bills.bill_with_shards(id).await?.ok_or(Error::NotFound)?;
            let known = self.records.bills.lines(&bill, &keys).await?;
            let known: BTreeMap<LineKey, BillLine> =
                known.into_iter().map(|line| (line.key(), line)).collect();
            let batch = self.batch(&bill, &contents, &known)?;
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
            futures::future::try_join_all(written).await?;
        }
        Err(Error::TooMany)
    }

    /// What is still to be written, by shard.
    fn batch(
        &self,
        bill: &Bill,
        contents: &BTreeMap<LineKey, Placed>,
        known: &BTreeMap<LineKey, BillLine>,
    ) -> Result<BTreeMap<u8, Vec<BillLine>>, Error> {
        let mut batch: BTreeMap<u8, Vec<BillLine>> = BTreeMap::new();
        let (mut faults, mut taken) = (BTreeMap::new(), BTreeMap::new());
        for (key, Placed { place, content }) in contents {
            let moment = self.moment();
            let id = LineItemId::new(bill.id.owner(), moment.now, moment.entropy);
            match bill.append(content.clone(), id, known.get(key), moment.now) {
                Ok(Append::New { line, shard }) => batch.entry(shard).or_default().push(*line),
                Ok(Append::Known(_)) => {}
                Err(AppendRefusal::Fault(BillFault { field, reason })) => {
                    faults.insert(place, Fault::new(format!("line_items[{place}].{field}"), reason));
                }
                Err(AppendRefusal::ReferenceTaken) => {
                    taken.insert(place, format!("line_items[{place}]"));
                }
                Err(refusal) => return Err(halfway(&refusal, bill, known)),
            }
        }
        if !faults.is_empty() {
            Err(Error::Invalid(faults.into_values().collect()))
        } else if !taken.is_empty() {
            let places: Vec<String> = taken.into_values().collect();
            Err(Error::Conflict(format!("{}: {}", AppendRefusal::ReferenceTaken, places.join(", "))))
        } else {
            Ok(batch)
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

    async fn known_line(
        &self,
        bill: &Bill,
        content: &LineContent,
        id: LineItemId,
    ) -> Result<Option<BillLine>, Error> {
        if content.reference().is_none() {
            return Ok(None);
        }
        let known = self.records.bills.lines(bill, &[LineKey::of(content, id)]).await?;
        Ok(known.into_iter().find(|line| line.is_what(content)))
    }

    /// The answer to a line item that was there before.
    async fn known(
        &self,
        bill: Bill,
        shards: &[Shard],
        line: BillLine,
        render: RenderAppended<'_>,
    ) -> Result<Reply, Error> {
        let sums = match bill.state.closed() {
            Some(closed) => closed.sums.clone(),
            None => with(shards, [])?,
        };
        let answer = render(&self.view(bill, sums).await, std::slice::from_ref(&line));
        Ok(Reply { answer, replayed: true })
    }

    async fn refused_append(
        &self,
        refusal: AppendRefusal,
        bill: &Bill,
        once: Option<&Once>,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let refusal = refused(&refusal, bill.status());
        match once {
            Some(once) => once.replay_or(&*self.records.answers, refusal, now).await,
            None => Err(refusal),
        }
    }
}

fn refused(refusal: &AppendRefusal, status: BillStatus) -> Error {
    let detail = refusal.to_string();
    match refusal {
        AppendRefusal::Fault(fault) => Error::Invalid(vec![Fault::new(fault.field, fault.reason.clone())]),
        AppendRefusal::ReferenceTaken => Error::Conflict(detail),
        // The bill may have been open when it was read.
        AppendRefusal::NotOpen(status) => Error::FailedPrecondition { detail, status: Some(status.as_str()) },
        AppendRefusal::PeriodOver(_) | AppendRefusal::Full(_) => {
            Error::FailedPrecondition { detail, status: Some(status.as_str()) }
        }
    }
}

/// A batch that can't go on: what it has in the bill stays there.
fn halfway(refusal: &AppendRefusal, bill: &Bill, known: &BTreeMap<LineKey, BillLine>) -> Error {
    let error = refused(refusal, bill.status());
    let accepted: Vec<String> = known.values().filter_map(BillLine::reference).collect();
    match error {
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
