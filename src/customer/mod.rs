//! Whom we serve: customers and the hotlines they dial.

pub mod pin;

use crate::{
    id::{CustomerKey, HotlineKey, PlanKey, TeamKey},
    people::E164,
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
}

/// Without the PIN's hash: four digits are soon guessed from it.
impl std::fmt::Debug for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Customer { key, name, zone, phones, pin_hash, team, plan } = self;
        f.debug_struct("Customer")
            .field("key", key)
            .field("name", name)
            .field("zone", zone)
            .field("phones", phones)
            .field("pin", &pin_hash.is_some())
            .field("team", team)
            .field("plan", plan)
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
