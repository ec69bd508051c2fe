//! `schedules/*.toml`: what people edit. Loaded, checked as a whole, and kept as a numbered revision.

mod build;
pub mod check;
pub mod describe;
pub(crate) mod document;
pub mod example;
pub mod finding;
pub mod load;
pub mod reveal;
pub(crate) mod secret;
pub mod store;

use std::{collections::BTreeMap, sync::Arc};

pub use check::{check, run_check};
pub use describe::describe;
pub use example::{example_files, write_example};
pub use finding::{Finding, Severity};
pub use load::{Loaded, load};
pub use store::{adopt, adopt_at_boot, newest_revision, restore};

use crate::{
    customer::{Customer, Hotline},
    escalation::Policy,
    id::{
        CalendarKey, CarrierKey, CustomerKey, HolidaySetKey, HotlineKey, IntegrationKey, PersonKey, PlanKey, PolicyKey,
        ScheduleKey, TeamKey,
    },
    intake::Integration,
    oncall::Schedule,
    paging::throttle::Limits,
    people::{E164, MailAddress, Person},
    sla::{Calendar, HolidaySet, Plan, Priority, Zone},
};

/// All of `schedules/`, checked: every key that is named exists.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// 0 until it is kept in the database.
    pub revision: i64,
    pub people: BTreeMap<PersonKey, Person>,
    pub teams: BTreeMap<TeamKey, Team>,
    pub schedules: BTreeMap<ScheduleKey, Schedule>,
    pub policies: BTreeMap<PolicyKey, Policy>,
    /// `always` is among them, written or not.
    pub calendars: BTreeMap<CalendarKey, Arc<Calendar>>,
    pub holidays: BTreeMap<HolidaySetKey, Arc<HolidaySet>>,
    pub plans: BTreeMap<PlanKey, Plan>,
    pub customers: BTreeMap<CustomerKey, Customer>,
    pub hotlines: BTreeMap<HotlineKey, Hotline>,
    pub integrations: BTreeMap<IntegrationKey, Integration>,
    pub carriers: CarrierOrder,
}

/// A team, and those who answer for it.
#[derive(Clone, Debug)]
pub struct Team {
    pub key: TeamKey,
    pub name: String,
    pub zone: Zone,
    /// Who `on-call` means for this team.
    pub schedule: ScheduleKey,
    pub lead: Option<PersonKey>,
    pub manager: Option<PersonKey>,
    pub executive: Option<PersonKey>,
    /// Paged when everybody else was; never empty once loaded.
    pub last_resort: Vec<PersonKey>,
    /// By priority; a priority without one takes that of P1.
    pub policies: BTreeMap<Priority, PolicyKey>,
    /// Where the team reads mail.
    pub mail: Vec<MailAddress>,
}

/// Which carrier is asked first, and how often one number may be rung.
#[derive(Clone, Debug, Default)]
pub struct CarrierOrder {
    /// Empty: all that can, in the order of their names.
    pub sms: Vec<CarrierKey>,
    /// Empty: all that can, in the order of their names.
    pub voice: Vec<CarrierKey>,
    /// Empty: all that can, in the order of their names.
    pub mail: Vec<CarrierKey>,
    pub limits: Limits,
}

impl Config {
    /// The policy of a team for a priority.
    pub fn policy(&self, team: &TeamKey, priority: Priority) -> Option<&Policy> {
        let policies = &self.teams.get(team)?.policies;
        self.policies.get(policies.get(&priority).or_else(|| policies.get(&Priority::P1))?)
    }

    /// The customer who calls from this number.
    pub fn customer_at(&self, number: &E164) -> Option<&Customer> {
        self.customers.values().find(|customer| customer.phones.contains(number))
    }

    /// Whether anybody here is to get mail.
    pub fn wants_mail(&self) -> bool {
        self.teams.values().any(|team| !team.mail.is_empty())
            || self.customers.values().any(|customer| !customer.mail.is_empty() || !customer.subscribers.is_empty())
            || self.people.values().any(|person| person.mail.is_some())
    }

    /// The hotline at this number.
    pub fn hotline_at(&self, number: &E164) -> Option<&Hotline> {
        self.hotlines.values().find(|hotline| hotline.number == *number)
    }

    /// Everybody who can be reached at this number.
    pub fn people_at<'a>(&'a self, number: &'a E164) -> impl Iterator<Item = &'a Person> {
        self.people.values().filter(move |person| person.contact.iter().any(|method| method.address == *number))
    }
}
