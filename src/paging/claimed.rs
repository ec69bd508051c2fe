//! What is done for an attempt that was claimed. Pure.

use chrono::TimeDelta;

use super::{Attempt, Outcome, Stage, attempt::RECEIPT_PATIENCE, dispatch::Way, draft, message};
use crate::{clock::Time, id::CarrierKey, people::Channel, sla::Zone};

/// How long an attempt rests that no carrier can do.
const NO_CARRIER_PAUSE: TimeDelta = TimeDelta::seconds(5);

/// What is done for a claimed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The row says it already.
    Nothing,
    /// It was never sent, or plainly refused: see [`start`].
    Send,
    /// A node that asked a carrier never wrote down the answer.
    LookUp,
    /// The carrier that took it is silent.
    Overdue,
    HangUp,
}

/// What is to be done for an attempt that is due.
pub fn task(attempt: &mut Attempt, now: Time) -> Task {
    match attempt.stage {
        Stage::Waiting if now >= attempt.expires_at => {
            attempt.reason.get_or_insert("its time was over before a carrier took it".into());
            attempt.end(Outcome::Expired, now);
            Task::Nothing
        }
        Stage::Waiting => Task::Send,
        Stage::Sending => Task::LookUp,
        Stage::Sent => match attempt.sent_at.map(|sent| sent + RECEIPT_PATIENCE).filter(|patience| *patience > now) {
            Some(patience) => {
                attempt.wake_at = Some(patience);
                Task::Nothing
            }
            None => Task::Overdue,
        },
        Stage::HangingUp => Task::HangUp,
        Stage::Over => {
            attempt.wake_at = None;
            Task::Nothing
        }
    }
}

/// A text to a number whose owner wants none.
pub fn refused_texts(attempt: &mut Attempt, now: Time) {
    attempt.reason = Some("this number refused texts (STOP)".into());
    attempt.end(Outcome::Unreachable, now);
}

/// How a first send begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// The first of the carriers is asked now; the row says so before anybody does.
    Ask,
    /// It waits for its number; a text goes at once, if one is given.
    Throttled { until: Time, text: Option<Box<Attempt>> },
    /// No carrier does this.
    NoCarrier,
}

/// Begins to send an attempt by this way, asking `carriers` in turn. `zone`: where its reader is.
pub fn start(attempt: &mut Attempt, way: Way, carriers: &[CarrierKey], zone: &Zone, now: Time) -> Start {
    match way {
        Way::Planned => {}
        Way::Instead(address) => {
            attempt.reason = Some(format!("{} was tried too often; this number instead", attempt.address));
            attempt.address = address;
        }
        Way::Wait { until, text } => {
            let until = until.min(attempt.expires_at);
            let clock = message::clock(until, zone);
            let text = text.map(|address| {
                let reason = format!("at once, because the call to {} has to wait", attempt.address);
                Box::new(draft::instead_of(attempt, Channel::Sms, address, reason, now))
            });
            attempt.reason = Some(format!("{} was tried too often; waits until {clock}", attempt.address));
            attempt.wake_at = Some(until);
            return Start::Throttled { until, text };
        }
    }
    let Some(first) = carriers.first() else {
        attempt.reason = Some(format!("no carrier does {}", attempt.channel.as_str()));
        attempt.wake_at = Some((now + NO_CARRIER_PAUSE).min(attempt.expires_at));
        return Start::NoCarrier;
    };
    attempt.stage = Stage::Sending;
    attempt.carrier = Some(first.clone());
    attempt.sends += 1;
    attempt.sent_at = Some(now);
    Start::Ask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paging::attempt::tests::{at, attempt};

    #[test]
    fn what_is_done_follows_from_how_far_it_is() {
        let staged = |stage, sent_at| Attempt { stage, sent_at, ..attempt("a", Channel::Voice, 0) };
        for (stage, sent_at, now, expected) in [
            (Stage::Waiting, None, 0, Task::Send),
            (Stage::Waiting, None, 600, Task::Nothing),
            (Stage::Sending, Some(at(0)), 15, Task::LookUp),
            (Stage::Sent, Some(at(0)), 15, Task::Nothing),
            (Stage::Sent, Some(at(0)), 120, Task::Overdue),
            (Stage::HangingUp, Some(at(0)), 1, Task::HangUp),
            (Stage::Over, None, 1, Task::Nothing),
        ] {
            let mut attempt = staged(stage, sent_at);
            assert_eq!(task(&mut attempt, at(now)), expected, "{stage:?} at {now}");
        }
        let mut late = staged(Stage::Waiting, None);
        task(&mut late, at(600));
        assert_eq!((late.stage, late.outcome), (Stage::Over, Some(Outcome::Expired)));
    }

    #[test]
    fn the_row_says_who_is_asked_before_anybody_is() {
        let mut call = attempt("a", Channel::Voice, 0);
        let begun = start(&mut call, Way::Planned, &["a".into(), "b".into()], &Zone::utc(), at(3));
        assert_eq!(begun, Start::Ask);
        assert_eq!(
            (call.stage, call.carrier, call.sends, call.sent_at),
            (Stage::Sending, Some("a".into()), 1, Some(at(3)))
        );
    }

    #[test]
    fn a_call_that_has_to_wait_sends_a_text_and_says_until_when() {
        let mut call = attempt("a", Channel::Voice, 0);
        let way = Way::Wait { until: at(900), text: Some(call.address.clone()) };
        let Start::Throttled { until, text: Some(text) } = start(&mut call, way, &[], &Zone::utc(), at(0)) else {
            panic!("it does not wait")
        };
        // Not past its own end.
        assert_eq!((until, call.wake_at, call.stage), (at(600), Some(at(600)), Stage::Waiting));
        assert_eq!(call.reason.unwrap(), "…23 was tried too often; waits until 12:10");
        assert_eq!((text.channel, text.page, text.wake_at), (Channel::Sms, call.page, Some(at(0))));
    }
}
