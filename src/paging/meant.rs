//! Which page a text from one of our people means. Pure.

use super::{
    Attempt,
    grammar::{Reply, Verb},
};
use crate::{id::PageId, incident::Incident};

/// A page that a text may mean.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// One of its attempts, the text itself rather than the call beside it.
    pub attempt: Attempt,
    pub page: PageId,
    /// Its number within the incident.
    pub number: u32,
    pub incident: Incident,
}

impl Candidate {
    fn is_open(&self) -> bool {
        self.incident.pages.get(&self.number).is_some_and(|page| page.open)
    }

    fn code(&self) -> &str {
        self.attempt.reply_code.as_deref().unwrap_or(&self.incident.reference)
    }
}

/// What a text comes to.
#[derive(Clone, Debug)]
pub enum Meant<'a> {
    /// This is done for that page.
    Act(&'a Candidate, Verb),
    /// Nothing is done: why not, in a word for the record, and what to answer.
    Nothing(&'static str, Option<String>),
}

/// What a text comes to, among the pages of the one who wrote it, the newest first.
pub fn meant(reply: Reply, candidates: &[Candidate]) -> Meant<'_> {
    let open = || candidates.iter().filter(|candidate| candidate.is_open());
    let codes = || open().map(|candidate| candidate.code().to_owned()).take(6).collect::<Vec<_>>();
    let none = || Some("No page is open for you.".into());
    match reply {
        Reply::Act { code, verb } => {
            let by_code = candidates.iter().find(|candidate| candidate.attempt.reply_code.as_ref() == Some(&code));
            let by_reference = || candidates.iter().find(|candidate| candidate.incident.reference == code);
            match by_code.or_else(by_reference) {
                Some(candidate) => Meant::Act(candidate, verb),
                None if codes().is_empty() => Meant::Nothing("unknown code", none()),
                None => Meant::Nothing("unknown code", Some(format!("No page {code}. Open: {}.", either(&codes())))),
            }
        }
        Reply::BareAck => match open().collect::<Vec<_>>().as_slice() {
            [] => Meant::Nothing("nothing open", none()),
            [one] => Meant::Act(one, Verb::Acknowledge),
            _ => Meant::Nothing("which", Some(format!("Which one? {}.", either(&codes())))),
        },
        Reply::Reaction => Meant::Nothing("reaction", None),
        Reply::Stop | Reply::Start | Reply::Unclear => {
            let help = open().next().map(|candidate| {
                let code = candidate.code();
                format!("Not understood. Reply {code} 4 to ack {}, {code} 9 to pass.", candidate.incident.reference)
            });
            Meant::Nothing("unclear", help)
        }
    }
}

/// `37 or 41`, `37, 41 or 12`.
fn either(codes: &[String]) -> String {
    match codes {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_to_choose_from_read_as_a_sentence() {
        let codes = |codes: &[&str]| either(&codes.iter().map(|code| code.to_string()).collect::<Vec<_>>());
        assert_eq!(
            [codes(&["37"]), codes(&["37", "41"]), codes(&["37", "41", "12"])],
            ["37", "37 or 41", "37, 41 or 12"]
        );
    }
}
