use crate::environment::{StartError, required};
use aws_sdk_eventbridge::Client;

/// The bus that domain events go to.
pub fn event_bus() -> Result<(Client, String), StartError> {
    Ok((Client::new(&crate::aws::config()), required("EVENT_BUS_NAME")?))
}
