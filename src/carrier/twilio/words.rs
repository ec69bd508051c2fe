//! Twilio's words for what became of a call or text, as ours.

use crate::carrier::{AnsweredBy, Status};

/// `MessageStatus` or `CallStatus`. `None` for a word that says nothing of an attempt.
pub fn status(word: &str) -> Option<Status> {
    Some(match word {
        "accepted" | "scheduled" | "queued" | "initiated" => Status::Queued,
        "sending" | "ringing" => Status::Ringing,
        // Some parts of it arrived: no more than "handed on".
        "sent" | "partially_delivered" => Status::Sent,
        "in-progress" | "answered" => Status::InProgress,
        "busy" => Status::Busy,
        "no-answer" => Status::NoAnswer,
        "failed" => Status::Failed,
        "undelivered" => Status::Undelivered,
        "canceled" => Status::Canceled,
        "completed" => Status::Completed,
        "delivered" => Status::Delivered,
        "read" => Status::Read,
        _ => return None,
    })
}

/// `CallStatus` with `SipResponseCode`: a phone that is off (480) did not answer; the call did not fail.
pub fn call_status(word: &str, sip: Option<&str>) -> Option<Status> {
    match status(word) {
        Some(Status::Failed) if sip == Some("480") => Some(Status::NoAnswer),
        status => status,
    }
}

/// `AnsweredBy`. A fax is a machine.
pub fn answered_by(word: &str) -> AnsweredBy {
    match word {
        "human" => AnsweredBy::Human,
        "fax" => AnsweredBy::Machine,
        word if word.starts_with("machine") => AnsweredBy::Machine,
        _ => AnsweredBy::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_lifecycle_has_a_status_and_others_have_none() {
        for (word, expected) in [
            ("accepted", Some(Status::Queued)),
            ("initiated", Some(Status::Queued)),
            ("sending", Some(Status::Ringing)),
            ("sent", Some(Status::Sent)),
            ("undelivered", Some(Status::Undelivered)),
            ("delivered", Some(Status::Delivered)),
            ("in-progress", Some(Status::InProgress)),
            ("no-answer", Some(Status::NoAnswer)),
            ("canceled", Some(Status::Canceled)),
            ("received", None),
            ("", None),
        ] {
            assert_eq!(status(word), expected, "{word}");
        }
    }

    #[test]
    fn a_phone_that_is_switched_off_did_not_answer() {
        assert_eq!(call_status("failed", Some("480")), Some(Status::NoAnswer));
        assert_eq!(call_status("failed", Some("503")), Some(Status::Failed));
        assert_eq!(call_status("completed", Some("480")), Some(Status::Completed));
    }

    #[test]
    fn only_human_is_a_human() {
        assert_eq!(answered_by("human"), AnsweredBy::Human);
        for word in ["machine_start", "machine_end_beep", "fax"] {
            assert_eq!(answered_by(word), AnsweredBy::Machine, "{word}");
        }
        assert_eq!(answered_by("unknown"), AnsweredBy::Unknown);
        assert_eq!(answered_by("Human"), AnsweredBy::Unknown);
    }
}
