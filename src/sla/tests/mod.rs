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

#[test]
fn a_term_is_written_in_the_units_people_count_it_in() {
    for (within, calendar, written) in [
        ("90m", "always", "1h30m"),
        ("60s", "always", "1m"),
        ("36h", "always", "36h"),
        ("72h", "always", "72h"),
        ("6d", "always", "6d"),
        ("24h", "office", "24h"),
        ("72h30m", "office", "72h30m"),
        ("5bd", "office", "5bd"),
        ("1bd2h", "office", "1bd2h"),
    ] {
        let term = Term { within: within.parse().unwrap(), calendar: calendar.into() };
        assert_eq!(term.to_string(), written);
        assert_eq!(term.to_string().parse::<Amount>().unwrap(), term.within);
    }
}
