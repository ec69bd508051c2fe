//! What pages say in writing: short, the reference and the reply code first, for somebody who was just woken. Pure.

use crate::{
    carrier::segment,
    clock::Time,
    config::Config,
    id::PersonKey,
    incident::{Actor, Incident, Phase, Refusal, decide, effect::Cause, words},
    sla::Zone,
};

/// The longest text a carrier takes, in characters.
const LONGEST: usize = 1600;

/// The longest title that is worth having in a text.
const TITLE: usize = 150;

/// The least of a title that is worth having; a page that needs it takes another segment.
const LEAST_TITLE: usize = 20;

/// The least of a title that stands beside a link: what it is about is worth more than a way to see it.
const LEAST_LINKED_TITLE: usize = 30;

/// `14:32`, where the reader is.
pub fn clock(at: Time, zone: &Zone) -> String {
    at.with_timezone(zone).format("%H:%M").to_string()
}

/// When something is due, where the reader is: a clock time, with the day when that is not the day on which the incident
/// was last touched. A promise in working time may be days away.
pub fn due_at(incident: &Incident, due: Time, zone: &Zone) -> String {
    let paged = incident.pages.values().map(|page| page.at).max();
    let acted = incident.holder.as_ref().map(|holder| holder.last_act);
    let touched = incident.opened_at.max(paged.unwrap_or_default()).max(acted.unwrap_or_default());
    words::clock_time(due, zone, touched)
}

/// At most `most` characters, on one line, with `...` where something was left out.
pub fn short(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    if line.chars().count() <= most {
        return line;
    }
    let kept: String = line.chars().take(most.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// A text that others composed, in plain characters and bounded.
pub fn bounded(text: &str) -> String {
    segment::plain(text).chars().take(LONGEST).collect()
}

/// When the promised conversation is due, if it is still owed.
pub fn response_due(incident: &Incident) -> Option<Time> {
    incident.response.due.filter(|_| incident.response.met.is_none())
}

/// When the window of updates that runs now ends, if its update is still owed.
pub fn update_due(incident: &Incident) -> Option<Time> {
    incident.window_due().filter(|_| !incident.updates.met)
}

/// When its promised end is due, if that is owed.
fn resolution_due(incident: &Incident) -> Option<Time> {
    incident.resolution.filter(|resolution| resolution.is_owed()).map(|resolution| resolution.due)
}

/// When the next analysis of its cause is due.
pub fn analysis_due(incident: &Incident) -> Option<Time> {
    let rca = incident.rca?;
    [rca.draft, rca.last]
        .into_iter()
        .flatten()
        .filter(|promised| promised.met.is_none())
        .map(|promised| promised.due)
        .min()
}

/// Why this page came, if that is not plain from the incident itself. Ends with a full stop, or is empty.
pub fn why(incident: &Incident, cause: Cause, zone: &Zone) -> String {
    let by = |due: Option<Time>| due.map_or_else(|| "now".into(), |due| format!("by {}", due_at(incident, due, zone)));
    let on = |due: Option<Time>| due.map_or_else(|| "now".into(), |due| words::dated(due, zone));
    let missed = incident.updates.past.last().map(|window| due_at(incident, window.due, zone));
    match cause {
        Cause::Opened => String::new(),
        Cause::NotAcknowledged => "Nobody took it yet.".into(),
        Cause::CallbackAtRisk => format!("Call the customer {}.", by(response_due(incident))),
        Cause::CallbackMissed => match incident.response.due {
            Some(due) => format!("The callback was due {}. Call now.", due_at(incident, due, zone)),
            None => "The callback is late. Call now.".into(),
        },
        Cause::UpdateDue => format!("Update the customer {}.", by(update_due(incident))),
        Cause::UpdateMissed => match missed {
            Some(due) => format!("The update due {due} was missed."),
            None => "An update was missed.".into(),
        },
        Cause::CustomerAsked => "The customer asks for somebody higher.".into(),
        Cause::Asked => "You are asked to help.".into(),
        Cause::Forgotten => "It was acknowledged, then silence.".into(),
        Cause::PassedOn => "Passed on to you.".into(),
        Cause::Reopened => "It is open again.".into(),
        Cause::PriorityRaised => format!("It is {} now.", incident.priority),
        Cause::Begins => "Work on it begins now.".into(),
        Cause::Reengaged => "It was ruled out, and the customer calls us back.".into(),
        Cause::ResolutionDue => format!("It must be over {}.", by(resolution_due(incident))),
        Cause::ResolutionMissed => "The promised end was missed.".into(),
        Cause::RcaDue => format!("The analysis of the cause is due {}.", on(analysis_due(incident))),
        Cause::RcaMissed => "The analysis of the cause is late.".into(),
    }
}

/// A page, in one segment wherever that leaves room to say what it is about. `link`, to the page where it is
/// acknowledged, stands at its end where that takes no segment more: the codes do without it.
pub fn page(incident: &Incident, cause: Cause, code: Option<&str>, link: Option<&str>, zone: &Zone) -> String {
    let name = short(&segment::plain(&incident.customer_name), 30);
    let title = segment::plain(&incident.title);
    let why = why(incident, cause, zone);
    let why = if why.is_empty() { why } else { format!(" {why}") };
    let all =
        code.map(|code| format!(" Reply {code} 4 to ack, {code} 9 to pass, {code} 6 resolve.")).unwrap_or_default();
    // What else can be done stands on the page that the link leads to.
    let one = code.map(|code| format!(" Reply {code} 4 to ack.")).unwrap_or_default();
    let with = |most: usize, tail: &str, link: &str| {
        let mut title = short(&title, most);
        if !title.ends_with(['.', '!', '?']) {
            title.push('.');
        }
        format!("{} {} {name}: {title}{why}{tail}{link}", incident.reference, incident.priority)
    };
    let fits = |segments: usize, least: usize, tail: &str, link: &str| {
        (least..=TITLE).rev().map(|most| with(most, tail, link)).find(|text| segment::segments(text).1 <= segments)
    };
    let linked = |segments: usize| {
        let link = format!(" {}", link?);
        let most = |tail: &str| fits(segments, LEAST_LINKED_TITLE, tail, &link);
        most(&all).or_else(|| most(&one))
    };
    let within = |segments: usize| linked(segments).or_else(|| fits(segments, LEAST_TITLE, &all, ""));
    within(1).or_else(|| within(2)).unwrap_or_else(|| with(LEAST_TITLE, &all, ""))
}

/// A text to the customer with the link to their page, where that takes no segment more and it has no other link.
pub fn with_link(text: &str, link: Option<&str>) -> String {
    let parts = |text: &str| segment::segments(text).1;
    let linked = link.filter(|_| !text.contains("://")).map(|link| format!("{text} See {link}"));
    linked
        .filter(|linked| parts(linked) <= parts(text) && linked.chars().count() <= LONGEST)
        .unwrap_or_else(|| text.into())
}

/// The reply code that a page's text asks for.
pub fn code_of(text: &str) -> Option<&str> {
    let code = text.rsplit_once(" Reply ")?.1.split_once(" 4 to ack")?.0;
    (!code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// A test page's text.
pub fn test(name: &str) -> String {
    format!("Ringdown test page for {}. Nothing is wrong, nothing to do.", short(name, 40))
}

/// After an acknowledgement: what is owed now, and to whom. Somebody else's incident stays theirs.
pub fn acknowledged(incident: &Incident, me: &PersonKey, config: &Config, zone: &Zone) -> String {
    match &incident.holder {
        Some(holder) if holder.who != Actor::Person(me.clone()) => {
            let mut text = format!("Noted. {} has {}.", name(&holder.who, config), incident.reference);
            if let Some(due) = update_due(incident) {
                text += &format!(" Next update by {}.", due_at(incident, due, zone));
            }
            text
        }
        _ => yours(incident, zone),
    }
}

/// What is owed now, to whoever has it.
pub fn yours(incident: &Incident, zone: &Zone) -> String {
    let mut text = format!("{} is yours.", incident.reference);
    if let Some(due) = response_due(incident) {
        text += &format!(" Call the customer back by {}.", due_at(incident, due, zone));
        if let Some(number) = &incident.contact.number {
            let who = incident.contact.name.as_deref().map_or("Number".into(), |name| short(name, 30));
            text += &format!(" {who}: {}", short(number, 20));
        }
    } else if let Some(due) = update_due(incident) {
        text += &format!(" Next update by {}.", due_at(incident, due, zone));
    } else if let Some(due) = analysis_due(incident) {
        text += &format!(" The analysis of the cause is due {}.", words::dated(due, zone));
    }
    text
}

/// After a page was passed on: who has it, if somebody else does.
pub fn passed_on(incident: &Incident, me: Option<&PersonKey>, config: &Config) -> String {
    match &incident.holder {
        Some(holder) if Some(&holder.who) != me.map(|me| Actor::Person(me.clone())).as_ref() => {
            format!("Passed on. {} has it.", name(&holder.who, config))
        }
        _ => "Passed on. The next person is called.".into(),
    }
}

/// Somebody's name, for people.
pub fn name(actor: &Actor, config: &Config) -> String {
    match actor {
        Actor::Person(key) => config.people.get(key).map_or_else(|| key.to_string(), |person| person.name.clone()),
        other => decide::name(other),
    }
}

/// Who has it, if anybody.
pub fn taken(incident: &Incident, config: &Config, zone: &Zone) -> Option<String> {
    match (incident.phase, &incident.holder) {
        (Phase::Open, Some(holder)) => {
            Some(format!("Already acknowledged by {} at {}.", name(&holder.who, config), clock(holder.since, zone)))
        }
        (Phase::Open, None) => None,
        (Phase::Idle, _) => Some(format!("{} is closed.", incident.reference)),
        (Phase::Resolved, _) => Some(format!("{} is resolved.", incident.reference)),
        (Phase::Cancelled, _) => Some(format!("{} was opened by mistake and is closed.", incident.reference)),
    }
}

/// A refusal, in kind words.
pub fn refused(refusal: &Refusal, reference: &str, config: &Config, zone: &Zone) -> String {
    match refusal {
        Refusal::AlreadyAcknowledged { by, at } => {
            format!("Already acknowledged by {} at {}.", name(by, config), clock(*at, zone))
        }
        Refusal::Closed => format!("{reference} is closed already."),
        other => {
            let words = other.to_string();
            let mut letters = words.chars();
            match letters.next() {
                Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str().trim_end_matches('.')),
                None => "That is not possible now.".into(),
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        incident::{Contact, Event, Recorded, Report, Source},
        sla::{Cadence, Plan, Priority, Promise},
        span::Span,
    };

    /// Incident 4821 of Acme Bank, P1, opened at noon UTC, callback due at 12:30, updates every hour.
    pub fn incident() -> Incident {
        let promise = Promise {
            title: "Business stopped".into(),
            response: Some(Span::minutes(30).into()),
            updates: Some(Cadence::every(Span::minutes(60), Span::minutes(15))),
            wakes: true,
            ..Promise::default()
        };
        let mut plan = Plan::empty("gold".into(), "Gold");
        plan.priorities.insert(Priority::P1, promise);
        let report = Report {
            reference: "4821".into(),
            source: Source::Api { by: "test".into() },
            priority: Priority::P1,
            customer: Some("acme".into()),
            customer_name: "Acme Bank".into(),
            zone: "Europe/Berlin".parse().unwrap(),
            team: "payments".into(),
            plan,
            title: "checkout down".into(),
            detail: String::new(),
            contact: Contact { name: Some("Ann".into()), number: Some("+12015550199".into()), mail: None },
            not_before: None,
        };
        let at = "2026-11-01T12:00:00Z".parse().unwrap();
        let (id, opened) = ("inc_x".into(), Event::Opened { report: Box::new(report) });
        let mut incident = Incident::open(&id, &Recorded { seq: 1, at, event: opened }).unwrap();
        let paged = Event::Paged { page: 1, person: "ben".into(), level: Some(0), cause: Cause::Opened };
        incident.climb.level = Some(0);
        incident.apply(&Recorded { seq: 2, at, event: paged });
        incident
    }

    #[test]
    fn what_is_due_on_another_day_is_told_with_the_day() {
        let mut far = incident();
        far.response.due = Some("2026-11-03T15:30:00Z".parse().unwrap());
        let zone = Zone::utc();
        assert_eq!(why(&far, Cause::CallbackAtRisk, &zone), "Call the customer by Tue 15:30.");
        assert!(yours(&far, &zone).contains("back by Tue 15:30."));
        assert_eq!(why(&incident(), Cause::CallbackAtRisk, &zone), "Call the customer by 12:30.");
    }

    #[test]
    fn a_page_names_the_incident_and_the_codes_first() {
        let zone: Zone = "Europe/Berlin".parse().unwrap();
        let text = |cause| page(&incident(), cause, Some("37"), None, &zone);
        insta::assert_snapshot!(text(Cause::Opened), @"4821 P1 Acme Bank: checkout down. Reply 37 4 to ack, 37 9 to pass, 37 6 resolve.");
        assert_eq!((code_of(&text(Cause::Opened)), code_of("Reply with care.")), (Some("37"), None));
        insta::assert_snapshot!(text(Cause::NotAcknowledged), @"4821 P1 Acme Bank: checkout down. Nobody took it yet. Reply 37 4 to ack, 37 9 to pass, 37 6 resolve.");
        insta::assert_snapshot!(text(Cause::CallbackAtRisk), @"4821 P1 Acme Bank: checkout down. Call the customer by 13:30. Reply 37 4 to ack, 37 9 to pass, 37 6 resolve.");
        insta::assert_snapshot!(text(Cause::CallbackMissed), @"4821 P1 Acme Bank: checkout down. The callback was due 13:30. Call now. Reply 37 4 to ack, 37 9 to pass, 37 6 resolve.");
        insta::assert_snapshot!(text(Cause::UpdateDue), @"4821 P1 Acme Bank: checkout down. Update the customer by 14:00. Reply 37 4 to ack, 37 9 to pass, 37 6 resolve.");
        insta::assert_snapshot!(text(Cause::PassedOn), @"4821 P1 Acme Bank: checkout down. Passed on to you. Reply 37 4 to ack, 37 9 to pass, 37 6 resolve.");
        insta::assert_snapshot!(page(&incident(), Cause::Opened, None, None, &zone), @"4821 P1 Acme Bank: checkout down.");
    }

    #[test]
    fn a_page_has_its_link_at_the_end_where_that_takes_no_segment_more() {
        let link = "https://pager.example.com/a/4821****************";
        let text = |title: &str, name: &str, cause, link| {
            let told = Incident { title: title.into(), customer_name: name.into(), ..incident() };
            page(&told, cause, Some("37"), Some(link), &Zone::utc())
        };
        insta::assert_snapshot!(text("checkout down", "Acme Bank", Cause::Opened, link), @"4821 P1 Acme Bank: checkout down. Reply 37 4 to ack, 37 9 to pass, 37 6 resolve. https://pager.example.com/a/4821****************");
        let long = "x".repeat(400);
        let linked = text(&long, "Acme Bank", Cause::Opened, link);
        assert!(linked.ends_with(link) && segment::segments(&linked).1 == 1, "{linked}");
        assert!(linked.contains(&format!("{}...", "x".repeat(27))), "{linked}");
        // The codes and what it is about come first.
        let far = format!("https://{}.example.com/a/4821****************", "a".repeat(60));
        let why = text(&long, "Acme Bank", Cause::NotAcknowledged, link);
        assert!(why.contains(" Reply 37 4 to ack. https://") && segment::segments(&why).1 == 1, "{why}");
        for title in [long.as_str(), "checkout down"] {
            let bare = text(title, "Acme Bank", Cause::CallbackMissed, &far);
            assert!(bare.ends_with("37 6 resolve.") && segment::segments(&bare).1 == 1, "{bare}");
        }
        let chinese = text("支付失败", "支付宝", Cause::Opened, link);
        assert!(segment::segments(&chinese).1 == 1 && chinese.ends_with("37 6 resolve."), "{chinese}");
        let chinese = text("支付失败支付失败支付失败", "支付宝", Cause::Opened, link);
        assert!(segment::segments(&chinese).1 == 2 && chinese.ends_with(link), "{chinese}");
    }

    #[test]
    fn a_text_to_the_customer_has_the_link_where_that_takes_no_segment_more() {
        let address = "https://pager.example.com/s/4821****************";
        let link = Some(address);
        let short = "4821: we have your report (P1). An engineer will call you back by 14:32.";
        assert_eq!(with_link(short, link), format!("{short} See {address}"));
        assert_eq!(with_link(short, None), short);
        for text in ["y".repeat(150), "4821: start the call: https://meet.example.com/1".into(), "支".repeat(60)] {
            assert_eq!(with_link(&text, link), text);
        }
        let two = "z".repeat(200);
        assert!(with_link(&two, link).ends_with("*"), "there is room in the second segment");
    }

    #[test]
    fn whoever_takes_it_is_told_what_is_owed_in_their_own_time() {
        let mut taken = incident();
        insta::assert_snapshot!(yours(&taken, &"Europe/Berlin".parse().unwrap()), @"4821 is yours. Call the customer back by 13:30. Ann: +12015550199");
        insta::assert_snapshot!(yours(&taken, &"America/New_York".parse().unwrap()), @"4821 is yours. Call the customer back by 07:30. Ann: +12015550199");
        taken.response.due = None;
        insta::assert_snapshot!(yours(&taken, &Zone::utc()), @"4821 is yours. Next update by 13:00.");
        taken.updates.met = true;
        insta::assert_snapshot!(yours(&taken, &Zone::utc()), @"4821 is yours.");
    }

    #[test]
    fn a_refusal_says_who_has_it_and_since_when() {
        let by = Actor::Person("ben".into());
        let at = "2026-11-01T13:05:00Z".parse().unwrap();
        let words = |refusal| refused(&refusal, "4821", &Config::default(), &"Europe/Berlin".parse().unwrap());
        insta::assert_snapshot!(words(Refusal::AlreadyAcknowledged { by, at }), @"Already acknowledged by ben at 14:05.");
        insta::assert_snapshot!(words(Refusal::Closed), @"4821 is closed already.");
        insta::assert_snapshot!(words(Refusal::Invalid("there is no page 9".into())), @"There is no page 9.");
    }

    #[test]
    fn a_page_in_latin_letters_takes_one_segment_however_long_its_title() {
        let zone = Zone::utc();
        for (title, name) in
            [("x".repeat(400), "Acme Bank"), ("Zahlung geht nicht – „Fehler“…".into(), "Müller & Söhne")]
        {
            let told = Incident { title, customer_name: name.into(), ..incident() };
            for cause in [Cause::Opened, Cause::NotAcknowledged, Cause::CallbackAtRisk, Cause::UpdateMissed] {
                let text = page(&told, cause, Some("37"), None, &zone);
                assert_eq!(segment::segments(&text).1, 1, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_page_takes_two_segments_at_most_whatever_the_customer_said(title in "\\PC{0,300}", name in "\\PC{0,80}") {
            let told = Incident { title, customer_name: name, ..incident() };
            let text = page(&told, Cause::Opened, Some("37"), None, &Zone::utc());
            prop_assert!(segment::segments(&text).1 <= 2, "{}", text);
            prop_assert!(text.starts_with("4821 P1 "));
            prop_assert!(text.ends_with("37 6 resolve."));
            let link = "https://pager.example.com/a/4821****************";
            let linked = page(&told, Cause::Opened, Some("37"), Some(link), &Zone::utc());
            prop_assert!(segment::segments(&linked).1 <= segment::segments(&text).1, "{}", linked);
            prop_assert!(linked.contains(" Reply 37 4 to ack"));
        }
    }
}
