//! The conversation on a line without a carrier or a database: what is decided is kept in a list.

mod calls;
mod plans;
mod properties;
mod transcripts;

use chrono::TimeDelta;

use super::{
    CallRecord, Summary,
    conversation::{self, Doing, Facts, Input, Outcome},
    script,
};
use crate::{
    carrier::{Document, Verb},
    clock::Time,
    config::Config,
    customer::{Customer, Hotline},
    incident::{Command, Event, Incident, Recorded, Report},
    people::E164,
    sla::{Plan, Priority, Promise},
    span::Span,
};

/// A number of Acme, and one of nobody we know.
pub const ACME: &str = "+442079460958";
pub const STRANGER: &str = "+12015550123";
/// Acme's PIN, as the line below checks it.
pub const PIN: &str = "271828";

pub fn at(text: &str) -> Time {
    text.parse().unwrap()
}

pub fn config() -> Config {
    let promise =
        |minutes| Promise { response: Some(Span::minutes(minutes).into()), wakes: true, ..Promise::default() };
    let mut plan = Plan::empty("standard".into(), "Standard");
    plan.priorities = [(Priority::P1, promise(30)), (Priority::P2, promise(60))].into();
    let mut config = Config::default();
    config.plans.insert(plan.key.clone(), plan.clone());
    let hotline = Hotline {
        key: "emergency".into(),
        number: E164::parse("+18885550100").unwrap(),
        greeting: "This is the Example emergency line.".into(),
        language: "en-US".into(),
        team: "core".into(),
        plan: plan.key.clone(),
        zone: "America/New_York".parse().unwrap(),
    };
    config.hotlines.insert(hotline.key.clone(), hotline);
    let acme = Customer {
        key: "acme".into(),
        name: "Acme".into(),
        zone: "Europe/London".parse().unwrap(),
        phones: vec![E164::parse(ACME).unwrap()],
        pin_hash: None,
        team: "payments".into(),
        plan,
        mail: Vec::new(),
        subscribers: Vec::new(),
        administrators: Vec::new(),
    };
    config.customers.insert(acme.key.clone(), acme);
    config
}

/// An open incident of Acme.
pub fn known(priority: Priority, call: &CallRecord) -> Summary {
    Summary {
        id: "inc_known".into(),
        reference: "4712".into(),
        priority,
        zone: "Europe/London".parse().unwrap(),
        over: false,
        idle: false,
        wakes: priority.pages(),
        begins_at: None,
        live: Vec::new(),
        levels: None,
        ruled_out: false,
        waiting: None,
        held: true,
        reachable: true,
        response_due: Some(call.started_at - TimeDelta::minutes(40)),
        responded: true,
        last_update: Some("The database is being restored".into()),
        last_update_at: Some(call.started_at - TimeDelta::minutes(13)),
        next_update: Some(call.started_at + TimeDelta::minutes(47)),
    }
}

/// A call in progress.
#[derive(Clone, Debug)]
pub struct Line {
    pub config: Config,
    pub call: CallRecord,
    pub open: Vec<Summary>,
    pub idle: Option<Summary>,
    /// This call's own incident, as it is when the caller leaves the queue.
    pub own: Option<Summary>,
    pub flood: Option<Summary>,
    pub pin_locked: bool,
    /// The last turn's question.
    pub n: usize,
    /// Everything that was decided.
    pub done: Vec<Doing>,
    /// What was said and done, for people.
    pub transcript: String,
}

impl Line {
    pub fn from(caller: &str) -> Self {
        let config = config();
        let started_at = at("2026-11-05T14:02:00Z");
        let customer = E164::parse(caller).ok().and_then(|number| config.customer_at(&number)).map(|c| c.key.clone());
        let call = CallRecord {
            id: "cal_1".into(),
            carrier: "test".into(),
            sid: "CA1".into(),
            hotline: Some("emergency".into()),
            caller: caller.into(),
            customer,
            verified: false,
            incident: None,
            started_at,
            ended_at: None,
            answers: Default::default(),
        };
        Line {
            config,
            call,
            open: Vec::new(),
            idle: None,
            own: None,
            flood: None,
            pin_locked: false,
            n: 0,
            done: Vec::new(),
            transcript: String::new(),
        }
    }

    pub fn ring(mut self) -> Self {
        self.run(conversation::begin);
        self
    }

    /// The caller presses keys.
    pub fn press(mut self, keys: &str) -> Self {
        self.transcript += &format!("> {keys}\n");
        self.input(Some(keys), None);
        self
    }

    /// Nothing comes.
    pub fn silence(mut self) -> Self {
        self.transcript += "> (silence)\n";
        self.input(None, None);
        self
    }

    /// The caller speaks after the tone.
    pub fn say(mut self, recording: &str) -> Self {
        self.transcript += &format!("> (speaks: {recording})\n");
        self.input(None, Some(&format!("https://recordings.test/{recording}")));
        self
    }

    pub fn hang_up(mut self) -> Self {
        self.transcript += "> (hangs up)\n";
        self.run(conversation::hung_up);
        self
    }

    pub fn input(&mut self, keys: Option<&str>, recording: Option<&str>) {
        let input = self.pressing(keys, recording);
        self.turn(&input);
    }

    /// The turn that answers what was asked last, as a carrier would send it: from the document's action.
    pub fn pressing(&self, keys: Option<&str>, recording: Option<&str>) -> Input {
        let action = action(&self.document()).unwrap_or_else(|| format!("voice/promise?n={}", self.n));
        let (path, query) = crate::carrier::Action(action).split();
        Input {
            step: path.trim_start_matches("voice/").into(),
            n: query[0].1.parse().unwrap(),
            keys: keys.map(Into::into),
            recording: recording.map(Into::into),
            bridged: false,
        }
    }

    pub fn turn(&mut self, input: &Input) {
        let pin = (input.step == "pin" && input.keys.as_deref() == Some(PIN)).then(|| "acme".into());
        self.run(|call, facts| conversation::step(call, input, &Facts { pin_of: pin, ..facts.clone() }));
    }

    pub fn document(&self) -> Document {
        script::document(&self.call, self.n, "en-US")
    }

    /// Does what the shell does, but for the database.
    fn run(&mut self, decide: impl FnOnce(CallRecord, &Facts<'_>) -> Outcome) {
        let facts = Facts {
            config: &self.config,
            now: self.call.started_at + TimeDelta::minutes(2),
            open: self.open.clone(),
            idle: self.idle.clone(),
            own: self.own.clone(),
            pin_locked: self.pin_locked,
            pin_of: None,
            flood: self.flood.clone(),
        };
        let Outcome { call, doings, n } = decide(self.call.clone(), &facts);
        (self.call, self.n) = (call, n);
        for doing in &doings {
            self.transcript += &format!("! {}\n", told(doing));
            if let (Doing::Add(Command::Amend { contact, .. }), Some(incident)) =
                (doing, &mut self.call.answers.incident)
            {
                incident.reachable |= contact.number.is_some();
            }
            if let Doing::Open(report) = doing {
                self.call.incident = Some("inc_new".into());
                self.call.answers.incident = Some(opened(report, self.call.started_at));
            }
        }
        let ended = self.call.ended_at.is_some();
        self.done.extend(doings);
        if !ended {
            self.transcript += &format!("{}\n", self.document().words());
        }
    }
}

/// What a carrier would go on at.
pub fn action(document: &Document) -> Option<String> {
    document.verbs.iter().find_map(|verb| match verb {
        Verb::Gather { action, .. } | Verb::Record { action, .. } | Verb::Enqueue { action, .. } => {
            Some(action.0.clone())
        }
        _ => None,
    })
}

fn opened(report: &Report, at: Time) -> Summary {
    let report = Report { reference: "4821".into(), ..report.clone() };
    let event = Event::Opened { report: Box::new(report) };
    Summary::of(&Incident::open(&"inc_new".into(), &Recorded { seq: 1, at, event }).unwrap())
}

fn told(doing: &Doing) -> String {
    match doing {
        Doing::WrongPin => "wrong PIN counted".into(),
        Doing::Open(report) => format!(
            "opens {} \"{}\" for {} with {}, {} to call back",
            report.priority,
            report.title,
            report.customer_name,
            report.team,
            report.contact.number.as_deref().unwrap_or("nobody"),
        ),
        Doing::Tell { incident, commands, .. } => {
            format!("tells {incident}: {}", commands.iter().map(command).collect::<Vec<_>>().join("; "))
        }
        Doing::Add(what) => format!("adds: {}", command(what)),
    }
}

fn command(command: &Command) -> String {
    match command {
        Command::Signal { summary } => format!("signal \"{summary}\""),
        Command::CustomerEscalates { why, level: None, .. } => format!("customer escalates \"{why}\""),
        Command::CustomerEscalates { why, level: Some(level), .. } => {
            format!("customer escalates to level {level} \"{why}\"")
        }
        Command::CustomerReplies { text } => format!("customer replies \"{text}\""),
        Command::SetPriority { priority, .. } => format!("priority {priority}"),
        Command::Amend { contact, title, detail } => format!(
            "number {}{}, {}",
            contact.number.as_deref().unwrap_or("none"),
            title.as_ref().map(|title| format!(", \"{title}\"")).unwrap_or_default(),
            detail.as_deref().unwrap_or("").replace('\n', " / "),
        ),
        other => format!("{other:?}"),
    }
}
