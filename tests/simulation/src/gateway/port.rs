//! The gateway as Fatura sees it.

use super::book::{RefundStanding, Standing};
use super::hints::{parse, verify};
use super::{DAY, Hint, Later, MINUTE, SECOND, SimulatedGateway};
use crate::control::{Verdict, Whom};
use async_trait::async_trait;
use fatura_application::ports::{
    ChargeLookup, Gateway, MalformedWebhook, Told, WebhookDelivery, WebhookHint, WebhookRefusal,
};
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, MeansType, MovementPage,
    RefundOutcome, RefundRequest,
};
use fatura_domain::{SignedDuration, Timestamp};

fn not_sent() -> Failure {
    Failure::new(FailureClass::NotSent, "not_sent", "no connection")
}

fn unknown() -> Failure {
    Failure::new(FailureClass::Unknown, "unknown", "no answer in time")
}

impl SimulatedGateway {
    /// None: no answer comes. What `perform` does may have happened all the same.
    async fn called_for<T>(&self, what: &'static str, perform: impl FnOnce() -> T) -> Result<T, Failure> {
        match self.control.call(Whom::Gateway, what).await {
            Verdict::Done => Ok(perform()),
            Verdict::Unheard => {
                perform();
                Err(unknown())
            }
            Verdict::DiesAfter => {
                perform();
                futures::future::pending().await
            }
            Verdict::DiesBefore => futures::future::pending().await,
            Verdict::Refused | Verdict::Throttled => Err(not_sent()),
            Verdict::Lost | Verdict::Late | Verdict::ServerError | Verdict::Conflict => Err(unknown()),
        }
    }

    /// It can't be asked about an order that it hasn't named yet.
    const fn cannot_find(&self, lookup: &ChargeLookup) -> bool {
        !self.finds_by_ours && lookup.reference.is_none()
    }

    fn give_back(&self, request: &RefundRequest) -> RefundOutcome {
        let chance = &self.chance;
        let state = chance.weighed(&[
            (70, RefundStanding::Done),
            (self.plan.declines, RefundStanding::UnderWay),
            (self.plan.declines / 2, RefundStanding::Failed),
        ]);
        let mut book = self.book.lock().unwrap();
        let key = request.refund.to_string();
        let is_new = !book.refunds.contains_key(&key);
        let outcome = book.refund(request, state);
        let hint = book.refunds.get(&key).map(Hint::of_refund);
        drop(book);
        if is_new {
            if matches!(outcome, RefundOutcome::Pending { .. }) {
                self.plan_for(chance.between(SECOND, DAY), Later::Refunds(key));
            }
            if let Some(hint) = hint {
                self.tell(hint);
            }
        }
        outcome
    }
}

#[async_trait]
impl Gateway for SimulatedGateway {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            means: &MeansType::ALL,
            currencies: &[],
            partial_refund: &MeansType::ALL,
            idempotency_key_lifetime: SignedDuration::from_hours(24),
            looks_up_by_reference: self.finds_by_ours,
            retries_by_itself: false,
            keeps_books: true,
        }
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome {
        let verdict = self.control.call(Whom::Gateway, "charge").await;
        match verdict {
            Verdict::Done => self.order(request).outcome(),
            Verdict::Unheard => {
                self.order(request);
                ChargeOutcome::Unknown { failure: unknown() }
            }
            Verdict::DiesAfter => {
                self.order(request);
                futures::future::pending().await
            }
            Verdict::DiesBefore => futures::future::pending().await,
            Verdict::Late => {
                self.plan_for(self.chance.between(SECOND, MINUTE), Later::Arrives(request.clone()));
                ChargeOutcome::Unknown { failure: unknown() }
            }
            Verdict::Refused | Verdict::Throttled => ChargeOutcome::NotSent { failure: not_sent() },
            Verdict::Lost | Verdict::ServerError | Verdict::Conflict => {
                ChargeOutcome::Unknown { failure: unknown() }
            }
        }
    }

    async fn cancel(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        if self.cannot_find(lookup) {
            return ChargeOutcome::Unknown { failure: unknown() };
        }
        let void = || {
            let mut book = self.book.lock().unwrap();
            let Some(charge) = book.meant(lookup) else {
                return ChargeOutcome::Absent;
            };
            if matches!(charge.standing, Standing::Waiting(_)) {
                charge.standing = Standing::Voided;
            }
            charge.outcome()
        };
        self.called_for("cancel", void).await.unwrap_or_else(|failure| ChargeOutcome::Unknown { failure })
    }

    async fn fetch_charge(&self, lookup: &ChargeLookup) -> ChargeOutcome {
        if self.cannot_find(lookup) {
            return ChargeOutcome::Unknown { failure: unknown() };
        }
        let look = || {
            let mut book = self.book.lock().unwrap();
            book.meant(lookup).map_or(ChargeOutcome::Absent, |charge| charge.outcome())
        };
        let answer = self.called_for("fetch_charge", look).await;
        answer.unwrap_or_else(|_| ChargeOutcome::Unknown { failure: unknown() })
    }

    async fn refund(&self, request: &RefundRequest) -> RefundOutcome {
        let answer = self.called_for("refund", || self.give_back(request)).await;
        answer.unwrap_or_else(|failure| RefundOutcome::Unclear { failure })
    }

    async fn fetch_refund(&self, request: &RefundRequest) -> Option<RefundOutcome> {
        let answer = self.called_for("fetch_refund", || self.book.lock().unwrap().refund_of(request)).await;
        answer.unwrap_or_else(|failure| Some(RefundOutcome::Unclear { failure }))
    }

    async fn fetch_dispute(&self, lookup: &ChargeLookup) -> DisputeOutcome {
        let look = || {
            let mut book = self.book.lock().unwrap();
            book.meant(lookup).map_or(DisputeOutcome::Uncharged, |charge| DisputeOutcome::Told(charge.told()))
        };
        if self.cannot_find(lookup) {
            return DisputeOutcome::Unclear { failure: unknown() };
        }
        let answer = self.called_for("fetch_dispute", look).await;
        answer.unwrap_or_else(|failure| DisputeOutcome::Unclear { failure })
    }

    async fn movements(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: Option<&str>,
    ) -> Result<MovementPage, Failure> {
        self.called_for("movements", || self.page(from, to, after)).await
    }

    async fn verify_webhook(&self, delivery: &WebhookDelivery, _: Timestamp) -> Result<(), WebhookRefusal> {
        verify(delivery)
    }

    fn parse_webhook(&self, body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
        parse(body)
    }

    /// What a hint says of itself. Nobody should ask, since the gateway can be.
    fn told(&self, body: &[u8]) -> Vec<Told> {
        super::hints::word(body).into_iter().collect()
    }
}
