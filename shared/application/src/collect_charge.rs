use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::circuit::Admission;
use crate::error::Error;
use crate::ports::{ChargeLookup, Claim, Gateway, Message, StoreError};
use crate::risk::Asked;
use crate::wallet_notes::WalletNotes;
use fatura_domain::SignedDuration;
use fatura_domain::Timestamp;
use fatura_domain::bug::Bug;
use fatura_domain::charge::{Failure, FailureClass, LiveAttempt};
use fatura_domain::customer::PaymentSource;
use fatura_domain::gateway::{ChargeOutcome, ChargeRequest, GatewayName};
use fatura_domain::id::{AttemptId, AttemptNumber};
use fatura_domain::invoice::{Begins, Invoice, NextStep, Observation, Reduced, State, declined_by_rules};
use fatura_domain::money::Money;
use fatura_domain::risk::Decision;
use std::time::Duration;
use thiserror::Error as ThisError;

/// What one call to a gateway may take, the writes around it included. Whoever has less time left doesn't begin.
pub const CALL_TIME: Duration = Duration::from_secs(14);

/// What the call alone may take, and writing down its answer: what was read and written before it may have been slow.
const ORDER_TIME: SignedDuration = SignedDuration::from_secs(12);

/// Orders that were held back go out within this time after the first.
const HELD_APART_MS: u64 = 30_000;

/// How soon an attempt goes out of which the risk rules could not be asked.
const UNASKED_WAIT: SignedDuration = SignedDuration::from_mins(1);

#[derive(Debug, ThisError)]
pub enum CollectError {
    /// Nothing was begun: the message goes back.
    #[error("not enough time is left to call a gateway")]
    NotEnoughTime,
    #[error(transparent)]
    Failed(#[from] Error),
}

impl App {
    /// Takes what the message is about one step further. Any number of times for one message, it moves money once.
    pub async fn handle_message(&self, message: Message, time_left: Duration) -> Result<(), CollectError> {
        if time_left < CALL_TIME {
            return Err(CollectError::NotEnoughTime);
        }
        match message {
            Message::Collect { invoice, attempt, version, begins } => {
                let deadline = self.deadline(time_left);
                let attempt = AttemptId { invoice, number: attempt };
                self.collect_charge(attempt, version, begins, deadline).await?;
            }
            Message::GiveBack { refund, version } => self.send_refund(refund, version).await?,
            Message::AskAboutDispute { dispute, version } => self.review_dispute(dispute, version).await?,
            Message::Advance { run, part, version } => self.advance(&run, part, version).await?,
            Message::Forget { method, version } => self.forget_method(method, version).await?,
            Message::Settle { bill, version } => self.advance_bill(bill, version).await?,
        }
        Ok(())
    }

    /// When this invocation may be ended, whatever it is at.
    fn deadline(&self, time_left: Duration) -> Timestamp {
        let left = SignedDuration::try_from(time_left).unwrap_or(SignedDuration::MAX);
        self.clock.now().checked_add(left).unwrap_or(Timestamp::MAX)
    }

    /// Claim, ask the rules, call, settle.
    async fn collect_charge(
        &self,
        attempt: AttemptId,
        version: u64,
        begins: Option<Begins>,
        deadline: Timestamp,
    ) -> Result<(), Error> {
        let (id, now) = (attempt.invoice, self.clock.now());
        // What may have to be read again is read while the claim is on its way, and so is what the rules ask for.
        let claim = async {
            let live = LiveAttempt::begun(attempt.number, now);
            Ok::<_, Error>(self.records.store.claim(id, version, live, now).await?)
        };
        let ahead = async {
            match begins {
                Some(begins) => Ok(Some(self.ask_ahead(attempt, begins, now).await)),
                None => Ok(None),
            }
        };
        let (claim, _, (), ahead) = futures::try_join!(
            claim,
            self.policy(),
            async {
                self.breakers.refresh(now).await;
                Ok(())
            },
            ahead
        )?;
        match claim {
            Claim::Claimed(invoice) => self.send_if_allowed(*invoice, ahead, deadline).await?,
            // About a version that is gone: whoever moved the invoice on has seen to it.
            Claim::Refused(Some(invoice)) if invoice.version == version => {
                self.take_step(*invoice, deadline).await?;
            }
            Claim::Refused(_) => tracing::debug!(invoice = %id, "message is void"),
        }
        Ok(())
    }

    /// The less usual steps, which need to see the invoice first.
    async fn take_step(&self, invoice: Invoice, deadline: Timestamp) -> Result<(), Error> {
        match invoice.next_step(self.clock.now()) {
            NextStep::Rest => Ok(()),
            NextStep::Send(next) => {
                let claimed = self.commit(ChangeSet::moved(&invoice, (*next).clone()), None).await?;
                match claimed {
                    Committed::Written => self.send_if_allowed(*next, None, deadline).await,
                    Committed::Stale | Committed::Replayed(_) => Ok(()),
                }
            }
            NextStep::Ask(live) => {
                let lookup = ChargeLookup {
                    attempt: invoice.attempt_id(live.number),
                    reference: live.reference().cloned(),
                };
                let Some((name, gateway)) = self.gateway_of(&invoice) else { return Ok(()) };
                let outcome = gateway.fetch_charge(&lookup).await;
                self.settle(invoice, name, live.number, outcome).await
            }
            NextStep::Void(number, reference) => {
                let lookup = ChargeLookup { attempt: invoice.attempt_id(number), reference: Some(reference) };
                let Some((name, gateway)) = self.gateway_of(&invoice) else { return Ok(()) };
                let outcome = gateway.cancel(&lookup).await;
                self.settle(invoice, name, number, outcome).await
            }
        }
    }

    /// The invoice has a live attempt that is ours. What was judged isn't judged again: the same attempt, or the same order that
    /// another gateway is given. `ahead` is what was looked up while it was being claimed.
    async fn send_if_allowed(
        &self,
        invoice: Invoice,
        ahead: Option<Result<Asked, StoreError>>,
        deadline: Timestamp,
    ) -> Result<(), Error> {
        if invoice.judgement().is_some() {
            return self.do_as_judged(invoice, deadline).await;
        }
        let Some((source, request)) = invoice.charge_request() else { return Ok(()) };
        let asked = if let Some(asked) = ahead {
            asked
        } else {
            let begins = Begins { card: source.card.as_ref().map(|card| card.mark) };
            self.ask_ahead(request.attempt, begins, self.clock.now()).await
        };
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) => return self.put_off(&invoice, &error).await,
        };
        let Some(judgement) = Self::judge(&invoice, asked, self.clock.now()) else {
            return self.send(&invoice, deadline).await;
        };
        let decision = judgement.assessment.decision.as_str();
        tracing::info!(attempt = %request.attempt, decision, "the risk rules were asked");
        self.do_as_judged(invoice.judged(judgement), deadline).await
    }

    /// Sends it, if that is allowed, and nothing that isn't, whoever judged it and whenever.
    async fn do_as_judged(&self, invoice: Invoice, deadline: Timestamp) -> Result<(), Error> {
        let Some((source, request)) = invoice.charge_request() else { return Ok(()) };
        match invoice.judgement() {
            Some(judgement) if judgement.allows() => self.send(&invoice, deadline).await,
            Some(judgement) if judgement.assessment.decision == Decision::Decline => {
                let outcome = ChargeOutcome::Declined { reference: None, failure: declined_by_rules() };
                self.settle(invoice, source.gateway, request.attempt.number, outcome).await
            }
            _ if Bug::HeldIsSent.is_planted() => {
                self.hold_for_review(invoice.clone()).await?;
                self.send(&invoice, deadline).await
            }
            _ => self.hold_for_review(invoice).await,
        }
    }

    /// Nobody knows what the rules would say just now. The attempt is ours and has surely not been sent: it goes out later, and
    /// that counts for nothing.
    async fn put_off(&self, invoice: &Invoice, error: &StoreError) -> Result<(), Error> {
        tracing::warn!(invoice = %invoice.id, %error, "the risk rules could not be asked");
        let message = "what the risk rules ask for could not be read";
        let failure = Failure::new(FailureClass::NotSent, "risk_unavailable", message);
        let until = self.clock.now().checked_add(UNASKED_WAIT).unwrap_or(Timestamp::MAX);
        self.hold_back(invoice, failure, until).await
    }

    async fn hold_for_review(&self, mut invoice: Invoice) -> Result<(), Error> {
        let policy = self.policy().await?;
        for _ in 0..DECISIONS {
            let Some(reduction) = invoice.held(&policy, self.moment()) else { return Ok(()) };
            let held = ChangeSet::from_reduction(&invoice, reduction);
            if let Committed::Written = self.commit(held, None).await? {
                return Ok(());
            }
            let stored = self.stored(invoice.id).await?;
            // Somebody who took it for abandoned is at it.
            if stored.state.live_attempt() != invoice.state.live_attempt() {
                return Ok(());
            }
            invoice = stored.judged_as(&invoice);
        }
        Err(Error::Busy)
    }

    /// The invoice has a live attempt that is ours: call the gateway and write down what it says.
    async fn send(&self, invoice: &Invoice, deadline: Timestamp) -> Result<(), Error> {
        let Some((source, request)) = invoice.charge_request() else { return Ok(()) };
        let attempt = request.attempt.number;
        let request = fresh_key_if_planted(invoice, request);
        if source.is_failover() && !self.is_still_meant(&source, request.amount).await? {
            let message = "the gateway was to take over and is not used for this any more";
            let failure = Failure::new(FailureClass::NotSent, "gateway_not_in_use", message);
            let outcome = ChargeOutcome::NotSent { failure };
            return self.settle(invoice.clone(), source.gateway, attempt, outcome).await;
        }
        let admission = self.breakers.admit(&source.gateway, self.clock.now()).await?;
        let outcome = match self.gateways.get(&source.gateway) {
            Some(_) if let Admission::HoldUntil(until) = admission => {
                let failure =
                    Failure::new(FailureClass::NotSent, "circuit_open", "the gateway has stopped answering");
                if invoice.elsewhere().is_none() {
                    return self.hold_back(invoice, failure, until).await;
                }
                ChargeOutcome::NotSent { failure }
            }
            // Whoever is ended in a call doesn't know what came of it.
            Some(_) if deadline.duration_since(self.clock.now()) < ORDER_TIME => {
                let message = "too little time was left to call the gateway";
                let failure = Failure::new(FailureClass::NotSent, "out_of_time", message);
                return self.hold_back(invoice, failure, self.clock.now()).await;
            }
            Some(gateway) => {
                let outcome = gateway.charge(&request).await;
                self.breakers.report(&source.gateway, &outcome, self.clock.now()).await;
                outcome
            }
            None => ChargeOutcome::Declined {
                reference: None,
                failure: Failure::new(
                    FailureClass::Configuration,
                    "no_such_gateway",
                    "the gateway is not configured",
                ),
            },
        };
        tracing::info!(attempt = %request.attempt, outcome = outcome_name(&outcome), "gateway answered");
        self.settle(invoice.clone(), source.gateway, attempt, outcome).await
    }

    /// Whether a gateway that takes over may still be used: days may lie between the route and this.
    async fn is_still_meant(&self, source: &PaymentSource, amount: Money) -> Result<bool, Error> {
        let edition = self.plan_in_force().await?;
        let settings = edition.plan.settings(&source.gateway);
        Ok(settings.is_some_and(|settings| settings.takes(source.means.kind(), amount.currency())))
    }

    /// Writes down that the attempt, which is ours and has surely not been sent, goes out at that time.
    async fn hold_back(&self, invoice: &Invoice, failure: Failure, until: Timestamp) -> Result<(), Error> {
        // Not all at the same moment: the first of them is the probe.
        let until = until.checked_add(SignedDuration::from_millis(
            i64::try_from(self.entropy.bits() % HELD_APART_MS).unwrap_or_default(),
        ));
        let held = until.ok().and_then(|until| invoice.held_back(failure, until, self.clock.now()));
        if let Some(held) = held {
            self.commit(ChangeSet::moved(invoice, held), None).await?;
        }
        Ok(())
    }

    /// Puts the gateway's word through the reducer and writes what follows, in one transaction, again from the start
    /// where somebody else was faster.
    async fn settle(
        &self,
        invoice: Invoice,
        gateway: GatewayName,
        attempt: AttemptNumber,
        outcome: ChargeOutcome,
    ) -> Result<(), Error> {
        let observation = Observation { gateway, attempt, outcome };
        self.observe(invoice, &observation, &[]).await
    }

    /// `beside` is written with the effect, or alone if there is none.
    pub(crate) async fn observe(
        &self,
        mut invoice: Invoice,
        observation: &Observation,
        beside: &[Change],
    ) -> Result<(), Error> {
        let policy = self.policy().await?;
        let mut wallets = WalletNotes::default();
        for _ in 0..DECISIONS {
            let id = invoice.id;
            let (changes, wake) = match invoice.observe(observation, &policy, self.moment()) {
                Reduced::AlreadyApplied if beside.is_empty() => return Ok(()),
                Reduced::AlreadyApplied => (ChangeSet::default(), Vec::new()),
                Reduced::Applied(reduction) => {
                    let wake = reduction.wake.then(|| Message::about(&reduction.invoice));
                    let refund = reduction.refund.as_ref().map(Message::about_refund);
                    (
                        ChangeSet::reduced(&invoice, *reduction, &wallets),
                        wake.into_iter().chain(refund).collect(),
                    )
                }
            };
            let changes = changes.and(beside.iter().cloned());
            if let Committed::Written = self.commit_noting(changes, None, &mut wallets).await? {
                for message in wake {
                    self.notify(message).await;
                }
                return Ok(());
            }
            invoice = self.stored(id).await?.judged_as(&invoice);
        }
        Err(Error::Busy)
    }

    fn gateway_of(&self, invoice: &Invoice) -> Option<(GatewayName, &dyn Gateway)> {
        let State::Pending(collection) = &invoice.state else { return None };
        let name = &collection.source.gateway;
        let gateway = self.gateways.get(name);
        if gateway.is_none() {
            tracing::error!(invoice = %invoice.id, gateway = %name, "an attempt is live at a gateway that is not configured");
        }
        gateway.map(|gateway| (name.clone(), &**gateway))
    }
}

fn fresh_key_if_planted(invoice: &Invoice, mut request: ChargeRequest) -> ChargeRequest {
    if Bug::FreshKeyOnRetry.is_planted()
        && let Some(live) = invoice.state.live_attempt()
    {
        request.attempt.number.0 += 10 * live.unsent;
    }
    request
}

const fn outcome_name(outcome: &ChargeOutcome) -> &'static str {
    match outcome {
        ChargeOutcome::Approved { .. } => "approved",
        ChargeOutcome::Pending { .. } => "pending",
        ChargeOutcome::Declined { .. } => "declined",
        ChargeOutcome::NotSent { .. } => "not_sent",
        ChargeOutcome::Unknown { .. } => "unknown",
        ChargeOutcome::Voided { .. } => "voided",
        ChargeOutcome::Absent => "absent",
    }
}
