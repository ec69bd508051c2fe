//! `/oncall`: who is on call now and for six weeks, where nobody is, and how a shift changes hands.

mod acts;
mod feeds;
mod ribbon;

use askama::Template;
use axum::extract::{Query, State};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use self::ribbon::Ribbon;
pub(super) use self::{
    acts::{end, give, take},
    feeds::{feed, make, revoke},
};
use super::{Frame, Page, Place, Trouble};
use crate::{
    access::{Role, session::Visitor},
    api::{
        schedules::{TeamOnCall, team_at},
        view::{self, Named},
    },
    config::Config,
    id::PersonKey,
    incident::World,
    oncall::{
        Override, Schedule, Shift, coverage,
        feed::{self as feeds_of, Subject},
        roster, store,
    },
    server::App,
    sla::Zone,
};

/// The shifts that are listed of each schedule, and of the visitor.
const LISTED: usize = 14;

/// The page.
#[derive(Template)]
#[template(path = "web/oncall/oncall.html")]
pub(super) struct OnCall {
    frame: Frame,
    teams: Vec<TeamOnCall>,
    schedules: Vec<Drawn>,
    mine: Vec<Mine>,
    people: Vec<Named>,
    /// Who looks, if they are one of our people.
    me: Option<Named>,
    feeds: Vec<Listed>,
    /// The address of a feed that was just made: shown once.
    made: Option<String>,
}

/// A schedule.
struct Drawn {
    key: String,
    name: String,
    zone: String,
    ribbon: Ribbon,
    shifts: Vec<Turn>,
    gaps: Vec<Turn>,
    overrides: Vec<Given>,
}

/// A shift, on the schedule's own clock.
struct Turn {
    person: Option<Named>,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    words: String,
    overridden: bool,
    /// Whether it is the visitor's own.
    mine: bool,
}

/// A shift of the visitor's, on their clock.
struct Mine {
    schedule: String,
    words: String,
    running: bool,
}

/// An override that is not over.
struct Given {
    id: String,
    words: String,
}

/// A calendar feed of the visitor's.
struct Listed {
    id: String,
    name: String,
    words: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
}

pub(super) async fn on_call(
    State(app): State<App>,
    Query(said): Query<Said>,
    visitor: Visitor,
) -> Result<Page<OnCall>, Trouble> {
    visitor.require(Role::Viewer)?;
    let mut page = page(&app, &visitor).await?;
    page.frame = page.frame.done(said.done.as_deref().and_then(done).map(Into::into));
    Ok(Page(page))
}

fn done(act: &str) -> Option<&'static str> {
    Some(match act {
        "taken" => "The shift is yours.",
        "given" => "The shift changed hands.",
        "ended" => "The override is over.",
        "revoked" => "The feed is revoked: its address works no more.",
        _ => return None,
    })
}

/// Before the key of a person who owns a feed.
const PERSONS: &str = "person:";

/// By what name somebody's feeds are kept: a person's and an account's of the same name are two.
fn owner(visitor: &Visitor) -> String {
    match &visitor.caller.person {
        Some(person) => format!("{PERSONS}{person}"),
        None => format!("account:{}", visitor.caller.name),
    }
}

async fn page(app: &App, visitor: &Visitor) -> Result<OnCall, Trouble> {
    let frame = Frame::new(app, visitor, Place::OnCall);
    let (config, now) = (app.config.load_full(), frame.now);
    let mut tx = app.db.read().await?;
    let overrides = store::current(&mut tx, now).await?;
    let own = feeds_of::store::of_owner(&mut tx, &owner(visitor)).await?;
    drop(tx);
    let world = World { config: &config, overrides: &overrides };
    let me = visitor.caller.person.as_ref();
    let until = now + TimeDelta::weeks(ribbon::WEEKS);
    let schedules: Vec<Drawn> =
        config.schedules.values().map(|schedule| drawn(schedule, &overrides, &config, me, now)).collect();
    let mut mine: Vec<(DateTime<Utc>, Mine)> = Vec::new();
    for schedule in config.schedules.values() {
        let shifts = roster::walk(schedule, &overrides, now, until).filter(|shift| shift.person.as_ref() == me);
        for shift in shifts.filter(|_| me.is_some()).take(LISTED) {
            let words = stretch(&shift, &frame.zone);
            mine.push((shift.start, Mine { schedule: schedule.name.clone(), words, running: shift.start <= now }));
        }
    }
    mine.sort_by_key(|(start, _)| *start);
    let mut people: Vec<Named> = config.people.keys().map(|key| view::person(key, &config)).collect();
    people.sort_by(|a, b| a.name.cmp(&b.name));
    let feeds = own.into_iter().map(|feed| Listed {
        name: match &feed.subject {
            Subject::Person(key) => format!("Shifts of {}", view::person(key, &config).name),
            Subject::Schedule(key) => {
                config.schedules.get(key).map_or_else(|| key.to_string(), |schedule| schedule.name.clone())
            }
        },
        words: match feed.read_at {
            Some(at) => format!("made {}, last read {}", frame.dated(&feed.created_at), frame.at(&at)),
            None => format!("made {}, not read yet", frame.dated(&feed.created_at)),
        },
        id: feed.id,
    });
    Ok(OnCall {
        teams: config.teams.values().map(|team| team_at(team, world, now)).collect(),
        schedules,
        mine: mine.into_iter().map(|(_, mine)| mine).take(LISTED).collect(),
        people,
        me: me.map(|key| view::person(key, &config)),
        feeds: feeds.collect(),
        made: None,
        frame,
    })
}

fn drawn(
    schedule: &Schedule,
    overrides: &[Override],
    config: &Config,
    me: Option<&PersonKey>,
    now: DateTime<Utc>,
) -> Drawn {
    let until = now + TimeDelta::weeks(ribbon::WEEKS);
    let turn = |shift: Shift| Turn {
        words: stretch(&shift, &schedule.zone),
        mine: shift.person.is_some() && shift.person.as_ref() == me,
        person: shift.person.as_ref().map(|key| view::person(key, config)),
        start: shift.start,
        end: shift.end,
        overridden: shift.overridden,
    };
    let name = |key: &PersonKey| view::person(key, config).name;
    let given = overrides.iter().filter(|given| given.schedule == schedule.key).map(|given| {
        let instead = given.instead_of.as_ref().map(|key| format!(" for {}", name(key))).unwrap_or_default();
        let shift = Shift { person: None, start: given.start, end: given.end, overridden: true };
        let words = format!("{} stands in{instead}, {}", name(&given.person), stretch(&shift, &schedule.zone));
        Given { id: given.id.clone(), words }
    });
    Drawn {
        key: schedule.key.to_string(),
        name: schedule.name.clone(),
        zone: schedule.zone.to_string(),
        ribbon: ribbon::ribbon(schedule, overrides, config, now),
        shifts: roster::walk(schedule, overrides, now, until).take(LISTED).map(turn).collect(),
        gaps: coverage::gaps(schedule, overrides, now, until).into_iter().take(LISTED).map(turn).collect(),
        overrides: given.collect(),
    }
}

/// `Mon 23 Nov 09:00 to Tue 24 Nov 09:00`
fn stretch(shift: &Shift, zone: &Zone) -> String {
    let moment = |at: DateTime<Utc>| at.with_timezone(zone).format("%a %-d %b %H:%M").to_string();
    format!("{} to {}", moment(shift.start), moment(shift.end))
}

impl OnCall {
    /// Whether the visitor may let this shift change hands.
    fn may_give(&self, turn: &Turn) -> bool {
        turn.mine || self.frame.commands()
    }
}
