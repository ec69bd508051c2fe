//! By which number and which carrier an attempt goes, and whether it has to wait. Pure.

use super::{Attempt, Outcome, Stage};
use crate::{
    clock::Time,
    id::CarrierKey,
    people::{Channel, E164, Person},
    sla::Priority,
};

/// How an attempt goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// As planned.
    Planned,
    /// By the same channel to another number of the person, because the planned one was tried too often.
    Instead(E164),
    /// Not before this; a text goes to this number at once, if one is given.
    Wait { until: Time, text: Option<E164> },
}

/// How an attempt goes, when its number is free again at `free`. A P1 takes another number at once rather than wait;
/// if there is none, a text goes at once and the call follows. A P1's own text is never held back: it is the last way
/// there is, and one trouble makes one. `others` are the person's other lines with the instants
/// at which they are free; `texted` whether a text of the page went out or is about to.
pub fn way(attempt: &Attempt, free: Time, others: &[(Channel, E164, Time)], texted: bool, now: Time) -> Way {
    let grave = attempt.priority == Priority::P1 && attempt.is_page();
    if free <= now || (grave && attempt.channel == Channel::Sms) {
        return Way::Planned;
    }
    if !grave {
        return Way::Wait { until: free, text: None };
    }
    let line = |wanted: Channel| {
        others
            .iter()
            .find(|(channel, _, free)| *channel == wanted && *free <= now)
            .map(|(_, address, _)| address.clone())
    };
    if let Some(address) = line(attempt.channel) {
        return Way::Instead(address);
    }
    let text = if attempt.channel == Channel::Voice && !texted { line(Channel::Sms) } else { None };
    Way::Wait { until: free, text }
}

/// Whether a text of this page went out, or is about to.
pub fn texted(page: &[Attempt], now: Time) -> bool {
    page.iter().any(|other| {
        let failed = matches!(other.outcome, Some(Outcome::Unreachable | Outcome::Expired));
        // One that waits with a reason was due already: its carrier or its number is not ready, and another text
        // would only stand in line behind it.
        let due = other.stage != Stage::Waiting || other.wake_at <= Some(now) || other.reason.is_some();
        other.channel == Channel::Sms && !failed && due
    })
}

/// How many requests to carriers run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hands {
    pub all: usize,
    /// How many of them only a P1 may use.
    pub for_p1: usize,
}

impl Hands {
    /// How many are free for a P1, and for anything less, when `busy` are not, `least` of them with less than a P1.
    pub fn free(self, busy: usize, least: usize) -> (usize, usize) {
        let grave = self.all.saturating_sub(busy);
        (grave, grave.min((self.all - self.for_p1).saturating_sub(least)))
    }
}

/// Every other line of a person: the channels and numbers that an attempt could take instead. None that was found dead
/// for this page, whose attempts are `page`: a text to a number that refuses texts would fail at once, hasten the call
/// that waits for its number, and so begin all over.
pub fn other_lines(attempt: &Attempt, person: &Person, page: &[Attempt]) -> Vec<(Channel, E164)> {
    let dead = |channel: Channel, address: &E164| {
        let same = |other: &&Attempt| other.channel == channel && other.address == *address;
        page.iter().filter(same).any(|other| other.outcome == Some(Outcome::Unreachable))
    };
    let lines =
        person.contact.iter().flat_map(|method| method.channels.iter().map(move |c| (*c, method.address.clone())));
    lines
        .filter(|(channel, address)| (*channel, address) != (attempt.channel, &attempt.address))
        .filter(|(channel, address)| !dead(*channel, address))
        .take(16)
        .collect()
}

/// Which carriers to ask, in turn. `order` is the configured one (empty: all, as they come); those whose breaker is
/// open go last, and so does the one that lost an answer of ours just now.
pub fn carriers(
    order: &[CarrierKey],
    able: &[CarrierKey],
    healthy: impl Fn(&CarrierKey) -> bool,
    last: Option<&CarrierKey>,
) -> Vec<CarrierKey> {
    let mut chosen: Vec<CarrierKey> = match order {
        [] => able.to_vec(),
        order => order.iter().filter(|key| able.contains(key)).cloned().collect(),
    };
    chosen.sort_by_key(|key| (!healthy(key), last == Some(key)));
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        paging::attempt::tests::{at, attempt},
        people::ContactMethod,
        sla::Zone,
    };

    fn number(text: &str) -> E164 {
        E164::parse(text).unwrap()
    }

    #[test]
    fn a_p1_takes_another_number_or_a_text_rather_than_wait() {
        let call = attempt("a", Channel::Voice, 1);
        let (home, mobile) = (number("+12015550100"), number("+12015550123"));
        let wait = |text| Way::Wait { until: at(60), text };
        let text = (Channel::Sms, mobile.clone(), at(0));
        let busy = (Channel::Voice, home.clone(), at(90));
        let free = (Channel::Voice, home.clone(), at(0));
        for (others, texted, expected) in [
            (vec![text.clone(), free], false, Way::Instead(home)),
            (vec![text.clone(), busy.clone()], false, wait(Some(mobile))),
            (vec![text, busy], true, wait(None)),
            (vec![], false, wait(None)),
        ] {
            assert_eq!(way(&call, at(60), &others, texted, at(0)), expected);
        }
        assert_eq!(way(&call, at(0), &[], false, at(0)), Way::Planned);
    }

    #[test]
    fn the_text_of_a_p1_is_never_held_back() {
        assert_eq!(way(&attempt("a", Channel::Sms, 1), at(60), &[], false, at(0)), Way::Planned);
    }

    #[test]
    fn anything_less_than_a_p1_waits_for_its_number() {
        let call = Attempt { priority: Priority::P2, ..attempt("a", Channel::Voice, 1) };
        let others = [(Channel::Voice, number("+12015550100"), at(0))];
        assert_eq!(way(&call, at(60), &others, false, at(0)), Way::Wait { until: at(60), text: None });
    }

    #[test]
    fn a_line_that_was_found_dead_for_this_page_is_not_taken_instead() {
        let mobile = number("+12015550123");
        let contact = ContactMethod {
            name: "mobile".into(),
            address: mobile.clone(),
            channels: vec![Channel::Sms, Channel::Voice],
        };
        let person = Person {
            role: crate::access::Role::Responder,
            key: "ben".into(),
            name: "Ben".into(),
            zone: Zone::utc(),
            language: "en-US".into(),
            contact: vec![contact],
            rules: Default::default(),
            mail: None,
        };
        let call = attempt("call", Channel::Voice, 0);
        let text = Attempt { outcome: Some(Outcome::Unreachable), stage: Stage::Over, ..attempt("a", Channel::Sms, 0) };
        assert_eq!(other_lines(&call, &person, std::slice::from_ref(&call)), [(Channel::Sms, mobile)]);
        assert_eq!(other_lines(&call, &person, &[call.clone(), text]), []);
    }

    #[test]
    fn some_hands_are_kept_for_a_p1() {
        let hands = Hands { all: 4, for_p1: 1 };
        for (busy, least, free) in [(0, 0, (4, 3)), (3, 3, (1, 0)), (3, 0, (1, 1)), (4, 3, (0, 0))] {
            assert_eq!(hands.free(busy, least), free, "{busy}, {least}");
        }
    }

    #[test]
    fn carriers_are_asked_in_the_configured_order_the_sick_ones_last() {
        let keys = |names: &[&str]| names.iter().map(|name| CarrierKey::from(*name)).collect::<Vec<_>>();
        let able = keys(&["a", "b", "c"]);
        assert_eq!(carriers(&[], &able, |_| true, None), able);
        assert_eq!(carriers(&keys(&["c", "x", "a"]), &able, |_| true, None), keys(&["c", "a"]));
        assert_eq!(carriers(&[], &able, |key| key.as_str() != "a", None), keys(&["b", "c", "a"]));
        assert_eq!(carriers(&[], &able, |_| true, Some(&"a".into())), keys(&["b", "c", "a"]));
    }
}
