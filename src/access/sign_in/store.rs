//! Tries to sign in, codes and links in the database.

use sha2::{Digest, Sha256};

use crate::{
    access::{Role, limit::Wrong},
    clock::Time,
    on,
    store::{Sql, Tx},
};

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    Password,
    /// A code was asked for.
    AskCode,
    /// A code was entered.
    Code,
    /// A browser came back from the issuer.
    Oidc,
}

/// A try to sign in.
#[derive(Clone, Copy, Debug)]
pub struct Try<'a> {
    /// The name that was given, hashed. Empty: it counts with its network alone.
    pub name: &'a str,
    pub network: &'a str,
    pub kind: Kind,
}

/// A code that was sent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Code {
    /// Also that of the attempt that carries it.
    pub id: String,
    pub person: String,
    /// E.164.
    pub address: String,
    /// `sms` or `voice`.
    pub channel: String,
    pub kind: CodeKind,
    pub created_at: Time,
    pub expires_at: Time,
}

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum CodeKind {
    SignIn,
    Proof,
}

/// A link that signs in once.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Link {
    pub person: Option<String>,
    pub name: String,
    pub role: Option<Role>,
    pub expires_at: Time,
    pub used_at: Option<Time>,
}

const GOOD: &str = "good";
const BAD: &str = "bad";

const TRIED: Sql =
    Sql::same("insert into sign_ins (id, name, network, kind, verdict, at) values ($1, $2, $3, $4, $5, $6)");
/// What comes back a second time is not tried again.
const TRIED_ONCE: Sql = Sql::same(
    "insert into sign_ins (id, name, network, kind, verdict, at) values ($1, $2, $3, $4, $5, $6) \
     on conflict (id) do nothing",
);
const IS_TRIED: Sql = Sql::same("select count(*) from sign_ins where id = $1");
const RIGHT_OF: Sql = Sql::same("update sign_ins set verdict = 'good', name = $2 where id = $1");
/// One writer needs no lock.
const LOCK: Sql = Sql { sqlite: "select $1, $2", postgres: "select pg_advisory_xact_lock($1, $2)" };
const RIGHT: Sql = Sql::same("update sign_ins set verdict = 'good' where id = $1");
const WRONG_HERE: Sql = Sql::same(
    "select count(*), max(at) from sign_ins where name = $1 and network = $2 and kind = $3 and verdict = 'bad' \
     and at > $4 and not exists (select 1 from sign_ins later where later.name = $1 and later.network = $2 \
     and later.kind = $3 and later.verdict = 'good' and later.at >= sign_ins.at)",
);
const WRONG_EVERYWHERE: Sql =
    Sql::same("select count(*), max(at) from sign_ins where name = $1 and kind = $2 and verdict = 'bad' and at > $3");
const IS_KNOWN: Sql = Sql::same(
    "select count(*) from sign_ins where name = $1 and network = $2 and verdict = 'good' and kind <> 'ask_code' \
     and at > $3",
);
const OF_NETWORK: Sql =
    Sql::same("select count(*) from sign_ins where network = $1 and kind = $2 and verdict = $3 and at > $4");
const OF_NAME: Sql = Sql::same("select count(*) from sign_ins where name = $1 and kind = $2 and at > $3");
const OF_NAME_HERE: Sql =
    Sql::same("select count(*) from sign_ins where name = $1 and network = $2 and kind = $3 and at > $4");
const INSERT_CODE: Sql = Sql::same(
    "insert into codes (id, person, address, channel, kind, network, created_at, expires_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8)",
);
/// One guess more, in one statement: of two at once, both count.
const GUESS: Sql = Sql::same(
    "update codes set guesses = guesses + 1 where id = $1 and kind = $2 and used_at is null and guesses < $3 \
     and expires_at > $4 returning id, person, address, channel, kind, created_at, expires_at",
);
const USE_CODE: Sql = Sql::same("update codes set used_at = $2 where id = $1 and used_at is null");
const USE_OTHERS: Sql = Sql::same("update codes set used_at = $3 where person = $1 and kind = $2 and used_at is null");
const INSERT_LINK: Sql =
    Sql::same("insert into links (id, person, name, role, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)");
const FIND_LINK: Sql = Sql::same("select person, name, role, expires_at, used_at from links where id = $1");
const USE_LINK: Sql = Sql::same("update links set used_at = $2 where id = $1 and used_at is null and expires_at > $2");
const PURGE_TRIES: Sql = Sql::same("delete from sign_ins where at < $1 or (verdict = 'bad' and at < $2)");
const PURGE_CODES: Sql = Sql::same("delete from codes where expires_at < $1");
const PURGE_LINKS: Sql = Sql::same("delete from links where expires_at < $1");

/// Writes down that it was tried, and whether rightly; gives its id.
pub async fn tried(tx: &mut Tx, tried: Try<'_>, good: bool, now: Time) -> sqlx::Result<String> {
    let id = crate::id::fresh("try");
    on!(tx, TRIED, |c, sql| sqlx::query(sql)
        .bind(&id)
        .bind(tried.name)
        .bind(tried.network)
        .bind(tried.kind)
        .bind(if good { GOOD } else { BAD })
        .bind(now)
        .execute(c)
        .await
        .map(drop))?;
    Ok(id)
}

/// What the locks are of. Whoever takes both takes them in this order, so that no two wait for each other.
const LOCKS_OF_NAMES: i32 = 1;
const LOCKS_OF_NETWORKS: i32 = 2;

/// Waits for the transactions that count tries with this name or from this network, and keeps later ones waiting until
/// this one is over: what is counted then is all there is. Belongs to the beginning of a transaction.
pub async fn lock(tx: &mut Tx, tried: Try<'_>) -> sqlx::Result<()> {
    for (locks, text) in [(LOCKS_OF_NAMES, tried.name), (LOCKS_OF_NETWORKS, tried.network)] {
        let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(text.as_bytes()));
        let number = i32::from_be_bytes([a, b, c, d]);
        if !text.is_empty() {
            on!(&mut *tx, LOCK, |c, sql| sqlx::query(sql).bind(locks).bind(number).execute(c).await.map(drop))?;
        }
    }
    Ok(())
}

/// Writes down a wrong try of this id. False: there was one already.
pub async fn tried_once(tx: &mut Tx, id: &str, tried: Try<'_>, now: Time) -> sqlx::Result<bool> {
    let written = on!(tx, TRIED_ONCE, |c, sql| sqlx::query(sql)
        .bind(id)
        .bind(tried.name)
        .bind(tried.network)
        .bind(tried.kind)
        .bind(BAD)
        .bind(now)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(written == 1)
}

/// Whether there was a try of this id.
pub async fn is_tried(tx: &mut Tx, id: &str) -> sqlx::Result<bool> {
    let count: i64 = on!(tx, IS_TRIED, |c, sql| sqlx::query_scalar(sql).bind(id).fetch_one(c).await)?;
    Ok(count > 0)
}

/// It was right after all, and this hashed name's.
pub async fn right_of(tx: &mut Tx, id: &str, name: &str) -> sqlx::Result<()> {
    on!(tx, RIGHT_OF, |c, sql| sqlx::query(sql).bind(id).bind(name).execute(c).await.map(drop))
}

/// It was right after all.
pub async fn right(tx: &mut Tx, id: &str) -> sqlx::Result<()> {
    on!(tx, RIGHT, |c, sql| sqlx::query(sql).bind(id).execute(c).await.map(drop))
}

fn wrong((count, last): (i64, Option<Time>)) -> Wrong {
    Wrong { count, last }
}

/// Wrong tries with this name from this network, after the last right one.
pub async fn wrong_here(tx: &mut Tx, tried: Try<'_>, since: Time) -> sqlx::Result<Wrong> {
    on!(tx, WRONG_HERE, |c, sql| sqlx::query_as(sql)
        .bind(tried.name)
        .bind(tried.network)
        .bind(tried.kind)
        .bind(since)
        .fetch_one(c)
        .await)
    .map(wrong)
}

/// Wrong tries with this name from everywhere.
pub async fn wrong_everywhere(tx: &mut Tx, tried: Try<'_>, since: Time) -> sqlx::Result<Wrong> {
    on!(tx, WRONG_EVERYWHERE, |c, sql| sqlx::query_as(sql)
        .bind(tried.name)
        .bind(tried.kind)
        .bind(since)
        .fetch_one(c)
        .await)
    .map(wrong)
}

/// Whether somebody of this name signed in from this network since.
pub async fn is_known(tx: &mut Tx, name: &str, network: &str, since: Time) -> sqlx::Result<bool> {
    let count: i64 =
        on!(tx, IS_KNOWN, |c, sql| sqlx::query_scalar(sql).bind(name).bind(network).bind(since).fetch_one(c).await)?;
    Ok(count > 0)
}

/// How many tries of a kind from this network were right, or wrong.
pub async fn of_network(tx: &mut Tx, network: &str, kind: Kind, good: bool, since: Time) -> sqlx::Result<i64> {
    on!(tx, OF_NETWORK, |c, sql| sqlx::query_scalar(sql)
        .bind(network)
        .bind(kind)
        .bind(if good { GOOD } else { BAD })
        .bind(since)
        .fetch_one(c)
        .await)
}

/// How often something was tried with this name.
pub async fn of_name(tx: &mut Tx, name: &str, kind: Kind, since: Time) -> sqlx::Result<i64> {
    on!(tx, OF_NAME, |c, sql| sqlx::query_scalar(sql).bind(name).bind(kind).bind(since).fetch_one(c).await)
}

/// The same from one network.
pub async fn of_name_here(tx: &mut Tx, tried: Try<'_>, since: Time) -> sqlx::Result<i64> {
    on!(tx, OF_NAME_HERE, |c, sql| sqlx::query_scalar(sql)
        .bind(tried.name)
        .bind(tried.network)
        .bind(tried.kind)
        .bind(since)
        .fetch_one(c)
        .await)
}

/// Adds a code.
pub async fn insert_code(tx: &mut Tx, code: &Code, network: &str) -> sqlx::Result<()> {
    on!(tx, INSERT_CODE, |c, sql| sqlx::query(sql)
        .bind(&code.id)
        .bind(&code.person)
        .bind(&code.address)
        .bind(&code.channel)
        .bind(code.kind)
        .bind(network)
        .bind(code.created_at)
        .bind(code.expires_at)
        .execute(c)
        .await
        .map(drop))
}

/// Counts a guess at a code, and gives it if it may still be guessed.
pub async fn guess(tx: &mut Tx, id: &str, kind: CodeKind, most: i64, now: Time) -> sqlx::Result<Option<Code>> {
    on!(tx, GUESS, |c, sql| sqlx::query_as(sql).bind(id).bind(kind).bind(most).bind(now).fetch_optional(c).await)
}

/// Uses a code up, and every other of its person for the same. False: somebody was faster.
pub async fn use_code(tx: &mut Tx, code: &Code, now: Time) -> sqlx::Result<bool> {
    let used = on!(tx, USE_CODE, |c, sql| sqlx::query(sql)
        .bind(&code.id)
        .bind(now)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    on!(tx, USE_OTHERS, |c, sql| sqlx::query(sql)
        .bind(&code.person)
        .bind(code.kind)
        .bind(now)
        .execute(c)
        .await
        .map(drop))?;
    Ok(used == 1)
}

/// Adds a link, by the hash of its token.
pub async fn insert_link(tx: &mut Tx, id: &str, link: &Link, now: Time) -> sqlx::Result<()> {
    on!(tx, INSERT_LINK, |c, sql| sqlx::query(sql)
        .bind(id)
        .bind(&link.person)
        .bind(&link.name)
        .bind(link.role)
        .bind(now)
        .bind(link.expires_at)
        .execute(c)
        .await
        .map(drop))
}

/// A link by the hash of its token, whether it still holds or not.
pub async fn find_link(tx: &mut Tx, id: &str) -> sqlx::Result<Option<Link>> {
    on!(tx, FIND_LINK, |c, sql| sqlx::query_as(sql).bind(id).fetch_optional(c).await)
}

/// Uses a link up. False: it was used before, or its time is over.
pub async fn use_link(tx: &mut Tx, id: &str, now: Time) -> sqlx::Result<bool> {
    let used = on!(tx, USE_LINK, |c, sql| sqlx::query(sql)
        .bind(id)
        .bind(now)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(used == 1)
}

/// Forgets right tries before `good`, wrong ones before `bad`, and codes and links that were over before `bad`.
pub async fn purge(tx: &mut Tx, good: Time, bad: Time) -> sqlx::Result<()> {
    on!(tx, PURGE_TRIES, |c, sql| sqlx::query(sql).bind(good).bind(bad).execute(c).await.map(drop))?;
    on!(tx, PURGE_CODES, |c, sql| sqlx::query(sql).bind(bad).execute(c).await.map(drop))?;
    on!(tx, PURGE_LINKS, |c, sql| sqlx::query(sql).bind(bad).execute(c).await.map(drop))
}

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("tried", TRIED),
    ("tried_once", TRIED_ONCE),
    ("is_tried", IS_TRIED),
    ("right_of", RIGHT_OF),
    ("lock", LOCK),
    ("right", RIGHT),
    ("wrong_here", WRONG_HERE),
    ("wrong_everywhere", WRONG_EVERYWHERE),
    ("is_known", IS_KNOWN),
    ("of_network", OF_NETWORK),
    ("of_name", OF_NAME),
    ("of_name_here", OF_NAME_HERE),
    ("insert_code", INSERT_CODE),
    ("guess", GUESS),
    ("use_code", USE_CODE),
    ("use_others", USE_OTHERS),
    ("insert_link", INSERT_LINK),
    ("find_link", FIND_LINK),
    ("use_link", USE_LINK),
    ("purge_tries", PURGE_TRIES),
    ("purge_codes", PURGE_CODES),
    ("purge_links", PURGE_LINKS),
];
