//! `ringdown password`: who signs in with one. Needs no running service: whoever can write the database may.

use std::io::{BufRead, IsTerminal, Read};

use anyhow::{Context, bail, ensure};
use serde_json::json;

use super::{Local, now};
use crate::{
    access::{
        Role,
        audit::{self, Entry, what},
        password::{self, store},
        session,
    },
    clock::Time,
    config,
    id::PersonKey,
    server::settings::Settings,
    store::{Db, Tx},
};

/// Set, change or take away a password for the web, in the database of this machine's settings.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown password admin --role admin --generate     makes one, and prints it this once
  ringdown password anna --person anna                asks for it; her role is the one in people.toml
  ringdown password anna < file                       changes it; her sessions with the old one end
  ringdown password anna --remove")]
pub struct Args {
    /// The name to sign in with
    name: String,
    /// What its owner may do; kept as it was if left out
    #[arg(long, conflicts_with = "person")]
    role: Option<Role>,
    /// Whose it is: a key in people.toml, whose role holds
    #[arg(long, value_name = "KEY")]
    person: Option<PersonKey>,
    /// Make one and print it, instead of reading it from standard input
    #[arg(long)]
    generate: bool,
    /// Take it away
    #[arg(long, conflicts_with_all = ["role", "person", "generate"])]
    remove: bool,
    #[command(flatten)]
    here: Local,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Carries the command out.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let name = password::name(&args.name)
        .context("a name has 1 to 100 letters, digits, `.`, `_`, `-`, `@` or `+`, and no spaces")?;
    ensure!(args.role != Some(Role::Intake), "`intake` is for programs; see `ringdown token create`");
    let settings = args.here.settings()?;
    if let Some(person) = &args.person {
        known(&settings, person)?;
    }
    let db = Db::open(&settings.database).await?;
    let done = if args.remove { remove(&db, &name).await } else { set(&db, &name, &args).await };
    db.close().await;
    let (words, generated) = done?;
    if args.json {
        super::print(&format!("{:#}\n", json!({"name": name, "password": generated})));
    } else {
        if let Some(generated) = generated {
            super::print(&format!("{generated}\n"));
        }
        // Beside the password, so that `$(…)` catches the password alone.
        eprintln!("{words}");
    }
    Ok(())
}

/// The folder of schedules may be elsewhere; where it is here, it knows the person.
pub(super) fn known(settings: &Settings, person: &PersonKey) -> anyhow::Result<()> {
    if let Ok(loaded) = config::load(&settings.schedules) {
        let shown = settings.schedules.display();
        ensure!(loaded.config.people.contains_key(person), "there is no person `{person}` in {shown}");
    }
    Ok(())
}

async fn remove(db: &Db, name: &str) -> anyhow::Result<(String, Option<String>)> {
    let mut tx = db.begin().await?;
    if !store::remove(&mut tx, name).await? {
        bail!("there is no password for `{name}`");
    }
    let ended = session::store::end_all_of_account(&mut tx, name, now()).await?;
    audit::note(&mut tx, entry(what::PASSWORD_REMOVED, name), now()).await?;
    tx.commit().await?;
    Ok((format!("{name} has no password any more; {} of theirs ended", sessions(ended)), None))
}

async fn set(db: &Db, name: &str, args: &Args) -> anyhow::Result<(String, Option<String>)> {
    let before = store::find(&mut db.read().await?, name).await?;
    let known = before.as_ref().and_then(|before| before.person.clone()).map(PersonKey::from);
    let person = args.person.clone().or(known.filter(|_| args.role.is_none()));
    let role = args.role.or(before.as_ref().and_then(|before| before.role)).filter(|_| person.is_none());
    ensure!(
        person.is_some() || role.is_some(),
        "`{name}` is new: say what its owner may do (--role), or whose it is (--person)"
    );
    let generated = args.generate.then(password::generate);
    let given = match &generated {
        Some(generated) => generated.clone(),
        None => read(name)?,
    };
    let hash = password::hash(&given)?;
    let mut tx = db.begin().await?;
    let ended = keep(&mut tx, name, &hash, role, person.as_ref(), now()).await?;
    tx.commit().await?;
    let may = match (&person, role) {
        (Some(person), _) => format!("{person}, with the role in people.toml"),
        (None, role) => format!("the role {}", role.map_or("", Role::as_str)),
    };
    let ended = if ended > 0 { format!("; {} with the old one ended", sessions(ended)) } else { String::new() };
    Ok((format!("{name} signs in as {may}{ended}"), generated))
}

/// Writes a password down, and ends the sessions with the one before; says how many.
pub(super) async fn keep(
    tx: &mut Tx,
    name: &str,
    hash: &str,
    role: Option<Role>,
    person: Option<&PersonKey>,
    now: Time,
) -> sqlx::Result<u64> {
    store::set(tx, name, hash, role, person.map(PersonKey::as_str), now).await?;
    let ended = session::store::end_all_of_account(tx, name, now).await?;
    audit::note(tx, entry(what::PASSWORD_SET, name), now).await?;
    Ok(ended)
}

fn entry<'a>(what: &'a str, name: &'a str) -> Entry<'a> {
    Entry { who: audit::HERE, what, network: None, detail: Some(name) }
}

fn sessions(count: u64) -> String {
    if count == 1 { "1 session".into() } else { format!("{count} sessions") }
}

fn read(name: &str) -> anyhow::Result<String> {
    let input = std::io::stdin().lock();
    if input.is_terminal() {
        eprint!("Password for {name} (at least 10 characters, shown as you type): ");
    }
    let mut line = String::new();
    input.take(1000).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
