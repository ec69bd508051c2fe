//! What the answers of carriers mean for an attempt in hand. Pure.

use chrono::TimeDelta;

use super::{
    Attempt, Outcome, Stage,
    attempt::{MOST_UNCLEAR_SENDS, backoff},
};
use crate::{
    carrier::{ErrorClass, SendError},
    clock::Time,
    id::CarrierKey,
};

/// How long a call that cannot be hung up is tried.
const HANG_UP_WITHIN: TimeDelta = TimeDelta::minutes(3);

/// Whether a claim still holds: nobody claimed the row since, and nobody gave it back.
pub fn held(claimed: &Attempt, current: &Attempt) -> bool {
    current.tries == claimed.tries && current.leased_by == claimed.leased_by
}

/// The carriers' refusals of one attempt, as they are asked in turn.
#[derive(Debug, Default)]
pub struct Refusals {
    kept: Option<SendError>,
}

impl Refusals {
    /// One more carrier did not take it. True when no other need be asked: the address is to blame, or this one may
    /// have taken it after all.
    pub fn heard(&mut self, error: SendError) -> bool {
        let over = matches!(error.class, ErrorClass::PermanentContact | ErrorClass::Ambiguous);
        // What may be taken later outweighs what never will be.
        self.kept = match self.kept.take() {
            Some(kept) if matches!(kept.class, ErrorClass::Transient { .. }) && !over => Some(kept),
            Some(kept) if kept.class == ErrorClass::PermanentConfig && error.class == ErrorClass::PermanentRequest => {
                Some(kept)
            }
            _ => Some(error),
        };
        over
    }

    /// What they say together.
    pub fn last_word(self) -> SendError {
        self.kept.unwrap_or(SendError {
            class: ErrorClass::PermanentConfig,
            code: None,
            message: "no carrier can do this now".into(),
        })
    }
}

/// The next carrier is to be asked, until `lease`. False: it is not needed, or was taken, meanwhile.
pub fn turn_to(attempt: &mut Attempt, carrier: &CarrierKey, lease: Time, now: Time) -> bool {
    let go = attempt.stage == Stage::Sending && !attempt.cancelled;
    if go {
        attempt.carrier = Some(carrier.clone());
        attempt.sends += 1;
        attempt.wake_at = Some(lease);
        return true;
    }
    if attempt.stage == Stage::Sending {
        attempt.end(Outcome::Cancelled, now);
    }
    attempt.leased_by = None;
    false
}

/// The carrier that was asked knows nothing of it. True: it is sent again, by the first of `carriers`, until `lease`.
pub fn not_found(attempt: &mut Attempt, carriers: &[CarrierKey], lease: Time, now: Time) -> bool {
    if attempt.stage != Stage::Sending {
        // A receipt was quicker.
    } else if attempt.cancelled {
        attempt.end(Outcome::Cancelled, now);
    } else if now >= attempt.expires_at {
        attempt.reason.get_or_insert("its time was over before a carrier gave a clear answer".into());
        attempt.end(Outcome::Expired, now);
    } else if attempt.sends >= MOST_UNCLEAR_SENDS || carriers.is_empty() {
        attempt.reason.get_or_insert("no carrier gave a clear answer".into());
        attempt.end(Outcome::Unreachable, now);
    } else {
        attempt.sends += 1;
        attempt.carrier = carriers.first().cloned();
        attempt.wake_at = Some(lease);
        return true;
    }
    attempt.leased_by = None;
    false
}

/// A carrier was told to end a call, or it was not known where. `error`: it did not.
pub fn hung_up(attempt: &mut Attempt, error: Option<ErrorClass>, now: Time) {
    if attempt.stage != Stage::HangingUp {
        return;
    }
    let again = matches!(error, Some(ErrorClass::Transient { .. } | ErrorClass::Ambiguous));
    if again && attempt.sent_at.is_some_and(|sent| now < sent + HANG_UP_WITHIN) {
        attempt.wake_at = Some(now + backoff(attempt.tries));
    } else {
        attempt.end(Outcome::Cancelled, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        paging::attempt::tests::{at, attempt},
        people::Channel,
    };

    fn error(class: ErrorClass) -> SendError {
        SendError { class, code: None, message: String::new() }
    }

    #[test]
    fn what_may_be_taken_later_outweighs_what_never_will_be() {
        use ErrorClass::*;
        let later = Transient { retry_after: None };
        for (classes, expected, asked) in [
            (vec![later, PermanentConfig], later, 2),
            (vec![PermanentConfig, PermanentRequest], PermanentConfig, 2),
            (vec![PermanentConfig, later], later, 2),
            (vec![later, PermanentContact, later], PermanentContact, 2),
            (vec![Ambiguous, later], Ambiguous, 1),
            (vec![], PermanentConfig, 0),
        ] {
            let mut refusals = Refusals::default();
            let over = classes.iter().position(|class| refusals.heard(error(*class)));
            assert_eq!(over.map_or(classes.len(), |place| place + 1), asked, "{classes:?}");
            assert_eq!(refusals.last_word().class, expected, "{classes:?}");
        }
    }

    #[test]
    fn what_no_carrier_knows_is_sent_again_unless_it_is_too_late_or_not_needed() {
        let sending = Attempt { stage: Stage::Sending, sends: 1, ..attempt("a", Channel::Sms, 0) };
        for (attempt, now, again, outcome) in [
            (sending.clone(), 1, true, None),
            (Attempt { cancelled: true, ..sending.clone() }, 1, false, Some(Outcome::Cancelled)),
            (sending.clone(), 600, false, Some(Outcome::Expired)),
            (Attempt { sends: MOST_UNCLEAR_SENDS, ..sending.clone() }, 1, false, Some(Outcome::Unreachable)),
            (Attempt { stage: Stage::Sent, ..sending.clone() }, 1, false, None),
        ] {
            let mut after = attempt.clone();
            assert_eq!(not_found(&mut after, &["a".into()], at(16), at(now)), again, "{attempt:?}");
            assert_eq!((after.outcome, after.sends), (outcome, attempt.sends + i64::from(again)));
            let given_up = matches!(outcome, Some(Outcome::Expired | Outcome::Unreachable));
            assert_eq!(after.reason.is_some(), given_up, "what was given up says why");
        }
    }

    #[test]
    fn a_call_that_cannot_be_hung_up_is_tried_for_three_minutes() {
        let ringing =
            Attempt { stage: Stage::HangingUp, sent_at: Some(at(0)), tries: 2, ..attempt("a", Channel::Voice, 0) };
        let after = |error, now| {
            let mut call = ringing.clone();
            hung_up(&mut call, error, at(now));
            (call.stage, call.wake_at)
        };
        assert_eq!(after(Some(ErrorClass::Ambiguous), 10), (Stage::HangingUp, Some(at(12))));
        assert_eq!(after(Some(ErrorClass::Ambiguous), 180), (Stage::Over, None));
        assert_eq!(after(Some(ErrorClass::PermanentRequest), 10), (Stage::Over, None));
        assert_eq!(after(None, 10), (Stage::Over, None));
    }
}
