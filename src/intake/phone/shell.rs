//! Around the pure conversation: loads the call, carries out what was decided, saves, commits, and only then answers.

use chrono::TimeDelta;

use super::{
    Summary,
    call::{CALLER_LENGTH, CallRecord, Step, bounded},
    conversation::{self, Doing, Facts, Input, Outcome},
    live, number,
    pin::{self, Pin},
    report, script, store,
};
use crate::{
    carrier::{Document, Receipt, Recording, Turn, Unavailable},
    clock::Time,
    config::Config,
    id::{self, CustomerKey, IncidentId},
    incident::{
        self, Command, Report,
        door::{Door, DoorError},
    },
    people::{Channel, E164},
    store::{Tx, retry::retried},
};

/// The language spoken when no hotline says otherwise.
const LANGUAGE: &str = "en-US";
/// Characters of a carrier's id of a call.
const SID_LENGTH: usize = 128;
/// A caller who led to so many incidents in so many minutes opens no more.
const FLOOD_INCIDENTS: usize = 5;
const FLOOD_MINUTES: i64 = 15;
/// After so many minutes without a word, a call without an incident counts as hung up.
const LOST_MINUTES: i64 = 10;
/// For so long a customer who calls is asked whether it is about what was closed for want of an answer.
const IDLE_LATELY: TimeDelta = TimeDelta::days(7);
/// Incidents of a customer that are looked at for that.
const LATELY: i64 = 5;
/// Calls closed in one sweep.
const SWEEP: i64 = 100;

pub(super) async fn turn(door: &Door, turn: Turn) -> Result<Document, Unavailable> {
    let sid = sid(&turn.call_sid)?;
    match turn.path.trim_matches('/') {
        "voice/hold" => return Ok(hold(door, &turn, &sid).await?),
        "voice/connected" => return Ok(connected(door, &turn, &sid).await?),
        _ => {}
    }
    let (config, now) = (door.config.load_full(), door.clock.now());
    let input = input(&turn);
    let pin = match &input {
        Some(input) => pin::check(door, &config, &turn.carrier, &sid, input).await?,
        None => Pin::Nobody,
    };
    let mut tx = door.db.begin().await?;
    let before = match store::by_sid(&mut tx, &turn.carrier, &sid).await? {
        Some(call) => call,
        None => {
            store::insert(&mut tx, &first_ring(&config, &turn, &sid, now)).await?;
            // Another node may have inserted it in the meantime.
            store::by_sid(&mut tx, &turn.carrier, &sid).await?.ok_or(sqlx::Error::RowNotFound)?
        }
    };
    let facts = facts(&mut tx, &config, &before, pin, now).await?;
    let language = language(&config, &before);
    let outcome = match &input {
        Some(input) => conversation::step(before.clone(), input, &facts),
        None => conversation::begin(before.clone(), &facts),
    };
    let n = outcome.n;
    let call = carry_out(door, tx, &before, outcome, now).await?;
    Ok(script::document(&call, n, language))
}

/// What a caller hears in the queue. Changes nothing.
async fn hold(door: &Door, turn: &Turn, sid: &str) -> sqlx::Result<Document> {
    let (config, now) = (door.config.load_full(), door.clock.now());
    let mut tx = door.db.read().await?;
    let Some(call) = store::peek(&mut tx, &turn.carrier, sid).await? else { return Ok(Document::hang_up()) };
    let own = own(&mut tx, &call).await?;
    Ok(script::hold(live::hold(&call, own.as_ref(), now), language(&config, &call)))
}

/// An engineer answered the queue: the two talk in a moment.
async fn connected(door: &Door, turn: &Turn, sid: &str) -> sqlx::Result<Document> {
    let (config, now) = (door.config.load_full(), door.clock.now());
    let mut tx = door.db.begin().await?;
    let Some(before) = store::by_sid(&mut tx, &turn.carrier, sid).await? else { return Ok(Document::hang_up()) };
    let outcome = live::connected(before.clone(), now);
    let call = carry_out(door, tx, &before, outcome, now).await?;
    Ok(script::connected(language(&config, &call)))
}

fn language<'a>(config: &'a Config, call: &CallRecord) -> &'a str {
    report::hotline(config, call).map_or(LANGUAGE, |hotline| &hotline.language)
}

pub(super) async fn call_ended(door: &Door, receipt: Receipt) -> Result<(), Unavailable> {
    let over = receipt.channel == Channel::Voice && receipt.status.is_some_and(|status| status.is_final());
    if !over {
        return Ok(());
    }
    close(door, &receipt.carrier, &sid(&receipt.sid)?).await?;
    Ok(())
}

pub(super) async fn recording(door: &Door, recording: Recording) -> Result<(), Unavailable> {
    let now = door.clock.now();
    let mut tx = door.db.begin().await?;
    let Some(before) = store::by_sid(&mut tx, &recording.carrier, &sid(&recording.call_sid)?).await? else {
        return Ok(());
    };
    let n = recording.query.iter().find(|(key, _)| key == "n").and_then(|(_, value)| value.parse().ok());
    let outcome = conversation::recorded(before.clone(), n, recording.url.as_deref(), recording.transcript.as_deref());
    carry_out(door, tx, &before, outcome, now).await?;
    Ok(())
}

pub(super) async fn sweep(door: &Door) -> sqlx::Result<usize> {
    let now = door.clock.now();
    let mut tx = door.db.read().await?;
    let lost = store::lost(&mut tx, now - TimeDelta::minutes(LOST_MINUTES), SWEEP).await?;
    drop(tx);
    let mut closed = 0;
    for (carrier, sid) in lost {
        match retried(|| close(door, &carrier, &sid)).await {
            Ok(news) => closed += usize::from(news),
            // The next one may be somebody who waits for a callback.
            Err(error) => tracing::error!(carrier, %error, "a lost call cannot be closed; it is tried again"),
        }
    }
    retried(|| async {
        let mut tx = door.db.begin().await?;
        store::forget_wrong_pins(&mut tx, now - TimeDelta::days(1)).await?;
        tx.commit().await
    })
    .await?;
    Ok(closed)
}

/// The call is over. Answers whether that was news.
async fn close(door: &Door, carrier: &str, sid: &str) -> sqlx::Result<bool> {
    let (config, now) = (door.config.load_full(), door.clock.now());
    let mut tx = door.db.begin().await?;
    let Some(before) = store::by_sid(&mut tx, carrier, sid).await? else {
        tracing::info!(carrier, "a call ended that never reached a hotline");
        return Ok(false);
    };
    let facts = facts(&mut tx, &config, &before, Pin::Nobody, now).await?;
    let outcome = conversation::hung_up(before.clone(), &facts);
    let news = outcome.call != before;
    carry_out(door, tx, &before, outcome, now).await?;
    Ok(news)
}

/// A call at its first ring.
fn first_ring(config: &Config, turn: &Turn, sid: &str, now: Time) -> CallRecord {
    let dialled = E164::parse(&turn.to).ok();
    let hotline = dialled.as_ref().and_then(|number| config.hotline_at(number));
    let caller = bounded(&turn.from, CALLER_LENGTH);
    let customer = E164::parse(&caller).ok().and_then(|number| config.customer_at(&number));
    let mut call = CallRecord {
        id: id::fresh("cal").into(),
        carrier: turn.carrier.clone(),
        sid: sid.into(),
        hotline: hotline.or_else(|| config.hotlines.values().next()).map(|hotline| hotline.key.clone()),
        customer: customer.map(|customer| customer.key.clone()),
        verified: false,
        incident: None,
        started_at: now,
        ended_at: None,
        answers: Default::default(),
        caller,
    };
    if hotline.is_none() {
        call.note("Dialled a number that is none of our hotlines.");
    }
    if number::caller_id(&call.caller).is_none() {
        call.note("The caller's number is hidden, or none that can be called.");
    }
    call
}

/// What the conversation may look at beside the call.
async fn facts<'a>(tx: &mut Tx, config: &'a Config, call: &CallRecord, pin: Pin, now: Time) -> sqlx::Result<Facts<'a>> {
    let pin_of = if let Pin::Of(customer) = &pin { Some(customer.clone()) } else { None };
    let undecided = call.incident.is_none();
    let customer = call.customer.clone().or_else(|| pin_of.clone());
    let open = if undecided { open_of(tx, customer.as_ref()).await? } else { Vec::new() };
    let idle = if undecided && open.is_empty() { idle_of(tx, customer.as_ref(), now).await? } else { None };
    let own = if let Some((_, Step::Wait)) = call.current() { own(tx, call).await? } else { None };
    let flood = if undecided { flood(tx, call, now).await? } else { None };
    let pin_locked = pin == Pin::Unchecked || (call.customer.is_none() && pin::locked(tx, call, now).await?);
    Ok(Facts { config, now, open, idle, own, pin_locked, pin_of, flood })
}

/// The open incidents of a customer, gravest first, of the same priority the newest first.
async fn open_of(tx: &mut Tx, customer: Option<&CustomerKey>) -> sqlx::Result<Vec<Summary>> {
    let Some(customer) = customer else { return Ok(Vec::new()) };
    let mut open: Vec<Summary> = incident::store::open_of(tx, customer).await?.iter().map(Summary::of).collect();
    open.sort_by_key(|summary| summary.priority);
    Ok(open)
}

/// The newest incident of a customer that was closed lately because they did not answer.
async fn idle_of(tx: &mut Tx, customer: Option<&CustomerKey>, now: Time) -> sqlx::Result<Option<Summary>> {
    let Some(customer) = customer else { return Ok(None) };
    let filter = incident::store::Filter { customer: Some(customer.clone()), limit: LATELY, ..Default::default() };
    let late = |closed: &incident::Incident| closed.closed_at.is_some_and(|at| now - at < IDLE_LATELY);
    let newest = incident::store::list(tx, &filter).await?.into_iter().find(late);
    Ok(newest.filter(|closed| closed.phase == incident::Phase::Idle).as_ref().map(Summary::of))
}

/// A call's own incident as it is now.
async fn own(tx: &mut Tx, call: &CallRecord) -> sqlx::Result<Option<Summary>> {
    let Some(id) = &call.incident else { return Ok(None) };
    Ok(incident::store::load(tx, id).await?.as_ref().map(Summary::of))
}

/// The open incident that the next one of this caller is added to, if there were too many lately. Callers who hide
/// their number cannot be told apart, so this never holds for them: two of them may have two troubles.
async fn flood(tx: &mut Tx, call: &CallRecord, now: Time) -> sqlx::Result<Option<Summary>> {
    if number::caller_id(&call.caller).is_none() {
        return Ok(None);
    }
    let since = now - TimeDelta::minutes(FLOOD_MINUTES);
    let ids = store::incidents_since(tx, call, since, 4 * FLOOD_INCIDENTS as i64).await?;
    if ids.len() < FLOOD_INCIDENTS {
        return Ok(None);
    }
    for id in &ids {
        if let Some(incident) = incident::store::load(tx, id).await?
            && incident.phase == incident::Phase::Open
        {
            return Ok(Some(Summary::of(&incident)));
        }
    }
    Ok(None)
}

/// Carries out what was decided, saves the call, commits, and rings the bell. Answers the call as it is then.
async fn carry_out(
    door: &Door,
    mut tx: Tx,
    before: &CallRecord,
    outcome: Outcome,
    now: Time,
) -> sqlx::Result<CallRecord> {
    let Outcome { mut call, doings, .. } = outcome;
    if call == *before && doings.is_empty() {
        return Ok(call);
    }
    for doing in doings {
        match doing {
            Doing::WrongPin => store::add_wrong_pin(&mut tx, &call, now).await?,
            Doing::Open(report) => open(door, &mut tx, &mut call, report).await?,
            Doing::Tell { incident, commands, otherwise } => {
                tell(door, &mut tx, &mut call, incident, commands, otherwise).await?;
            }
            Doing::Add(command) => {
                if let Some(id) = call.incident.clone() {
                    execute(door, &mut tx, &mut call, &id, command).await?;
                }
            }
        }
    }
    store::save(&mut tx, &call).await?;
    tx.commit().await?;
    door.bell.ring();
    Ok(call)
}

async fn open(door: &Door, tx: &mut Tx, call: &mut CallRecord, mut report: Box<Report>) -> sqlx::Result<()> {
    let id = IncidentId::from(id::fresh("inc"));
    report.reference = door.free_reference(tx).await?;
    call.answers.opened = true;
    call.incident = Some(id.clone());
    if execute(door, tx, call, &id, Command::Report(report)).await? {
        return Ok(());
    }
    // Nothing can be refused in a report we made; if it is, the caller must not be told that all is well.
    Err(sqlx::Error::Protocol("a report by phone was refused".into()))
}

async fn tell(
    door: &Door,
    tx: &mut Tx,
    call: &mut CallRecord,
    incident: IncidentId,
    commands: Vec<Command>,
    otherwise: Box<Report>,
) -> sqlx::Result<()> {
    let mut told = false;
    for command in commands {
        told |= execute(door, tx, call, &incident, command).await?;
    }
    if !told && call.incident.as_ref() == Some(&incident) {
        call.note("The incident this call was about was closed just then.");
        open(door, tx, call, otherwise).await?;
    }
    Ok(())
}

/// Answers whether the incident took it.
async fn execute(
    door: &Door,
    tx: &mut Tx,
    call: &mut CallRecord,
    id: &IncidentId,
    command: Command,
) -> sqlx::Result<bool> {
    match door.execute_in(tx, id, command).await {
        Ok(incident) => {
            if call.incident.as_ref() == Some(id) {
                call.answers.incident = Some(Summary::of(&incident));
            }
            Ok(true)
        }
        Err(DoorError::Refused(refusal)) => {
            tracing::info!(incident = %id, %refusal, "an incident did not take what a caller told; the call keeps it");
            Ok(false)
        }
        Err(DoorError::Database(error)) => Err(error),
    }
}

/// What the caller did; `None` for a call that just came in.
fn input(turn: &Turn) -> Option<Input> {
    let step = turn.path.trim_matches('/').strip_prefix("voice/")?;
    let n = turn.param("n")?.parse().ok()?;
    Some(Input {
        step: bounded(step, 20),
        n,
        keys: turn.digits.as_deref().map(|keys| bounded(keys, 32)),
        recording: turn.recording_url.clone(),
        bridged: turn.waited.is_some_and(|waited| waited.bridged),
    })
}

fn sid(sid: &str) -> Result<String, Unavailable> {
    if sid.is_empty() || sid.len() > SID_LENGTH {
        return Err(Unavailable::because("the carrier gave the call no id we can keep"));
    }
    Ok(sid.into())
}
