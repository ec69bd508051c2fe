use std::{collections::BTreeMap, sync::Mutex};

use axum::body::{Body, to_bytes};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use tower::ServiceExt;

use super::*;
use crate::{
    carrier::Document,
    config::Config,
    server::settings::{HandsetsSettings, Settings},
};

/// Writes down what it is asked.
#[derive(Clone, Default)]
struct Notes {
    asked: Arc<Mutex<Vec<String>>>,
    mood: Arc<Mutex<Mood>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mood {
    #[default]
    Willing,
    Unavailable,
    Asleep,
}

impl Notes {
    async fn note(&self, what: String) -> Result<(), Unavailable> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Willing => {
                self.asked.lock().unwrap().push(what);
                Ok(())
            }
            Mood::Unavailable => Err(Unavailable::because("full")),
            Mood::Asleep => std::future::pending().await,
        }
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Switchboard for Notes {
    fn voice(&self, turn: Turn) -> BoxFuture<'_, Result<Document, Unavailable>> {
        Box::pin(async move {
            self.note(whole_turn(&turn)).await?;
            Ok(Document::default().say("en-US", "Hello."))
        })
    }

    fn sms(&self, sms: InboundSms) -> BoxFuture<'_, Result<Option<String>, Unavailable>> {
        Box::pin(async move {
            let answer = (sms.body != "STOP").then(|| "4821 is yours & yours alone".to_owned());
            self.note(whole_text(&sms)).await?;
            Ok(answer)
        })
    }

    fn receipt(&self, receipt: Receipt) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(self.note(format!("{receipt:?}")))
    }

    fn recording(&self, recording: Recording) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(self.note(format!("{recording:?}")))
    }
}

/// Everything in a turn; what is printed of one leaves out numbers and keys.
fn whole_turn(turn: &Turn) -> String {
    let Turn { carrier, path, query, call_sid, from, to, digits, .. } = turn;
    let Turn { recording_url, recording_seconds, bridge, waited, answered_by, .. } = turn;
    format!(
        "Turn {{ carrier: {carrier:?}, path: {path:?}, query: {query:?}, call_sid: {call_sid:?}, from: {from:?}, \
         to: {to:?}, digits: {digits:?}, recording_url: {recording_url:?}, recording_seconds: {recording_seconds:?}, \
         bridge: {bridge:?}, waited: {waited:?}, answered_by: {answered_by:?} }}"
    )
}

fn whole_text(sms: &InboundSms) -> String {
    let InboundSms { carrier, sid, from, to, body } = sms;
    format!("InboundSms {{ carrier: {carrier:?}, sid: {sid:?}, from: {from:?}, to: {to:?}, body: {body:?} }}")
}

const PUBLIC: &str = "https://oncall.example.com/pager";
const TOKEN: &str = "token";

struct World {
    router: Router,
    notes: Notes,
    _folder: tempfile::TempDir,
}

async fn world() -> World {
    let twilio = TwilioSettings {
        account_sid: "AC1".into(),
        auth_token: TOKEN.to_owned().into(),
        previous_auth_token: Some("previous".to_owned().into()),
        base_url: "http://127.0.0.1:1".into(),
        from: vec!["+12015550100".into(), "+12015550101".into()],
        ring_seconds: 22,
    };
    let handsets = HandsetsSettings { from: "+12015550199".into(), ring_seconds: 22 };
    let settings = Settings {
        public_url: PUBLIC.into(),
        carriers: BTreeMap::from([
            ("main".into(), CarrierSettings::Twilio(twilio)),
            ("handsets".into(), CarrierSettings::Handsets(handsets)),
        ]),
        ..Settings::default()
    };
    let (app, _, folder) = App::for_test(settings, "2026-11-18T03:00:00Z", Config::default(), vec![]).await;
    let notes = Notes::default();
    let board = notes.clone();
    let router = routes(move |_| Arc::new(board.clone())).with_state(app);
    World { router, notes, _folder: folder }
}

fn sign(token: &str, url: &str, form: &str) -> String {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    let mut pairs = super::form(form.as_bytes());
    pairs.sort();
    for (name, value) in pairs {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

impl World {
    async fn post(&self, path: &str, signature: Option<&str>, body: String) -> (u16, String, String) {
        let mut request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        if let Some(signature) = signature {
            request = request.header("X-Twilio-Signature", signature);
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let kind = response.headers().get("content-type").map_or(String::new(), |kind| kind.to_str().unwrap().into());
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 100_000).await.unwrap();
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    /// As Twilio would, to the public URL; something before us takes the prefix `/pager` off.
    async fn twilio(&self, path: &str, form: &str) -> (u16, String, String) {
        let signature = sign(TOKEN, &format!("{PUBLIC}{path}"), form);
        self.post(path, Some(&signature), form.into()).await
    }
}

#[tokio::test]
async fn a_new_call_becomes_a_turn_and_its_answer_twiml() {
    let world = world().await;
    let form = "CallSid=CA1&AccountSid=AC1&From=%2B12015550123&To=%2B12015550101&CallStatus=ringing&Direction=inbound";
    let (status, kind, body) = world.twilio("/carriers/main/voice", form).await;
    assert_eq!((status, kind.as_str()), (200, "text/xml; charset=utf-8"));
    insta::assert_snapshot!(body, @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Say language="en-US">Hello.</Say></Response>"#);
    insta::assert_snapshot!(world.notes.taken().join("\n"), @r#"Turn { carrier: "main", path: "voice", query: [], call_sid: "CA1", from: "+12015550123", to: "+12015550101", digits: None, recording_url: None, recording_seconds: None, bridge: None, waited: None, answered_by: None }"#);
}

#[tokio::test]
async fn a_step_of_a_call_keeps_the_path_and_query_we_gave() {
    let world = world().await;
    for (form, expected) in [
        ("CallSid=CA1&Digits=%2A", r#"digits: Some("*")"#),
        ("CallSid=CA1&Digits=&FinishedOnKey=", "digits: None"),
        (
            "CallSid=CA1&Digits=hangup&RecordingUrl=https%3A%2F%2Fapi%2Fr&RecordingDuration=7",
            "digits: None, recording_url: Some(\"https://api/r\"), recording_seconds: Some(7)",
        ),
        ("CallSid=CA1&RecordingUrl=file%3A%2F%2F%2Fetc%2Fpasswd", "recording_url: None"),
        (
            "CallSid=CA1&DialCallStatus=completed&DialCallSid=CA2&DialCallDuration=41",
            r#"bridge: Some(Bridge { sid: Some("CA2"), completed: true, seconds: 41 })"#,
        ),
        ("CallSid=CA1&DialCallStatus=completed&DialBridged=false", "completed: false, seconds: 0"),
        ("CallSid=CA1&DialCallStatus=no-answer", "bridge: Some(Bridge { sid: None, completed: false, seconds: 0 })"),
        (
            "CallSid=CA1&DialCallStatus=answered&DialCallDuration=61",
            "bridge: Some(Bridge { sid: None, completed: true, seconds: 61 })",
        ),
        ("CallSid=CA1&QueueResult=bridged&QueueTime=22", "waited: Some(Waited { bridged: true, seconds: 22 })"),
        ("CallSid=CA1&QueueResult=leave&QueueTime=300", "waited: Some(Waited { bridged: false, seconds: 300 })"),
        ("CallSid=CA1&QueueResult=queue-full", "waited: Some(Waited { bridged: false, seconds: 0 })"),
        ("CallSid=CA1&AnsweredBy=machine_start", "answered_by: Some(Machine)"),
    ] {
        let (status, ..) = world.twilio("/carriers/main/voice/page?a=att_1&n=1%202", form).await;
        assert_eq!(status, 200, "{form}");
        let turn = world.notes.taken().join("\n");
        assert!(turn.contains(expected), "{form}: {turn}");
        assert!(turn.contains(r#"path: "voice/page", query: [("a", "att_1"), ("n", "1 2")]"#), "{turn}");
    }
}

#[tokio::test]
async fn a_forged_request_is_refused_without_being_looked_at() {
    let world = world().await;
    let (path, form) = ("/carriers/main/voice", "CallSid=CA1&From=%2B12015550123");
    let url = format!("{PUBLIC}{path}");
    for signature in [
        None,
        Some(String::new()),
        Some(sign("wrong", &url, form)),
        Some(sign(TOKEN, &format!("https://evil.example.com{path}"), form)),
        Some(sign(TOKEN, &url, "CallSid=CA2&From=%2B12015550123")),
    ] {
        let (status, _, body) = world.post(path, signature.as_deref(), form.into()).await;
        assert_eq!((status, body.as_str()), (403, ""), "{signature:?}");
    }
    assert!(world.notes.taken().is_empty());
    // While a token is being changed, both are good.
    let (status, ..) = world.post(path, Some(&sign("previous", &url, form)), form.into()).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn there_is_a_door_only_for_a_twilio_carrier_and_only_for_small_posts() {
    let world = world().await;
    assert_eq!(world.twilio("/carriers/nobody/voice", "CallSid=CA1").await.0, 404);
    assert_eq!(world.twilio("/carriers/handsets/voice", "CallSid=CA1").await.0, 404);
    assert_eq!(world.twilio("/carriers/main/else", "CallSid=CA1").await.0, 404);
    assert_eq!(world.twilio("/carriers/main/voice", &"x".repeat(LARGEST_BODY + 1)).await.0, 413);
    assert!(world.notes.taken().is_empty());
}

#[tokio::test]
async fn what_is_written_to_us_is_answered_with_a_text_or_with_nothing() {
    let world = world().await;
    let form = |body: &str| format!("MessageSid=SM1&From=%2B12015550123&To=%2B12015550100&Body={body}&NumMedia=0");
    let (status, _, body) = world.twilio("/carriers/main/sms", &form("4821+4+%F0%9F%91%8D")).await;
    assert_eq!(status, 200);
    insta::assert_snapshot!(body, @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Message>4821 is yours &amp; yours alone</Message></Response>"#);
    insta::assert_snapshot!(world.notes.taken().join("\n"), @r#"InboundSms { carrier: "main", sid: "SM1", from: "+12015550123", to: "+12015550100", body: "4821 4 👍" }"#);
    let (_, _, body) = world.twilio("/carriers/main/sms", &form("STOP")).await;
    assert!(body.ends_with("<Response/>"), "{body}");
    assert_eq!(world.twilio("/carriers/main/sms", "Body=x").await.0, 400);
}

#[tokio::test]
async fn receipts_find_their_attempt_by_the_url_and_are_answered_without_a_body() {
    let world = world().await;
    for (path, form, expected) in [
        (
            "/carriers/main/status?a=att_1&c=sms",
            "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005&SmsSid=SM1&SmsStatus=undelivered",
            r#"attempt: Some("att_1"), sid: "SM1", channel: Sms, status: Some(Undelivered), answered_by: None, error_code: Some("30005"), seconds: None"#,
        ),
        (
            "/carriers/main/status?a=att_1&c=voice",
            "CallSid=CA1&CallStatus=in-progress&SequenceNumber=2&CallDuration=0",
            r#"sid: "CA1", channel: Voice, status: Some(InProgress), answered_by: None, error_code: None, seconds: None"#,
        ),
        (
            "/carriers/main/status?a=att_1&c=voice",
            "CallSid=CA1&CallStatus=failed&SipResponseCode=480&CallDuration=0",
            "status: Some(NoAnswer), answered_by: None, error_code: None, seconds: Some(0)",
        ),
        (
            "/carriers/main/status",
            "CallSid=CA1&CallStatus=completed&CallDuration=33&Direction=inbound",
            r#"attempt: None, sid: "CA1", channel: Voice, status: Some(Completed), answered_by: None, error_code: None, seconds: Some(33)"#,
        ),
        (
            "/carriers/main/amd?a=att_1",
            "CallSid=CA1&AnsweredBy=machine_start&MachineDetectionDuration=2100",
            r#"attempt: Some("att_1"), sid: "CA1", channel: Voice, status: None, answered_by: Some(Machine)"#,
        ),
        (
            "/carriers/main/recording?c=cal_1",
            "CallSid=CA1&RecordingStatus=completed&RecordingUrl=https%3A%2F%2Fapi%2Fr",
            r#"call_sid: "CA1", query: [("c", "cal_1")], url: Some("https://api/r"), transcript: None"#,
        ),
        (
            "/carriers/main/transcription?c=cal_1",
            "CallSid=CA1&TranscriptionStatus=completed&TranscriptionText=All+is+down.&RecordingUrl=https%3A%2F%2Fapi%2Fr",
            r#"url: Some("https://api/r"), transcript: Some("All is down.")"#,
        ),
    ] {
        let (status, _, body) = world.twilio(path, form).await;
        assert_eq!((status, body.as_str()), (204, ""), "{form}");
        let noted = world.notes.taken().join("\n");
        assert!(noted.contains(expected), "{form}: {noted}");
    }
}

#[tokio::test]
async fn what_says_nothing_is_thanked_for_and_forgotten() {
    let world = world().await;
    for (path, form) in [
        ("/carriers/main/status?a=att_1&c=sms", "MessageSid=SM1&MessageStatus=holding-hands"),
        ("/carriers/main/status?a=att_1&c=sms", "MessageStatus=sent"),
        ("/carriers/main/status", "MessageSid=SM1&MessageStatus=sent"),
        ("/carriers/main/status", "CallSid=CA1&CallStatus=in-progress"),
        ("/carriers/main/amd?a=att_1", "CallSid=CA1"),
        ("/carriers/main/recording?c=cal_1", "CallSid=CA1&RecordingStatus=in-progress&RecordingUrl=https%3A%2F%2Fr"),
        ("/carriers/main/transcription?c=cal_1", "CallSid=CA1&TranscriptionStatus=failed"),
    ] {
        assert_eq!(world.twilio(path, form).await.0, 204, "{form}");
        assert!(world.notes.taken().is_empty(), "{form}");
    }
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_recorded() {
    let world = world().await;
    *world.notes.mood.lock().unwrap() = Mood::Unavailable;
    for (path, form) in [
        ("/carriers/main/voice", "CallSid=CA1"),
        ("/carriers/main/sms", "MessageSid=SM1&Body=ack"),
        ("/carriers/main/status?a=att_1&c=sms", "MessageSid=SM1&MessageStatus=sent"),
        ("/carriers/main/amd?a=att_1", "CallSid=CA1&AnsweredBy=human"),
        ("/carriers/main/recording?c=cal_1", "CallSid=CA1&RecordingUrl=https%3A%2F%2Fr"),
    ] {
        let (status, _, body) = world.twilio(path, form).await;
        assert_eq!((status, body.as_str()), (503, ""), "{path}");
    }
}

#[tokio::test]
async fn a_caller_does_not_wait_for_a_sleeping_database() {
    let world = world().await;
    *world.notes.mood.lock().unwrap() = Mood::Asleep;
    let begun = std::time::Instant::now();
    assert_eq!(world.twilio("/carriers/main/voice", "CallSid=CA1").await.0, 503);
    assert!(begun.elapsed() < Duration::from_secs(9));
}

#[test]
fn the_public_url_is_the_same_whether_or_not_its_prefix_was_taken_off() {
    for (public_url, asked, url) in [
        ("https://h", "/carriers/m/voice?a=1", "https://h/carriers/m/voice?a=1"),
        ("https://h:8443/", "/carriers/m/voice", "https://h:8443/carriers/m/voice"),
        ("https://h/pager", "/carriers/m/voice", "https://h/pager/carriers/m/voice"),
        ("https://h/pager", "/pager/carriers/m/voice", "https://h/pager/carriers/m/voice"),
        ("https://h/carriers", "/carriers/m/voice", "https://h/carriers/carriers/m/voice"),
        ("https://h/carriers", "/carriers/carriers/m/voice", "https://h/carriers/carriers/m/voice"),
    ] {
        assert_eq!(public(public_url, asked), url);
    }
}
