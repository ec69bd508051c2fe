//! What pages read beside the incidents themselves.

use crate::{
    clock::Time,
    incident::Incident,
    on,
    paging::{Outcome, Stage},
    store::{Sql, Tx},
};

/// At most so many incidents stand on the board.
pub const MOST_CARDS: i64 = 500;

/// A text or a call of a page, as far as the board tells of it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Reach {
    pub page_id: String,
    pub channel: String,
    pub stage: Stage,
    pub outcome: Option<Outcome>,
    pub sent_at: Option<Time>,
    pub ended_at: Option<Time>,
}

const OPEN: Sql = Sql::same(
    "select state from incidents where phase = 'open' and priority in ('P1', 'P2') order by priority, id limit $1",
);

const REACHES: Sql = Sql::same(
    "select page_id, channel, stage, outcome, sent_at, ended_at from attempts \
     where purpose = 'page' and page_id is not null and incident_id in \
     (select id from incidents where phase = 'open' and priority in ('P1', 'P2') order by priority, id limit $1) \
     order by created_at, position, id",
);

const OTHERS: Sql = Sql::same("select count(*) from incidents where phase = 'open' and priority not in ('P1', 'P2')");

/// Every statement of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[("OPEN", OPEN), ("REACHES", REACHES), ("OTHERS", OTHERS)];

/// The open incidents of the two gravest priorities, P1 first, oldest first.
pub(super) async fn open(tx: &mut Tx) -> sqlx::Result<Vec<Incident>> {
    let rows: Vec<String> = on!(tx, OPEN, |c, sql| sqlx::query_scalar(sql).bind(MOST_CARDS).fetch_all(c).await)?;
    let read = |text: &String| serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(Box::new(error)));
    rows.iter().map(read).collect()
}

/// Every text and call that was made, or will be, to page somebody about them, oldest first.
pub(super) async fn reaches(tx: &mut Tx) -> sqlx::Result<Vec<Reach>> {
    on!(tx, REACHES, |c, sql| sqlx::query_as(sql).bind(MOST_CARDS).fetch_all(c).await)
}

/// How many of lesser priority are open.
pub(super) async fn others(tx: &mut Tx) -> sqlx::Result<i64> {
    on!(tx, OTHERS, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)
}
