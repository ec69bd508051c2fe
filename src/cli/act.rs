//! Commands that do something to an incident, and the test page.

use chrono::Local;
use serde_json::{Value, json};

use super::{client::Remote, now, show};

/// Which incident, and for whom.
#[derive(Debug, clap::Args)]
struct Target {
    /// Its reference, or its long id
    #[arg(value_name = "REF")]
    reference: String,
    /// For whom it is done, with a commander's token
    #[arg(long = "as", value_name = "PERSON")]
    on_behalf: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

impl Target {
    async fn act(&self, what: &str, mut body: Value, done: &str) -> anyhow::Result<()> {
        if let Some(person) = &self.on_behalf {
            body["as"] = json!(person);
        }
        let answer = self.remote.post(&["incidents", &self.reference, what], body).await?;
        self.remote.print(&answer, |answer| show::after(answer, done, now(), &Local));
        Ok(())
    }
}

/// Take an incident in hand.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown ack 4821
  ringdown ack 4821 --as amara")]
pub struct AckArgs {
    #[command(flatten)]
    target: Target,
}

/// Acknowledges.
pub async fn acknowledge(args: AckArgs) -> anyhow::Result<()> {
    args.target.act("acknowledge", json!({}), "acknowledged").await
}

/// Say how it goes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown update 4821 'The database is restored; we watch it for an hour.'
  ringdown update 4821 --internal 'Disk 3 again.'")]
pub struct UpdateArgs {
    #[command(flatten)]
    target: Target,
    /// What to say
    text: String,
    /// Not for the customer; meets no promise
    #[arg(long)]
    internal: bool,
}

/// Posts an update.
pub async fn update(args: UpdateArgs) -> anyhow::Result<()> {
    let body = json!({"text": args.text, "customer_visible": !args.internal});
    args.target.act("updates", body, if args.internal { "noted" } else { "updated" }).await
}

/// Say that it is over.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown resolve 4821
  ringdown resolve 4821 --note 'Rolled back release 118.'")]
pub struct ResolveArgs {
    #[command(flatten)]
    target: Target,
    /// What was done
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    note: String,
}

/// Resolves.
pub async fn resolve(args: ResolveArgs) -> anyhow::Result<()> {
    args.target.act("resolve", json!({"note": args.note}), "resolved").await
}

/// Page the next level now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  ringdown escalate 4821 --why 'need somebody who knows the storage'")]
pub struct EscalateArgs {
    #[command(flatten)]
    target: Target,
    /// Why; whoever is paged hears it
    #[arg(long, value_name = "TEXT")]
    why: String,
}

/// Escalates.
pub async fn escalate(args: EscalateArgs) -> anyhow::Result<()> {
    args.target.act("escalate", json!({"why": args.why}), "escalated").await
}

/// Page somebody to see that it arrives.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  ringdown page amara                a text and a call, clearly marked as a test")]
pub struct PageArgs {
    /// The person's key
    person: String,
    #[command(flatten)]
    remote: Remote,
}

/// Sends a test page.
pub async fn page(args: PageArgs) -> anyhow::Result<()> {
    let answer = args.remote.post(&["people", &args.person, "test-page"], json!({})).await?;
    args.remote.print(&answer, show::test_page);
    Ok(())
}
