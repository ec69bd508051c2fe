//! `/intake`: what monitoring sent and what became of it, how a sender is set up, and a test event.

mod setup;
mod snippet;
mod trial;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Redirect,
};
use serde::Deserialize;

use self::setup::Setup;
pub(super) use self::setup::{reveal, test};
use super::{Frame, Page, Place, Trouble};
use crate::{
    access::{Role, origin, session::Visitor},
    api::{Problem, page},
    config::Config,
    id::{IncidentId, IntakeId},
    intake::{Received, store},
    server::App,
};

/// Payloads on one page.
const MOST: i64 = 25;

/// The page.
#[derive(Template)]
#[template(path = "web/intake/intake.html")]
pub(super) struct Shown {
    frame: Frame,
    lines: Vec<Line>,
    /// Where the older ones are.
    older: Option<String>,
    /// Only those of this incident: its long id.
    incident: Option<String>,
    setups: Vec<Setup>,
    /// Where senders reach us, and whether that is this machine only.
    public_url: String,
    only_here: bool,
}

/// A payload in the list.
struct Line {
    received: Received,
    /// The sender's name.
    sender: String,
}

/// One payload, whole.
#[derive(Template)]
#[template(path = "web/intake/payload.html")]
pub(super) struct Whole {
    frame: Frame,
    line: Line,
    /// The body, laid out where it is JSON.
    body: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    cursor: Option<String>,
    incident: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
}

pub(super) async fn intake(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    visitor: Visitor,
) -> Result<Page<Shown>, Trouble> {
    visitor.require(Role::Admin)?;
    Ok(Page(shown(&app, &visitor, wanted, None).await?))
}

/// `/intake/payloads/ID`.
pub(super) async fn payload(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(said): Query<Said>,
    visitor: Visitor,
) -> Result<Page<Whole>, Trouble> {
    visitor.require(Role::Admin)?;
    let found = store::get(&mut app.db.read().await?, &IntakeId::from(id)).await?;
    let received =
        found.ok_or_else(|| Problem::not_found("There is no payload of this id; they are kept for a while."))?;
    let done = said.done.as_deref().and_then(setup::done).map(Into::into);
    Ok(Page(Whole {
        body: laid_out(&received.body),
        line: line(received, &app.config.load()),
        frame: Frame::new(&app, &visitor, Place::Intake).done(done),
    }))
}

async fn shown(app: &App, visitor: &Visitor, wanted: Wanted, open: Option<&str>) -> Result<Shown, Trouble> {
    let (cursor, _) = page::window(wanted.cursor, None, "int_")?;
    let before = cursor.map(IntakeId::from);
    let incident = wanted.incident.filter(|id| !id.is_empty()).map(IncidentId::from);
    let mut tx = app.db.read().await?;
    let found = match &incident {
        Some(incident) => store::of_incident(&mut tx, incident, before, MOST + 1).await?,
        None => store::list(&mut tx, before, MOST + 1).await?,
    };
    drop(tx);
    let config = app.config.load_full();
    let page = page::page(found, MOST, |received: &Received| received.id.to_string());
    let incident = incident.map(|id| id.to_string());
    let query = |cursor: &String| match &incident {
        Some(id) => format!(
            "/intake?incident={}&cursor={cursor}",
            form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>()
        ),
        None => format!("/intake?cursor={cursor}"),
    };
    Ok(Shown {
        older: page.next.as_ref().map(query),
        lines: page.items.into_iter().map(|received| line(received, &config)).collect(),
        setups: setup::setups(app, open).await?,
        frame: Frame::new(app, visitor, Place::Intake),
        only_here: origin::is_loopback(&app.settings.public_url),
        public_url: app.settings.public_url.clone(),
        incident,
    })
}

fn line(received: Received, config: &Config) -> Line {
    let sender = match &received.integration {
        Some(key) => config.integrations.get(key).map_or_else(|| key.to_string(), |known| known.name.clone()),
        None => "Nobody we know".into(),
    };
    Line { received, sender }
}

/// JSON with line ends, anything else as it came.
fn laid_out(body: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(body);
    value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| body.into())
}

/// Back to one payload.
fn at(id: &IntakeId) -> Redirect {
    Redirect::to(&format!("/intake/payloads/{id}?done=tested"))
}

impl Line {
    /// `good` or `late`, as a style.
    fn style(&self) -> &'static str {
        if self.taken() { "good" } else { "late" }
    }

    fn taken(&self) -> bool {
        StatusCode::from_u16(self.received.status).is_ok_and(|status| status.is_success())
    }

    /// Of the word for the status a sign too.
    fn word(&self) -> &'static str {
        if self.taken() { "✓ taken" } else { "✕ refused" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_and_anything_else_is_left_as_it_came() {
        assert_eq!(laid_out(r#"{"a":1}"#), "{\n  \"a\": 1\n}");
        assert_eq!(laid_out("<b>not json"), "<b>not json");
    }
}
