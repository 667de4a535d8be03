//! The gateways of this deployment, what each is used for, and where a charge goes.

use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet, Edition};
use crate::customers::expect_version;
use crate::error::{Error, Fault};
use crate::ports::{Gateways, Page, PageRequest};
use crate::reads::ListFailure;
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::charge::Failure;
use fatura_domain::customer::{PaymentMethod, PaymentSource};
use fatura_domain::gateway::{Capabilities, GatewayName, MeansType};
use fatura_domain::id::CustomerId;
use fatura_domain::money::{Currency, Money};
use fatura_domain::routing::{Plan, Routing, SecretRef, Settings};
use std::sync::Arc;

/// A plan as it was put in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanEdition {
    /// From 1; what a deployment begins with is edition 0.
    pub version: u64,
    pub plan: Plan,
    /// None: nobody has changed anything.
    pub put: Option<(Actor, Timestamp)>,
}

/// What a client says of one gateway, as a whole.
#[derive(Debug, Clone)]
pub struct PutGateway {
    pub enabled: bool,
    pub priority: u16,
    pub means: Vec<MeansType>,
    pub currencies: Vec<Currency>,
    pub secret: Option<SecretRef>,
}

impl PutGateway {
    /// What it asks for and the gateway can't do.
    fn beyond(&self, name: &GatewayName, able: &Capabilities) -> Vec<Fault> {
        let means = self.means.iter().filter(|means| !able.means.contains(means));
        let means = means.map(|means| ("payment_method_types", means.as_str()));
        let takes = |currency: &Currency| able.currencies.is_empty() || able.currencies.contains(currency);
        let currencies = self.currencies.iter().filter(|currency| !takes(currency));
        let currencies = currencies.map(|currency| ("currencies", currency.code()));
        let beyond = means.chain(currencies);
        beyond.map(|(field, what)| Fault::new(field, format!("{name} does not take {what}"))).collect()
    }
}

impl Gateways {
    /// What a deployment begins with, or goes on with: what is on record, and whatever gateways have come since, unused; one
    /// that is gone is used for nothing.
    fn completed(&self, edition: Option<PlanEdition>) -> PlanEdition {
        let is_first = edition.is_none();
        let mut edition = edition.unwrap_or(PlanEdition { version: 0, plan: Plan::default(), put: None });
        for settings in &mut edition.plan.gateways {
            settings.enabled &= self.get(&settings.name).is_some();
        }
        for name in self.names() {
            if edition.plan.settings(&name).is_none() {
                let able = self.get(&name).map(|gateway| gateway.capabilities());
                let means = able.as_ref().map(|able| able.means.to_vec());
                edition.plan.gateways.push(Settings {
                    enabled: is_first && !self.is_idle(&name),
                    name,
                    priority: 100,
                    means: means.unwrap_or_default(),
                    currencies: able.map(|able| able.currencies.to_vec()).unwrap_or_default(),
                    secret: None,
                });
            }
        }
        edition
    }
}

impl App {
    pub async fn gateway_plan(&self, caller: &Caller) -> Result<PlanEdition, Error> {
        caller.may_in(Scope::SettingsRead, Operation::Operate)?;
        Ok(self.gateways.completed(self.records.plans.plan().await?))
    }

    /// Every edition that was ever put in force, newest first.
    pub async fn gateway_plan_editions(
        &self,
        caller: &Caller,
        page: PageRequest,
    ) -> Result<Page<PlanEdition>, ListFailure> {
        caller.may_in(Scope::SettingsRead, Operation::Operate)?;
        Ok(self.records.plans.plan_editions(page).await?)
    }

    /// What a gateway is used for, from the next charge on and within half a minute. What is under way, and what was charged,
    /// stays with the gateway that has it.
    pub async fn put_gateway(
        &self,
        caller: &Caller,
        name: &GatewayName,
        put: PutGateway,
        if_version: Option<u64>,
    ) -> Result<PlanEdition, Error> {
        caller.may_in(Scope::SettingsWrite, Operation::Operate)?;
        let gateway = self.gateways.get(name).ok_or(Error::NotFound)?;
        let unable = put.beyond(name, &gateway.capabilities());
        if !unable.is_empty() {
            return Err(Error::Invalid(unable));
        }
        let PutGateway { enabled, priority, means, mut currencies, secret } = put;
        if currencies.is_empty() {
            currencies = gateway.capabilities().currencies.to_vec();
        }
        let settings = Settings { name: name.clone(), enabled, priority, means, currencies, secret };
        self.replan(caller, if_version, |plan| {
            plan.gateways.retain(|other| other.name != settings.name);
            plan.gateways.push(settings.clone());
        })
        .await
    }

    pub async fn put_routing(
        &self,
        caller: &Caller,
        routing: Routing,
        if_version: Option<u64>,
    ) -> Result<PlanEdition, Error> {
        caller.may_in(Scope::SettingsWrite, Operation::Operate)?;
        self.replan(caller, if_version, |plan| plan.routing = routing.clone()).await
    }

    /// Proves a gateway's credentials by a call that does no harm. None: they are good.
    pub async fn check_gateway(&self, caller: &Caller, name: &GatewayName) -> Result<Option<Failure>, Error> {
        caller.may_in(Scope::SettingsWrite, Operation::Operate)?;
        let gateway = self.gateways.get(name).ok_or(Error::NotFound)?;
        Ok(gateway.check().await.err())
    }

    async fn replan(
        &self,
        caller: &Caller,
        if_version: Option<u64>,
        change: impl Fn(&mut Plan),
    ) -> Result<PlanEdition, Error> {
        for _ in 0..DECISIONS {
            let before = self.gateways.completed(self.records.plans.plan().await?);
            expect_version(if_version, before.version)?;
            let mut plan = before.plan;
            change(&mut plan);
            let faults = plan.faults();
            if !faults.is_empty() {
                let faults = faults.into_iter().map(|fault| Fault::new(fault.field, fault.reason));
                return Err(Error::Invalid(faults.collect()));
            }
            let put = Some((caller.actor(), self.clock.now()));
            let edition = PlanEdition { version: before.version + 1, plan, put };
            match self
                .commit(ChangeSet::of([Change::EditionPut(Edition::Gateways(edition.clone()))]), None)
                .await?
            {
                Committed::Written => return Ok(edition),
                Committed::Stale | Committed::Replayed(_) => {}
            }
        }
        Err(Error::Busy)
    }

    /// What to charge of a method, and where: decided anew for each charge.
    pub(crate) async fn source_of(
        &self,
        method: &PaymentMethod,
        amount: Money,
    ) -> Result<PaymentSource, Error> {
        let edition = self.plan_in_force().await?;
        edition.plan.route(edition.version, method, amount).ok_or(Error::NoGateway)
    }

    /// Where a card goes whose gateway isn't named.
    pub(crate) async fn gateway_for_new_card(
        &self,
        customer: CustomerId,
        named: Option<GatewayName>,
    ) -> Result<Option<GatewayName>, Error> {
        let edition = self.plan_in_force().await?;
        Ok(match named {
            Some(name) => Some(name).filter(|name| edition.plan.takes_cards(name)),
            None => edition.plan.for_new_card(customer).cloned(),
        })
    }

    pub(crate) async fn plan_in_force(&self) -> Result<Arc<PlanEdition>, Error> {
        let read = async { Ok(self.gateways.completed(self.records.plans.plan().await?)) };
        Ok(self.plan.get(self.clock.now(), read).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fatura_domain::SignedDuration;

    #[test]
    fn a_gateway_is_not_used_for_what_it_cannot_do() {
        let able = Capabilities {
            means: &[MeansType::CreditCard],
            currencies: &[Currency::BRL],
            partial_refund: &[],
            idempotency_key_lifetime: SignedDuration::ZERO,
            looks_up_by_reference: false,
            retries_by_itself: false,
            keeps_books: true,
        };
        let put = |means: &[MeansType], currencies: &[Currency]| {
            let (means, currencies) = (means.to_vec(), currencies.to_vec());
            PutGateway { enabled: true, priority: 1, means, currencies, secret: None }
        };
        let name = GatewayName::parse("vindi").unwrap();
        let beyond = |put: PutGateway, able: &Capabilities| -> Vec<String> {
            put.beyond(&name, able)
                .into_iter()
                .map(|fault| format!("{} {}", fault.field, fault.reason))
                .collect()
        };
        assert_eq!(beyond(put(&[MeansType::CreditCard], &[Currency::BRL]), &able), [""; 0]);
        let wants = put(&MeansType::ALL, &[Currency::BRL, Currency::USD]);
        assert_eq!(
            beyond(wants.clone(), &able),
            ["payment_method_types vindi does not take pix", "currencies vindi does not take USD"]
        );
        let any = Capabilities { means: &MeansType::ALL, currencies: &[], ..able };
        assert_eq!(beyond(wants, &any), [""; 0]);
    }
}
