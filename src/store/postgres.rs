//! Opening a PostgreSQL database.

use std::{str::FromStr, time::Duration};

use anyhow::{Context, bail};
use chrono::TimeDelta;
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{CONTRACTED, Db, Lenient};
use crate::clock::{Clock, Time};

/// The oldest server that is promised to work, as it numbers itself.
const OLDEST: i64 = 150_000;

/// How many connections a process opens at most: PostgreSQL's own limit is 100 for everybody together.
const CONNECTIONS: u32 = 16;

/// How long anybody waits for a connection. A sender who is told 503 soon comes again; one who waits may give up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Commits are on disk before they are answered. What is stricter (`remote_apply`) stays as it was set.
const DURABLE: &str = "select set_config('synchronous_commit', 'on', false) \
                       where current_setting('synchronous_commit') in ('off', 'local', 'remote_write')";

/// The server's own time of day, as it is now and not when the transaction began.
const TIME: &str = "select clock_timestamp()";

/// What took longer to ask than this is no measurement.
const LONGEST_ASKED: TimeDelta = TimeDelta::milliseconds(500);

const VERSION: &str = "select cast(current_setting('server_version_num') as bigint)";

/// Where a database is, as its own tools are told; without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A name, or the folder of a socket.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub name: String,
}

impl Place {
    /// Of an address; `None` when it cannot be read.
    pub fn of(url: &str) -> Option<Place> {
        let options = PgConnectOptions::from_str(url).ok()?;
        let socket = options.get_socket().map(|folder| folder.display().to_string());
        Some(Place {
            host: socket.unwrap_or_else(|| options.get_host().to_owned()),
            port: options.get_port(),
            user: options.get_username().to_owned(),
            name: options.get_database().unwrap_or(options.get_username()).to_owned(),
        })
    }
}

/// Opens the database, which must be there, and brings its tables up to date. The address is not told: it may hold a
/// password.
pub(super) async fn open(url: &str) -> anyhow::Result<Db> {
    let Ok(options) = PgConnectOptions::from_str(url) else {
        bail!("the PostgreSQL address cannot be read; write `postgres://USER:PASSWORD@HOST:PORT/NAME`");
    };
    let options = options.application_name("ringdown");
    let server = format!("{}:{}", options.get_host(), options.get_port());
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        // Asked before it is lent: a connection from before a restart of the server is replaced, not handed out.
        .test_before_acquire(true)
        .after_connect(|connection, _| Box::pin(async { sqlx::query(DURABLE).execute(connection).await.map(drop) }))
        .connect_with(limited(options.clone()))
        .await
        .with_context(|| format!("cannot open the PostgreSQL database at {server}"))?;
    check_version(&pool).await?;
    migrate(&options).await.context("cannot bring the database's tables up to date")?;
    Ok(Db::Postgres(pool))
}

/// How far a clock is ahead of the server's, as the quickest of three answers tells it, taken to have been given in the
/// middle of the asking.
pub(super) async fn clock_ahead(pool: &PgPool, clock: &Clock) -> sqlx::Result<Option<TimeDelta>> {
    let mut connection = pool.acquire().await?;
    let mut best: Option<(TimeDelta, TimeDelta)> = None;
    for _ in 0..3 {
        let before = clock.now();
        let theirs: Time = sqlx::query_scalar(TIME).fetch_one(&mut *connection).await?;
        let took = clock.now() - before;
        let ahead = before + took / 2 - theirs;
        let fine = took >= TimeDelta::zero() && took <= LONGEST_ASKED;
        if fine && best.is_none_or(|(least, _)| took < least) {
            best = Some((took, ahead));
        }
    }
    Ok(best.map(|(_, ahead)| ahead))
}

/// On a connection of its own: a change of a large table may take its time, and another node waits for it.
async fn migrate(options: &PgConnectOptions) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect_with(options).await?;
    let migrator = Lenient::of(sqlx::migrate!("migrations/postgres"));
    migrator.0.run(&mut connection).await?;
    migrator.check(sqlx::query_scalar(CONTRACTED).fetch_one(&mut connection).await?)?;
    Ok(connection.close().await?)
}

/// A transaction that a node left open, or waits in for ever, holds up the others.
fn limited(options: PgConnectOptions) -> PgConnectOptions {
    let limits = [
        ("statement_timeout", "20s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("timezone", "UTC"),
    ];
    options.options(limits)
}

async fn check_version(pool: &PgPool) -> anyhow::Result<()> {
    let version: i64 = sqlx::query_scalar(VERSION).fetch_one(pool).await?;
    if version < OLDEST {
        bail!("the server is PostgreSQL {}; Ringdown needs 15 or newer", version / 10_000);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_wrong_with_an_address_is_said_without_its_password() {
        for url in ["postgres://ann:secret@[/x", "postgres://ann:secret@127.0.0.1:1/x"] {
            let error = format!("{:#}", open(url).await.unwrap_err());
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
