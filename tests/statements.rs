//! What the product says to its database, said once to the real one.

use ringdown::{
    on,
    store::{Db, Sql},
};

/// The statements of every store.
pub const ALL: &[(&str, &[(&str, Sql)])] = &[
    ("access", ringdown::access::store::STATEMENTS),
    ("access/audit", ringdown::access::audit::store::STATEMENTS),
    ("access/password", ringdown::access::password::store::STATEMENTS),
    ("access/proof", ringdown::access::proof::store::STATEMENTS),
    ("access/session", ringdown::access::session::store::STATEMENTS),
    ("access/sign_in", ringdown::access::sign_in::store::STATEMENTS),
    ("api", ringdown::api::store::STATEMENTS),
    ("config", ringdown::config::store::STATEMENTS),
    ("incident", ringdown::incident::store::STATEMENTS),
    ("intake", ringdown::intake::store::STATEMENTS),
    ("intake/phone", ringdown::intake::phone::store::STATEMENTS),
    ("mail", ringdown::mail::store::STATEMENTS),
    ("node", ringdown::node::store::STATEMENTS),
    ("oncall", ringdown::oncall::store::STATEMENTS),
    ("oncall/feed", ringdown::oncall::feed::store::STATEMENTS),
    ("paging", ringdown::paging::store::STATEMENTS),
    ("quarantine", ringdown::quarantine::store::STATEMENTS),
    ("report", ringdown::report::store::STATEMENTS),
    ("timer", ringdown::timer::claim::STATEMENTS),
    ("watch", ringdown::watch::store::STATEMENTS),
    ("web", ringdown::web::STATEMENTS),
];

#[tokio::test]
async fn every_statement_prepares() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open(&crate::DATABASE.address(folder.path()).await).await.expect("a database");
    let mut refused = Vec::new();
    for (module, statements) in ALL {
        for (name, sql) in *statements {
            let mut tx = db.begin().await.expect("a transaction");
            let prepared = on!(&mut tx, sql, |c, text| {
                sqlx::Executor::prepare(c, sqlx::SqlStr::from_static(text)).await.map(drop)
            });
            refused.extend(prepared.err().map(|error| format!("{module}: {name}: {error}")));
        }
    }
    assert_eq!(refused, [""; 0]);
}
