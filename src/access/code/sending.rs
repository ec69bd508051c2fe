//! A code on its way to a phone, as any page goes.

use super::{LIFE, to_prove, to_sign_in};
use crate::{
    access::{
        audit::{self, Entry, what},
        sign_in::store::{self, Code, CodeKind},
    },
    id::{AttemptId, fresh},
    paging::{self, draft},
    people::{Channel, E164, Person},
    server::App,
    store::Tx,
};

/// The id of a new code.
pub fn fresh_id() -> String {
    fresh("cod")
}

/// Sends a code; gives its id. The row of the outbox has the same id: the digits follow from it.
pub async fn send(
    tx: &mut Tx,
    app: &App,
    person: &Person,
    to: &E164,
    channel: Channel,
    kind: CodeKind,
    network: &str,
) -> sqlx::Result<String> {
    let (id, now) = (fresh_id(), app.clock.now());
    let expires_at = now + LIFE;
    let code = Code {
        id: id.clone(),
        person: person.key.to_string(),
        address: to.as_str().into(),
        channel: channel.as_str().into(),
        kind,
        created_at: now,
        expires_at,
    };
    store::insert_code(tx, &code, network).await?;
    let text = match kind {
        CodeKind::SignIn => to_sign_in(&app.settings.public_url),
        CodeKind::Proof => to_prove(),
    };
    let attempt = draft::code(AttemptId::from(id.as_str()), person, channel, to.clone(), text, expires_at, now);
    paging::store::insert(tx, &attempt).await?;
    let detail = format!("by {} to {}", channel.as_str(), to.masked());
    let entry =
        Entry { who: person.key.as_str(), what: what::CODE_SENT, network: Some(network), detail: Some(&detail) };
    audit::note(tx, entry, now).await?;
    Ok(id)
}
