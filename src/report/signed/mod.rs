//! A whole period as one file that can be verified anywhere: the export of each incident, one a line, and at the end a
//! signed table of contents.
//!
//! It is written as it is read, one incident at a time. Whatever goes wrong on the way, it ends without its table of
//! contents, so that it never looks whole.

pub mod check;
pub mod contents;
pub mod words;

use std::collections::VecDeque;

use contents::{Draft, Named};

use super::{
    export::{self, Anchored},
    gather::{self, Ids, Question},
    judge::{Case, judge},
};
use crate::{
    id::IncidentId,
    incident::{self, Recorded, ledger},
    server::App,
};

/// An export of a period that is being written.
pub struct Exporting {
    app: App,
    ids: Ids,
    page: VecDeque<IncidentId>,
    anchored: Anchored,
    /// None once it is signed.
    draft: Option<Draft>,
}

impl Exporting {
    /// Begins with the oldest incident.
    pub async fn begin(app: &App, question: Question) -> sqlx::Result<Exporting> {
        let draft = Some(Draft::begin(gather::scope(app, question).await?));
        let (ids, page, anchored) = (Ids::default(), VecDeque::new(), Anchored::default());
        Ok(Exporting { app: app.clone(), ids, page, anchored, draft })
    }

    /// The next line, with its line feed; `None` after the table of contents. After an error there is none to come.
    pub async fn next(&mut self) -> sqlx::Result<Option<String>> {
        let Some(mut draft) = self.draft.take() else { return Ok(None) };
        loop {
            let _turn = gather::turn().await?;
            let Some(id) = self.page.pop_front() else {
                let mut tx = self.app.db.read().await?;
                match self.ids.next(&mut tx, &draft.scope).await? {
                    Some(page) => self.page.extend(page),
                    None => {
                        let signed = draft.sign(self.app.clock.now(), &self.app.ledger_key);
                        return signed.map(Some).map_err(|unfit| sqlx::Error::Encode(Box::new(unfit)));
                    }
                }
                continue;
            };
            if let Some(line) = self.line(&id, &mut draft).await? {
                self.draft = Some(draft);
                return Ok(Some(line));
            }
        }
    }

    /// The line of an incident, if it belongs to the period: what is counted is what is written, read in one moment.
    async fn line(&mut self, id: &IncidentId, draft: &mut Draft) -> sqlx::Result<Option<String>> {
        let mut tx = self.app.db.read().await?;
        let read = incident::store::chain(&mut tx, id).await.and_then(|chain| {
            let event = |entry: &ledger::export::Entry| serde_json::from_value::<Recorded>(entry.event.clone());
            let events: Result<Vec<Recorded>, _> = chain.iter().map(event).collect();
            Ok((chain, events.map_err(|error| sqlx::Error::Decode(Box::new(error)))?))
        });
        let (chain, events) = match read {
            Ok(read) => read,
            Err(error @ (sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. })) => {
                tracing::error!(incident = %id, %error, "a record cannot be read and is not in the export");
                draft.unreadable += 1;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let (Some(last), count) = (chain.last(), chain.len()) else { return Ok(None) };
        let named = Named { incident: id.clone(), head: last.hash, events: count as u64 };
        let case = Case { id: id.clone(), events, sent: Vec::new() };
        let Some(judged) = judge(case, &draft.scope).filter(|judged| judged.is_listed()) else { return Ok(None) };
        let line = export::of(&self.app, &mut tx, id, chain, &mut self.anchored).await?;
        draft.add(&line, named, judged.line.opened_in_period, &judged.line.promises);
        Ok(Some(line))
    }
}
