//! Two releases on one database: while a new one is rolled out, and when it is taken back.

use ringdown::{
    on,
    store::{Db, Sql},
};
use serde_json::{Value, json};

use crate::world::*;

async fn run(db: &Db, statements: &[Sql]) {
    let mut tx = db.begin().await.expect("the database");
    for sql in statements {
        on!(&mut tx, sql, |c, sql| sqlx::query(sql).execute(c).await.map(drop)).expect("a statement");
    }
    tx.commit().await.expect("the database");
}

/// A later release was here: one more migration, with new columns and a new table.
const EXPANDED: &[Sql] = &[
    Sql {
        sqlite: "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 values (9999, 'later', true, x'00', 1)",
        postgres: "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                   values (9999, 'later', true, '\\x00', 1)",
    },
    Sql::same("alter table incidents add column later text"),
    Sql::same("alter table attempts add column later text"),
    Sql::same("alter table mails add column later text"),
    Sql::same("alter table calls add column later text"),
    Sql::same("alter table timers add column later text"),
    Sql::same("alter table uptime add column later text"),
    Sql::same("alter table revisions add column later text"),
    Sql::same("create table later (id text primary key)"),
];

const STATES: Sql = Sql::same("select state from incidents");
const WRITE_STATE: Sql = Sql::same("update incidents set state = $1");

/// What a later release knows more of an incident.
async fn write_more_into_the_state(db: &Db) {
    let mut tx = db.begin().await.expect("the database");
    let state: String =
        on!(&mut tx, STATES, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await).expect("one incident");
    let mut state: Value = serde_json::from_str(&state).expect("JSON");
    for part in ["", "/contact", "/climb", "/response", "/updates", "/plan"] {
        let part = state.pointer_mut(part).unwrap_or_else(|| panic!("no {part}"));
        // A word of an enum is no struct.
        if let Some(fields) = part.as_object_mut() {
            fields.insert("later".into(), json!({ "a": [1, 2] }));
        }
    }
    let text = state.to_string();
    assert!(text.matches("later").count() > 5, "{text}");
    on!(&mut tx, WRITE_STATE, |c, sql| sqlx::query(sql).bind(&text).execute(c).await.map(drop)).expect("a row");
    tx.commit().await.expect("the database");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_goes_on_with_what_the_next_one_added() {
    let mut world = World::start().await;
    let reference = world.report("P1").await;
    world.minutes(1).await;
    run(&world.running().app.db, EXPANDED).await;
    write_more_into_the_state(&world.running().app.db).await;
    // As it is, and started again.
    world.minutes(5).await;
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1, "{}", world.timeline(&reference).await);
    world.restart().await;
    assert_eq!(world.act(&reference, "acknowledge", "ben", json!({})).await.status, 200);
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"));
    world.report("P2").await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_does_not_start_on_a_database_from_which_a_later_one_took_something() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = crate::DATABASE.address(folder.path()).await;
    let db = Db::open(&address).await.expect("a database");
    run(&db, &[Sql::same("insert into contracted (migration) values (9999)")]).await;
    db.close().await;
    let error = format!("{:#}", Db::open(&address).await.expect_err("a later database"));
    assert!(error.contains("later release"), "{error}");
}
