//! The bell: a commit rings it, and the loops that wait for work look again. A hint; polling is the guarantee.

use std::sync::Arc;

use tokio::sync::Notify;

/// Rung after a commit.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Ropes>);

#[derive(Debug, Default)]
struct Ropes {
    timers: Notify,
    pages: Notify,
    mails: Notify,
}

impl Bell {
    /// Something in the database changed: every loop looks again.
    pub fn ring(&self) {
        // One waiter each; a permit is kept for a loop that is not waiting yet.
        self.0.timers.notify_one();
        self.0.pages.notify_one();
        self.0.mails.notify_one();
    }

    /// Until rung; for the timer wheel alone.
    pub async fn timers(&self) {
        self.0.timers.notified().await;
    }

    /// Until rung; for the pager alone.
    pub async fn pages(&self) {
        self.0.pages.notified().await;
    }

    /// Until rung; for the postman alone.
    pub async fn mails(&self) {
        self.0.mails.notified().await;
    }
}
