//! What customers are told of what happened to them: decided from the event, read together, worded, and sent once by each
//! channel that they want.

mod matter;
mod teller;

pub use teller::{Teller, TellerParts, TellingError};
