//! The timer wheel's question with a million timers open and ten thousand of them due in the same second: how long until
//! all of those are claimed, and whether it is the due ones that cost and not the open ones.
//!
//! `cargo bench --bench timers` (SQLite), `cargo bench --bench timers -- postgres://…` (an empty database)

use std::{collections::BTreeSet, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use ringdown::{
    on,
    store::{Db, Sql, Tx},
    timer::claim,
};

const DUE: i64 = 10_000;

/// Timers claimed at a time, as the wheel does.
const BATCH: i64 = 200;

const INCIDENTS: Sql = Sql {
    sqlite: "with recursive n (n) as (select $1 union all select n + 1 from n where n < $2)
             insert into incidents (id, reference, phase, priority, team, opened_at, updated_at, seq, state, head)
             select 'inc_' || n, n, 'open', 'P1', 'payments', $3, $3, 1, '{}', '' from n",
    postgres: "insert into incidents (id, reference, phase, priority, team, opened_at, updated_at, seq, state, head)
               select 'inc_' || n, n, 'open', 'P1', 'payments', $3, $3, 1, '{}', ''
               from generate_series(cast($1 as bigint), cast($2 as bigint)) as n",
};

const TIMERS: Sql = Sql {
    sqlite: "with recursive n (n) as (select $1 union all select n + 1 from n where n < $2)
             insert into timers (incident_id, due_at, wake_at) select 'inc_' || n, $3, $3 from n",
    postgres: "insert into timers (incident_id, due_at, wake_at) select 'inc_' || n, $3, $3
               from generate_series(cast($1 as bigint), cast($2 as bigint)) as n",
};

const DONE: Sql = Sql::same("update timers set wake_at = $1 where wake_at < $1");

type Time = DateTime<Utc>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(".")?;
    let given = std::env::args().find(|argument| argument.starts_with("postgres"));
    let db = Db::open(&given.unwrap_or(format!("sqlite:{}", folder.path().join("bench.db").display()))).await?;
    let now: Time = "2026-11-18T08:00:00Z".parse()?;
    let mut open = 0;
    for more in [DUE, 990_000] {
        let mut tx = db.begin().await?;
        let later = now + TimeDelta::days(365);
        fill(&mut tx, open + 1, open + more, later).await?;
        let round = now + TimeDelta::minutes(open);
        fill(&mut tx, open + more + 1, open + more + DUE, round).await?;
        tx.commit().await?;
        open += more + DUE;
        let (begun, mut claimed) = (Instant::now(), BTreeSet::new());
        loop {
            let mut tx = db.begin().await?;
            let batch = claim::claim(&mut tx, "nod_bench", TimeDelta::seconds(15), round, BATCH).await?;
            tx.commit().await?;
            if batch.is_empty() {
                break;
            }
            for timer in batch {
                anyhow::ensure!(timer.due_at <= round, "{} came early", timer.incident);
                anyhow::ensure!(claimed.insert(timer.incident.clone()), "{} came twice", timer.incident);
            }
        }
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        anyhow::ensure!(claimed.len() as i64 == DUE, "{} of {DUE} came", claimed.len());
        // Done with: they are not to come again when their leases end.
        let mut tx = db.begin().await?;
        on!(&mut tx, DONE, |c, sql| sqlx::query(sql).bind(later).execute(c).await.map(drop))?;
        tx.commit().await?;
        println!("{DUE} due of {open} open: all claimed in {took:.0} ms, none early, none twice");
    }
    Ok(())
}

/// Open incidents from `first` to `last`, each with a timer at `due`.
async fn fill(tx: &mut Tx, first: i64, last: i64, due: Time) -> sqlx::Result<()> {
    for sql in [INCIDENTS, TIMERS] {
        on!(tx, sql, |c, sql| sqlx::query(sql).bind(first).bind(last).bind(due).execute(c).await.map(drop))?;
    }
    Ok(())
}
