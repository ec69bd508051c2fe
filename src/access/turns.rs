//! Turns at work that takes a core and much memory for some time: argon2. Pages go out meanwhile.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

/// So many pieces of work are done at once, each on a thread of its own.
#[derive(Debug)]
pub struct Turns(Arc<Semaphore>);

impl Turns {
    /// For so many at once.
    pub fn new(at_once: usize) -> Turns {
        Turns(Arc::new(Semaphore::new(at_once)))
    }

    /// Does the work when it is its turn. `None`: the turn did not come in time, or the work panicked.
    ///
    /// The turn is over with the work, not with whoever waits for it. A client that hangs up takes its request away, and
    /// nothing stops a thread.
    pub async fn take<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = tokio::time::timeout(patience, self.0.clone().acquire_owned()).await.ok()?.ok()?;
        let working = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        working.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_keeps_its_turn_until_it_is_done() {
        let turns = Turns::new(2);
        let works: Vec<_> = (0..2)
            .map(|_| {
                let (end, ended) = mpsc::channel::<()>();
                // It begins, and is dropped as hyper drops the request of a client that hung up.
                assert!(turns.take(LONG, move || ended.recv()).now_or_never().is_none());
                end
            })
            .collect();
        assert_eq!(turns.take(SOON, || ()).await, None, "both are at work still");
        drop(works);
        assert_eq!(turns.take(LONG, || 7).await, Some(7));
    }

    #[tokio::test]
    async fn a_turn_is_given_back_by_work_that_panics() {
        let turns = Turns::new(1);
        assert_eq!(turns.take(LONG, || panic!("on purpose")).await, None::<()>);
        assert_eq!(turns.take(LONG, || 7).await, Some(7));
    }
}
