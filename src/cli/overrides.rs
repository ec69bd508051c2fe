//! `ringdown override`: somebody stands in for the schedule for a while.

use chrono::{DateTime, Local, Utc};
use serde_json::json;

use super::{client::Remote, instant, now, show};
use crate::span::Span;

/// Put somebody on call for a while.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Put somebody in
    #[command(after_help = "Examples:
  ringdown override add --schedule payments --person ben --for 8h
  ringdown override add --schedule payments --person ben --instead-of amara \\
      --from 2026-12-24T08:00:00+01:00 --until 2026-12-26T08:00:00+01:00")]
    Add(AddArgs),
    /// Those that are not over
    List {
        /// Only this schedule's
        #[arg(long, value_name = "KEY")]
        schedule: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// End one now; one that has not begun is dropped
    End {
        /// Its id, `ovr_…`
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
}

/// Who stands in, and when.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// The schedule's key
    #[arg(long, value_name = "KEY")]
    schedule: String,
    /// Who takes the time
    #[arg(long, value_name = "KEY")]
    person: String,
    /// Only where this person would be on call
    #[arg(long, value_name = "KEY")]
    instead_of: Option<String>,
    /// From when; now unless given
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    from: Option<DateTime<Utc>>,
    /// Until when
    #[arg(long, value_parser = instant, value_name = "INSTANT", required_unless_present = "length")]
    until: Option<DateTime<Utc>>,
    /// For how long: `90m`, `8h`, `2d`
    #[arg(long = "for", id = "length", value_name = "SPAN", conflicts_with = "until")]
    length: Option<Span>,
    #[command(flatten)]
    remote: Remote,
}

/// Carries the command out.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(args) => {
            let start = args.from.unwrap_or_else(now);
            let end = args.until.unwrap_or_else(|| start + args.length.unwrap_or_default().delta());
            let body = json!({
                "schedule": args.schedule, "person": args.person, "instead_of": args.instead_of,
                // Without a start the service takes its own clock's now.
                "start": args.from, "end": end,
            });
            let answer = args.remote.post(&["overrides"], body).await?;
            args.remote.print(&answer, |answer| show::override_added(answer, &Local));
        }
        Command::List { schedule, remote } => {
            let query: Vec<_> = schedule.map(|schedule| ("schedule", schedule)).into_iter().collect();
            let answer = remote.get(&["overrides"], &query).await?;
            remote.print(&answer, |answer| show::overrides(answer, &Local));
        }
        Command::End { id, remote } => {
            remote.delete(&["overrides", &id]).await?;
            remote.print(&json!({"ended": id}), |_| format!("{id} has ended.\n"));
        }
    }
    Ok(())
}
