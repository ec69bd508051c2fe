//! `/`: every open P1 and P2, worst first.

mod card;
mod ladder;
mod promise;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

pub use self::{
    card::Card,
    promise::{Owed, owed},
};
use super::{Frame, Page, Place, Trouble, store};
use crate::{
    access::{Role, session::Visitor},
    id::PageId,
    server::App,
};

/// A promise due within so many seconds is at risk.
pub const SOON: i64 = 30 * 60;

/// The board.
#[derive(Template)]
#[template(path = "web/board/board.html")]
pub(super) struct Board {
    frame: Frame,
    cards: Vec<Card>,
    /// Promises at risk, and those that are late.
    at_risk: usize,
    late: usize,
    unheld: usize,
    /// Open incidents of lesser priority.
    others: i64,
    /// To be read from five metres.
    wall: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    wall: Option<String>,
}

pub(super) async fn board(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    visitor: Visitor,
) -> Result<Page<Board>, Trouble> {
    visitor.require(Role::Viewer)?;
    let config = app.config.load_full();
    let mut tx = app.db.read().await?;
    let (incidents, reaches, others) =
        (store::open(&mut tx).await?, store::reaches(&mut tx).await?, store::others(&mut tx).await?);
    drop(tx);
    let frame = Frame::new(&app, &visitor, Place::Board);
    let now = frame.now;
    let mut of_page: BTreeMap<PageId, Vec<_>> = BTreeMap::new();
    for reach in reaches {
        of_page.entry(reach.page_id.as_str().into()).or_default().push(reach);
    }
    let owed: Vec<Owed> = incidents.iter().flat_map(owed).collect();
    let late = owed.iter().filter(|owed| owed.due < now).count();
    let at_risk = owed.iter().filter(|owed| (0..=SOON).contains(&(owed.due - now).num_seconds())).count();
    let mut cards: Vec<Card> = incidents.iter().map(|incident| Card::of(incident, &of_page, &config)).collect();
    cards.sort_by_cached_key(|card| card.rank(now));
    let unheld = cards.iter().filter(|card| card.holder.is_none() && card.rests.is_none()).count();
    Ok(Page(Board { frame, cards, at_risk, late, unheld, others, wall: wanted.wall.is_some() }))
}

impl Board {
    /// `1 incident`, `2 incidents`.
    fn count(&self, number: usize, one: &str, many: &str) -> String {
        format!("{number} {}", if number == 1 { one } else { many })
    }
}
