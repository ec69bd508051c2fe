//! `ringdown due` and `ringdown elapsed`: arithmetic in a calendar's open time, one question or a stream of them.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{instant, print};
use crate::{
    config::{
        Config, example_files,
        finding::{Finding, nearest},
        load::{environment, parse, read},
    },
    sla::{Amount, Compiled, outlook::written},
    span::Span,
};

/// No line of a batch is longer, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// When so much open time has passed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown due --calendar bucharest-business --from 2026-04-09T16:30:00+03:00 --amount 8h
  ringdown due --calendar click-support --from 2026-11-25T21:00:00Z --amount 3bd --json
  echo '{\"calendar\":\"always\",\"from\":\"2026-01-01T00:00:00Z\",\"amount\":\"8h\"}' | ringdown due --stdin")]
pub struct DueArgs {
    #[command(flatten)]
    calendar: CalendarArgs,
    /// When the clock starts (RFC 3339)
    #[arg(long, value_name = "INSTANT", value_parser = instant, required_unless_present = "stdin")]
    from: Option<DateTime<Utc>>,
    /// How much open time: `30m`, `8h`, `3bd` (business days of the calendar)
    #[arg(long, required_unless_present = "stdin", conflicts_with = "stdin")]
    amount: Option<Amount>,
}

/// How much open time has passed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown elapsed --calendar bucharest-business --from 2026-04-09T16:30:00+03:00 --to 2026-04-14T09:30:00+03:00
  ringdown elapsed --stdin < questions.jsonl")]
pub struct ElapsedArgs {
    #[command(flatten)]
    calendar: CalendarArgs,
    /// From when (RFC 3339)
    #[arg(long, value_name = "INSTANT", value_parser = instant, required_unless_present = "stdin")]
    from: Option<DateTime<Utc>>,
    /// Until when (RFC 3339)
    #[arg(
        long,
        value_name = "INSTANT",
        value_parser = instant,
        required_unless_present = "stdin",
        conflicts_with = "stdin"
    )]
    to: Option<DateTime<Utc>>,
}

#[derive(Debug, clap::Args)]
struct CalendarArgs {
    /// A key in calendars.toml
    #[arg(long, value_name = "NAME", required_unless_present = "stdin")]
    calendar: Option<String>,
    /// The folder of schedules; the built-in example if it is not there
    #[arg(long, default_value = "schedules", env = "RINGDOWN_SCHEDULES", value_name = "DIR")]
    calendar_dir: PathBuf,
    /// Answer questions from standard input: one JSON object a line, with `calendar`, `from`, and `amount` or `to`
    #[arg(long, conflicts_with_all = ["calendar", "from"])]
    stdin: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Prints when it is due.
pub fn due(args: DueArgs) -> anyhow::Result<()> {
    let calendars = Calendars::load(&args.calendar.calendar_dir)?;
    let (Some(name), Some(from), Some(amount)) = (&args.calendar.calendar, args.from, args.amount) else {
        return batch(|line| answer(&calendars, line), io::stdin().lock(), io::stdout().lock());
    };
    let calendar = calendars.get(name).map_err(anyhow::Error::msg)?;
    let due = calendar.due(from, amount)?;
    if args.calendar.json {
        print(&format!("{}\n", json!({ "due": written(&due) })));
    } else {
        let zone = &calendar.calendar().zone;
        print(&format!("{}  ({} {zone})\n", written(&due), due.with_timezone(zone).format("%a %Y-%m-%d %H:%M:%S")));
    }
    Ok(())
}

/// Prints how much open time has passed.
pub fn elapsed(args: ElapsedArgs) -> anyhow::Result<()> {
    let calendars = Calendars::load(&args.calendar.calendar_dir)?;
    let (Some(name), Some(from), Some(to)) = (&args.calendar.calendar, args.from, args.to) else {
        return batch(|line| answer(&calendars, line), io::stdin().lock(), io::stdout().lock());
    };
    let seconds =
        calendars.get(name).and_then(|calendar| open_seconds(calendar, from, to)).map_err(anyhow::Error::msg)?;
    if args.calendar.json {
        print(&format!("{}\n", json!({ "elapsed_seconds": seconds })));
    } else {
        let hours = Span::seconds(u32::try_from(seconds % 3600)?);
        print(&format!("{seconds} s  ({} h {hours})\n", seconds / 3600));
    }
    Ok(())
}

/// The calendars of a folder, ready for questions.
pub struct Calendars(BTreeMap<String, Compiled>);

impl Calendars {
    /// Reads a folder; only what is wrong with calendars and holidays matters. The built-in example stands in for a
    /// folder that is not there.
    pub fn load(dir: &Path) -> anyhow::Result<Self> {
        let calendars = folder(dir, &["calendars", "holidays"])?.calendars;
        Ok(Calendars(calendars.into_iter().map(|(key, calendar)| (key.to_string(), Compiled::new(calendar))).collect()))
    }

    fn get(&self, name: &str) -> Result<&Compiled, String> {
        self.0.get(name).ok_or_else(|| unknown("calendar", name, self.0.keys().map(String::as_str)))
    }
}

/// Reads a folder, of which only these sections must be sound. The built-in example stands in for one that is not
/// there.
pub fn folder(dir: &Path, sections: &[&str]) -> anyhow::Result<Config> {
    let loaded = if dir.exists() {
        read(dir, &environment)
    } else {
        if dir != Path::new("schedules") {
            eprintln!("ringdown: there is no folder {}; the built-in example is used", dir.display());
        }
        let files = example_files().iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        parse(&files, dir, "example/", &environment)
    };
    let ours = |finding: &&Finding| {
        let section = finding.key.split('.').next().unwrap_or("");
        finding.is_error() && (section.is_empty() || sections.contains(&section))
    };
    let errors: Vec<String> = loaded.findings.iter().filter(ours).map(ToString::to_string).collect();
    if !errors.is_empty() {
        bail!("the {} in {} cannot be used:\n{}", sections[0], dir.display(), errors.join("\n"));
    }
    Ok(loaded.config)
}

/// What to say of a name that does not exist.
pub fn unknown<'a>(kind: &str, name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    let help = match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("these exist: {}", names.collect::<Vec<_>>().join(", ")),
    };
    format!("there is no {kind} `{}`; {help}", name.chars().take(64).collect::<String>())
}

/// Whole seconds; a fraction of one is left out.
fn open_seconds(calendar: &Compiled, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<i64, String> {
    if to < from {
        return Err("`to` is before `from`; write the earlier one first".into());
    }
    calendar.elapsed(from, to).map(|open| open.num_seconds()).map_err(|error| error.to_string())
}

/// One line of a batch.
#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    calendar: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    from: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    amount: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    to: Option<std::borrow::Cow<'a, str>>,
}

/// What a line asks.
pub fn question<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(line).map_err(|error| match line.trim_ascii() {
        b"" => "the line is empty; write one JSON object a line".into(),
        _ => error.to_string(),
    })
}

fn answer(calendars: &Calendars, line: &[u8]) -> Result<Value, String> {
    let question: Question<'_> = question(line)?;
    let calendar = calendars.get(&question.calendar)?;
    let at = |name: &str, text: &str| instant(text).map_err(|error| format!("`{name}`: {error}"));
    let from = at("from", &question.from)?;
    match (question.amount, question.to) {
        (Some(amount), None) => {
            let amount: Amount = amount.parse().map_err(|error| format!("`amount`: {error}"))?;
            let due = calendar.due(from, amount).map_err(|error| error.to_string())?;
            Ok(json!({ "due": written(&due) }))
        }
        (None, Some(to)) => Ok(json!({ "elapsed_seconds": open_seconds(calendar, from, at("to", &to)?)? })),
        _ => Err("give either `amount` or `to`".into()),
    }
}

/// Answers one line for each line, in the same order, and never stops at a bad one.
///
/// `answer` gives the reason where there is no answer.
pub fn batch(
    answer: impl Fn(&[u8]) -> Result<Value, String>,
    input: impl Read,
    output: impl Write,
) -> anyhow::Result<()> {
    let (mut input, mut output) = (BufReader::with_capacity(1 << 16, input), BufWriter::with_capacity(1 << 16, output));
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).context("standard input")?;
        if length == 0 {
            break;
        }
        let cut = length as u64 == LONGEST_LINE && !line.ends_with(b"\n");
        let answer = if cut {
            input.skip_until(b'\n').context("standard input")?;
            Err(format!("the line is longer than {LONGEST_LINE} bytes"))
        } else {
            answer(&line)
        };
        let mut text = answer.unwrap_or_else(|error| json!({ "error": error })).to_string();
        text.push('\n');
        // Whoever asks line by line waits for each answer. Whoever closes early has seen enough.
        let sent = output.write_all(text.as_bytes()).and_then(|()| match input.buffer().contains(&b'\n') {
            true => Ok(()),
            false => output.flush(),
        });
        if sent.is_err() {
            return Ok(());
        }
    }
    let _ = output.flush();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(input: &str) -> Vec<Value> {
        let calendars = Calendars::load(Path::new("/nonexistent/schedules")).unwrap();
        let mut output = Vec::new();
        batch(|line| answer(&calendars, line), input.as_bytes(), &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_batch_gives_one_answer_a_line_and_does_not_stop_at_a_bad_one() {
        let long = "x".repeat(200_000);
        let input = [
            r#"{"calendar":"bucharest-business","from":"2026-04-09T16:30:00+03:00","amount":"8h"}"#,
            "",
            "no json",
            &long,
            r#"{"calendar":"bucharest-busines","from":"2026-04-09T16:30:00+03:00","amount":"8h"}"#,
            r#"{"calendar":"always","from":"yesterday","amount":"8h"}"#,
            r#"{"calendar":"always","from":"2026-04-09T16:30:00Z","amount":"soon"}"#,
            r#"{"calendar":"always","from":"2026-04-09T16:30:00Z"}"#,
            r#"{"calendar":"always","from":"9999-04-09T16:30:00Z","amount":"1h"}"#,
            "\u{e9}",
            r#"{"calendar":"click-support","from":"2026-06-05T21:00:00Z","to":"2026-06-08T14:00:00.5Z"}"#,
        ]
        .join("\n");
        let answers = answers(&input);
        assert_eq!(answers.len(), 11);
        // Good Friday to Easter Monday are closed in 2026 from 10 to 13 April.
        assert_eq!(answers[0], json!({ "due": "2026-04-14T13:30:00Z" }));
        for (i, word) in [
            (1, "empty"),
            (3, "longer"),
            (4, "did you mean `bucharest-business`?"),
            (5, "`from`"),
            (6, "`amount`"),
            (7, "either"),
        ] {
            assert!(answers[i]["error"].as_str().unwrap().contains(word), "{}", answers[i]);
        }
        for i in [2, 8, 9] {
            assert!(answers[i]["error"].is_string(), "{}", answers[i]);
        }
        assert_eq!(answers[10], json!({ "elapsed_seconds": 2 * 3600 }));
    }

    #[test]
    fn the_earlier_instant_comes_first() {
        let calendars = Calendars::load(Path::new("/nonexistent/schedules")).unwrap();
        let (a, b) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(1));
        let always = calendars.get("always").unwrap();
        assert_eq!(open_seconds(always, a, b), Ok(3600));
        assert!(open_seconds(always, b, a).unwrap_err().contains("before"));
    }
}
