//! The page outbox in the database.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Serialize, de::DeserializeOwned};

use super::{Attempt, Outcome, Purpose, Stage, draft};
use crate::{
    access::Links,
    carrier::Receipt,
    clock::Time,
    config::Config,
    id::{AttemptId, IncidentId, PageId, PersonKey},
    incident::{Effect, Incident},
    on,
    people::{Channel, E164, Person},
    sla::Priority,
    store::{Sql, Tx},
};

/// How long a reply code is not given out again.
const CODE_REST: TimeDelta = TimeDelta::hours(48);

/// Every column by its name: PostgreSQL refuses a prepared `select *` from the moment a later release adds a column.
macro_rules! columns {
    () => {
        "id, page_id, incident_id, purpose, priority, person, channel, address, position, stage, outcome, cancelled, body, \
         reply_code, carrier, sid, status, error_code, reason, tries, sends, leased_by, wake_at, created_at, sent_at, \
         answered_at, ended_at, expires_at"
    };
}

const INSERT: Sql = Sql::same(
    "insert into attempts (id, page_id, incident_id, purpose, priority, person, channel, address, position, stage, \
     outcome, cancelled, body, reply_code, reason, wake_at, created_at, expires_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
);
const LOAD: Sql = Sql {
    sqlite: concat!("select ", columns!(), " from attempts where id = $1"),
    postgres: concat!("select ", columns!(), " from attempts where id = $1 for update"),
};
const LOCK_INCIDENT: Sql = Sql {
    sqlite: "select id from attempts where id = $1",
    postgres: "select id from incidents where id = (select incident_id from attempts where attempts.id = $1) \
               for no key update",
};
const SAVE: Sql = Sql::same(
    "update attempts set stage = $1, outcome = $2, cancelled = $3, channel = $4, address = $5, carrier = $6, \
     sid = $7, status = $8, error_code = $9, reason = $10, sends = $11, leased_by = $12, wake_at = $13, \
     sent_at = $14, answered_at = $15, ended_at = $16 where id = $17 and tries = $18",
);
const OF_PAGE: Sql =
    Sql::same(concat!("select ", columns!(), " from attempts where page_id = $1 order by position, id"));
const OF_INCIDENT: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from attempts where incident_id = $1 order by created_at, position, id"
));
const CLAIM: Sql = Sql {
    sqlite: concat!(
        "with due as materialized (select id from attempts where wake_at <= $1 and priority >= $2 \
             and priority <= $3 and id not in (select value from json_each($4)) order by priority, wake_at limit $5) \
             update attempts set wake_at = $6, leased_by = $7, tries = tries + 1 \
             where id in (select id from due) returning ",
        columns!()
    ),
    postgres: concat!(
        "with due as materialized (select id from attempts where wake_at <= $1 and priority >= $2 \
               and priority <= $3 and id not in (select json_array_elements_text(cast($4 as json))) \
               order by priority, wake_at limit $5 for update skip locked) \
               update attempts set wake_at = $6, leased_by = $7, tries = tries + 1 \
               where id in (select id from due) returning ",
        columns!()
    ),
};
const RELEASE: Sql = Sql::same("update attempts set wake_at = $1, leased_by = null where leased_by is not null");
/// Waits for no row while it holds another.
const RELEASE_OF: Sql = Sql {
    sqlite: "update attempts set wake_at = $1, leased_by = null where leased_by = $2",
    postgres: "update attempts set wake_at = $1, leased_by = null \
               where id in (select id from attempts where leased_by = $2 for update skip locked)",
};
const NEXT_WAKE: Sql = Sql {
    sqlite: "select min(wake_at) from attempts where wake_at is not null \
             and id not in (select value from json_each($1))",
    postgres: "select min(wake_at) from attempts where wake_at is not null \
               and id not in (select json_array_elements_text(cast($1 as json)))",
};
const PENDING: Sql = Sql::same(
    "select count(*) from attempts where wake_at is not null and stage in ('waiting', 'sending') \
     and purpose <> 'heartbeat'",
);
/// Codes and calls to the customer are asked for; what they use up must not be missing for a page.
const RECENT: Sql = Sql::same(
    "select sent_at from attempts where address = $1 and channel = $2 and sent_at > $3 and id <> $4 \
     and purpose not in ('code', 'callback') order by sent_at desc limit 100",
);
const HASTEN: Sql = Sql::same("update attempts set wake_at = $1 where id = $2 and stage = 'waiting' and wake_at > $1");
const CANCEL_WAITING: Sql = Sql::same(
    "update attempts set stage = 'over', outcome = 'cancelled', cancelled = $1, wake_at = null, ended_at = $2 \
     where page_id = $3 and stage = 'waiting'",
);
const FLAG_GONE: Sql = Sql::same(
    "update attempts set cancelled = $1 where page_id = $2 \
     and (stage in ('sending', 'hanging_up') or (stage = 'sent' and channel = 'sms'))",
);
const HANG_UP: Sql = Sql::same(
    "update attempts set stage = 'hanging_up', cancelled = $1, wake_at = $2 \
     where page_id = $3 and stage = 'sent' and channel = 'voice'",
);
/// Each part by an index of its own: it takes no longer the more pages there ever were.
const TAKEN_CODES: Sql = Sql::same(
    "select reply_code from attempts where address = $1 and created_at > $3 and reply_code is not null \
     union select reply_code from attempts where person = $2 and created_at > $3 and reply_code is not null \
     union select attempts.reply_code from incidents join attempts on attempts.incident_id = incidents.id \
     where incidents.phase = 'open' and incidents.opened_at <= $3 and attempts.reply_code is not null \
     and (attempts.address = $1 or attempts.person = $2)",
);
const PAGES_AT: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from attempts where id in ( \
     select id from attempts where address = $1 and created_at > $3 and purpose = 'page' \
     union select id from attempts where person = $2 and created_at > $3 and purpose = 'page' \
     union select attempts.id from incidents join attempts on attempts.incident_id = incidents.id \
     where incidents.phase = 'open' and incidents.opened_at <= $3 and attempts.purpose = 'page' \
     and (attempts.address = $1 or attempts.person = $2)) order by created_at desc, id desc limit 400"
));
const KEEP_RECEIPT: Sql = Sql::same(
    "insert into receipts (carrier, sid, attempt_id, status, error_code, received_at) \
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
);
const UNANSWERED_SINCE: Sql = Sql::same(
    "select incidents.opened_at from incidents where incidents.id = $1 and not exists (select 1 from attempts \
     where attempts.incident_id = incidents.id and attempts.purpose = 'page' and attempts.id <> $2 \
     and attempts.sid is not null)",
);
const KNOWN_REPLY: Sql = Sql::same("select answer from replies where carrier = $1 and sid = $2");
const KEEP_REPLY: Sql = Sql::same(
    "insert into replies (carrier, sid, address, verdict, answer, received_at) \
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
);
const PASSIVE_REPLIES: Sql = Sql::same(
    "select count(*) from replies where address = $1 and received_at > $2 and verdict <> 'acted' \
     and answer is not null",
);
const WRITTEN_TO: Sql = Sql::same(
    "select distinct incident_id from attempts where address = $1 and channel = 'sms' and purpose = 'customer' \
     and created_at > $2 and incident_id is not null order by incident_id desc limit 20",
);
const REPLIES_SINCE: Sql = Sql::same("select count(*) from replies where address = $1 and received_at > $2");
const LAST_WORD_ON_TEXTS: Sql = Sql::same(
    "select verdict from replies where address = $1 and verdict in ('stop', 'start') \
     order by received_at desc limit 1",
);

/// A row as it is kept.
#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    page_id: Option<String>,
    incident_id: Option<String>,
    purpose: Purpose,
    priority: String,
    person: Option<String>,
    channel: String,
    address: String,
    position: i64,
    stage: Stage,
    outcome: Option<Outcome>,
    cancelled: bool,
    body: Option<String>,
    reply_code: Option<String>,
    carrier: Option<String>,
    sid: Option<String>,
    status: Option<String>,
    error_code: Option<String>,
    reason: Option<String>,
    tries: i64,
    sends: i64,
    leased_by: Option<String>,
    wake_at: Option<Time>,
    created_at: Time,
    sent_at: Option<Time>,
    answered_at: Option<Time>,
    ended_at: Option<Time>,
    expires_at: Time,
}

impl TryFrom<Row> for Attempt {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let bad = |what: &str| sqlx::Error::Decode(format!("attempt {}: bad {what}", row.id).into());
        Ok(Attempt {
            priority: row.priority.parse().map_err(|_| bad("priority"))?,
            channel: unword(&row.channel).ok_or_else(|| bad("channel"))?,
            address: E164::parse(&row.address).map_err(|_| bad("address"))?,
            status: row.status.as_deref().map(|text| unword(text).ok_or_else(|| bad("status"))).transpose()?,
            id: row.id.into(),
            page: row.page_id.map(Into::into),
            incident: row.incident_id.map(Into::into),
            purpose: row.purpose,
            person: row.person.map(Into::into),
            stage: row.stage,
            outcome: row.outcome,
            cancelled: row.cancelled,
            position: row.position,
            body: row.body,
            reply_code: row.reply_code,
            carrier: row.carrier.map(Into::into),
            sid: row.sid,
            error_code: row.error_code,
            reason: row.reason,
            tries: row.tries,
            sends: row.sends,
            leased_by: row.leased_by,
            wake_at: row.wake_at,
            created_at: row.created_at,
            sent_at: row.sent_at,
            answered_at: row.answered_at,
            ended_at: row.ended_at,
            expires_at: row.expires_at,
        })
    }
}

/// A unit variant's name as serde writes it.
fn word<T: Serialize>(value: T) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(Into::into)
}

fn unword<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(text.into()).ok()
}

fn attempts(rows: Vec<Row>) -> sqlx::Result<Vec<Attempt>> {
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Writes down what `decide` wants done, in the transaction of its events: attempts to make, attempts to cancel.
pub async fn carry_out(
    tx: &mut Tx,
    incident: &Incident,
    effects: &[Effect],
    config: &Config,
    links: Option<&Links>,
    now: Time,
) -> sqlx::Result<()> {
    for effect in effects {
        match effect {
            Effect::Page(page) => {
                let mut taken = BTreeSet::new();
                for step in &page.steps {
                    taken.extend(taken_codes(tx, &step.address, &page.person, now).await?);
                }
                let code = draft::reply_code(&PageId::of(&incident.id, page.number), &taken);
                for attempt in draft::page(incident, page, code.as_deref(), links, config, now) {
                    insert(tx, &attempt).await?;
                }
            }
            Effect::EndPages { pages } => {
                for number in pages {
                    end_page(tx, &PageId::of(&incident.id, *number), now).await?;
                }
            }
            Effect::TellCustomer { text } => {
                if let Some(attempt) = draft::to_customer(incident, text, links, now) {
                    insert(tx, &attempt).await?;
                }
            }
            Effect::Tell { person, text } => {
                let person = config.people.get(person);
                if let Some(attempt) = person.and_then(|person| draft::to_person(incident, person, text, now)) {
                    insert(tx, &attempt).await?;
                }
            }
            // Has an outbox of its own.
            Effect::Mail(_) => {}
        }
    }
    Ok(())
}

/// A page that only shows that it arrives: a text and a call to the person's first lines for them.
pub async fn test_page(tx: &mut Tx, person: &Person, now: Time) -> sqlx::Result<Vec<AttemptId>> {
    let drafts = draft::test(person, now);
    for attempt in &drafts {
        insert(tx, attempt).await?;
    }
    Ok(drafts.into_iter().map(|attempt| attempt.id).collect())
}

/// Adds a row.
pub async fn insert(tx: &mut Tx, attempt: &Attempt) -> sqlx::Result<()> {
    on!(tx, INSERT, |c, sql| sqlx::query(sql)
        .bind(attempt.id.as_str())
        .bind(attempt.page.as_ref().map(|page| page.as_str()))
        .bind(attempt.incident.as_ref().map(|incident| incident.as_str()))
        .bind(attempt.purpose)
        .bind(attempt.priority.to_string())
        .bind(attempt.person.as_ref().map(|person| person.as_str()))
        .bind(attempt.channel.as_str())
        .bind(attempt.address.as_str())
        .bind(attempt.position)
        .bind(attempt.stage)
        .bind(attempt.outcome)
        .bind(attempt.cancelled)
        .bind(&attempt.body)
        .bind(&attempt.reply_code)
        .bind(&attempt.reason)
        .bind(attempt.wake_at)
        .bind(attempt.created_at)
        .bind(attempt.expires_at)
        .execute(c)
        .await
        .map(|_| ()))
}

/// The attempt, locked until the transaction ends.
pub async fn load(tx: &mut Tx, id: &AttemptId) -> sqlx::Result<Option<Attempt>> {
    on!(tx, LOAD, |c, sql| sqlx::query_as::<_, Row>(sql).bind(id.as_str()).fetch_optional(c).await)?
        .map(TryInto::try_into)
        .transpose()
}

/// The attempt, locked after its incident: whoever acts on an incident locks in this order too, so that an
/// acknowledgement and a receipt do not wait for each other.
pub async fn load_in_order(tx: &mut Tx, id: &AttemptId) -> sqlx::Result<Option<Attempt>> {
    on!(tx, LOCK_INCIDENT, |c, sql| sqlx::query(sql).bind(id.as_str()).fetch_optional(c).await.map(drop))?;
    load(tx, id).await
}

/// Writes back what changed, under the fence: false when somebody claimed it since it was loaded.
pub async fn save(tx: &mut Tx, attempt: &Attempt) -> sqlx::Result<bool> {
    let saved = on!(tx, SAVE, |c, sql| sqlx::query(sql)
        .bind(attempt.stage)
        .bind(attempt.outcome)
        .bind(attempt.cancelled)
        .bind(attempt.channel.as_str())
        .bind(attempt.address.as_str())
        .bind(attempt.carrier.as_ref().map(|carrier| carrier.as_str()))
        .bind(&attempt.sid)
        .bind(attempt.status.and_then(word))
        .bind(&attempt.error_code)
        .bind(&attempt.reason)
        .bind(attempt.sends)
        .bind(&attempt.leased_by)
        .bind(attempt.wake_at)
        .bind(attempt.sent_at)
        .bind(attempt.answered_at)
        .bind(attempt.ended_at)
        .bind(attempt.id.as_str())
        .bind(attempt.tries)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(saved == 1)
}

/// All attempts of a page, by their place.
pub async fn of_page(tx: &mut Tx, page: &PageId) -> sqlx::Result<Vec<Attempt>> {
    attempts(on!(tx, OF_PAGE, |c, sql| sqlx::query_as(sql).bind(page.as_str()).fetch_all(c).await)?)
}

/// Everything that was sent, or will be, for an incident, oldest first.
pub async fn of_incident(tx: &mut Tx, incident: &IncidentId) -> sqlx::Result<Vec<Attempt>> {
    attempts(on!(tx, OF_INCIDENT, |c, sql| sqlx::query_as(sql).bind(incident.as_str()).fetch_all(c).await)?)
}

/// Which attempts a claim may take.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    pub node: &'a str,
    /// The gravest and the least grave priority, both included.
    pub priorities: (Priority, Priority),
    pub limit: i64,
    /// Those that this node has in hand already.
    pub except: &'a [AttemptId],
    pub lease: TimeDelta,
}

/// Leases what is due, gravest first: no other claim sees it until the lease is over.
pub async fn claim(tx: &mut Tx, claim: Claim<'_>, now: Time) -> sqlx::Result<Vec<Attempt>> {
    let rows = on!(tx, CLAIM, |c, sql| sqlx::query_as(sql)
        .bind(now)
        .bind(claim.priorities.0.to_string())
        .bind(claim.priorities.1.to_string())
        .bind(list(claim.except))
        .bind(claim.limit)
        .bind(now + claim.lease)
        .bind(claim.node)
        .fetch_all(c)
        .await)?;
    let mut claimed = attempts(rows)?;
    claimed.sort_by_key(|attempt| (attempt.priority, attempt.created_at, attempt.position));
    Ok(claimed)
}

fn list(ids: &[AttemptId]) -> String {
    serde_json::to_string(ids).unwrap_or_else(|_| "[]".into())
}

/// At boot of the only node: nobody holds a lease any more, all of it is due at once.
pub async fn release(tx: &mut Tx, now: Time) -> sqlx::Result<u64> {
    on!(tx, RELEASE, |c, sql| sqlx::query(sql).bind(now).execute(c).await.map(|done| done.rows_affected()))
}

/// Gives back what a node that stops has leased, but for what somebody is changing. Gives how many.
pub async fn release_of(tx: &mut Tx, node: &str, now: Time) -> sqlx::Result<u64> {
    on!(tx, RELEASE_OF, |c, sql| sqlx::query(sql)
        .bind(now)
        .bind(node)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}

/// When the first of all is due, but for those in hand; and how many were not handed to a carrier yet.
pub async fn next_wake(tx: &mut Tx, except: &[AttemptId]) -> sqlx::Result<(Option<Time>, i64)> {
    let next = on!(tx, NEXT_WAKE, |c, sql| sqlx::query_scalar(sql).bind(list(except)).fetch_one(c).await)?;
    let pending = on!(tx, PENDING, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?;
    Ok((next, pending))
}

/// When this number was tried on this channel since `since`, by others than `except`.
pub async fn recent(
    tx: &mut Tx,
    address: &E164,
    channel: Channel,
    since: Time,
    except: &AttemptId,
) -> sqlx::Result<Vec<Time>> {
    on!(tx, RECENT, |c, sql| sqlx::query_scalar(sql)
        .bind(address.as_str())
        .bind(channel.as_str())
        .bind(since)
        .bind(except.as_str())
        .fetch_all(c)
        .await)
}

/// Makes a waiting attempt due now.
pub async fn hasten(tx: &mut Tx, id: &AttemptId, now: Time) -> sqlx::Result<()> {
    on!(tx, HASTEN, |c, sql| sqlx::query(sql).bind(now).bind(id.as_str()).execute(c).await.map(|_| ()))
}

/// Nobody need be reached by this page any more.
async fn end_page(tx: &mut Tx, page: &PageId, now: Time) -> sqlx::Result<()> {
    let page = page.as_str();
    on!(tx, CANCEL_WAITING, |c, sql| sqlx::query(sql).bind(true).bind(now).bind(page).execute(c).await.map(|_| ()))?;
    on!(tx, FLAG_GONE, |c, sql| sqlx::query(sql).bind(true).bind(page).execute(c).await.map(|_| ()))?;
    on!(tx, HANG_UP, |c, sql| sqlx::query(sql).bind(true).bind(now).bind(page).execute(c).await.map(|_| ()))
}

/// Codes that a text from this number could mean something by.
async fn taken_codes(tx: &mut Tx, address: &E164, person: &PersonKey, now: Time) -> sqlx::Result<Vec<String>> {
    on!(tx, TAKEN_CODES, |c, sql| sqlx::query_scalar(sql)
        .bind(address.as_str())
        .bind(person.as_str())
        .bind(now - CODE_REST)
        .fetch_all(c)
        .await)
}

/// Attempts of pages that a text from this number, by this person, could mean: the newest first.
pub async fn pages_at(tx: &mut Tx, address: &E164, person: &PersonKey, now: Time) -> sqlx::Result<Vec<Attempt>> {
    attempts(on!(tx, PAGES_AT, |c, sql| sqlx::query_as(sql)
        .bind(address.as_str())
        .bind(person.as_str())
        .bind(now - CODE_REST)
        .fetch_all(c)
        .await)?)
}

/// Keeps a receipt as it came. False: it was here before.
pub async fn keep_receipt(tx: &mut Tx, receipt: &Receipt, now: Time) -> sqlx::Result<bool> {
    let said = match (receipt.status, receipt.answered_by) {
        (Some(status), None) => word(status).unwrap_or_default(),
        (status, who) => format!("{} {who:?}", status.and_then(word).unwrap_or_default()),
    };
    let kept = on!(tx, KEEP_RECEIPT, |c, sql| sqlx::query(sql)
        .bind(&receipt.carrier)
        .bind(&receipt.sid)
        .bind(receipt.attempt.as_ref().map(|attempt| attempt.as_str()))
        .bind(&said)
        .bind(&receipt.error_code)
        .bind(now)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(kept == 1)
}

/// When the incident was opened, if no page but `attempt` was taken by a carrier for it yet.
pub async fn unanswered_since(tx: &mut Tx, incident: &IncidentId, attempt: &AttemptId) -> sqlx::Result<Option<Time>> {
    on!(tx, UNANSWERED_SINCE, |c, sql| sqlx::query_scalar(sql)
        .bind(incident.as_str())
        .bind(attempt.as_str())
        .fetch_optional(c)
        .await)
}

/// What this text was answered when it came the first time: `None` if it is new, `Some(None)` if nothing.
pub async fn known_reply(tx: &mut Tx, carrier: &str, sid: &str) -> sqlx::Result<Option<Option<String>>> {
    on!(tx, KNOWN_REPLY, |c, sql| sqlx::query_scalar(sql).bind(carrier).bind(sid).fetch_optional(c).await)
}

/// A text that was handled.
#[derive(Clone, Copy, Debug)]
pub struct Handled<'a> {
    pub carrier: &'a str,
    pub sid: &'a str,
    pub address: &'a str,
    /// `acted` when something was done for it; otherwise why not.
    pub verdict: &'a str,
    pub answer: Option<&'a str>,
}

impl<'a> Handled<'a> {
    /// The owner of a number wants no more texts: `sid` is the text that said so, or the attempt whose carrier did.
    pub fn stop(carrier: &'a str, sid: &'a str, address: &'a E164) -> Self {
        Handled { carrier, sid, address: address.as_str(), verdict: STOP, answer: None }
    }
}

/// The verdict on a text that wants no more of ours, until one that wants them again ([`START`]).
pub const STOP: &str = "stop";

/// The verdict on a text that wants ours again.
pub const START: &str = "start";

/// Whether the owner of this number wants no texts from us, as far as the last word on it goes.
pub async fn refuses_texts(tx: &mut Tx, address: &E164) -> sqlx::Result<bool> {
    let word: Option<String> =
        on!(tx, LAST_WORD_ON_TEXTS, |c, sql| sqlx::query_scalar(sql).bind(address.as_str()).fetch_optional(c).await)?;
    Ok(word.as_deref() == Some(STOP))
}

/// Keeps what was made of a text.
pub async fn keep_reply(tx: &mut Tx, handled: Handled<'_>, now: Time) -> sqlx::Result<()> {
    on!(tx, KEEP_REPLY, |c, sql| sqlx::query(sql)
        .bind(handled.carrier)
        .bind(handled.sid)
        .bind(handled.address)
        .bind(handled.verdict)
        .bind(handled.answer)
        .bind(now)
        .execute(c)
        .await
        .map(|_| ()))
}

/// How many answers this number got since `since` to texts that did nothing.
pub async fn passive_replies(tx: &mut Tx, address: &str, since: Time) -> sqlx::Result<i64> {
    on!(tx, PASSIVE_REPLIES, |c, sql| sqlx::query_scalar(sql).bind(address).bind(since).fetch_one(c).await)
}

/// The incidents about which this number was written to, as a customer's, since `since`: the newest first.
pub async fn written_to(tx: &mut Tx, address: &E164, since: Time) -> sqlx::Result<Vec<IncidentId>> {
    let ids: Vec<String> =
        on!(tx, WRITTEN_TO, |c, sql| sqlx::query_scalar(sql).bind(address.as_str()).bind(since).fetch_all(c).await)?;
    Ok(ids.into_iter().map(IncidentId::from).collect())
}

/// How many texts from a number were handled since `since`.
pub async fn replies_since(tx: &mut Tx, address: &E164, since: Time) -> sqlx::Result<i64> {
    on!(tx, REPLIES_SINCE, |c, sql| sqlx::query_scalar(sql).bind(address.as_str()).bind(since).fetch_one(c).await)
}

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("insert", INSERT),
    ("load", LOAD),
    ("lock_incident", LOCK_INCIDENT),
    ("save", SAVE),
    ("of_page", OF_PAGE),
    ("of_incident", OF_INCIDENT),
    ("claim", CLAIM),
    ("release", RELEASE),
    ("release_of", RELEASE_OF),
    ("next_wake", NEXT_WAKE),
    ("pending", PENDING),
    ("recent", RECENT),
    ("hasten", HASTEN),
    ("cancel_waiting", CANCEL_WAITING),
    ("flag_gone", FLAG_GONE),
    ("hang_up", HANG_UP),
    ("taken_codes", TAKEN_CODES),
    ("pages_at", PAGES_AT),
    ("keep_receipt", KEEP_RECEIPT),
    ("unanswered_since", UNANSWERED_SINCE),
    ("known_reply", KNOWN_REPLY),
    ("keep_reply", KEEP_REPLY),
    ("passive_replies", PASSIVE_REPLIES),
    ("last_word_on_texts", LAST_WORD_ON_TEXTS),
    ("written_to", WRITTEN_TO),
    ("replies_since", REPLIES_SINCE),
];
