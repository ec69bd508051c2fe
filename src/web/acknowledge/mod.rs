//! `/a/TOKEN`: what a page's text leads to. It shows the trouble in one line and takes it with one thumb, without
//! signing in. A look at it does nothing: those who preview links look too.

mod stand;

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, Request, State},
    response::Redirect,
};
use serde::Deserialize;

use self::stand::{Facts, Stand};
use super::{Frame, Page, Place, Trouble, form, guess::Guesses, linked};
use crate::{
    access::session::{self, From},
    api::{self, Problem},
    id::PageId,
    incident::{self, Actor, Refusal, door::DoorError},
    paging::{
        self,
        tap::{Tap, tap},
    },
    server::App,
};

/// The times one can say until one is on it, in minutes.
const ETAS: [u16; 4] = [5, 15, 30, 60];

/// The page.
#[derive(Template)]
#[template(path = "web/acknowledge/page.html")]
pub(super) struct Shown {
    frame: Frame,
    token: String,
    facts: Facts,
    stand: Stand,
}

#[derive(Debug, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
}

pub(super) async fn show(
    State(app): State<App>,
    Path(token): Path<String>,
    Query(said): Query<Said>,
    Extension(guesses): Extension<Guesses>,
    from: From,
) -> Result<Page<Shown>, Trouble> {
    let (incident, number) = linked::page(&app, &guesses, &from, &token).await?;
    let config = app.config.load_full();
    let me = incident.pages.get(&number).and_then(|page| config.people.get(&page.person));
    let me = me.ok_or_else(|| Problem::not_found("You are not in people.toml any more."))?;
    let mut tx = app.db.read().await?;
    let events = incident::store::events(&mut tx, &incident.id, 0).await?;
    let attempts = paging::store::of_page(&mut tx, &PageId::of(&incident.id, number)).await?;
    let code = attempts.into_iter().find_map(|attempt| attempt.reply_code);
    let mut frame = Frame::open(&app, Place::Nowhere).done(said.done.as_deref().and_then(done).map(Into::into));
    frame.zone = me.zone.clone();
    let facts = Facts::of(&incident, number, me, code, &config, frame.now);
    let stand = Stand::of(&incident, number, me, &events, &config, frame.now);
    Ok(Page(Shown { frame, token, facts, stand }))
}

/// Carries out what a button says, as the one who was paged.
pub(super) async fn act(
    State(app): State<App>,
    Path(token): Path<String>,
    Extension(guesses): Extension<Guesses>,
    from: From,
    request: Request,
) -> Result<Redirect, Trouble> {
    let (incident, number) = linked::page(&app, &guesses, &from, &token).await?;
    if !session::is_ours(&app.settings.public_url, request.headers()) {
        return Err(Problem::forbidden("This did not come from our page. Open the link in the text once more.").into());
    }
    let fields = form::fields(request).await?;
    if fields.get("act") == "call" {
        let me = incident.pages.get(&number).map(|page| Actor::Person(page.person.clone()));
        api::callback::asked(&app, &me.unwrap_or(Actor::System), incident.id.as_str()).await?;
        return Ok(Redirect::to(&format!("/a/{token}?done=call")));
    }
    let (wanted, word) = wanted(&fields)?;
    let said = match tap(&app, &incident.id, number, wanted).await {
        Ok(()) => word,
        // Somebody was faster, or it is over: the page shows how it stands.
        Err(DoorError::Refused(Refusal::AlreadyAcknowledged { .. } | Refusal::Closed)) => "late",
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("/a/{token}?done={said}")))
}

fn wanted(fields: &form::Fields) -> Result<(Tap, &'static str), Problem> {
    if let Ok(minutes) = fields.get("eta").parse() {
        let known = ETAS.contains(&minutes).then_some((Tap::Eta(minutes), "eta"));
        return known.ok_or_else(|| Problem::bad_request("Choose one of the times on the page."));
    }
    match fields.get("act") {
        "take" => Ok((Tap::Take, "take")),
        "pass-on" => Ok((Tap::PassOn, "pass-on")),
        "help" => Ok((Tap::Help, "help")),
        _ => Err(Problem::bad_request("Press one of the buttons on the page.")),
    }
}

fn done(act: &str) -> Option<&'static str> {
    Some(match act {
        "take" => "Recorded. Nobody further is woken because of you.",
        "eta" => "Recorded. The team sees when you are on it.",
        "call" => "Your phone rings. Answer it and press 5: you are put through, and the talk is recorded by itself.",
        "pass-on" => "Passed on. Go back to sleep if you can.",
        "help" => "They were told that you can help.",
        "late" => "That is not possible any more. This is how it stands:",
        _ => return None,
    })
}

impl Shown {
    fn etas(&self) -> impl Iterator<Item = (u16, &'static str)> {
        ETAS.into_iter().zip(["5 min", "15 min", "30 min", "1 h"])
    }
}
