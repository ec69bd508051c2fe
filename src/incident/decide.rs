//! The one place where behaviour lives: (state, command, world, now) -> events and effects. Pure.

use super::{
    acts,
    command::{Actor, Command, Report},
    customer,
    draft::Draft,
    due,
    effect::{Cause, Effect},
    event::{Event, Recorded},
    state::Incident,
    words,
};
use crate::{
    clock::Time,
    config::Config,
    id::{IncidentId, PersonKey, ScheduleKey},
    oncall::Override,
};

/// What `decide` may look at beside the incident: the configuration in force, and who stands in for whom.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    pub config: &'a Config,
    /// Those that are not over.
    pub overrides: &'a [Override],
}

/// What happened, and what must now be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    pub events: Vec<Event>,
    pub effects: Vec<Effect>,
}

/// Why a command changes nothing. Not an error of ours; the words are for the one who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such incident")]
    Unknown,
    #[error("the incident is closed; reopen it first")]
    Closed,
    #[error("the incident is open already")]
    Open,
    #[error("already acknowledged by {} at {} UTC", name(.by), .at.format("%H:%M"))]
    AlreadyAcknowledged { by: Actor, at: Time },
    #[error("there is no person `{0}` in schedules/people.toml")]
    UnknownPerson(PersonKey),
    #[error("{0}")]
    Invalid(String),
}

/// The actor's name, for people.
pub fn name(actor: &Actor) -> String {
    match actor {
        Actor::Person(key) => key.to_string(),
        Actor::Token(name) => name.clone(),
        Actor::Customer => "the customer".into(),
        Actor::Integration(key) => key.to_string(),
        Actor::System => "Ringdown".into(),
    }
}

impl World<'_> {
    /// Who is on call on a schedule at an instant.
    pub fn on_call(&self, schedule: &ScheduleKey, at: Time) -> Option<PersonKey> {
        crate::oncall::roster::on_call(self.config.schedules.get(schedule)?, self.overrides, at)
    }
}

/// Decides. `incident` is `None` only for [`Command::Report`], which opens the one called `id`.
pub fn decide(
    incident: Option<&Incident>,
    id: &IncidentId,
    command: &Command,
    world: World<'_>,
    now: Time,
) -> Result<Decision, Refusal> {
    match (incident, command) {
        (None, Command::Report(report)) => open(id, report, world, now),
        (Some(_), Command::Report(_)) => Err(Refusal::Open),
        (None, _) => Err(Refusal::Unknown),
        (Some(incident), command) => {
            if !incident.is_open() && !allowed_when_closed(incident, command) {
                return Err(Refusal::Closed);
            }
            let mut draft = Draft::new(incident.clone(), world, now);
            if *command != Command::TimerFired {
                due::promises(&mut draft);
            }
            carry(&mut draft, command)?;
            Ok(draft.into_decision())
        }
    }
}

fn open(id: &IncidentId, report: &Report, world: World<'_>, now: Time) -> Result<Decision, Refusal> {
    let event = Event::Opened { report: Box::new(report.clone()) };
    let first = Recorded { seq: 1, at: now, event };
    let incident = Incident::open(id, &first).ok_or(Refusal::Unknown)?;
    let mut draft = Draft::opened(incident, first.event, world, now);
    for what in customer::unmet(report) {
        draft.record(Event::TermsUnmet { what });
    }
    if draft.incident.wakes() {
        draft.climb_to(0, 0, Cause::Opened);
    } else {
        draft.mail_team();
    }
    let text = words::promise(&draft.incident, now);
    let more = words::please_send(&draft.incident);
    draft.tell_customer_at_length(text, &more);
    Ok(draft.into_decision())
}

/// Whether this may be done to an incident that is over. Pages are sent about one whose analysis is late, and are
/// answered like any other.
fn allowed_when_closed(incident: &Incident, command: &Command) -> bool {
    let asked = || incident.climb.next_at.is_some() || incident.open_pages().next().is_some();
    match command {
        Command::Reopen { .. } | Command::TimerFired | Command::PageExhausted { .. } | Command::Amend { .. } => true,
        Command::DeliverRca { .. } | Command::CustomerReplies { .. } => true,
        Command::Acknowledge { .. } | Command::PassOn { .. } | Command::KeyPress { .. } => asked(),
        _ => false,
    }
}

fn carry(draft: &mut Draft<'_>, command: &Command) -> Result<(), Refusal> {
    match command {
        Command::Report(_) => return Err(Refusal::Open),
        Command::TimerFired => due::all(draft),
        Command::PageExhausted { page, definite } => due::page_exhausted(draft, *page, *definite),
        Command::Signal { summary } => draft.record(Event::SignalRepeated { summary: summary.clone() }),
        Command::Amend { contact, title, detail } => acts::amend(draft, contact, title.as_deref(), detail.as_deref()),
        Command::CustomerEscalates { why, level, occurred_at } => customer::escalates(draft, why, *level, *occurred_at),
        Command::CustomerReplies { text } => customer::replies(draft, text)?,
        Command::Acknowledge { by, via, page } => acts::acknowledge(draft, by, *via, *page)?,
        Command::PassOn { by, via, page } => acts::pass_on(draft, by, *via, *page)?,
        Command::KeyPress { page, key } => acts::key_press(draft, *page, *key)?,
        Command::StartCallback { by } => acts::start_callback(draft, by)?,
        Command::RecordResponse { by, evidence } => acts::record_response(draft, by, evidence)?,
        Command::PostUpdate { by, text, customer_visible } => acts::post_update(draft, by, text, *customer_visible)?,
        Command::SetPriority { by, priority, reason } => acts::set_priority(draft, by, *priority, reason)?,
        Command::Escalate { by, why } => {
            draft.record(Event::Escalated { by: by.clone(), why: why.clone() });
            draft.raise(Cause::Asked);
        }
        Command::AddResponder { by, person } => acts::add_responder(draft, by, person)?,
        Command::AssignCommander { by, person } => acts::assign_commander(draft, by, person)?,
        Command::WaitOnCustomer { by, reason } => acts::wait(draft, by, reason)?,
        Command::Resume { by } => {
            if draft.incident.waiting.is_none() {
                return Err(Refusal::Invalid("it is not waiting on the customer".into()));
            }
            draft.record(Event::Resumed { by: by.clone() });
        }
        Command::RuleOut { by, note } => acts::rule_out(draft, by, note)?,
        Command::Reengage { by, why } => {
            if draft.incident.ruled_out.is_none() {
                return Err(Refusal::Invalid("it was not ruled out; the team is on it".into()));
            }
            customer::reengage(draft, by, why);
        }
        Command::NoteUpstream { by, service, words } => acts::note_upstream(draft, by, service, words)?,
        Command::OfferCall { by } => acts::offer_call(draft, by)?,
        Command::DeliverRca { by, stage, text } => acts::deliver_rca(draft, by, *stage, text)?,
        Command::Resolve { by, note } => {
            draft.record_settling(Event::Resolved { by: by.clone(), note: note.clone() });
            let text = words::resolved(&draft.incident, note);
            draft.tell_customer(text);
        }
        Command::Reopen { by, why } => {
            if draft.incident.is_open() {
                return Err(Refusal::Open);
            }
            customer::reopen(draft, by, why);
        }
        Command::Cancel { by, reason } => {
            draft.record_settling(Event::Cancelled { by: by.clone(), reason: reason.clone() });
        }
    }
    Ok(())
}
