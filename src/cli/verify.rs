//! `ringdown verify`: is an export what the server signed, and do its verdicts add up? Needs no server.

use std::{
    fs::File,
    io::{Read, stdin},
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
    sla::zone::database_version,
};

/// No export is longer.
const LONGEST: u64 = 256 * 1024 * 1024;

/// Checks an export.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown verify incident.json
  curl https://ringdown.example.com/.well-known/ringdown-ledger-key > key.json
  ringdown verify incident.json --key key.json

The exit code is 0 when everything holds, 1 when something does not. Without --key only the file itself is
checked: whoever can change a file can sign it anew with a key of their own.")]
pub struct Args {
    /// The export; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The key that the server publishes: a file, or its 64 digits
    #[arg(long, value_name = "FILE|HEX")]
    key: Option<String>,
    /// What was found, as JSON
    #[arg(long)]
    json: bool,
}

/// Prints what was found; the exit code is 1 when something does not hold.
pub fn run(args: &Args) -> i32 {
    let checked = read(&args.file).and_then(|bytes| Ok((bytes, args.key.as_deref().map(key).transpose()?)));
    let (bytes, key) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            eprintln!("ringdown: {error:#}");
            return 1;
        }
    };
    let verified = verify(&bytes, key.as_ref());
    super::print(&if args.json { as_json(&verified) } else { words(&verified, key.is_some()) });
    i32::from(!verified.findings.is_empty())
}

/// The bytes of an export: of a file, or of standard input.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes).context("cannot read standard input")?;
    } else {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        file.take(LONGEST + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", path.display()))?;
    }
    if bytes.len() as u64 > LONGEST {
        bail!("{} is too large for an export", path.display());
    }
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
