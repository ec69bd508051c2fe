//! The report's figures, added up one incident at a time, so that a year of them need not be in memory at once. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta, Timelike};

use super::{
    compliance::{
        Compliance, Counts, HourLine, IncidentLine, PersonLine, PriorityLine, Step, Subject, SubjectLine, TimeClass,
        TimingLine,
    },
    judge::{Judged, Scope},
};
use crate::{
    clock::Time,
    id::PersonKey,
    people::{Channel, Person},
    sla::{Priority, Zone},
};

/// The most incidents that are listed.
pub const MOST_INCIDENTS: usize = 2_000;
/// The most promises that are listed, over all incidents.
pub const MOST_PROMISES: usize = 50_000;

/// The classes of response times, in minutes.
const CLASSES: [i64; 9] = [5, 10, 15, 30, 60, 120, 240, 480, 1440];

/// The night begins at this hour, and ends at the next.
const NIGHT: (u32, u32) = (22, 7);

/// What has been added up so far.
#[derive(Debug, Default)]
pub struct Tally {
    opened: u64,
    promises: Counts,
    by_priority: BTreeMap<Priority, BTreeMap<Subject, Counts>>,
    hours: [Counts; 24],
    /// In seconds.
    timings: BTreeMap<(Step, Priority), Vec<i64>>,
    people: BTreeMap<PersonKey, Load>,
    incidents: Vec<IncidentLine>,
    promises_listed: usize,
    left_out: u64,
    contradictory: u64,
}

#[derive(Debug, Default)]
struct Load {
    pages: u64,
    at_night: u64,
    /// By the day on which each began.
    nights: BTreeSet<NaiveDate>,
    texts: u64,
    calls: u64,
    acknowledged: u64,
}

impl Tally {
    /// One incident more. `people` tells in which zone somebody's nights are.
    pub fn add(&mut self, judged: Judged, people: &BTreeMap<PersonKey, Person>, zone: &Zone) {
        let home = |person: &PersonKey| people.get(person).map_or(zone, |person| &person.zone);
        for page in &judged.pages {
            let load = self.people.entry(page.person.clone()).or_default();
            load.pages += 1;
            load.acknowledged += u64::from(page.acknowledged);
            if let Some(night) = night(page.at, home(&page.person)) {
                load.at_night += 1;
                load.nights.insert(night);
            }
        }
        for sent in &judged.sent {
            let Some(person) = &sent.person else { continue };
            let load = self.people.entry(person.clone()).or_default();
            match sent.channel {
                Channel::Sms => load.texts += 1,
                Channel::Voice => load.calls += 1,
            }
        }
        if !judged.is_listed() {
            return;
        }
        if judged.line.opened_in_period {
            self.opened += 1;
            let steps = [
                (Step::FirstAttempt, judged.first_attempt),
                (Step::Acknowledged, judged.acknowledged),
                (Step::Response, judged.responded),
            ];
            for (step, took) in steps {
                let Some(took) = took else { continue };
                self.timings.entry((step, judged.reported)).or_default().push(took.num_seconds());
            }
        }
        self.contradictory += u64::from(judged.line.contradictions > 0);
        for promise in &judged.line.promises {
            self.promises.add(promise.verdict);
            let subjects = self.by_priority.entry(promise.priority).or_default();
            subjects.entry(promise.promise).or_default().add(promise.verdict);
            if promise.promise == Subject::Update
                && let Some(hour) = self.hours.get_mut(hour(promise.due, zone))
            {
                hour.add(promise.verdict);
            }
        }
        self.list(judged.line);
    }

    fn list(&mut self, line: IncidentLine) {
        let promises = self.promises_listed + line.promises.len();
        if self.left_out > 0 || self.incidents.len() >= MOST_INCIDENTS || promises > MOST_PROMISES {
            self.left_out += 1;
            return;
        }
        self.promises_listed = promises;
        self.incidents.push(line);
    }

    /// The report. `unreadable`: how many records could not be read.
    pub fn finish(self, scope: Scope, people: &BTreeMap<PersonKey, Person>, unreadable: u64) -> Compliance {
        let mut all: BTreeMap<Step, Vec<i64>> = BTreeMap::new();
        for ((step, _), took) in &self.timings {
            all.entry(*step).or_default().extend(took);
        }
        let response_times = classes(all.get(&Step::Response).map_or(&[], Vec::as_slice));
        let all = all.into_iter().map(|(step, took)| (step, None, took));
        let each = self.timings.into_iter().map(|((step, priority), took)| (step, Some(priority), took));
        let mut timings: Vec<TimingLine> =
            all.chain(each).filter_map(|(step, priority, took)| timing(step, priority, took)).collect();
        timings.sort_by_key(|line| (line.priority, line.step));
        let mut loads: Vec<PersonLine> =
            self.people.into_iter().map(|(key, load)| person(key, load, people, &scope.zone)).collect();
        loads.sort_by(|a, b| b.pages.cmp(&a.pages).then_with(|| a.key.cmp(&b.key)));
        Compliance {
            from: scope.period.from,
            to: scope.period.to,
            zone: scope.zone.to_string(),
            as_of: scope.as_of,
            customer: scope.customer.map(|key| key.to_string()),
            plan: scope.plan.map(|key| key.to_string()),
            opened: self.opened,
            promises: self.promises,
            by_priority: self.by_priority.into_iter().map(|(priority, subjects)| line(priority, subjects)).collect(),
            updates_by_hour: (0..).zip(self.hours).map(|(hour, counts)| HourLine { hour, counts }).collect(),
            timings,
            response_times,
            people: loads,
            unavailable_seconds: scope.gaps.iter().map(super::downtime::Gap::seconds).sum(),
            unavailable: scope.gaps,
            incidents: self.incidents,
            incidents_left_out: self.left_out,
            contradictory: self.contradictory,
            unreadable,
        }
    }
}

fn line(priority: Priority, subjects: BTreeMap<Subject, Counts>) -> PriorityLine {
    let sum = |part: fn(&Counts) -> u64| subjects.values().map(part).sum();
    let mut counts = Counts {
        kept: sum(|counts| counts.kept),
        late: sum(|counts| counts.late),
        missed: sum(|counts| counts.missed),
        waived: sum(|counts| counts.waived),
        open: sum(|counts| counts.open),
        percent_kept: None,
    };
    counts.rate();
    let promises = subjects.into_iter().map(|(promise, counts)| SubjectLine { promise, counts }).collect();
    PriorityLine { priority, counts, promises }
}

fn person(key: PersonKey, load: Load, people: &BTreeMap<PersonKey, Person>, zone: &Zone) -> PersonLine {
    let known = people.get(&key);
    PersonLine {
        name: known.map_or_else(|| key.to_string(), |person| person.name.clone()),
        zone: known.map_or(zone, |person| &person.zone).to_string(),
        key: key.to_string(),
        pages: load.pages,
        at_night: load.at_night,
        nights: load.nights.len() as u64,
        texts: load.texts,
        calls: load.calls,
        acknowledged: load.acknowledged,
    }
}

/// The hour of the day in which the last moment before an instant lies.
fn hour(due: Time, zone: &Zone) -> usize {
    (due - TimeDelta::microseconds(1)).with_timezone(zone).hour() as usize
}

/// The night an instant lies in, by the day on which it began; `None` by day.
fn night(at: Time, zone: &Zone) -> Option<NaiveDate> {
    let local = at.with_timezone(zone).naive_local();
    match local.hour() {
        hour if hour >= NIGHT.0 => Some(local.date()),
        hour if hour < NIGHT.1 => local.date().pred_opt(),
        _ => None,
    }
}

fn timing(step: Step, priority: Option<Priority>, mut seconds: Vec<i64>) -> Option<TimingLine> {
    seconds.sort_unstable();
    Some(TimingLine {
        step,
        priority,
        incidents: seconds.len() as u64,
        median_seconds: nearest_rank(&seconds, 50)?,
        p95_seconds: nearest_rank(&seconds, 95)?,
    })
}

/// The smallest value that so many percent of all, rounded up, are not above. `None` of nothing.
fn nearest_rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn classes(seconds: &[i64]) -> Vec<TimeClass> {
    let bounds = CLASSES.iter().map(|minutes| Some(minutes * 60)).chain([None]);
    let mut below = 0;
    bounds
        .map(|bound| {
            let lower = std::mem::replace(&mut below, bound.unwrap_or(i64::MAX));
            let within = seconds.iter().filter(|took| **took >= lower && bound.is_none_or(|bound| **took < bound));
            TimeClass { below_seconds: bound, incidents: within.count() as u64 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        for (values, median, p95) in [
            (vec![], None, None),
            (vec![7], Some(7), Some(7)),
            (vec![1, 9], Some(1), Some(9)),
            (vec![1, 2, 3], Some(2), Some(3)),
            ((1..=20).collect(), Some(10), Some(19)),
            ((1..=100).collect(), Some(50), Some(95)),
            ((1..=101).collect(), Some(51), Some(96)),
        ] {
            assert_eq!((nearest_rank(&values, 50), nearest_rank(&values, 95)), (median, p95), "{values:?}");
        }
    }

    #[test]
    fn the_night_is_where_the_person_lives() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        for (instant, expected) in [
            ("2026-11-18T20:59:59Z", None),
            ("2026-11-18T21:00:00Z", Some("2026-11-18")),
            ("2026-11-19T05:59:59Z", Some("2026-11-18")),
            ("2026-11-19T06:00:00Z", None),
            ("2026-11-19T12:00:00Z", None),
        ] {
            assert_eq!(night(at(instant), &berlin), expected.map(|day| day.parse().unwrap()), "{instant}");
        }
    }

    #[test]
    fn a_window_belongs_to_the_hour_in_which_its_last_moment_lies() {
        let zone: Zone = "America/New_York".parse().unwrap();
        assert_eq!(hour(at("2026-11-18T08:00:00Z"), &zone), 2, "due at three sharp");
        assert_eq!(hour(at("2026-11-18T08:00:01Z"), &zone), 3);
        assert_eq!(hour(at("2026-11-18T05:00:00Z"), &zone), 23, "due at midnight");
    }

    proptest! {
        #[test]
        fn every_response_time_is_in_one_class(seconds in prop::collection::vec(0i64..200_000, 0..60)) {
            let classes = classes(&seconds);
            prop_assert_eq!(classes.len(), CLASSES.len() + 1);
            prop_assert_eq!(classes.iter().map(|class| class.incidents).sum::<u64>(), seconds.len() as u64);
        }

        #[test]
        fn at_least_so_many_percent_are_not_above_a_percentile(
            mut seconds in prop::collection::vec(0i64..1000, 1..80), percent in 1usize..=100,
        ) {
            seconds.sort_unstable();
            let value = nearest_rank(&seconds, percent).unwrap();
            let (not_above, below) =
                (seconds.iter().filter(|took| **took <= value).count(), seconds.iter().filter(|took| **took < value).count());
            prop_assert!(not_above * 100 >= percent * seconds.len());
            prop_assert!(below * 100 < percent * seconds.len());
        }
    }
}
