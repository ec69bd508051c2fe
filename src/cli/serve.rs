//! `ringdown serve`: the service, until it is told to stop.

use std::path::PathBuf;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    clock::Clock,
    server::{boot, settings::Settings, telemetry},
};

/// Runs the service.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The settings; `ringdown.toml` in this folder, if there is one, unless said otherwise
    #[arg(long, env = "RINGDOWN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Runs until SIGTERM or Ctrl-C. SIGHUP reads `schedules/` again.
pub async fn run(args: Args) -> anyhow::Result<()> {
    telemetry::log();
    let settings = Settings::load(args.config.as_deref(), |name| std::env::var(name).ok())?;
    let running = boot::start(settings, Clock::system()).await?;
    eprintln!("Ringdown answers at {}", running.app.settings.public_url);
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Ready]);

    let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = tokio::signal::ctrl_c() => break,
            _ = hang_up.recv() => {
                if let Err(error) = boot::reload(&running.app).await {
                    tracing::error!(error = format!("{error:#}"), "the schedules could not be read again");
                }
            }
        }
    }
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    running.stop().await;
    Ok(())
}
