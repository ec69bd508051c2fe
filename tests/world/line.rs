//! What happens on the carrier's lines, and the signed requests that tell us of it.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};

use super::{
    carrier::{ACCOUNT, Carrier, Happening, OURS, Receipts, Sent, TOKEN, Texts, Voice},
    form::{self, Form},
    twiml::{self, Verb},
};

/// One thing that happens on a line.
#[derive(Clone, Debug)]
pub enum Step {
    /// A receipt of a text or call: its status now.
    Status { status: &'static str, extra: Vec<(&'static str, String)> },
    /// Somebody or something picks up.
    PickUp,
    /// Machine detection has made up its mind.
    Detected { by: &'static str },
    /// The call asks us how to go on.
    Ask { url: String, params: Form, round: u32 },
    /// The call ends.
    End { status: &'static str },
    /// A caller in a queue hears something.
    Hold,
    /// Somebody answers the queue.
    Meet { caller: String, connect: String, action: String, talk: i64 },
    /// The two have talked.
    Part { caller: String },
    /// A text comes back.
    Reply { from: String, body: String },
    /// Something to post as it is.
    Post { url: String, form: Form },
}

/// A call in progress.
#[derive(Clone, Debug, Default)]
pub struct Leg {
    keys: Vec<(i64, char)>,
    /// Changes with every document: what was planned before does not happen.
    round: u32,
}

impl Leg {
    pub(super) fn round(&self) -> u32 {
        self.round
    }
}

pub fn pairs(fields: &[(&str, &str)]) -> Form {
    fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

impl Carrier {
    /// Signs and posts to us. `None` when nobody is there.
    pub async fn post(&self, url: &str, form: &Form) -> Option<(u16, String, String)> {
        let signature = self.sign(url, form, TOKEN);
        self.post_signed(url, form, &signature).await
    }

    pub fn sign(&self, url: &str, form: &Form, token: &str) -> String {
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes()).expect("any length");
        mac.update(url.as_bytes());
        let mut sorted = form.clone();
        sorted.sort();
        for (name, value) in sorted {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    }

    pub async fn post_signed(&self, url: &str, form: &Form, signature: &str) -> Option<(u16, String, String)> {
        let Some(path) = url.strip_prefix(&self.0.public_url) else {
            self.violated(format!("{url} is not below the public URL {}", self.0.public_url));
            return None;
        };
        let server = self.server()?;
        let request = self
            .0
            .http
            .post(format!("http://{server}{path}"))
            .header("X-Twilio-Signature", signature)
            .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
            .body(form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish());
        match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
                let kind = kind.unwrap_or_default().to_owned();
                Some((status, kind, response.text().await.unwrap_or_default()))
            }
            Err(error) => {
                self.book().troubles.push(format!("{path}: {error}"));
                None
            }
        }
    }

    /// A receipt, as often and in the order the test wants.
    async fn tell(&self, sid: &str, url: &str, form: Form, last: bool) {
        let times = match self.how() {
            Receipts::Lost => return,
            Receipts::Doubled => 2,
            Receipts::Reordered if !last => {
                self.book().held.entry(sid.into()).or_default().push((url.into(), form));
                return;
            }
            _ => 1,
        };
        for _ in 0..times {
            self.tell_once(url, &form).await;
        }
        let held = self.book().held.remove(sid).unwrap_or_default();
        for (url, form) in held.into_iter().rev() {
            self.tell_once(&url, &form).await;
        }
    }

    async fn tell_once(&self, url: &str, form: &Form) {
        if let Some((status, ..)) = self.post(url, form).await
            && !(200..300).contains(&status)
        {
            self.violated(format!("a receipt to {url} was answered {status}"));
        }
    }

    /// A request to send was taken: what follows from it.
    pub(super) async fn set_going(&self, sent: &Sent) {
        let sid = sent.sid.as_str();
        let phone = self.phone_at(&sent.to);
        if !sent.voice {
            let word = |status| Step::Status { status, extra: vec![] };
            self.first(sid, word("sent")).await;
            match phone.texts {
                Texts::Delivered => self.schedule(2, sid, word("delivered")),
                Texts::Undelivered(code) => {
                    let extra = vec![("ErrorCode", code.to_string())];
                    self.schedule(2, sid, Step::Status { status: "undelivered", extra });
                }
                Texts::Replies { after, with } => {
                    self.schedule(2, sid, word("delivered"));
                    let body = with.replace("{code}", &reply_code(&sent.body).unwrap_or_default());
                    self.schedule(after, sid, Step::Reply { from: sent.to.clone(), body });
                }
            }
            return;
        }
        self.first(sid, Step::Status { status: "initiated", extra: vec![] }).await;
        self.schedule(1, sid, Step::Status { status: "ringing", extra: vec![] });
        let rings = form::get(&sent.form, "Timeout").and_then(|text| text.parse().ok()).unwrap_or(60);
        match phone.voice {
            Voice::Answers { after, .. } | Voice::Voicemail { after } if after < rings => {
                self.schedule(1 + after, sid, Step::PickUp)
            }
            Voice::Answers { .. } | Voice::Voicemail { .. } | Voice::Rings => {
                self.schedule(1 + rings, sid, Step::End { status: "no-answer" })
            }
            Voice::Busy => self.schedule(2, sid, Step::End { status: "busy" }),
            Voice::Rejects { after } => self.schedule(1 + after, sid, Step::End { status: "busy" }),
            Voice::Off => self.schedule(2, sid, Step::End { status: "failed" }),
        }
    }

    async fn first(&self, sid: &str, step: Step) {
        if self.how() == Receipts::Early {
            self.happen(Happening { sid: sid.into(), step }).await;
        } else {
            self.schedule(if sid.starts_with("CA") { 0 } else { 1 }, sid, step);
        }
    }

    pub(super) async fn happen(&self, happening: Happening) {
        let sid = happening.sid.as_str();
        match happening.step {
            Step::Status { status, extra } => self.status(sid, status, extra).await,
            Step::PickUp => self.pick_up(sid).await,
            Step::Detected { by } => self.detected(sid, by).await,
            Step::Ask { url, params, round } => {
                let current = self.book().legs.get(sid).is_some_and(|leg| leg.round == round);
                if current {
                    self.ask(sid, &url, params).await;
                }
            }
            Step::Hold => self.hold(sid).await,
            Step::Meet { caller, connect, action, talk } => self.meet(sid, &caller, &connect, &action, talk).await,
            Step::Part { caller } => self.part(sid, &caller).await,
            Step::End { status } => self.end(sid, status).await,
            Step::Reply { from, body } => drop(self.write(&from, &body).await),
            Step::Post { url, form } => self.tell_once(&url, &form).await,
        }
    }

    /// Somebody writes to our number. `Some`: what they are answered.
    pub async fn write(&self, from: &str, body: &str) -> Option<String> {
        let sid = self.fresh("SM");
        self.write_as(&sid, from, body).await
    }

    /// The same text, under an id of the test's.
    pub async fn write_as(&self, sid: &str, from: &str, body: &str) -> Option<String> {
        let form = pairs(&[
            ("ToCountry", "US"),
            ("SmsMessageSid", sid),
            ("NumMedia", "0"),
            ("SmsSid", sid),
            ("SmsStatus", "received"),
            ("Body", body),
            ("FromCity", ""),
            ("To", OURS),
            ("NumSegments", "1"),
            ("MessageSid", sid),
            ("AccountSid", ACCOUNT),
            ("From", from),
            ("ApiVersion", "2010-04-01"),
        ]);
        let (status, kind, body) = self.post(&self.door("sms"), &form).await?;
        match form::document(status, &kind, &body).as_deref() {
            Ok([]) => None,
            Ok([Verb::Message(text)]) => Some(text.clone()),
            Ok(other) => {
                self.violated(format!("a text was answered with {other:?}"));
                None
            }
            Err(error) => {
                self.violated(format!("a text was answered badly: {error}"));
                None
            }
        }
    }

    /// A door of the carrier's, as it is set up for our number.
    pub fn door(&self, name: &str) -> String {
        format!("{}/carriers/main/{name}", self.0.public_url)
    }

    async fn status(&self, sid: &str, status: &'static str, extra: Vec<(&'static str, String)>) {
        let Some(sent) = self.find(sid).filter(|sent| sent.ended_at.is_none()) else { return };
        self.change(sid, |sent| sent.status = status.into());
        let Some(url) = form::get(&sent.form, "StatusCallback") else { return };
        if sent.voice {
            return self.call_status(&sent, url, status, extra).await;
        }
        let last = status != "sent";
        if last {
            self.change(sid, |sent| sent.ended_at = Some(self.now()));
        }
        let mut form = pairs(&[
            ("SmsSid", sid),
            ("SmsStatus", status),
            ("MessageStatus", status),
            ("To", &sent.to),
            ("MessageSid", sid),
            ("AccountSid", ACCOUNT),
            ("From", &sent.from),
            ("ApiVersion", "2010-04-01"),
        ]);
        form.extend(extra.into_iter().map(|(name, value)| (name.into(), value)));
        self.tell(sid, url, form, last).await;
    }

    async fn call_status(&self, sent: &Sent, url: &str, status: &str, extra: Vec<(&'static str, String)>) {
        let event = match status {
            "initiated" | "ringing" => status,
            "in-progress" => "answered",
            _ => "completed",
        };
        let asked: Vec<&str> = sent
            .form
            .iter()
            .filter(|(name, _)| name == "StatusCallbackEvent")
            .map(|(_, value)| value.as_str())
            .collect();
        // Unless it is told otherwise, the end alone is told.
        let wanted = if asked.is_empty() { event == "completed" } else { asked.contains(&event) };
        if !wanted {
            return;
        }
        let mut form = self.call_form(sent, status);
        form.push(("SequenceNumber".into(), self.sequence(&sent.sid).to_string()));
        form.push(("CallbackSource".into(), "call-progress-events".into()));
        form.extend(extra.into_iter().map(|(name, value)| (name.into(), value)));
        self.tell(&sent.sid, url, form, event == "completed").await;
    }

    fn call_form(&self, sent: &Sent, status: &str) -> Form {
        pairs(&[
            ("Called", &sent.to),
            ("Caller", &sent.from),
            ("CallStatus", status),
            ("Direction", "outbound-api"),
            ("AccountSid", ACCOUNT),
            ("CallSid", &sent.sid),
            ("To", &sent.to),
            ("From", &sent.from),
            ("ApiVersion", "2010-04-01"),
        ])
    }

    async fn pick_up(&self, sid: &str) {
        let Some(sent) = self.find(sid).filter(|sent| sent.ended_at.is_none()) else { return };
        let voice = self.phone_at(&sent.to).voice;
        let keys = match &voice {
            Voice::Answers { keys, .. } => keys.clone(),
            _ => vec![],
        };
        self.book().legs.insert(sid.into(), Leg { keys, round: 0 });
        self.status(sid, "in-progress", vec![]).await;
        let machine = matches!(voice, Voice::Voicemail { .. });
        if form::get(&sent.form, "AsyncAmd") == Some("true") {
            self.schedule(4, sid, Step::Detected { by: if machine { "machine_start" } else { "human" } });
        }
        match voice {
            Voice::Answers { patience: Some(patience), .. } => {
                self.schedule(patience, sid, Step::End { status: "completed" })
            }
            // The machine's tape ends.
            Voice::Voicemail { .. } => self.schedule(90, sid, Step::End { status: "completed" }),
            _ => {}
        }
        let url = form::get(&sent.form, "Url").unwrap_or_default().to_owned();
        self.ask(sid, &url, vec![]).await;
    }

    async fn detected(&self, sid: &str, by: &str) {
        let Some(sent) = self.find(sid).filter(|sent| sent.ended_at.is_none()) else { return };
        let Some(url) = form::get(&sent.form, "AsyncAmdStatusCallback") else { return };
        if self.how() == Receipts::Lost {
            return;
        }
        let form = pairs(&[
            ("AccountSid", ACCOUNT),
            ("CallSid", sid),
            ("AnsweredBy", by),
            ("MachineDetectionDuration", "3900"),
        ]);
        self.tell_once(url, &form).await;
    }

    pub(super) async fn ask(&self, sid: &str, url: &str, params: Form) {
        let Some(sent) = self.find(sid).filter(|sent| sent.ended_at.is_none()) else { return };
        let mut form = self.call_form(&sent, "in-progress");
        form.extend(params);
        let mut answer = self.post(url, &form).await;
        if answer.as_ref().is_none_or(|(status, ..)| *status >= 500)
            && let Some(fallback) = form::get(&sent.form, "FallbackUrl")
        {
            form.push(("ErrorCode".into(), "11200".into()));
            form.push(("ErrorUrl".into(), url.into()));
            answer = self.post(fallback, &form).await;
        }
        let Some((status, kind, body)) = answer else {
            return self.schedule(1, sid, Step::End { status: "completed" });
        };
        match form::document(status, &kind, &body) {
            Ok(verbs) => self.play(sid, verbs),
            Err(error) => {
                self.violated(format!("{url} was answered badly: {error}: {body}"));
                self.schedule(1, sid, Step::End { status: "completed" });
            }
        }
    }

    /// A document is heard; what follows it is planned.
    fn play(&self, sid: &str, verbs: Vec<Verb>) {
        self.change(sid, |sent| sent.heard.push(twiml::words(&verbs)));
        let (mut keys, round) = {
            let mut book = self.book();
            let leg = book.legs.entry(sid.into()).or_default();
            leg.round += 1;
            (leg.keys.clone(), leg.round)
        };
        let mut at = 0;
        let next = |at: i64, url: &str, params: Form| {
            self.schedule(at, sid, Step::Ask { url: url.into(), params, round });
        };
        for verb in verbs {
            match verb {
                Verb::Say(_) | Verb::Pause(_) => at += twiml::spoken_seconds(std::slice::from_ref(&verb)),
                Verb::Gather { prompts, timeout, action, on_empty, .. } => {
                    let begins = at;
                    at += twiml::spoken_seconds(&prompts) + timeout;
                    if let Some((after, key)) = keys.first().copied().filter(|(after, _)| begins.max(*after) < at) {
                        keys.remove(0);
                        self.book().legs.entry(sid.into()).or_default().keys = keys;
                        self.change(sid, |sent| sent.pressed.push(key));
                        return next(begins.max(after), &action, pairs(&[("Digits", &key.to_string())]));
                    }
                    if on_empty {
                        return next(at, &action, pairs(&[("Digits", "")]));
                    }
                }
                Verb::Record { action, seconds, .. } => {
                    let url = "https://api.twilio.com/2010-04-01/Recordings/RE1";
                    let params = [("RecordingUrl", url), ("RecordingDuration", "9"), ("Digits", "hangup")];
                    return next(at + seconds.min(9), &action, pairs(&params));
                }
                Verb::Dial { number, ring, limit, action } => {
                    let leg = self.fresh("CA");
                    let (took, mut params) = match self.phone_at(&number).voice {
                        Voice::Answers { after, talks, .. } if after < ring => {
                            let talked = talks.min(limit).to_string();
                            let told = [
                                ("DialCallStatus", "completed"),
                                ("DialCallDuration", &talked),
                                ("DialBridged", "true"),
                            ];
                            (after + talks.min(limit), pairs(&told))
                        }
                        Voice::Busy | Voice::Rejects { .. } => {
                            (3, pairs(&[("DialCallStatus", "busy"), ("DialBridged", "false")]))
                        }
                        Voice::Off => (3, pairs(&[("DialCallStatus", "failed"), ("DialBridged", "false")])),
                        _ => (ring, pairs(&[("DialCallStatus", "no-answer"), ("DialBridged", "false")])),
                    };
                    params.push(("DialCallSid".into(), leg));
                    at += took;
                    if let Some(action) = action {
                        return next(at, &action, params);
                    }
                }
                Verb::DialQueue { queue, ring, limit, connect, action } => {
                    let Some(caller) = self.first_in(&queue) else {
                        let params = [("DialCallStatus", "no-answer"), ("DialBridged", "false")];
                        return next(at + ring, &action, pairs(&params));
                    };
                    let number = self.find(sid).map(|sent| sent.to).unwrap_or_default();
                    let talk = match self.phone_at(&number).voice {
                        Voice::Answers { talks, .. } => talks.min(limit),
                        _ => 0,
                    };
                    return self.schedule(at, sid, Step::Meet { caller, connect, action, talk });
                }
                Verb::Enqueue { .. } | Verb::Leave => self.violated("somebody we called is put into a queue".into()),
                Verb::Redirect(url) => return next(at, &url, vec![]),
                Verb::Hangup | Verb::Reject => break,
                Verb::Message(_) => self.violated("a text inside a call".into()),
            }
        }
        self.schedule(at.max(1), sid, Step::End { status: "completed" });
    }

    async fn end(&self, sid: &str, status: &'static str) {
        let Some(sent) = self.find(sid).filter(|sent| sent.ended_at.is_none()) else { return };
        // Its last document is over before the party hangs up, or not: whoever ends it first ends it.
        self.book().legs.remove(sid);
        self.lost(sid).await;
        self.change(sid, |sent| {
            sent.status = status.into();
            sent.ended_at = Some(self.now());
        });
        let Some(url) = form::get(&sent.form, "StatusCallback") else { return };
        let seconds = if status == "completed" { (self.now() - sent.at).num_seconds() } else { 0 };
        let mut extra = vec![("CallDuration", seconds.to_string())];
        if status == "failed" {
            extra.push(("SipResponseCode", "480".into()));
        }
        self.call_status(&sent, url, status, extra).await;
    }
}

/// The code that a page's text asks to be answered with.
pub fn reply_code(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Reply ")?;
    rest.split_whitespace().next().map(Into::into)
}
