//! The command line: one binary for the service and for the people who use it.
//!
//! `serve`, `demo`, `check`, `simulate`, `simulate-world`, `due`, `elapsed`, `sla`, `migrate`, `doctor`, `init`, `pin`, `password`, `sign-in`,
//! `verify`, `backup`, `restore`, `explain --file` and `token create` work on this machine.
//! Every other command speaks the REST interface of a running service, with a token.

/// A line to standard output. Whoever closes it early (`| head`) has seen enough.
macro_rules! say {
    ($($words:tt)*) => { $crate::cli::print(&format!("{}\n", format_args!($($words)*))) };
}

pub mod act;
pub mod backup;
pub mod business_time;
pub mod client;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod export;
pub mod init;
pub mod intake;
pub mod look;
pub mod nodes;
pub mod overrides;
pub mod password;
pub mod pin;
pub mod quarantine;
pub mod rca;
pub mod report;
pub mod restore;
pub mod serve;
pub mod show;
pub mod sign_in;
pub mod simulate;
pub mod simulate_world;
pub mod sla;
pub mod token;
pub mod verify;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use chrono::{DateTime, Utc};
use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    clock::Clock,
    server::settings::{Settings, Stray, strays},
    store::Db,
};

/// Pages whoever is on call, and whoever comes after, until somebody takes it.
#[derive(Debug, Parser)]
#[command(
    name = "ringdown",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "First steps:
  ringdown demo                      the whole story, on virtual phones, with nothing to set up
  ringdown init DIR                  write settings and example schedules to start from
  ringdown check DIR/schedules       is what people edited right?
  ringdown serve                     the service

Commands that speak with a running service take RINGDOWN_URL and RINGDOWN_TOKEN from the environment:
  export RINGDOWN_TOKEN=$(ringdown token create laptop --role responder --person amara)
  ringdown incidents"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(serve::Args),
    /// Tell the whole story on virtual phones, with nothing to set up
    Demo(demo::Args),
    /// Check a folder of schedules: every error with file, line and what to do
    Check(CheckArgs),
    /// Show who would be paged when, for any instant, without paging anybody
    Simulate(simulate::Args),
    /// Live through worlds of faults, seed by seed, and check that every invariant holds
    SimulateWorld(simulate_world::Args),
    /// When so much open time of a calendar has passed
    Due(business_time::DueArgs),
    /// How much open time of a calendar has passed
    Elapsed(business_time::ElapsedArgs),
    /// When everything a plan promises is due, for a report at some instant
    Sla(sla::Args),
    /// Who is on call
    Oncall(look::OnCallArgs),
    /// Page somebody to see that it arrives
    Page(act::PageArgs),
    /// List incidents
    Incidents(look::IncidentsArgs),
    /// Show one incident, with what happened
    Show(look::ShowArgs),
    /// Take an incident in hand
    Ack(act::AckArgs),
    /// Say how it goes; the customer is told
    Update(act::UpdateArgs),
    /// Ask the customer something and wait for the answer
    Wait(act::WaitArgs),
    /// Record what the customer answered
    Reply(act::ReplyArgs),
    /// Leave an incident that is not ours
    RuleOut(act::RuleOutArgs),
    /// Come back to one that was ruled out
    Reengage(act::ReengageArgs),
    /// Note trouble at a service that everything rests on
    Upstream(act::UpstreamArgs),
    /// Talk to the customer: your phone rings, and 5 puts you through
    Call(act::CallArgs),
    /// Send the customer a link to talk at once
    CallLink(act::CallLinkArgs),
    /// The analysis of the cause: a draft to fill in, or its delivery
    Rca(rca::Args),
    /// Say that it is over
    Resolve(act::ResolveArgs),
    /// Page the next level now
    Escalate(act::EscalateArgs),
    /// Put somebody on call for a while
    #[command(subcommand)]
    Override(overrides::Command),
    /// How each promise of an incident was counted, in plain words
    Explain(explain::Args),
    /// Which promises of a period were kept: a table, a page to print, CSV, JSON, or a file for `verify`
    Report(report::Args),
    /// Everything that proves one incident, as a file for `verify`
    Export(export::Args),
    /// Check an export: was it changed, and were the promises kept? Needs no service
    Verify(verify::Args),
    /// The nodes that share the database: who runs, with which schedules, by which clock
    Nodes(nodes::Args),
    /// What webhooks brought, good or refused
    Intake(intake::Args),
    /// Make, list and revoke tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Set, change or take away a password for the web
    Password(password::Args),
    /// Print a link that signs in to the web once
    SignIn(sign_in::Args),
    /// Hash a caller's PIN for customers.toml
    Pin(pin::Args),
    /// Bring the database's tables up to date
    Migrate(Local),
    /// Copy the database to a new file while the service runs, and check the copy
    Backup(backup::Args),
    /// Put a backup in place, and hold back what it would send until a person has looked
    Restore(restore::Args),
    /// After a restore: what waits to be sent, and whether it still holds
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    /// Find out what is wrong with an installation
    Doctor(doctor::Args),
    /// Print the settings with comments, or write them, example schedules and an administrator into a folder
    Init(init::Args),
    /// Print completions for a shell
    #[command(after_help = "Example:
  ringdown completions bash > /etc/bash_completion.d/ringdown")]
    Completions { shell: clap_complete::Shell },
}

/// What a command that works on this machine needs.
#[derive(Debug, clap::Args)]
pub struct Local {
    /// The settings; `ringdown.toml` in this folder, if there is one, unless said otherwise
    #[arg(long, env = "RINGDOWN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Local {
    /// The settings.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        let asked = RefCell::new(BTreeSet::new());
        let settings = Settings::load(self.config.as_deref(), |name| {
            asked.borrow_mut().insert(name.to_owned());
            std::env::var(name).ok()
        })?;
        let given = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        for stray in strays(given, &asked.into_inner()) {
            match stray {
                Stray::Error(said) => anyhow::bail!("the settings cannot be used:\n{said}"),
                Stray::Warning(said) => eprintln!("ringdown: {said}"),
            }
        }
        Ok(settings)
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown check
  ringdown check /etc/ringdown/schedules --json

The exit code is 0 when it can be used, 1 when it has errors.")]
struct CheckArgs {
    /// The folder of schedules
    #[arg(default_value = "schedules", env = "RINGDOWN_SCHEDULES", value_name = "DIR")]
    dir: PathBuf,
    /// What was loaded and what was found, as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command line: exit code 0, or 1 with one message on standard error (2 when the arguments are wrong).
pub async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check(args) => {
            let (said, code) = crate::config::run_check(&args.dir, args.json, now());
            print(&said);
            return exit_code(code);
        }
        Command::Serve(args) => serve::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Simulate(args) => simulate::run(args, now()),
        Command::SimulateWorld(args) => simulate_world::run(&args),
        Command::Due(args) => business_time::due(args),
        Command::Elapsed(args) => business_time::elapsed(args),
        Command::Sla(args) => sla::run(args),
        Command::Doctor(args) => doctor::run(args).await,
        Command::Oncall(args) => look::on_call(args).await,
        Command::Incidents(args) => look::incidents(args).await,
        Command::Show(args) => look::show(args).await,
        Command::Page(args) => act::page(args).await,
        Command::Ack(args) => act::acknowledge(args).await,
        Command::Update(args) => act::update(args).await,
        Command::Wait(args) => act::wait(args).await,
        Command::Reply(args) => act::reply(args).await,
        Command::RuleOut(args) => act::rule_out(args).await,
        Command::Reengage(args) => act::reengage(args).await,
        Command::Upstream(args) => act::upstream(args).await,
        Command::Call(args) => act::call(args).await,
        Command::CallLink(args) => act::call_link(args).await,
        Command::Rca(args) => rca::run(args).await,
        Command::Resolve(args) => act::resolve(args).await,
        Command::Escalate(args) => act::escalate(args).await,
        Command::Override(command) => overrides::run(command).await,
        Command::Explain(args) => explain::run(args).await,
        Command::Report(args) => report::run(args).await,
        Command::Export(args) => export::run(args).await,
        Command::Verify(args) => return exit_code(verify::run(&args)),
        Command::Nodes(args) => nodes::run(args).await,
        Command::Intake(args) => intake::run(args).await,
        Command::Token(command) => token::run(command).await,
        Command::Password(args) => password::run(args).await,
        Command::SignIn(args) => sign_in::run(args).await,
        Command::Pin(args) => pin::run(args),
        Command::Migrate(local) => migrate(&local).await,
        Command::Backup(args) => backup::run(args).await,
        Command::Restore(args) => restore::run(args).await,
        Command::Quarantine(command) => quarantine::run(command).await,
        Command::Init(args) => init::run(args).await,
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "ringdown", &mut text);
            print(&String::from_utf8_lossy(&text));
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ringdown: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn exit_code(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn now() -> DateTime<Utc> {
    Clock::system().now()
}

async fn migrate(local: &Local) -> anyhow::Result<()> {
    let settings = local.settings()?;
    Db::open(&settings.database).await?.close().await;
    print(&format!("{} is up to date.\n", settings.database_name()));
    Ok(())
}

/// To standard output. Whoever closes it early (`| head`) has seen enough.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// An argument that names an instant.
fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text.trim()).map(|at| at.to_utc()).map_err(|_| {
        "write an instant with its offset, for example 2026-11-01T01:30:00-05:00 or 2026-11-01T06:30:00Z".into()
    })
}

/// Writes a new file, never over one that is there.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_in_its_help_what_it_does() {
        fn walk(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some() || matches!(argument.get_id().as_str(), "help" | "version" | "shell"),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&Cli::command());
    }

    #[test]
    fn an_instant_has_an_offset() {
        assert_eq!(instant("2026-11-01T01:30:00-05:00").unwrap().to_rfc3339(), "2026-11-01T06:30:00+00:00");
        for bad in ["", "tomorrow", "2026-11-01T01:30:00", "2026-11-01"] {
            assert!(instant(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn completions_can_be_made_for_every_shell() {
        use clap::ValueEnum;
        for shell in clap_complete::Shell::value_variants() {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "ringdown", &mut text);
            assert!(String::from_utf8(text).unwrap().contains("incidents"), "{shell}");
        }
    }
}
