//! `ringdown report`: which promises of a period were kept.

use std::path::PathBuf;

use anyhow::Context;

use super::client::Remote;
use crate::report::{compliance::Compliance, page, table};

/// Tells which promises of a period were kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown report --from 2026-11-01 --to 2026-12-01
  ringdown report --from 2026-11-01 --customer northwind --format html --out november.html
  ringdown report --from 2026-11-02T08:00:00Z --plan clickhelp --format csv > promises.csv

An incident belongs to the period in which it was opened, a promise to the one in which it was due, a page to the one
in which it was made. Every verdict is worked out again from the events. The CSV has one row a promise; the page prints
well and needs nothing but a browser.")]
pub struct Args {
    /// The first day, or an instant
    #[arg(long, value_name = "DATE")]
    from: String,
    /// The first day that is no longer in the report, or an instant; now unless given
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Only this customer's incidents
    #[arg(long, value_name = "KEY")]
    customer: Option<String>,
    /// Only incidents under this plan; without a tier, all tiers of it
    #[arg(long, value_name = "PLAN[:TIER]")]
    plan: Option<String>,
    /// The time zone of dates and hours (IANA); this machine's unless given
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Into this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal
    Table,
    /// One row a promise, for a spreadsheet
    Csv,
    /// All figures, for a program
    Json,
    /// One page with charts, to read or to print
    Html,
}

/// Prints the report, or writes it into a file.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let format = if args.remote.json { Format::Json } else { args.format };
    let zone = args.zone.clone().or_else(|| iana_time_zone::get_timezone().ok());
    let mut query = vec![("from", args.from.clone()), ("zone", zone.unwrap_or_else(|| "UTC".into()))];
    query.extend(args.to.clone().map(|to| ("to", to)));
    query.extend(args.customer.clone().map(|customer| ("customer", customer)));
    query.extend(args.plan.clone().map(|plan| ("plan", plan)));
    if format == Format::Csv {
        query.push(("format", "csv".into()));
    }
    let answer = args.remote.text(&["report"], &query).await?;
    let text = match format {
        Format::Csv => answer,
        Format::Json => {
            let value: serde_json::Value = serde_json::from_str(&answer).context("the service sent no report")?;
            format!("{value:#}\n")
        }
        Format::Table => table::text(&read(&answer)?),
        Format::Html => page::html(&read(&answer)?)?,
    };
    match &args.out {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display())),
        None => {
            super::print(&text);
            Ok(())
        }
    }
}

fn read(answer: &str) -> anyhow::Result<Compliance> {
    serde_json::from_str(answer).context("the service sent no report that this version reads")
}
