//! `ringdown init`: something to start from.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::write_new;
use crate::{config, server::settings::DEFAULT_TOML};

/// Print the settings with comments, or write them and example schedules into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown init > ringdown.toml      the settings alone
  ringdown init /etc/ringdown        settings and example schedules; nothing is written over")]
pub struct Args {
    /// Where to write ringdown.toml and schedules/
    dir: Option<PathBuf>,
}

/// Prints or writes.
pub fn run(args: Args) -> anyhow::Result<()> {
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
    super::print(&format!(
        "{} and {} are written. Next:\n  {enter}ringdown check && ringdown serve\n",
        settings.display(),
        schedules.display(),
    ));
    Ok(())
}
