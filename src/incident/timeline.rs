//! An incident's events in plain words.

use super::event::Recorded;
use crate::{config::Config, sla::Zone};

/// One line for people: what happened, without the time.
pub fn words(event: &Recorded, config: &Config, zone: &Zone) -> String {
    let _ = (event, config, zone);
    todo!()
}
