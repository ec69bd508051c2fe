//! `/compliance`: which promises of a period were kept, and from there to how each was counted.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{Datelike, NaiveDate, TimeDelta};
use serde::Deserialize;

use super::{Frame, Page, Place, Trouble};
use crate::{
    access::{
        Role,
        session::{From, Visitor},
    },
    api::{self, Problem},
    id::{CustomerKey, PlanKey},
    report::{
        compliance::Compliance,
        gather::{self, Gathering, Question},
        page::{self, Body},
        period::Period,
    },
    server::App,
};

/// The page.
#[derive(Template)]
#[template(path = "web/compliance/compliance.html")]
pub(super) struct Shown {
    frame: Frame,
    wanted: Wanted,
    report: Compliance,
    customers: Vec<(String, String)>,
    plans: Vec<(String, String)>,
    periods: Vec<Ready>,
    /// The same report in other forms.
    csv: String,
    json: String,
    html: String,
    /// For those who may have the numbers that are in it.
    signed: Option<String>,
}

/// A period that people ask for often.
struct Ready {
    name: &'static str,
    link: String,
    here: bool,
}

/// Of what. Empty means any.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    customer: String,
    #[serde(default)]
    plan: String,
    #[serde(default)]
    format: String,
}

pub(super) async fn compliance(
    State(app): State<App>,
    Query(mut wanted): Query<Wanted>,
    visitor: Visitor,
    from: From,
) -> Result<Response, Trouble> {
    visitor.require(if wanted.format == "signed" { Role::Responder } else { Role::Viewer })?;
    let frame = Frame::new(&app, &visitor, Place::Compliance);
    let today = frame.now.with_timezone(&frame.zone).date_naive();
    if wanted.from.is_empty() {
        wanted.from = today.with_day(1).unwrap_or(today).to_string();
    }
    let to = Some(wanted.to.as_str()).filter(|to| !to.is_empty());
    let period = Period::read(&wanted.from, to, &frame.zone, frame.now)
        .or_else(|error| match to {
            // The first moment of a month: nothing has passed of it.
            None => Period::read(&wanted.from, Some(&(today + TimeDelta::days(1)).to_string()), &frame.zone, frame.now),
            Some(_) => Err(error),
        })
        .map_err(|error| Problem::bad_request(format!("{error}.")))?;
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let (customer, plan) = (some(&wanted.customer), some(&wanted.plan));
    let question = Question {
        period,
        zone: frame.zone.clone(),
        customer: customer.map(CustomerKey::from),
        plan: plan.map(PlanKey::from),
    };
    if wanted.format == "csv" {
        let rows = api::report::rows(Gathering::begin(&app, question).await?);
        return Ok(file("csv", "text/csv; charset=utf-8; header=present", &wanted.from, rows));
    }
    if wanted.format == "signed" {
        let lines = api::report::signed(&app, question, visitor.caller.who(), Some(&from.network)).await?;
        return Ok(file("signed.jsonl", api::report::SIGNED, &wanted.from, lines));
    }
    let report = gather::compliance(&app, question).await?;
    match wanted.format.as_str() {
        "json" => {
            let text = serde_json::to_string_pretty(&report).map_err(|_| Problem::internal())?;
            return Ok(file("json", "application/json", &wanted.from, text));
        }
        "html" => {
            let text = page::html(&report).map_err(|_| Problem::internal())?;
            return Ok(file("html", "text/html; charset=utf-8", &wanted.from, text));
        }
        _ => {}
    }
    let config = app.config.load();
    let customers = config.customers.values().map(|customer| (customer.key.to_string(), customer.name.clone()));
    let plans = config.plans.iter().map(|(key, plan)| (key.to_string(), plan.title.clone()));
    let (customers, plans) = (customers.collect(), plans.collect());
    let periods = ready(today, &wanted);
    let [csv, json, html, signed] =
        ["csv", "json", "html", "signed"].map(|format| wanted.link(&wanted.from, &wanted.to, format));
    let signed = visitor.caller.role.may(Role::Responder).then_some(signed);
    Ok(Page(Shown { frame, wanted, report, customers, plans, periods, csv, json, html, signed }).into_response())
}

/// As a file with a name of its own.
fn file(kind: &str, content: &'static str, from: &str, body: impl Into<axum::body::Body>) -> Response {
    let name: String = from.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
    let disposition = format!("attachment; filename=\"ringdown-promises-{name}.{kind}\"");
    let headers = [(header::CONTENT_TYPE, content.to_string()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, body.into()).into_response()
}

/// This month, the month before, the last seven days and the last thirty.
fn ready(today: NaiveDate, wanted: &Wanted) -> Vec<Ready> {
    let first = today.with_day(1).unwrap_or(today);
    let before = first.pred_opt().and_then(|last| last.with_day(1)).unwrap_or(first);
    let days = |days| (today - TimeDelta::days(days)).to_string();
    let periods = [
        ("This month", first.to_string(), String::new()),
        ("Last month", before.to_string(), first.to_string()),
        ("7 days", days(7), String::new()),
        ("30 days", days(30), String::new()),
    ];
    let link = |(name, from, to): (&'static str, String, String)| Ready {
        name,
        link: wanted.link(&from, &to, ""),
        here: wanted.from == from && wanted.to == to,
    };
    periods.map(link).into()
}

impl Wanted {
    fn link(&self, from: &str, to: &str, format: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields =
            [("from", from), ("to", to), ("customer", &self.customer), ("plan", &self.plan), ("format", format)];
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("/compliance?{}", query.finish())
    }
}

impl Shown {
    fn body(&self) -> Body<'_> {
        Body::of(&self.report, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_its_period_and_nothing_else_gets_into_the_name() {
        let name = |from: &str| {
            let answer = file("signed.jsonl", api::report::SIGNED, from, "");
            answer.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned()
        };
        assert_eq!(name("2026-11-01"), "attachment; filename=\"ringdown-promises-2026-11-01.signed.jsonl\"");
        assert_eq!(name("2026\"; x=\r\n/../1"), "attachment; filename=\"ringdown-promises-2026x1.signed.jsonl\"");
    }

    #[test]
    fn periods_that_are_asked_for_often_are_links_that_keep_the_rest_of_the_question() {
        let wanted = Wanted { customer: "a&b".into(), from: "2026-02-01".into(), ..Wanted::default() };
        let ready = ready(NaiveDate::from_ymd_opt(2026, 3, 31).unwrap(), &wanted);
        let links: Vec<&str> = ready.iter().map(|ready| ready.link.as_str()).collect();
        assert_eq!(links[0], "/compliance?from=2026-03-01&customer=a%26b");
        assert_eq!(links[1], "/compliance?from=2026-02-01&to=2026-03-01&customer=a%26b");
        assert_eq!(links[2], "/compliance?from=2026-03-24&customer=a%26b");
    }
}
