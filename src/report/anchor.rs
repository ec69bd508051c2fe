//! Making the daily anchor.

use chrono::Days;

use super::store;
use crate::{
    incident::ledger::{
        anchor::{self, Anchor},
        canonical,
    },
    server::App,
};

/// Makes the anchor for yesterday (UTC), unless there is one, or nothing was reported before today. After down time one
/// anchor covers every day that is missing.
pub async fn make(app: &App) -> sqlx::Result<Option<Anchor>> {
    let now = app.clock.now();
    let Some(day) = now.date_naive().checked_sub_days(Days::new(1)) else { return Ok(None) };
    let mut read = app.db.read().await?;
    let last = store::last_day(&mut read).await?;
    let first = match last {
        Some(last) if last >= day => return Ok(None),
        Some(last) => last.checked_add_days(Days::new(1)),
        None => store::first_report(&mut read).await?.map(|at| at.date_naive()),
    };
    drop(read);
    let Some(from) = first.filter(|first| *first <= day) else { return Ok(None) };

    let mut tx = app.db.begin().await?;
    if !store::claim(&mut tx, day).await? {
        return Ok(None);
    }
    let previous = store::previous(&mut tx, day).await?.unwrap_or_else(anchor::genesis);
    let heads = store::gather(&mut tx, day).await?;
    let anchor = Anchor {
        format: anchor::FORMAT.into(),
        day,
        from,
        made_at: now,
        heads: heads.len() as u64,
        previous,
        root: anchor::root(&heads),
    };
    let value = serde_json::to_value(&anchor).map_err(encode)?;
    let signature = app.ledger_key.sign(&value).map_err(encode)?;
    let body = canonical::text(&value).map_err(encode)?;
    store::fill(&mut tx, &anchor, &body, &signature, &app.ledger_key.public()).await?;
    tx.commit().await?;
    tracing::info!(%day, heads = anchor.heads, hash = %anchor.hash(), "the day's histories are anchored");
    Ok(Some(anchor))
}

fn encode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Encode(Box::new(error))
}
