//! Reads the incidents of a report, a page at a time.

use std::sync::Arc;

use tokio::sync::Semaphore;

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

/// The incidents of a report, one page after the other. Each page is read in a transaction of its own, so that a slow
/// reader of a long report holds up nobody.
pub struct Gathering {
    app: App,
    pub scope: Scope,
    after: Option<IncidentId>,
    over: bool,
    /// How many records could not be read so far.
    pub unreadable: u64,
}

impl Gathering {
    /// Begins with the oldest incident.
    pub async fn begin(app: &App, question: Question) -> sqlx::Result<Gathering> {
        let as_of = app.clock.now();
        let Question { period, zone, customer, plan } = question;
        let runs = store::runs(&mut app.db.read().await?, &period).await?;
        let gaps = downtime::gaps(&runs, &period, as_of);
        let scope = Scope { period, zone, customer, plan, as_of, gaps };
        Ok(Gathering { app: app.clone(), scope, after: None, over: false, unreadable: 0 })
    }

    /// The next page, oldest first; `None` after the last.
    pub async fn next(&mut self) -> sqlx::Result<Option<Vec<Judged>>> {
        if self.over {
            return Ok(None);
        }
        // Never closed.
        let _turn = AT_ONCE.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let mut tx = self.app.db.read().await?;
        let ids = store::incidents(&mut tx, &self.scope, self.after.as_ref(), PAGE).await?;
        self.over = ids.len() < PAGE;
        self.after = ids.last().cloned();
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
