//! `/incidents/REF`: one incident, whole, and everything that can be done about it; and `/incidents`, the list of them.

mod list;
mod preview;
mod why;

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use self::{preview::Preview, why::Decision};
use super::{
    Form, Frame, Page, Place, Trouble, acts,
    board::{self, Card},
    store::Reach,
};
use crate::{
    access::{
        Role, audit,
        session::{From, Visitor},
    },
    api::{
        self,
        incidents::find,
        view::{self, IncidentView, MailView, Named, TimelineEntry},
    },
    clock::Time,
    id::PageId,
    incident::{self, Incident, World, explain::Explained, ledger::reckon::reckon},
    intake, mail, oncall, paging, report,
    server::App,
    sla::Priority,
    store::Tx,
};

pub(super) use self::list::list;

/// How many texts, calls and mails are shown with an incident.
const MOST: i64 = 200;

/// The page.
#[derive(Template)]
#[template(path = "web/incident/incident.html")]
pub(super) struct Shown {
    frame: Frame,
    view: IncidentView,
    card: Card,
    timeline: Vec<TimelineEntry>,
    decisions: Vec<Decision>,
    mails: Vec<MailView>,
    promises: Vec<Explained>,
    contradictions: Vec<String>,
    recordings: Vec<Recording>,
    /// Since when the call-back number is one from the customer's page that nobody has tried.
    untried: Option<Time>,
    people: Vec<Named>,
    /// What the plan allows.
    may: Allowed,
    preview: Option<Preview>,
    /// The analysis so far, where one is promised.
    rca: Option<String>,
}

/// What the plan lets people do about it.
#[derive(Clone, Copy, Debug)]
struct Allowed {
    rule_out: bool,
    call_link: bool,
    /// The visitor's own phone can be rung, to put them through to the customer.
    call: bool,
    from_integration: bool,
}

/// What a caller said, where it can be heard.
struct Recording {
    what: &'static str,
    url: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
}

pub(super) async fn incident(
    State(app): State<App>,
    Path(reference): Path<String>,
    Query(said): Query<Said>,
    visitor: Visitor,
) -> Result<Page<Shown>, Trouble> {
    visitor.require(Role::Viewer)?;
    let mut tx = app.db.read().await?;
    let incident = find(&mut tx, &reference).await?;
    let mut shown = shown(&app, &mut tx, &visitor, incident).await?;
    shown.frame = shown.frame.done(said.done.as_deref().and_then(acts::done).map(Into::into));
    Ok(Page(shown))
}

/// What an update would do, without posting it.
pub(super) async fn preview_update(
    State(app): State<App>,
    Path(reference): Path<String>,
    form: Form,
) -> Result<Page<Shown>, Trouble> {
    form.visitor.require(Role::Responder)?;
    let (config, now) = (app.config.load_full(), app.clock.now());
    let mut tx = app.db.read().await?;
    let incident = find(&mut tx, &reference).await?;
    let overrides = oncall::store::current(&mut tx, now).await?;
    let world = World { config: &config, overrides: &overrides };
    let body = form.fields.json();
    let visible = body["customer_visible"].as_bool().unwrap_or(true);
    let text = form.fields.get("text").trim();
    let preview = preview::preview(&incident, form.visitor.caller.actor(), text, visible, world, now);
    let mut shown = shown(&app, &mut tx, &form.visitor, incident).await?;
    shown.preview = Some(preview);
    Ok(Page(shown))
}

/// Everything that proves the incident, as a file for `ringdown verify`.
pub(super) async fn export(
    State(app): State<App>,
    Path(reference): Path<String>,
    visitor: Visitor,
    from: From,
) -> Result<Response, Trouble> {
    visitor.require(Role::Responder)?;
    let mut tx = app.db.read().await?;
    let incident = find(&mut tx, &reference).await?;
    let text = report::export::export(&app, &mut tx, &incident.id).await?;
    drop(tx);
    let of = format!("incident {}", incident.reference);
    audit::exported(&app, visitor.caller.who(), Some(&from.network), &of).await?;
    let name = format!("attachment; filename=\"ringdown-{}.json\"", incident.id);
    Ok(([(header::CONTENT_TYPE, "application/json".to_string()), (header::CONTENT_DISPOSITION, name)], text)
        .into_response())
}

async fn shown(app: &App, tx: &mut Tx, visitor: &Visitor, incident: Incident) -> Result<Shown, Trouble> {
    let frame = Frame::new(app, visitor, Place::Incidents);
    let (config, now, caller) = (app.config.load_full(), frame.now, &visitor.caller);
    let events = incident::store::events(tx, &incident.id, 0).await?;
    let attempts = api::store::attempts(tx, &incident.id, None, MOST).await?;
    let mails = mail::store::of_incident(tx, &incident.id, MOST).await?;
    let overrides = oncall::store::current(tx, now).await?;
    let calls = intake::phone::store::look_at(tx, &incident.id).await?;
    let world = World { config: &config, overrides: &overrides };
    let mut of_page: BTreeMap<PageId, Vec<Reach>> = BTreeMap::new();
    for (page, reach) in attempts.iter().filter_map(reach) {
        of_page.entry(page).or_default().push(reach);
    }
    let reckoning = reckon(&events, now);
    let recordings = calls.into_iter().flat_map(|call| {
        let said = [("Their name", call.answers.name_url), ("What is wrong", call.answers.words_url)];
        // The built-in phones keep words, which stand in the report; a carrier keeps sound at an address of its own.
        let kept = |url: &String| url.starts_with("https://");
        said.into_iter().filter_map(move |(what, url)| Some(Recording { what, url: url.filter(kept)? }))
    });
    let mut people: Vec<Named> = config.people.keys().map(|key| view::person(key, &config)).collect();
    people.sort_by(|a, b| a.name.cmp(&b.name));
    let me = caller.person.as_ref().and_then(|key| config.people.get(key));
    let rca =
        (!incident.is_open() && incident.rca.is_some()).then(|| incident::rca::draft(&incident, &events, &config));
    Ok(Shown {
        view: view::incident(&incident, &config, caller),
        card: Card::of(&incident, &of_page, &config),
        timeline: view::timeline(&events, &incident, &config).into_iter().rev().collect(),
        decisions: why::decisions(&incident, &events, &attempts, world, now),
        mails: mails.into_iter().map(|mail| view::mail(mail, caller)).collect(),
        promises: incident::explain::explain(&reckoning, &incident),
        contradictions: reckoning.contradictions.iter().map(ToString::to_string).collect(),
        recordings: if view::sees_numbers(caller) { recordings.collect() } else { Vec::new() },
        untried: incident::untried::since(&events),
        people,
        may: Allowed {
            rule_out: incident.plan.rule_out,
            call_link: incident.plan.call_link.is_some(),
            call: me.is_some_and(|me| paging::callback::possible(&incident, me)),
            from_integration: matches!(incident.source, incident::Source::Integration { .. }),
        },
        preview: None,
        rca,
        frame,
    })
}

fn reach(row: &api::store::AttemptRow) -> Option<(PageId, Reach)> {
    let page = row.page_id.clone()?;
    let reach = Reach {
        page_id: page.clone(),
        channel: row.channel.clone(),
        stage: row.stage,
        outcome: row.outcome,
        sent_at: row.sent_at,
        ended_at: row.ended_at,
    };
    Some((page.into(), reach))
}

impl Shown {
    fn open(&self) -> bool {
        self.view.phase == incident::Phase::Open
    }

    fn priorities(&self) -> Vec<Priority> {
        Priority::ALL.into_iter().filter(|priority| *priority != self.view.priority).collect()
    }

    fn owed(&self) -> Option<board::Owed> {
        self.card.next
    }
}
