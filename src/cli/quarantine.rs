//! `ringdown quarantine`: after a restore from a backup, what waits to be sent, and whether it still holds.

use chrono::Local;
use serde_json::{Value, json};

use super::{client::Remote, show};

/// After a restore: what waits to be sent, and whether it still holds.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The incidents that the backup had something left to do for
    #[command(after_help = "Pages about open incidents are held for 15 minutes after the restore and then go out.
Texts and mails to customers stay until they are released or dropped.")]
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// What waits still holds: send it now
    #[command(after_help = "Examples:
  ringdown quarantine release 4821
  ringdown quarantine release --all")]
    Release(Which),
    /// What waits is over or was said before: never send it
    #[command(after_help = "Examples:
  ringdown quarantine drop 4821 4822
  ringdown quarantine drop --all

An incident that is still open in the backup stays open: close it with `ringdown resolve`.")]
    Drop(Which),
}

/// Which incidents.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// References or ids
    #[arg(value_name = "REFERENCE", required_unless_present = "all", conflicts_with = "all")]
    references: Vec<String>,
    /// All that are listed
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Carries the command out.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { remote } => {
            let answer = remote.get(&["quarantine"], &[]).await?;
            remote.print(&answer, |answer| show::quarantine(answer, &Local));
        }
        Command::Release(which) => settle(which, "released").await?,
        Command::Drop(which) => settle(which, "dropped").await?,
    }
    Ok(())
}

async fn settle(which: Which, verdict: &str) -> anyhow::Result<()> {
    let names = match which.all {
        false => which.references,
        true => {
            let listed = which.remote.get(&["quarantine"], &[]).await?;
            let items = listed["items"].as_array().cloned().unwrap_or_default();
            items.iter().filter_map(|item| item["id"].as_str().map(Into::into)).collect()
        }
    };
    for name in &names {
        let answer = which.remote.post(&["quarantine", name], json!({ "verdict": verdict })).await?;
        which.remote.print(&answer, words);
    }
    if names.is_empty() {
        super::print("Nothing is in quarantine.\n");
    }
    Ok(())
}

fn words(answer: &Value) -> String {
    let reference = answer["reference"].as_str().unwrap_or_default();
    let counts = format!("pages and texts: {}, mails: {}", answer["attempts"], answer["mails"]);
    let verdict = answer["verdict"].as_str().unwrap_or_default();
    let rest = match answer["open"].as_bool() {
        Some(true) => {
            format!("; it is open: its next page comes when it is due, unless `ringdown resolve {reference}`")
        }
        _ => String::new(),
    };
    format!("{reference}: {verdict}; {counts}{rest}.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_settled_is_said_with_what_is_left_to_do() {
        let answer = |open| json!({"reference": "4821", "verdict": "dropped", "attempts": 2, "mails": 1, "open": open});
        insta::assert_snapshot!(words(&answer(true)), @"4821: dropped; pages and texts: 2, mails: 1; it is open: its next page comes when it is due, unless `ringdown resolve 4821`.");
        insta::assert_snapshot!(words(&answer(false)), @"4821: dropped; pages and texts: 2, mails: 1.");
    }
}
