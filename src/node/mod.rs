//! Several nodes on one PostgreSQL: who runs, by whose clock, with which configuration, and how they wake each other.
//!
//! Every node does every kind of work. What keeps them out of each other's way stands with the work itself: leases and
//! fences in `timer`, `paging` and `mail`. A node writes down every ten seconds that it runs (`uptime`, which the
//! reports read too).

pub mod keep;
pub mod presence;
pub mod revision;
pub mod skew;
pub mod store;
pub mod wire;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU8},
};

use crate::{clock::Correction, id::fresh, server::settings::Settings};

pub use keep::{begin, hand_back, keep, leave};
pub use presence::{Presence, State};

/// What one process is among others. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Node(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: String,
    name: String,
    correction: Correction,
    /// The row of `uptime` that goes on.
    run: Mutex<Option<String>>,
    /// What was told of this machine's clock, and of the handsets.
    clock_judged: AtomicU8,
    handsets_told: AtomicBool,
}

impl Node {
    /// A new process, with the clock that may have to be corrected.
    pub fn new(settings: &Settings, correction: Correction) -> Self {
        let name = settings.node.clone().unwrap_or_else(machine);
        let id = fresh("nod");
        Node(Arc::new(Inner {
            id,
            name,
            correction,
            run: Mutex::default(),
            clock_judged: AtomicU8::default(),
            handsets_told: AtomicBool::default(),
        }))
    }

    /// `nod_…`, another one for each process: its leases carry it.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How its clock is corrected.
    pub fn correction(&self) -> &Correction {
        &self.0.correction
    }

    fn run(&self) -> Option<String> {
        self.0.run.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn goes_on_as(&self, run: &str) {
        *self.0.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.into());
    }
}

/// What the machine is called, as far as it says.
fn machine() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    let name: String = told.unwrap_or_default().trim().chars().take(63).collect();
    if name.is_empty() { "node".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_node_is_called_as_the_settings_say_or_as_its_machine() {
        let node = |name: Option<&str>| {
            let settings = Settings { node: name.map(Into::into), ..Settings::default() };
            Node::new(&settings, Clock::system().correctable().1)
        };
        assert_eq!(node(Some("east-1")).name(), "east-1");
        assert!(!node(None).name().is_empty());
        assert_ne!(node(None).id(), node(None).id());
    }
}
