//! Which lines work, because somebody there read or heard a code and entered it.

pub mod store;

pub use store::{Proof, all, of_person as proven, record};

use super::{
    audit::{self, Entry, what},
    code::sending,
    sign_in::{self, Guess, store as codes, turn},
};
use crate::{
    people::{Channel, ContactMethod, Person},
    server::App,
    store::retry::retried,
};

/// Sends a code to a line of a person, to prove it; gives its id, for [`confirm`]. `None`: too many were sent to them
/// lately. `network` is that of whoever asks.
pub async fn send(
    app: &App,
    person: &Person,
    line: &ContactMethod,
    channel: Channel,
    network: &str,
) -> sqlx::Result<Option<String>> {
    let sent = retried(|| async {
        let now = app.clock.now();
        let name = app.desk.hashed(person.key.as_str());
        let this = codes::Try { name: &name, network, kind: codes::Kind::AskCode };
        let (_turn, mut tx) = turn::take(app, this).await?;
        if !sign_in::may_send(&mut tx, this, now).await? {
            return Ok(None);
        }
        codes::tried(&mut tx, this, true, now).await?;
        let kind = codes::CodeKind::Proof;
        let id = sending::send(&mut tx, app, person, &line.address, channel, kind, network).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(Some(id))
    });
    let sent = sent.await?;
    app.bell.ring();
    Ok(sent)
}

/// Whether these are the digits of a code that was sent to prove a line of this person. Then the line is proven; a
/// code may be guessed five times.
pub async fn confirm(app: &App, person: &Person, id: &str, digits: &str) -> sqlx::Result<bool> {
    retried(|| async {
        let now = app.clock.now();
        let mut tx = app.db.begin().await?;
        let guess = sign_in::guess(&mut tx, app, id, digits, codes::CodeKind::Proof, now).await?;
        let right = matches!(&guess, Guess::Right(code) if code.person == person.key.as_str());
        if let Guess::Right(code) = &guess {
            let entry =
                Entry { who: &code.person, what: what::LINE_PROVEN, network: None, detail: Some(&code.channel) };
            audit::note(&mut tx, entry, now).await?;
        }
        tx.commit().await?;
        Ok(right)
    })
    .await
}
