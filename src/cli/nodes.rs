//! `ringdown nodes`: who runs.

use chrono::Local;
use serde_json::Value;

use super::{client::Remote, show};

/// The nodes that share the database.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown nodes
  ringdown nodes --json | jq -r '.items[] | select(.state == \"gone\") | .name'

A node is gone when nothing was heard of it for half a minute; the others have what it had in hand.")]
pub struct Args {
    #[command(flatten)]
    remote: Remote,
}

/// Prints the nodes.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let answer = args.remote.get(&["nodes"], &[]).await?;
    args.remote.print(&answer, |answer: &Value| show::nodes(answer, &Local));
    Ok(())
}
