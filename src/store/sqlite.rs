//! Opening an SQLite file.

use std::{path::Path, time::Duration};

use anyhow::Context;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{CONTRACTED, Db, Lenient};

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
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options.clone())
        .await
        .with_context(|| format!("cannot open the database {path}; may this user write to it and to its folder?"))?;
    let migrator = Lenient::of(sqlx::migrate!("migrations/sqlite"));
    migrator.0.run(&write).await.context("cannot bring the database's tables up to date")?;
    migrator.check(sqlx::query_scalar(CONTRACTED).fetch_one(&write).await?)?;
    let read = SqlitePoolOptions::new()
        .max_connections(4)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.create_if_missing(false).read_only(true))
        .await
        .with_context(|| format!("cannot open the database {path} for reading"))?;
    Ok(Db::Sqlite { write, read })
}
