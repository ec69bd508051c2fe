//! `ringdown backup`: the database as one file, checked, while the service runs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, SecondsFormat, Utc};

use super::{Local, now};
use crate::store::{
    Place,
    backup::{self, Contents},
};

/// Copy the database to a new file while the service runs, and check the copy.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown backup /var/backups/ringdown.db
  ringdown backup --into /var/backups/ringdown --keep 48

The copy is of one moment and is checked before it gets its name; nothing is written over. It holds everything but
the two keys beside the database (*.token-secret and *.ledger-key): keep a copy of them apart from it.
For PostgreSQL the commands of its own tools are printed, and nothing is copied: the exit code is 1.")]
pub struct Args {
    /// The new file
    #[arg(value_name = "FILE", required_unless_present = "into", conflicts_with = "into")]
    file: Option<PathBuf>,
    /// A folder: the file is named after the time
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// How many such files stay in the folder; the oldest go
    #[arg(long, value_name = "N", requires = "into", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    #[command(flatten)]
    here: Local,
}

/// Copies, checks, and says what the copy holds.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let settings = args.here.settings()?;
    let named = |folder: &Path| folder.join(name_of(now()));
    let file = match (&args.file, &args.into) {
        (Some(file), _) => file.clone(),
        (None, Some(folder)) => named(folder),
        (None, None) => bail!("name a file, or a folder with --into"),
    };
    if let Some(place) = Place::of(&settings.database).filter(|_| crate::store::is_postgres(&settings.database)) {
        super::print(&postgres(&place, &file));
        bail!("nothing was copied: PostgreSQL is backed up with its own tools");
    }
    let database = backup::file_of(&settings.database)?;
    ensure!(database.exists(), "there is no database at {}", database.display());
    let contents = make(database, &file).await?;
    super::print(&told(&file, &contents));
    if let Err(error) = backup::note(&settings.database, now()) {
        eprintln!("The copy is good; that it was made cannot be written down beside the database: {error}");
    }
    if let (Some(folder), Some(keep)) = (&args.into, args.keep) {
        for gone in old(folder, keep.into())? {
            fs::remove_file(&gone).with_context(|| format!("cannot remove {}", gone.display()))?;
            super::print(&format!("Removed {}.\n", gone.display()));
        }
    }
    Ok(())
}

/// Makes the copy under another name; it gets its own when it is sound and on disk.
async fn make(database: &Path, file: &Path) -> anyhow::Result<Contents> {
    let shown = file.display();
    ensure!(!file.exists(), "{shown} is there already; nothing was written over");
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Read by its owner alone, and gone if anything below fails.
    let draft = tempfile::Builder::new().prefix(".ringdown-backup-").tempfile_in(folder);
    let draft = draft.with_context(|| format!("cannot write to {}", folder.display()))?;
    backup::copy(database, draft.path()).await?;
    let contents = backup::examine(draft.path()).await?;
    draft.as_file().sync_all().with_context(|| format!("cannot bring {shown} to disk"))?;
    draft.persist_noclobber(file).with_context(|| format!("cannot name the copy {shown}"))?;
    backup::sync_folder(file).with_context(|| format!("cannot bring {shown} to disk"))?;
    Ok(contents)
}

fn name_of(now: DateTime<Utc>) -> String {
    now.format("ringdown-%Y%m%dT%H%M%SZ.db").to_string()
}

/// The copies in a folder but for the newest so many. Whatever is named otherwise is somebody else's.
fn old(folder: &Path, keep: usize) -> anyhow::Result<Vec<PathBuf>> {
    let ours = |name: &str| {
        let instant = name.strip_prefix("ringdown-").and_then(|name| name.strip_suffix(".db"));
        instant.is_some_and(|at| chrono::NaiveDateTime::parse_from_str(at, "%Y%m%dT%H%M%SZ").is_ok())
    };
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut copies: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(ours))
        .collect();
    copies.sort();
    copies.truncate(copies.len().saturating_sub(keep));
    Ok(copies)
}

fn told(file: &Path, contents: &Contents) -> String {
    let up_to = match &contents.last_event {
        Some((reference, kind, at)) => {
            format!("up to `{kind}` of {reference} at {}", at.to_rfc3339_opts(SecondsFormat::Secs, true))
        }
        None => "no event yet".into(),
    };
    let open = contents.open.len();
    format!("{} is sound. Incidents: {}, open: {open}; {up_to}.\n", file.display(), contents.incidents)
}

/// What to do for a PostgreSQL, with its own tools. Holds no password.
pub fn postgres(place: &Place, file: &Path) -> String {
    let (host, port, user, name) = (quoted(&place.host), place.port, quoted(&place.user), quoted(&place.name));
    let file = quoted(&file.display().to_string());
    let server = format!("--host={host} --port={port} --username={user}");
    format!(
        "The password is read from ~/.pgpass or PGPASSWORD; it is not shown here.

One consistent copy, while the service runs (note the time at which it begins):
  pg_dump {server} --format=custom --file={file} {name}

Every change, to go back to any instant: archive the log (archive_mode=on, archive_command=…) and, once a day,
  pg_basebackup {server} --pgdata=DIR --wal-method=stream --checkpoint=fast

To go back, with every node stopped:
  createdb {server} NEW && pg_restore {server} --no-owner --exit-on-error --single-transaction --dbname=NEW {file}
or recover the base backup to an instant (recovery_target_time). Then, before any node starts:
  ringdown restore --mark INSTANT      the instant that was gone back to, for example 2026-11-22T08:40:00Z
"
    )
}

/// As a shell reads it back.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_for_a_postgresql_name_everything_but_its_password() {
        let place = Place::of("postgres://ann:se%40cret@db.example.com:6543/ring%20down").unwrap();
        let said = postgres(&place, Path::new("/b/x.dump"));
        assert!(!said.contains("cret"), "{said}");
        let dump =
            "pg_dump --host=db.example.com --port=6543 --username=ann --format=custom --file=/b/x.dump 'ring down'";
        assert!(said.contains(dump), "{said}");
    }

    #[test]
    fn only_the_oldest_copies_of_our_own_go() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["20261120T000000Z", "20261121T000000Z", "20261122T000000Z"].map(|at| format!("ringdown-{at}.db"));
        for name in names.iter().map(String::as_str).chain(["ringdown-keep.db", "ringdown.db", "notes.txt"]) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(old(folder.path(), 2).unwrap(), [folder.path().join(&names[0])]);
        assert_eq!(old(folder.path(), 3).unwrap(), [""; 0].map(PathBuf::from));
        assert_eq!(name_of("2026-11-22T00:00:00Z".parse().unwrap()), names[2]);
    }
}
