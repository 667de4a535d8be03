use crate::ports::{EventBus, SendError};
use fatura_domain::bug::Bug;
use fatura_domain::event::{Event, Written};

/// Publishes what happened, oldest first. Answers with the first change that was not published whole, from which the
/// stream has to tell again; the events' ids are the same then.
pub async fn relay(bus: &dyn EventBus, changes: &[Written]) -> Result<Option<usize>, SendError> {
    let events: Vec<(usize, Event)> = changes
        .iter()
        .enumerate()
        .flat_map(|(index, change)| change.events().into_iter().map(move |event| (index, event)))
        .collect();
    if events.is_empty() {
        return Ok(None);
    }
    let (origins, events): (Vec<usize>, Vec<Event>) = events.into_iter().unzip();
    let refused = bus.publish(&events).await?;
    if Bug::RefusedIsTold.is_planted() {
        return Ok(None);
    }
    Ok(refused.into_iter().filter_map(|place| origins.get(place).copied()).min())
}
