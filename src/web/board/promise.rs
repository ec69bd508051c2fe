//! What is owed for an incident, as a person asks: what is next, by when, and is it late? Pure.

use crate::{
    clock::Time,
    incident::{Incident, RcaStage},
    sla::Pausable,
};

/// Something promised that is not kept yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owed {
    pub due: Time,
    pub what: What,
}

/// What was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Callback,
    Update(u32),
    Resolution,
    Rca(RcaStage),
}

impl What {
    /// For people.
    pub fn name(self) -> String {
        match self {
            What::Callback => "Callback".into(),
            What::Update(window) => format!("Update {window}"),
            What::Resolution => "Promised end".into(),
            What::Rca(stage) => format!("Analysis of the cause, {stage}"),
        }
    }
}

/// Everything that is owed, the soonest first. A callback that was missed is still owed: the customer waits.
pub fn owed(incident: &Incident) -> Vec<Owed> {
    let mut owed = Vec::new();
    let mut add = |due: Option<Time>, what| owed.extend(due.map(|due| Owed { due, what }));
    if incident.is_open() && incident.ruled_out.is_none() {
        let runs = |clock| !incident.paused(clock);
        add(
            incident.response.due.filter(|_| incident.response.met.is_none() && runs(Pausable::Response)),
            What::Callback,
        );
        let window = incident.updates.window + u32::from(incident.updates.met);
        add(incident.next_update_due().filter(|_| runs(Pausable::Updates)), What::Update(window));
        let resolution = incident.resolution.filter(|end| end.met.is_none() && runs(Pausable::Resolution));
        add(resolution.map(|end| end.due), What::Resolution);
    }
    if let Some(rca) = &incident.rca {
        for (stage, deadline) in [(RcaStage::Draft, &rca.draft), (RcaStage::Final, &rca.last)] {
            let open = deadline.as_ref().filter(|deadline| deadline.met.is_none());
            add(open.map(|deadline| deadline.due), What::Rca(stage));
        }
    }
    owed.sort();
    owed
}
