//! The chain of progress updates: each window begins where the one before it ended.

use chrono::TimeDelta;

use super::{Actor, Began, Book, Count, Ended, human, stamp};
use crate::{
    clock::Time,
    sla::{Anchor, Pausable, Promise, Term},
};

/// One window of progress updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub number: u32,
    pub count: Count,
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

impl<'a> Book<'a> {
    /// Starts the windows, unless they wait for the first conversation.
    pub(super) fn promise_updates(&mut self, began: Began, promise: &Promise, from: Time) {
        if let Some(cadence) = &promise.updates
            && (cadence.from == Anchor::Report || self.spoken)
        {
            self.first_window(began, from, &cadence.every);
        }
    }

    /// Starts the windows that waited for it.
    pub(super) fn first_conversation(&mut self, promise: &Promise, at: Time) {
        if let Some(cadence) = &promise.updates
            && cadence.from == Anchor::Response
            && self.open
            && !self.ruled_out
            && self.running().is_none()
        {
            self.first_window(Began::Spoken, at, &cadence.every);
        }
    }

    fn first_window(&mut self, began: Began, from: Time, every: &Term) {
        if self.plan.length(every) > TimeDelta::zero() {
            let number = self.done.windows.last().map_or(1, |last| last.number.saturating_add(1));
            self.window(number, began, from, every);
        }
    }

    fn window(&mut self, number: u32, began: Began, from: Time, every: &Term) {
        let mut count = self.count(began, from, every);
        self.halt(Pausable::Updates, &mut count);
        self.done.windows.push(Window { number, count, given: None, end: End::Open });
    }

    pub(super) fn running(&mut self) -> Option<&mut Window> {
        self.done.windows.last_mut().filter(|window| window.end == End::Open)
    }

    pub(super) fn updated(&mut self, by: &Actor, text: &'a str, visible: bool, said: (Option<u32>, bool), at: Time) {
        let again = self.last_text.is_some_and(|last| bare(last) == bare(text));
        let running = self.running().map(|window| (window.number, window.count.due, window.count.is_over(at)));
        let counts = visible && human(by) && !again && running.is_some();
        if said.1 != counts {
            let (said, so) = if said.1 { ("counted", "does not count") } else { ("not counted", "counts") };
            self.wrong(format!("the update is {said} but {so} under the plan"));
        }
        if said.0 != running.map(|(number, ..)| number) {
            let name = |number: Option<u32>| number.map_or("no window".into(), |number| format!("window {number}"));
            self.wrong(format!(
                "the update fell in {}, not in {}",
                name(running.map(|(number, ..)| number)),
                name(said.0)
            ));
        }
        if let (true, Some((number, due, over))) = (counts, running) {
            if over {
                self.wrong(format!("the update counts for window {number}, which had ended {}", stamp(due)));
            } else if let Some(window) = self.running() {
                window.given.get_or_insert(Given { at, by: by.clone() });
            }
        }
        if visible {
            self.last_text = Some(text);
        }
    }

    pub(super) fn update_reminded(&mut self, number: u32, due: Time) {
        match self.running().map(|window| (window.number, window.count.due)) {
            Some(running) if running == (number, due) => {}
            Some((running, expected)) => self.wrong(format!(
                "a reminder names window {number}, due {}; window {running} ran, due {}",
                stamp(due),
                stamp(expected)
            )),
            None => self.wrong("somebody was reminded of an update where none was owed"),
        }
    }

    pub(super) fn window_over(&mut self, number: u32, due: Time, met: bool, at: Time) {
        let word = if met { "met" } else { "missed" };
        let Some(window) = self.running() else {
            return self.wrong(format!("window {number} is recorded as {word} where no update was owed"));
        };
        let truly = window.given.is_some();
        window.end = if truly { End::Met } else { End::Missed(at) };
        let (running, expected, stands) = (window.number, window.count.due, window.count.stands());
        let every = window.count.term.clone();
        if running != number {
            self.wrong(format!("window {number} is recorded as {word} while window {running} ran"));
        }
        if stands {
            self.wrong(format!("window {running} is recorded as {word} while its clock stood still"));
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
        self.window(running.saturating_add(1), Began::Chained, expected, &every);
    }

    /// The window that runs is over before its end: met if it was, otherwise not owed any more.
    pub(super) fn end_window(&mut self, ended: Ended, until: Time) {
        self.overdue_window(until);
        let plan = self.plan;
        if let Some(window) = self.running() {
            window.count.settle(plan, ended.at);
            window.end = if window.given.is_some() { End::Met } else { End::Waived(ended) };
        }
    }

    pub(super) fn overdue_window(&mut self, now: Time) {
        let late = self.running().filter(|window| window.count.is_over(now));
        if let Some((number, due)) = late.map(|window| (window.number, window.count.due)) {
            self.wrong(format!("window {number} ended {} and has no verdict", stamp(due)));
        }
    }
}

/// Letters and digits only: two updates that differ in nothing else say the same.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
