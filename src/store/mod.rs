//! The two databases as one. SQL is written once, with `$n` parameters; only claiming, notifying and DDL differ.
//!
//! SQLite (the default): WAL, `synchronous = full`, read-only readers, and one writing connection whose transactions
//! share commits under load ([`sqlite::Writer`]). PostgreSQL: read committed, one pool, and [`retry`] for transactions
//! that stand in each other's way.

pub mod backup;
mod postgres;
pub mod retry;
pub mod sqlite;
pub mod wire;

pub use postgres::Place;

use chrono::TimeDelta;
use sqlx::{PgPool, Postgres, SqlitePool, Transaction, migrate::Migrator};

use crate::clock::Clock;

/// A statement, as text. Nearly every one is the same on both databases.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

impl Sql {
    /// One text for both.
    pub const fn same(text: &'static str) -> Self {
        Sql { sqlite: text, postgres: text }
    }
}

/// A database, open.
#[derive(Clone, Debug)]
pub enum Db {
    Sqlite { write: sqlite::Writer, read: SqlitePool },
    Postgres(PgPool),
}

/// A transaction on either. Dropped without [`Tx::commit`], it is rolled back.
#[derive(Debug)]
pub enum Tx {
    Sqlite(sqlite::Transaction),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs the same expression on whichever transaction is open: `on!(tx, STATEMENT, |c, sql| sqlx::query(sql)…)`.
#[macro_export]
macro_rules! on {
    ($tx:expr, $sql:expr, |$c:ident, $text:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => {
                let $c = &mut **tx;
                let $text: &'static str = $sql.sqlite;
                $body
            }
            $crate::store::Tx::Postgres(tx) => {
                let $c = &mut **tx;
                let $text: &'static str = $sql.postgres;
                $body
            }
        }
    };
}

impl Db {
    /// Opens `sqlite:PATH` (made if it is not there) or `postgres://…`, and brings its tables up to date. What an error
    /// says holds no password.
    pub async fn open(url: &str) -> anyhow::Result<Db> {
        match url.strip_prefix("sqlite:") {
            Some(path) => sqlite::open(path.trim_start_matches("//")).await,
            None if is_postgres(url) => postgres::open(url).await,
            None => anyhow::bail!(
                "database `{}` is not supported; write `sqlite:PATH` or `postgres://USER@HOST/NAME`",
                url.split(':').next().unwrap_or_default()
            ),
        }
    }

    /// Whether no other process can be at work on it: what was leased before this one began is nobody's.
    pub fn is_ours_alone(&self) -> bool {
        matches!(self, Db::Sqlite { .. })
    }

    /// How far a clock is ahead of the database server's. `None`: there is no server, or it takes too long to ask.
    pub async fn clock_ahead(&self, clock: &Clock) -> sqlx::Result<Option<TimeDelta>> {
        match self {
            Db::Sqlite { .. } => Ok(None),
            Db::Postgres(pool) => postgres::clock_ahead(pool, clock).await,
        }
    }

    /// A transaction that may write.
    pub async fn begin(&self) -> sqlx::Result<Tx> {
        match self {
            Db::Sqlite { write, .. } => Ok(Tx::Sqlite(write.begin().await?)),
            Db::Postgres(pool) => {
                Ok(Tx::Postgres(pool.begin_with("begin isolation level read committed read write").await?))
            }
        }
    }

    /// A transaction that only reads, and sees one moment.
    pub async fn read(&self) -> sqlx::Result<Tx> {
        match self {
            Db::Sqlite { read, .. } => Ok(Tx::Sqlite(sqlite::Transaction::reading(read).await?)),
            Db::Postgres(pool) => {
                Ok(Tx::Postgres(pool.begin_with("begin isolation level repeatable read read only").await?))
            }
        }
    }

    /// Waits for what is running and closes.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

/// Migrations, run by a binary that may be older than its database: while a new release is rolled out, and when one is
/// taken back. What a later release added is no harm to this one; what it took away is, and then this one does not start.
struct Lenient(Migrator);

/// The last migration that took something away.
const CONTRACTED: &str = "select max(migration) from contracted";

impl Lenient {
    fn of(mut migrator: Migrator) -> Self {
        migrator.set_ignore_missing(true);
        Lenient(migrator)
    }

    /// Refuses a database from which a migration that this binary does not know took something away.
    fn check(&self, contracted: Option<i64>) -> anyhow::Result<()> {
        let newest = self.0.iter().map(|migration| migration.version).max().unwrap_or_default();
        match contracted.filter(|contracted| *contracted > newest) {
            Some(contracted) => anyhow::bail!(
                "the database is of a later release (its tables were reduced by migration {contracted}, and this one knows \
                 {newest}); start that release, or restore an earlier backup"
            ),
            None => Ok(()),
        }
    }
}

/// Whether this is the address of a PostgreSQL database.
pub fn is_postgres(url: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme))
}

impl Tx {
    /// Makes it durable.
    pub async fn commit(self) -> sqlx::Result<()> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres(tx) => tx.commit().await,
        }
    }
}
