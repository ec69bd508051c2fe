//! The bell: a commit rings it, and the loops that wait for work look again. A hint; polling is the guarantee.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

/// Rung after a commit.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Ropes>);

#[derive(Debug, Default)]
struct Ropes {
    timers: Notify,
    pages: Notify,
    mails: Notify,
    changes: Notify,
    revision: Notify,
    others: Notify,
}

impl Bell {
    /// Something in the database changed: every loop of every node looks again.
    pub fn ring(&self) {
        self.ring_here();
        self.0.others.notify_one();
    }

    /// Another node changed something: every loop of this one looks again.
    pub fn ring_here(&self) {
        // One waiter each; a permit is kept for a loop that is not waiting yet.
        self.0.timers.notify_one();
        self.0.pages.notify_one();
        self.0.mails.notify_one();
        self.0.changes.notify_one();
    }

    /// There may be another revision of the configuration.
    pub fn ring_revision(&self) {
        self.0.revision.notify_one();
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

    /// Until rung; for whoever tells live what changed alone.
    pub async fn changes(&self) {
        self.0.changes.notified().await;
    }

    /// Until rung; for whoever follows the configuration alone.
    pub async fn revision(&self) {
        self.0.revision.notified().await;
    }

    /// Until rung here; for whoever rings the other nodes alone.
    pub async fn others(&self) {
        self.0.others.notified().await;
    }
}

/// The guarantee: whatever the bell and the clock do, every loop looks once a second. Not all of them at once.
pub async fn poll() {
    tokio::time::sleep(Duration::from_millis(rand::random_range(800..=1000))).await;
}
