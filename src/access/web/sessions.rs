//! `/sign-in/sessions`: where one is signed in; and out again.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};

use super::{From, go};
use crate::{
    access::{
        audit::{self, Entry, what},
        session::{self, Session, Visitor, store},
    },
    clock::Time,
    server::App,
    store::Tx,
    web::{Form, Frame, Page, Place, Trouble},
};

/// Where somebody is signed in.
#[derive(Template)]
#[template(path = "access/web/sessions.html")]
pub(super) struct Sessions {
    frame: Frame,
    role: &'static str,
    sessions: Vec<Session>,
    /// The one that looks.
    own: String,
}

impl Sessions {
    /// The browser and the system it runs on, as far as it says.
    fn browser(&self, session: &Session) -> String {
        let agent = session.agent.as_deref().unwrap_or_default();
        let named = |names: &[(&'static str, &'static str)]| {
            names.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name)
        };
        // Each calls itself by the names of those before it, too.
        let browser = named(&[
            ("Edg", "Edge"),
            ("OPR/", "Opera"),
            ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ]);
        let system = named(&[
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Android", "Android"),
            ("Windows", "Windows"),
            ("Mac OS", "macOS"),
            ("Linux", "Linux"),
        ]);
        match (browser, system) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (one, other) => one.or(other).unwrap_or("An unknown browser").into(),
        }
    }
}

/// The live sessions of whoever looks.
async fn own(tx: &mut Tx, visitor: &Visitor, now: Time) -> sqlx::Result<Vec<Session>> {
    if let Some(person) = &visitor.caller.person {
        return store::of_person(tx, person.as_str(), now).await;
    }
    let Some(this) = store::find(tx, &visitor.session).await? else { return Ok(Vec::new()) };
    match &this.account {
        Some(account) => store::of_account(tx, account, now).await,
        None => Ok(vec![this]),
    }
}

pub(super) async fn page(State(app): State<App>, visitor: Visitor) -> Result<Page<Sessions>, Trouble> {
    let (now, config) = (app.clock.now(), app.config.load_full());
    let mut sessions = own(&mut app.db.read().await?, &visitor, now).await?;
    sessions.retain(|session| session::holds(session, &config, now).is_some());
    let frame = Frame::new(&app, &visitor, Place::Nowhere);
    Ok(Page(Sessions { frame, role: visitor.caller.role.as_str(), sessions, own: visitor.session }))
}

pub(super) async fn end(State(app): State<App>, from: From, form: Form) -> Result<Response, Trouble> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let id = form.fields.get("id");
    // Only one's own.
    if own(&mut tx, &form.visitor, now).await?.iter().any(|session| session.id == id)
        && session::end(&mut tx, id, now).await?
    {
        note(&mut tx, &form.visitor, what::SESSION_ENDED, &from, now).await?;
    }
    tx.commit().await?;
    Ok(go("/sign-in/sessions"))
}

pub(super) async fn end_others(State(app): State<App>, from: From, form: Form) -> Result<Response, Trouble> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    for session in own(&mut tx, &form.visitor, now).await? {
        if session.id != form.visitor.session {
            session::end(&mut tx, &session.id, now).await?;
        }
    }
    note(&mut tx, &form.visitor, what::SESSIONS_ENDED, &from, now).await?;
    tx.commit().await?;
    Ok(go("/sign-in/sessions"))
}

pub(super) async fn sign_out(State(app): State<App>, from: From, form: Form) -> Result<Response, Trouble> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if session::end(&mut tx, &form.visitor.session, now).await? {
        note(&mut tx, &form.visitor, what::SIGNED_OUT, &from, now).await?;
    }
    tx.commit().await?;
    let mut response = go("/sign-in");
    if let Ok(clear) = HeaderValue::from_str(&session::cookie(&app).clear()) {
        response.headers_mut().append(header::SET_COOKIE, clear);
    }
    Ok(response)
}

async fn note(tx: &mut Tx, visitor: &Visitor, what: &str, from: &From, now: Time) -> sqlx::Result<()> {
    let who = visitor.caller.person.as_ref().map_or(visitor.caller.name.as_str(), |person| person.as_str());
    audit::note(tx, Entry { who, what, network: Some(&from.network), detail: None }, now).await
}
