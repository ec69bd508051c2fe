//! Every promise of an incident worked out again from its events and the plan they carry.
//!
//! This is arithmetic of its own: it shares no code with what recorded the verdicts (`fold`, `due`, `acts`), so that a
//! mistake there, or a history made up, shows as a contradiction here.

use chrono::TimeDelta;

use super::super::{
    command::{Actor, CONVERSATION_SECONDS, Evidence, Report},
    event::{Event, Recorded},
};
use crate::{
    clock::Time,
    sla::{Plan, Priority},
    span::Span,
};

/// How long after it is due a promise may be without a verdict in an incident that is open: the server writes it down
/// within a second, and after down time at its start.
const GRACE: TimeDelta = TimeDelta::minutes(1);

/// Every promise, how it ended, and what does not add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reckoning {
    pub callbacks: Vec<Callback>,
    pub windows: Vec<Window>,
    pub contradictions: Vec<Contradiction>,
}

/// Something that cannot be true under the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The event that says it, or the last one where something is missing.
    pub seq: u64,
    /// In plain words.
    pub what: String,
}

impl std::fmt::Display for Contradiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "event {}: {}", self.seq, self.what)
    }
}

/// What a promise began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Began {
    Reported,
    Reopened,
    Priority,
}

/// One promise of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    pub began: Began,
    pub priority: Priority,
    pub from: Time,
    pub span: Span,
    pub due: Time,
    /// When it was written down as missed.
    pub missed: Option<Time>,
    pub held: Option<Held>,
    /// Why it was not owed any more.
    pub ended: Option<Ended>,
}

impl Callback {
    /// Whether it was kept; `None` while it is open, or when it is not owed any more.
    pub fn kept(&self) -> Option<bool> {
        match (&self.held, self.missed) {
            (Some(held), None) => Some(held.at <= self.due),
            (_, Some(_)) => Some(false),
            (None, None) => None,
        }
    }
}

/// A conversation with the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub at: Time,
    pub by: Actor,
    pub evidence: Evidence,
}

/// What ended a promise before it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub at: Time,
    pub why: Why,
}

/// Why a promise ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Resolved,
    Cancelled,
    Priority { to: Priority },
}

/// One window of progress updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub number: u32,
    pub priority: Priority,
    pub from: Time,
    pub span: Span,
    pub due: Time,
    /// The first update that counts.
    pub given: Option<Given>,
    pub end: End,
}

/// An update that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub at: Time,
    pub by: Actor,
}

/// How a window ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It runs.
    Open,
    Met,
    /// And when that was written down.
    Missed(Time),
    Waived(Ended),
}

/// Works out every promise as of an instant.
pub fn reckon(events: &[Recorded], as_of: Time) -> Reckoning {
    let Some((Recorded { seq, at, event: Event::Opened { report } }, rest)) = events.split_first() else {
        let contradictions = vec![Contradiction { seq: 1, what: "the history does not begin with a report".into() }];
        return Reckoning { contradictions, ..Reckoning::default() };
    };
    let mut book = Book::open(report, *seq, *at);
    for recorded in rest {
        book.seq = recorded.seq;
        book.take(&recorded.event, recorded.at);
    }
    book.overdue(as_of, GRACE);
    book.done
}

/// What a plan promises for a priority: the one place here that knows how a plan is written.
fn terms(plan: &Plan, priority: Priority) -> (Option<Span>, Option<Span>) {
    let promise = plan.promise(priority);
    let span = |term: crate::sla::Term| plan.length(&term).num_seconds().try_into().map(Span::seconds).ok();
    (promise.response.and_then(span), promise.updates.and_then(|updates| span(updates.every)))
}

struct Book<'a> {
    plan: &'a Plan,
    priority: Priority,
    open: bool,
    seq: u64,
    /// Whether a conversation, or its lack, is recorded since the promises began.
    settled: bool,
    /// Whether the last callback in the list is what was promised last, and not something of an earlier opening.
    promised: bool,
    last_text: Option<&'a str>,
    done: Reckoning,
}

impl<'a> Book<'a> {
    fn open(report: &'a Report, seq: u64, at: Time) -> Book<'a> {
        let (plan, priority) = (&report.plan, report.priority);
        let (settled, promised, done) = (false, false, Reckoning::default());
        let mut book = Book { plan, priority, open: true, seq, settled, promised, last_text: None, done };
        book.promise_callback(Began::Reported, at);
        book.promise_updates(at);
        book
    }

    fn wrong(&mut self, what: impl Into<String>) {
        self.done.contradictions.push(Contradiction { seq: self.seq, what: what.into() });
    }

    fn promise_callback(&mut self, began: Began, from: Time) {
        let promised = terms(self.plan, self.priority).0;
        self.promised = promised.is_some();
        let Some(span) = promised else { return };
        match from.checked_add_signed(span.delta()) {
            Some(due) => {
                let (priority, missed, held, ended) = (self.priority, None, None, None);
                self.done.callbacks.push(Callback { began, priority, from, span, due, missed, held, ended });
            }
            None => self.wrong("the callback is promised for no time there is"),
        }
    }

    fn promise_updates(&mut self, from: Time) {
        let span = terms(self.plan, self.priority).1.filter(|span| span.delta() > TimeDelta::zero());
        if let Some(span) = span {
            let number = self.done.windows.last().map_or(1, |last| last.number.saturating_add(1));
            self.window(number, from, span);
        }
    }

    fn window(&mut self, number: u32, from: Time, span: Span) {
        match from.checked_add_signed(span.delta()) {
            Some(due) => {
                let (priority, given) = (self.priority, None);
                self.done.windows.push(Window { number, priority, from, span, due, given, end: End::Open });
            }
            None => self.wrong("an update is promised for no time there is"),
        }
    }

    /// The promise of a conversation that counts now, kept or not.
    fn callback(&mut self) -> Option<&mut Callback> {
        let promised = self.promised;
        self.done.callbacks.last_mut().filter(|callback| promised && callback.ended.is_none())
    }

    /// The one that runs: until it is settled or ends.
    fn owed(&mut self) -> Option<&mut Callback> {
        if self.settled { None } else { self.callback() }
    }

    fn running(&mut self) -> Option<&mut Window> {
        self.done.windows.last_mut().filter(|window| window.end == End::Open)
    }

    fn take(&mut self, event: &'a Event, at: Time) {
        match event {
            Event::Opened { .. } => self.wrong("it was opened a second time"),
            Event::Responded { by, evidence, late } => self.responded(by, evidence, *late, at),
            Event::ResponseMissed { due } => self.response_missed(*due, at),
            Event::Updated { by, text, customer_visible, window, counts, .. } => {
                self.updated(by, text, *customer_visible, (*window, *counts), at)
            }
            Event::UpdateMet { window, due } => self.verdict(*window, *due, true, at),
            Event::UpdateMissed { window, due } => self.verdict(*window, *due, false, at),
            Event::PriorityChanged { from, to, .. } => self.reprioritised(*from, *to, at),
            Event::Resolved { .. } => self.closed(Why::Resolved, at),
            Event::Cancelled { .. } => self.closed(Why::Cancelled, at),
            Event::Reopened { .. } => {
                if self.open {
                    self.wrong("it was opened again while it was open");
                }
                (self.open, self.settled) = (true, false);
                self.promise_callback(Began::Reopened, at);
                self.promise_updates(at);
            }
            _ => {}
        }
    }

    fn responded(&mut self, by: &Actor, evidence: &Evidence, late: bool, at: Time) {
        match evidence {
            Evidence::Conversation { seconds, .. } if *seconds < CONVERSATION_SECONDS => {
                self.wrong(format!("a conversation of {seconds} s counts as none; it takes {CONVERSATION_SECONDS} s"));
            }
            Evidence::Attested { .. } if !human(by) => self.wrong("nobody attests that the customer was spoken to"),
            _ => {}
        }
        // A second conversation, or one after a missed promise, is still measured against it.
        let due = self.callback().map(|callback| callback.due);
        if let Some(due) = due.filter(|due| late != (at > *due)) {
            let (said, true_) = if late { ("late", "in time") } else { ("in time", "late") };
            self.wrong(format!("the callback is recorded as {said} but was {true_}: it was due {}", stamp(due)));
        } else if due.is_none() && late {
            self.wrong("a callback is recorded as late where none was promised");
        }
        self.settled = true;
        if let Some(callback) = self.callback() {
            let held = Held { at, by: by.clone(), evidence: evidence.clone() };
            callback.held.get_or_insert(held);
        }
    }

    fn response_missed(&mut self, due: Time, at: Time) {
        let Some(callback) = self.owed() else {
            return self.wrong("a callback is recorded as missed where none was owed");
        };
        let expected = callback.due;
        callback.missed = Some(at);
        // A verdict; a conversation may still follow.
        self.settled = true;
        if due != expected {
            self.wrong(format!("the missed callback was due {}, not {}", stamp(expected), stamp(due)));
        }
        if at < expected {
            self.wrong(format!("the callback is recorded as missed before it was due, {}", stamp(expected)));
        }
    }

    fn updated(&mut self, by: &Actor, text: &'a str, visible: bool, said: (Option<u32>, bool), at: Time) {
        let again = self.last_text.is_some_and(|last| bare(last) == bare(text));
        let running = self.running().map(|window| (window.number, window.due));
        let counts = visible && human(by) && !again && running.is_some();
        if said.1 != counts {
            let (said, so) = if said.1 { ("counted", "does not count") } else { ("not counted", "counts") };
            self.wrong(format!("the update is {said} but {so} under the plan"));
        }
        if said.0 != running.map(|(number, _)| number) {
            let name = |number: Option<u32>| number.map_or("no window".into(), |number| format!("window {number}"));
            self.wrong(format!(
                "the update fell in {}, not in {}",
                name(running.map(|(number, _)| number)),
                name(said.0)
            ));
        }
        if let (true, Some((number, due))) = (counts, running) {
            if at > due {
                self.wrong(format!("the update counts for window {number}, which had ended {}", stamp(due)));
            } else if let Some(window) = self.running() {
                window.given.get_or_insert(Given { at, by: by.clone() });
            }
        }
        if visible {
            self.last_text = Some(text);
        }
    }

    fn verdict(&mut self, number: u32, due: Time, met: bool, at: Time) {
        let word = if met { "met" } else { "missed" };
        let Some(window) = self.running() else {
            return self.wrong(format!("window {number} is recorded as {word} where no update was owed"));
        };
        let truly = window.given.is_some();
        window.end = if truly { End::Met } else { End::Missed(at) };
        let (running, expected, span) = (window.number, window.due, window.span);
        if running != number {
            self.wrong(format!("window {number} is recorded as {word} while window {running} ran"));
        }
        if due != expected {
            self.wrong(format!("window {running} was due {}, not {}", stamp(expected), stamp(due)));
        }
        if at < expected {
            self.wrong(format!("window {running} is recorded as {word} before it ended, {}", stamp(expected)));
        }
        if truly != met {
            let given = if truly { "was given" } else { "was not given" };
            self.wrong(format!("window {running} is recorded as {word}, but an update in it {given}"));
        }
        self.window(running.saturating_add(1), expected, span);
    }

    fn reprioritised(&mut self, from: Priority, to: Priority, at: Time) {
        if from != self.priority {
            self.wrong(format!("the priority was {}, not {from}", self.priority));
        }
        let (before, after) = (terms(self.plan, self.priority), terms(self.plan, to));
        self.priority = to;
        let ended = Ended { at, why: Why::Priority { to } };
        if before.1 != after.1 {
            self.end_window(ended);
            self.promise_updates(at);
        }
        if before.0 != after.0 && !self.settled {
            self.end_callback(ended);
            self.promise_callback(Began::Priority, at);
        }
    }

    fn closed(&mut self, why: Why, at: Time) {
        if !self.open {
            self.wrong("it was closed a second time");
        }
        self.open = false;
        self.end_window(Ended { at, why });
        self.end_callback(Ended { at, why });
    }

    /// The window that runs is over before its end: met if it was, otherwise not owed any more.
    fn end_window(&mut self, ended: Ended) {
        self.overdue_window(ended.at);
        if let Some(window) = self.running() {
            window.end = if window.given.is_some() { End::Met } else { End::Waived(ended) };
        }
    }

    fn end_callback(&mut self, ended: Ended) {
        self.overdue_callback(ended.at);
        if let Some(callback) = self.owed() {
            callback.ended = Some(ended);
        }
    }

    /// What should have its verdict by now.
    fn overdue(&mut self, now: Time, grace: TimeDelta) {
        if let Some(now) = now.checked_sub_signed(grace).filter(|_| self.open) {
            self.overdue_window(now);
            self.overdue_callback(now);
        }
    }

    fn overdue_window(&mut self, now: Time) {
        let late = self.running().filter(|window| window.due < now).map(|window| (window.number, window.due));
        if let Some((number, due)) = late {
            self.wrong(format!("window {number} ended {} and has no verdict", stamp(due)));
        }
    }

    fn overdue_callback(&mut self, now: Time) {
        let late = self.owed().map(|callback| callback.due).filter(|due| *due < now);
        if let Some(due) = late {
            self.wrong(format!("the callback due {} was neither made nor recorded as missed", stamp(due)));
        }
    }
}

fn human(actor: &Actor) -> bool {
    matches!(actor, Actor::Person(_) | Actor::Token(_))
}

/// Letters and digits only: two updates that differ in nothing else say the same.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn stamp(at: Time) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
