//! The end, and the analyses of its cause, in plain words.

use super::{
    Explained, before,
    clock::{Words, after, length},
    promised, reason, verdict,
};
use crate::incident::{
    decide::name,
    ledger::reckon::{Deadline, Done, Kind},
};

pub(super) fn deadline(promise: &Deadline, words: Words<'_>) -> Explained {
    let Deadline { kind, count, missed, done, ended } = promise;
    let resolution = *kind == Kind::Resolution;
    let (label, what) = match kind {
        Kind::RcaDraft => ("RCA draft", "a draft analysis of the cause"),
        Kind::RcaFinal => ("RCA final", "the final analysis of the cause"),
        _ => ("Resolution", "the end"),
    };
    let told = |done: &Done| {
        let (who, at) = (name(&done.by), words.told(done.at, count.from));
        match (resolution, done.by_final) {
            (true, _) => format!("{who} resolved it {at}"),
            (false, false) => format!("{who} delivered it {at}"),
            (false, true) => format!("{who} delivered the final one {at}, which needs no draft"),
        }
    };
    let happened = match (done, missed, ended) {
        (Some(done), None, _) => format!("{}: kept, {}.", told(done), before(done.at, count.due)),
        (Some(done), Some(_), _) => format!("{}: late by {}.", told(done), length(count.due, done.at)),
        (None, Some(at), _) => {
            let lack = if resolution { "It was not over" } else { "It was not delivered" };
            format!("{lack} by then: missed, and recorded {}.", after(count.due, *at))
        }
        (None, None, Some(ended)) => format!("{}: not owed any more.", reason(ended, words, count.from)),
        (None, None, None) if resolution => "It is not over yet.".into(),
        (None, None, None) => "It has not been delivered yet.".into(),
    };
    let promised = promised(what, count, words);
    let verdict = verdict(promise.promised().verdict);
    Explained { promise: label.into(), verdict, words: format!("{promised} {happened}") }
}
