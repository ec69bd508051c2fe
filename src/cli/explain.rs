//! `ringdown explain`: how each promise of an incident was counted.

use std::path::PathBuf;

use anyhow::{Context, bail};

use super::{client::Remote, verify};
use crate::{
    incident::{
        explain,
        ledger::verify::{Verified, verify as check},
    },
    report::signed::check::is_period,
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
        let bytes = verify::read(file)?;
        let first = bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        if is_period(first, first.len() < bytes.len()) {
            bail!(
                "this is the export of a period, and one incident at a time is explained; the line of each is its own \
                 export: sed -n 1p FILE > incident.json"
            );
        }
        let Verified { findings, incident, .. } = check(&bytes, None);
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
