//! `/api/v1/incidents/{reference}/…`: what people do to an incident.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, Problem,
    check::{Check, LINE, TEXT},
    incidents::find,
    request::{self, Name, Posted},
    view::{self, IncidentView},
};
use crate::{
    access::{Allowed, Caller, Role, least},
    config::Config,
    id::PersonKey,
    incident::{Actor, Command, Evidence, Incident, RcaStage, Via},
    server::App,
    sla::Priority,
    store::retry::retried,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(acknowledge))
        .routes(routes!(pass_on))
        .routes(routes!(response))
        .routes(routes!(update))
        .routes(routes!(priority))
        .routes(routes!(escalate))
        .routes(routes!(responder))
        .routes(routes!(commander))
        .routes(routes!(wait))
        .routes(routes!(resume))
        .routes(routes!(resolve))
        .routes(routes!(reopen))
        .routes(routes!(cancel))
        .routes(routes!(rule_out))
        .routes(routes!(reengage))
        .routes(routes!(upstream))
        .routes(routes!(call_link))
        .routes(routes!(rca))
        .routes(routes!(reply))
        .routes(routes!(customer_escalation))
        .routes(routes!(close))
}

/// A body that becomes a command.
trait Act: DeserializeOwned {
    /// For whom it is done, when that is not the caller.
    fn on_behalf(&self) -> Option<&PersonKey>;

    /// The command; wrong fields are noted in `check`.
    fn command(&self, by: Actor, config: &Config, check: &mut Check) -> Command;

    /// Who may.
    const LEAST: Role;
}

/// Carries out the act of this name (the last word of its path) with the fields of its body, for somebody who does not
/// come with a request of the API: the pages. The same rules hold.
pub async fn named(app: &App, caller: &Caller, reference: &str, act: &str, fields: Value) -> Result<Incident, Problem> {
    macro_rules! acts {
        ($($name:literal: $body:ident),* $(,)?) => {
            match act {
                $($name => prepare::<$body>(app, caller, fields)?,)*
                _ => return Err(Problem::not_found("There is no such act.")),
            }
        };
    }
    let command = acts! {
        "acknowledge": Acknowledge, "pass-on": PassOn, "response": RecordResponse, "updates": PostUpdate,
        "priority": SetPriority, "escalate": Escalate, "responders": AddResponder, "commander": AssignCommander,
        "wait": WaitOnCustomer, "resume": Resume, "resolve": Resolve, "reopen": Reopen, "cancel": Cancel,
        "rule-out": RuleOut, "reengage": Reengage, "upstream": NoteUpstream, "call-link": OfferCall,
        "rca": DeliverRca, "reply": CustomerReply, "customer-escalation": CustomerEscalation, "close": CustomerCloses,
    };
    let command = match command {
        Command::Acknowledge { by, page, .. } => Command::Acknowledge { by, via: Via::Web, page },
        Command::PassOn { by, page, .. } => Command::PassOn { by, via: Via::Web, page },
        other => other,
    };
    retried(|| async {
        let mut tx = app.db.begin().await?;
        let id = find(&mut tx, reference).await?.id;
        let incident = app.door.execute_in(&mut tx, &id, command.clone()).await?;
        tx.commit().await?;
        app.bell.ring();
        Ok(incident)
    })
    .await
}

/// The command of a body that is given field by field.
fn prepare<T: Act>(app: &App, caller: &Caller, fields: Value) -> Result<Command, Problem> {
    caller.require(T::LEAST)?;
    let body: T = request::json(fields.to_string().as_bytes())?;
    command(&body, caller, &app.config.load())
}

/// Who acts: the caller, or the person of the field `as` where the caller may act for others.
pub(super) fn actor(
    on_behalf: Option<&PersonKey>,
    caller: &Caller,
    config: &Config,
    check: &mut Check,
) -> Result<Actor, Problem> {
    match on_behalf {
        None => Ok(caller.actor()),
        Some(person) if caller.person.as_ref() == Some(person) => Ok(caller.actor()),
        Some(_) if caller.role < Role::Commander => {
            let detail = "Only a token with the role `commander` or `admin` may act for somebody else (`as`).";
            Err(Problem::forbidden(detail))
        }
        Some(person) => {
            known(person, "/as", config, check);
            Ok(Actor::Person(person.clone()))
        }
    }
}

fn command<T: Act>(body: &T, caller: &Caller, config: &Config) -> Result<Command, Problem> {
    let mut check = Check::default();
    let by = actor(body.on_behalf(), caller, config, &mut check)?;
    let command = body.command(by, config, &mut check);
    check.done()?;
    Ok(command)
}

async fn carry_out<T: Act>(app: &App, caller: &Caller, name: &str, posted: Posted<T>) -> Answer {
    retried(|| carry_out_once(app, caller, name, &posted)).await
}

async fn carry_out_once<T: Act>(app: &App, caller: &Caller, name: &str, posted: &Posted<T>) -> Answer {
    let config = app.config.load_full();
    let mut work = posted.begin(app, caller).await?;
    let command = command(&posted.body, caller, &config)?;
    let id = find(&mut work.tx, name).await?.id;
    let incident = app.door.execute_in(&mut work.tx, &id, command).await?;
    work.finish(app, StatusCode::OK, &view::incident(&incident, &config, caller)).await
}

fn known(person: &PersonKey, pointer: &str, config: &Config, check: &mut Check) {
    if !config.people.contains_key(person) {
        check.wrong(pointer, "there is no such person in schedules/people.toml");
    }
}

/// Defines one act: its body, the command it becomes, and its route.
macro_rules! act {
    (
        $(#[$doc:meta])*
        $handler:ident, $path:literal, $role:ident,
        $body:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty),* $(,)? },
        |$self:ident, $by:ident, $config:ident, $check:ident| $command:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $body {
            $($(#[$field_doc])* pub $field: $kind,)*
            /// For whom it is done; only with the role `commander` or `admin`.
            #[serde(rename = "as")]
            #[schema(value_type = Option<String>)]
            pub on_behalf: Option<PersonKey>,
        }

        impl Act for $body {
            const LEAST: Role = Role::$role;

            fn on_behalf(&self) -> Option<&PersonKey> {
                self.on_behalf.as_ref()
            }

            fn command(&$self, $by: Actor, $config: &Config, $check: &mut Check) -> Command {
                let _ = (&$by, &$config, &$check);
                $command
            }
        }

        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "incidents", request_body = $body,
            params(("reference" = String, Path, description = "Reference (`4821`) or id (`inc_…`)")),
            responses((status = 200, body = IncidentView), (status = "4XX", body = Problem)))]
        async fn $handler(
            State(app): State<App>,
            Allowed { caller, .. }: Allowed<least::$role>,
            Name(name): Name,
            posted: Posted<$body>,
        ) -> Answer {
            carry_out(&app, &caller, &name, posted).await
        }
    };
}

act! {
    /// Take the incident in hand: no further level is paged because nobody acknowledged. Role: `responder`.
    acknowledge, "/incidents/{reference}/acknowledge", Responder,
    Acknowledge {},
    |self, by, config, check| Command::Acknowledge { by, via: Via::Api, page: None }
}

act! {
    /// Pass the incident on: the next level is paged at once. Role: `responder`.
    pass_on, "/incidents/{reference}/pass-on", Responder,
    PassOn {},
    |self, by, config, check| Command::PassOn { by, via: Via::Api, page: None }
}

act! {
    /// Record that the customer was spoken to: it meets the first response. Kept as attested. Role: `responder`.
    response, "/incidents/{reference}/response", Responder,
    RecordResponse {
        evidence: EvidenceBody,
    },
    |self, by, config, check| {
        let EvidenceBody::Attested { note } = &self.evidence;
        Command::RecordResponse { by, evidence: Evidence::Attested { note: check.text("/evidence/note", note, TEXT) } }
    }
}

/// What proves a conversation. Calls that we made or bridged prove themselves; by hand, a person's word is recorded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum EvidenceBody {
    /// `{"kind": "attested", "note": "spoke with Ms Ito at 14:20"}`
    Attested { note: String },
}

act! {
    /// Say how it goes. One that the customer sees meets the update window it falls in. Role: `responder`.
    update, "/incidents/{reference}/updates", Responder,
    PostUpdate {
        #[schema(max_length = 4000)]
        text: String,
        /// `true` unless given. An internal one meets no window.
        #[serde(default = "yes")]
        customer_visible: bool,
    },
    |self, by, config, check| Command::PostUpdate {
        by,
        text: check.text("/text", &self.text, TEXT),
        customer_visible: self.customer_visible,
    }
}

fn yes() -> bool {
    true
}

act! {
    /// Raise or lower the priority. Role: `commander`.
    priority, "/incidents/{reference}/priority", Commander,
    SetPriority {
        priority: Priority,
        reason: String,
    },
    |self, by, config, check| Command::SetPriority {
        by,
        priority: self.priority,
        reason: check.text("/reason", &self.reason, LINE),
    }
}

act! {
    /// Page the next level now. Role: `responder`.
    escalate, "/incidents/{reference}/escalate", Responder,
    Escalate {
        why: String,
    },
    |self, by, config, check| Command::Escalate { by, why: check.text("/why", &self.why, LINE) }
}

act! {
    /// Ask one more person for help: they are paged. Role: `responder`.
    responder, "/incidents/{reference}/responders", Responder,
    AddResponder {
        #[schema(value_type = String)]
        person: PersonKey,
    },
    |self, by, config, check| {
        known(&self.person, "/person", config, check);
        Command::AddResponder { by, person: self.person.clone() }
    }
}

act! {
    /// Say who leads. Role: `commander`.
    commander, "/incidents/{reference}/commander", Commander,
    AssignCommander {
        #[schema(value_type = String)]
        person: PersonKey,
    },
    |self, by, config, check| {
        known(&self.person, "/person", config, check);
        Command::AssignCommander { by, person: self.person.clone() }
    }
}

act! {
    /// The customer was asked something and has to answer first. Role: `responder`.
    wait, "/incidents/{reference}/wait", Responder,
    WaitOnCustomer {
        reason: String,
    },
    |self, by, config, check| Command::WaitOnCustomer { by, reason: check.text("/reason", &self.reason, LINE) }
}

act! {
    /// The customer has answered. Role: `responder`.
    resume, "/incidents/{reference}/resume", Responder,
    Resume {},
    |self, by, config, check| Command::Resume { by }
}

act! {
    /// It is over. Role: `responder`.
    resolve, "/incidents/{reference}/resolve", Responder,
    Resolve {
        /// What was done; may be left out.
        #[serde(default)]
        note: String,
    },
    |self, by, config, check| Command::Resolve { by, note: check.optional("/note", &self.note, TEXT) }
}

act! {
    /// It was not over. Role: `responder`.
    reopen, "/incidents/{reference}/reopen", Responder,
    Reopen {
        why: String,
    },
    |self, by, config, check| Command::Reopen { by, why: check.text("/why", &self.why, LINE) }
}

act! {
    /// It was opened by mistake. Role: `commander`.
    cancel, "/incidents/{reference}/cancel", Commander,
    Cancel {
        reason: String,
    },
    |self, by, config, check| Command::Cancel { by, reason: check.text("/reason", &self.reason, LINE) }
}

act! {
    /// The trouble is not ours: the team leaves, nothing is promised until somebody engages it again. Only where the
    /// plan allows it. Role: `responder`.
    rule_out, "/incidents/{reference}/rule-out", Responder,
    RuleOut {
        /// What shows it; the customer is told.
        note: String,
    },
    |self, by, config, check| Command::RuleOut { by, note: check.text("/note", &self.note, TEXT) }
}

act! {
    /// After it was ruled out: the team is paged, and every promise starts anew. Role: `responder`.
    reengage, "/incidents/{reference}/reengage", Responder,
    Reengage {
        why: String,
    },
    |self, by, config, check| Command::Reengage { by, why: check.text("/why", &self.why, LINE) }
}

act! {
    /// A service of somebody else that we rest on has trouble: the customer and its subscribers are told.
    /// Role: `responder`.
    upstream, "/incidents/{reference}/upstream", Responder,
    NoteUpstream {
        /// Which service.
        service: String,
        /// What is known of it.
        text: String,
    },
    |self, by, config, check| Command::NoteUpstream {
        by,
        service: check.text("/service", &self.service, LINE),
        words: check.text("/text", &self.text, TEXT),
    }
}

act! {
    /// Send the customer the plan's link to talk at once. Role: `responder`.
    call_link, "/incidents/{reference}/call-link", Responder,
    OfferCall {},
    |self, by, config, check| Command::OfferCall { by }
}

act! {
    /// Give the customer the analysis of the cause. Role: `responder`.
    rca, "/incidents/{reference}/rca", Responder,
    DeliverRca {
        stage: RcaStage,
        /// Markdown.
        #[schema(max_length = 65536)]
        text: String,
    },
    |self, by, config, check| Command::DeliverRca { by, stage: self.stage, text: self.text.clone() }
}

act! {
    /// What the customer said, as a desk or another tool heard it: nobody waits on them any longer, and what was closed
    /// is open again. Role: `responder`.
    reply, "/incidents/{reference}/reply", Responder,
    CustomerReply {
        text: String,
    },
    |self, by, config, check| Command::CustomerReplies { text: check.text("/text", &self.text, TEXT) }
}

act! {
    /// The customer is not satisfied and asks for somebody higher, as the plan allows. Role: `responder`.
    customer_escalation, "/incidents/{reference}/customer-escalation", Responder,
    CustomerEscalation {
        why: String,
        /// Which of the plan's levels, from 1; the next one if left out.
        #[schema(minimum = 1)]
        level: Option<usize>,
        /// When it happened that they complain of.
        occurred_at: Option<DateTime<Utc>>,
    },
    |self, by, config, check| {
        if self.level == Some(0) {
            check.wrong("/level", "the first level is 1");
        }
        check.instant("/occurred_at", self.occurred_at);
        Command::CustomerEscalates {
            why: check.text("/why", &self.why, LINE),
            level: self.level.map(|level| level.saturating_sub(1)),
            occurred_at: self.occurred_at,
        }
    }
}

act! {
    /// The customer says that it is solved. Role: `responder`.
    close, "/incidents/{reference}/close", Responder,
    CustomerCloses {
        #[serde(default)]
        note: String,
    },
    |self, by, config, check| Command::Resolve {
        by: Actor::Customer,
        note: check.optional("/note", &self.note, TEXT),
    }
}
