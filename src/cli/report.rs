//! `ringdown report`: which promises of a period were kept.

use std::{fs::File, io::Write, path::PathBuf};

use anyhow::{Context, bail};

use super::client::Remote;
use crate::{
    incident::ledger::written,
    report::{compliance::Compliance, page, signed::contents, table},
};

/// Tells which promises of a period were kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown report --from 2026-11-01 --to 2026-12-01
  ringdown report --from 2026-11-01 --customer northwind --format html --out november.html
  ringdown report --from 2026-11-02T08:00:00Z --plan clickhelp --format csv > promises.csv
  ringdown report --from 2026-11-01 --to 2026-12-01 --format signed --out november.jsonl
  ringdown verify november.jsonl

An incident belongs to the period in which it was opened, a promise to the one in which it was due, a page to the one
in which it was made. Every verdict is worked out again from the events. The CSV has one row a promise; the page prints
well and needs nothing but a browser. The signed form is the export of each incident, one a line, and a signed table of
contents: `verify` finds what was changed, left out or put in. It holds numbers and what was said, so treat it as
confidential; it needs the role `responder`.")]
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
    /// Everything that proves it, for `ringdown verify`
    Signed,
}

/// Prints the report, or writes it into a file.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let format = match args.format {
        Format::Signed => Format::Signed,
        _ if args.remote.json => Format::Json,
        format => format,
    };
    let zone = args.zone.clone().or_else(|| iana_time_zone::get_timezone().ok());
    let mut query = vec![("from", args.from.clone()), ("zone", zone.unwrap_or_else(|| "UTC".into()))];
    query.extend(args.to.clone().map(|to| ("to", to)));
    query.extend(args.customer.clone().map(|customer| ("customer", customer)));
    query.extend(args.plan.clone().map(|plan| ("plan", plan)));
    match format {
        Format::Csv => query.push(("format", "csv".into())),
        Format::Signed => {
            query.push(("format", "signed".into()));
            return signed(&args, &query).await;
        }
        _ => {}
    }
    let answer = args.remote.text(&["report"], &query).await?;
    let text = match format {
        Format::Csv | Format::Signed => answer,
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

/// Writes the signed form as it comes. A file has its name only once it is whole.
async fn signed(args: &Args, query: &[(&str, String)]) -> anyhow::Result<()> {
    let Some(path) = &args.out else {
        return fetch(args, query, &mut std::io::stdout().lock()).await;
    };
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let cannot = || format!("cannot write {}", part.display());
    let mut file = std::io::BufWriter::new(File::create(&part).with_context(cannot)?);
    let done = match fetch(args, query, &mut file).await {
        Ok(()) => file.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all()),
        Err(error) => {
            let _ = std::fs::remove_file(&part);
            return Err(error);
        }
    };
    done.with_context(cannot)?;
    std::fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))
}

async fn fetch(args: &Args, query: &[(&str, String)], out: &mut impl Write) -> anyhow::Result<()> {
    // The last line, as far as it came: a proxy may hide that the service broke off.
    let mut last = Vec::new();
    let take = |bytes: &[u8]| {
        out.write_all(bytes)?;
        let mut pieces = bytes.split_inclusive(|byte| *byte == b'\n');
        pieces.try_for_each(|piece| {
            if last.ends_with(b"\n") {
                last.clear();
            }
            last.extend_from_slice(piece);
            anyhow::Ok(())
        })
    };
    args.remote.stream(&["report"], query, take).await?;
    out.flush()?;
    if last.ends_with(b"\n") && written::format(&last).is_some_and(|format| format == contents::FORMAT) {
        return Ok(());
    }
    bail!("the answer broke off before its table of contents; nothing less than the whole of it is of use")
}

fn read(answer: &str) -> anyhow::Result<Compliance> {
    serde_json::from_str(answer).context("the service sent no report that this version reads")
}
