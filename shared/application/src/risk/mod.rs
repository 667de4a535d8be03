//! Risk: whether a charge may be sent. `rules` are editions that follow each other, `judge` asks them before an order goes out,
//! `review` is what people decide where they ask for one, `assess` what a charge would be judged to be.

mod assess;
mod judge;
mod review;
mod rules;

pub use assess::AssessCharge;
pub(crate) use judge::{Asked, RiskDesk};
pub use review::ReviewInvoice;
pub use rules::{Example, Outcome, PutRiskRules, RiskEdition, RulesPut};
