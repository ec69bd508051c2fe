//! Somebody who dials the hotline.

use chrono::TimeDelta;

use super::{
    carrier::{ACCOUNT, Carrier, OURS},
    form::{self, Form},
    line::{Step, pairs},
    twiml::{self, Verb},
};

/// A call on the hotline, from the caller's side.
pub struct Caller {
    carrier: Carrier,
    pub from: String,
    pub sid: String,
    began: ringdown::clock::Time,
    verbs: Vec<Verb>,
    /// The last request, to send it again.
    last: (String, Form),
    over: bool,
}

impl Caller {
    /// Dials, and listens.
    pub async fn dial(carrier: &Carrier, from: &str) -> Caller {
        let mut caller = Caller {
            carrier: carrier.clone(),
            from: from.into(),
            sid: carrier.fresh("CA"),
            began: carrier.now(),
            verbs: vec![],
            last: Default::default(),
            over: false,
        };
        caller.turn(&carrier.door("voice"), "ringing", vec![]).await;
        caller
    }

    fn form(&self, status: &str) -> Form {
        pairs(&[
            ("Called", OURS),
            ("Caller", &self.from),
            ("CallStatus", status),
            ("Direction", "inbound"),
            ("AccountSid", ACCOUNT),
            ("CallSid", &self.sid),
            ("To", OURS),
            ("From", &self.from),
            ("FromCountry", "US"),
            ("ApiVersion", "2010-04-01"),
        ])
    }

    async fn turn(&mut self, url: &str, status: &str, params: Form) {
        let mut form = self.form(status);
        form.extend(params);
        self.last = (url.into(), form);
        self.ask().await;
        // Where nothing is asked, the call goes on by itself.
        while let Some(url) = self.redirect() {
            self.last = (url, self.form("in-progress"));
            self.ask().await;
        }
        let enqueue = self.verbs.iter().find(|verb| matches!(verb, Verb::Enqueue { .. }));
        if let Some(Verb::Enqueue { queue, hold, action }) = enqueue {
            self.carrier.enqueue(&self.sid, self.form("in-progress"), queue, hold, action);
        }
    }

    /// What is said now: what came after the queue, if the caller is out of one.
    fn now(&self) -> Vec<Verb> {
        self.carrier.after_queue(&self.sid).unwrap_or_else(|| self.verbs.clone())
    }

    /// Everything heard in the queue, in order.
    pub fn heard_waiting(&self) -> Vec<String> {
        self.carrier.heard_in_queue(&self.sid)
    }

    async fn ask(&mut self) {
        assert!(!self.over, "the call is over: {}", self.hears());
        let (url, form) = self.last.clone();
        let (status, kind, body) = self.carrier.post(&url, &form).await.expect("the server answers");
        self.verbs = match form::document(status, &kind, &body) {
            Ok(verbs) => verbs,
            Err(error) => {
                self.carrier.violated(format!("{url} was answered badly: {error}: {body}"));
                vec![]
            }
        };
    }

    fn redirect(&self) -> Option<String> {
        let asks = |verb: &&Verb| !matches!(verb, Verb::Say(_) | Verb::Pause(_));
        match self.verbs.iter().find(asks) {
            Some(Verb::Redirect(url)) => Some(url.clone()),
            _ => None,
        }
    }

    fn question(&self) -> Option<Verb> {
        self.now().iter().find(|verb| matches!(verb, Verb::Gather { .. } | Verb::Record { .. })).cloned()
    }

    /// The words of this moment.
    pub fn hears(&self) -> String {
        twiml::words(&self.now())
    }

    /// The last thing said was a goodbye: nothing is asked any more.
    pub fn is_told_goodbye(&self) -> bool {
        self.question().is_none() && !self.now().iter().any(|verb| matches!(verb, Verb::Enqueue { .. }))
    }

    /// The same request again, as a carrier that lost the answer makes it.
    pub async fn lost_answer(&mut self) {
        self.ask().await;
    }

    /// Keys in.
    pub async fn press(&mut self, keys: &str) {
        let Some(Verb::Gather { action, digits, finish, .. }) = self.question() else {
            panic!("no key is asked for: {}", self.hears());
        };
        let ended = keys.strip_suffix('#').filter(|_| finish.contains('#'));
        let mut taken = ended.unwrap_or(keys).to_owned();
        if digits > 0 {
            taken.truncate(digits);
        }
        let mut params = pairs(&[("Digits", &taken), ("msg", "Gather End")]);
        if ended.is_some() {
            params.push(("FinishedOnKey".into(), "#".into()));
        }
        self.turn(&action, "in-progress", params).await;
    }

    /// Says nothing, presses nothing.
    pub async fn silence(&mut self) {
        match self.question() {
            Some(Verb::Gather { action, on_empty: true, .. }) => {
                self.turn(&action, "in-progress", pairs(&[("Digits", "")])).await;
            }
            Some(question) => {
                // What stands behind the question comes next.
                let at = self.verbs.iter().position(|verb| *verb == question).expect("there");
                self.verbs.drain(..=at);
                if let Some(url) = self.redirect() {
                    self.turn(&url, "in-progress", vec![]).await;
                }
            }
            None => panic!("nothing is asked: {}", self.hears()),
        }
    }

    /// Speaks after the tone, then presses a key. The words follow a while later.
    pub async fn says(&mut self, words: &str) {
        let Some(Verb::Record { action, callback, transcribe, .. }) = self.question() else {
            panic!("nothing is recorded: {}", self.hears());
        };
        let recording = self.carrier.fresh("RE");
        let url = format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{recording}");
        if let Some(callback) = callback {
            let form = pairs(&[
                ("AccountSid", ACCOUNT),
                ("CallSid", &self.sid),
                ("RecordingSid", &recording),
                ("RecordingUrl", &url),
                ("RecordingStatus", "completed"),
                ("RecordingDuration", "6"),
            ]);
            self.carrier.schedule(2, &self.sid, Step::Post { url: callback, form });
        }
        if let Some(transcribe) = transcribe {
            let form = pairs(&[
                ("AccountSid", ACCOUNT),
                ("CallSid", &self.sid),
                ("TranscriptionSid", &recording.replace("RE", "TR")),
                ("TranscriptionStatus", "completed"),
                ("TranscriptionText", words),
                ("RecordingSid", &recording),
                ("RecordingUrl", &url),
                ("TranscriptionType", "fast"),
            ]);
            self.carrier.schedule(20, &self.sid, Step::Post { url: transcribe, form });
        }
        let params = pairs(&[("RecordingUrl", &url), ("RecordingDuration", "6"), ("Digits", "1")]);
        self.turn(&action, "in-progress", params).await;
    }

    /// Puts the phone down.
    pub async fn hang_up(&mut self) {
        self.over = true;
        self.carrier.left(&self.sid);
        let mut form = self.form("completed");
        let seconds = (self.carrier.now() - self.began).max(TimeDelta::seconds(1)).num_seconds();
        form.extend(pairs(&[("CallDuration", &seconds.to_string()), ("Duration", "1"), ("Timestamp", "")]));
        let answer = self.carrier.post(&self.carrier.door("status"), &form).await;
        if !answer.as_ref().is_some_and(|(status, ..)| (200..300).contains(status)) {
            self.carrier.violated(format!("the end of a call was answered {answer:?}"));
        }
    }
}
