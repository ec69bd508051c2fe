//! What stands around every page: who looks, at which instant, on which clock, and the places to go.

use chrono::SecondsFormat;

use crate::{
    access::{Caller, Role, session::Visitor},
    clock::Time,
    incident::words,
    report::wording,
    server::App,
    sla::Zone,
};

/// A place of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Board,
    Incidents,
    OnCall,
    Compliance,
    People,
    Readiness,
    Intake,
    Handsets,
    Audit,
    /// None of them.
    Nowhere,
}

/// Each place with its path, its name, and the least role that sees it.
const PLACES: [(Place, &str, &str, Role); 9] = [
    (Place::Board, "/", "Board", Role::Viewer),
    (Place::Incidents, "/incidents", "Incidents", Role::Viewer),
    (Place::OnCall, "/oncall", "On call", Role::Viewer),
    (Place::Compliance, "/compliance", "Compliance", Role::Viewer),
    (Place::People, "/people", "People", Role::Viewer),
    (Place::Readiness, "/readiness", "Readiness", Role::Viewer),
    (Place::Intake, "/intake", "Intake", Role::Admin),
    (Place::Handsets, "/handsets", "Handsets", Role::Admin),
    (Place::Audit, "/audit", "Audit", Role::Admin),
];

/// What every page is given. Templates have it in the field `frame`.
#[derive(Clone, Debug)]
pub struct Frame {
    place: Place,
    caller: Option<Caller>,
    name: String,
    csrf: String,
    handsets: bool,
    pub now: Time,
    /// On whose clock times are told: the visitor's, if they are a person with one, else this machine's.
    pub zone: Zone,
    /// What was just done, in words.
    pub done: Option<String>,
}

/// One entry of the navigation.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub path: &'static str,
    pub name: &'static str,
    pub here: bool,
}

impl Frame {
    /// Around a page for somebody who is signed in.
    pub fn new(app: &App, visitor: &Visitor, place: Place) -> Frame {
        let config = app.config.load();
        let person = visitor.caller.person.as_ref().and_then(|key| config.people.get(key));
        let name = person.map_or_else(|| visitor.caller.name.clone(), |person| person.name.clone());
        let zone = person.map_or_else(local, |person| person.zone.clone());
        Frame { caller: Some(visitor.caller.clone()), name, csrf: visitor.csrf(), zone, ..Frame::open(app, place) }
    }

    /// Around a page for anybody.
    pub fn open(app: &App, place: Place) -> Frame {
        Frame {
            place,
            caller: None,
            name: String::new(),
            csrf: String::new(),
            handsets: app.carriers.iter().any(|carrier| carrier.clone().as_handsets().is_some()),
            now: app.clock.now(),
            zone: local(),
            done: None,
        }
    }

    /// With word of what was just done.
    pub fn done(self, done: Option<String>) -> Frame {
        Frame { done, ..self }
    }

    /// Where this visitor may go.
    pub fn places(&self) -> Vec<Entry> {
        let Some(caller) = &self.caller else { return Vec::new() };
        PLACES
            .iter()
            .filter(|(place, _, _, least)| caller.role.may(*least) && (*place != Place::Handsets || self.handsets))
            .map(|(place, path, name, _)| Entry { path, name, here: *place == self.place })
            .collect()
    }

    /// Whether somebody is signed in.
    pub fn signed_in(&self) -> bool {
        self.caller.is_some()
    }

    /// Who is signed in, by name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether whoever looks has this role or one above it.
    pub fn may(&self, least: Role) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.role.may(least))
    }

    /// Whether they may act on incidents.
    pub fn responds(&self) -> bool {
        self.may(Role::Responder)
    }

    /// Whether they may change what others do.
    pub fn commands(&self) -> bool {
        self.may(Role::Commander)
    }

    /// What a form sends back in its field `csrf`: the same in all forms of this page, and in no other page.
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    /// A clock time on the visitor's clock, with the day when it is not today.
    pub fn at(&self, at: &Time) -> String {
        words::clock_time(*at, &self.zone, self.now)
    }

    /// A clock time with its seconds.
    pub fn exact(&self, at: &Time) -> String {
        at.with_timezone(&self.zone).format("%H:%M:%S").to_string()
    }

    /// A day and a clock time.
    pub fn dated(&self, at: &Time) -> String {
        words::dated(*at, &self.zone)
    }

    /// For `datetime` attributes.
    pub fn iso(&self, at: &Time) -> String {
        at.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// How far off an instant is: `in 4 min`, `12 s late`.
    pub fn countdown(&self, at: &Time) -> String {
        let seconds = (*at - self.now).num_seconds();
        if seconds < 0 {
            format!("{} late", wording::length(-seconds))
        } else {
            format!("in {}", wording::length(seconds))
        }
    }

    /// How long it is since an instant.
    pub fn since(&self, at: &Time) -> String {
        wording::length((self.now - *at).num_seconds())
    }
}

/// This machine's zone.
fn local() -> Zone {
    iana_time_zone::get_timezone().ok().and_then(|name| name.parse().ok()).unwrap_or_else(Zone::utc)
}
