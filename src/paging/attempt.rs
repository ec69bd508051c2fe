//! What happens to an attempt, as steps of its own. Pure.
//!
//! A status only moves up, an outcome is said once, and only a human act makes it [`Outcome::Answered`]. What a carrier
//! says may come early, doubled, reordered, late, or not at all.

use chrono::TimeDelta;

use super::{Attempt, Outcome, Purpose, Stage};
use crate::{
    carrier::{Accepted, AnsweredBy, ErrorClass, SendError, Status},
    clock::Time,
    id::CarrierKey,
    people::Channel,
};

/// How long a carrier that took an attempt may be silent about it.
pub const RECEIPT_PATIENCE: TimeDelta = TimeDelta::seconds(120);

/// How often an attempt is sent again when nobody knows whether it was taken.
pub const MOST_UNCLEAR_SENDS: i64 = 3;

/// How long a lost answer is given to turn up as a receipt before it is looked up.
const UNCLEAR_PAUSE: TimeDelta = TimeDelta::seconds(2);

/// The longest a call may be talking before it counts as forgotten by its carrier.
const LONGEST_CALL: TimeDelta = TimeDelta::minutes(10);

/// What a carrier says of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub carrier: CarrierKey,
    pub sid: String,
    pub status: Option<Status>,
    pub answered_by: Option<AnsweredBy>,
    pub error_code: Option<String>,
}

/// How long to wait after so many sends that were not taken: 1, 2, 4 … 30 seconds.
pub fn backoff(sends: i64) -> TimeDelta {
    TimeDelta::seconds(1i64.checked_shl(sends.clamp(1, 6) as u32 - 1).unwrap_or(30).min(30))
}

impl Attempt {
    /// Whether it is meant to make somebody act and belongs to a page.
    pub fn is_page(&self) -> bool {
        self.purpose == Purpose::Page && self.page.is_some()
    }

    /// Whether this is the same message to the same line once more, made because the other was lost on its way.
    pub fn same_again(&self, other: &Attempt) -> bool {
        let what = |attempt: &Attempt| {
            let Attempt { page, purpose, position, channel, address, body, .. } = attempt;
            (page.clone(), *purpose, *position, *channel, address.clone(), body.clone())
        };
        self.id != other.id && what(self) == what(other)
    }

    /// Ends it. The first outcome stays.
    pub fn end(&mut self, outcome: Outcome, now: Time) {
        self.outcome.get_or_insert(outcome);
        self.stage = Stage::Over;
        self.wake_at = None;
        self.ended_at.get_or_insert(now);
    }

    /// A human act came of it. The call goes on; nobody hangs it up.
    pub fn answer(&mut self, now: Time) {
        self.outcome = Some(Outcome::Answered);
        self.answered_at.get_or_insert(now);
        self.end(Outcome::Answered, now);
    }

    /// The call is to be hung up; `outcome` is known already when a machine picked up.
    pub fn hang_up(&mut self, outcome: Option<Outcome>, now: Time) {
        self.outcome = self.outcome.or(outcome);
        self.stage = Stage::HangingUp;
        self.wake_at = Some(now);
    }

    /// A carrier took it.
    pub fn accept(&mut self, carrier: &CarrierKey, accepted: &Accepted, now: Time) {
        self.say(
            &Said {
                carrier: carrier.clone(),
                sid: accepted.sid.clone(),
                status: Some(accepted.status),
                answered_by: None,
                error_code: None,
            },
            now,
        );
        if self.stage == Stage::Sent {
            self.wake_at = Some(self.sent_at.unwrap_or(now) + RECEIPT_PATIENCE);
        }
    }

    /// No carrier took it, and `error` is the last word of them.
    pub fn refuse(&mut self, error: &SendError, now: Time) {
        if !matches!(self.stage, Stage::Sending | Stage::Waiting) {
            // A receipt was quicker: it was taken after all.
            return;
        }
        self.error_code = error.code.clone().or(self.error_code.take());
        self.reason = Some(error.message.chars().take(200).collect());
        let pause = match error.class {
            ErrorClass::PermanentContact | ErrorClass::PermanentRequest => {
                self.sent_at = None;
                return self.end(Outcome::Unreachable, now);
            }
            ErrorClass::Ambiguous if self.sends >= MOST_UNCLEAR_SENDS => return self.end(Outcome::Unreachable, now),
            ErrorClass::Ambiguous => UNCLEAR_PAUSE,
            ErrorClass::PermanentConfig => TimeDelta::seconds(30),
            ErrorClass::Transient { retry_after } => backoff(self.sends).max(retry_after.unwrap_or_default()),
        };
        if error.class == ErrorClass::Ambiguous {
            self.stage = Stage::Sending;
        } else if self.cancelled {
            return self.end(Outcome::Cancelled, now);
        } else {
            self.stage = Stage::Waiting;
            self.sent_at = None;
        }
        self.wake_at = Some((now + pause).min(self.expires_at.max(now + UNCLEAR_PAUSE)));
    }

    /// A carrier said what became of it. Word of another call or text than the one we know is not about this one.
    pub fn say(&mut self, said: &Said, now: Time) {
        if said.sid.is_empty() || self.sid.as_ref().is_some_and(|known| *known != said.sid) {
            return;
        }
        self.sid = Some(said.sid.clone());
        self.carrier = Some(said.carrier.clone());
        self.error_code = said.error_code.clone().or(self.error_code.take());
        if matches!(self.stage, Stage::Waiting | Stage::Sending) {
            self.stage = Stage::Sent;
            let sent_at = *self.sent_at.get_or_insert(now);
            self.wake_at = Some(sent_at + RECEIPT_PATIENCE);
        }
        self.status = match (self.status, said.status) {
            (Some(known), Some(said)) => Some(known.merge(said)),
            (known, said) => known.or(said),
        };
        match self.channel {
            Channel::Sms => self.text_moved(now),
            Channel::Voice => self.call_moved(said.answered_by, now),
        }
    }

    fn text_moved(&mut self, now: Time) {
        match self.status {
            Some(Status::Delivered | Status::Read | Status::Completed) => {
                // `delivered` after `undelivered` is mended; nothing else is ever taken back.
                if self.outcome == Some(Outcome::Unreachable) {
                    self.outcome = Some(Outcome::Delivered);
                }
                self.end(Outcome::Delivered, now);
            }
            Some(status) if status.is_failure() => self.end(Outcome::Unreachable, now),
            _ => {}
        }
    }

    fn call_moved(&mut self, answered_by: Option<AnsweredBy>, now: Time) {
        let Some(status) = self.status.or(answered_by.map(|_| Status::InProgress)) else { return };
        if matches!(status, Status::InProgress | Status::Completed) {
            self.answered_at.get_or_insert(now);
        }
        if self.stage == Stage::Over {
            return;
        }
        if status.is_final() {
            return self.end(self.ending(status), now);
        }
        if self.cancelled && self.stage == Stage::Sent {
            self.hang_up(None, now);
        }
        if answered_by == Some(AnsweredBy::Machine) && !self.cancelled && self.outcome.is_none() {
            self.reason = Some("a machine picked up".into());
            self.hang_up(Some(Outcome::NoHuman), now);
        }
    }

    fn ending(&self, status: Status) -> Outcome {
        match status {
            _ if self.cancelled => Outcome::Cancelled,
            Status::Busy | Status::NoAnswer | Status::Canceled => Outcome::NoAnswer,
            // SIP 480: the phone is off or out of reach for now.
            Status::Failed | Status::Undelivered if self.error_code.as_deref() != Some("480") => Outcome::Unreachable,
            Status::Failed | Status::Undelivered => Outcome::NoAnswer,
            // Somebody or something picked up, and no key was pressed.
            _ => Outcome::NoHuman,
        }
    }

    /// A carrier took it, and has been silent for [`RECEIPT_PATIENCE`]. `known` is what it says when asked.
    pub fn overdue(&mut self, known: Option<&Accepted>, now: Time) {
        if self.stage != Stage::Sent {
            return;
        }
        if let (Some(accepted), Some(carrier)) = (known, self.carrier.clone()) {
            self.accept(&carrier, accepted, now);
        }
        if self.stage != Stage::Sent {
            return;
        }
        let talking = self.status == Some(Status::InProgress);
        match self.channel {
            Channel::Voice if talking && self.sent_at.is_some_and(|sent| now < sent + LONGEST_CALL) => {
                self.wake_at = Some(now + RECEIPT_PATIENCE / 2);
            }
            Channel::Voice => {
                self.reason = Some("the carrier never said how the call ended".into());
                self.end(if talking { Outcome::NoHuman } else { Outcome::NoAnswer }, now);
            }
            Channel::Sms => {
                self.reason = Some("handed over; no receipt came".into());
                self.end(Outcome::Delivered, now);
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{people::E164, sla::Priority};

    pub fn at(seconds: i64) -> Time {
        "2026-11-01T12:00:00Z".parse::<Time>().unwrap() + TimeDelta::seconds(seconds)
    }

    /// An attempt of page 1 of incident `inc_x`, waiting, made at [`at`]`(0)`.
    pub fn attempt(id: &str, channel: Channel, position: i64) -> Attempt {
        Attempt {
            id: id.into(),
            page: Some("inc_x.1".into()),
            incident: Some("inc_x".into()),
            purpose: Purpose::Page,
            priority: Priority::P1,
            person: Some("ben".into()),
            channel,
            address: E164::parse("+12015550123").unwrap(),
            stage: Stage::Waiting,
            outcome: None,
            cancelled: false,
            position,
            body: Some("4821 P1 Acme Bank: down.".into()),
            reply_code: Some("37".into()),
            carrier: None,
            sid: None,
            status: None,
            error_code: None,
            reason: None,
            tries: 0,
            sends: 0,
            leased_by: None,
            wake_at: Some(at(0)),
            created_at: at(0),
            sent_at: None,
            answered_at: None,
            ended_at: None,
            expires_at: at(600),
        }
    }

    fn said(status: Status) -> Said {
        Said { carrier: "c".into(), sid: "CA1".into(), status: Some(status), answered_by: None, error_code: None }
    }

    fn sending(channel: Channel) -> Attempt {
        Attempt { stage: Stage::Sending, sends: 1, sent_at: Some(at(0)), ..attempt("att_1", channel, 0) }
    }

    #[test]
    fn a_call_ends_as_its_carrier_says_and_completed_is_no_human() {
        use Outcome::*;
        for (status, code, outcome) in [
            (Status::Busy, None, NoAnswer),
            (Status::NoAnswer, None, NoAnswer),
            (Status::Failed, Some("480"), NoAnswer),
            (Status::Failed, Some("13224"), Unreachable),
            (Status::Completed, None, NoHuman),
        ] {
            let mut call = sending(Channel::Voice);
            call.say(&Said { error_code: code.map(Into::into), ..said(status) }, at(5));
            assert_eq!((call.stage, call.outcome), (Stage::Over, Some(outcome)), "{status:?}");
        }
    }

    #[test]
    fn a_text_that_was_sent_is_not_over_and_late_delivered_mends_undelivered() {
        let mut text = sending(Channel::Sms);
        text.say(&said(Status::Sent), at(1));
        assert_eq!((text.stage, text.outcome), (Stage::Sent, None));
        text.say(&said(Status::Undelivered), at(2));
        assert_eq!(text.outcome, Some(Outcome::Unreachable));
        text.say(&said(Status::Delivered), at(3));
        assert_eq!(text.outcome, Some(Outcome::Delivered));
    }

    #[test]
    fn voicemail_is_hung_up_and_never_acknowledges() {
        let mut call = sending(Channel::Voice);
        call.say(&Said { answered_by: Some(AnsweredBy::Machine), ..said(Status::InProgress) }, at(9));
        assert_eq!((call.stage, call.outcome, call.wake_at), (Stage::HangingUp, Some(Outcome::NoHuman), Some(at(9))));
        call.say(&said(Status::Completed), at(11));
        assert_eq!((call.stage, call.outcome), (Stage::Over, Some(Outcome::NoHuman)));
    }

    #[test]
    fn a_call_cancelled_while_it_was_being_placed_is_hung_up_as_soon_as_it_is_known() {
        let mut call = Attempt { cancelled: true, ..sending(Channel::Voice) };
        call.accept(&"c".into(), &Accepted { sid: "CA1".into(), status: Status::Queued }, at(1));
        assert_eq!((call.stage, call.wake_at), (Stage::HangingUp, Some(at(1))));
        call.say(&said(Status::Canceled), at(2));
        assert_eq!(call.outcome, Some(Outcome::Cancelled));
    }

    #[test]
    fn word_of_another_call_changes_nothing() {
        let mut call = sending(Channel::Voice);
        call.say(&said(Status::Ringing), at(1));
        let before = call.clone();
        call.say(&Said { sid: "CA2".into(), ..said(Status::Busy) }, at(2));
        assert_eq!(call, before);
    }

    #[test]
    fn an_answer_that_comes_after_the_receipt_takes_nothing_back() {
        let mut call = sending(Channel::Voice);
        call.say(&said(Status::Ringing), at(1));
        call.accept(&"c".into(), &Accepted { sid: "CA1".into(), status: Status::Queued }, at(2));
        assert_eq!((call.stage, call.status), (Stage::Sent, Some(Status::Ringing)));
        let mut call = sending(Channel::Voice);
        call.say(&said(Status::Ringing), at(1));
        let lost =
            SendError { class: ErrorClass::Transient { retry_after: None }, code: None, message: "timed out".into() };
        call.refuse(&lost, at(2));
        assert_eq!(call.stage, Stage::Sent);
    }

    #[test]
    fn a_refusal_waits_looks_up_or_ends_by_its_class() {
        let error = |class| SendError { class, code: Some("1".into()), message: "no".into() };
        let refused = |class, sends| {
            let mut call = Attempt { sends, ..sending(Channel::Voice) };
            call.refuse(&error(class), at(0));
            (call.stage, call.outcome, call.wake_at.map(|wake| (wake - at(0)).num_seconds()))
        };
        let retry_after = Some(TimeDelta::seconds(7));
        assert_eq!(refused(ErrorClass::PermanentContact, 1), (Stage::Over, Some(Outcome::Unreachable), None));
        assert_eq!(refused(ErrorClass::Transient { retry_after: None }, 3), (Stage::Waiting, None, Some(4)));
        assert_eq!(refused(ErrorClass::Transient { retry_after }, 1), (Stage::Waiting, None, Some(7)));
        assert_eq!(refused(ErrorClass::Ambiguous, 1), (Stage::Sending, None, Some(2)));
        assert_eq!(refused(ErrorClass::Ambiguous, 3), (Stage::Over, Some(Outcome::Unreachable), None));
    }

    #[test]
    fn the_pause_doubles_up_to_half_a_minute() {
        assert_eq!([1, 2, 3, 4, 5, 6, 60].map(|n| backoff(n).num_seconds()), [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn a_carrier_that_never_says_how_a_call_ended_counts_as_no_answer() {
        let mut call = sending(Channel::Voice);
        call.say(&said(Status::Ringing), at(1));
        call.overdue(None, at(121));
        assert_eq!(call.outcome, Some(Outcome::NoAnswer));
        let mut call = sending(Channel::Voice);
        call.say(&said(Status::Ringing), at(1));
        call.overdue(Some(&Accepted { sid: "CA1".into(), status: Status::InProgress }), at(121));
        assert_eq!((call.stage, call.wake_at), (Stage::Sent, Some(at(181))));
    }

    proptest! {
        #[test]
        fn no_word_of_a_carrier_ever_acknowledges_and_a_status_never_falls(
            words in proptest::collection::vec((0usize..12, 0usize..4), 0..12),
            voice: bool,
        ) {
            use Status::*;
            let all = [
                Queued, Ringing, Sent, InProgress, Busy, NoAnswer, Failed, Undelivered, Canceled, Completed, Delivered,
                Read,
            ];
            let who = [None, Some(AnsweredBy::Human), Some(AnsweredBy::Machine), Some(AnsweredBy::Unknown)];
            let mut it = sending(if voice { Channel::Voice } else { Channel::Sms });
            let mut rank = 0;
            for (seconds, (status, answered_by)) in words.into_iter().enumerate() {
                it.say(&Said { answered_by: who[answered_by], ..said(all[status]) }, at(seconds as i64));
                prop_assert_ne!(it.outcome, Some(Outcome::Answered));
                let now = it.status.unwrap().rank();
                prop_assert!(now >= rank);
                rank = now;
                prop_assert_eq!(it.stage == Stage::Over, it.wake_at.is_none());
            }
        }
    }
}
