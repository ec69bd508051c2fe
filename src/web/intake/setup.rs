//! How each sender is set up, its secrets, and a test event through its own door.

use std::collections::BTreeMap;

use axum::{
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{Request, StatusCode, header},
    response::{IntoResponse, Redirect},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tower::ServiceExt;

use super::{
    Shown, Wanted, at, shown,
    snippet::{Snippet, snippets},
    trial::{self, Foretold},
};
use crate::{
    access::{
        Role,
        audit::{self, Entry, what},
    },
    api::Problem,
    config::{load::environment, reveal},
    id,
    incident::World,
    intake::{self, Integration, received::masked, signal::Kind, signature, store},
    oncall,
    server::App,
    sla::Priority,
    web::{Form, Page, Trouble},
};

/// Stands for a key that nobody but its owner has.
const UNKNOWN: &str = "YOUR-KEY";

/// The longest answer of a door that is read.
const ANSWER_BYTES: usize = 64 * 1024;

/// One integration, as whoever sets its sender up wants to see it.
pub struct Setup {
    pub key: String,
    pub name: String,
    pub kind: &'static str,
    pub team: String,
    pub customer: Option<String>,
    /// The sender's words and what they mean here.
    pub words: Vec<(String, Priority)>,
    pub otherwise: Priority,
    pub keys: Vec<Key>,
    pub snippets: Vec<Snippet>,
    /// Whether payloads have to be signed.
    pub signed: bool,
    /// Whether its secrets are shown.
    pub open: bool,
    /// What a test event would do, where one can be sent from here.
    pub foretold: Option<Foretold>,
}

/// A key of an integration.
pub struct Key {
    pub name: String,
    /// Itself or masked; `None`: only its digest is known here.
    pub text: Option<String>,
}

type Keys = BTreeMap<String, SecretString>;

/// What a page says after a test event.
pub fn done(name: &str) -> Option<&'static str> {
    (name == "tested").then_some("The test event went through the door. This is what arrived, and what became of it.")
}

/// Every integration. Only the secrets of `open` are in it in full.
pub async fn setups(app: &App, open: Option<&str>) -> Result<Vec<Setup>, Trouble> {
    let (config, keys, now) = (app.config.load_full(), known(app).await, app.clock.now());
    let overrides = oncall::store::current(&mut app.db.read().await?, now).await?;
    let world = World { config: &config, overrides: &overrides };
    let setup = |integration: &Integration| {
        let open = open == Some(integration.key.as_str());
        let cover = |secret: &str| if open { secret.to_owned() } else { masked(secret) };
        let key = first(integration, &keys);
        let shown = key.map_or_else(|| UNKNOWN.into(), |key| cover(key.expose_secret()));
        let signing = integration.signing_secrets.first().map(|secret| match open {
            true => secret.expose_secret().to_owned(),
            false => "whsec_…".into(),
        });
        Setup {
            key: integration.key.to_string(),
            name: integration.name.clone(),
            kind: integration.kind.as_str(),
            team: config.teams.get(&integration.team).map_or_else(String::new, |team| team.name.clone()),
            customer: integration.customer.as_ref().and_then(|key| config.customers.get(key)).map(|c| c.name.clone()),
            words: integration.priorities.iter().map(|(word, priority)| (word.clone(), *priority)).collect(),
            otherwise: integration.otherwise,
            keys: integration
                .keys
                .iter()
                .map(|key| Key {
                    name: key.name.clone(),
                    text: keys.get(&key.digest).map(|secret| cover(secret.expose_secret())),
                })
                .collect(),
            snippets: snippets(integration.kind, &app.settings.public_url, &shown, signing.as_deref()),
            signed: signing.is_some(),
            open,
            foretold: key.and_then(|_| trial::foretell(integration, world, now)),
        }
    };
    Ok(config.integrations.values().map(setup).collect())
}

/// The secrets that this machine can look up, read off the runtime's threads.
async fn known(app: &App) -> Keys {
    let folder = app.settings.schedules.clone();
    let read = tokio::task::spawn_blocking(move || reveal::integration_keys(&folder, &environment));
    read.await.unwrap_or_default()
}

fn first<'a>(integration: &Integration, keys: &'a Keys) -> Option<&'a SecretString> {
    integration.keys.iter().find_map(|key| keys.get(&key.digest))
}

/// `POST /intake/integrations/KEY/keys`: the page, with the secrets of one integration.
pub async fn reveal(State(app): State<App>, Path(key): Path<String>, form: Form) -> Result<Page<Shown>, Trouble> {
    form.visitor.require(Role::Admin)?;
    let known = app.config.load().integrations.contains_key(key.as_str());
    if !known {
        return Err(Problem::not_found("There is no such integration any more.").into());
    }
    let who = form.visitor.caller.person.as_ref().map_or(form.visitor.caller.name.as_str(), |key| key.as_str());
    let mut tx = app.db.begin().await?;
    let entry = Entry { who, what: what::KEYS_SHOWN, network: None, detail: Some(&key) };
    audit::note(&mut tx, entry, app.clock.now()).await?;
    tx.commit().await?;
    Ok(Page(shown(&app, &form.visitor, Wanted::default(), Some(&key)).await?))
}

/// `POST /intake/integrations/KEY/test`: a test event, as its sender would send it.
pub async fn test(State(app): State<App>, Path(key): Path<String>, form: Form) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Admin)?;
    let config = app.config.load_full();
    let integration = config
        .integrations
        .get(key.as_str())
        .ok_or_else(|| Problem::not_found("There is no such integration any more."))?;
    let keys = known(&app).await;
    let secret = first(integration, &keys).ok_or_else(|| {
        Problem::conflict("Only the digest of this integration's key is known here: send the event from outside.")
    })?;
    let now = app.clock.now();
    let overrides = oncall::store::current(&mut app.db.read().await?, now).await?;
    let foretold = trial::foretell(integration, World { config: &config, overrides: &overrides }, now);
    if foretold.is_none_or(|foretold| foretold.pages) && form.fields.get("wakes") != "yes" {
        return Err(Problem::field("/wakes", "this event pages somebody: tick the box that says so").into());
    }
    let name = id::fresh("test");
    let first = send(&app, integration, secret.expose_secret(), &name, Kind::Trigger).await?;
    if form.fields.get("close") == "yes" {
        send(&app, integration, secret.expose_secret(), &name, Kind::Resolve).await?;
    }
    let newest = store::list(&mut app.db.read().await?, None, 50).await?;
    let ours = newest.iter().find(|received| received.headers.get("x-request-id") == Some(&first));
    Ok(ours.map_or_else(|| Redirect::to("/intake"), |received| at(&received.id)))
}

/// Through the doors themselves, as a request from outside would come; its id in the intake log.
async fn send(app: &App, integration: &Integration, key: &str, name: &str, kind: Kind) -> Result<String, Trouble> {
    let (_, path) = trial::door(integration.kind, key);
    let body = trial::payload(integration, key, name, kind).to_string();
    let request_id = id::fresh("req");
    let mut request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "Ringdown intake page")
        .header("x-request-id", &request_id);
    if let Some(secret) = integration.signing_secrets.first() {
        let (webhook_id, at) = (id::fresh("msg"), app.clock.now().timestamp());
        if let Some(signature) = signature::sign(secret, &webhook_id, at, body.as_bytes()) {
            request = request
                .header("webhook-id", webhook_id)
                .header("webhook-timestamp", at)
                .header("webhook-signature", signature);
        }
    }
    let request = request.body(Body::from(body)).map_err(|_| Problem::internal())?;
    let Ok(answer) = intake::routes().with_state(app.clone()).oneshot(request).await;
    let answer = answer.into_response();
    if answer.status() == StatusCode::SERVICE_UNAVAILABLE || answer.status() == StatusCode::TOO_MANY_REQUESTS {
        let bytes = to_bytes(answer.into_body(), ANSWER_BYTES).await.unwrap_or_default();
        let told: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let detail = told["detail"].as_str().unwrap_or("The door does not take it now. Try again.");
        return Err(Problem { detail: detail.into(), ..Problem::unavailable() }.into());
    }
    Ok(request_id)
}
