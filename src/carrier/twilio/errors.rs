//! Twilio's error codes, and what each means for what we do next (its error dictionary; where that is silent, what
//! other pagers have learnt).

use chrono::TimeDelta;

use crate::carrier::ErrorClass::{self, *};

/// The number's owner has answered STOP to this sender.
pub const OPTED_OUT: &str = "21610";

/// What an answer means: the HTTP status it came with, and the code in its body.
pub fn classify(http: u16, code: Option<u32>) -> ErrorClass {
    match http {
        // Documented as never carried out.
        429 => Transient { retry_after: None },
        // May have been carried out, whatever it says.
        408 | 500.. => Ambiguous,
        _ => code.and_then(class_of).unwrap_or(match http {
            // Taken, and failed at once for a reason we do not know: it was not sent.
            200..=299 => Transient { retry_after: None },
            // Not followed: the base URL is wrong.
            300..=399 => PermanentConfig,
            401 | 403 | 407 => PermanentConfig,
            _ => PermanentRequest,
        }),
    }
}

/// What a code means, in an answer or in a receipt. `None` for one we do not know.
pub fn class_of(code: u32) -> Option<ErrorClass> {
    let again = Transient { retry_after: None };
    Some(match code {
        // Account, permissions, senders.
        20003 | 20005 | 20006 | 20403 | 21215 | 21219 | 21408 | 21608 | 21609 | 21703..=21705 | 30002 | 30010 => {
            PermanentConfig
        }
        21212 | 21606 | 21607 | 30018 | 30024 | 30032..=30034 => PermanentConfig,
        // Filtered by a carrier, or held to be SMS pumping: the same text would be again.
        30007 | 30450 => PermanentConfig,
        // Our own documents could not be fetched or read.
        11200 | 11205 | 11210 | 11750 | 12100 | 12300 => PermanentConfig,
        20404 | 21602..=21605 | 21617 | 30011 => PermanentRequest,
        // No such number, not reachable this way, blocked, opted out (21610), not a mobile.
        21211 | 21214 | 21217 | 21610 | 21612 | 21614 | 21635 | 13224 | 30004..=30006 => PermanentContact,
        // Switched off or without coverage: minutes, not seconds.
        30003 => Transient { retry_after: Some(TimeDelta::minutes(5)) },
        10004 | 20429 | 21611 | 22005 | 30001 | 30008 | 30009 | 30017 | 30036 | 30410 => again,
        30022 | 30023 | 30027 => again,
        20500 | 20503 => Ambiguous,
        _ => return None,
    })
}

/// Whether the number it was sent *from* is at fault, so that another of ours may do. Not 21610: who has told one of
/// our numbers to stop is not written to from the next.
pub fn blames_sender(code: u32) -> bool {
    matches!(code, 21212 | 21606 | 21607 | 21611 | 21612 | 30018 | 30022..=30024 | 30027 | 30032..=30034)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_class() {
        let again = Transient { retry_after: None };
        for (http, code, class) in [
            (401, 20003, PermanentConfig),
            (404, 20404, PermanentRequest),
            (429, 20429, again),
            (500, 20500, Ambiguous),
            (400, 21211, PermanentContact),
            (400, 21214, PermanentContact),
            (400, 21215, PermanentConfig),
            (400, 21608, PermanentConfig),
            (400, 21610, PermanentContact),
            (400, 21611, again),
            (400, 21614, PermanentContact),
            (400, 21617, PermanentRequest),
            (400, 30034, PermanentConfig),
            (201, 30008, again),
            (201, 30006, PermanentContact),
            (400, 10004, again),
        ] {
            assert_eq!(classify(http, Some(code)), class, "{http} {code}");
        }
    }

    #[test]
    fn an_unknown_code_is_judged_by_the_http_status() {
        for (http, class) in [
            (302, PermanentConfig),
            (400, PermanentRequest),
            (403, PermanentConfig),
            (408, Ambiguous),
            (418, PermanentRequest),
            (502, Ambiguous),
            (429, Transient { retry_after: None }),
        ] {
            assert_eq!(classify(http, Some(99_999)), class, "{http}");
            assert_eq!(classify(http, None), class, "{http}");
        }
    }

    #[test]
    fn a_server_error_may_have_been_carried_out_whatever_its_code() {
        assert_eq!(classify(503, Some(21211)), Ambiguous);
    }

    #[test]
    fn an_opt_out_is_not_evaded_through_another_number() {
        assert!(!blames_sender(21610));
        assert!(blames_sender(21611) && blames_sender(30022));
    }
}
