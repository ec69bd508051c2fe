//! `/handsets`: every phone of the built-in carrier on one page, to dial, ring, answer and write with.

mod acts;
mod guide;
mod phone;
mod shelf;

use askama::Template;
use axum::extract::State;

pub(super) use self::acts::{behave, call, dial, speed, write};
use self::{
    guide::Guide,
    phone::{Card, Stir},
    shelf::Shelf,
};
use super::{Frame, Page, Place, Trouble, board, store};
use crate::{
    access::{Role, session::Visitor},
    carrier::handsets::owner,
    incident::World,
    oncall,
    server::App,
};

/// The speeds that are offered, in times as fast as real time.
const SPEEDS: [u32; 3] = [1, 10, 60];

/// The page.
#[derive(Template)]
#[template(path = "web/handsets/handsets.html")]
pub(super) struct Shown {
    frame: Frame,
    guide: Guide,
    /// Those with something going on first.
    cards: Vec<Card>,
    /// Phones a customer may dial from, and the numbers they may dial.
    callers: Vec<(String, String)>,
    hotlines: Vec<(String, String)>,
    /// How fast the service's clock runs, where that can be changed.
    rate: Option<f64>,
}

pub(super) async fn handsets(State(app): State<App>, visitor: Visitor) -> Result<Page<Shown>, Trouble> {
    visitor.require(Role::Admin)?;
    let handsets = owner::handsets(&app)?;
    let config = app.config.load_full();
    let mut tx = app.db.read().await?;
    let (incidents, overrides) = (store::open(&mut tx).await?, oncall::store::current(&mut tx, app.clock.now()).await?);
    drop(tx);
    let frame = Frame::new(&app, &visitor, Place::Handsets);
    let now = frame.now;
    let shelf = Shelf::of(World { config: &config, overrides: &overrides }, now);
    let mut cards = handsets.look(|network| phone::cards(network, &shelf, &app.settings.public_url, now));
    // A phone that is talked on stays where it is when another begins to ring.
    cards.sort_by_key(|card| (card.stir.max(Stir::Talks), card.place));
    let open: Vec<board::Card> =
        incidents.iter().map(|incident| board::Card::of(incident, &Default::default(), &config)).collect();
    Ok(Page(Shown {
        guide: Guide::of(&open, &cards, now),
        callers: shelf.callers(),
        hotlines: shelf.hotlines(),
        rate: app.clock.speed().map(|speed| speed.rate()),
        frame,
        cards,
    }))
}

impl Shown {
    /// Where the quiet phones begin.
    fn quiet_begins(&self, at: &usize) -> bool {
        self.cards.iter().position(|card| card.stir == Stir::Quiet) == Some(*at)
    }

    fn speeds(&self) -> [u32; 3] {
        SPEEDS
    }

    fn runs_at(&self, speed: &u32) -> bool {
        self.rate == Some(f64::from(*speed))
    }
}
