//! What the owner of a phone does with it, whichever door they come by: bounded, and refused with a reason.

use std::sync::Arc;

use super::{Act, ActError, Behaviour, Handsets, MAX_TEXT, Text, happening::Input, phone::check_keys};
use crate::{api::Problem, people::E164, server::App};

/// Steps of a caller's script.
const MAX_SCRIPT: usize = 50;

/// The handsets of this process; 404 where it has none.
pub fn handsets(app: &App) -> Result<Arc<Handsets>, Problem> {
    let handsets = app.carriers.iter().find_map(|carrier| carrier.clone().as_handsets());
    handsets.ok_or_else(|| Problem::not_found("This service runs without the built-in handsets."))
}

/// A phone's number as it stands in a path, with or without its `+`.
pub fn number(text: &str) -> Result<E164, Problem> {
    // A plus that went through a form's decoding is a space.
    let digits = text.trim().trim_start_matches('+');
    E164::parse(&format!("+{digits}")).map_err(|why| Problem::not_found(format!("There is no such phone: {why}.")))
}

/// Does something on a call.
pub fn act(handsets: &Handsets, id: &str, input: Input) -> Result<(), Problem> {
    match &input {
        Input::Press(keys) => check_keys(keys).map_err(|why| Problem::field("/keys", why))?,
        Input::Speak(text) => check_text("/text", text)?,
        _ => {}
    }
    handsets.act(id, input).map_err(|error| match error {
        ActError::Unknown => no_such_call(),
        ActError::Refused(refused) => Problem::conflict(format!("Not done: {refused}.")),
    })
}

/// Dials one of our numbers; the call's id.
pub fn dial(handsets: &Handsets, from: &E164, to: &str, script: Vec<Act>) -> Result<String, Problem> {
    let to = E164::parse(to).map_err(|why| Problem::field("/to", why.to_string()))?;
    if script.len() > MAX_SCRIPT {
        return Err(Problem::field("/script", format!("at most {MAX_SCRIPT} steps")));
    }
    for (at, act) in script.iter().enumerate() {
        let pointer = format!("/script/{at}");
        match act {
            Act::Press(keys) => check_keys(keys).map_err(|why| Problem::field(&pointer, why))?,
            Act::Say(text) => check_text(&pointer, text)?,
        }
    }
    handsets.dial(from, &to, script).map_err(|refused| Problem::conflict(format!("Not dialled: {refused}.")))
}

/// Writes to one of our numbers; the answer, if there is one.
pub async fn write(handsets: &Handsets, from: &E164, to: &str, body: &str) -> Result<Option<Text>, Problem> {
    let to = E164::parse(to).map_err(|why| Problem::field("/to", why.to_string()))?;
    check_text("/body", body)?;
    handsets.write(from, &to, body).await.map_err(|_| Problem::unavailable())
}

/// Sets what a phone does from now on.
pub fn behave(handsets: &Handsets, number: &E164, behaviour: Behaviour) -> Result<(), Problem> {
    behaviour.check().map_err(|(pointer, detail)| Problem::field(pointer, detail))?;
    handsets.behave(number, behaviour);
    Ok(())
}

/// For a call that nobody knows any more.
pub fn no_such_call() -> Problem {
    Problem::not_found("There is no such call, or it ended long ago.")
}

fn check_text(pointer: &str, text: &str) -> Result<(), Problem> {
    match text.chars().count() {
        0 => Err(Problem::field(pointer, "is empty")),
        n if n > MAX_TEXT => Err(Problem::field(pointer, format!("at most {MAX_TEXT} characters"))),
        _ => Ok(()),
    }
}
