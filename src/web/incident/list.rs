//! `/incidents`: all of them, newest first.

use askama::Template;
use axum::extract::{Query, State};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{
    access::{Role, session::Visitor},
    api::{page::window, view},
    id::{CustomerKey, IncidentId, TeamKey},
    incident::{self, Phase, store::Filter},
    server::App,
    sla::Priority,
    web::{Frame, Page, Place, Trouble},
};

/// How many stand on a page.
const LIMIT: i64 = 50;

/// The page.
#[derive(Template)]
#[template(path = "web/incident/list.html")]
pub(in crate::web) struct Listed {
    frame: Frame,
    lines: Vec<Line>,
    wanted: Wanted,
    customers: Vec<(String, String)>,
    teams: Vec<(String, String)>,
    /// The link to older ones.
    older: Option<String>,
}

struct Line {
    reference: String,
    /// References are used again; ids are not.
    id: String,
    priority: Priority,
    customer: String,
    title: String,
    state: &'static str,
    style: &'static str,
    holder: Option<String>,
    opened_at: DateTime<Utc>,
}

/// Which ones. Empty means any.
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::web) struct Wanted {
    #[serde(default)]
    open: String,
    #[serde(default)]
    priority: String,
    #[serde(default)]
    customer: String,
    #[serde(default)]
    team: String,
    cursor: Option<String>,
}

pub(in crate::web) async fn list(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    visitor: Visitor,
) -> Result<Page<Listed>, Trouble> {
    visitor.require(Role::Viewer)?;
    let (cursor, limit) = window(wanted.cursor.clone(), Some(LIMIT), "inc_")?;
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let filter = Filter {
        open_only: wanted.open == "true",
        priority: wanted.priority.parse().ok(),
        customer: some(&wanted.customer).map(CustomerKey::from),
        team: some(&wanted.team).map(TeamKey::from),
        before: cursor.map(IncidentId::from),
        limit: limit + 1,
    };
    let config = app.config.load_full();
    let mut found = incident::store::list(&mut app.db.read().await?, &filter).await?;
    let more = found.len() as i64 > limit;
    found.truncate(LIMIT as usize);
    let older = found.last().filter(|_| more).map(|last| wanted.link(last.id.as_str()));
    let lines = found.into_iter().map(|incident| {
        let (state, style) = match incident.phase {
            Phase::Open if incident.ruled_out.is_some() => ("ruled out", ""),
            Phase::Open if incident.waiting.is_some() => ("waits for the customer", ""),
            Phase::Open if incident.holder.is_none() && incident.begins_at.is_none() => ("open, nobody has it", "late"),
            Phase::Open => ("open", "soon"),
            Phase::Resolved => ("resolved", "good"),
            Phase::Idle => ("closed, no answer", ""),
            Phase::Cancelled => ("cancelled", ""),
        };
        Line {
            reference: incident.reference,
            id: incident.id.to_string(),
            priority: incident.priority,
            customer: incident.customer_name,
            title: incident.title,
            state,
            style,
            holder: incident.holder.map(|holder| view::actor(&holder.who, &config).name),
            opened_at: incident.opened_at,
        }
    });
    let lines = lines.collect();
    let customers = config.customers.values().map(|customer| (customer.key.to_string(), customer.name.clone()));
    let teams = config.teams.values().map(|team| (team.key.to_string(), team.name.clone()));
    let (customers, teams) = (customers.collect(), teams.collect());
    Ok(Page(Listed { frame: Frame::new(&app, &visitor, Place::Incidents), lines, wanted, customers, teams, older }))
}

impl Wanted {
    fn link(&self, cursor: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields =
            [("open", &self.open), ("priority", &self.priority), ("customer", &self.customer), ("team", &self.team)];
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("/incidents?{}", query.append_pair("cursor", cursor).finish())
    }
}
