//! `/api/v1/report`: which promises of a period were kept.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Problem, request::Params};
use crate::{
    access::{Allowed, Role, audit, least},
    id::{CustomerKey, PlanKey},
    report::{
        compliance::Compliance,
        csv,
        gather::{self, Gathering, Question},
        period::Period,
        signed::Exporting,
    },
    server::App,
    sla::Zone,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(report))
}

/// The longest name of a customer, plan or zone.
const LONGEST_NAME: usize = 64;

/// Of what, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ReportParams {
    /// A date (`2026-11-01`: its first moment in `zone`) or an instant (RFC 3339).
    from: String,
    /// The first date or instant that is no longer in the period; now unless given. At most 400 days after `from`.
    to: Option<String>,
    /// Only this customer's.
    #[param(value_type = Option<String>)]
    customer: Option<CustomerKey>,
    /// Only under this plan; without a tier, all tiers of it.
    #[param(value_type = Option<String>)]
    plan: Option<PlanKey>,
    /// An IANA zone for dates and hours of the day; UTC unless given.
    zone: Option<String>,
    #[serde(default)]
    format: Format,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[default]
    Json,
    /// One row a promise, all of them.
    Csv,
    /// The export of each incident, one a line, and a signed table of contents, for `ringdown verify`.
    Signed,
}

/// Which promises of a period were kept, how fast people were, who was paged, and when the service did not run.
///
/// Every verdict is worked out again from the events. An incident belongs to the period in which it was opened, a
/// promise to the one in which it was due, a page to the one in which it was made. Phone numbers are in none of it but
/// the signed form: that is made of the exports of the incidents, needs the role `responder`, and holds as a whole only
/// with its last line (docs/ledger.md).
#[utoipa::path(get, path = "/report", tag = "ledger", params(ReportParams),
    responses(
        (status = 200, content((Compliance = "application/json"), (String = "text/csv"), (String = "application/jsonl"))),
        (status = "4XX", body = Problem)))]
async fn report(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Viewer>,
    Params(params): Params<ReportParams>,
) -> Result<Response, Problem> {
    let question = question(&params, &app)?;
    match params.format {
        Format::Json => Ok(Json(gather::compliance(&app, question).await?).into_response()),
        Format::Csv => {
            let rows = rows(Gathering::begin(&app, question).await?);
            Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], rows).into_response())
        }
        Format::Signed => {
            caller.require(Role::Responder)?;
            let lines = signed(&app, question, caller.who(), None).await?;
            Ok(([(header::CONTENT_TYPE, SIGNED)], lines).into_response())
        }
    }
}

fn question(params: &ReportParams, app: &App) -> Result<Question, Problem> {
    let named = [params.customer.as_ref().map(CustomerKey::as_str), params.plan.as_ref().map(PlanKey::as_str)];
    if named.into_iter().chain([params.zone.as_deref()]).flatten().any(|name| name.len() > LONGEST_NAME) {
        return Err(Problem::bad_request("No customer, plan or zone has so long a name."));
    }
    let zone: Zone = match &params.zone {
        Some(name) => name.parse().map_err(|error| Problem::bad_request(format!("zone: {error}.")))?,
        None => Zone::utc(),
    };
    let period = Period::read(&params.from, params.to.as_deref(), &zone, app.clock.now())
        .map_err(|error| Problem::bad_request(format!("{error}.")))?;
    Ok(Question { period, zone, customer: params.customer.clone(), plan: params.plan.clone() })
}

/// What a period's signed export is: JSON, one object a line.
pub const SIGNED: &str = "application/jsonl";

/// A period's signed export as it is read, a line after the other. It breaks off where something goes wrong, without the
/// last line. `who` takes it out of the house, from which network if that is known.
pub async fn signed(app: &App, question: Question, who: &str, network: Option<&str>) -> sqlx::Result<Body> {
    let mut of = format!("the promises from {} to {}", question.period.from, question.period.to);
    for (name, key) in [
        ("customer", question.customer.as_ref().map(CustomerKey::as_str)),
        ("plan", question.plan.as_ref().map(PlanKey::as_str)),
    ] {
        of.extend(key.map(|key| format!(", {name} {key}")));
    }
    let exporting = Exporting::begin(app, question).await?;
    audit::exported(app, who, network, &of).await?;
    Ok(Body::from_stream(futures::stream::try_unfold(exporting, async |mut exporting| {
        let line = exporting.next().await.inspect_err(|error| tracing::error!(%error, "an export broke off"))?;
        Ok::<_, sqlx::Error>(line.map(|line| (line, exporting)))
    })))
}

/// The rows as they are read, a page of incidents after the other.
pub fn rows(gathering: Gathering) -> Body {
    let head = futures::stream::iter([Ok::<String, sqlx::Error>(csv::HEAD.into())]);
    let pages = futures::stream::try_unfold(gathering, async |mut gathering| {
        let page = gathering.next().await.inspect_err(|error| tracing::error!(%error, "a report broke off"))?;
        Ok(page.map(|page| (page.iter().map(|judged| csv::rows(&judged.line)).collect::<String>(), gathering)))
    });
    Body::from_stream(futures::StreamExt::chain(head, pages))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, server::settings::Settings};

    #[tokio::test]
    async fn what_is_asked_is_bounded() {
        let (app, _hand, _folder) =
            App::for_test(Settings::default(), "2026-11-22T06:00:00Z", Config::default(), vec![]).await;
        let asked = |query: &str| {
            let uri = format!("http://h/x?{query}").parse().unwrap();
            let params: Params<ReportParams> = Params(axum::extract::Query::try_from_uri(&uri).unwrap().0);
            question(&params.0, &app)
                .map(|question| question.period)
                .map_err(|problem| (problem.status, problem.detail))
        };
        assert!(asked("from=2026-11-01&to=2026-12-01&zone=Europe/Berlin&customer=acme&plan=x:y").is_ok());
        for (query, expected) in [
            ("from=x", "`from` must be a date"),
            ("from=2026-11-01&to=2026-10-01", "`to` must be after `from`."),
            ("from=2020-11-01&to=2026-10-01", "400 days"),
            ("from=2026-12-01", "`to` must be after `from`."),
            ("from=2026-11-01&zone=Mars/Base", "no time zone is named"),
            (&format!("from=2026-11-01&customer={}", "x".repeat(65)), "so long a name"),
        ] {
            let (status, detail) = asked(query).unwrap_err();
            assert!(status == 400 && detail.contains(expected), "{query}: {detail}");
        }
    }
}
