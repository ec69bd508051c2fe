//! `/api/v1/incidents`: report one, list them, look at one.

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, Problem,
    check::{Check, LINE, TEXT},
    page::{Page, page, window},
    request::{Name, Nothing, Params, Posted},
    store::{self, AttemptRow},
    view::{self, IncidentView, Named},
};
use crate::{
    access::{Allowed, Caller, Role, least},
    config::Config,
    id::{CustomerKey, IncidentId, PageId, PersonKey, PlanKey, TeamKey},
    incident::{self, Command, Contact, Incident, Report, Source, store::Filter},
    mail,
    people::{E164, MailAddress},
    server::App,
    sla::{Plan, Priority},
    store::{Tx, retry::retried},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(report, list))
        .routes(routes!(show))
        .routes(routes!(events))
        .routes(routes!(pages))
}

/// The incident that a path names, by reference or by id; 404 when there is none.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Incident, Problem> {
    let found = if name.starts_with("inc_") {
        incident::store::load(tx, &name.into()).await?
    } else {
        incident::store::by_reference(tx, name).await?
    };
    found.ok_or_else(|| Problem::not_found("There is no incident of this reference or id."))
}

/// Trouble, reported by a program or a person.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportBody {
    /// Whose trouble it is. Without it, `team` must be given, and nothing is promised unless `plan` is.
    #[schema(value_type = Option<String>)]
    pub customer: Option<CustomerKey>,
    /// Who answers; the customer's team unless it is given.
    #[schema(value_type = Option<String>)]
    pub team: Option<TeamKey>,
    /// What is promised where there is no customer.
    #[schema(value_type = Option<String>)]
    pub plan: Option<PlanKey>,
    /// Left out, the plan tells it from `impact_percent`.
    pub priority: Option<Priority>,
    /// How many percent of the users are hit.
    #[schema(maximum = 100)]
    pub impact_percent: Option<u8>,
    /// Nothing is to be done before this; for a priority that the plan schedules, its promise starts there.
    pub not_before: Option<DateTime<Utc>>,
    #[schema(max_length = 200)]
    pub title: String,
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub detail: String,
    #[serde(default)]
    pub contact: ContactBody,
    /// What it is about; trouble unless given.
    #[serde(default)]
    pub kind: Subject,
}

/// What a report is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    #[default]
    Trouble,
    /// The customer wants something of their configuration changed; some plans take that only from an administrator's
    /// address.
    ConfigurationChange,
}

/// Whom to call back.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactBody {
    pub name: Option<String>,
    /// In international form: `+12015550123`.
    pub number: Option<String>,
    #[schema(max_length = 254)]
    pub mail: Option<String>,
}

impl ReportBody {
    /// As the command's report; the reference is filled in later.
    fn checked(self, config: &Config, by: &str) -> Result<Report, Problem> {
        let mut check = Check::default();
        let title = check.text("/title", &self.title, LINE);
        let detail = check.optional("/detail", &self.detail, TEXT);
        let name = self.contact.name.map(|name| check.optional("/contact/name", &name, LINE));
        let number = self.contact.number.and_then(|number| match E164::dialable(&number) {
            Ok(number) => Some(number.as_str().to_owned()),
            Err(error) => {
                check.wrong("/contact/number", error.to_string());
                None
            }
        });
        let mail: Option<MailAddress> = self.contact.mail.as_deref().and_then(|mail| match MailAddress::parse(mail) {
            Ok(mail) => Some(mail),
            Err(error) => {
                check.wrong("/contact/mail", error.to_string());
                None
            }
        });
        let customer = self.customer.as_ref().map(|key| config.customers.get(key));
        if let Some(None) = customer {
            check.wrong("/customer", "there is no such customer in schedules/customers.toml");
        }
        let customer = customer.flatten();
        let team = self.team.or_else(|| customer.map(|customer| customer.team.clone()));
        let team = match team.as_ref().map(|key| config.teams.get(key)) {
            Some(Some(team)) => Some(team),
            Some(None) => {
                check.wrong("/team", "there is no such team in schedules/teams.toml");
                None
            }
            None => {
                check.wrong("/team", "say which team answers, or which customer it is");
                None
            }
        };
        let plan = match (customer, &self.plan) {
            (Some(_), Some(_)) => {
                check.wrong("/plan", "the customer has a plan; leave this out");
                None
            }
            (Some(customer), None) => Some(customer.plan.clone()),
            (None, Some(key)) => {
                let plan = config.plans.get(key).cloned();
                if plan.is_none() {
                    check.wrong("/plan", "there is no such plan in schedules/plans");
                }
                plan
            }
            (None, None) => Some(Plan::empty("none".into(), "No plan")),
        };
        if self.kind == Subject::ConfigurationChange && plan.as_ref().is_some_and(|plan| plan.administrators_only) {
            let administrators = customer.map_or(&[][..], |customer| customer.administrators.as_slice());
            if !mail.as_ref().is_some_and(|mail| administrators.contains(mail)) {
                let detail = "the plan takes changes of the configuration only from an administrator's address";
                check.wrong("/contact/mail", detail);
            }
        }
        check.instant("/not_before", self.not_before);
        let impact = self.impact_percent.map(|percent| percent.min(100));
        let told = || plan.as_ref()?.priority_of_impact(impact?);
        let priority = self.priority.or_else(told);
        if priority.is_none() && plan.is_some() {
            check.wrong("/priority", "say which priority it is, P1 to P6; the plan cannot tell from `impact_percent`");
        }
        check.done()?;
        let (Some(team), Some(plan), Some(priority)) = (team, plan, priority) else { return Err(Problem::internal()) };
        Ok(Report {
            reference: String::new(),
            source: Source::Api { by: by.into() },
            priority,
            customer: customer.map(|customer| customer.key.clone()),
            customer_name: customer.map_or_else(|| by.into(), |customer| customer.name.clone()),
            zone: customer.map_or_else(|| team.zone.clone(), |customer| customer.zone.clone()),
            team: team.key.clone(),
            plan,
            title,
            detail,
            contact: Contact { name, number, mail: mail.map(|mail| mail.as_str().to_owned()) },
            not_before: self.not_before,
        })
    }
}

/// Open an incident.
///
/// P1 and P2 page at once. Role: `intake`, or `responder` and above.
#[utoipa::path(post, path = "/incidents", tag = "incidents", request_body = ReportBody,
    responses((status = 201, body = IncidentView), (status = "4XX", body = Problem)))]
async fn report(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Intake>,
    posted: Posted<ReportBody>,
) -> Answer {
    retried(|| report_once(&app, &caller, &posted)).await
}

async fn report_once(app: &App, caller: &Caller, posted: &Posted<ReportBody>) -> Answer {
    let config = app.config.load_full();
    let mut work = posted.begin(app, caller).await?;
    let mut report = posted.body.clone().checked(&config, &caller.name)?;
    report.reference = app.door.free_reference(&mut work.tx).await?;
    let id = IncidentId::from(crate::id::fresh("inc"));
    let incident = app.door.execute_in(&mut work.tx, &id, Command::Report(Box::new(report))).await?;
    work.finish(app, StatusCode::CREATED, &view::incident(&incident, &config, caller)).await
}

/// Which incidents.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// `true`: only those that are open.
    #[serde(default)]
    open: bool,
    priority: Option<Priority>,
    #[param(value_type = Option<String>)]
    customer: Option<CustomerKey>,
    #[param(value_type = Option<String>)]
    team: Option<TeamKey>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 unless given.
    limit: Option<i64>,
}

/// Incidents, newest first.
#[utoipa::path(get, path = "/incidents", tag = "incidents", params(ListParams),
    responses((status = 200, body = Page<IncidentView>), (status = "4XX", body = Problem)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Viewer>,
    Params(params): Params<ListParams>,
) -> Result<Json<Page<IncidentView>>, Problem> {
    let (cursor, limit) = window(params.cursor, params.limit, "inc_")?;
    let filter = Filter {
        open_only: params.open,
        priority: params.priority,
        customer: params.customer,
        team: params.team,
        before: cursor.map(IncidentId::from),
        limit: limit + 1,
    };
    let config = app.config.load_full();
    let found = incident::store::list(&mut app.db.read().await?, &filter).await?;
    let views = found.iter().map(|incident| view::incident(incident, &config, &caller)).collect();
    Ok(Json(page(views, limit, |view: &IncidentView| view.id.clone())))
}

/// How many mails are shown with an incident.
const MAILS: i64 = 200;

/// One incident, with its timeline and the mails about it.
#[utoipa::path(get, path = "/incidents/{reference}", tag = "incidents",
    params(("reference" = String, Path, description = "Reference (`4821`) or id (`inc_…`)")),
    responses((status = 200, body = IncidentView), (status = "4XX", body = Problem)))]
async fn show(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Viewer>,
    Name(name): Name,
    _: Params<Nothing>,
) -> Result<Json<IncidentView>, Problem> {
    let config = app.config.load_full();
    let mut tx = app.db.read().await?;
    let incident = find(&mut tx, &name).await?;
    let events = incident::store::events(&mut tx, &incident.id, 0).await?;
    let timeline = Some(view::timeline(&events, &incident, &config));
    let mails = mail::store::of_incident(&mut tx, &incident.id, MAILS).await?;
    let mails = Some(mails.into_iter().map(|mail| view::mail(mail, &caller)).collect());
    Ok(Json(IncidentView { timeline, mails, ..view::incident(&incident, &config, &caller) }))
}

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CursorParams {
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// 1 to 200; 50 unless given.
    pub limit: Option<i64>,
}

/// The events of an incident as they were recorded, oldest first.
#[utoipa::path(get, path = "/incidents/{reference}/events", tag = "incidents",
    params(("reference" = String, Path, description = "Reference or id"), CursorParams),
    responses((status = 200, body = Page<Object>), (status = "4XX", body = Problem)))]
async fn events(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Viewer>,
    Name(name): Name,
    Params(params): Params<CursorParams>,
) -> Result<Json<Page<serde_json::Value>>, Problem> {
    let (cursor, limit) = window(params.cursor, params.limit, "")?;
    let after = match cursor {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| Problem::bad_request("This cursor is not one of ours."))?,
    };
    let mut tx = app.db.read().await?;
    let incident = find(&mut tx, &name).await?;
    let events = incident::store::events(&mut tx, &incident.id, after).await?;
    let most = usize::try_from(limit).unwrap_or_default() + 1;
    let items = events.iter().take(most).map(|event| view::event(event, &caller)).collect();
    Ok(Json(page(items, limit, |event: &serde_json::Value| event["seq"].to_string())))
}

/// One request to one carrier.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptView {
    pub id: String,
    /// The page's number within the incident; none for a notice or a text to the customer.
    pub page: Option<u32>,
    pub purpose: crate::paging::Purpose,
    pub person: Option<Named>,
    pub channel: String,
    /// In full for an admin, else its last two digits.
    pub address: String,
    pub stage: crate::paging::Stage,
    pub outcome: Option<crate::paging::Outcome>,
    pub carrier: Option<String>,
    /// The carrier's id of it.
    pub sid: Option<String>,
    /// The carrier's last word.
    pub status: Option<String>,
    pub error_code: Option<String>,
    /// What was in its way, why it waits, or why it ended as it did.
    pub reason: Option<String>,
    pub tries: i64,
    /// What a text said; for an admin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    pub created_at: chrono::DateTime<chrono::Utc>,
    pub sent_at: Option<chrono::DateTime<chrono::Utc>>,
    pub answered_at: Option<chrono::DateTime<chrono::Utc>>,
    pub ended_at: Option<chrono::DateTime<chrono::Utc>>,
    pub expires_at: chrono::DateTime<chrono::Utc>,
}

fn attempt(row: AttemptRow, config: &Config, admin: bool) -> AttemptView {
    AttemptView {
        page: row.page_id.and_then(|id| PageId::from(id).parts()).map(|(_, number)| number),
        person: row.person.map(|key| view::person(&PersonKey::from(key), config)),
        address: if admin { row.address } else { view::masked(&row.address) },
        text: row.body.filter(|_| admin),
        id: row.id,
        purpose: row.purpose,
        channel: row.channel,
        stage: row.stage,
        outcome: row.outcome,
        carrier: row.carrier,
        sid: row.sid,
        status: row.status,
        error_code: row.error_code,
        reason: row.reason,
        tries: row.tries,
        created_at: row.created_at,
        sent_at: row.sent_at,
        answered_at: row.answered_at,
        ended_at: row.ended_at,
        expires_at: row.expires_at,
    }
}

/// Every request to a carrier for this incident, oldest first.
#[utoipa::path(get, path = "/incidents/{reference}/pages", tag = "incidents",
    params(("reference" = String, Path, description = "Reference or id"), CursorParams),
    responses((status = 200, body = Page<AttemptView>), (status = "4XX", body = Problem)))]
async fn pages(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Viewer>,
    Name(name): Name,
    Params(params): Params<CursorParams>,
) -> Result<Json<Page<AttemptView>>, Problem> {
    let (cursor, limit) = window(params.cursor, params.limit, "att_")?;
    let config = app.config.load_full();
    let mut tx = app.db.read().await?;
    let incident = find(&mut tx, &name).await?;
    let rows = store::attempts(&mut tx, &incident.id, cursor.as_deref(), limit + 1).await?;
    let admin = caller.role == Role::Admin;
    let views = rows.into_iter().map(|row| attempt(row, &config, admin)).collect();
    Ok(Json(page(views, limit, |view: &AttemptView| view.id.clone())))
}
