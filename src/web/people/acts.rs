//! What is done on a person's page: a test page, and a code that proves a phone.

use axum::{
    extract::{Path, State},
    response::Redirect,
};

use super::{find, is};
use crate::{
    access::{Role, proof, session::From},
    api::Problem,
    paging,
    people::Channel,
    server::App,
    store::retry::retried,
    web::{Form, Trouble},
};

/// What is said after an act.
pub(super) fn done(what: &str) -> Option<&'static str> {
    Some(match what {
        "tested" => "A text and a call are on their way. Nothing is wrong, nothing to do.",
        "proven" => "Proven: a page to this line gets through.",
        "many" => "Too many codes were sent lately. Try again in a quarter of an hour.",
        _ => return None,
    })
}

/// Sends a text and a call that only show that they arrive.
pub(in crate::web) async fn test_page(
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Redirect, Trouble> {
    let config = app.config.load_full();
    let person = find(&config, &key)?;
    form.visitor.require(if is(person, &form.visitor) { Role::Responder } else { Role::Commander })?;
    retried(|| async {
        let mut tx = app.db.begin().await?;
        paging::store::test_page(&mut tx, person, app.clock.now()).await?;
        tx.commit().await
    })
    .await?;
    app.bell.ring();
    Ok(Redirect::to(&format!("/people/{}?done=tested", person.key)))
}

/// Sends a code to one of one's own phones.
pub(in crate::web) async fn prove(
    State(app): State<App>,
    Path(key): Path<String>,
    from: From,
    form: Form,
) -> Result<Redirect, Trouble> {
    let config = app.config.load_full();
    let person = find(&config, &key)?;
    own(is(person, &form.visitor))?;
    let line = person.method(form.fields.get("line"));
    let line = line.ok_or_else(|| Problem::field("/line", "you have no phone of this name"))?;
    let channel = line.channels.iter().find(|channel| channel.as_str() == form.fields.get("channel")).copied();
    let channel: Channel = channel.ok_or_else(|| Problem::field("/channel", "this phone does not take that"))?;
    Ok(match proof::send(&app, person, line, channel, &from.network).await? {
        Some(id) => Redirect::to(&format!("/people/{}?code={id}#digits", person.key)),
        None => Redirect::to(&format!("/people/{}?done=many", person.key)),
    })
}

/// Takes the digits that came.
pub(in crate::web) async fn confirm(
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Redirect, Trouble> {
    let config = app.config.load_full();
    let person = find(&config, &key)?;
    own(is(person, &form.visitor))?;
    let id: String =
        form.fields.get("id").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
    let digits: String = form.fields.get("digits").chars().filter(char::is_ascii_digit).take(12).collect();
    Ok(match proof::confirm(&app, person, &id, &digits).await? {
        true => Redirect::to(&format!("/people/{}?done=proven", person.key)),
        false => Redirect::to(&format!("/people/{}?done=wrong&code={id}#digits", person.key)),
    })
}

fn own(mine: bool) -> Result<(), Problem> {
    if mine { Ok(()) } else { Err(Problem::forbidden("Only who has the phone in hand can prove it.")) }
}
