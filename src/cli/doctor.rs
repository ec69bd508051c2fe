//! `ringdown doctor`: what is wrong with an installation, and what to do about it.

use super::Local;

/// Find out what is wrong with an installation.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown doctor
  ringdown doctor --config /etc/ringdown/ringdown.toml --json

The exit code is 0 when nothing is wrong.")]
pub struct Args {
    #[command(flatten)]
    pub here: Local,
    /// Ask the carriers too; nothing is sent
    #[arg(long)]
    pub online: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Looks, and prints what it found.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let _ = args;
    todo!()
}
