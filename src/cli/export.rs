//! `ringdown export`: one incident as a file that can be verified anywhere.

use anyhow::Context;

use super::client::Remote;
use crate::incident::ledger::canonical;

/// Writes one incident as a file that can be verified.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown export 4821 > incident.json
  ringdown verify incident.json

It holds the caller's number and what was said, so treat it as confidential. Needs the role `responder`.")]
pub struct Args {
    /// Its reference, or its long id
    #[arg(value_name = "REF")]
    reference: String,
    #[command(flatten)]
    remote: Remote,
}

/// Prints the export as it was signed.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let answer = args.remote.get(&["incidents", &args.reference, "export"], &[]).await?;
    let text = canonical::text(&answer).context("the service sent no export")?;
    super::print(&(text + "\n"));
    Ok(())
}
