//! Six weeks of a schedule as a drawing: a row for each layer, one for the overrides, and below them who is on call in
//! the end. Pure.

use std::collections::BTreeMap;

use chrono::{Datelike, TimeDelta};

use crate::{
    clock::Time,
    config::Config,
    id::PersonKey,
    oncall::{Override, Schedule, roster},
    sla::Zone,
};

/// How far it reaches.
pub const WEEKS: i64 = 6;

/// The width of the drawing, in its own units.
pub const WIDTH: f64 = 1260.0;

/// The room for a row's name.
const NAMES: f64 = 140.0;
const ROW: f64 = 34.0;
const BAR: f64 = 26.0;
const TOP: f64 = 26.0;

/// How many looks people have. They come again where a schedule has more people; every stretch is named, too.
pub const LOOKS: usize = 8;

/// A letter's width: what is narrower than a name gets initials, or nothing.
const LETTER: f64 = 7.0;

/// A drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Ribbon {
    pub height: f64,
    pub rows: Vec<Row>,
    pub days: Vec<Tick>,
    /// Who has which look.
    pub legend: Vec<(usize, String)>,
    /// In words, for whoever does not see it.
    pub description: String,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub y: f64,
    /// The last one: who is on call in the end.
    pub result: bool,
    pub bars: Vec<Bar>,
}

/// A stretch of one person, or of nobody.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    pub x: f64,
    pub width: f64,
    /// `None`: a gap.
    pub look: Option<usize>,
    pub overridden: bool,
    /// What fits into it.
    pub label: String,
    pub title: String,
}

/// The beginning of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    pub x: f64,
    /// Of a Monday.
    pub label: Option<String>,
}

impl Row {
    /// Where the words stand.
    pub fn words_y(&self) -> f64 {
        self.y + BAR / 2.0 + 4.0
    }

    /// How high a stretch is drawn.
    pub fn bar_height(&self) -> f64 {
        BAR
    }
}

impl Bar {
    /// Where its words stand.
    pub fn words_x(&self) -> f64 {
        tenth(self.x + 5.0)
    }
}

/// The drawing of a schedule from the beginning of the day that `now` is in.
pub fn ribbon(schedule: &Schedule, overrides: &[Override], config: &Config, now: Time) -> Ribbon {
    let zone = &schedule.zone;
    let from = day_start(zone, now, 0);
    let to = day_start(zone, now, WEEKS * 7);
    let scale = (WIDTH - NAMES) / (to - from).num_seconds() as f64;
    let place = |at: Time| tenth(NAMES + (at.clamp(from, to) - from).num_seconds() as f64 * scale);
    let mut looks: BTreeMap<PersonKey, usize> = BTreeMap::new();
    for person in schedule.layers.iter().flat_map(|layer| layer.rotation.people.iter()) {
        let next = looks.len();
        looks.entry(person.clone()).or_insert(next % LOOKS);
    }
    for given in overrides.iter().filter(|given| given.schedule == schedule.key) {
        let next = looks.len();
        looks.entry(given.person.clone()).or_insert(next % LOOKS);
    }
    let name = |key: &PersonKey| config.people.get(key).map_or_else(|| key.to_string(), |person| person.name.clone());
    let moment = |at: Time| at.with_timezone(zone).format("%a %-d %b %H:%M").to_string();
    let bar = |person: Option<&PersonKey>, start: Time, end: Time, overridden: bool| {
        let (x, right) = (place(start), place(end));
        let width = tenth((right - x).max(1.0));
        let who = person.map_or_else(|| "NOBODY".to_owned(), name);
        let title = format!("{who}, {} to {}", moment(start.max(from)), moment(end.min(to)));
        Bar { x, width, look: person.map(|key| looks[key]), overridden, label: fitting(&who, width), title }
    };
    let mut rows = Vec::new();
    let add = |rows: &mut Vec<Row>, name: String, result: bool, bars: Vec<Bar>| {
        let y = TOP + rows.len() as f64 * ROW;
        rows.push(Row { name, y, result, bars });
    };
    for layer in &schedule.layers {
        // A layer by itself, so that its hours show where an upper one covers it.
        let alone = Schedule { layers: vec![layer.clone()], ..schedule.clone() };
        let shifts = roster::shifts(&alone, &[], from, to);
        let bars = shifts.iter().filter(|shift| shift.person.is_some());
        let bars = bars.map(|shift| bar(shift.person.as_ref(), shift.start, shift.end, false)).collect();
        add(&mut rows, layer.name.clone(), false, bars);
    }
    let given: Vec<Bar> = overrides
        .iter()
        .filter(|given| given.schedule == schedule.key && given.start < to && given.end > from)
        .map(|given| bar(Some(&given.person), given.start, given.end, true))
        .collect();
    if !given.is_empty() {
        add(&mut rows, "overrides".into(), false, given);
    }
    let shifts = roster::shifts(schedule, overrides, from, to);
    let bars: Vec<Bar> =
        shifts.iter().map(|shift| bar(shift.person.as_ref(), shift.start, shift.end, shift.overridden)).collect();
    let description = bars.iter().map(|bar| bar.title.clone()).collect::<Vec<_>>().join("; ");
    add(&mut rows, "on call".into(), true, bars);
    let days = (0..WEEKS * 7).map(|day| {
        let at = day_start(zone, now, day);
        let there = at.with_timezone(zone);
        // The first day is named too, unless the name of the next Monday would run into it.
        let named = there.weekday() == chrono::Weekday::Mon || (day == 0 && there.weekday().num_days_from_monday() < 5);
        let label = named.then(|| there.format("%a %-d %b").to_string());
        Tick { x: place(at), label }
    });
    let legend = looks.iter().map(|(key, look)| (*look, name(key))).collect();
    Ribbon { height: TOP + rows.len() as f64 * ROW + 4.0, rows, days: days.collect(), legend, description }
}

/// The first moment of the day so many days after the one that `at` is in.
fn day_start(zone: &Zone, at: Time, days: i64) -> Time {
    let day = at.with_timezone(zone).date_naive() + TimeDelta::days(days);
    crate::sla::zone::instant_of(zone, day.and_time(chrono::NaiveTime::MIN))
}

/// A name, its initials, or nothing.
fn fitting(name: &str, width: f64) -> String {
    let fits = |text: &str| text.chars().count() as f64 * LETTER + 8.0 <= width;
    let first = name.split_whitespace().next().unwrap_or_default();
    let initials: String = name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect();
    [name, first, &initials].into_iter().find(|text| fits(text)).unwrap_or_default().into()
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (Config, Time) {
        let now = "2026-11-18T08:00:00Z".parse().expect("an instant");
        let folder = tempfile::tempdir().expect("a folder");
        crate::config::write_example(folder.path()).expect("the example");
        (crate::config::check::check(folder.path(), now).0.expect("the example is good"), now)
    }

    #[test]
    fn the_last_row_leaves_no_moment_of_six_weeks_out() {
        let (config, now) = example();
        for schedule in config.schedules.values() {
            let ribbon = ribbon(schedule, &[], &config, now);
            let last = ribbon.rows.last().expect("a row");
            assert!(last.result && ribbon.days.len() == 42);
            let mut right = NAMES;
            for bar in &last.bars {
                assert!((bar.x - right).abs() < 0.3, "{}: {} after {right}", schedule.key, bar.x);
                right = bar.x + bar.width;
            }
            assert!((right - WIDTH).abs() < 0.3, "{}: ends at {right}", schedule.key);
        }
    }

    #[test]
    fn an_override_has_a_row_and_a_gap_is_named() {
        let (config, now) = example();
        let schedule = config.schedules.values().next().expect("a schedule");
        let given = Override {
            id: "ovr_1".into(),
            schedule: schedule.key.clone(),
            person: "kate".into(),
            instead_of: None,
            start: now,
            end: now + TimeDelta::days(2),
            created_by: "anna".into(),
            created_at: now,
        };
        let drawn = ribbon(schedule, &[given], &config, now);
        assert_eq!(drawn.rows[drawn.rows.len() - 2].name, "overrides");
        assert!(drawn.legend.iter().any(|(_, name)| name == "Kate Armstrong"), "{:?}", drawn.legend);
        let empty = Schedule { layers: Vec::new(), ..schedule.clone() };
        let drawn = ribbon(&empty, &[], &config, now);
        assert_eq!((drawn.rows[0].bars[0].look, drawn.rows[0].bars[0].label.as_str()), (None, "NOBODY"));
    }

    #[test]
    fn a_name_is_cut_to_what_fits() {
        let fits = |width| fitting("Kate Armstrong", width);
        assert_eq!([fits(120.0), fits(60.0), fits(30.0), fits(10.0)], ["Kate Armstrong", "Kate", "KA", ""]);
    }
}
