//! `ringdown rca`: the analysis of what caused an incident, from a draft made of its history to its delivery.

use std::{io::Read, path::PathBuf};

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde_json::json;

use super::act::Target;

/// The longest file, in bytes; the service takes no more.
const LONGEST: u64 = 64 * 1024;

/// The analysis of what caused an incident: print a draft to fill in, or give it to the customer.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown rca 4821 > rca-4821.md                       a draft made of the history, for people to fill in
  ringdown rca 4821 --deliver draft --file rca-4821.md  give it to the customer
  ringdown rca 4821 --deliver final --file rca-4821.md")]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// Give it to the customer as this
    #[arg(long, requires = "file")]
    deliver: Option<Stage>,
    /// The file to give, Markdown; `-` is standard input
    #[arg(long, requires = "deliver", value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Stage {
    Draft,
    Final,
}

/// Prints a draft, or delivers what people made of it.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let (Some(stage), Some(file)) = (args.deliver, &args.file) else {
        let answer = args.target.remote.get(&["incidents", &args.target.reference, "rca"], &[]).await?;
        args.target.remote.print(&answer, |answer| answer["markdown"].as_str().unwrap_or_default().to_owned());
        return Ok(());
    };
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().take(LONGEST + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
    };
    read.with_context(|| file.display().to_string())?;
    if text.len() as u64 > LONGEST {
        bail!("{} is longer than {LONGEST} bytes", file.display());
    }
    let (stage, done) = match stage {
        Stage::Draft => ("draft", "draft of the analysis delivered"),
        Stage::Final => ("final", "analysis delivered"),
    };
    args.target.act("rca", json!({"stage": stage, "text": text}), done).await
}
