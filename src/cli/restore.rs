//! `ringdown restore`: a backup is put in place, and marked, so that nothing old goes out before a person has looked.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, SecondsFormat, Utc};

use super::{Local, instant, now};
use crate::{
    quarantine::{hold::PAGES_HELD, store},
    server::settings::Settings,
    span::Span,
    store::{
        Db,
        backup::{self, Contents, NotHeld},
        is_postgres,
    },
};

/// Put a backup in place, and hold back what it would send until a person has looked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples, with the service stopped:
  ringdown restore /var/backups/ringdown.db
  ringdown restore /var/backups/ringdown.db --replace     the database that is there is kept aside
  ringdown restore --mark 2026-11-22T08:40:00Z            the database was restored by other means, as of then

What was acknowledged, answered or closed since the backup is unknown to it. Pages about its open incidents are held
for 15 minutes after the restore and then go out; texts and mails to customers are held until somebody releases or
drops them (`ringdown quarantine`). New troubles are paged at once.")]
pub struct Args {
    /// The backup
    #[arg(value_name = "FILE", required_unless_present = "mark", conflicts_with = "mark")]
    file: Option<PathBuf>,
    /// Keep the database that is there aside, and put the backup in its place
    #[arg(long, conflicts_with = "mark")]
    replace: bool,
    /// Only mark the database as restored, as of this instant: after point-in-time recovery of a PostgreSQL
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    mark: Option<DateTime<Utc>>,
    #[command(flatten)]
    here: Local,
}

/// Restores, or marks.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let settings = args.here.settings()?;
    match (args.file, args.mark) {
        (Some(file), _) if is_postgres(&settings.database) => {
            bail!(
                "a PostgreSQL is restored with its own tools (`ringdown backup {}` says how); then, before any node \
                 starts, `ringdown restore --mark INSTANT`",
                file.display()
            )
        }
        (Some(file), _) => restore(&settings, &file, args.replace).await,
        (None, Some(backup_at)) => mark_only(&settings, backup_at).await,
        (None, None) => bail!("name a backup, or an instant with --mark"),
    }
}

async fn mark_only(settings: &Settings, backup_at: DateTime<Utc>) -> anyhow::Result<()> {
    let now = now();
    ensure!(backup_at <= now, "{backup_at} is yet to come");
    let db = Db::open(&settings.database).await?;
    let mut tx = db.begin().await?;
    let held = store::mark(&mut tx, backup_at, now).await?;
    tx.commit().await?;
    db.close().await;
    super::print(&format!("{} is marked as restored.\n{}", settings.database_name(), unknown(backup_at, now)));
    super::print(&next(held, now));
    Ok(())
}

async fn restore(settings: &Settings, file: &Path, replace: bool) -> anyhow::Result<()> {
    let database = backup::file_of(&settings.database)?;
    ensure!(file.exists(), "there is no {}", file.display());
    backup::examine(file).await?;
    let is_there = ["", "-wal"].iter().any(|ending| backup::beside(database, ending).exists());
    ensure!(
        !is_there || replace,
        "there is a database at {} already; with --replace it is kept aside under another name",
        database.display()
    );
    // Held until the new one is in its place, so that no server starts on the old one meanwhile.
    let lock = if database.exists() { take(settings, database).await? } else { None };

    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let draft = tempfile::Builder::new().prefix(".ringdown-restore-").suffix(".db").tempfile_in(folder);
    let draft = draft.with_context(|| format!("cannot write to {}", folder.display()))?;
    fs::copy(file, draft.path()).with_context(|| format!("cannot copy {}", file.display()))?;
    // The backup's own permissions came with it.
    fs::set_permissions(draft.path(), fs::Permissions::from_mode(0o600))?;
    let now = now();
    let (backup_at, held) = mark(draft.path(), now).await?;
    let contents = backup::examine(draft.path()).await?;
    own(draft.path(), if database.exists() { database } else { folder })?;
    draft.as_file().sync_all().context("cannot bring the copy to disk")?;

    let aside = backup::beside(database, &format!(".before-{}", now.format("%Y%m%dT%H%M%SZ")));
    let mut kept = false;
    // Only an index of the log, made anew when it is wanted.
    let _ = fs::remove_file(backup::beside(database, "-shm"));
    if lock.is_some() {
        // Empty, of our own lock.
        let _ = fs::remove_file(backup::beside(database, "-journal"));
    }
    for ending in ["-wal", "-journal", ""] {
        let (from, to) = (backup::beside(database, ending), backup::beside(&aside, ending));
        if from.exists() {
            fs::rename(&from, &to).with_context(|| format!("cannot keep {} aside", from.display()))?;
            kept = true;
        }
    }
    draft.persist_noclobber(database).with_context(|| format!("cannot put it at {}", database.display()))?;
    backup::sync_folder(database).context("cannot bring the folder to disk")?;
    drop(lock);
    super::print(&told(file, database, kept.then_some(aside.as_path()), backup_at, &contents, now));
    super::print(&next(held, now));
    Ok(())
}

/// Whether nobody else works on it. One that is too damaged to be asked is taken to be free when nobody answers where
/// its server would.
async fn take(settings: &Settings, database: &Path) -> anyhow::Result<Option<backup::Held>> {
    match backup::take(database).await {
        Ok(held) => Ok(Some(held)),
        Err(NotHeld::InUse) => bail!("a server runs on {}; stop it first", database.display()),
        Err(NotHeld::Unreadable(error)) => {
            let answers = TcpStream::connect_timeout(&settings.listen, Duration::from_secs(1)).is_ok();
            ensure!(!answers, "something answers at {}; stop the server first", settings.listen);
            eprintln!("ringdown: {} is damaged ({error}); it is kept aside as it is", database.display());
            Ok(None)
        }
    }
}

/// Brings the copy's tables up to date and marks it. Gives how far it knew, and how many incidents are held.
async fn mark(copy: &Path, now: DateTime<Utc>) -> anyhow::Result<(DateTime<Utc>, u64)> {
    let db = Db::open(&format!("sqlite:{}", copy.display())).await?;
    let mut tx = db.begin().await?;
    let backup_at = store::known_until(&mut tx).await?.unwrap_or(now).min(now);
    let held = store::mark(&mut tx, backup_at, now).await?;
    tx.commit().await?;
    db.close().await;
    Ok((backup_at, held))
}

/// Root restores for the service's own user.
fn own(file: &Path, like: &Path) -> anyhow::Result<()> {
    let (file_now, wanted) = (fs::metadata(file)?, fs::metadata(like)?);
    if (file_now.uid(), file_now.gid()) != (wanted.uid(), wanted.gid()) {
        chown(file, Some(wanted.uid()), Some(wanted.gid()))
            .with_context(|| format!("cannot give the database the owner of {}", like.display()))?;
    }
    Ok(())
}

fn told(
    file: &Path,
    database: &Path,
    aside: Option<&Path>,
    backup_at: DateTime<Utc>,
    contents: &Contents,
    now: DateTime<Utc>,
) -> String {
    let mut text = format!("{} is restored from {}.\n{}", database.display(), file.display(), unknown(backup_at, now));
    if let Some(aside) = aside {
        text += &format!("The database that was there is kept as {}.\n", aside.display());
    }
    if contents.open.is_empty() {
        return text + "No incident is open in it.\n";
    }
    text += "Open in it; close what was closed since (`ringdown resolve`):\n";
    for open in &contents.open {
        let at = open.opened_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        text += &format!("  {}  {}  since {at}  {}\n", open.reference, open.priority, open.title);
    }
    text
}

fn unknown(backup_at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let at = backup_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let gap = Span::seconds(u32::try_from((now - backup_at).num_seconds()).unwrap_or_default());
    format!("It knows what happened until {at}, and nothing of the {gap} since.\n")
}

fn next(held: u64, now: DateTime<Utc>) -> String {
    if held == 0 {
        return "Nothing waits to be sent. Start the server.\n".into();
    }
    let until = (now + PAGES_HELD).to_rfc3339_opts(SecondsFormat::Secs, true);
    format!(
        "Start the server now. Incidents in quarantine: {held}. Their pages are held until {until} and then go out;\n\
         texts and mails are held until somebody looks:\n  ringdown quarantine list\n"
    )
}
