//! `/s/TOKEN`: what a customer's text leads to. How it stands, what was promised, and what they want to say.

mod told;

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, Request, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use serde::Deserialize;

use self::told::{Callback, Told, raised_lately, said_enough};
use super::{Frame, Page, Place, Trouble, form, guess::Guesses, linked};
use crate::{
    access::session::{self, From},
    api::Problem,
    id::IncidentId,
    incident::{
        Actor, Command, Contact, Incident, Refusal,
        door::DoorError,
        store::{events, load_for_update},
        untried,
    },
    paging::{customer, draft, store::insert},
    people::E164,
    server::App,
    store::{Tx, retry::retried},
};

/// The longest words that are taken, in characters.
const LONGEST: usize = 500;

/// How often a number is changed in a day: each change sends a text there.
const MOST_NUMBERS: usize = 3;

/// The page.
#[derive(Template)]
#[template(path = "web/status/page.html")]
pub(super) struct Shown {
    frame: Frame,
    token: String,
    told: Told,
    /// They say that it is solved, and are asked once more.
    sure: bool,
    /// What is wrong with the number they gave, and what they wrote.
    wrong: Option<String>,
    written: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
}

/// What a customer wants.
#[derive(Clone, Debug)]
enum Wish {
    Still(String),
    Worse(String),
    Close,
    Number(E164),
}

pub(super) async fn show(
    State(app): State<App>,
    Path(token): Path<String>,
    Query(said): Query<Said>,
    Extension(guesses): Extension<Guesses>,
    from: From,
) -> Result<Page<Shown>, Trouble> {
    let incident = linked::customer(&app, &guesses, &from, &token).await?;
    let mut shown = shown(&app, &incident, token);
    shown.frame = shown.frame.done(said.done.as_deref().and_then(done).map(Into::into));
    Ok(Page(shown))
}

fn shown(app: &App, incident: &Incident, token: String) -> Shown {
    let mut frame = Frame::open(app, Place::Nowhere);
    frame.zone = incident.zone.clone();
    Shown { frame, token, told: Told::of(incident), sure: false, wrong: None, written: String::new() }
}

/// Hears what a customer says.
pub(super) async fn act(
    State(app): State<App>,
    Path(token): Path<String>,
    Extension(guesses): Extension<Guesses>,
    from: From,
    request: Request,
) -> Result<Response, Trouble> {
    let incident = linked::customer(&app, &guesses, &from, &token).await?;
    if !session::is_ours(&app.settings.public_url, request.headers()) {
        return Err(Problem::forbidden("This did not come from our page. Open the link in the text once more.").into());
    }
    let fields = form::fields(request).await?;
    let words: String = fields.get("words").trim().chars().take(LONGEST).collect();
    let wish = match fields.get("act") {
        "still" => Wish::Still(words),
        "worse" => Wish::Worse(words),
        "close" => Wish::Close,
        "fixed" => return Ok(Page(Shown { sure: true, ..shown(&app, &incident, token) }).into_response()),
        "number" => match E164::dialable(fields.get("number").trim()) {
            Ok(number) => Wish::Number(number),
            Err(bad) => {
                let written = fields.get("number").chars().take(40).collect();
                let wrong = Some(format!("This is {bad}."));
                return Ok(Page(Shown { wrong, written, ..shown(&app, &incident, token) }).into_response());
            }
        },
        _ => return Err(Problem::bad_request("Press one of the buttons on the page.").into()),
    };
    let said = retried(|| async {
        let mut tx = app.db.begin().await?;
        let said = hear(&app, &mut tx, &incident.id, &wish).await?;
        tx.commit().await?;
        app.bell.ring();
        Ok::<_, DoorError>(said)
    });
    let said = match said.await {
        Ok(said) => said,
        Err(DoorError::Refused(_)) => "refused",
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("/s/{token}?done={said}")).into_response())
}

/// Carries out a wish; gives what to say to it.
async fn hear(app: &App, tx: &mut Tx, id: &IncidentId, wish: &Wish) -> Result<&'static str, DoorError> {
    let now = app.clock.now();
    let incident = load_for_update(tx, id).await?.ok_or(Refusal::Unknown)?;
    let events = events(tx, id, 0).await?;
    if matches!(wish, Wish::Still(_) | Wish::Worse(_)) && said_enough(&events, now) {
        return Ok("enough");
    }
    match wish {
        Wish::Worse(words) if incident.is_open() && !raised_lately(&events, now) => {
            let why = with("It got worse", words);
            let command = Command::CustomerEscalates { why, level: None, occurred_at: None };
            app.door.execute_in(tx, id, command).await?;
            Ok("worse")
        }
        Wish::Still(words) | Wish::Worse(words) => {
            let what = match wish {
                Wish::Worse(_) => "It got worse",
                _ if incident.is_open() => "Still broken",
                _ => "It is not over",
            };
            let verdict = customer::replied(app, tx, &incident, &with(what, words), "On the customer's page").await?;
            Ok(match verdict {
                "refused" => "refused",
                "reported anew" => "anew",
                _ if incident.is_open() => "still",
                _ => "reopened",
            })
        }
        Wish::Close => {
            let note = "The customer says that it is solved.";
            app.door.execute_in(tx, id, Command::Resolve { by: Actor::Customer, note: note.into() }).await?;
            tell_holder(app, tx, &incident, &format!("{}: {note} It is closed.", incident.reference)).await?;
            Ok("closed")
        }
        Wish::Number(number) if incident.contact.number.as_deref() == Some(number.as_str()) => Ok("same"),
        Wish::Number(number) => {
            if !incident.is_open() {
                return Err(Refusal::Closed.into());
            }
            if untried::changes(&events, now - TimeDelta::days(1)) >= MOST_NUMBERS {
                return Ok("enough");
            }
            let contact = Contact { number: Some(number.as_str().into()), ..Contact::default() };
            app.door.execute_in(tx, id, Command::Amend { contact, title: None, detail: None }).await?;
            app.door.execute_in(tx, id, untried::note(number)).await?;
            let told = format!(
                "{}: the customer changed the call-back number to {} (not tried yet).",
                incident.reference,
                number.as_str()
            );
            tell_holder(app, tx, &incident, &told).await?;
            Ok("number")
        }
    }
}

/// Whoever has it hears of what changed.
async fn tell_holder(app: &App, tx: &mut Tx, incident: &Incident, text: &str) -> Result<(), DoorError> {
    let config = app.config.load_full();
    let holder = match incident.holder.as_ref().map(|holder| &holder.who) {
        Some(Actor::Person(key)) => config.people.get(key),
        _ => None,
    };
    if let Some(attempt) = holder.and_then(|holder| draft::to_person(incident, holder, text, app.clock.now())) {
        insert(tx, &attempt).await?;
    }
    Ok(())
}

/// `Still broken: the tills in Bonn too.`
fn with(what: &str, words: &str) -> String {
    if words.is_empty() { format!("{what}.") } else { format!("{what}: {words}") }
}

fn done(what: &str) -> Option<&'static str> {
    Some(match what {
        "still" => "Thank you. Whoever works on it was told.",
        "worse" => "Thank you. More of our people are being called.",
        "reopened" => "It is open again, and our engineers are being called.",
        "anew" => "We have opened a new report for it. You get a text with its reference.",
        "closed" => "It is closed. Thank you. If it comes back, say so here or call us.",
        "number" => "Thank you. We call you there. A text to that number says so as well.",
        "same" => "That is the number we have.",
        "enough" => "We have heard you several times now. If it cannot wait, please call us.",
        "refused" => "That is not possible here any more. Please call us.",
        _ => return None,
    })
}
