//! `[schedules.KEY]`: layers of rotations, at the hours they hold.

use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};

use super::{Known, person_key, zone};
use crate::{
    config::document::{Fields, Node, shorten},
    id::PersonKey,
    oncall::{Layer, Restriction, Rotation, Schedule, Turn},
};

pub(super) const DAYS: [(&str, Weekday); 14] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];
const WEEKDAYS: [Weekday; 5] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];

/// Layers, people in one, stretches of one: no more than this.
const MOST: usize = 200;

/// Reads a schedule, and whether its gaps are meant.
pub fn schedule(key: &str, node: &Node<'_>, known: &Known) -> (Schedule, bool) {
    node.fields(|t| {
        let layers = t.required("layers", "[…], or `[[schedules.KEY.layers]]` tables").map(|node| {
            let items = bounded(node);
            if items.is_empty() {
                node.error("has no layer, so nobody is ever on call; add `[[schedules.KEY.layers]]`");
            }
            items.iter().enumerate().filter_map(|(i, item)| item.fields(|t| layer(t, i, known))).collect()
        });
        let gaps = t.optional("gaps").and_then(|node| node.choice(&[("allowed", true), ("forbidden", false)]));
        let schedule = Schedule {
            key: key.into(),
            name: t.optional("name").and_then(Node::words).unwrap_or(key).into(),
            zone: zone(t),
            layers: layers.unwrap_or_default(),
        };
        (schedule, gaps.unwrap_or(false))
    })
}

fn bounded<'a>(node: &Node<'a>) -> Vec<Node<'a>> {
    let mut items = node.items();
    if items.len() > MOST {
        node.error(format!("more than {MOST}; shorten the list"));
        items.clear();
    }
    items
}

fn layer(t: &Fields<'_>, index: usize, known: &Known) -> Option<Layer> {
    let name = t.optional("name").and_then(Node::words).map_or_else(|| format!("layer {}", index + 1), String::from);
    let people = t.required("people", "[\"PERSON\"]").map(|node| {
        let items = bounded(node);
        if items.is_empty() {
            node.error("is an empty rotation, so nobody takes a turn; name at least one person");
        }
        items.iter().filter_map(|item| person_key(item, known)).collect::<Vec<PersonKey>>()
    });
    let start = t.required("start", "2026-01-05").and_then(date);
    let handoff = t.optional("handoff").map_or(NaiveTime::from_hms_opt(9, 0, 0), time);
    let day = t.optional("day");
    let weekday = day.and_then(|node| node.choice(&DAYS));
    let turn = t.required("turn", "\"weekly\"").and_then(|node| {
        let turn = turn(node.text()?, weekday.or(start.map(|start| start.weekday())));
        if turn.is_none() {
            node.error("is not a turn; write `daily`, `weekly`, or for example `12h`, `3d`, `2w`");
        }
        turn
    });
    if let (Some(day), Some(Turn::Days(_) | Turn::Hours(_))) = (day, turn) {
        day.error("goes only with turns of weeks; take it out or write `turn = \"weekly\"`");
    }
    let restrictions = t.optional("restrictions").map(bounded).unwrap_or_default();
    let restrictions = restrictions.iter().filter_map(|item| item.fields(restriction)).collect();
    let people = people.filter(|people| !people.is_empty())?;
    let rotation = Rotation { people, turn: turn?, start: start?, handoff: handoff? };
    Some(Layer { name, rotation, restrictions })
}

/// `daily`, `weekly`, `12h`, `3d`, `2w`.
fn turn(text: &str, day: Option<Weekday>) -> Option<Turn> {
    let day = day.unwrap_or(Weekday::Mon);
    match text {
        "daily" => return Some(Turn::Days(1)),
        "weekly" => return Some(Turn::Weeks(1, day)),
        _ => {}
    }
    let unit = text.chars().last()?;
    let digits = &text[..text.len() - unit.len_utf8()];
    let n = digits.parse::<u16>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    match (unit, n) {
        ('h', 1..=8760) => Some(Turn::Hours(n)),
        ('d', 1..=366) => Some(Turn::Days(n)),
        ('w', 1..=53) => Some(Turn::Weeks(n, day)),
        _ => None,
    }
}

fn restriction(t: &Fields<'_>) -> Option<Restriction> {
    let days = t.optional("days").map(days);
    let from = t.required("from", "\"09:00\"").and_then(time);
    let to = t.required("to", "\"17:00\"").and_then(time);
    Some(Restriction { days: days.unwrap_or_default(), from: from?, to: to? })
}

pub(super) fn days(node: &Node<'_>) -> Vec<Weekday> {
    // `days = "weekdays"` reads better than five names.
    if let Some(word) = node.is_text() {
        match word {
            "weekdays" => return WEEKDAYS.to_vec(),
            "weekends" => return vec![Weekday::Sat, Weekday::Sun],
            _ => {}
        }
        node.error(format!(
            "`{}` is not known; write `weekdays`, `weekends` or a list such as `[\"mon\", \"tue\"]`",
            shorten(word)
        ));
        return Vec::new();
    }
    let items = bounded(node);
    if items.is_empty() {
        node.error("holds on no day, so it never holds; name days, or take `days` out for every day");
    }
    items.iter().filter_map(|item| item.choice(&DAYS)).collect()
}

pub(super) fn date(node: &Node<'_>) -> Option<NaiveDate> {
    let written = node.moment()?;
    let date = NaiveDate::parse_from_str(&written, "%Y-%m-%d").ok();
    // Within what the time-zone data is good for.
    let date = date.filter(|date| (1970..=2200).contains(&date.year()));
    if date.is_none() {
        node.error("is not a date from 1970 to 2200; write for example `2026-01-05`");
    }
    date
}

fn time(node: &Node<'_>) -> Option<NaiveTime> {
    let written = node.moment()?;
    let midnight = (written == "24:00").then_some(NaiveTime::MIN);
    let time = ["%H:%M", "%H:%M:%S"].iter().find_map(|form| NaiveTime::parse_from_str(&written, form).ok());
    if time.or(midnight).is_none() {
        node.error("is not a time of day; write for example `\"09:00\"`");
    }
    time.or(midnight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_days_weeks_or_hours() {
        let monday = Weekday::Mon;
        for (text, read) in [
            ("daily", Some(Turn::Days(1))),
            ("weekly", Some(Turn::Weeks(1, monday))),
            ("12h", Some(Turn::Hours(12))),
            ("3d", Some(Turn::Days(3))),
            ("2w", Some(Turn::Weeks(2, monday))),
            ("0h", None),
            ("+3d", None),
            ("54w", None),
            ("h", None),
            ("", None),
            ("3é", None),
            ("monthly", None),
        ] {
            assert_eq!(turn(text, Some(monday)), read, "{text}");
        }
    }
}
