//! `ringdown sign-in`: a link that signs in once. Needs no running service to be made: whoever can write the database may.

use anyhow::ensure;
use chrono::TimeDelta;
use serde_json::json;

use super::{Local, now, password::known};
use crate::{
    access::{
        Role,
        audit::{self, Entry, what},
        sign_in::{self, LINK_LIFE},
    },
    id::PersonKey,
    server::settings::Settings,
    store::{Db, Tx},
};

/// Print a link that signs in to the web once, within ten minutes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown sign-in --person anna         as Anna, with her role
  ringdown sign-in                       as an administrator, to get back in
  xdg-open $(ringdown sign-in --role viewer)")]
pub struct Args {
    /// As this person: a key in people.toml
    #[arg(long, value_name = "KEY", conflicts_with = "role")]
    person: Option<PersonKey>,
    /// As nobody in particular, with this role
    #[arg(long, default_value = "admin")]
    role: Role,
    #[command(flatten)]
    here: Local,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Prints the link.
pub async fn run(args: Args) -> anyhow::Result<()> {
    ensure!(args.role != Role::Intake, "`intake` is for programs; see `ringdown token create`");
    let settings = args.here.settings()?;
    if let Some(person) = &args.person {
        known(&settings, person)?;
    }
    let db = Db::open(&settings.database).await?;
    let mut tx = db.begin().await?;
    let role = args.person.is_none().then_some(args.role);
    let now = now();
    let link = link(&mut tx, &settings, args.person.as_ref(), role, now).await?;
    tx.commit().await?;
    db.close().await;
    if args.json {
        super::print(&format!("{:#}\n", json!({"url": link, "expires_at": now + LINK_LIFE})));
    } else {
        super::print(&format!("{link}\n"));
        eprintln!("It works once, within {} minutes.", TimeDelta::num_minutes(&LINK_LIFE));
    }
    Ok(())
}

/// A new link, as it is opened in a browser.
pub(super) async fn link(
    tx: &mut Tx,
    settings: &Settings,
    person: Option<&PersonKey>,
    role: Option<Role>,
    now: crate::clock::Time,
) -> sqlx::Result<String> {
    let name = person.map_or("one-time link", PersonKey::as_str);
    let token = sign_in::make_link(tx, person, name, role, now).await?;
    let detail = person.map_or_else(|| role.map_or("", Role::as_str).to_owned(), |person| format!("for {person}"));
    let entry = Entry { who: audit::HERE, what: what::LINK_MADE, network: None, detail: Some(&detail) };
    audit::note(tx, entry, now).await?;
    Ok(format!("{}/sign-in/link/{token}", settings.public_url))
}
