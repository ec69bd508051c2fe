//! Commands that do something to an incident, and the test page.

use chrono::Local;
use serde_json::{Value, json};

use super::{client::Remote, now, show};

/// Which incident, and for whom.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// Its reference, or its long id
    #[arg(value_name = "REF")]
    pub(super) reference: String,
    /// For whom it is done, with a commander's token
    #[arg(long = "as", value_name = "PERSON")]
    on_behalf: Option<String>,
    #[command(flatten)]
    pub(super) remote: Remote,
}

impl Target {
    pub(super) async fn act(&self, what: &str, mut body: Value, done: &str) -> anyhow::Result<()> {
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

/// Ask the customer something; the plan says what happens without an answer.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  ringdown wait 4821 'Please send us the log of the import of this morning.'

The customer is told. Nothing but what the plan says stands still meanwhile.")]
pub struct WaitArgs {
    #[command(flatten)]
    target: Target,
    /// What the customer is asked
    question: String,
}

/// Waits on the customer.
pub async fn wait(args: WaitArgs) -> anyhow::Result<()> {
    args.target.act("wait", json!({"reason": args.question}), "waits on the customer").await
}

/// What the customer answered, when it did not reach us by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  ringdown reply 4821 'The log is attached to their ticket.'

A closed incident is open again.")]
pub struct ReplyArgs {
    #[command(flatten)]
    target: Target,
    /// What the customer said
    text: String,
}

/// Records a customer's reply.
pub async fn reply(args: ReplyArgs) -> anyhow::Result<()> {
    args.target.act("reply", json!({"text": args.text}), "has the customer's reply").await
}

/// Leave an incident that is not ours; a call of the customer engages the team again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  ringdown rule-out 4821 'Our side answers; your proxy refuses the requests.'")]
pub struct RuleOutArgs {
    #[command(flatten)]
    target: Target,
    /// What shows it; the customer is told
    note: String,
}

/// Rules our part out.
pub async fn rule_out(args: RuleOutArgs) -> anyhow::Result<()> {
    args.target.act("rule-out", json!({"note": args.note}), "is ruled out as ours").await
}

/// Come back to what was ruled out: people are paged, and every promise starts anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  ringdown reengage 4821 --why 'they see it again'")]
pub struct ReengageArgs {
    #[command(flatten)]
    target: Target,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: String,
}

/// Engages the team again.
pub async fn reengage(args: ReengageArgs) -> anyhow::Result<()> {
    args.target.act("reengage", json!({"why": args.why}), "is ours again").await
}

/// Note that a service of somebody else has trouble; the customer and its subscribers are told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  ringdown upstream 4821 'AWS S3' 'Slow in us-east-1, says their status page.'")]
pub struct UpstreamArgs {
    #[command(flatten)]
    target: Target,
    /// Which service
    service: String,
    /// What is known
    text: String,
}

/// Notes trouble upstream.
pub async fn upstream(args: UpstreamArgs) -> anyhow::Result<()> {
    args.target.act("upstream", json!({"service": args.service, "text": args.text}), "noted").await
}

/// Talk to the customer: your own phone rings, and 5 puts you through.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown call 4821
  ringdown call 4821 --as amara      Amara's phone rings, with a commander's token

The talk is measured: 30 seconds of it keep the promise to call back.")]
pub struct CallArgs {
    #[command(flatten)]
    target: Target,
}

/// Has the phone rung.
pub async fn call(args: CallArgs) -> anyhow::Result<()> {
    let Target { reference, on_behalf, remote } = &args.target;
    let body = on_behalf.as_ref().map_or(json!({}), |person| json!({"as": person}));
    let answer = remote.post(&["incidents", reference, "call"], body).await?;
    remote.print(&answer, show::call);
    Ok(())
}

/// Send the customer the plan's link to talk at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  ringdown call-link 4821")]
pub struct CallLinkArgs {
    #[command(flatten)]
    target: Target,
}

/// Offers a call.
pub async fn call_link(args: CallLinkArgs) -> anyhow::Result<()> {
    args.target.act("call-link", json!({}), "link sent").await
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
