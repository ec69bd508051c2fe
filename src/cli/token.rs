//! `ringdown token`: who is let in. Making one needs no running service: whoever can write the database may.

use anyhow::ensure;
use chrono::{Local, TimeDelta};
use serde_json::json;

use super::{Local as Here, client::Remote, now, show};
use crate::{
    access::{
        self, Role,
        audit::{self, Entry, what},
    },
    id::PersonKey,
    store::Db,
};

/// Make, list and revoke tokens.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make one, in the database of this machine's settings; its text is printed this once
    #[command(after_help = "Examples:
  ringdown token create laptop --role responder --person amara
  ringdown token create grafana --role intake --days 90
  export RINGDOWN_TOKEN=$(ringdown token create admin --role admin)")]
    Create(CreateArgs),
    /// Those that were made, newest first
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Refuse one from now on
    Revoke {
        /// Its id, `tok_…`
        jti: String,
        #[command(flatten)]
        remote: Remote,
    },
}

/// A token to make.
#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    /// Who or what it is for
    name: String,
    /// What it may do
    #[arg(long)]
    role: Role,
    /// The person who acts with it: a key in people.toml
    #[arg(long, value_name = "KEY")]
    person: Option<PersonKey>,
    /// How many days it holds
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// It holds until it is revoked
    #[arg(long, conflicts_with = "days")]
    forever: bool,
    #[command(flatten)]
    here: Here,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Carries the command out.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create(args) => create(args).await?,
        Command::List { remote } => {
            let answer = remote.get(&["tokens"], &[("limit", "200".into())]).await?;
            remote.print(&answer, |answer| show::tokens(answer, now(), &Local));
        }
        Command::Revoke { jti, remote } => {
            remote.delete(&["tokens", &jti]).await?;
            remote.print(&json!({"revoked": jti}), |_| format!("{jti} is refused from now on.\n"));
        }
    }
    Ok(())
}

async fn create(args: CreateArgs) -> anyhow::Result<()> {
    let name = args.name.trim();
    ensure!((1..=200).contains(&name.chars().count()), "give the token a name of 1 to 200 characters");
    let settings = args.here.settings()?;
    let key = access::token_key(&settings)?;
    let db = Db::open(&settings.database).await?;
    let now = now();
    let expires_at = (!args.forever).then(|| now + TimeDelta::days(args.days.into()));
    let mut tx = db.begin().await?;
    let (claims, token) = access::grant(&mut tx, &key, name, args.role, args.person, expires_at, now).await?;
    let detail = format!("{} for {name}, {}", claims.jti, args.role.as_str());
    let entry = Entry { who: audit::HERE, what: what::TOKEN_MADE, network: None, detail: Some(&detail) };
    audit::note(&mut tx, entry, now).await?;
    tx.commit().await?;
    db.close().await;
    if args.json {
        let answer = json!({"jti": claims.jti, "expires_at": expires_at, "token": token});
        super::print(&format!("{answer:#}\n"));
    } else {
        super::print(&format!("{token}\n"));
        // Beside the token, so that `$(…)` catches the token alone.
        eprintln!("{} for {name}, role {}; it is not shown again", claims.jti, args.role.as_str());
    }
    Ok(())
}
