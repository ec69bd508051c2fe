//! What a visitor does with the phones: the forms of the page.

use axum::{
    extract::{Path, State},
    response::Redirect,
};

use crate::{
    access::Role,
    api::Problem,
    carrier::handsets::{Behaviour, Input, owner},
    people::E164,
    server::App,
    web::{Fields, Form, Trouble},
};

/// The slowest and the fastest a clock may be set to, in times as fast as real time.
const RATES: std::ops::RangeInclusive<f64> = 0.1..=600.0;

/// `POST /handsets/dial`: somebody dials a hotline.
pub(in crate::web) async fn dial(State(app): State<App>, form: Form) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Admin)?;
    let handsets = owner::handsets(&app)?;
    let from = owner::number(form.fields.get("from"))?;
    owner::dial(&handsets, &from, form.fields.get("to"), Vec::new())?;
    Ok(at(&from))
}

/// `POST /handsets/phone/NUMBER/sms`: somebody writes.
pub(in crate::web) async fn write(
    State(app): State<App>,
    Path(number): Path<String>,
    form: Form,
) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Admin)?;
    let (handsets, number) = (owner::handsets(&app)?, owner::number(&number)?);
    owner::write(&handsets, &number, form.fields.get("to"), form.fields.get("body").trim()).await?;
    Ok(at(&number))
}

/// `POST /handsets/phone/NUMBER/behaviour`: what a phone does by itself from now on.
pub(in crate::web) async fn behave(
    State(app): State<App>,
    Path(number): Path<String>,
    form: Form,
) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Admin)?;
    let (handsets, number) = (owner::handsets(&app)?, owner::number(&number)?);
    owner::behave(&handsets, &number, behaviour(&form.fields)?)?;
    Ok(at(&number))
}

/// `POST /handsets/call/ID/ACT`: somebody does something on a call.
pub(in crate::web) async fn call(
    State(app): State<App>,
    Path((id, act)): Path<(String, String)>,
    form: Form,
) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Admin)?;
    let handsets = owner::handsets(&app)?;
    let input = input(&act, &form.fields).ok_or_else(|| Problem::not_found("Nothing like that is done to a call."))?;
    owner::act(&handsets, &id, input)?;
    let phone = handsets.look(|network| network.call(&id).map(|call| call.phone.clone()));
    Ok(phone.as_ref().map_or_else(|| Redirect::to("/handsets"), at))
}

/// `POST /handsets/clock`: how fast the service's clock runs.
pub(in crate::web) async fn speed(State(app): State<App>, form: Form) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Admin)?;
    owner::handsets(&app)?;
    let lever = app.clock.speed().ok_or_else(|| Problem::conflict("This service runs by the machine's clock."))?;
    let rate = form.fields.get("rate").parse().ok().filter(|rate| RATES.contains(rate));
    lever.set(rate.ok_or_else(|| Problem::field("/rate", "a number from 0.1 to 600"))?);
    Ok(Redirect::to("/handsets"))
}

/// Back to the phone on the page.
fn at(number: &E164) -> Redirect {
    Redirect::to(&format!("/handsets#p{}", &number.as_str()[1..]))
}

fn input(act: &str, fields: &Fields) -> Option<Input> {
    Some(match act {
        "answer" => Input::Answer,
        "reject" => Input::Reject,
        "divert" => Input::Divert,
        "hangup" => Input::HangUp,
        "press" => Input::Press(fields.get("keys").trim().into()),
        "speak" => Input::Speak(fields.get("text").trim().into()),
        _ => return None,
    })
}

/// A behaviour as the form names it. Keys count only for who presses some.
fn behaviour(fields: &Fields) -> Result<Behaviour, Problem> {
    Ok(match fields.get("behaviour") {
        "manual" => Behaviour::Manual,
        "answers_and_presses" => Behaviour::AnswersAndPresses { key: fields.get("key").trim().into(), after: 3 },
        "voicemail" => Behaviour::Voicemail,
        "rings_out" => Behaviour::RingsOut,
        "busy" => Behaviour::Busy,
        "dead" => Behaviour::Dead,
        "slow" => Behaviour::Slow { seconds: 30 },
        _ => return Err(Problem::field("/behaviour", "is none that a phone has")),
    })
}
