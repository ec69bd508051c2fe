//! Reads the incidents of a report, a page at a time.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    compliance::Compliance,
    downtime,
    judge::{Case, Judged, Scope, judge},
    period::Period,
    store,
    tally::Tally,
};
use crate::{
    config::Config,
    id::{CustomerKey, IncidentId, PlanKey},
    server::App,
    sla::Zone,
    store::Tx,
};

/// How many incidents are read at once.
const PAGE: usize = 500;

/// How many reports are made at once: who pages must find a connection to the database.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// What a report is asked about.
#[derive(Clone, Debug)]
pub struct Question {
    pub period: Period,
    pub zone: Zone,
    pub customer: Option<CustomerKey>,
    pub plan: Option<PlanKey>,
}

/// What a question is about, as of now, with the down time that is known of.
pub(super) async fn scope(app: &App, question: Question) -> sqlx::Result<Scope> {
    let as_of = app.clock.now();
    let Question { period, zone, customer, plan } = question;
    let runs = store::runs(&mut app.db.read().await?, &period).await?;
    let gaps = downtime::gaps(&runs, &period, as_of);
    Ok(Scope { period, zone, customer, plan, as_of, gaps })
}

/// Leave to read for a report, while it is held.
pub(super) async fn turn() -> sqlx::Result<SemaphorePermit<'static>> {
    // Never closed.
    AT_ONCE.acquire().await.map_err(|_| sqlx::Error::PoolClosed)
}

/// The incidents that a report may be about, a page after the other, oldest first.
#[derive(Debug, Default)]
pub(super) struct Ids {
    after: Option<IncidentId>,
    over: bool,
}

impl Ids {
    /// The next page; `None` after the last.
    pub(super) async fn next(&mut self, tx: &mut Tx, scope: &Scope) -> sqlx::Result<Option<Vec<IncidentId>>> {
        if self.over {
            return Ok(None);
        }
        let ids = store::incidents(tx, scope, self.after.as_ref(), PAGE).await?;
        self.over = ids.len() < PAGE;
        self.after = ids.last().cloned();
        Ok(Some(ids))
    }
}

/// The incidents of a report, one page after the other. Each page is read in a transaction of its own, so that a slow
/// reader of a long report holds up nobody.
pub struct Gathering {
    app: App,
    pub scope: Scope,
    ids: Ids,
    /// How many records could not be read so far.
    pub unreadable: u64,
}

impl Gathering {
    /// Begins with the oldest incident.
    pub async fn begin(app: &App, question: Question) -> sqlx::Result<Gathering> {
        let scope = scope(app, question).await?;
        Ok(Gathering { app: app.clone(), scope, ids: Ids::default(), unreadable: 0 })
    }

    /// The next page, oldest first; `None` after the last.
    pub async fn next(&mut self) -> sqlx::Result<Option<Vec<Judged>>> {
        let _turn = turn().await?;
        let mut tx = self.app.db.read().await?;
        let Some(ids) = self.ids.next(&mut tx, &self.scope).await? else { return Ok(None) };
        let mut page = Vec::new();
        for id in ids {
            let case = match store::events(&mut tx, &id).await {
                Ok(events) => Case { sent: store::sent(&mut tx, &id).await?, id, events },
                Err(error @ (sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. })) => {
                    tracing::error!(incident = %id, %error, "a record cannot be read and is not in the report");
                    self.unreadable += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            page.extend(judge(case, &self.scope));
        }
        Ok(Some(page))
    }
}

/// The whole report.
pub async fn compliance(app: &App, question: Question) -> sqlx::Result<Compliance> {
    let config: Arc<Config> = app.config.load_full();
    let mut gathering = Gathering::begin(app, question).await?;
    let mut tally = Tally::default();
    while let Some(page) = gathering.next().await? {
        page.into_iter().for_each(|judged| tally.add(judged, &config.people, &gathering.scope.zone));
    }
    Ok(tally.finish(gathering.scope, &config.people, gathering.unreadable))
}
