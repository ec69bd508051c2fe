//! `ringdown demo`: the main job, told in the terminal while it happens. A throw-away database, the example schedules,
//! the built-in handsets and the real server; the story goes through the HTTP interface only.

mod stage;
mod story;

use std::net::SocketAddr;

use anyhow::Context;
use chrono::{TimeDelta, Utc};
use secrecy::SecretString;

use super::sign_in;
use crate::{
    access::{Claims, Role, store as tokens, token},
    carrier::handsets::{Behaviour, owner},
    clock::Clock,
    config,
    server::{
        App,
        boot::{self, Running},
        settings::{Settings, WatchSettings},
    },
};

/// Tells the main job as it happens: a customer dials, the phones ring, until somebody takes it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown demo                 the story, then the server stays up to try things
  ringdown demo --no-story      only the server, for the browser: dial, and let the phones ring there
  ringdown demo --exit          ends after the story; fails if any step was not seen to happen
  ringdown demo --speed 10      slower")]
pub struct Args {
    /// How many times as fast as real time
    #[arg(long, default_value_t = 60.0, value_parser = speed)]
    pub speed: f64,
    /// End after the story, with code 0 only if every step was seen through the HTTP interface
    #[arg(long)]
    pub exit: bool,
    /// Tell nothing: the server is there at once, in real time
    #[arg(long, conflicts_with = "exit")]
    pub no_story: bool,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=600.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.1 to 600".into()),
    }
}

/// Runs the story; without `--exit` the server stays up until Ctrl-C.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("cannot make a folder for the demo")?;
    let schedules = folder.path().join("schedules");
    config::write_example(&schedules)?;
    let settings = Settings {
        listen: args.listen,
        public_url: format!("http://{}", args.listen),
        database: format!("sqlite:{}", folder.path().join("demo.db").display()),
        schedules,
        token_secret: Some(SecretString::from(crate::id::fresh("demo-secret"))),
        // On a clock this fast it would beat every second.
        watch: WatchSettings { heartbeat: None, ..WatchSettings::default() },
        // In the demo's time, which runs up to 600 times as fast as its requests do.
        lease: TimeDelta::minutes(5),
        ..Settings::default()
    };
    let (clock, speed) = Clock::scaled(Utc::now(), args.speed);
    let running = boot::start(settings, clock).await?;
    let token = admin_token(&running.app).await?;

    if !args.no_story {
        let told = story::tell(&running, &token, args.speed).await;
        if args.exit {
            running.stop().await;
            return told;
        }
        if let Err(error) = told {
            eprintln!("\nThe story broke off: {error:#}");
        }
    }
    speed.set(1.0);
    put_down(&running.app);
    let link = link(&running.app).await?;
    stay(running, &token, &link).await
}

/// Signs in to the web once.
async fn link(app: &App) -> anyhow::Result<String> {
    let mut tx = app.db.begin().await?;
    let link = sign_in::link(&mut tx, &app.settings, None, Some(Role::Admin), app.clock.now()).await?;
    tx.commit().await?;
    Ok(link)
}

async fn admin_token(app: &App) -> anyhow::Result<String> {
    let now = app.clock.now();
    let claims = Claims::new("demo", Role::Admin, None, Some(now + TimeDelta::days(30)), now);
    let mut tx = app.db.begin().await?;
    tokens::insert(&mut tx, &claims, now).await?;
    tx.commit().await?;
    Ok(token::issue(&app.token_key, &claims))
}

/// From now on every phone waits for whoever looks at it.
fn put_down(app: &App) {
    let Ok(handsets) = owner::handsets(app) else { return };
    let used: Vec<_> = handsets.look(|network| network.phones().map(|phone| phone.number.clone()).collect());
    for number in used {
        handsets.behave(&number, Behaviour::Manual);
    }
}

async fn stay(running: Running, token: &str, link: &str) -> anyhow::Result<()> {
    let url = &running.app.settings.public_url;
    let config = running.app.config.load();
    let hotline = config.hotlines.values().next().map(|hotline| hotline.number.as_str()).unwrap_or_default();
    say!(
        "\nThe server stays up at {url}, now in real time. Look at it in a browser; this link signs in once,
within ten minutes:

  {link}

  {url}/handsets   every phone: dial the hotline as a customer, let them ring, answer, press 4
  {url}/           the board: who has it, and what is promised until when

In another terminal:

  export RINGDOWN_URL={url}
  export RINGDOWN_TOKEN={token}

  ringdown oncall                                        who is on call
  ringdown incidents                                     what happened
  ringdown page ines                                     page somebody
  curl -H \"Authorization: Bearer $RINGDOWN_TOKEN\" $RINGDOWN_URL/handsets/phones
  curl -H \"Authorization: Bearer $RINGDOWN_TOKEN\" -d '{{\"to\":\"{hotline}\"}}' \\
       $RINGDOWN_URL/handsets/phones/12015550198/dial    dial the hotline as a stranger
  curl -d '{{\"action\":\"trigger\",\"title\":\"Disk full\",\"severity\":\"critical\"}}' \\
       $RINGDOWN_URL/intake/generic/example-generic-key  report trouble as monitoring does

Ctrl-C ends it; nothing is kept."
    );
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}
