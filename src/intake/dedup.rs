//! The same trouble again: what a signal means for the incident its key already has. Pure.

use super::{
    Integration,
    signal::Signal,
    signal::{DETAIL_CHARS, TITLE_CHARS},
};
use crate::{
    config::Config,
    customer::Customer,
    id::TeamKey,
    incident::command::{Report, Source},
    intake::json::{block, line},
    sla::{Plan, Priority, Zone},
};

/// How grave a signal is by the integration's own table; the gravest of several words counts.
pub fn priority(signal: &Signal, integration: &Integration) -> Priority {
    let of = |word: &String| integration.priorities.get(word.as_str()).copied().unwrap_or(integration.otherwise);
    signal.priority.or_else(|| signal.severities.iter().map(of).min()).unwrap_or(integration.otherwise)
}

/// Whether a repeated signal raises its incident: only when the sender says it is graver than the sender ever said.
/// A sender that repeats itself must not undo a priority that a person has lowered.
pub fn raises(now: Priority, ever_reported: Option<Priority>, incident: Priority) -> bool {
    now < incident && ever_reported.is_none_or(|before| now < before)
}

/// What opens an incident for a signal.
pub fn report(signal: &Signal, integration: &Integration, config: &Config, reference: String) -> Report {
    let mut notes = String::new();
    let named = signal
        .customer
        .as_deref()
        .filter(|named| integration.customer.as_ref().is_none_or(|own| own.as_str() != *named));
    let customer: Option<&Customer> = match (&integration.customer, named) {
        (Some(own), named) => {
            if let Some(named) = named {
                notes.push_str(&format!("The sender names the customer `{named}`, for whom it may not speak.\n"));
            }
            config.customers.get(own)
        }
        (None, Some(named)) => {
            let customer = config.customers.get(named);
            if customer.is_none() {
                // Not a reason to wake nobody.
                notes.push_str(&format!("The sender names the customer `{named}`, whom we do not know.\n"));
            }
            customer
        }
        (None, None) => None,
    };
    let team: TeamKey = match (&integration.customer, customer) {
        // One integration for many customers: each has a team of their own.
        (None, Some(customer)) => customer.team.clone(),
        _ => integration.team.clone(),
    };
    let zone = match customer {
        Some(customer) => customer.zone.clone(),
        None => config.teams.get(&team).map_or_else(Zone::utc, |team| team.zone.clone()),
    };
    let plan = match customer {
        Some(customer) => customer.plan.clone(),
        None => config
            .plans
            .get(&integration.plan)
            .cloned()
            .unwrap_or_else(|| Plan::empty(integration.plan.clone(), integration.plan.as_str())),
    };
    let title = line(&signal.title, TITLE_CHARS);
    Report {
        reference,
        source: Source::Integration { integration: integration.key.clone() },
        priority: priority(signal, integration),
        customer: customer.map(|customer| customer.key.clone()),
        customer_name: customer.map_or_else(|| integration.name.clone(), |customer| customer.name.clone()),
        zone,
        team,
        plan,
        title: if title.is_empty() { format!("{} reports trouble", integration.name) } else { title },
        detail: block(&format!("{notes}{}", signal.detail), DETAIL_CHARS),
        contact: signal.contact.clone(),
        not_before: None,
    }
}

#[cfg(test)]
mod tests {
    use Priority::{P1, P2, P3, P4};
    use rstest::rstest;

    use super::*;
    use crate::{
        config::Team,
        intake::{SenderKind, examine::tests::integration, signal::Kind},
    };

    fn trigger() -> Signal {
        Signal { title: "Disk full".into(), ..Signal::bare(Kind::Trigger, Some("a".into())) }
    }

    fn gen_integration() -> Integration {
        integration("gen", SenderKind::Generic, "secret")
    }

    fn plan(key: &str) -> Plan {
        Plan::empty(key.into(), key)
    }

    fn config() -> Config {
        let customer = Customer {
            key: "acme".into(),
            name: "Acme GmbH".into(),
            zone: "Europe/Berlin".parse().unwrap(),
            phones: vec![],
            pin_hash: None,
            team: "emea".into(),
            plan: plan("platinum"),
            mail: Vec::new(),
            subscribers: Vec::new(),
            administrators: Vec::new(),
        };
        let team = Team {
            key: "sre".into(),
            name: "SRE".into(),
            zone: "Asia/Tokyo".parse().unwrap(),
            schedule: "sre".into(),
            lead: None,
            manager: None,
            executive: None,
            last_resort: vec![],
            policies: Default::default(),
            mail: Vec::new(),
        };
        Config {
            customers: [(customer.key.clone(), customer)].into(),
            teams: [(team.key.clone(), team)].into(),
            plans: [("gold".into(), plan("gold"))].into(),
            ..Config::default()
        }
    }

    #[rstest]
    #[case(&["critical"], None, P1)]
    #[case(&["warning"], None, P3)]
    #[case(&["warning", "critical"], None, P1)]
    #[case(&["warning", "word nobody knows"], None, P2)]
    #[case(&[], None, P2)]
    #[case(&["critical"], Some(P4), P4)]
    fn the_gravest_word_counts_and_our_own_goes_first(
        #[case] words: &[&str],
        #[case] own: Option<Priority>,
        #[case] expected: Priority,
    ) {
        let severities = words.iter().map(|word| word.to_string()).collect();
        assert_eq!(priority(&Signal { severities, priority: own, ..trigger() }, &gen_integration()), expected);
    }

    #[rstest]
    #[case::it_got_worse(P1, Some(P3), P3, true)]
    #[case::the_same_again(P3, Some(P3), P3, false)]
    #[case::a_person_lowered_it(P1, Some(P1), P3, false)]
    #[case::a_person_raised_it(P2, Some(P3), P1, false)]
    #[case::it_got_better(P3, Some(P1), P1, false)]
    fn only_a_graver_word_than_ever_raises_an_incident(
        #[case] now: Priority,
        #[case] ever: Option<Priority>,
        #[case] incident: Priority,
        #[case] raised: bool,
    ) {
        assert_eq!(raises(now, ever, incident), raised);
    }

    #[test]
    fn without_a_customer_the_integrations_plan_and_the_teams_zone_hold() {
        let report = report(&trigger(), &gen_integration(), &config(), "4821".into());
        assert_eq!((report.plan.key.as_str(), report.zone.name()), ("gold", "Asia/Tokyo"));
        assert_eq!((report.customer, report.customer_name.as_str()), (None, "gen monitoring"));
        assert_eq!(report.team.as_str(), "sre");
    }

    #[test]
    fn an_integrations_own_customer_cannot_be_changed_by_its_payloads() {
        let own = Integration { customer: Some("acme".into()), ..gen_integration() };
        let signal = Signal { customer: Some("other".into()), detail: "98 %".into(), ..trigger() };
        let report = report(&signal, &own, &config(), "4821".into());
        assert_eq!((report.customer_name.as_str(), report.plan.key.as_str()), ("Acme GmbH", "platinum"));
        assert_eq!(report.team.as_str(), "sre");
        assert_eq!(report.detail, "The sender names the customer `other`, for whom it may not speak.\n98 %");
    }

    #[test]
    fn a_customer_named_by_the_payload_brings_plan_zone_and_team() {
        let signal = Signal { customer: Some("acme".into()), ..trigger() };
        let found = report(&signal, &gen_integration(), &config(), "4821".into());
        assert_eq!(
            (found.plan.key.as_str(), found.zone.name(), found.team.as_str()),
            ("platinum", "Europe/Berlin", "emea")
        );
        // One we do not know is no reason to wake nobody.
        let signal = Signal { customer: Some("gone".into()), ..trigger() };
        let unknown = report(&signal, &gen_integration(), &config(), "4821".into());
        assert_eq!((unknown.customer, unknown.team.as_str()), (None, "sre"));
        assert_eq!(unknown.detail, "The sender names the customer `gone`, whom we do not know.");
    }
}
