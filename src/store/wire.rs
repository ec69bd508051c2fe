//! Words from node to node through a PostgreSQL (`LISTEN` and `NOTIFY`). A hint that may be lost: nothing rests on it.
//!
//! They are sent on their own and never within a transaction that does something: at its commit, a `NOTIFY` waits for
//! every other transaction of the server that has one too.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use super::Db;

const CHANNEL: &str = "ringdown";

const TELL: &str = "select pg_notify('ringdown', $1)";

/// How long it waits for a connection of its own.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells whoever listens; on SQLite there is nobody.
pub async fn tell(db: &Db, words: &str) -> sqlx::Result<()> {
    match db {
        Db::Sqlite { .. } => Ok(()),
        Db::Postgres(pool) => sqlx::query(TELL).bind(words).execute(pool).await.map(drop),
    }
}

/// Listens on a connection of its own.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    /// Begins to listen. `None` on SQLite, where there is nothing to hear.
    pub async fn open(db: &Db) -> sqlx::Result<Option<Listener>> {
        let Db::Postgres(pool) = db else { return Ok(None) };
        let options = pool.connect_options().as_ref().clone();
        // A pool only because the listener wants one: it never has more than this connection, and ends with it.
        let own = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&own).await?;
        listener.ignore_pool_close_event(true);
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(Some(Listener(listener)))
    }

    /// The next words. `None`: the connection was lost, and with it whatever was said meanwhile; the next call connects
    /// anew.
    pub async fn heard(&mut self) -> sqlx::Result<Option<String>> {
        Ok(self.0.try_recv().await?.map(|words| words.payload().to_owned()))
    }
}
