//! Use cases: load, ask the domain, commit what it decided. Everything outside is a port.
//!
//! Architecture invariant: this crate names the domain and nothing else of the workspace.

pub mod access;
mod app;
mod attention;
mod authenticate;
mod bills;
mod change_set;
pub mod circuit;
mod collect_charge;
mod customers;
mod disputes;
mod error;
mod fresh;
mod gateways;
pub mod idempotency;
mod invoices;
mod kept_cards;
mod keys;
mod ledger;
mod message;
mod payment_methods;
pub mod ports;
mod process_webhook;
mod rates;
mod reads;
mod record_webhook;
mod refunds;
mod relay_changes;
mod requeue;
mod risk;
mod rulebook;
mod runs;
pub mod sign_in;
mod sweep_due;
pub mod tokens;
mod told;

pub use app::{App, Records};
pub use attention::ResolveAttempt;
pub use authenticate::{Authenticator, OperatorKey};
pub use bills::{BillView, Converted, CreateBill, Indicative, RenderAppended};
pub use change_set::{Change, ChangeSet};
pub use collect_charge::{CALL_TIME, CollectError};
pub use customers::CustomerReference;
pub use disputes::Contest;
pub use error::{Cause, Error, Fault};
pub use fresh::Fresh;
pub use gateways::{PlanEdition, PutGateway};
pub use idempotency::{Answer, Once, Reply};
pub use invoices::{AmendInvoice, CreateInvoice};
pub use keys::NewKey;
pub use ledger::{
    AccountBalance, Finding, SealError, StatementPage, TrialBalance, Verification, VerifiedPage, seal,
};
pub use payment_methods::{AddPaymentMethod, NewInstrument};
pub use process_webhook::ProcessError;
pub use rates::{RateDesk, RatesInForce};
pub use reads::{Attempts, ListFailure};
pub use record_webhook::{Intake, IntakeError};
pub use refunds::{RefundAmount, RequestRefund};
pub use relay_changes::relay;
pub use risk::{AssessCharge, Example, Outcome, PutRiskRules, ReviewInvoice, RiskEdition, RulesPut};
pub use rulebook::{Policies, RulesEdition};
pub use runs::{BeginBilling, BeginReconciliation, Difference, DifferenceKind};
pub use sign_in::{AccessToken, SignIn, SignInError, SignedIn};
pub use sweep_due::Swept;
pub use tokens::Tokens;
