//! Who did what to the installation, and from where: the audit. What people do to incidents stands in the ledger.

pub mod store;

pub use store::{Entry, note};

use crate::server::App;

/// What is noted, as it is kept and shown. Names of more may be added; none is ever read back into a type.
pub mod what {
    pub const SIGNED_IN: &str = "signed in";
    pub const SIGN_IN_FAILED: &str = "failed to sign in";
    pub const SIGNED_OUT: &str = "signed out";
    pub const SESSION_ENDED: &str = "ended a session";
    pub const SESSIONS_ENDED: &str = "ended all other sessions";
    pub const CODE_SENT: &str = "was sent a code";
    pub const LINE_PROVEN: &str = "proved a line";
    pub const LINK_MADE: &str = "made a sign-in link";
    pub const PASSWORD_SET: &str = "set a password";
    pub const PASSWORD_REMOVED: &str = "removed a password";
    pub const TOKEN_MADE: &str = "made a token";
    pub const TOKEN_REVOKED: &str = "revoked a token";
    pub const OVERRIDE_MADE: &str = "put somebody on call";
    pub const OVERRIDE_ENDED: &str = "ended an override";
    pub const REVISION_TAKEN: &str = "put schedules in force";
    pub const QUARANTINE_SETTLED: &str = "decided what a restore held back";
    pub const EXPORTED: &str = "exported";
    pub const KEYS_SHOWN: &str = "looked at the keys of an integration";
}

/// Notes that something left the house: an export was made by `who`.
pub async fn exported(app: &App, who: &str, network: Option<&str>, of: &str) -> sqlx::Result<()> {
    let mut tx = app.db.begin().await?;
    note(&mut tx, Entry { who, what: what::EXPORTED, network, detail: Some(of) }, app.clock.now()).await?;
    tx.commit().await
}

/// How whoever works at the machine itself is called.
pub const HERE: &str = "the command line";

/// Ringdown itself.
pub const ITSELF: &str = "ringdown";
