//! What calendars promise: facts of the shipped ones, and random ones held against a clock that steps by the minute.

mod facts;
mod holidays;
mod oracle;
mod properties;

use std::path::Path;

use super::*;
use crate::{
    clock::Time,
    config::{Config, example_files, load},
};

fn shipped() -> Config {
    let files = example_files().iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
    load::parse(&files, Path::new("schedules"), "schedules/", &|_| None).config
}

fn calendar(name: &str) -> Compiled {
    Compiled::new(shipped().calendars[name].clone())
}

fn at(text: &str) -> Time {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}
