//! `ringdown verify`: is an export what the server signed, and do its verdicts add up? Needs no server.

use std::{
    fs::File,
    io::{Read, stdin},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde_json::json;

use crate::incident::ledger::{
    reckon::{Callback, End, Reckoning},
    signature::{PublicKey, Published},
    verify::{Verified, verify},
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
    text
}

fn promises(reckoning: &Reckoning) -> String {
    let windows = |wanted: fn(&End) -> bool| reckoning.windows.iter().filter(|window| wanted(&window.end)).count();
    let callbacks = |kept: Option<bool>, ended: bool| {
        let fits = |callback: &&Callback| callback.kept() == kept && callback.ended.is_some() == ended;
        reckoning.callbacks.iter().filter(fits).count()
    };
    format!(
        "  callbacks  {} kept, {} late or missed, {} not owed any more, {} open\n\
         \x20 updates    {} met, {} missed, {} not owed any more, {} open\n",
        callbacks(Some(true), false),
        callbacks(Some(false), false),
        callbacks(None, true),
        callbacks(None, false),
        windows(|end| matches!(end, End::Met)),
        windows(|end| matches!(end, End::Missed(_))),
        windows(|end| matches!(end, End::Waived(_))),
        windows(|end| matches!(end, End::Open)),
    )
}

fn as_json(verified: &Verified) -> String {
    let export = verified.export.as_ref();
    let value = json!({
        "holds": verified.findings.is_empty(),
        "findings": verified.findings,
        "incident": export.map(|export| &export.incident),
        "events": export.map(|export| export.events.len()),
        "anchors": export.map(|export| export.anchors.len()),
        "key": export.map(|export| export.key),
    });
    format!("{value:#}\n")
}
