//! What customers write back to the texts they get: an answer, or a sign that it is not over. It is not answered by
//! text; whoever has the incident hears of it.

use chrono::TimeDelta;

use super::{
    grammar::{self, Reply},
    store,
};
use crate::{
    carrier::{InboundSms, Unavailable},
    clock::Time,
    id::{IncidentId, fresh},
    incident::{Command, Incident, Phase, Report, Source, door::DoorError, store as incidents},
    people::E164,
    server::App,
    store::Tx,
};

/// So many texts of one number in an hour are taken: machines must not write to each other all night.
const MOST_AN_HOUR: i64 = 20;

/// For so long a text may be about what was closed for want of an answer, and about what was resolved.
const IDLE_LATELY: TimeDelta = TimeDelta::days(30);
const RESOLVED_LATELY: TimeDelta = TimeDelta::days(7);

/// A text from a number of none of our people.
pub(super) async fn receive(
    app: &App,
    from: &E164,
    sms: &InboundSms,
    reply: &Reply,
    now: Time,
) -> Result<(), Unavailable> {
    let mut tx = app.db.begin().await?;
    if store::known_reply(&mut tx, &sms.carrier, &sms.sid).await?.is_some() {
        return Ok(());
    }
    let known = known(&mut tx, from, now).await?;
    if known.is_empty() {
        tracing::info!(%from, "a text from a number of none of our people, and about nothing that we know");
        return Ok(());
    }
    let verdict = if *reply == Reply::Reaction {
        "reaction"
    } else if store::replies_since(&mut tx, from, now - TimeDelta::hours(1)).await? >= MOST_AN_HOUR {
        "too many"
    } else {
        match meant(&known, &sms.body, now) {
            Some(incident) => replied(app, &mut tx, incident, &sms.body, "By text").await?,
            None => "nothing open",
        }
    };
    let handled =
        store::Handled { carrier: &sms.carrier, sid: &sms.sid, address: from.as_str(), verdict, answer: None };
    store::keep_reply(&mut tx, handled, now).await?;
    tx.commit().await?;
    app.bell.ring();
    tracing::info!(%from, verdict, "a customer's text was handled");
    Ok(())
}

/// The incidents whose contact this number is, and that we wrote to it about: the newest first.
async fn known(tx: &mut Tx, from: &E164, now: Time) -> sqlx::Result<Vec<Incident>> {
    let mut known = Vec::new();
    for id in store::written_to(tx, from, now - IDLE_LATELY).await? {
        let incident = incidents::load(tx, &id).await?;
        known.extend(incident.filter(|incident| incident.contact.number.as_deref() == Some(from.as_str())));
    }
    Ok(known)
}

/// Which of them a text is about: the one it names, else the one that waits for an answer, else the newest open one,
/// else what was closed last. Thanks for what is solved are about nothing.
fn meant<'a>(known: &'a [Incident], body: &str, now: Time) -> Option<&'a Incident> {
    let lately = |incident: &&Incident| {
        let within = |span| incident.closed_at.is_some_and(|at| now - at < span);
        match incident.phase {
            Phase::Open => true,
            Phase::Idle => within(IDLE_LATELY),
            Phase::Resolved => within(RESOLVED_LATELY) && !grammar::is_thanks(body),
            Phase::Cancelled => false,
        }
    };
    let mut words = body.split(|c: char| !c.is_ascii_digit()).filter(|word| word.len() >= 4);
    let named = words.find_map(|word| known.iter().filter(lately).find(|incident| incident.reference == word));
    named
        .or_else(|| known.iter().find(|incident| incident.is_open() && incident.waiting.is_some()))
        .or_else(|| known.iter().find(|incident| incident.is_open()))
        .or_else(|| known.iter().filter(lately).max_by_key(|incident| incident.closed_at))
}

/// Takes what a customer said about an incident; what is about a closed one whose reference was given away is reported
/// anew. `how`: by which way it came, for people. Gives a word for the record.
pub async fn replied(app: &App, tx: &mut Tx, incident: &Incident, body: &str, how: &str) -> sqlx::Result<&'static str> {
    let command = Command::CustomerReplies { text: body.into() };
    match app.door.execute_in(tx, &incident.id, command).await {
        Ok(_) => Ok("customer replied"),
        Err(DoorError::Database(error)) => Err(error),
        // Its reference is another's by now: what the customer says is reported anew.
        Err(DoorError::Refused(_)) if !incident.is_open() && !body.trim().is_empty() => {
            let reference = app.door.free_reference(tx).await?;
            let (id, report) = (IncidentId::from(fresh("inc")), anew(incident, reference, body, how));
            match app.door.execute_in(tx, &id, Command::Report(Box::new(report))).await {
                Ok(_) => Ok("reported anew"),
                Err(DoorError::Database(error)) => Err(error),
                Err(DoorError::Refused(_)) => Ok("refused"),
            }
        }
        Err(DoorError::Refused(_)) => Ok("refused"),
    }
}

fn anew(closed: &Incident, reference: String, body: &str, how: &str) -> Report {
    Report {
        reference,
        source: Source::Api { by: "text message".into() },
        priority: closed.priority,
        customer: closed.customer.clone(),
        customer_name: closed.customer_name.clone(),
        zone: closed.zone.clone(),
        team: closed.team.clone(),
        plan: closed.plan.clone(),
        title: closed.title.clone(),
        detail: format!("{how}, after {} was closed: {}", closed.reference, super::message::bounded(body)),
        contact: closed.contact.clone(),
        not_before: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{Actor, Event, Recorded},
        paging::message::tests::incident,
    };

    fn at(days: i64) -> Time {
        "2026-11-01T12:00:00Z".parse::<Time>().unwrap() + TimeDelta::days(days)
    }

    fn known(reference: &str, event: Option<Event>) -> Incident {
        let mut known = Incident { reference: reference.into(), ..incident() };
        if let Some(event) = event {
            known.apply(&Recorded { seq: known.seq + 1, at: at(1), event });
        }
        known
    }

    #[test]
    fn a_text_is_about_what_it_names_then_what_waits_then_what_is_open_then_what_was_closed_last() {
        let by = || Actor::Person("ben".into());
        let waits = Event::WaitingOnCustomer { by: by(), reason: "logs".into() };
        let (open, waiting) = (known("1001", None), known("1002", Some(waits)));
        let idle = known("1003", Some(Event::ClosedIdle { due: at(1) }));
        let resolved = known("1004", Some(Event::Resolved { by: by(), note: String::new() }));
        let cancelled = known("1005", Some(Event::Cancelled { by: by(), reason: String::new() }));
        let all = [&open, &waiting, &idle, &resolved, &cancelled].map(Clone::clone);
        for (known, body, days, expected) in [
            (&all[..], "here are the logs", 2, Some("1002")),
            (&all, "1001: worse now", 2, Some("1001")),
            (&all, "about #1004, it is back", 2, Some("1004")),
            (&all, "about 1005", 2, Some("1002")),
            (&all[..1], "hello?", 2, Some("1001")),
            (&all[2..3], "ok", 2, Some("1003")),
            (&all[2..3], "hello?", 40, None),
            (&all[3..], "Thanks!", 2, None),
            (&all[3..], "it is back", 2, Some("1004")),
            (&all[3..], "it is back", 9, None),
            (&all[4..], "hello?", 2, None),
        ] {
            let meant = meant(known, body, at(days)).map(|incident| incident.reference.as_str());
            assert_eq!(meant, expected, "{body} on day {days}");
        }
    }
}
