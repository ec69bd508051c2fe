//! `ringdown explain`: how each promise of an incident was counted.

use std::path::PathBuf;

use anyhow::{Context, bail};

use super::{client::Remote, verify};
use crate::incident::{
    explain,
    ledger::verify::{Verified, verify as check},
};

/// Tells how each promise of an incident was counted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown explain 4821
  ringdown explain --file incident.json      from an export, without a service")]
pub struct Args {
    /// Its reference, or its long id
    #[arg(value_name = "REF", required_unless_present = "file", conflicts_with = "file")]
    reference: Option<String>,
    /// An export instead; `-` for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

/// Prints the explanation.
pub async fn run(args: Args) -> anyhow::Result<()> {
    if let Some(file) = &args.file {
        let Verified { findings, incident, .. } = check(&verify::read(file)?, None);
        if let Some(finding) = findings.first() {
            bail!("the export does not hold, so there is nothing to explain: {finding}");
        }
        let (incident, reckoning) = incident.context("the export cannot be read")?;
        if args.remote.json {
            let promises = explain::explain(&reckoning, &incident);
            super::print(&format!(
                "{:#}\n",
                serde_json::json!({"reference": incident.reference, "promises": promises})
            ));
        } else {
            super::print(&explain::text(&incident, &reckoning));
        }
        return Ok(());
    }
    let reference = args.reference.as_deref().unwrap_or_default();
    let answer = args.remote.get(&["incidents", reference, "explanation"], &[]).await?;
    args.remote.print(&answer, |answer| answer["text"].as_str().unwrap_or_default().to_owned());
    Ok(())
}
