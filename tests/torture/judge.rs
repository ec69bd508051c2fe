//! What became of everything: the senders' log and the carrier's against what the service has written down. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::TimeDelta;
use ringdown::clock::Time;
use serde_json::Value;

use super::{
    cluster::{CALLBACK, LEVELS, PEOPLE},
    senders::Log,
};

/// An incident as the service tells it, with its events in their order.
#[derive(Clone, Debug)]
pub struct Found {
    pub id: String,
    pub title: String,
    pub events: Vec<Value>,
}

/// A request that the carrier took.
#[derive(Clone, Debug)]
pub struct Taken {
    pub attempt: String,
    pub voice: bool,
    pub to: String,
    pub body: String,
    pub at: Time,
}

/// By how many seconds the servers' wall clock was ahead of the carrier's, from when on.
pub type Ahead = Vec<(Time, i64)>;

/// What was found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub accepted: usize,
    /// Answered 2xx, and not in the store: events and acknowledgements.
    pub lost: usize,
    /// More incidents than one for one event.
    pub opened_twice: usize,
    /// Levels of incidents that nobody acknowledged, and whose person never had a text.
    pub unpaged: usize,
    /// Texts and calls that the carrier took.
    pub pages: usize,
    /// Of those, the ones that it had taken before.
    pub doubled: usize,
    /// Levels, verdicts and texts before their time.
    pub early: usize,
    /// Timers that took effect more than once: a level or a verdict again, or a gap in the history.
    pub twice: usize,
    /// Promises that ran out.
    pub breaches: usize,
    /// Of those, the ones that are not recorded, or not with the instant at which they were due.
    pub missing: usize,
    /// All of it in words.
    pub complaints: Vec<String>,
}

/// Everything that is looked at.
pub struct Witnesses {
    pub log: Log,
    pub found: Vec<Found>,
    pub taken: Vec<Taken>,
    pub ahead: Ahead,
    /// On the servers' clock: what was due well before it must have happened.
    pub until: Time,
}

/// Judges.
pub fn judge(witnesses: &Witnesses) -> Verdict {
    let mut verdict =
        Verdict { accepted: witnesses.log.accepted.len(), pages: witnesses.taken.len(), ..Verdict::default() };
    for wrong in &witnesses.log.wrong {
        verdict.complaints.push(format!("a sender was answered wrongly: {wrong}"));
    }
    log_is_in_the_store(witnesses, &mut verdict);
    let texts = by_title(witnesses);
    for found in &witnesses.found {
        let events = Events::of(found);
        history(&events, &mut verdict);
        breaches(&events, witnesses.until, &mut verdict);
        let none = HashMap::new();
        pages(
            &events,
            texts.get(found.title.as_str()).unwrap_or(&none),
            &witnesses.ahead,
            witnesses.until,
            &mut verdict,
        );
    }
    // A call or a text that was taken again under the id it was taken under before.
    let mut seen = HashSet::new();
    let again = witnesses.taken.iter().filter(|taken| !seen.insert(taken.attempt.as_str())).count();
    verdict.doubled = verdict.doubled.max(again);
    verdict
}

impl Verdict {
    fn complain(&mut self, words: String) {
        if self.complaints.len() < 20 {
            self.complaints.push(words);
        }
    }

    /// Whether all was as promised; texts that came twice are counted and bounded, not forbidden.
    pub fn is_good(&self) -> bool {
        let faults = [self.lost, self.opened_twice, self.unpaged, self.early, self.twice, self.missing];
        faults == [0; 6] && self.complaints.is_empty()
    }
}

fn log_is_in_the_store(witnesses: &Witnesses, verdict: &mut Verdict) {
    let mut titles: HashMap<&str, Vec<&Found>> = HashMap::new();
    for found in &witnesses.found {
        titles.entry(&found.title).or_default().push(found);
    }
    for accepted in &witnesses.log.accepted {
        match titles.get(accepted.title.as_str()).map(Vec::as_slice) {
            None => {
                verdict.lost += 1;
                verdict.complain(format!("lost: {}, sent at {}", accepted.title, accepted.sent_at));
            }
            Some([only]) if accepted.id.as_ref().is_none_or(|id| *id == only.id) => {}
            Some([only]) => verdict.complain(format!("{} was answered with {:?}", only.id, accepted.id)),
            Some(several) => {
                verdict.opened_twice += several.len() - 1;
                verdict.complain(format!("{} incidents for {}", several.len(), accepted.title));
            }
        }
    }
    let ids: HashMap<&str, &Found> = witnesses.found.iter().map(|found| (found.id.as_str(), found)).collect();
    for id in &witnesses.log.acknowledged {
        let acknowledged = ids.get(id.as_str()).map_or(0, |found| Events::of(found).all("acknowledged").count());
        match acknowledged {
            0 => {
                verdict.lost += 1;
                verdict.complain(format!("lost: the acknowledgement of {id}"));
            }
            1 => {}
            more => {
                verdict.twice += more - 1;
                verdict.complain(format!("{id} was acknowledged {more} times"));
            }
        }
    }
}

/// The events of one incident.
struct Events<'a> {
    title: &'a str,
    all: &'a [Value],
}

impl<'a> Events<'a> {
    fn of(found: &'a Found) -> Self {
        Events { title: &found.title, all: &found.events }
    }

    fn all(&self, kind: &str) -> impl Iterator<Item = &'a Value> {
        self.all.iter().filter(move |event| event["event"] == kind)
    }

    fn opened(&self) -> Time {
        self.all.first().map(|event| instant(event, "at")).unwrap_or_default()
    }
}

fn instant(event: &Value, field: &str) -> Time {
    let text = event[field].as_str().unwrap_or_else(|| panic!("no {field}: {event}"));
    text.parse().unwrap_or_else(|_| panic!("{field} is no instant: {event}"))
}

/// No gap; each level in turn, once, and none before its time.
fn history(events: &Events<'_>, verdict: &mut Verdict) {
    for (place, event) in events.all.iter().enumerate() {
        if event["seq"].as_u64() != Some(place as u64 + 1) {
            verdict.twice += 1;
            verdict.complain(format!("{}: event {} stands at place {}", events.title, event["seq"], place + 1));
            break;
        }
    }
    let last = PEOPLE.len() as u64 - 1;
    let mut before: Option<&Value> = None;
    for reached in events.all("level_reached") {
        let (level, waited) = (reached["level"].as_u64().unwrap_or(u64::MAX), reached["cause"] == "not_acknowledged");
        let follows = match before.and_then(|before| before["level"].as_u64()) {
            None => level == 0,
            // Where a promise is missed when everybody was paged, the ladder begins anew, or its top is paged again.
            Some(before) => level == before + 1 || (before == last && [0, last].contains(&level) && !waited),
        };
        if !follows {
            verdict.twice += 1;
            verdict.complain(format!("{}: {reached} after {before:?}", events.title));
        }
        // Nobody waits for a level of which it is certain that nobody can be reached.
        let unreachable = events.all("page_exhausted").any(|page| page["definite"] == true);
        if let Some(before) = before.filter(|_| waited && !unreachable)
            && instant(reached, "at") < instant(before, "next_at")
        {
            verdict.early += 1;
            verdict.complain(format!("{}: {reached} before its time: {before}", events.title));
        }
        before = Some(reached);
    }
}

/// The callback is never made: its end is recorded once, with the instant at which it was due, and not before.
fn breaches(events: &Events<'_>, until: Time, verdict: &mut Verdict) {
    let due = events.opened() + TimeDelta::seconds(CALLBACK);
    let missed: Vec<&Value> = events.all("response_missed").collect();
    if due < until {
        verdict.breaches += 1;
    }
    match missed.as_slice() {
        [] if due >= until => {}
        [] => {
            verdict.missing += 1;
            verdict.complain(format!("{}: the callback was due at {due}, and no word of it", events.title));
        }
        [only] => {
            if instant(only, "due") != due {
                verdict.missing += 1;
                verdict.complain(format!("{}: the callback was due at {due}, not {only}", events.title));
            }
            if instant(only, "at") < due {
                verdict.early += 1;
                verdict.complain(format!("{}: missed before it was due: {only}", events.title));
            }
        }
        several => {
            verdict.twice += several.len() - 1;
            verdict.complain(format!("{}: the callback was missed {} times", events.title, several.len()));
        }
    }
}

/// The texts about each incident, by number.
fn by_title(witnesses: &Witnesses) -> HashMap<&str, HashMap<&str, Vec<&Taken>>> {
    let known: HashSet<&str> = witnesses.found.iter().map(|found| found.title.as_str()).collect();
    let mut texts: HashMap<&str, HashMap<&str, Vec<&Taken>>> = HashMap::new();
    for taken in witnesses.taken.iter().filter(|taken| !taken.voice) {
        if let Some(title) = title_in(&taken.body).filter(|title| known.contains(title)) {
            texts.entry(title).or_default().entry(&taken.to).or_default().push(taken);
        }
    }
    texts
}

/// `Trouble s3 00012`, as the senders write it.
pub fn title_in(body: &str) -> Option<&str> {
    let from = &body[body.find("Trouble ")?..];
    let number = from.match_indices(' ').nth(1)?.0 + 1;
    from.get(..number + 5)
}

/// Who was reached, against who had to be.
fn pages(events: &Events<'_>, texts: &HashMap<&str, Vec<&Taken>>, ahead: &Ahead, until: Time, verdict: &mut Verdict) {
    let acknowledged = events.all("acknowledged").next().is_some();
    let mut paged: BTreeMap<&str, Vec<Time>> = BTreeMap::new();
    for page in events.all("paged") {
        paged.entry(page["person"].as_str().unwrap_or_default()).or_default().push(instant(page, "at"));
    }
    let opened = events.opened();
    let climb = events.all("level_reached").last().map_or(opened, |reached| instant(reached, "next_at"));
    if !acknowledged && climb < until && events.all("ladder_exhausted").next().is_none() {
        verdict.unpaged += 1;
        verdict.complain(format!("{}: the next level was due at {climb}, and was not paged", events.title));
    }
    for (level, (person, number)) in PEOPLE.into_iter().enumerate() {
        let sent = texts.get(number).map(Vec::as_slice).unwrap_or_default();
        let meant = paged.get(person).map(Vec::as_slice).unwrap_or_default();
        verdict.doubled += sent.len().saturating_sub(meant.len());
        if !acknowledged && sent.is_empty() && meant.first().is_some_and(|at| *at < until) {
            verdict.unpaged += 1;
            verdict.complain(format!("{}: {person} never had a text", events.title));
        }
        for text in sent {
            // On the clock that the servers may have had at any moment since the report.
            let furthest = TimeDelta::seconds(furthest_ahead(ahead, text.at));
            if text.at + furthest < opened + TimeDelta::seconds(LEVELS[level]) {
                verdict.early += 1;
                verdict.complain(format!("{}: {person} had a text at {}, opened {opened}", events.title, text.at));
            }
        }
    }
}

/// The furthest that the servers' clock was ahead at any moment up to `to`, by the true clock.
fn furthest_ahead(ahead: &Ahead, to: Time) -> i64 {
    ahead.iter().filter(|(from, _)| *from <= to).map(|(_, seconds)| *seconds).fold(0, i64::max)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::senders::Accepted;

    fn at(seconds: i64) -> Time {
        "2026-11-18T08:00:00Z".parse::<Time>().expect("an instant") + TimeDelta::seconds(seconds)
    }

    /// One event that went as it should: nobody answered, everybody was paged, the callback was missed.
    fn well() -> Witnesses {
        let title = "Trouble s0 00001".to_owned();
        let mut events = vec![json!({ "event": "opened", "at": at(0) })];
        let mut taken = Vec::new();
        for (level, (person, number)) in PEOPLE.into_iter().enumerate() {
            let now = at(LEVELS[level]);
            let cause = match level {
                0 => "opened",
                _ => "not_acknowledged",
            };
            let next = at(LEVELS.get(level + 1).copied().unwrap_or(200));
            events
                .push(json!({ "event": "level_reached", "at": now, "level": level, "cause": cause, "next_at": next }));
            events.push(json!({ "event": "paged", "at": now, "person": person, "page": level + 1 }));
            let body = format!("4821 P2 Acme: {title}. Reply 12 4");
            taken.push(Taken { attempt: format!("att_{level}"), voice: false, to: number.into(), body, at: now });
        }
        events.push(json!({ "event": "response_missed", "at": at(CALLBACK), "due": at(CALLBACK) }));
        for (place, event) in events.iter_mut().enumerate() {
            event["seq"] = json!(place + 1);
        }
        let accepted = vec![Accepted { title: title.clone(), id: Some("inc_1".into()), sent_at: at(0) }];
        Witnesses {
            log: Log { accepted, ..Log::default() },
            found: vec![Found { id: "inc_1".into(), title, events }],
            taken,
            ahead: Vec::new(),
            until: at(100),
        }
    }

    fn judged(spoil: impl FnOnce(&mut Witnesses)) -> Verdict {
        let mut witnesses = well();
        spoil(&mut witnesses);
        Verdict { complaints: Vec::new(), ..judge(&witnesses) }
    }

    fn events(witnesses: &mut Witnesses) -> &mut Vec<Value> {
        &mut witnesses.found[0].events
    }

    fn reached(witnesses: &mut Witnesses, level: u64) -> &mut Value {
        let mut levels = events(witnesses).iter_mut().filter(|event| event["event"] == "level_reached");
        levels.find(|event| event["level"] == level).expect("the level")
    }

    #[test]
    fn what_went_well_is_found_good() {
        let good = Verdict { accepted: 1, pages: 5, breaches: 1, ..Verdict::default() };
        assert_eq!(judged(|_| {}), good);
        assert!(judge(&well()).is_good());
    }

    #[test]
    fn each_thing_that_can_go_wrong_is_seen() {
        type Spoil = fn(&mut Witnesses);
        let good = judged(|_| {});
        let cases: [(Spoil, Verdict); 13] = [
            (|all| all.log.accepted[0].title = "Trouble s0 00009".into(), Verdict { lost: 1, ..good.clone() }),
            (|all| all.log.acknowledged = vec!["inc_1".into()], Verdict { lost: 1, ..good.clone() }),
            (|all| all.log.acknowledged = vec!["inc_7".into()], Verdict { lost: 1, ..good.clone() }),
            (|all| drop(all.taken.remove(3)), Verdict { unpaged: 1, pages: 4, ..good.clone() }),
            (|all| all.taken.push(all.taken[2].clone()), Verdict { doubled: 1, pages: 6, ..good.clone() }),
            (
                |all| all.taken.push(Taken { attempt: "another".into(), ..all.taken[2].clone() }),
                Verdict { doubled: 1, pages: 6, ..good.clone() },
            ),
            (
                |all| events(all).truncate(5),
                Verdict { unpaged: 1, breaches: 1, missing: 1, doubled: 3, ..good.clone() },
            ),
            (|all| all.taken[1].at = at(1), Verdict { early: 1, ..good.clone() }),
            (|all| reached(all, 2)["at"] = json!(at(3)), Verdict { early: 1, ..good.clone() }),
            (|all| reached(all, 2)["level"] = json!(1), Verdict { twice: 2, ..good.clone() }),
            (|all| events(all)[4]["seq"] = json!(4), Verdict { twice: 1, ..good.clone() }),
            (
                |all| {
                    let missed = events(all).iter_mut().find(|event| event["event"] == "response_missed");
                    missed.expect("a breach")["due"] = json!(at(CALLBACK + 1));
                },
                Verdict { missing: 1, ..good.clone() },
            ),
            (
                |all| {
                    let missed = events(all).iter_mut().find(|event| event["event"] == "response_missed");
                    missed.expect("a breach")["event"] = json!("something_else");
                },
                Verdict { missing: 1, ..good.clone() },
            ),
        ];
        for (n, (spoil, expected)) in cases.into_iter().enumerate() {
            assert_eq!(judged(spoil), expected, "case {n}");
            let mut witnesses = well();
            spoil(&mut witnesses);
            assert!(!judge(&witnesses).is_good() || expected.doubled > 0, "case {n}");
        }
        let twice = judged(|all| {
            let again = Found { id: "inc_2".into(), ..all.found[0].clone() };
            all.found.push(again);
        });
        assert_eq!(twice.opened_twice, 1);
    }

    #[test]
    fn a_clock_that_was_put_forward_excuses_what_came_sooner_by_the_true_one() {
        let sooner = |ahead: Ahead| {
            judged(|all| {
                all.taken[1].at = at(1);
                all.ahead = ahead;
            })
            .early
        };
        assert_eq!([sooner(vec![]), sooner(vec![(at(0), 1)]), sooner(vec![(at(2), 30)])], [1, 0, 1]);
    }
}
