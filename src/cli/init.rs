//! `ringdown init`: something to start from.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{now, password, write_new};
use crate::{
    access::{self, Role},
    config,
    server::settings::{DEFAULT_TOML, Settings},
    store::Db,
};

/// The first administrator.
const ADMIN: &str = "admin";

/// Print the settings with comments, or write them, example schedules and a database with an administrator into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown init > ringdown.toml            the settings alone
  ringdown init mine                       settings, example schedules, and an administrator's password, shown once
  ringdown init --no-admin /etc/ringdown   without a database: where it lies elsewhere, or is another user's

Nothing is written over.")]
pub struct Args {
    /// Where to write ringdown.toml and schedules/
    dir: Option<PathBuf>,
    /// Make no database and no administrator; `ringdown password` does later
    #[arg(long)]
    no_admin: bool,
}

/// Prints or writes.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let Some(dir) = args.dir else {
        super::print(DEFAULT_TOML);
        return Ok(());
    };
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let (settings, schedules) = (dir.join("ringdown.toml"), dir.join("schedules"));
    anyhow::ensure!(!settings.exists(), "{} exists already; nothing was written", settings.display());
    config::write_example(&schedules).with_context(|| format!("cannot write {}", schedules.display()))?;
    write_new(&settings, DEFAULT_TOML).with_context(|| format!("cannot write {}", settings.display()))?;
    let enter = if dir == Path::new(".") { String::new() } else { format!("cd {} && ", dir.display()) };
    super::print(&format!("{} and {} are written.", settings.display(), schedules.display()));
    if args.no_admin {
        super::print(" No administrator was made: `ringdown password admin --role admin --generate` does.");
    } else {
        match admin(&dir, &settings).await {
            Ok(Some(password)) => super::print(&format!(
                "\nSign in to the web as `{ADMIN}` with this password, which is not shown again:\n  {password}"
            )),
            Ok(None) => super::print("\nThe database has passwords already; none was made."),
            // The rest is of use all the same.
            Err(error) => super::print(&format!(
                "\nNo administrator was made ({error:#}). Make one with\n  {enter}ringdown password {ADMIN} --role admin --generate"
            )),
        }
    }
    super::print(&format!("\nNext:\n  {enter}ringdown check && ringdown serve\n"));
    Ok(())
}

/// The first administrator, in the database that these settings mean when Ringdown is started in their folder.
async fn admin(dir: &Path, settings: &Path) -> anyhow::Result<Option<String>> {
    let settings = Settings::load(Some(settings), |name| std::env::var(name).ok())?;
    let database = match settings.database.strip_prefix("sqlite:") {
        // An absolute path stays as it is.
        Some(path) => format!("sqlite:{}", dir.join(path.trim_start_matches("//")).display()),
        None => settings.database.clone(),
    };
    let db = Db::open(&database).await?;
    let mut tx = db.begin().await?;
    let generated = if access::password::store::any(&mut tx).await? {
        None
    } else {
        let generated = access::password::generate();
        let hash = access::password::hash(&generated)?;
        password::keep(&mut tx, ADMIN, &hash, Some(Role::Admin), None, now()).await?;
        Some(generated)
    };
    tx.commit().await?;
    db.close().await;
    Ok(generated)
}
