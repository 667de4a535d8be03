use fatura_domain::webhook_endpoint::{Delivery, Endpoint, EndpointId};

/// What changes of webhooks that go out.
#[derive(Debug, Clone)]
pub enum OutgoingChange {
    EndpointAdded(Endpoint),
    /// Refused unless the stored endpoint has the version just before this one's.
    EndpointChanged(Endpoint),
    /// Refused unless the stored endpoint has this version.
    EndpointRemoved {
        id: EndpointId,
        version: u64,
    },
    /// Refused if there is one for the same event and endpoint.
    DeliveryBegun(Delivery),
    /// Refused unless the stored delivery has the version just before this one's.
    DeliveryChanged(Delivery),
}
