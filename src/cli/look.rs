//! Commands that only look.

use chrono::{DateTime, Local, Utc};

use super::{client::Remote, instant, now, show};
use crate::sla::Priority;

/// Who is on call.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown oncall
  ringdown oncall --at 2026-12-25T09:00:00Z --team payments")]
pub struct OnCallArgs {
    /// When; now unless given
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    at: Option<DateTime<Utc>>,
    /// Only this team
    #[arg(long, value_name = "KEY")]
    team: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Prints who is on call.
pub async fn on_call(args: OnCallArgs) -> anyhow::Result<()> {
    let query: Vec<_> = args.at.map(|at| ("at", at.to_rfc3339())).into_iter().collect();
    let mut answer = args.remote.get(&["oncall"], &query).await?;
    if let (Some(team), Some(teams)) = (&args.team, answer["teams"].as_array_mut()) {
        teams.retain(|entry| entry["team"]["key"] == team.as_str());
        anyhow::ensure!(!teams.is_empty(), "there is no team `{team}`");
    }
    args.remote.print(&answer, |answer| show::on_call(answer, &Local));
    Ok(())
}

/// List incidents, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown incidents
  ringdown incidents --all --customer northwind --limit 100
  ringdown incidents --json | jq -r '.items[].reference'")]
pub struct IncidentsArgs {
    /// Closed ones too
    #[arg(long)]
    all: bool,
    /// Only this priority, P1 to P6
    #[arg(long)]
    priority: Option<Priority>,
    /// Only this customer's
    #[arg(long, value_name = "KEY")]
    customer: Option<String>,
    /// Only this team's
    #[arg(long, value_name = "KEY")]
    team: Option<String>,
    /// How many at most, 1 to 200
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=200))]
    limit: u8,
    /// Go on where the page before ended (its `next`)
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Prints incidents.
pub async fn incidents(args: IncidentsArgs) -> anyhow::Result<()> {
    let mut query = vec![("open", (!args.all).to_string()), ("limit", args.limit.to_string())];
    query.extend(args.priority.map(|priority| ("priority", priority.to_string())));
    query.extend(args.customer.map(|customer| ("customer", customer)));
    query.extend(args.team.map(|team| ("team", team)));
    query.extend(args.cursor.map(|cursor| ("cursor", cursor)));
    let answer = args.remote.get(&["incidents"], &query).await?;
    args.remote.print(&answer, |answer| show::incidents(answer, now(), &Local));
    Ok(())
}

/// Show one incident.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown show 4821
  ringdown show 4821 --pages
  ringdown show inc_01jb6q9k3v8w2r5t7y9z1x3c5v --json")]
pub struct ShowArgs {
    /// Its reference, or its long id
    #[arg(value_name = "REF")]
    reference: String,
    /// Every text and call that was made for it, and how each ended
    #[arg(long)]
    pages: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Prints one incident.
pub async fn show(args: ShowArgs) -> anyhow::Result<()> {
    let (remote, reference) = (&args.remote, args.reference.as_str());
    if args.pages {
        let query = [("limit", "200".to_string())];
        let answer = remote.get(&["incidents", reference, "pages"], &query).await?;
        remote.print(&answer, |answer| show::attempts(answer, &Local));
    } else {
        let answer = remote.get(&["incidents", reference], &[]).await?;
        remote.print(&answer, |answer| show::incident(answer, now(), &Local));
    }
    Ok(())
}
