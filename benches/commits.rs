//! Group commit: how many transactions a second reach the disk through SQLite's one writer, by how many want to write
//! at once. One at a time pays for a commit each; many share them. To be compared within one run.
//!
//! `cargo bench --bench commits`

use std::time::Instant;

use ringdown::{
    on,
    store::{Db, Sql},
};

const MAKE: Sql = Sql::same("create table notes (n integer primary key, body text not null)");
const ADD: Sql = Sql::same("insert into notes (n, body) values ($1, $2)");
const COUNT: Sql = Sql::same("select count(*) from notes");

const TRANSACTIONS: i64 = 12_800;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(".")?;
    let db = Db::open(&format!("sqlite:{}", folder.path().join("bench.db").display())).await?;
    let mut tx = db.begin().await?;
    on!(&mut tx, MAKE, |c, sql| sqlx::query(sql).execute(c).await.map(drop))?;
    tx.commit().await?;
    let mut alone = None;
    for (round, writers) in [1, 8, 64, 256].into_iter().enumerate() {
        let (begun, each) = (Instant::now(), TRANSACTIONS / writers);
        let tasks: Vec<tokio::task::JoinHandle<sqlx::Result<()>>> = (0..writers)
            .map(|writer| {
                let db = db.clone();
                let first = round as i64 * TRANSACTIONS + writer * each;
                tokio::spawn(async move {
                    for n in first..first + each {
                        let mut tx = db.begin().await?;
                        let body = "a page that must not be lost";
                        on!(&mut tx, ADD, |c, sql| sqlx::query(sql).bind(n).bind(body).execute(c).await.map(drop))?;
                        tx.commit().await?;
                    }
                    Ok::<(), sqlx::Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        let rate = TRANSACTIONS as f64 / begun.elapsed().as_secs_f64();
        let alone = *alone.get_or_insert(rate);
        println!("{writers:>4} writers: {rate:>8.0} transactions a second, {:.1} times one writer's", rate / alone);
    }
    let mut tx = db.read().await?;
    let count: i64 = on!(&mut tx, COUNT, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?;
    anyhow::ensure!(count == 4 * TRANSACTIONS, "{count} of {} are there", 4 * TRANSACTIONS);
    Ok(())
}
