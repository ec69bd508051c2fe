//! Revisions of the folder in the database. A folder that is not sound never takes the place of one that was.

use std::path::Path;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::{
    Config,
    check::checked,
    finding::{Finding, Severity},
    load::{Files, Loaded, environment, parse},
};
use crate::{
    access::audit::{self, Entry, what},
    clock::Time,
    on,
    store::{Db, Sql, Tx},
};

const INSERT: Sql = Sql::same(
    "insert into revisions (number, digest, files, loaded_at) values ($1, $2, $3, $4) on conflict do nothing",
);
const NEWEST: Sql = Sql::same("select number, digest, files from revisions order by number desc limit $1");
const NEWEST_NUMBER: Sql = Sql::same("select max(number) from revisions");
const NUMBERED: Sql = Sql::same("select number, digest, files from revisions where number = $1");
const LAST_OF: Sql = Sql::same("select max(number) from revisions where digest = $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT", INSERT),
    ("NEWEST", NEWEST),
    ("NEWEST_NUMBER", NEWEST_NUMBER),
    ("NUMBERED", NUMBERED),
    ("LAST_OF", LAST_OF),
];

/// The folder as it once was.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Revision {
    number: i64,
    digest: String,
    files: Files,
}

/// Takes the folder in force when a process starts: as [`adopt`] does, unless others may be at work and the folder is
/// what once was in force and was replaced since. Then a node that starts late takes nobody back: what is in force stays.
pub async fn adopt_at_boot(db: &Db, dir: &Path, now: Time) -> anyhow::Result<(Config, Vec<Finding>)> {
    let (mut loaded, sound) = look(dir, now).await?;
    if sound
        && !db.is_ours_alone()
        && let Some((own, newest)) = replaced(db, &loaded.files).await?
    {
        let (config, message) = match restore(db, dir, newest).await {
            Ok(config) => (config, format!("is revision {own}, and {newest} is in force on this database")),
            Err(error) => (
                Config { revision: own, ..loaded.config },
                format!("is revision {own}, and {newest}, which is in force elsewhere, cannot be used here: {error:#}"),
            ),
        };
        let message = format!("{message}; a reload (SIGHUP) of this node would put this folder in force everywhere");
        let file = dir.display().to_string();
        loaded.findings.push(Finding { file, line: 0, key: String::new(), severity: Severity::Warning, message });
        return Ok((config, loaded.findings));
    }
    adopt_checked(db, dir, loaded, sound, now).await
}

/// Takes the folder in force: checks it and keeps it as a revision, with no new number when nothing changed. A folder
/// with an error gives the last good revision and the findings; it is an error only when there is none.
pub async fn adopt(db: &Db, dir: &Path, now: Time) -> anyhow::Result<(Config, Vec<Finding>)> {
    let (loaded, sound) = look(dir, now).await?;
    adopt_checked(db, dir, loaded, sound, now).await
}

async fn look(dir: &Path, now: Time) -> anyhow::Result<(Loaded, bool)> {
    let folder = dir.to_owned();
    tokio::task::spawn_blocking(move || checked(&folder, now)).await.context("reading the folder failed")
}

/// The number of the newest revision.
pub async fn newest_revision(db: &Db) -> sqlx::Result<Option<i64>> {
    let mut tx = db.read().await?;
    on!(&mut tx, NEWEST_NUMBER, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)
}

/// A revision as it is kept. What its files leave to the environment, and to files beside it, is looked up here.
pub async fn restore(db: &Db, dir: &Path, number: i64) -> anyhow::Result<Config> {
    let mut tx = db.read().await?;
    let row: Option<Row> = on!(&mut tx, NUMBERED, |c, sql| sqlx::query_as(sql).bind(number).fetch_optional(c).await)?;
    drop(tx);
    let kept = revision(row.with_context(|| format!("there is no revision {number}"))?)?;
    let folder = dir.to_owned();
    let (config, findings) =
        tokio::task::spawn_blocking(move || read(&kept, &folder)).await.context("reading the revision failed")?;
    let errors: Vec<String> = findings.iter().filter(|f| f.is_error()).map(ToString::to_string).collect();
    if errors.is_empty() { Ok(config) } else { bail!("{}", errors.join("\n")) }
}

fn read(kept: &Revision, dir: &Path) -> (Config, Vec<Finding>) {
    let loaded = parse(&kept.files, dir, &format!("revision {}: ", kept.number), &environment);
    (Config { revision: kept.number, ..loaded.config }, loaded.findings)
}

/// The folder's own last revision and the newest, if that is another one.
async fn replaced(db: &Db, files: &Files) -> sqlx::Result<Option<(i64, i64)>> {
    let mut tx = db.read().await?;
    let digest = digest(files);
    let own: Option<i64> = on!(&mut tx, LAST_OF, |c, sql| sqlx::query_scalar(sql).bind(digest).fetch_one(c).await)?;
    let newest: Option<i64> = on!(&mut tx, NEWEST_NUMBER, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?;
    Ok(own.zip(newest).filter(|(own, newest)| own < newest))
}

async fn adopt_checked(
    db: &Db,
    dir: &Path,
    mut loaded: Loaded,
    sound: bool,
    now: Time,
) -> anyhow::Result<(Config, Vec<Finding>)> {
    if sound {
        loaded.config.revision = keep(db, &loaded.files, now).await?;
        return Ok((loaded.config, loaded.findings));
    }
    let mut tx = db.read().await?;
    let revisions = newest(&mut tx, 20).await?;
    drop(tx);
    for revision in revisions {
        let (config, findings) = read(&revision, dir);
        if !findings.iter().any(Finding::is_error) {
            return Ok((config, loaded.findings));
        }
    }
    let errors: Vec<String> = loaded.findings.iter().filter(|f| f.is_error()).map(ToString::to_string).collect();
    bail!("{} cannot be used, and no earlier revision of it was kept:\n{}", dir.display(), errors.join("\n"))
}

/// Keeps the folder and gives the revision's number.
async fn keep(db: &Db, files: &Files, now: Time) -> anyhow::Result<i64> {
    let digest = digest(files);
    let text = serde_json::to_string(files).context("writing the files as JSON failed")?;
    // Another node may take the number first; then what it kept is looked at.
    for _ in 0..5 {
        let mut tx = db.begin().await?;
        let last = newest(&mut tx, 1).await?.into_iter().next();
        if let Some(last) = last.as_ref().filter(|last| last.digest == digest) {
            return Ok(last.number);
        }
        let number = last.map_or(0, |last| last.number) + 1;
        let done = on!(&mut tx, INSERT, |c, sql| {
            let query = sqlx::query(sql).bind(number).bind(&digest).bind(&text).bind(now);
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
        if done == 1 {
            let (who, detail) = (audit::ITSELF, format!("revision {number}"));
            let entry = Entry { who, what: what::REVISION_TAKEN, network: None, detail: Some(&detail) };
            audit::note(&mut tx, entry, now).await?;
        }
        tx.commit().await?;
        if done == 1 {
            return Ok(number);
        }
    }
    bail!("other nodes keep changing the revisions; try again")
}

/// The last so many revisions, newest first.
async fn newest(tx: &mut Tx, limit: i64) -> anyhow::Result<Vec<Revision>> {
    let rows: Vec<Row> = on!(tx, NEWEST, |c, sql| sqlx::query_as(sql).bind(limit).fetch_all(c).await)?;
    rows.into_iter().map(revision).collect()
}

/// Number, digest, files.
type Row = (i64, String, String);

fn revision((number, digest, files): Row) -> anyhow::Result<Revision> {
    let files = serde_json::from_str(&files).with_context(|| format!("revision {number} cannot be read"))?;
    Ok(Revision { number, digest, files })
}

/// SHA-256 over names and texts, in the order of the names.
fn digest(files: &Files) -> String {
    let mut hash = Sha256::new();
    for (name, text) in files {
        for part in [name, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::write_example;

    struct Folder {
        _temp: tempfile::TempDir,
        dir: std::path::PathBuf,
        db: Db,
    }

    async fn folder() -> Folder {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("schedules");
        write_example(&dir).unwrap();
        let db = Db::open(&format!("sqlite:{}", temp.path().join("test.db").display())).await.unwrap();
        Folder { _temp: temp, dir, db }
    }

    impl Folder {
        async fn adopt(&self) -> anyhow::Result<(Config, Vec<Finding>)> {
            adopt(&self.db, &self.dir, "2026-06-01T00:00:00Z".parse().unwrap()).await
        }

        fn edit(&self, file: &str, old: &str, new: &str) {
            let path = self.dir.join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(old));
            std::fs::write(path, text.replacen(old, new, 1)).unwrap();
        }
    }

    #[tokio::test]
    async fn a_revision_has_a_new_number_only_when_something_changed() {
        let folder = folder().await;
        for _ in 0..2 {
            let (config, findings) = folder.adopt().await.unwrap();
            assert_eq!((config.revision, findings.len()), (1, 0));
        }
        folder.edit("people.toml", "Anna Reyes", "Anna Reyes-Lee");
        assert_eq!(folder.adopt().await.unwrap().0.revision, 2);
        folder.edit("people.toml", "Anna Reyes-Lee", "Anna Reyes");
        assert_eq!(folder.adopt().await.unwrap().0.revision, 3);
    }

    #[tokio::test]
    async fn a_bad_folder_never_replaces_a_good_revision() {
        let folder = folder().await;
        let good = folder.adopt().await.unwrap().0;
        folder.edit("people.toml", "+12015550101", "911");
        let (config, findings) = folder.adopt().await.unwrap();
        assert_eq!(config.revision, 1);
        assert_eq!(findings.iter().filter(|finding| finding.is_error()).count(), 1);
        // All of it is as it was, the digests of the secrets too.
        assert_eq!(format!("{config:?}"), format!("{good:?}"));
        std::fs::remove_dir_all(&folder.dir).unwrap();
        assert_eq!(folder.adopt().await.unwrap().0.revision, 1);
        write_example(&folder.dir).unwrap();
        folder.edit("people.toml", "Anna Reyes", "Anna Reyes-Lee");
        assert_eq!(folder.adopt().await.unwrap().0.revision, 2);
    }

    #[tokio::test]
    async fn without_an_earlier_revision_a_bad_folder_is_an_error_that_says_what_is_wrong() {
        let folder = folder().await;
        folder.edit("teams.toml", "lead = \"carla\"", "lead = \"carlo\"");
        let error = folder.adopt().await.unwrap_err().to_string();
        assert!(error.contains("teams.toml:10: teams.payments.lead: there is no person `carlo`"), "{error}");
    }

    #[tokio::test]
    async fn no_secret_of_an_integration_is_kept_in_the_database() {
        let folder = folder().await;
        folder.adopt().await.unwrap();
        let mut tx = folder.db.read().await.unwrap();
        let kept = newest(&mut tx, 1).await.unwrap().remove(0).files;
        let text = &kept["integrations.toml"];
        assert!(!text.contains("\"example-generic-key\"") && text.contains("\"sha256:"), "{text}");
        assert_eq!(kept["people.toml"], std::fs::read_to_string(folder.dir.join("people.toml")).unwrap());
    }
}
