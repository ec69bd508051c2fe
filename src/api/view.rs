//! An incident as the outside sees it. The projection inside may change; this may only grow.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    access::{Caller, Role},
    config::Config,
    id::PersonKey,
    incident::{self, Actor, Evidence, Phase, Recorded, Source, agenda, state, timeline},
    mail::{Audience, Mail, MailStage},
    people::E164,
    sla::Priority,
};

/// Somebody, by key and by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Named {
    pub key: String,
    pub name: String,
}

/// Who acted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActorView {
    /// `person`, `token`, `customer`, `integration` or `system`.
    pub kind: &'static str,
    /// The person's or the integration's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub name: String,
}

/// An incident.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IncidentView {
    /// Short and spoken; free for another incident once this one is closed.
    pub reference: String,
    /// Long and for ever.
    pub id: String,
    pub phase: Phase,
    pub priority: Priority,
    /// What is promised for it, in words.
    pub promise: String,
    pub plan: Named,
    pub team: Named,
    /// `key` is empty when it is nobody's we know.
    pub customer: Named,
    /// The customer's time zone.
    pub zone: String,
    pub title: String,
    pub detail: String,
    pub contact: ContactView,
    /// `phone`, `integration` or `api`.
    pub source: &'static str,
    pub opened_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    pub holder: Option<HolderView>,
    pub commander: Option<Named>,
    pub responders: Vec<Named>,
    pub level: Option<LevelView>,
    pub response: ResponseView,
    /// The windows of progress updates that are over.
    pub windows: Vec<WindowView>,
    /// The one that runs now.
    pub window: Option<CurrentWindow>,
    pub last_update_at: Option<DateTime<Utc>>,
    /// The promised end.
    pub resolution: Option<DeadlineView>,
    /// The promised analysis of the cause, once it is over.
    pub rca: Option<RcaView>,
    /// The customer wants nothing done before this.
    pub not_before: Option<DateTime<Utc>>,
    /// Nobody is paged before this: it waits for office hours, or for `not_before`.
    pub begins_at: Option<DateTime<Utc>>,
    pub ruled_out: Option<RuledOutView>,
    pub waiting: Option<WaitingView>,
    pub next_action: Option<NextAction>,
    /// In plain words, oldest first; only where one incident is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Vec<TimelineEntry>>,
    /// The mails about it, oldest first, at most 200; only where one incident is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mails: Option<Vec<MailView>>,
}

/// A mail to one address.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailView {
    pub id: String,
    pub audience: Audience,
    /// In full for an admin, else its first letter and its domain.
    pub to: String,
    pub subject: String,
    pub stage: MailStage,
    /// Who took it, or was asked last.
    pub carrier: Option<String>,
    /// What was in its way, and the mail server's reply code.
    pub reason: Option<String>,
    pub code: Option<u16>,
    pub tries: i64,
    pub created_at: DateTime<Utc>,
    /// When it is tried next.
    pub next_at: Option<DateTime<Utc>>,
    /// When a mail server took it, or it was given up.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Whom to call back.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContactView {
    pub name: Option<String>,
    /// In full for those who have to dial it (from `responder` upwards), else its last two digits.
    pub number: Option<String>,
    /// For the same people; else left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
}

/// A promise with one due instant.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct DeadlineView {
    pub due: DateTime<Utc>,
    pub met_at: Option<DateTime<Utc>>,
    pub missed: bool,
}

/// The promised analysis of the cause.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct RcaView {
    pub draft: Option<DeadlineView>,
    #[serde(rename = "final")]
    pub last: Option<DeadlineView>,
}

/// The trouble was shown not to be ours.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuledOutView {
    pub at: DateTime<Utc>,
    pub by: ActorView,
    pub note: String,
}

/// Who has it in hand.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HolderView {
    #[serde(flatten)]
    pub who: ActorView,
    pub since: DateTime<Utc>,
    /// When the acknowledgement lapses unless the holder does something.
    pub lapses_at: DateTime<Utc>,
}

/// The highest level that was paged.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LevelView {
    /// From 0.
    pub index: usize,
    pub name: String,
    /// How often the whole ladder was climbed before.
    pub round: u8,
    /// When the next level is paged unless somebody acknowledges.
    pub next_at: Option<DateTime<Utc>>,
}

/// The promise of a conversation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ResponseView {
    pub due: Option<DateTime<Utc>>,
    pub met: bool,
    pub met_at: Option<DateTime<Utc>>,
    pub by: Option<ActorView>,
    pub late: bool,
    pub missed: bool,
    /// `{"kind": "conversation", "calls", "seconds"}` or `{"kind": "attested", "note"}`.
    #[schema(value_type = Option<Object>)]
    pub evidence: Option<Evidence>,
}

/// A window that is over.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct WindowView {
    pub n: u32,
    pub due: DateTime<Utc>,
    pub verdict: state::Verdict,
}

/// The window that runs now.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct CurrentWindow {
    pub n: u32,
    pub due: DateTime<Utc>,
    /// Whether an update was given in it.
    pub met: bool,
}

/// The customer was asked something.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WaitingView {
    pub since: DateTime<Utc>,
    pub by: ActorView,
    pub reason: String,
    /// How often the customer was asked.
    pub requests: u8,
    /// When it is closed without an answer.
    pub closes_at: Option<DateTime<Utc>>,
    /// What stands still meanwhile, as the plan says: `response`, `updates`, `resolution`.
    #[schema(value_type = Vec<String>)]
    pub paused: Vec<crate::sla::Pausable>,
}

/// What happens next, unless somebody does something.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NextAction {
    pub at: DateTime<Utc>,
    /// For people.
    pub what: String,
    pub due: agenda::Due,
}

/// Something that happened, in plain words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineEntry {
    pub seq: u64,
    pub at: DateTime<Utc>,
    pub words: String,
}

/// A person, named as the configuration names them now.
pub fn person(key: &PersonKey, config: &Config) -> Named {
    let name = config.people.get(key).map_or_else(|| key.to_string(), |person| person.name.clone());
    Named { key: key.to_string(), name }
}

/// An actor, named.
pub fn actor(actor: &Actor, config: &Config) -> ActorView {
    let (kind, key, name) = match actor {
        Actor::Person(key) => ("person", Some(key.to_string()), person(key, config).name),
        Actor::Token(name) => ("token", None, name.clone()),
        Actor::Customer => ("customer", None, "the customer".into()),
        Actor::Integration(key) => {
            let name = config.integrations.get(key).map_or_else(|| key.to_string(), |sender| sender.name.clone());
            ("integration", Some(key.to_string()), name)
        }
        Actor::System => ("system", None, "Ringdown".into()),
    };
    ActorView { kind, key, name }
}

/// Whether this caller sees the numbers they may have to dial.
pub fn sees_numbers(caller: &Caller) -> bool {
    caller.role >= Role::Responder
}

/// A number for one who may not see it.
pub fn masked(number: &str) -> String {
    E164::parse(number).map_or_else(|_| "…".into(), |number| number.masked())
}

/// The incident as this caller sees it.
pub fn incident(incident: &incident::Incident, config: &Config, caller: &Caller) -> IncidentView {
    let named = |key: &PersonKey| person(key, config);
    let contact = &incident.contact;
    let number = contact.number.as_ref();
    let climb = &incident.climb;
    let levels = config.policy(&incident.team, incident.priority).map_or(&[][..], |policy| &policy.levels);
    let met = incident.response.met.as_ref();
    IncidentView {
        reference: incident.reference.clone(),
        id: incident.id.to_string(),
        phase: incident.phase,
        priority: incident.priority,
        promise: incident.plan.promise(incident.priority).title,
        plan: Named { key: incident.plan.key.to_string(), name: incident.plan.title.clone() },
        team: Named {
            key: incident.team.to_string(),
            name: config.teams.get(&incident.team).map_or_else(|| incident.team.to_string(), |team| team.name.clone()),
        },
        customer: Named {
            key: incident.customer.as_ref().map(ToString::to_string).unwrap_or_default(),
            name: incident.customer_name.clone(),
        },
        zone: incident.zone.to_string(),
        title: incident.title.clone(),
        detail: incident.detail.clone(),
        contact: ContactView {
            name: contact.name.clone(),
            number: number.map(|number| if sees_numbers(caller) { number.clone() } else { masked(number) }),
            mail: contact.mail.clone().filter(|_| sees_numbers(caller)),
        },
        source: match incident.source {
            Source::Phone { .. } => "phone",
            Source::Integration { .. } => "integration",
            Source::Api { .. } => "api",
        },
        opened_at: incident.opened_at,
        closed_at: incident.closed_at,
        holder: incident.holder.as_ref().map(|holder| HolderView {
            who: actor(&holder.who, config),
            since: holder.since,
            lapses_at: holder.lapses_at(),
        }),
        commander: incident.commander.as_ref().map(named),
        responders: incident.responders.iter().map(named).collect(),
        level: climb.level.map(|index| LevelView {
            index,
            name: levels.get(index).map_or_else(|| "last resort".into(), |level| level.name.clone()),
            round: climb.round,
            next_at: climb.next_at,
        }),
        response: ResponseView {
            due: incident.response.due,
            met: met.is_some(),
            met_at: met.map(|met| met.at),
            by: met.map(|met| actor(&met.by, config)),
            late: met.is_some_and(|met| met.late),
            missed: incident.response.missed,
            evidence: met.map(|met| met.evidence.clone()),
        },
        windows: incident
            .updates
            .past
            .iter()
            .map(|window| WindowView { n: window.number, due: window.due, verdict: window.verdict })
            .collect(),
        window: incident.window_due().map(|due| CurrentWindow {
            n: incident.updates.window,
            due,
            met: incident.updates.met,
        }),
        last_update_at: incident.updates.last_at,
        resolution: incident.resolution.map(deadline),
        rca: incident.rca.map(|rca| RcaView { draft: rca.draft.map(deadline), last: rca.last.map(deadline) }),
        not_before: incident.not_before,
        begins_at: incident.begins_at,
        ruled_out: incident.ruled_out.as_ref().map(|ruled_out| RuledOutView {
            at: ruled_out.at,
            by: actor(&ruled_out.by, config),
            note: ruled_out.note.clone(),
        }),
        waiting: incident.waiting.as_ref().map(|waiting| WaitingView {
            since: waiting.since,
            by: actor(&waiting.by, config),
            reason: waiting.reason.clone(),
            requests: waiting.requests,
            closes_at: waiting.close_at,
            paused: incident.plan.pauses.iter().copied().collect(),
        }),
        next_action: agenda::next(incident).map(|(at, due)| NextAction { at, what: due.to_string(), due }),
        timeline: None,
        mails: None,
    }
}

/// A mail as this caller sees it.
pub fn mail(mail: Mail, caller: &Caller) -> MailView {
    let admin = caller.role == Role::Admin;
    MailView {
        id: mail.id.to_string(),
        audience: mail.audience,
        to: if admin { mail.address.as_str().into() } else { mail.address.masked() },
        subject: mail.subject,
        stage: mail.stage,
        carrier: mail.carrier.map(|key| key.to_string()),
        reason: mail.reason,
        code: mail.code,
        tries: mail.tries,
        created_at: mail.created_at,
        next_at: mail.wake_at,
        ended_at: mail.ended_at,
    }
}

fn deadline(deadline: state::Deadline) -> DeadlineView {
    DeadlineView { due: deadline.due, met_at: deadline.met, missed: deadline.missed }
}

/// The events in plain words.
pub fn timeline(events: &[Recorded], incident: &incident::Incident, config: &Config) -> Vec<TimelineEntry> {
    events
        .iter()
        .map(|event| TimelineEntry {
            seq: event.seq,
            at: event.at,
            words: timeline::words(event, config, &incident.zone),
        })
        .collect()
}

/// An event as JSON, as this caller sees it.
pub fn event(event: &Recorded, caller: &Caller) -> Value {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    if !sees_numbers(caller) {
        for place in ["/contact", "/report/contact"] {
            let Some(contact) = value.pointer_mut(place).and_then(Value::as_object_mut) else { continue };
            if let Some(Value::String(number)) = contact.get_mut("number") {
                *number = masked(number);
            }
            contact.remove("mail");
        }
    }
    value
}
