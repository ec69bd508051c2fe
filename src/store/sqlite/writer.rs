//! The one writer of an SQLite file, and group commit.
//!
//! A task owns the writing connection and lends it to one transaction after the other. Those that wait while one is at
//! work join it: each runs in a savepoint of its own, and one commit carries all of them to the disk. Each is answered
//! after that commit, and one that gives up takes nothing of the others with it. Nobody is waited for: when no one is in
//! line the commit follows at once, so that a lone transaction is as fast as it was.

use std::{
    io,
    ops::{Deref, DerefMut},
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How many transactions share a commit at most.
const TOGETHER: usize = 64;

/// How long a commit waits for those who are in line: the first of them waits so long for its answer.
const LONGEST: Duration = Duration::from_millis(20);

/// How long anybody waits in line.
const PATIENCE: Duration = Duration::from_secs(10);

/// A transaction that waits for its turn.
type Waiting = oneshot::Sender<sqlx::Result<Loan>>;

/// One that is kept and waits for the commit.
type Kept = oneshot::Sender<sqlx::Result<()>>;

/// The way to the writing task. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    line: mpsc::UnboundedSender<Waiting>,
    closing: CancellationToken,
    task: TaskTracker,
}

impl Writer {
    /// Starts the task; `connection` is the first that it writes by, `options` are for the next if that one breaks.
    pub(super) fn start(options: SqliteConnectOptions, connection: SqliteConnection) -> Writer {
        let (line, waiting) = mpsc::unbounded_channel();
        let (closing, task) = (CancellationToken::new(), TaskTracker::new());
        task.spawn(run(options, connection, waiting, closing.clone()));
        task.close();
        Writer { line, closing, task }
    }

    /// The connection, inside a transaction, when it is this one's turn.
    pub(in crate::store) async fn begin(&self) -> sqlx::Result<super::Transaction> {
        let (waiting, turn) = oneshot::channel();
        self.line.send(waiting).map_err(|_| sqlx::Error::PoolClosed)?;
        match tokio::time::timeout(PATIENCE, turn).await {
            Ok(Ok(loan)) => loan.map(super::Transaction::Writes),
            Ok(Err(_)) => Err(sqlx::Error::PoolClosed),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// Ends the task once those in line are done.
    pub(in crate::store) async fn close(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

/// The writing connection, lent. Dropped without [`Loan::commit`], what was done with it is undone.
#[derive(Debug)]
pub struct Loan {
    connection: Option<SqliteConnection>,
    back: Option<oneshot::Sender<Returned>>,
}

/// The connection comes back; with it, whoever waits for the commit, or nobody if all is to be undone.
type Returned = (SqliteConnection, Option<Kept>);

impl Loan {
    /// Returns when the commit that holds it is on the disk.
    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        let (kept, durable) = oneshot::channel();
        self.give_back(Some(kept));
        durable.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
    }

    fn give_back(&mut self, kept: Option<Kept>) {
        if let (Some(connection), Some(back)) = (self.connection.take(), self.back.take()) {
            // Nobody takes it when the runtime is being torn down.
            let _ = back.send((connection, kept));
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.give_back(None);
    }
}

/// It is there until it is given back, and whoever gives it back has it no more.
const LENT: &str = "a connection that is lent is there";

impl Deref for Loan {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection.as_ref().expect(LENT)
    }
}

impl DerefMut for Loan {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect(LENT)
    }
}

async fn run(
    options: SqliteConnectOptions,
    connection: SqliteConnection,
    mut line: mpsc::UnboundedReceiver<Waiting>,
    closing: CancellationToken,
) {
    let mut connection = Some(connection);
    loop {
        let first = tokio::select! {
            biased;
            first = line.recv() => first,
            () = closing.cancelled(), if !line.is_closed() => {
                line.close();
                continue;
            }
        };
        let Some(first) = first else { break };
        let opened = match connection.take() {
            Some(connection) => Ok(connection),
            None => options.connect().await,
        };
        let begun = match opened {
            Ok(mut opened) => run_text(&mut opened, "begin immediate; savepoint one").await.map(|()| opened),
            Err(error) => Err(error),
        };
        match begun {
            Ok(begun) => connection = together(begun, first, &mut line).await,
            Err(error) => {
                // Who is in line would wait as long for the same answer.
                let all: Vec<Waiting> =
                    std::iter::once(first).chain(std::iter::from_fn(|| line.try_recv().ok())).collect();
                tell(all, &Arc::new(error));
            }
        }
    }
    if let Some(connection) = connection {
        let _ = connection.close().await;
    }
}

/// Lets `first` and those in line work one after the other and commits all of them. `None` when the connection, or what
/// was done with it, cannot be trusted any more: SQLite ends the whole transaction when the disk is full or unreadable.
async fn together(
    mut connection: SqliteConnection,
    first: Waiting,
    line: &mut mpsc::UnboundedReceiver<Waiting>,
) -> Option<SqliteConnection> {
    let (since, mut kept, mut turn) = (Instant::now(), Vec::new(), first);
    let error = loop {
        let verdict;
        (connection, verdict) = lend(connection, turn).await?;
        let keep = verdict.is_some();
        kept.extend(verdict);
        let more = kept.len() < TOGETHER && since.elapsed() < LONGEST;
        // Those who stopped waiting are passed over.
        let mut in_line = std::iter::from_fn(|| line.try_recv().ok());
        let next = if more { in_line.find(|waiting| !waiting.is_closed()) } else { None };
        let text = match (keep, next.is_some()) {
            (true, true) => "release one; savepoint one",
            (false, true) => "rollback to one",
            (true, false) => "commit",
            (false, false) if kept.is_empty() => "rollback",
            (false, false) => "rollback to one; commit",
        };
        match (run_text(&mut connection, text).await, next) {
            (Ok(()), Some(next)) => turn = next,
            (Ok(()), None) => {
                if !kept.is_empty() {
                    metrics::histogram!("ringdown_commit_transactions").record(kept.len() as f64);
                }
                kept.into_iter().for_each(|kept| drop(kept.send(Ok(()))));
                return Some(connection);
            }
            (Err(error), next) => {
                let error = Arc::new(error);
                tell(next.into_iter().collect(), &error);
                break error;
            }
        }
    };
    tracing::error!(%error, transactions = kept.len(), "a commit failed, and nothing of it was kept");
    tell(kept, &error);
    let _ = run_text(&mut connection, "rollback").await;
    let _ = connection.close().await;
    None
}

/// Lends the connection to one until it comes back, at the latest when the borrower is dropped.
async fn lend(connection: SqliteConnection, turn: Waiting) -> Option<Returned> {
    let (back, returned) = oneshot::channel();
    // Somebody who stopped waiting drops it at once, which gives it back.
    drop(turn.send(Ok(Loan { connection: Some(connection), back: Some(back) })));
    returned.await.ok()
}

async fn run_text(connection: &mut SqliteConnection, text: &'static str) -> sqlx::Result<()> {
    sqlx::raw_sql(text).execute(connection).await.map(drop)
}

/// Tells all of them the same error.
fn tell<T>(all: Vec<oneshot::Sender<sqlx::Result<T>>>, error: &Arc<sqlx::Error>) {
    all.into_iter().for_each(|one| drop(one.send(Err(again(error)))));
}

/// An error that more than one is told.
fn again(error: &Arc<sqlx::Error>) -> sqlx::Error {
    sqlx::Error::Io(io::Error::other(error.clone()))
}

#[cfg(test)]
mod tests;
