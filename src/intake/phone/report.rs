//! What a call tells the incident: the report that opens it, and what is added later.

use super::{
    call::{CallRecord, Step, TRANSCRIPT_LENGTH, bounded},
    conversation::{Doing, Facts},
    phrases,
};
use crate::{
    config::Config,
    customer::{Customer, Hotline},
    incident::{Command, Contact, Report, Source},
    people::E164,
    sla::{Plan, Priority, Zone},
};

/// Who is shown as the customer of a call from nobody we know.
pub const UNKNOWN_CALLER: &str = "Unknown caller";

/// The hotline of a call; the first one stands in for one that is gone or was never there.
pub fn hotline<'a>(config: &'a Config, call: &CallRecord) -> Option<&'a Hotline> {
    call.hotline.as_ref().and_then(|key| config.hotlines.get(key)).or_else(|| config.hotlines.values().next())
}

/// The customer of a call.
pub fn customer<'a>(config: &'a Config, call: &CallRecord) -> Option<&'a Customer> {
    config.customers.get(call.customer.as_ref()?)
}

/// Where the caller's clock times are told.
pub fn zone(config: &Config, call: &CallRecord) -> Zone {
    let of_hotline = || hotline(config, call).map(|hotline| hotline.zone.clone());
    customer(config, call).map(|customer| customer.zone.clone()).or_else(of_hotline).unwrap_or_else(Zone::utc)
}

/// The number to call back as long as the caller gives no other: the caller's own, else the first we know of a
/// customer whose PIN was right. A number alone proves nothing, so a hidden one never leads to another.
pub fn best_number(config: &Config, call: &CallRecord) -> Option<E164> {
    let on_file = || customer(config, call).filter(|_| call.verified).and_then(|customer| customer.phones.first());
    super::number::caller_id(&call.caller).or_else(|| on_file().cloned())
}

/// What opens an incident. The reference is filled in where it is free: in the transaction.
pub fn report(call: &CallRecord, facts: &Facts<'_>, priority: Priority, title: &str) -> Box<Report> {
    let config = facts.config;
    let (customer, hotline) = (customer(config, call), hotline(config, call));
    let team = customer.map(|customer| &customer.team).or(hotline.map(|hotline| &hotline.team));
    Box::new(Report {
        reference: String::new(),
        source: Source::Phone { call: call.id.clone(), verified: call.verified },
        priority,
        customer: customer.map(|customer| customer.key.clone()),
        customer_name: customer.map_or_else(|| UNKNOWN_CALLER.into(), |customer| customer.name.clone()),
        zone: zone(config, call),
        team: team.or_else(|| config.teams.keys().next()).cloned().unwrap_or_else(|| "none".into()),
        plan: plan(config, call).cloned().unwrap_or_else(|| Plan::empty("none".into(), "No plan")),
        title: title.into(),
        detail: detail(call),
        contact: contact(call),
        not_before: None,
    })
}

/// Whom to call back, as far as this call told.
pub fn contact(call: &CallRecord) -> Contact {
    Contact {
        name: call.answers.name.clone(),
        number: call.answers.number.as_ref().map(|number| number.as_str().into()),
        mail: None,
    }
}

/// All that this call told, for the engineer. Made anew each time, so that adding to it is idempotent.
pub fn detail(call: &CallRecord) -> String {
    let answers = &call.answers;
    let mut lines = vec![match (&call.customer, call.verified) {
        (Some(_), true) => "By phone; the PIN was right.".to_string(),
        (Some(_), false) => "By phone; known by the number, not verified.".into(),
        (None, _) => "By phone; the caller is not known and not verified.".into(),
    }];
    if answers.number.is_none() {
        lines.push("No number to call back.".into());
    }
    lines.extend(answers.notes.iter().cloned());
    let mut add = |label: &str, value: &Option<String>| {
        lines.extend(value.iter().map(|value| format!("{label}: {value}")));
    };
    add("What is wrong", &answers.words);
    add("What is wrong, to hear", &answers.words_url);
    add("Name", &answers.name);
    add("Name, to hear", &answers.name_url);
    bounded(&lines.join("\n"), TRANSCRIPT_LENGTH + 4_000)
}

/// Tells the incident what this call told since. An incident that another call opened keeps its own words: it is
/// told `news` as a repeated signal.
pub fn amend(call: &CallRecord, news: &str) -> Doing {
    let command = if call.answers.opened {
        let title = call.answers.words.as_deref().map(|words| bounded(&words.replace('\n', " "), 80));
        Command::Amend {
            contact: contact(call),
            title: title.filter(|title| !title.is_empty()),
            detail: Some(detail(call)),
        }
    } else {
        Command::Signal { summary: bounded(news, 500) }
    };
    Doing::Add(command)
}

/// What was known when the caller hung up at a step.
pub fn left_at(step: Option<&Step>) -> &'static str {
    match step {
        None => "The caller hung up before we could speak.",
        Some(Step::Pin { .. }) => "The caller hung up when asked for the PIN.",
        Some(Step::Open { .. }) => "The caller heard how it stands, and hung up.",
        Some(Step::Level { .. }) => "The caller heard whom to ask for, and hung up.",
        Some(Step::Reply) => "The caller hung up when asked for the answer.",
        Some(Step::Wait) => "The caller hung up while waiting for an engineer.",
        Some(Step::Priority { .. }) => "The caller hung up when asked for the priority.",
        Some(Step::Number { .. } | Step::Keypad { .. }) => "The caller hung up when asked for a number.",
        Some(Step::Name) => "The caller hung up when asked for the name.",
        Some(Step::Words) => "The caller hung up when asked what is wrong.",
        Some(Step::Voicemail) => "The caller hung up while leaving a message.",
        Some(Step::Promise { .. }) => "The call went to its end.",
    }
}

/// The title of a new incident.
pub fn title(priority: Priority, menu: &[(Priority, String)], silent: bool) -> String {
    match menu.iter().find(|(choice, _)| *choice == priority) {
        _ if silent => phrases::SILENT.into(),
        Some((_, title)) => format!("{title}, told by phone"),
        None => phrases::title(priority).into(),
    }
}

/// How the plan takes a report of this priority, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Somebody is woken.
    pub wakes: bool,
    /// The caller is connected at once.
    pub live: bool,
    /// It waits for support to open.
    pub closed: bool,
}

/// How the caller's plan takes a report of this priority, now.
pub fn terms(call: &CallRecord, facts: &Facts<'_>, priority: Priority) -> Terms {
    let Some(plan) = plan(facts.config, call) else {
        return Terms { wakes: priority.pages(), live: false, closed: false };
    };
    let promise = plan.promise(priority);
    let opens = |term: &crate::sla::Term| plan.calendars.next_open(&term.calendar, facts.now);
    let closed = promise.office_hours && promise.response.as_ref().map(opens).is_some_and(|opens| opens > facts.now);
    Terms { wakes: plan.wakes(priority) && !closed, live: promise.live && !closed, closed }
}

/// What the caller chooses from, where the plan knows more than stopped, degraded and anything else.
pub fn menu(config: &Config, call: &CallRecord) -> Vec<(Priority, String)> {
    let Some(plan) = plan(config, call) else { return Vec::new() };
    let title = |promise: &crate::sla::Promise| bounded(promise.title.trim_end_matches('.'), 60);
    let menu: Vec<_> = plan.priorities.iter().map(|(priority, promise)| (*priority, title(promise))).collect();
    let usual = menu.iter().all(|(priority, _)| priority.pages()) && plan.wakes(Priority::P2);
    if usual || menu.iter().any(|(_, title)| title.is_empty()) { Vec::new() } else { menu }
}

fn plan<'a>(config: &'a Config, call: &CallRecord) -> Option<&'a Plan> {
    customer(config, call)
        .map(|customer| &customer.plan)
        .or_else(|| config.plans.get(&hotline(config, call)?.plan))
        .or_else(|| config.hotlines.values().find_map(|hotline| config.plans.get(&hotline.plan)))
}
