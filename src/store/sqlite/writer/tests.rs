use super::*;
use crate::on;
use crate::store::{Db, Sql, Tx};

const MAKE: Sql = Sql::same("create table notes (n integer primary key)");
const ADD: Sql = Sql::same("insert into notes (n) values ($1)");
const SUM: Sql = Sql::same("select coalesce(sum(n), 0) from notes");
const LEAVE: Sql = Sql::same("rollback");

async fn add(tx: &mut Tx, n: i64) -> sqlx::Result<()> {
    on!(tx, ADD, |c, sql| sqlx::query(sql).bind(n).execute(c).await.map(drop))
}

async fn sum(db: &Db) -> i64 {
    let mut tx = db.read().await.unwrap();
    on!(&mut tx, SUM, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await.unwrap())
}

async fn notes() -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&format!("sqlite:{}", folder.path().join("notes.db").display())).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    on!(&mut tx, MAKE, |c, sql| sqlx::query(sql).execute(c).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    (db, folder)
}

#[tokio::test]
async fn those_in_line_share_a_commit_and_each_has_its_own_outcome() {
    let (db, _folder) = notes().await;
    let mut first = db.begin().await.unwrap();
    add(&mut first, 1).await.unwrap();
    // They get in line while the first is at work.
    let others = (2..=20).map(|n| {
        let db = db.clone();
        async move {
            let mut tx = db.begin().await?;
            // Each fifth finds its number taken and gives up; each seventh thinks better of it.
            add(&mut tx, if n % 5 == 0 { 1 } else { n }).await?;
            if n % 7 == 0 {
                return Err(sqlx::Error::RowNotFound);
            }
            tx.commit().await
        }
    });
    let (done, outcomes) = tokio::join!(
        async {
            tokio::task::yield_now().await;
            first.commit().await
        },
        futures::future::join_all(others)
    );
    done.unwrap();
    let kept: Vec<i64> = (2..).zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).map(|(n, _)| n).collect();
    assert_eq!(kept, (2..=20).filter(|n| n % 5 != 0 && n % 7 != 0).collect::<Vec<i64>>());
    assert_eq!(sum(&db).await, 1 + kept.iter().sum::<i64>());
}

#[tokio::test]
async fn nothing_is_answered_before_the_commit_that_holds_it() {
    let (db, _folder) = notes().await;
    let mut first = db.begin().await.unwrap();
    add(&mut first, 1).await.unwrap();
    let second = db.begin();
    tokio::pin!(second);
    assert!(futures::poll!(&mut second).is_pending(), "one writes at a time");
    let commit = first.commit();
    tokio::pin!(commit);
    // The second has the connection now: the first is kept, but not on the disk.
    let second = tokio::select! {
        biased;
        _ = &mut commit => panic!("answered while another works in the same transaction"),
        second = &mut second => second.unwrap(),
    };
    assert_eq!(sum(&db).await, 0);
    assert!(futures::poll!(&mut commit).is_pending());
    drop(second);
    commit.await.unwrap();
    assert_eq!(sum(&db).await, 1);
}

#[tokio::test]
async fn when_the_transaction_is_gone_all_who_share_it_are_told_and_the_next_begins_anew() {
    let (db, _folder) = notes().await;
    let mut first = db.begin().await.unwrap();
    add(&mut first, 1).await.unwrap();
    let (first, second) = tokio::join!(first.commit(), async {
        let mut tx = db.begin().await?;
        // As SQLite does by itself on a full disk.
        on!(&mut tx, LEAVE, |c, sql| sqlx::query(sql).execute(c).await.map(drop))?;
        tx.commit().await
    });
    assert!(first.is_err() && second.is_err());
    assert_eq!(sum(&db).await, 0);
    let mut third = db.begin().await.unwrap();
    add(&mut third, 3).await.unwrap();
    third.commit().await.unwrap();
    assert_eq!(sum(&db).await, 3);
}

#[tokio::test]
async fn one_that_stops_waiting_holds_up_nobody() {
    let (db, _folder) = notes().await;
    let first = db.begin().await.unwrap();
    let mut waiting = Box::pin(db.begin());
    assert!(futures::poll!(&mut waiting).is_pending());
    drop(waiting);
    drop(first);
    let mut third = db.begin().await.unwrap();
    add(&mut third, 3).await.unwrap();
    third.commit().await.unwrap();
    assert_eq!(sum(&db).await, 3);
}

#[tokio::test]
async fn closing_waits_for_those_in_line_and_refuses_the_rest() {
    let (db, _folder) = notes().await;
    let mut tx = db.begin().await.unwrap();
    add(&mut tx, 1).await.unwrap();
    let (committed, ()) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            tx.commit().await
        },
        db.close()
    );
    committed.unwrap();
    assert!(matches!(db.begin().await, Err(sqlx::Error::PoolClosed)));
}
