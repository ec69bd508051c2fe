//! `ringdown intake`: what webhooks brought, good or refused.

use chrono::Local;

use super::{client::Remote, show};

/// What webhooks brought, good or refused. Needs an admin's token.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown intake --last 20
  ringdown intake int_01jb6q9k3v8w2r5t7y9z1x3c5v")]
pub struct Args {
    /// One of them, whole: headers, body and verdict
    id: Option<String>,
    /// How many of the newest, 1 to 200
    #[arg(long, default_value_t = 20, value_name = "N", conflicts_with = "id", value_parser = clap::value_parser!(u8).range(1..=200))]
    last: u8,
    /// Go on where the page before ended (its `next`)
    #[arg(long, value_name = "CURSOR", conflicts_with = "id")]
    cursor: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Prints payloads.
pub async fn run(args: Args) -> anyhow::Result<()> {
    match &args.id {
        Some(id) => {
            let answer = args.remote.get(&["intake", id], &[]).await?;
            args.remote.print(&answer, |answer| show::payload(answer, &Local));
        }
        None => {
            let mut query = vec![("limit", args.last.to_string())];
            query.extend(args.cursor.clone().map(|cursor| ("cursor", cursor)));
            let answer = args.remote.get(&["intake"], &query).await?;
            args.remote.print(&answer, |answer| show::payloads(answer, &Local));
        }
    }
    Ok(())
}
