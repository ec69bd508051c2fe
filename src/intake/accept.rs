//! One payload, one transaction: dedup, commands to incidents, the row in the intake log. Then the bell.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    Integration, Received, dedup,
    signal::{Kind, Outcome, Signal, Status, verdict},
    store::{self, Held},
};
use crate::{
    config::Config,
    id::{self, IncidentId},
    incident::{
        self, Refusal,
        command::{Actor, Command, Via},
        door::DoorError,
    },
    server::App,
    store::{Tx, retry::retried},
};

/// A payload taken.
#[derive(Debug)]
pub struct Accepted {
    pub outcomes: Vec<Outcome>,
    /// It came before, with the same webhook id, and had no second effect.
    pub replayed: bool,
}

/// Takes a payload. When it returns, all of it is durable. `received` is kept with the verdict and the incidents
/// filled in.
pub async fn accept(
    app: &App,
    config: &Config,
    integration: &Integration,
    signals: Vec<Signal>,
    webhook_id: Option<&str>,
    received: Received,
) -> Result<Accepted, DoorError> {
    let signals = in_order(signals);
    retried(|| accept_once(app, config, integration, &signals, webhook_id, received.clone())).await
}

async fn accept_once(
    app: &App,
    config: &Config,
    integration: &Integration,
    signals: &[(String, Signal)],
    webhook_id: Option<&str>,
    mut received: Received,
) -> Result<Accepted, DoorError> {
    let mut tx = app.db.begin().await?;
    let earlier = match webhook_id {
        Some(id) => store::see_webhook(&mut tx, &integration.key, id, received.received_at).await?,
        None => None,
    };
    let accepted = match earlier {
        Some(outcomes) => Accepted { outcomes, replayed: true },
        None => {
            if signals.len() > 1 {
                lock_in_order(&mut tx, integration, signals).await?;
            }
            let mut outcomes = Vec::with_capacity(signals.len());
            for (key, signal) in signals {
                outcomes.push(apply(app, &mut tx, config, integration, key, signal).await?);
            }
            if let Some(id) = webhook_id {
                store::answer_webhook(&mut tx, &integration.key, id, &outcomes).await?;
            }
            Accepted { outcomes, replayed: false }
        }
    };
    received.verdict = verdict(&accepted.outcomes);
    if accepted.replayed {
        received.verdict =
            format!("a repeat of a webhook taken before, without a second effect ({})", received.verdict);
    }
    received.incident_ids = accepted.outcomes.iter().filter_map(|outcome| outcome.id.clone()).collect();
    received.incident_ids.dedup();
    store::keep(&mut tx, &received).await?;
    tx.commit().await?;
    app.bell.ring();
    Ok(accepted)
}

/// Every transaction takes its keys in the same order, so that two never wait for each other. What one payload says
/// of one key stays in its order.
fn in_order(signals: Vec<Signal>) -> Vec<(String, Signal)> {
    let mut keyed: Vec<(String, Signal)> = signals
        .into_iter()
        .map(|mut signal| (signal.dedup_key.take().unwrap_or_else(|| Uuid::new_v4().simple().to_string()), signal))
        .collect();
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    keyed
}

/// Takes the keys of a payload, and then the incidents that they mean, in the order of their ids: their own order is
/// another one, and whoever else changes several incidents would be met halfway.
async fn lock_in_order(tx: &mut Tx, integration: &Integration, signals: &[(String, Signal)]) -> sqlx::Result<()> {
    let mut held = BTreeSet::new();
    for (key, signal) in signals {
        let open = match signal.kind {
            Kind::Trigger => store::claim(tx, &integration.key, key).await?,
            Kind::Acknowledge | Kind::Resolve => store::open(tx, &integration.key, key).await?,
        };
        held.extend(open.map(|held| held.incident));
    }
    incident::store::lock(tx, &held).await
}

async fn apply(
    app: &App,
    tx: &mut Tx,
    config: &Config,
    integration: &Integration,
    key: &str,
    signal: &Signal,
) -> Result<Outcome, DoorError> {
    let held = match signal.kind {
        Kind::Trigger => return trigger(app, tx, config, integration, key, signal).await,
        Kind::Acknowledge | Kind::Resolve => store::open(tx, &integration.key, key).await?,
    };
    let dropped = |why: String| Outcome {
        status: Status::Dropped,
        dedup_key: key.into(),
        id: None,
        incident: None,
        why: Some(why),
    };
    let Some(Held { incident, .. }) = held else {
        return Ok(dropped("no open incident has this dedup key".into()));
    };
    let by = Actor::Integration(integration.key.clone());
    let (command, status) = match signal.kind {
        Kind::Acknowledge => (Command::Acknowledge { by, via: Via::Integration, page: None }, Status::Acknowledged),
        _ => (Command::Resolve { by, note: format!("resolved by {}", integration.name) }, Status::Resolved),
    };
    match app.door.execute_in(tx, &incident, command).await {
        Ok(state) => Ok(outcome(status, key, &incident, state.reference)),
        // What the sender wants is so already.
        Err(DoorError::Refused(refusal @ Refusal::AlreadyAcknowledged { .. })) => {
            Ok(Outcome { status: Status::Acknowledged, id: Some(incident), ..dropped(refusal.to_string()) })
        }
        Err(DoorError::Refused(refusal)) => Ok(Outcome { id: Some(incident), ..dropped(refusal.to_string()) }),
        Err(error) => Err(error),
    }
}

async fn trigger(
    app: &App,
    tx: &mut Tx,
    config: &Config,
    integration: &Integration,
    key: &str,
    signal: &Signal,
) -> Result<Outcome, DoorError> {
    if let Some(held) = store::claim(tx, &integration.key, key).await? {
        match repeat(app, tx, integration, key, signal, held).await {
            Ok(outcome) => return Ok(outcome),
            // Closed a moment ago: it is a new trouble.
            Err(DoorError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let reference = app.door.free_reference(tx).await?;
    let report = dedup::report(signal, integration, config, reference.clone());
    let held = Held { incident: IncidentId::from(id::fresh("inc")), reported: Some(report.priority) };
    app.door.execute_in(tx, &held.incident, Command::Report(Box::new(report))).await?;
    store::hold(tx, &integration.key, key, &held).await?;
    Ok(outcome(Status::Opened, key, &held.incident, reference))
}

/// The same trouble again: told to its incident, without a second page, unless it got worse.
async fn repeat(
    app: &App,
    tx: &mut Tx,
    integration: &Integration,
    key: &str,
    signal: &Signal,
    held: Held,
) -> Result<Outcome, DoorError> {
    let summary = signal.title.clone();
    let state = app.door.execute_in(tx, &held.incident, Command::Signal { summary }).await?;
    let mut repeated = outcome(Status::Repeated, key, &held.incident, state.reference);
    let priority = dedup::priority(signal, integration);
    if dedup::raises(priority, held.reported, state.priority) {
        let raise = Command::SetPriority {
            by: Actor::Integration(integration.key.clone()),
            priority,
            reason: format!("{} reports it as worse", integration.name),
        };
        match app.door.execute_in(tx, &held.incident, raise).await {
            Ok(_) => repeated.why = Some(format!("raised from {} to {priority}", state.priority)),
            Err(DoorError::Refused(refusal)) => repeated.why = Some(refusal.to_string()),
            Err(error) => return Err(error),
        }
    }
    if held.reported.is_none_or(|before| priority < before) {
        store::hold(tx, &integration.key, key, &Held { reported: Some(priority), ..held }).await?;
    }
    Ok(repeated)
}

fn outcome(status: Status, key: &str, incident: &IncidentId, reference: String) -> Outcome {
    Outcome { status, dedup_key: key.into(), id: Some(incident.clone()), incident: Some(reference), why: None }
}
