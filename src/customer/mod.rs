//! Whom we serve: customers and the hotlines they dial.

pub mod pin;

use crate::{
    id::{CustomerKey, HotlineKey, PlanKey, TeamKey},
    people::{E164, MailAddress},
    sla::{Plan, Zone},
};

/// A customer with a support plan.
#[derive(Clone)]
pub struct Customer {
    pub key: CustomerKey,
    pub name: String,
    pub zone: Zone,
    /// Numbers they call from. A caller ID can be forged: it identifies, it does not authenticate.
    pub phones: Vec<E164>,
    /// argon2id, in PHC form (`ringdown pin` makes one).
    pub pin_hash: Option<String>,
    pub team: TeamKey,
    /// The plan as it holds for this customer: the named plan with the customer's own terms laid over it.
    pub plan: Plan,
    /// Where they read mail about their incidents, when the contact gave no address.
    pub mail: Vec<MailAddress>,
    /// Who is told of updates and of trouble upstream.
    pub subscribers: Vec<MailAddress>,
    /// Whose word counts where the configuration is to be changed.
    pub administrators: Vec<MailAddress>,
}

/// Without the PIN's hash: four digits are soon guessed from it.
impl std::fmt::Debug for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Customer { key, name, zone, phones, pin_hash, team, plan, mail, subscribers, administrators } = self;
        f.debug_struct("Customer")
            .field("key", key)
            .field("name", name)
            .field("zone", zone)
            .field("phones", phones)
            .field("pin", &pin_hash.is_some())
            .field("team", team)
            .field("plan", plan)
            .field("mail", mail)
            .field("subscribers", subscribers)
            .field("administrators", administrators)
            .finish()
    }
}

/// A number customers dial.
#[derive(Clone, Debug)]
pub struct Hotline {
    pub key: HotlineKey,
    pub number: E164,
    /// What the caller hears first.
    pub greeting: String,
    /// BCP 47.
    pub language: String,
    /// Who answers for a caller we do not know.
    pub team: TeamKey,
    /// What a caller we do not know is promised.
    pub plan: PlanKey,
    /// Where such a caller's clock times are spoken.
    pub zone: Zone,
}
