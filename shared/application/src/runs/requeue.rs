use super::{Render, STEP, Step, count, position};
use crate::access::{Caller, Operation, Scope};
use crate::app::App;
use crate::error::{Error, listed};
use crate::idempotency::{Once, Reply};
use crate::ports::{PageRequest, Position};
use fatura_domain::actor::Actor;
use fatura_domain::id::RunId;
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::run::{Part, Requeue, Run, RunKind};
use std::collections::BTreeMap;

/// What failed lies in two lists.
const FAILED: [Status; 2] = [Status::ChargedWithError, Status::Uncollectible];

impl App {
    /// Charges again everything that failed and is meant.
    pub async fn begin_requeue(
        &self,
        caller: &Caller,
        requeue: Requeue,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::RunsWrite, Operation::Operate)?;
        let moment = self.moment();
        let run = Run {
            id: RunId::new(moment.now, moment.entropy),
            kind: RunKind::Requeue(requeue),
            by: caller.actor(),
            created_at: moment.now,
            parts: self.records.invoices.shards().saturating_mul(2),
        };
        self.begin_run(run, once, render).await
    }

    pub(super) async fn requeue_step(
        &self,
        run: &Run,
        requeue: &Requeue,
        part: &Part,
    ) -> Result<Step, Error> {
        let shards = self.records.invoices.shards().max(1);
        let (which, shard) = (usize::from(part.number / shards), part.number % shards);
        let Some(status) = FAILED.get(which) else {
            return Ok(Step { place: None, counted: BTreeMap::new(), wait: std::time::Duration::ZERO });
        };
        let page = PageRequest { limit: STEP, after: position(part) };
        let page = self.records.invoices.in_shard(*status, shard, page).await.map_err(listed)?;
        let place = page.next.map(|Position(place)| place);

        let meant: Vec<Invoice> =
            page.data.into_iter().filter(|invoice| requeue.means(invoice, run.created_at)).collect();
        let (policy, now) = (self.policy().await?, self.clock.now());
        let payers = self.payers(&meant).await?;
        let mut counted = BTreeMap::new();
        let mut charged = Vec::new();
        for invoice in meant {
            let Some(payer) = payers.get(&invoice.customer()) else { continue };
            count(&mut counted, "due");
            let source = match self.source_again(payer, &invoice).await {
                Ok(Some(source)) => source,
                Ok(None) => {
                    count(&mut counted, "skipped_no_payment_method");
                    continue;
                }
                Err(Error::NoGateway) => {
                    count(&mut counted, "skipped_no_gateway");
                    continue;
                }
                Err(error) => return Err(error),
            };
            if invoice.barred_until(&source, payer.brand(source.method), &policy, now).is_some() {
                count(&mut counted, "skipped_network_rule");
                continue;
            }
            match invoice.requeued(source, &policy, now) {
                Ok(after) => {
                    count(&mut counted, "enqueued");
                    let after = after.by(&Actor::new(run.id.as_str()), invoice.history.len());
                    charged.push((invoice, Invoice { run: Some(run.id.clone()), ..after }));
                }
                Err(_) => count(&mut counted, "skipped_too_many_attempts"),
            }
        }
        let sent = self.charge_all(charged).await?;
        let wait = Self::rest(&sent, run.parts, policy.rules.run_charges_per_minute);
        Ok(Step { place, counted, wait })
    }
}
