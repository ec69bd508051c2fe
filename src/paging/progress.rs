//! What is next for a page when one of its attempts is over without a human act. Pure.

use chrono::TimeDelta;

use super::{Attempt, Outcome, Stage, dispatch, draft};
use crate::{
    carrier::ErrorClass,
    clock::Time,
    id::AttemptId,
    people::{Channel, Person},
};

/// How long a text that was lost on its way rests before it goes once more, where the carrier's code does not say.
const LOST_TEXT_PAUSE: TimeDelta = TimeDelta::seconds(30);

/// What is next for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing now: somebody acted, something still rings, or its own time will come.
    Wait,
    /// The next method, at once.
    Hasten(AttemptId),
    /// All ways are used up. `definite` when a machine or a dead line said so, not when it only rang out.
    Exhausted { definite: bool },
}

/// What is next, given all attempts of one page and the one that just ended.
pub fn next(attempts: &[Attempt], ended: &AttemptId) -> Next {
    let Some(ended) = attempts.iter().find(|attempt| attempt.id == *ended) else { return Next::Wait };
    let acted = attempts.iter().any(|attempt| attempt.outcome == Some(Outcome::Answered));
    let over = |attempt: &Attempt| attempt.outcome.is_some();
    if acted || matches!(ended.outcome, None | Some(Outcome::Cancelled)) {
        return Next::Wait;
    }
    // A text that was handed over may still be read, but nothing more will be heard of it.
    let live = |attempt: &&Attempt| {
        !over(attempt)
            && match attempt.channel {
                Channel::Voice => attempt.stage != Stage::Waiting,
                Channel::Sms => attempt.stage == Stage::Sending,
            }
    };
    if attempts.iter().any(|attempt| live(&attempt)) {
        return Next::Wait;
    }
    // A lost text that goes once more keeps its pause, and nothing waits for it.
    let repeats = |attempt: &Attempt| {
        attempt.channel == Channel::Sms && attempts.iter().any(|other| over(other) && attempt.same_again(other))
    };
    let mut waiting: Vec<&Attempt> = attempts
        .iter()
        .filter(|attempt| attempt.stage == Stage::Waiting && !over(attempt) && !repeats(attempt))
        .collect();
    waiting.sort_by_key(|attempt| attempt.position);
    if let Some(first) = waiting.first() {
        // Delivered is not read: the next step keeps its own time.
        return if ended.outcome == Some(Outcome::Delivered) { Next::Wait } else { Next::Hasten(first.id.clone()) };
    }
    let tried = || attempts.iter().filter(|attempt| attempt.outcome != Some(Outcome::Cancelled));
    let mut calls = tried().filter(|attempt| attempt.channel == Channel::Voice).peekable();
    let dead = |attempt: &Attempt| matches!(attempt.outcome, Some(Outcome::NoHuman | Outcome::Unreachable));
    let definite = match calls.peek() {
        Some(_) => calls.all(dead),
        None => tried().all(|attempt| attempt.outcome == Some(Outcome::Unreachable)),
    };
    Next::Exhausted { definite }
}

/// What is done for a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Nothing now.
    Wait,
    /// The next method, at once.
    Hasten(AttemptId),
    /// One more method, that the person did not ask for.
    Add(Box<Attempt>),
    /// The incident is told that all ways are used up.
    Exhausted { definite: bool },
}

/// What is done for a page, given all its attempts and the one that just ended. Where the person (`None`: gone from the
/// files) asked for texts alone, and none can reach them, they are called: better than nobody.
pub fn step(attempts: &[Attempt], ended: &Attempt, person: Option<&Person>, now: Time) -> Step {
    let definite = match next(attempts, &ended.id) {
        Next::Wait => return Step::Wait,
        Next::Hasten(id) => return Step::Hasten(id),
        Next::Exhausted { definite } => definite,
    };
    if definite && attempts.iter().all(|other| other.channel == Channel::Sms) {
        let lines = person.map(|person| dispatch::other_lines(ended, person, attempts)).unwrap_or_default();
        if let Some((channel, line)) = lines.into_iter().find(|(channel, _)| *channel == Channel::Voice) {
            let reason = "no text reaches this person; called instead".into();
            return Step::Add(Box::new(draft::instead_of(ended, channel, line, reason, now)));
        }
    }
    Step::Exhausted { definite }
}

/// When a text goes once more that was taken and then lost for a passing reason, a phone switched off for example;
/// `meaning` is that of its error code. Its page does not wait for that.
pub fn once_more_at(lost: &Attempt, meaning: Option<ErrorClass>, now: Time) -> Option<Time> {
    let Some(ErrorClass::Transient { retry_after }) = meaning else { return None };
    let due = now + retry_after.unwrap_or(LOST_TEXT_PAUSE);
    let goes = lost.channel == Channel::Sms && !lost.cancelled && due < lost.expires_at;
    (goes && lost.outcome == Some(Outcome::Unreachable)).then_some(due)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paging::attempt::tests::{at, attempt};

    fn sms(outcome: Option<Outcome>, stage: Stage) -> Attempt {
        Attempt { outcome, stage, ..attempt("text", Channel::Sms, 0) }
    }

    fn call(id: &str, outcome: Option<Outcome>, stage: Stage) -> Attempt {
        Attempt { outcome, stage, ..attempt(id, Channel::Voice, 1) }
    }

    #[test]
    fn what_is_next_follows_from_how_everything_ended() {
        use Outcome::*;
        use Stage::*;
        let over = |outcome| call("call", Some(outcome), Over);
        let exhausted = |definite| Next::Exhausted { definite };
        let hasten = Next::Hasten("later".into());
        let delivered = || sms(Some(Delivered), Over);
        for (what, attempts, ended, expected) in [
            ("rang out", vec![delivered(), over(NoAnswer)], "call", exhausted(false)),
            ("voicemail, text sent", vec![sms(None, Sent), over(NoHuman)], "call", exhausted(true)),
            (
                "voicemail being hung up",
                vec![delivered(), call("call", Some(NoHuman), HangingUp)],
                "call",
                exhausted(true),
            ),
            ("dead line, dead text", vec![sms(Some(Unreachable), Over), over(Unreachable)], "call", exhausted(true)),
            (
                "one machine, one rang out",
                vec![over(NoHuman), call("b", Some(NoAnswer), Over)],
                "call",
                exhausted(false),
            ),
            (
                "text fails while it rings",
                vec![sms(Some(Unreachable), Over), call("call", None, Sent)],
                "text",
                Next::Wait,
            ),
            (
                "text fails before the call",
                vec![sms(Some(Unreachable), Over), call("later", None, Waiting)],
                "text",
                hasten.clone(),
            ),
            ("text delivered before the call", vec![delivered(), call("later", None, Waiting)], "text", Next::Wait),
            ("no answer, another number", vec![over(NoAnswer), call("later", None, Waiting)], "call", hasten),
            ("somebody acted", vec![delivered(), over(Answered), call("later", None, Waiting)], "call", Next::Wait),
            ("texts only, delivered", vec![delivered()], "text", exhausted(false)),
            ("texts only, dead", vec![sms(Some(Unreachable), Over)], "text", exhausted(true)),
            ("hung up for somebody else's act", vec![delivered(), over(Cancelled)], "call", Next::Wait),
            ("text still being sent", vec![sms(None, Sending), over(NoAnswer)], "call", Next::Wait),
            ("never sent", vec![delivered(), over(Expired)], "call", exhausted(false)),
            (
                "lost text waits to go once more",
                vec![
                    sms(Some(Unreachable), Over),
                    Attempt { id: "again".into(), ..sms(None, Waiting) },
                    call("later", None, Waiting),
                ],
                "text",
                Next::Hasten("later".into()),
            ),
            (
                "lost text, dead line",
                vec![
                    sms(Some(Unreachable), Over),
                    Attempt { id: "again".into(), ..sms(None, Waiting) },
                    over(Unreachable),
                ],
                "call",
                exhausted(true),
            ),
        ] {
            assert_eq!(next(&attempts, &ended.into()), expected, "{what}");
        }
    }

    #[test]
    fn of_several_that_wait_the_first_is_hastened() {
        let step = |id: &str, position| Attempt { position, ..attempt(id, Channel::Voice, position) };
        let ended = Attempt { ended_at: Some(at(1)), ..call("call", Some(Outcome::NoAnswer), Stage::Over) };
        assert_eq!(next(&[step("c", 3), ended, step("b", 2)], &"call".into()), Next::Hasten("b".into()));
    }
}
