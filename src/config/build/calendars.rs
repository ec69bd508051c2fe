//! `[calendars.KEY]` and `holidays/KEY.toml`: when the clock of a promise runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{NaiveDate, Weekday};

use super::{
    DAY,
    schedules::{DAYS, date, days},
    zone,
};
use crate::{
    config::document::{Fields, Node},
    id::HolidaySetKey,
    sla::{
        Calendar, HolidaySet,
        calendar::{self, Hours, Opening, WEEK, minute_of_day},
        holiday::{Holiday, Observed},
    },
    span::Span,
};

/// Openings of a week or a day, sets of a calendar: no more than this.
const MOST: usize = 50;
/// No exception is longer, in days.
const LONGEST: i64 = 366;
/// No calendar has more dates with hours of their own.
const MOST_EXCEPTIONS: usize = 5000;

/// The sets of holidays there are.
pub type HolidaySets = BTreeMap<HolidaySetKey, Arc<HolidaySet>>;

/// Reads a set of holidays.
pub fn holiday_set(key: &str, node: &Node<'_>) -> HolidaySet {
    node.fields(|t| {
        let usually = t.optional("observed").map(observed).unwrap_or_default();
        let items = t.required("holidays", "[…], or `[[holidays]]` tables").map(Node::items);
        if items.as_ref().is_some_and(Vec::is_empty) {
            node.error("has no holiday; add `[[holidays]]` with `name` and `day`");
        }
        let items = items.unwrap_or_default();
        HolidaySet {
            key: key.into(),
            title: t.optional("title").and_then(Node::words).unwrap_or(key).into(),
            holidays: items.iter().filter_map(|item| item.fields(|t| holiday(t, usually))).collect(),
        }
    })
}

fn holiday(t: &Fields<'_>, usually: Observed) -> Option<Holiday> {
    let name = t.required("name", "\"Christmas Day\"").and_then(Node::words);
    let day = t.required("day", "\"December 25\"").and_then(Node::parse);
    let observed = t.optional("observed").map_or(usually, observed);
    let year = |node: &Node<'_>| node.number(1583, 2200);
    let (from, until) = (t.optional("from").and_then(year), t.optional("to"));
    let to = until.and_then(year);
    if let (Some(from), Some(to), Some(node)) = (from, to, until)
        && to < from
    {
        node.error(format!("is before `from`, {from}, so it never holds; correct one of the two"));
    }
    Some(Holiday { name: name?.into(), day: day?, observed, from, to })
}

fn observed(node: &Node<'_>) -> Observed {
    if node.is_text() == Some("never") {
        return Observed::default();
    }
    node.fields(|t| {
        let taken = |node: &Node<'_>| node.choice(&DAYS);
        Observed { saturday: t.optional("saturday").and_then(taken), sunday: t.optional("sunday").and_then(taken) }
    })
}

/// Reads a calendar.
pub fn calendar(key: &str, node: &Node<'_>, sets: &HolidaySets) -> Calendar {
    let known: BTreeSet<String> = sets.keys().map(ToString::to_string).collect();
    let calendar = node.fields(|t| {
        let set =
            |item: &Node<'_>| item.reference("holiday set", "holidays", &known).and_then(|key| sets.get(key)).cloned();
        let open = t.required("open", "[{ days = \"weekdays\", from = \"09:00\", to = \"17:00\" }]");
        let day = t.required("day", "\"8h\"");
        let calendar = Calendar {
            key: key.into(),
            title: t.optional("title").and_then(Node::words).unwrap_or(key).into(),
            zone: zone(t),
            openings: open.map(openings).unwrap_or_default(),
            holidays: t.optional("holidays").map(bounded).unwrap_or_default().iter().filter_map(set).collect(),
            exceptions: t.optional("exceptions").map(exceptions).unwrap_or_default(),
            day: day.and_then(|node| node.span(Span::minutes(1), DAY)).unwrap_or(DAY),
        };
        if let (Some(node), longest) = (day, longest_day(&calendar))
            && longest > Span::default()
            && calendar.day > longest
        {
            let day = calendar.day;
            node.warn(format!("a business day is {day}, but no day of the week is open for longer than {longest}"));
        }
        calendar
    });
    if key == "always" && !calendar.is_always_open() {
        node.error("`always` means around the clock; give these hours another name");
    }
    calendar
}

fn bounded<'a>(node: &Node<'a>) -> Vec<Node<'a>> {
    let mut items = node.items();
    if items.len() > MOST {
        node.error(format!("more than {MOST}; shorten the list"));
        items.clear();
    }
    items
}

/// The longest day of the week, over midnight or not.
fn longest_day(calendar: &Calendar) -> Span {
    let minutes = |weekday: Weekday| {
        let on = calendar.openings.iter().filter(|opening| opening.days.contains(&weekday));
        on.map(|opening| u32::from(opening.hours.to() - opening.hours.from())).sum::<u32>()
    };
    Span::minutes(WEEK.into_iter().map(minutes).max().unwrap_or(0))
}

fn openings(node: &Node<'_>) -> Vec<Opening> {
    if node.is_text() == Some("24x7") {
        return Calendar::always().openings;
    }
    if node.is_text().is_some() {
        node.error(
            "is neither `24x7` nor a list such as `[{ days = \"weekdays\", from = \"09:00\", to = \"17:00\" }]`",
        );
        return Vec::new();
    }
    let items = bounded(node);
    if items.is_empty() {
        node.error("is empty, so it is never open and nothing would ever be due; add hours");
    }
    let mut openings = Vec::new();
    let mut taken: Vec<(u32, u32)> = Vec::new();
    for item in &items {
        let opening = item.fields(|t| {
            let days = t.optional("days").map_or_else(|| WEEK.to_vec(), days);
            Some(Opening { days, hours: hours(t)? })
        });
        let Some(mut opening) = opening else { continue };
        let mut seen = Vec::new();
        opening.days.retain(|day| {
            !seen.contains(day) && {
                seen.push(*day);
                true
            }
        });
        let week = u32::from(calendar::DAY) * 7;
        for day in &opening.days {
            let midnight = day.num_days_from_monday() * u32::from(calendar::DAY);
            let (from, to) = (midnight + u32::from(opening.hours.from()), midnight + u32::from(opening.hours.to()));
            // Sunday's night is Monday's morning.
            let parts = if to > week { vec![(from, week), (0, to - week)] } else { vec![(from, to)] };
            if parts.iter().any(|part| taken.iter().any(|other| part.0 < other.1 && other.0 < part.1)) {
                item.error(format!("its hours on {day} overlap with others that stand before; join or shorten them"));
                break;
            }
            taken.extend(parts);
        }
        openings.push(opening);
    }
    openings
}

fn hours(t: &Fields<'_>) -> Option<Hours> {
    let from = t.required("from", "\"09:00\"").and_then(minute);
    let end = t.required("to", "\"17:00\"");
    let to = end.and_then(minute);
    let hours = Hours::new(from?, to?);
    if let (None, Some(end)) = (hours, end) {
        end.error("leaves the hours without length; write `00:00` to `24:00` for all of the day");
    }
    hours
}

fn minute(node: &Node<'_>) -> Option<u16> {
    let written = node.moment()?;
    let minutes = if written.len() == 8 { written.strip_suffix(":00").unwrap_or(&written) } else { &written };
    let minute = minute_of_day(minutes);
    if minute.is_none() {
        node.error("is not a time of day in whole minutes; write for example `\"09:00\"`, up to `\"24:00\"`");
    }
    minute
}

fn exceptions(node: &Node<'_>) -> BTreeMap<NaiveDate, Vec<Hours>> {
    let mut exceptions = BTreeMap::new();
    for item in &node.items() {
        item.fields(|t| {
            // The name is for people who read the file.
            t.optional("name").and_then(Node::words);
            let first = t.required("date", "2026-12-24").and_then(date);
            let end = t.optional("until");
            let last = end.map_or(first, date);
            let hours = t.optional("open").map(day_hours).unwrap_or_default();
            let (Some(first), Some(last)) = (first, last) else { return };
            if let Some(end) = end.filter(|_| last < first || (last - first).num_days() >= LONGEST) {
                end.error(format!("is before `date` or more than {LONGEST} days after; correct one of the two"));
                return;
            }
            for date in first.iter_days().take_while(|date| *date <= last) {
                if exceptions.insert(date, hours.clone()).is_some() {
                    item.error(format!("{date} has an exception already; join the two"));
                    return;
                }
            }
        });
    }
    if exceptions.len() > MOST_EXCEPTIONS {
        node.error(format!("more than {MOST_EXCEPTIONS} dates; write a set of holidays in `holidays/` instead"));
        exceptions.clear();
    }
    exceptions
}

fn day_hours(node: &Node<'_>) -> Vec<Hours> {
    let mut all: Vec<Hours> = Vec::new();
    for item in bounded(node) {
        let Some(hours) = item.fields(hours) else { continue };
        if all.iter().any(|other| hours.from() < other.to() && other.from() < hours.to()) {
            item.error("overlaps with others that stand before; join or shorten them");
        }
        all.push(hours);
    }
    all
}
