//! Can a plan be kept as it is written? Promises that contradict each other, or that nobody could hold to.

mod promises;
mod terms;

use super::reach::people_on;
use crate::{
    clock::Time,
    config::{
        Config,
        finding::Severity::{self, Error, Warning},
        load::Loaded,
    },
    customer::Customer,
    id::TeamKey,
    sla::{Plan, Priority, Promise},
};

/// A finding: the keys it is about below the plan, the most telling first, and what is wrong.
type Said = (Vec<String>, Severity, String);

/// A plan as a customer or a file has it, and where its layers are written: the uppermost first.
struct Subject<'a> {
    plan: &'a Plan,
    layers: Vec<Place>,
    /// Not a customer's.
    own: bool,
}

/// Where a layer's keys stand.
enum Place {
    /// A file or a tier.
    Plan(String),
    /// A customer's agreement and terms.
    Customer(String),
}

impl Place {
    fn path(&self, rest: &str) -> String {
        match self {
            Place::Plan(place) => format!("{place}.{rest}"),
            Place::Customer(place) => match rest.strip_prefix("priorities") {
                Some(below) => format!("{place}.terms{below}"),
                None => format!("{place}.agreement.{rest}"),
            },
        }
    }

    fn top(&self) -> &str {
        let (Place::Plan(place) | Place::Customer(place)) = self;
        place
    }
}

/// Notes what is wrong with plans, and with the plans of customers who have terms of their own.
pub fn check(loaded: &mut Loaded, now: Time) {
    let mut notes: Vec<(String, Severity, String)> = Vec::new();
    for subject in subjects(&loaded.config) {
        if subject.layers.iter().any(|layer| loaded.failed(layer.top())) {
            continue;
        }
        let mut said = promises::check(subject.plan);
        said.extend(terms::check(subject.plan, now));
        if subject.own {
            said.extend(unanswered(subject.plan));
        }
        for (rests, severity, message) in said {
            notes.push((placed(loaded, &subject, &rests), severity, message));
        }
    }
    notes.extend(idle_tiers(&loaded.config));
    notes.extend(closed_for_ever(loaded, now));
    notes.extend(nobody_above(loaded));
    // What stands in a plan is wrong in each of its tiers, and for each customer.
    let mut told: Vec<(String, Severity, String)> = Vec::new();
    for note in notes {
        if !told.contains(&note) {
            told.push(note);
        }
    }
    for (key, severity, message) in told {
        loaded.note(&key, severity, message);
    }
}

fn subjects(config: &Config) -> Vec<Subject<'_>> {
    let of_plan = |key: &str| match key.split_once(':') {
        Some((file, tier)) => {
            vec![Place::Plan(format!("plans.{file}.tiers.{tier}")), Place::Plan(format!("plans.{file}"))]
        }
        None => vec![Place::Plan(format!("plans.{key}"))],
    };
    let plans = config.plans.values().map(|plan| Subject { plan, layers: of_plan(plan.key.as_str()), own: true });
    let agreed = |customer: &&Customer| config.plans.get(&customer.plan.key).is_some_and(|plan| *plan != customer.plan);
    let customers = config.customers.values().filter(agreed).map(|customer| {
        let mut layers = vec![Place::Customer(format!("customers.{}", customer.key))];
        layers.extend(of_plan(customer.plan.key.as_str()));
        Subject { plan: &customer.plan, layers, own: false }
    });
    plans.chain(customers).collect()
}

/// The uppermost layer in which one of the keys is written.
fn placed(loaded: &Loaded, subject: &Subject<'_>, rests: &[String]) -> String {
    let paths = subject.layers.iter().flat_map(|layer| rests.iter().map(|rest| layer.path(rest)));
    let top = || subject.layers.first().map_or(String::new(), |layer| layer.top().to_owned());
    paths.into_iter().find(|path| loaded.is_written(path)).unwrap_or_else(top)
}

/// Somebody is woken for these, so somebody should be held to an answer.
fn unanswered(plan: &Plan) -> Vec<Said> {
    let held = |promise: &Promise| promise.response.is_some();
    [Priority::P1, Priority::P2]
        .into_iter()
        .filter(|priority| !plan.priorities.get(priority).is_some_and(held))
        .map(|priority| {
            let message = format!("promises no first response for {priority}, so nobody is held to one");
            (Vec::new(), Warning, message)
        })
        .collect()
}

/// Tiers that promise what another tier of the same file promises.
fn idle_tiers(config: &Config) -> Vec<(String, Severity, String)> {
    let mut notes = Vec::new();
    let tiers: Vec<(&str, &str, &Plan)> = config
        .plans
        .values()
        .filter_map(|plan| plan.key.as_str().split_once(':').map(|(file, tier)| (file, tier, plan)))
        .collect();
    for (i, (file, tier, plan)) in tiers.iter().enumerate() {
        let alike = |other: &Plan| Plan { key: plan.key.clone(), title: plan.title.clone(), ..other.clone() } == **plan;
        if let Some((_, other, _)) = tiers[..i].iter().find(|(of, _, other)| of == file && alike(other)) {
            let message = format!("promises exactly what tier `{other}` does; take one out, or say what differs");
            notes.push((format!("plans.{file}.tiers.{tier}"), Warning, message));
        }
    }
    notes
}

/// Calendars that promises are counted in, and that never open again.
fn closed_for_ever(loaded: &Loaded, now: Time) -> Vec<(String, Severity, String)> {
    let config = &loaded.config;
    let plans = config.plans.values().chain(config.customers.values().map(|customer| &customer.plan));
    let never = |calendar: &str| {
        let message = "never opens, so nothing that is counted in it would ever be due; give it hours".to_owned();
        (format!("calendars.{calendar}"), Error, message)
    };
    plans
        .flat_map(|plan| plan.calendars.iter().filter_map(|calendar| plan.calendars.get(&calendar.key)))
        .filter(|calendar| calendar.next_open(now).is_err())
        .map(|calendar| calendar.calendar().key.to_string())
        .filter(|key| !loaded.failed(&format!("calendars.{key}")))
        .map(|key| never(&key))
        .collect()
}

/// Levels the customer may ask for, on which the team has nobody.
fn nobody_above(loaded: &Loaded) -> Vec<(String, Severity, String)> {
    let config = &loaded.config;
    let customers = config.customers.values().map(|it| (format!("customers.{}", it.key), &it.team, Some(&it.plan)));
    let hotlines =
        config.hotlines.values().map(|it| (format!("hotlines.{}", it.key), &it.team, config.plans.get(&it.plan)));
    let mut notes = Vec::new();
    for (place, team, plan) in customers.chain(hotlines) {
        let (Some(plan), Some(team)) = (plan, config.teams.get::<TeamKey>(team)) else { continue };
        if loaded.failed(&place) || loaded.failed(&format!("teams.{}", team.key)) {
            continue;
        }
        for higher in plan.escalation.iter().flatten() {
            if people_on(config, team, std::slice::from_ref(&higher.target)).is_empty() {
                let message = format!(
                    "plan `{}` lets the customer ask for `{}`, but team `{}` has nobody there; name them in teams.toml",
                    plan.key, higher.name, team.key
                );
                notes.push((format!("{place}.team"), Warning, message));
            }
        }
    }
    notes
}
