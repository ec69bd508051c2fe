//! `ringdown verify`: is an export what the server signed, and do its verdicts add up? Needs no server.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, stdin},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde_json::json;

use crate::{
    incident::ledger::{
        reckon::{Kind, Reckoning, Verdict},
        signature::{PublicKey, Published},
        verify::{Verified, verify},
    },
    report::signed::{
        self,
        check::{Check, Checked, is_period},
    },
    sla::zone::database_version,
};

/// No export of an incident is longer, and no line in one of a period.
const LONGEST: u64 = 256 * 1024 * 1024;

/// Checks an export, of an incident or of a period.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown verify incident.json
  curl https://ringdown.example.com/.well-known/ringdown-ledger-key > key.json
  ringdown verify incident.json --key key.json
  ringdown verify november.jsonl --period --key key.json

The exit code is 0 when everything holds, 1 when something does not. Without --key only the file itself is
checked: whoever can change a file can sign it anew with a key of their own. The export of a period is told from that of
an incident by itself; but one that was cut off after its first line is that incident's own export, which --period
refuses.")]
pub struct Args {
    /// The export; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The key that the server publishes: a file, or its 64 digits
    #[arg(long, value_name = "FILE|HEX")]
    key: Option<String>,
    /// Take nothing less than the whole export of a period
    #[arg(long)]
    period: bool,
    /// What was found, as JSON
    #[arg(long)]
    json: bool,
}

/// What is found in a file.
enum Found {
    Incident(Box<Verified>),
    Period(Box<Checked>),
}

/// Prints what was found; the exit code is 1 when something does not hold.
pub fn run(args: &Args) -> i32 {
    let found = args.key.as_deref().map(key).transpose().and_then(|key| {
        let mut source = open(&args.file)?;
        look(&mut source, args, key.as_ref()).with_context(|| format!("cannot check {}", args.file.display()))
    });
    let (text, holds) = match found {
        Ok(Found::Incident(verified)) => (
            if args.json { as_json(&verified) } else { words(&verified, args.key.is_some()) },
            verified.findings.is_empty(),
        ),
        Ok(Found::Period(checked)) => (
            if args.json {
                format!("{:#}\n", signed::words::value(&checked))
            } else {
                signed::words::text(&checked, args.key.is_some())
            },
            checked.holds(),
        ),
        Err(error) => {
            eprintln!("ringdown: {error:#}");
            return 1;
        }
    };
    super::print(&text);
    i32::from(!holds)
}

/// Reads a file line by line, and in one piece where it is one incident's.
fn look(source: &mut dyn BufRead, args: &Args, key: Option<&PublicKey>) -> anyhow::Result<Found> {
    let mut line = next_line(source)?;
    let more = !source.fill_buf()?.is_empty();
    if !args.period && !is_period(&line, more) {
        source.take(LONGEST + 1 - line.len() as u64).read_to_end(&mut line)?;
        bounded(&line)?;
        return Ok(Found::Incident(Box::new(verify(&line, key))));
    }
    let mut check = Check::begin(key.copied());
    while !line.is_empty() {
        check.line(&line);
        line = next_line(source)?;
    }
    Ok(Found::Period(Box::new(check.finish())))
}

/// The next line with its line feed; empty after the last.
fn next_line(source: &mut dyn BufRead) -> anyhow::Result<Vec<u8>> {
    let mut line = Vec::new();
    source.take(LONGEST + 1).read_until(b'\n', &mut line)?;
    bounded(&line)?;
    Ok(line)
}

fn bounded(bytes: &[u8]) -> anyhow::Result<()> {
    if bytes.len() as u64 > LONGEST {
        bail!("it is too large for the export of an incident");
    }
    Ok(())
}

/// A file, or standard input.
fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(Box::new(BufReader::new(file)))
}

/// The bytes of an export: of a file, or of standard input.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let cannot = || format!("cannot read {}", path.display());
    open(path)?.take(LONGEST + 1).read_to_end(&mut bytes).with_context(cannot)?;
    bounded(&bytes).with_context(cannot)?;
    Ok(bytes)
}

fn key(given: &str) -> anyhow::Result<PublicKey> {
    if let Some(key) = Published::read(given) {
        return Ok(key);
    }
    let text = std::fs::read_to_string(given)
        .with_context(|| format!("--key `{given}` is neither 64 hexadecimal digits nor a file that can be read"))?;
    Published::read(&text).with_context(|| format!("{given} holds no key"))
}

fn words(verified: &Verified, trusted: bool) -> String {
    let mut text = String::new();
    if let Some(export) = &verified.export {
        text.push_str(&format!(
            "{}, {} events, exported {}\n",
            export.incident,
            export.events.len(),
            export.exported_at
        ));
    }
    if !verified.findings.is_empty() {
        text.push_str("IT DOES NOT HOLD\n");
        verified.findings.iter().for_each(|finding| text.push_str(&format!("  {finding}\n")));
        verified.notes.iter().for_each(|note| text.push_str(&format!("  note: {note}\n")));
        return text;
    }
    if let Some((incident, reckoning)) = &verified.incident {
        let (reference, customer, title) = (&incident.reference, &incident.customer_name, &incident.title);
        text.push_str(&format!("{reference}  {customer}: {title}\n\n"));
        text.push_str(&format!("It holds: the history is unbroken and as it was signed.\n{}", promises(reckoning)));
    }
    if let Some(export) = &verified.export {
        match export.anchors.last() {
            Some(last) => text.push_str(&format!(
                "  anchors    {}, the last of {} covers it up to event {}\n",
                export.anchors.len(),
                last.anchor.day,
                last.seq
            )),
            None => text.push_str("  anchors    none yet: one is made after each day (UTC)\n"),
        }
        let known = if trusted { "as you gave it" } else { "compare it with the one that the server publishes" };
        text.push_str(&format!("  signed by  {}\n             {known}\n", export.key));
    }
    verified.notes.iter().for_each(|note| text.push_str(&format!("  note       {note}\n")));
    text
}

fn promises(reckoning: &Reckoning) -> String {
    let promises = reckoning.promises();
    let line = |name: &str, wanted: fn(&Kind) -> bool| {
        let of = |verdict: Verdict| {
            promises.iter().filter(|promise| wanted(&promise.kind) && promise.verdict == verdict).count()
        };
        let [kept, late, missed, waived, open] =
            [Verdict::Kept, Verdict::Late, Verdict::Missed, Verdict::Waived, Verdict::Open].map(of);
        let any = kept + late + missed + waived + open > 0;
        any.then(|| {
            format!("  {name:9}  {kept} kept, {late} late, {missed} missed, {waived} not owed any more, {open} open\n")
        })
    };
    let lines = [
        line("callbacks", |kind| *kind == Kind::Response),
        line("updates", |kind| matches!(kind, Kind::Update(_))),
        line("ends", |kind| *kind == Kind::Resolution),
        line("analyses", |kind| matches!(kind, Kind::RcaDraft | Kind::RcaFinal)),
    ];
    let text: String = lines.into_iter().flatten().collect();
    if text.is_empty() { "  the plan promised nothing for it\n".into() } else { text }
}

fn as_json(verified: &Verified) -> String {
    let export = verified.export.as_ref();
    let value = json!({
        "holds": verified.findings.is_empty(),
        "findings": verified.findings,
        "notes": verified.notes,
        "incident": export.map(|export| &export.incident),
        "events": export.map(|export| export.events.len()),
        "anchors": export.map(|export| export.anchors.len()),
        "key": export.map(|export| export.key),
        "time_zone_database": {
            "pinned": verified.incident.as_ref().map(|(incident, _)| &incident.plan.zone_database),
            "exported": export.map(|export| &export.time_zone_database),
            "here": database_version(),
        },
        // Only of a history that holds together.
        "promises": verified.incident.as_ref().map(|(_, reckoning)| reckoning.promises()),
    });
    format!("{value:#}\n")
}
