//! `/audit`: who did what to the installation. For administrators.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use crate::{
    access::{
        Role,
        audit::store::{self, Noted},
        session::Visitor,
    },
    server::App,
    web::{Frame, Page, Place, Trouble},
};

const A_PAGE: usize = 100;

#[derive(Template)]
#[template(path = "access/web/audit.html")]
pub(super) struct Audit {
    frame: Frame,
    entries: Vec<Noted>,
    /// Whether these are not the newest.
    later: bool,
    /// Where older ones begin.
    older: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    before: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    visitor: Visitor,
) -> Result<Page<Audit>, Trouble> {
    visitor.require(Role::Admin)?;
    let before = wanted.before.filter(|id| id.len() <= 40 && id.starts_with("aud_"));
    let mut tx = app.db.read().await?;
    let mut entries = store::list(&mut tx, before.as_deref(), A_PAGE as i64 + 1).await?;
    drop(tx);
    let more = entries.len() > A_PAGE;
    entries.truncate(A_PAGE);
    let older = entries.last().filter(|_| more).map(|last| last.id.clone());
    let frame = Frame::new(&app, &visitor, Place::Audit);
    Ok(Page(Audit { frame, entries, later: before.is_some(), older }))
}
