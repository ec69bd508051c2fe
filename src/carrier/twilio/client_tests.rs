use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::TimeDelta;

use super::*;
use crate::carrier::{Action, Status, form};

/// What was asked: method, path and query, authorization, form.
#[derive(Clone, Debug)]
struct Seen {
    asked: String,
    authorization: String,
    form: Vec<(String, String)>,
}

impl Seen {
    fn all(&self, name: &str) -> Vec<&str> {
        self.form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// Status, `Retry-After` or `Location`, body.
type Scripted = (u16, &'static str, &'static str);

#[derive(Clone, Default)]
struct Emulator {
    seen: Arc<Mutex<Vec<Seen>>>,
    /// With none left it hangs.
    answers: Arc<Mutex<VecDeque<Scripted>>>,
}

impl Emulator {
    async fn start(answers: &[Scripted]) -> (Emulator, Twilio) {
        let emulator = Emulator::default();
        emulator.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/emulator/", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(emulator.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (emulator, twilio(&base))
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer(
    State(emulator): State<Emulator>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    emulator.seen.lock().unwrap().push(Seen {
        asked: format!("{method} {uri}"),
        authorization: headers["authorization"].to_str().unwrap().into(),
        form: form(&body),
    });
    let next = emulator.answers.lock().unwrap().pop_front();
    let Some((status, retry_after, body)) = next else { return std::future::pending().await };
    let response = Response::builder().status(status).header("content-type", "application/json");
    let response = match retry_after {
        "" => response,
        place if place.starts_with('/') => response.header("location", place),
        seconds => response.header("retry-after", seconds),
    };
    response.body(Body::from(body)).unwrap()
}

fn settings(base_url: &str) -> TwilioSettings {
    TwilioSettings {
        account_sid: "AC00000000000000000000000000000001".into(),
        auth_token: "token".to_owned().into(),
        previous_auth_token: None,
        base_url: base_url.into(),
        from: vec!["+12015550100".into(), "+12015550101".into()],
        ring_seconds: 22,
    }
}

fn twilio(base_url: &str) -> Twilio {
    let mut twilio = Twilio::new("main".into(), &settings(base_url), "https://oncall.example.com/").unwrap();
    // Tests do not wait ten seconds.
    twilio.http = reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(Duration::from_millis(700))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    twilio
}

fn sms() -> Sms {
    Sms {
        attempt: "att_1".into(),
        to: E164::parse("+12015550123").unwrap(),
        body: "4821 P1 Acme: ça ne marche plus & rien".into(),
        validity: TimeDelta::minutes(5),
    }
}

fn call() -> Call {
    Call {
        attempt: "att_1".into(),
        to: E164::parse("+12015550123").unwrap(),
        ring: TimeDelta::seconds(22),
        action: Action("voice/page?a=att_1".into()),
    }
}

const TAKEN: Scripted = (201, "", r#"{"sid":"SM1","status":"queued","error_code":null}"#);

#[tokio::test]
async fn a_text_is_posted_with_the_accounts_name_and_password() {
    let (emulator, twilio) = Emulator::start(&[TAKEN]).await;
    let accepted = twilio.send_sms(&sms()).await.unwrap();
    assert_eq!(accepted, Accepted { sid: "SM1".into(), status: Status::Queued });
    let seen = emulator.seen();
    let expected = BASE64_STANDARD.encode("AC00000000000000000000000000000001:token");
    assert_eq!(seen[0].authorization, format!("Basic {expected}"));
    assert_eq!(seen[0].asked, "POST /emulator/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json");
    assert_eq!(seen[0].all("To"), ["+12015550123"]);
    assert_eq!(seen[0].all("From"), ["+12015550100"]);
    assert_eq!(seen[0].all("Body"), ["4821 P1 Acme: ça ne marche plus & rien"]);
    assert_eq!(seen[0].all("StatusCallback"), ["https://oncall.example.com/carriers/main/status?a=att_1&c=sms"]);
}

#[tokio::test]
async fn a_call_is_posted_with_one_field_an_event() {
    let (emulator, twilio) = Emulator::start(&[(201, "", r#"{"sid":"CA1","status":"queued"}"#)]).await;
    assert_eq!(twilio.place_call(&call()).await.unwrap().sid, "CA1");
    let seen = emulator.seen();
    assert_eq!(seen[0].asked, "POST /emulator/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls.json");
    assert_eq!(seen[0].all("StatusCallbackEvent"), ["initiated", "ringing", "answered", "completed"]);
    assert_eq!(seen[0].all("Url"), ["https://oncall.example.com/carriers/main/voice/page?a=att_1"]);
    assert_eq!(seen[0].all("Timeout"), ["22"]);
}

#[tokio::test]
async fn a_refused_connection_was_never_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = twilio(&base).send_sms(&sms()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Transient { retry_after: None });
    assert!(error.message.starts_with("cannot connect to the carrier"), "{error}");
    assert!(!error.message.contains("AC0000"), "{error}");
}

#[tokio::test]
async fn a_handshake_that_never_ends_was_never_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut twilio = twilio(&format!("https://{}", listener.local_addr().unwrap()));
    let impatient = Duration::from_millis(200);
    twilio.http = reqwest::Client::builder().no_proxy().connect_timeout(impatient).timeout(TOTAL).build().unwrap();
    let error = twilio.send_sms(&sms()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Transient { retry_after: None }, "{error}");
}

#[tokio::test]
async fn silence_and_server_errors_may_have_been_carried_out() {
    let (_, twilio) = Emulator::start(&[]).await;
    let error = twilio.send_sms(&sms()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Ambiguous, "{error}");
    for status in [500, 502, 503, 504] {
        let (emulator, twilio) = Emulator::start(&[(status, "", "<html>")]).await;
        assert_eq!(twilio.send_sms(&sms()).await.unwrap_err().class, ErrorClass::Ambiguous, "{status}");
        assert_eq!(emulator.seen().len(), 1, "{status}: asked once");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_ambiguous() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::AsyncReadExt;
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 64]).await;
        }
    });
    assert_eq!(twilio(&base).send_sms(&sms()).await.unwrap_err().class, ErrorClass::Ambiguous);
}

#[tokio::test]
async fn too_many_requests_wait_as_long_as_asked() {
    let (_, twilio) =
        Emulator::start(&[(429, "3", r#"{"code":20429,"message":"Too Many Requests","status":429}"#)]).await;
    let error = twilio.place_call(&call()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Transient { retry_after: Some(TimeDelta::seconds(3)) });
    assert_eq!(error.code.as_deref(), Some("20429"));
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_our_password() {
    let (emulator, twilio) = Emulator::start(&[(307, "/elsewhere", ""), TAKEN]).await;
    assert_eq!(twilio.send_sms(&sms()).await.unwrap_err().class, ErrorClass::PermanentConfig);
    assert_eq!(emulator.seen().len(), 1);
}

#[tokio::test]
async fn another_of_our_numbers_is_used_when_the_first_is_at_fault() {
    let (emulator, twilio) =
        Emulator::start(&[(400, "", r#"{"code":21611,"message":"queue full","status":400}"#), TAKEN]).await;
    assert_eq!(twilio.send_sms(&sms()).await.unwrap().sid, "SM1");
    let senders: Vec<_> = emulator.seen().iter().map(|seen| seen.all("From")[0].to_owned()).collect();
    assert_eq!(senders, ["+12015550100", "+12015550101"]);
}

#[tokio::test]
async fn who_told_us_to_stop_is_not_asked_from_another_number() {
    let (emulator, twilio) =
        Emulator::start(&[(400, "", r#"{"code":21610,"message":"unsubscribed","status":400}"#), TAKEN]).await;
    assert_eq!(twilio.send_sms(&sms()).await.unwrap_err().class, ErrorClass::PermanentContact);
    assert_eq!(emulator.seen().len(), 1);
}

#[tokio::test]
async fn a_text_goes_out_without_receipts_rather_than_not_at_all() {
    let (emulator, twilio) =
        Emulator::start(&[(400, "", r#"{"code":21609,"message":"Invalid StatusCallback","status":400}"#), TAKEN]).await;
    assert_eq!(twilio.send_sms(&sms()).await.unwrap().sid, "SM1");
    assert!(emulator.seen()[1].all("StatusCallback").is_empty());
    assert_eq!(emulator.seen()[1].all("ValidityPeriod"), ["300"]);
}

#[tokio::test]
async fn hanging_up_a_call_that_is_over_is_no_error() {
    for (answer, ends) in [
        ((200, "", r#"{"sid":"CA1","status":"completed"}"#), true),
        ((400, "", r#"{"code":21220,"message":"Call is not in-progress. Cannot redirect.","status":400}"#), true),
        ((404, "", r#"{"code":20404,"message":"not found","status":404}"#), true),
        ((400, "", r#"{"code":21602,"message":"x","status":400}"#), false),
        ((500, "", ""), false),
    ] {
        let (emulator, twilio) = Emulator::start(&[answer]).await;
        assert_eq!(twilio.hang_up("CA1").await.is_ok(), ends, "{answer:?}");
        assert!(emulator.seen()[0].asked.ends_with("/Calls/CA1.json"));
        assert_eq!(emulator.seen()[0].all("Status"), ["completed"]);
    }
    let (emulator, twilio) = Emulator::start(&[]).await;
    assert!(twilio.hang_up("../Messages").await.is_err());
    assert!(emulator.seen().is_empty());
}

#[tokio::test]
async fn a_text_whose_answer_was_lost_is_looked_up_under_each_of_our_numbers() {
    let page = r#"{"page":0,"messages":[{"sid":"SM9","status":"delivered","body":"4821 P1 Acme: ça ne marche plus & rien",
        "date_created":"Wed, 18 Nov 2026 10:00:04 +0000"}]}"#;
    let (emulator, twilio) = Emulator::start(&[(200, "", r#"{"messages":[]}"#), (200, "", page)]).await;
    let sent = Sent {
        attempt: "att_1".into(),
        channel: Channel::Sms,
        to: sms().to,
        body: Some(sms().body),
        since: "2026-11-18T10:00:03.5Z".parse().unwrap(),
    };
    let found = twilio.look_up(&sent).await.unwrap();
    assert_eq!(found, Some(Accepted { sid: "SM9".into(), status: Status::Delivered }));
    let asked: Vec<_> = emulator.seen().iter().map(|seen| seen.asked.clone()).collect();
    let query = "?To=%2B12015550123&From=%2B12015550100&DateSent%3E=2026-11-18&PageSize=100";
    assert!(asked[0].starts_with("GET ") && asked[0].ends_with(query), "{}", asked[0]);
    assert!(asked[1].contains("From=%2B12015550101"), "{}", asked[1]);
}

#[tokio::test]
async fn a_lookup_that_fails_does_not_say_that_nothing_was_sent() {
    let (_, twilio) = Emulator::start(&[(500, "", "")]).await;
    let sent = Sent {
        attempt: "att_1".into(),
        channel: Channel::Voice,
        to: sms().to,
        body: None,
        since: "2026-11-18T10:00:00Z".parse().unwrap(),
    };
    assert!(twilio.look_up(&sent).await.is_err());
}

#[test]
fn settings_that_cannot_work_are_refused_when_the_process_starts() {
    let public = "https://oncall.example.com";
    // TLS is there: a client for the real API can be made.
    assert!(Twilio::new("main".into(), &settings("https://api.twilio.com"), public).is_ok());
    for base in ["api.twilio.com", "ftp://api.twilio.com", "https://api.twilio.com/?x=1", "https://u:p@h/"] {
        assert!(Twilio::new("main".into(), &settings(base), public).is_err(), "{base}");
    }
    assert!(Twilio::new("a/b".into(), &settings("https://api.twilio.com"), public).is_err());
    for broken in [
        TwilioSettings { from: vec![], ..settings("https://api.twilio.com") },
        TwilioSettings { from: vec!["12015550100".into()], ..settings("https://api.twilio.com") },
        TwilioSettings { account_sid: "AC/..".into(), ..settings("https://api.twilio.com") },
        TwilioSettings { auth_token: String::new().into(), ..settings("https://api.twilio.com") },
    ] {
        assert!(Twilio::new("main".into(), &broken, public).is_err());
    }
}

#[test]
fn a_receipts_code_has_a_meaning_to_the_carrier_that_sent_them() {
    let twilio = twilio("https://api.twilio.com");
    assert_eq!(twilio.meaning("30005"), Some(ErrorClass::PermanentContact));
    assert_eq!(twilio.meaning("nonsense"), None);
}
