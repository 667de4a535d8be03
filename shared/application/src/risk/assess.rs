use super::judge::InForce;
use crate::access::{Caller, Operation, Scope};
use crate::app::App;
use crate::error::Error;
use crate::invoices::invalid;
use crate::ports::Payer;
use fatura_domain::customer::PaymentMethod;
use fatura_domain::id::{AttemptId, AttemptNumber, CustomerId, InvoiceId, PaymentMethodId};
use fatura_domain::money::Money;
use fatura_domain::risk::{Assessment, CardMark, Decision, Method, Needs, Person, Try};

/// A charge that nobody has asked for yet.
#[derive(Debug, Clone, Copy)]
pub struct AssessCharge {
    pub customer: CustomerId,
    /// None: the customer's default, if there is one.
    pub method: Option<PaymentMethodId>,
    pub amount: Money,
}

impl App {
    /// What a charge would be judged to be if it were tried now. Nothing is counted, and nothing is kept.
    pub async fn assess_charge(&self, caller: &Caller, command: AssessCharge) -> Result<Assessment, Error> {
        caller.may_in(Scope::RiskAssess, Operation::BillTo(command.customer))?;
        let AssessCharge { customer, method, amount } = command;
        let moment = self.moment();
        let now = moment.now;
        let desk = self.risk_desk()?;
        let (payer, in_force) =
            futures::try_join!(self.payer(customer), async { Ok(desk.in_force(now).await?) })?;
        let method = chosen(&payer, method)?;
        let judge = match &*in_force {
            InForce::NoRules => return Ok(nothing_to_say()),
            InForce::Unreadable => return Ok(Assessment::unreadable(0)),
            InForce::Rules(judge) => judge.clone(),
        };
        let tried = async { desk.velocity(customer, now).await };
        let needs = Needs { person: false, ..judge.needs() };
        let mut looked_up = desk.look_up(self, customer, needs, tried, now).await?;
        looked_up.person = Some(Person::of(&payer.customer, now));
        // The rules would see this attempt among the others.
        let attempt =
            AttemptId { invoice: InvoiceId::new(customer, now, moment.entropy), number: AttemptNumber(1) };
        let one = Try::new(attempt, method.and_then(CardMark::of), now);
        looked_up.velocity = looked_up.velocity.with(one);
        Ok(judge.assess(&looked_up.facts(customer, amount, method.map(Method::from), now)))
    }
}

fn chosen(payer: &Payer, named: Option<PaymentMethodId>) -> Result<Option<&PaymentMethod>, Error> {
    let find = |id: PaymentMethodId| payer.methods.iter().find(|method| method.id == id);
    match named {
        Some(id) => match find(id) {
            Some(method) => Ok(Some(method)),
            None => Err(invalid("payment_method_id", "is not a payment method of this customer")),
        },
        None => Ok(payer.customer.default_payment_method.and_then(find)),
    }
}

/// Where there are no rules, nothing speaks against a charge.
const fn nothing_to_say() -> Assessment {
    Assessment { decision: Decision::Approve, score: 0, reasons: Vec::new(), edition: 0 }
}
