//! An SQLite database as a file: copied while it is in use, checked, and held against every other process.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteLockingMode},
};

/// Into a file that is empty or not there.
const COPY: &str = "vacuum into $1";
const CHECK: &str = "pragma integrity_check(20)";
const TABLES: &str =
    "select count(*) from sqlite_master where name in ('incidents', 'incident_events', '_sqlx_migrations')";
const INCIDENTS: &str = "select count(*) from incidents";
const OPEN: &str = "select reference, priority, opened_at, state from incidents where phase = 'open' \
                    order by priority, opened_at";
const LAST_EVENT: &str = "select incidents.reference, incident_events.kind, incident_events.at from incident_events \
                          join incidents on incidents.id = incident_events.incident_id \
                          order by incident_events.at desc, incident_events.seq desc limit 1";
/// Brings what stands in the log beside it into the file; refused while anybody else has it open.
const FOLD: &str = "pragma journal_mode = delete";
const HOLD: &str = "begin exclusive";

/// SQLITE_BUSY and SQLITE_LOCKED, with what extends them.
const IN_USE: [i32; 2] = [5, 6];

/// How much of an incident's title is shown.
const TITLE: usize = 60;

/// What a database file holds.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    pub incidents: i64,
    /// The gravest and oldest first.
    pub open: Vec<OpenIncident>,
    /// Reference, kind and instant.
    pub last_event: Option<(String, String, DateTime<Utc>)>,
}

/// An incident that is open in it.
#[derive(Clone, Debug)]
pub struct OpenIncident {
    pub reference: String,
    pub priority: String,
    pub opened_at: DateTime<Utc>,
    pub title: String,
}

/// Copies the database, as it is at one moment, to `to`: an empty file, or none. Whoever works on it is not held up.
/// The copy is not yet on disk.
pub async fn copy(path: &Path, to: &Path) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(Duration::from_secs(10));
    let mut source = options.connect().await.with_context(|| format!("cannot open the database {}", path.display()))?;
    let name = to.to_str().context("the copy's name is not UTF-8")?;
    sqlx::query(COPY).bind(name).execute(&mut source).await.with_context(|| format!("cannot copy to {name}"))?;
    Ok(source.close().await?)
}

/// Writes down beside the database that it was copied just now, for whoever asks whether that is done.
pub fn note(database: &str, now: DateTime<Utc>) -> io::Result<()> {
    let Some(path) = beside_address(database) else { return Ok(()) };
    // Whole or not at all: a service may read it meanwhile.
    let draft = path.with_extension("last-backup.new");
    fs::write(&draft, now.to_rfc3339_opts(SecondsFormat::Secs, true))?;
    fs::rename(&draft, &path)
}

/// When the database was last copied, as [`note`] wrote it down.
pub fn last(database: &str) -> Option<DateTime<Utc>> {
    fs::read_to_string(beside_address(database)?).ok()?.trim().parse().ok()
}

/// `ringdown.db` has its note in `ringdown.last-backup`; `None` where the database is no file.
fn beside_address(database: &str) -> Option<PathBuf> {
    let path = database.strip_prefix("sqlite:")?.trim_start_matches("//");
    Some(Path::new(path).with_extension("last-backup"))
}

/// Checks a file that nobody writes to: is it sound, is it ours, and what does it hold?
pub async fn examine(path: &Path) -> anyhow::Result<Contents> {
    let shown = path.display();
    ensure!(
        !fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0),
        "{shown} has a log beside it ({shown}-wal): it is a database in use, or left by a crash, and not a backup"
    );
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    let mut file = options.connect().await.with_context(|| format!("cannot open {shown}"))?;
    let damage: Vec<String> =
        sqlx::query_scalar(CHECK).fetch_all(&mut file).await.with_context(|| format!("{shown} is damaged"))?;
    ensure!(damage == ["ok"], "{shown} is damaged: {}", damage.join("; "));
    let tables: i64 = sqlx::query_scalar(TABLES).fetch_one(&mut file).await?;
    ensure!(tables == 3, "{shown} is a database, but not one of Ringdown's");
    let rows: Vec<(String, String, DateTime<Utc>, String)> = sqlx::query_as(OPEN).fetch_all(&mut file).await?;
    let open = rows.into_iter().map(|(reference, priority, opened_at, state)| OpenIncident {
        reference,
        priority,
        opened_at,
        title: title(&state),
    });
    let contents = Contents {
        incidents: sqlx::query_scalar(INCIDENTS).fetch_one(&mut file).await?,
        open: open.collect(),
        last_event: sqlx::query_as(LAST_EVENT).fetch_optional(&mut file).await?,
    };
    file.close().await?;
    Ok(contents)
}

/// The title, without what could repaint a terminal.
fn title(state: &str) -> String {
    let state: serde_json::Value = serde_json::from_str(state).unwrap_or_default();
    let title = state["title"].as_str().unwrap_or_default();
    title.chars().filter(|c| !c.is_control()).take(TITLE).collect()
}

/// A database that no other process has open, and none can open while this is there.
#[derive(Debug)]
pub struct Held(#[allow(dead_code, reason = "it is held until it is dropped")] SqliteConnection);

/// Why a database is not held.
#[derive(Debug, thiserror::Error)]
pub enum NotHeld {
    #[error("another process has the database open")]
    InUse,
    /// It is damaged, or cannot be read: nobody can say whether it is in use.
    #[error("the database cannot be opened: {0}")]
    Unreadable(sqlx::Error),
}

/// Takes a database for itself, and brings the log beside it into the file.
pub async fn take(path: &Path) -> Result<Held, NotHeld> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .locking_mode(SqliteLockingMode::Exclusive)
        .busy_timeout(Duration::from_millis(500));
    let taken = async {
        let mut connection = options.connect().await?;
        let mode: String = sqlx::query_scalar(FOLD).fetch_one(&mut connection).await?;
        if mode != "delete" {
            return Ok(None);
        }
        sqlx::query(HOLD).execute(&mut connection).await?;
        Ok(Some(connection))
    };
    match taken.await {
        Ok(Some(connection)) => Ok(Held(connection)),
        Ok(None) => Err(NotHeld::InUse),
        Err(error) if is_in_use(&error) => Err(NotHeld::InUse),
        Err(error) => Err(NotHeld::Unreadable(error)),
    }
}

fn is_in_use(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| IN_USE.contains(&(code & 0xff)))
}

/// The file that SQLite keeps beside a database: `-wal`, `-shm`, `-journal`.
pub fn beside(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes a file's name as durable as its content.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

/// The file of an SQLite address; an error for any other database.
pub fn file_of(database: &str) -> anyhow::Result<&Path> {
    match database.strip_prefix("sqlite:") {
        Some(path) => Ok(Path::new(path.trim_start_matches("//"))),
        None => bail!("this database is no file"),
    }
}
