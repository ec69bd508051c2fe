//! `ringdown pin`: a caller's PIN, hashed for customers.toml.

use std::io::{BufRead, IsTerminal, Read};

use crate::customer::pin;

/// Hash a caller's PIN for customers.toml.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown pin                       asks for it
  echo 428193 | ringdown pin")]
pub struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Reads a PIN from standard input and prints its hash.
pub fn run(args: Args) -> anyhow::Result<()> {
    let input = std::io::stdin().lock();
    if input.is_terminal() {
        eprint!("PIN (4 to 12 digits, shown as you type): ");
    }
    let mut line = String::new();
    input.take(100).read_line(&mut line)?;
    let hash = pin::hash(line.trim())?;
    if args.json {
        super::print(&format!("{:#}\n", serde_json::json!({"pin_hash": hash})));
    } else {
        super::print(&format!("pin_hash = \"{hash}\"\n"));
    }
    Ok(())
}
