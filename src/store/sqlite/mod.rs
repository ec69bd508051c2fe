//! An SQLite file: readers that see one moment each, and one writer.

mod writer;

use std::{
    ops::{Deref, DerefMut},
    path::Path,
    time::Duration,
};

use anyhow::Context;
use sqlx::{
    ConnectOptions, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{CONTRACTED, Db, Lenient};
pub use writer::Writer;

/// Opens the file, made if it is not there, and brings its tables up to date.
pub(super) async fn open(path: &str) -> anyhow::Result<Db> {
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
    let mut connection = options
        .connect()
        .await
        .with_context(|| format!("cannot open the database {path}; may this user write to it and to its folder?"))?;
    let migrator = Lenient::of(sqlx::migrate!("migrations/sqlite"));
    migrator.0.run(&mut connection).await.context("cannot bring the database's tables up to date")?;
    migrator.check(sqlx::query_scalar(CONTRACTED).fetch_one(&mut connection).await?)?;
    let read = SqlitePoolOptions::new()
        .max_connections(4)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone().create_if_missing(false).read_only(true))
        .await
        .with_context(|| format!("cannot open the database {path} for reading"))?;
    Ok(Db::Sqlite { write: Writer::start(options, connection), read })
}

/// A transaction on an SQLite file.
#[derive(Debug)]
pub enum Transaction {
    /// Only reads, and sees one moment.
    Reads(sqlx::Transaction<'static, sqlx::Sqlite>),
    /// May write; shares its way to the disk with others.
    Writes(writer::Loan),
}

impl Transaction {
    /// One that only reads.
    pub(super) async fn reading(pool: &SqlitePool) -> sqlx::Result<Transaction> {
        Ok(Transaction::Reads(pool.begin().await?))
    }

    /// Makes what it wrote durable.
    pub(super) async fn commit(self) -> sqlx::Result<()> {
        match self {
            Transaction::Reads(tx) => tx.commit().await,
            Transaction::Writes(loan) => loan.commit().await,
        }
    }
}

impl Deref for Transaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Transaction::Reads(tx) => tx,
            Transaction::Writes(loan) => loan,
        }
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Transaction::Reads(tx) => tx,
            Transaction::Writes(loan) => loan,
        }
    }
}
