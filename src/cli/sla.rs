//! `ringdown sla`: when everything a plan promises is due, one question or a stream of them.

use std::{borrow::Cow, collections::BTreeMap, io, path::Path, path::PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{
    business_time::{batch, folder, question, unknown},
    instant, print,
};
use crate::{
    id::PlanKey,
    sla::{NoOutlook, Outlook, Plan, Priority, Term, Zone, outlook::written},
};

/// When everything is due.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown sla --plan synchronet-click --priority P1 --at 2026-06-05T16:30:00-05:00
  ringdown sla --plan clickhelp:growth --priority P2 --at 2026-06-05T20:00:00Z --json
  ringdown sla --plan priority-matrix --priority P6 --at 2026-06-05T20:00:00Z --not-before 2026-06-13T08:00:00Z
  echo '{\"plan\":\"clickhelp:growth\",\"priority\":\"P2\",\"at\":\"2026-06-05T20:00:00Z\"}' | ringdown sla --stdin")]
pub struct Args {
    /// The name of a file in `plans/`, with the tier where it has tiers
    #[arg(long, value_name = "NAME[:TIER]", required_unless_present = "stdin")]
    plan: Option<String>,
    /// P1 to P6
    #[arg(long, required_unless_present = "stdin")]
    priority: Option<Priority>,
    /// When it was reported; analyses are counted as if it was over then, and closing as if the customer was last
    /// heard from then (RFC 3339)
    #[arg(long, value_name = "INSTANT", value_parser = instant, required_unless_present = "stdin")]
    at: Option<DateTime<Utc>>,
    /// The customer wants it done no sooner; for priorities that the customer schedules (RFC 3339)
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    not_before: Option<DateTime<Utc>>,
    /// The folder of schedules; the built-in example if it is not there
    #[arg(long, default_value = "schedules", env = "RINGDOWN_SCHEDULES", value_name = "DIR")]
    calendar_dir: PathBuf,
    /// Answer questions from standard input: one JSON object a line, with `plan`, `priority`, `at` and perhaps
    /// `not_before`
    #[arg(long, conflicts_with_all = ["plan", "priority", "at", "not_before"])]
    stdin: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Prints when everything is due.
pub fn run(args: Args) -> anyhow::Result<()> {
    let plans = Plans::load(&args.calendar_dir)?;
    let (Some(name), Some(priority), Some(at)) = (&args.plan, args.priority, args.at) else {
        return batch(|line| plans.answer(line), io::stdin().lock(), io::stdout().lock());
    };
    let plan = plans.get(name).map_err(anyhow::Error::msg)?;
    let outlook = plan.outlook(priority, at, args.not_before)?;
    match args.json {
        true => print(&format!("{}\n", serde_json::to_string(&outlook)?)),
        false => print(&table(plan, priority, &outlook)),
    }
    Ok(())
}

/// The plans of a folder.
pub struct Plans(BTreeMap<PlanKey, Plan>);

impl Plans {
    /// Reads a folder; only what is wrong with plans and calendars matters. The built-in example stands in for a folder
    /// that is not there.
    pub fn load(dir: &Path) -> anyhow::Result<Self> {
        Ok(Plans(folder(dir, &["plans", "calendars", "holidays"])?.plans))
    }

    fn get(&self, name: &str) -> Result<&Plan, String> {
        let names = || self.0.keys().map(PlanKey::as_str);
        self.0.get(name).ok_or_else(|| {
            let file = name.split(':').next().unwrap_or_default();
            let tiers: Vec<&str> = names().filter(|key| key.split_once(':').is_some_and(|key| key.0 == file)).collect();
            if tiers.is_empty() {
                return unknown("plan", name, names());
            }
            let shown: String = name.chars().take(64).collect();
            format!("there is no plan `{shown}`; these tiers exist: {}", tiers.join(", "))
        })
    }

    fn answer(&self, line: &[u8]) -> Result<Value, String> {
        let question: Question<'_> = question(line)?;
        let plan = self.get(&question.plan)?;
        let priority: Priority = question.priority.parse().map_err(|error| format!("`priority`: {error}"))?;
        let at = |name: &str, text: &str| instant(text).map_err(|error| format!("`{name}`: {error}"));
        let not_before = question.not_before.map(|text| at("not_before", &text)).transpose()?;
        let outlook = plan.outlook(priority, at("at", &question.at)?, not_before);
        let outlook = outlook.map_err(|error: NoOutlook| error.to_string())?;
        serde_json::to_value(outlook).map_err(|error| error.to_string())
    }
}

/// One line of a batch.
#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    plan: Cow<'a, str>,
    #[serde(borrow)]
    priority: Cow<'a, str>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow, default)]
    not_before: Option<Cow<'a, str>>,
}

/// A line a promise: what it is, how it is counted, when it is due in UTC and on the plan's own clock.
fn table(plan: &Plan, priority: Priority, outlook: &Outlook) -> String {
    let promise = plan.promise(priority);
    let rca = promise.rca.as_ref();
    let updates = promise.updates.as_ref().map(|updates| &updates.every);
    let ends = outlook.updates.as_deref().unwrap_or_default();
    let mut rows = vec![("response".to_owned(), promise.response.as_ref(), outlook.response.as_ref())];
    match ends {
        [] => rows.push(("update".into(), updates, None)),
        ends => rows.extend((1..).zip(ends).map(|(n, end)| (format!("update {n}"), updates, Some(end)))),
    }
    rows.push(("resolution".into(), promise.resolution.as_ref(), outlook.resolution.as_ref()));
    rows.push(("RCA draft".into(), rca.and_then(|rca| rca.draft.as_ref()), outlook.rca_draft.as_ref()));
    rows.push(("RCA final".into(), rca.and_then(|rca| rca.last.as_ref()), outlook.rca_final.as_ref()));
    let idle = plan.idle.as_ref().map(|idle| &idle.close_after);
    rows.push(("closed when idle".into(), idle, outlook.idle_close.as_ref()));
    let mut said = format!("{} ({}), {priority} {}\n", plan.title, plan.key, promise.title);
    for (name, term, due) in rows {
        let (counted, due) = match (term, due) {
            (Some(term), Some(due)) => {
                let local = due.with_timezone(&zone(plan, term));
                (
                    format!("{term} {}", term.calendar),
                    format!("{}  {}", written(due), local.format("%a %Y-%m-%d %H:%M %Z")),
                )
            }
            (Some(term), None) => (format!("{term} {}", term.calendar), "when the customer says from when".into()),
            (None, _) => ("-".into(), "not promised".into()),
        };
        said.push_str(&format!("  {name:<18}{counted:<26}{due}\n"));
    }
    said
}

/// The clock a term is read on: its calendar's; for one around the clock that of the plan's first other calendar.
fn zone(plan: &Plan, term: &Term) -> Zone {
    let own = plan.calendars.get(&term.calendar).map(|calendar| calendar.calendar());
    own.or_else(|| plan.calendars.iter().next()).map_or_else(Zone::utc, |calendar| calendar.zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans() -> Plans {
        Plans::load(Path::new("/nonexistent/schedules")).unwrap()
    }

    #[test]
    fn a_question_is_answered_with_every_due_instant() {
        let line = br#"{"plan":"synchronet-click","priority":"P1","at":"2026-06-05T16:30:00-05:00"}"#;
        let expected = serde_json::json!({
            "response": "2026-06-05T22:00:00Z",
            "updates": [
                "2026-06-05T22:30:00Z", "2026-06-05T23:30:00Z", "2026-06-06T00:30:00Z", "2026-06-06T01:30:00Z",
                "2026-06-06T02:30:00Z"
            ],
            "resolution": null,
            "rca_draft": "2026-06-10T21:30:00Z",
            "rca_final": "2026-06-12T21:30:00Z",
            "idle_close": "2026-06-11T21:30:00Z"
        });
        assert_eq!(plans().answer(line), Ok(expected));
    }

    #[test]
    fn what_cannot_be_answered_says_what_exists() {
        let plans = plans();
        for (plan, priority, at, said) in [
            (
                "clickhelp",
                "P1",
                "2026-06-05T16:30:00Z",
                "these tiers exist: clickhelp:growth, clickhelp:professional, clickhelp:starter",
            ),
            ("clickhelp:gold", "P1", "2026-06-05T16:30:00Z", "these tiers exist: clickhelp:growth"),
            ("syncro-sof", "P1", "2026-06-05T16:30:00Z", "did you mean `syncro-soft`?"),
            ("gold", "P1", "2026-06-05T16:30:00Z", "these exist: clickhelp:growth, "),
            ("syncro-soft", "P5", "2026-06-05T16:30:00Z", "plan `syncro-soft` has no P5; it has P1, P2, P3, P4"),
            ("syncro-soft", "P9", "2026-06-05T16:30:00Z", "`priority`: `P9` is not a priority"),
            ("syncro-soft", "P1", "2026-06-05T16:30:00", "`at`: write an instant with its offset"),
            ("syncro-soft", "P1", "2205-06-05T16:30:00Z", "1970 to 2199"),
            ("synchronet-click", "P1", "1969-06-05T16:30:00Z", "1970 to 2199"),
        ] {
            let line = serde_json::json!({ "plan": plan, "priority": priority, "at": at }).to_string();
            let answer = plans.answer(line.as_bytes()).unwrap_err();
            assert!(answer.contains(said), "{plan} {priority} {at}: {answer}");
        }
        assert!(plans.answer(b"").unwrap_err().contains("empty"));
        assert!(plans.answer(b"{}").is_err() && plans.answer(b"[]").is_err());
    }

    #[test]
    fn a_person_reads_each_promise_on_its_own_clock() {
        let plans = plans();
        let plan = plans.get("priority-matrix").unwrap();
        let at = instant("2026-06-05T16:30:00-04:00").unwrap();
        let shown = |priority, not_before| {
            table(plan, priority, &plan.outlook(priority, at, not_before).unwrap()).lines().nth(1).unwrap().to_owned()
        };
        let due = "  response          3bd matrix-8x5            2026-06-10T20:30:00Z  Wed 2026-06-10 16:30 -04:00";
        assert_eq!(shown(Priority::P4, None), due);
        let waits = "  response          1bd matrix-8x5            when the customer says from when";
        assert_eq!(shown(Priority::P6, None), waits);
        // What is wanted earlier than it is reported starts with the report.
        let early = instant("2026-06-01T12:00:00Z").unwrap();
        assert!(shown(Priority::P6, Some(early)).contains("2026-06-08T20:30:00Z"));
    }
}
