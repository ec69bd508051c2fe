//! The two databases as one. SQL is written once, with `$n` parameters; only claiming, notifying and DDL differ.
//!
//! SQLite (the default): WAL, `synchronous = full`, one writing connection, read-only readers, and
//! `BEGIN IMMEDIATE` for everything that writes.

use std::{path::Path, time::Duration};

use anyhow::Context;
use sqlx::{
    PgPool, Postgres, Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

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
    Sqlite { write: SqlitePool, read: SqlitePool },
    Postgres(PgPool),
}

/// A transaction on either. Dropped without [`Tx::commit`], it is rolled back.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
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
    /// Opens `sqlite:PATH` (made if it is not there) and brings its tables up to date.
    pub async fn open(url: &str) -> anyhow::Result<Db> {
        let path = url.strip_prefix("sqlite:").with_context(|| {
            format!("database `{}` is not supported; write `sqlite:PATH`", url.split(':').next().unwrap_or_default())
        })?;
        let path = path.trim_start_matches("//");
        if let Some(folder) = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the database's folder {}", folder.display()))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true);
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.clone())
            .await
            .with_context(|| {
                format!("cannot open the database {path}; may this user write to it and to its folder?")
            })?;
        sqlx::migrate!("migrations/sqlite")
            .run(&write)
            .await
            .context("cannot bring the database's tables up to date")?;
        let read = SqlitePoolOptions::new()
            .max_connections(4)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.create_if_missing(false).read_only(true))
            .await
            .with_context(|| format!("cannot open the database {path} for reading"))?;
        Ok(Db::Sqlite { write, read })
    }

    /// A transaction that may write.
    pub async fn begin(&self) -> sqlx::Result<Tx> {
        match self {
            Db::Sqlite { write, .. } => Ok(Tx::Sqlite(write.begin_with("begin immediate").await?)),
            Db::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await?)),
        }
    }

    /// A transaction that only reads, and sees one moment.
    pub async fn read(&self) -> sqlx::Result<Tx> {
        match self {
            Db::Sqlite { read, .. } => Ok(Tx::Sqlite(read.begin().await?)),
            Db::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await?)),
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

impl Tx {
    /// Makes it durable.
    pub async fn commit(self) -> sqlx::Result<()> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres(tx) => tx.commit().await,
        }
    }
}
