//! `ringdown simulate`: who would be paged when, by which way, and what would be promised, for any instant. Reads
//! `schedules/` and nothing else: no database, no carrier.

use std::path::PathBuf;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};

use crate::{
    config::{self, Config},
    id::CustomerKey,
    incident::{
        Contact, Report, Source, World,
        rehearsal::{Answer, Line, What, rehearse},
        timeline::why,
    },
    sla::{Priority, Zone},
    span::Span,
};

/// Shows who would be paged when, without paging anybody.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown simulate --customer acme --priority P1
  ringdown simulate --customer acme --priority P1 --at 2026-11-01T01:30:00-05:00 --ack-after 12m
  ringdown simulate --customer acme --priority P2 --nobody-answers --json")]
pub struct Args {
    /// Whose report it is: a key in customers.toml
    #[arg(long, value_name = "KEY")]
    pub customer: CustomerKey,
    /// P1 to P6
    #[arg(long, default_value = "P1")]
    pub priority: Priority,
    /// When it is reported (RFC 3339); now unless said otherwise
    #[arg(long, value_name = "INSTANT", value_parser = super::instant)]
    pub at: Option<DateTime<Utc>>,
    /// Whoever was paged last acknowledges, so long after the report
    #[arg(long, value_name = "SPAN", conflicts_with = "nobody_answers")]
    pub ack_after: Option<Span>,
    /// Nobody ever answers (also without --ack-after)
    #[arg(long)]
    pub nobody_answers: bool,
    /// The folder of schedules
    #[arg(long, default_value = "schedules", env = "RINGDOWN_SCHEDULES", value_name = "DIR")]
    pub schedules: PathBuf,
    /// As JSON: a list of what happens, each with `at` and `event`
    #[arg(long)]
    pub json: bool,
}

/// Prints the rehearsal.
pub fn run(args: Args, now: DateTime<Utc>) -> anyhow::Result<()> {
    let (config, findings) = config::check(&args.schedules, now);
    let Some(config) = config else {
        for finding in &findings {
            eprintln!("{finding}");
        }
        bail!("the schedules in {} have errors; `ringdown check` lists them", args.schedules.display());
    };
    let at = args.at.unwrap_or(now);
    let (lines, zone) = lines(&config, &args, at)?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        super::print(&table(&lines, &config, &zone));
    }
    Ok(())
}

fn lines(config: &Config, args: &Args, at: DateTime<Utc>) -> anyhow::Result<(Vec<Line>, Zone)> {
    let customer = config.customers.get(&args.customer).with_context(|| {
        let known: Vec<&str> = config.customers.keys().map(CustomerKey::as_str).collect();
        format!("there is no customer `{}`; there are: {}", args.customer, known.join(", "))
    })?;
    let report = Report {
        reference: "0000".into(),
        source: Source::Api { by: "simulate".into() },
        priority: args.priority,
        customer: Some(customer.key.clone()),
        customer_name: customer.name.clone(),
        zone: customer.zone.clone(),
        team: customer.team.clone(),
        plan: customer.plan.clone(),
        title: "Rehearsal".into(),
        detail: String::new(),
        contact: Contact::default(),
        not_before: None,
    };
    let answer = args.ack_after.map_or(Answer::Nobody, |span| Answer::After(span.delta()));
    let lines = rehearse(report, World { config, overrides: &[] }, at, answer)?;
    Ok((lines, customer.zone.clone()))
}

fn table(lines: &[Line], config: &Config, zone: &Zone) -> String {
    let Some(first) = lines.first() else { return String::new() };
    let name = |key| config.people.get(key).map_or("?", |person| person.name.as_str());
    let local = first.at.with_timezone(zone);
    let mut text = format!("Clock times in {zone}; reported on {}\n\n", local.format("%a %d %b %Y at %H:%M %:z"));
    for line in lines {
        let words = match &line.what {
            What::Opened { customer, priority, .. } => format!("{priority} reported by {customer}"),
            What::LevelReached { name, cause, round, .. } if *round > 0 => {
                format!("level {name} ({}), round {}", why(*cause), round + 1)
            }
            What::LevelReached { name, cause, .. } => format!("level {name} ({})", why(*cause)),
            What::LevelSkipped { name, .. } => format!("level {name} skipped: nobody stands on it"),
            What::Paged { .. } => continue,
            What::Attempt { person, channel, .. } => format!("  {} by {}", name(person), channel.as_str()),
            What::Acknowledged { person } => format!("acknowledged by {}", name(person)),
            What::LadderExhausted => "every level and round is used up".into(),
            What::ResponseDue => "PROMISE: the callback is due".into(),
            What::UpdateDue { window } => format!("PROMISE: update {window} is due"),
            What::ResponseMissed => "the callback is missed: the level rises".into(),
            What::UpdateMissed { window } => format!("update {window} is missed: the level rises"),
        };
        let (at, after) = (line.at.with_timezone(zone).format("%a %d %b %H:%M:%S"), line.at - first.at);
        text.push_str(&format!("{at}  +{:<7} {words}\n", Span::seconds(after.num_seconds() as u32).to_string()));
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn rehearsed(more: &[&str]) -> anyhow::Result<String> {
        let folder = tempfile::tempdir()?;
        config::write_example(&folder.path().join("s"))?;
        let schedules = folder.path().join("s").display().to_string();
        let line = ["simulate", "--customer", "acme", "--schedules", &schedules];
        let args = Line::try_parse_from(line.iter().chain(more))?.args;
        let at = args.at.context("no instant")?;
        let (config, _) = config::check(&args.schedules, at);
        let config = config.context("the example is not sound")?;
        let (lines, zone) = lines(&config, &args, at)?;
        Ok(table(&lines, &config, &zone))
    }

    #[test]
    fn a_rehearsal_says_on_which_day_it_is_and_which_of_two_half_past_ones() {
        let said = rehearsed(&["--at", "2026-11-01T01:58:00-04:00", "--ack-after", "6m"]).unwrap();
        let head: Vec<&str> = said.lines().take(6).collect();
        assert_eq!(
            head,
            [
                "Clock times in America/New_York; reported on Sun 01 Nov 2026 at 01:58 -04:00",
                "",
                "Sun 01 Nov 01:58:00  +0s      P1 reported by Acme Bank",
                "Sun 01 Nov 01:58:00  +0s      level on-call engineer (new)",
                "Sun 01 Nov 01:58:00  +0s        Anna Reyes by sms",
                "Sun 01 Nov 01:58:00  +0s        Anna Reyes by voice",
            ]
        );
        assert!(said.contains("Sun 01 Nov 01:03:00  +5m      level team lead"), "{said}");
    }

    #[test]
    fn an_instant_without_an_offset_is_explained() {
        let error = rehearsed(&["--at", "2026-11-01T01:30:00"]).unwrap_err().to_string();
        assert!(error.contains("write an instant with its offset"), "{error}");
    }
}
