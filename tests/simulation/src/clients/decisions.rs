//! What operators decide who have looked at the gateway themselves.

use super::{Asked, Clients, Kind};
use fatura_domain::gateway::GatewayReference;
use fatura_domain::id::{AttemptId, InvoiceId};
use serde_json::json;

impl Clients {
    /// By what charge it was paid, or by none.
    pub(crate) fn resolve(&mut self, attempt: AttemptId, charge: Option<&GatewayReference>) -> Asked {
        let body = match charge {
            Some(charge) => json!({ "outcome": "charged", "gateway_reference": charge.0 }),
            None => json!({ "outcome": "not_charged" }),
        };
        self.post(Kind::Resolve, format!("/v1/attempts/{attempt}/resolve"), body)
    }

    /// How a dispute ended.
    pub(crate) fn close_matter(&mut self, matter: &str, is_lost: bool) -> Asked {
        let outcome = if is_lost { "lost" } else { "won" };
        self.post(Kind::CloseMatter, format!("/v1/attention/{matter}/close"), json!({ "outcome": outcome }))
    }

    pub(crate) fn review(&mut self, invoice: InvoiceId, is_approved: bool) -> Asked {
        let decision = if is_approved { "approve" } else { "reject" };
        let path = format!("/v1/invoices/{invoice}/review");
        self.post(Kind::Review, path, json!({ "decision": decision }))
    }
}
