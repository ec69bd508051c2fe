//! What the process says of itself while it runs.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Logs to standard error: for people on a terminal, as JSON otherwise. `RINGDOWN_LOG` sets the level (`info`, or
/// `ringdown=debug,sqlx=warn`). A second call does nothing.
pub fn log() {
    let filter = EnvFilter::try_from_env("RINGDOWN_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An earlier one, of a test for example, stays.
    let _ = if std::io::stderr().is_terminal() {
        subscriber.compact().try_init()
    } else {
        subscriber.json().flatten_event(true).try_init()
    };
}
