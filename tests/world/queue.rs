//! Queues of the carrier: callers who wait, hear what they are given, and are connected with whoever answers.

use ringdown::clock::Time;

use super::{
    carrier::Carrier,
    form::{self, Form},
    line::{Step, pairs},
    twiml::{self, Verb},
};

/// A caller who was put into a queue.
#[derive(Clone, Debug)]
pub struct Queued {
    queue: String,
    hold: String,
    action: String,
    form: Form,
    since: Time,
    heard: Vec<String>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Waiting,
    /// With whom, since when, and where that call goes on.
    Talking {
        with: String,
        since: Time,
        action: String,
    },
    /// What came after it.
    Out(Vec<Verb>),
}

impl Carrier {
    pub(super) fn enqueue(&self, sid: &str, form: Form, queue: &str, hold: &str, action: &str) {
        let queued = Queued {
            queue: queue.into(),
            hold: hold.into(),
            action: action.into(),
            form,
            since: self.now(),
            heard: vec![],
            state: State::Waiting,
        };
        self.book().queued.insert(sid.into(), queued);
        self.schedule(0, sid, Step::Hold);
    }

    pub(super) fn after_queue(&self, sid: &str) -> Option<Vec<Verb>> {
        match &self.book().queued.get(sid)?.state {
            State::Out(verbs) => Some(verbs.clone()),
            _ => None,
        }
    }

    pub(super) fn heard_in_queue(&self, sid: &str) -> Vec<String> {
        self.book().queued.get(sid).map(|queued| queued.heard.clone()).unwrap_or_default()
    }

    /// Who waits there for the longest.
    pub(super) fn first_in(&self, queue: &str) -> Option<String> {
        let book = self.book();
        let waiting = book.queued.iter().filter(|(_, queued)| queued.queue == queue);
        let waiting = waiting.filter(|(_, queued)| matches!(queued.state, State::Waiting));
        waiting.min_by_key(|(_, queued)| queued.since).map(|(sid, _)| sid.clone())
    }

    fn in_queue(&self, sid: &str) -> Option<Queued> {
        self.book().queued.get(sid).cloned()
    }

    fn set(&self, sid: &str, state: State) {
        if let Some(queued) = self.book().queued.get_mut(sid) {
            queued.state = state;
        }
    }

    /// A document for a caller, in which only some verbs may stand.
    async fn fetch(&self, queued: &Queued, sid: &str, url: &str, params: Form, allowed: &str) -> Option<Vec<Verb>> {
        let mut form = queued.form.clone();
        form.extend(params);
        let (status, kind, body) = self.post(url, &form).await?;
        let verbs = match form::document(status, &kind, &body) {
            Ok(verbs) => verbs,
            Err(error) => {
                self.violated(format!("{url} was answered badly: {error}: {body}"));
                return Some(vec![]);
            }
        };
        let name = |verb: &Verb| format!("{verb:?}").split([' ', '(']).next().unwrap_or_default().to_owned();
        for verb in verbs.iter().filter(|verb| !allowed.split(' ').any(|word| word == name(verb))) {
            self.violated(format!("{url} was answered with {verb:?}"));
        }
        if let Some(queued) = self.book().queued.get_mut(sid) {
            queued.heard.extend(Some(twiml::words(&verbs)).filter(|words| !words.is_empty()));
        }
        Some(verbs)
    }

    fn times(&self, queued: &Queued) -> Form {
        let seconds = (self.now() - queued.since).num_seconds().to_string();
        pairs(&[("QueueSid", "QU00000000000000000000000000000001"), ("QueueTime", &seconds)])
    }

    pub(super) async fn hold(&self, sid: &str) {
        let Some(queued) = self.in_queue(sid).filter(|queued| matches!(queued.state, State::Waiting)) else { return };
        let mut params = self.times(&queued);
        params.extend(pairs(&[("QueuePosition", "1"), ("AvgQueueTime", "0"), ("CurrentQueueSize", "1")]));
        let Some(verbs) =
            self.fetch(&queued, sid, &queued.hold, params, "Say Pause Gather Redirect Hangup Leave").await
        else {
            return self.schedule(2, sid, Step::Hold);
        };
        if verbs.contains(&Verb::Leave) {
            return self.go_on(sid, &queued, "leave").await;
        }
        self.schedule(twiml::spoken_seconds(&verbs).max(1), sid, Step::Hold);
    }

    /// The caller's call goes on behind the queue.
    async fn go_on(&self, sid: &str, queued: &Queued, result: &str) {
        let mut params = self.times(queued);
        params.push(("QueueResult".into(), result.into()));
        let mut form = queued.form.clone();
        form.extend(params);
        let verbs = match self.post(&queued.action, &form).await {
            Some((status, kind, body)) => form::document(status, &kind, &body),
            None => Err("not at all".into()),
        };
        match verbs {
            Ok(verbs) => self.set(sid, State::Out(verbs)),
            Err(error) => self.violated(format!("{} was answered badly: {error}", queued.action)),
        }
    }

    pub(super) async fn meet(&self, by: &str, caller: &str, connect: &str, action: &str, talk: i64) {
        let waiting = self.in_queue(caller).filter(|queued| matches!(queued.state, State::Waiting));
        let Some(queued) = waiting else {
            return self.ask(by, action, pairs(&[("DialCallStatus", "no-answer"), ("DialBridged", "false")])).await;
        };
        self.set(caller, State::Talking { with: by.into(), since: self.now(), action: action.into() });
        let mut params = self.times(&queued);
        params.push(("DequeingCallSid".into(), by.into()));
        self.fetch(&queued, caller, connect, params, "Say Pause Redirect").await;
        self.schedule(talk.max(1), by, Step::Part { caller: caller.into() });
    }

    fn talk(&self, since: Time) -> Form {
        let seconds = (self.now() - since).num_seconds().to_string();
        pairs(&[("DialCallStatus", "completed"), ("DialCallDuration", &seconds), ("DialBridged", "true")])
    }

    /// The talk is over, and both calls go on.
    pub(super) async fn part(&self, by: &str, caller: &str) {
        let Some(queued) = self.in_queue(caller) else { return };
        let State::Talking { with, since, action } = queued.state.clone() else { return };
        if with == by {
            self.ask(by, &action, self.talk(since)).await;
            self.go_on(caller, &queued, "bridged").await;
        }
    }

    /// The caller put the phone down; whoever talked with them goes on.
    pub(super) fn left(&self, caller: &str) {
        let queued = self.book().queued.remove(caller);
        if let Some(State::Talking { with, since, action }) = queued.map(|queued| queued.state) {
            let round = self.book().legs.get(&with).map_or(0, super::line::Leg::round);
            self.schedule(0, &with, Step::Ask { url: action, params: self.talk(since), round });
        }
    }

    fn talks_with(&self, by: &str) -> Option<(String, Queued)> {
        let book = self.book();
        let talks = |queued: &Queued| matches!(&queued.state, State::Talking { with, .. } if with == by);
        book.queued.iter().find(|(_, queued)| talks(queued)).map(|(sid, queued)| (sid.clone(), queued.clone()))
    }

    /// Whoever talked with a caller put the phone down: the caller's call goes on.
    pub(super) async fn lost(&self, by: &str) {
        if let Some((sid, queued)) = self.talks_with(by) {
            self.go_on(&sid, &queued, "bridged").await;
        }
    }
}
