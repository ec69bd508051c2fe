//! From a person's notification rules to the steps of one page. Pure.

use crate::{
    incident::effect::Step,
    people::{Channel, Person},
    sla::Priority,
};

/// The ways to reach this person for this priority, in order of time. A person whose rules lead nowhere is reached by
/// every method they have, at once.
pub fn steps(person: &Person, priority: Priority) -> Vec<Step> {
    let mut steps: Vec<Step> = person
        .rules_for(priority)
        .iter()
        .filter_map(|rule| {
            let method = person.method(&rule.method).filter(|method| method.channels.contains(&rule.channel))?;
            Some(Step {
                channel: rule.channel,
                address: method.address.clone(),
                after_seconds: rule.after.delta().num_seconds(),
            })
        })
        .collect();
    if steps.is_empty() {
        steps = at_once(person);
    }
    steps.sort_by_key(|step| step.after_seconds);
    steps
}

/// Every way there is, at once: for somebody who waits on the line.
pub fn at_once(person: &Person) -> Vec<Step> {
    person
        .contact
        .iter()
        .flat_map(|method| method.channels.iter().map(move |channel| (*channel, method)))
        .map(|(channel, method): (Channel, _)| Step { channel, address: method.address.clone(), after_seconds: 0 })
        .collect()
}
