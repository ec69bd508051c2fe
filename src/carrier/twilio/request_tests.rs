use super::*;
use crate::{
    carrier::{Action, ErrorClass},
    people::E164,
};

const DOORS: &str = "https://oncall.example.com/carriers/main";

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn sent(channel: Channel) -> Sent {
    Sent {
        attempt: "att_1".into(),
        channel,
        to: E164::parse("+12015550123").unwrap(),
        body: Some("4821 P1 Acme: all down".into()),
        since: at("2026-11-18T00:00:01Z"),
    }
}

fn lines(form: &Form) -> String {
    form.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

#[test]
fn a_text_names_its_attempt_and_does_not_outlive_its_step() {
    let text = |seconds| Sms {
        attempt: "att_1".into(),
        to: E164::parse("+12015550123").unwrap(),
        body: "4821 P1 Acme: all down".into(),
        validity: TimeDelta::seconds(seconds),
    };
    insta::assert_snapshot!(lines(&sms(DOORS, "+12015550100", &text(300))), @r#"
    To=+12015550123
    From=+12015550100
    Body=4821 P1 Acme: all down
    StatusCallback=https://oncall.example.com/carriers/main/status?a=att_1&c=sms
    ValidityPeriod=300
    "#);
    for (asked, given) in [(5, "60"), (-5, "60"), (300, "300"), (90_000, "36000")] {
        let form = sms(DOORS, "+12015550100", &text(asked));
        assert_eq!(form.last().unwrap(), &("ValidityPeriod", given.to_owned()));
    }
}

#[test]
fn a_call_asks_for_every_event_once_and_does_not_wait_for_machine_detection() {
    let call = Call {
        attempt: "att_1".into(),
        to: E164::parse("+12015550123").unwrap(),
        ring: TimeDelta::seconds(22),
        action: Action("voice/page?a=att_1".into()),
    };
    insta::assert_snapshot!(lines(&super::call(DOORS, "+12015550100", &call)), @r#"
    To=+12015550123
    From=+12015550100
    Url=https://oncall.example.com/carriers/main/voice/page?a=att_1
    Method=POST
    FallbackUrl=https://oncall.example.com/carriers/main/voice/page?a=att_1
    FallbackMethod=POST
    Timeout=22
    StatusCallback=https://oncall.example.com/carriers/main/status?a=att_1&c=voice
    StatusCallbackMethod=POST
    StatusCallbackEvent=initiated
    StatusCallbackEvent=ringing
    StatusCallbackEvent=answered
    StatusCallbackEvent=completed
    MachineDetection=Enable
    AsyncAmd=true
    AsyncAmdStatusCallback=https://oncall.example.com/carriers/main/amd?a=att_1
    AsyncAmdStatusCallbackMethod=POST
    "#);
}

#[test]
fn a_listing_asks_for_the_day_in_utc_with_the_skew_taken_off() {
    insta::assert_snapshot!(listing("+12015550100", &sent(Channel::Sms)), @r#"To=%2B12015550123&From=%2B12015550100&DateSent%3E=2026-11-17&PageSize=100"#);
    insta::assert_snapshot!(listing("+12015550100", &sent(Channel::Voice)), @r#"To=%2B12015550123&From=%2B12015550100&StartTime%3E=2026-11-17&PageSize=100"#);
}

fn resource(sid: &str, created: &str, body: &str) -> Resource {
    Resource {
        sid: Some(sid.into()),
        status: Some("sent".into()),
        body: Some(body.into()),
        date_created: Some(created.into()),
        ..Resource::default()
    }
}

#[test]
fn a_lost_text_is_found_by_its_words_and_its_second_within_the_day() {
    let ours = "4821 P1 Acme: all down";
    let page = Page {
        messages: vec![
            resource("SM6", "Wed, 18 Nov 2026 00:20:00 +0000", ours),
            resource("SM5", "Wed, 18 Nov 2026 00:00:05 +0000", ours),
            resource(
                "SM4",
                "Wed, 18 Nov 2026 00:00:02 +0000",
                &format!("Sent from your Twilio trial account - {ours}"),
            ),
            resource("SM3", "Wed, 18 Nov 2026 00:00:01 +0000", "4999 something else"),
            resource("SM2", "Tue, 17 Nov 2026 23:59:50 +0000", ours),
            Resource { date_created: None, ..resource("SM1", "", ours) },
        ],
        calls: vec![],
        next_page_uri: None,
    };
    let found = matching(&page, &sent(Channel::Sms)).unwrap();
    assert_eq!(found, Accepted { sid: "SM4".into(), status: Status::Sent });
    assert_eq!(matching(&page, &Sent { since: at("2026-11-18T00:30:00Z"), ..sent(Channel::Sms) }), None);
    assert_eq!(matching(&page, &Sent { body: Some("other".into()), ..sent(Channel::Sms) }), None);
    assert_eq!(matching(&page, &sent(Channel::Voice)), None);
}

#[test]
fn a_lost_call_is_the_first_one_placed_after_the_attempt_began() {
    let call = |sid, created| Resource { status: Some("ringing".into()), ..resource(sid, created, "") };
    let page = Page {
        messages: vec![],
        calls: vec![
            call("CA3", "Wed, 18 Nov 2026 00:05:00 +0000"),
            call("CA2", "Wed, 18 Nov 2026 00:00:00 +0000"),
            call("CA1", "Tue, 17 Nov 2026 23:55:00 +0000"),
        ],
        next_page_uri: None,
    };
    assert_eq!(matching(&page, &sent(Channel::Voice)), Some(Accepted { sid: "CA2".into(), status: Status::Ringing }));
}

#[test]
fn an_answer_is_taken_refused_or_unknown() {
    let ask = |http, body: &str| understand(http, Some(TimeDelta::seconds(7)), body.as_bytes());
    for http in [200, 201, 202] {
        assert_eq!(
            ask(http, r#"{"sid":"SM1","status":"queued","error_code":null}"#),
            Ok(Accepted { sid: "SM1".into(), status: Status::Queued })
        );
    }
    let refused = ask(201, r#"{"sid":"SM1","status":"failed","error_code":30006}"#).unwrap_err();
    assert_eq!((refused.class, refused.code.as_deref()), (ErrorClass::PermanentContact, Some("30006")));
    assert_eq!(ask(201, "<html>").unwrap_err().class, ErrorClass::Ambiguous);
    assert_eq!(ask(201, r#"{"status":"queued"}"#).unwrap_err().class, ErrorClass::Ambiguous);
    assert_eq!(ask(502, "<html>Bad gateway").unwrap_err().class, ErrorClass::Ambiguous);
    assert_eq!(ask(307, "").unwrap_err().class, ErrorClass::PermanentConfig);
    let wait = Some(TimeDelta::seconds(7));
    assert_eq!(
        ask(429, r#"{"code":20429,"message":"x"}"#).unwrap_err().class,
        ErrorClass::Transient { retry_after: wait }
    );
    let refused =
        ask(400, r#"{"code":"21211","message":"The 'To' number +1 (201) 555-0123 is not valid","status":400}"#);
    let refused = refused.unwrap_err();
    assert_eq!(refused.class, ErrorClass::PermanentContact);
    insta::assert_snapshot!(refused, @r#"error 21211: The 'To' number (a number) is not valid"#);
}

#[test]
fn no_phone_number_is_left_in_a_message() {
    assert_eq!(without_numbers("From +14155550100."), "From (a number)");
    assert_eq!(without_numbers("Body over 1600 characters, error 21617"), "Body over 1600 characters, error 21617");
    assert_eq!(without_numbers("a\nb"), "a b");
    assert!(without_numbers(&"x".repeat(5000)).len() <= 300);
}

#[test]
fn a_wait_is_read_in_seconds_and_no_longer_than_an_hour() {
    assert_eq!(retry_after(Some("3")), Some(TimeDelta::seconds(3)));
    assert_eq!(retry_after(Some("999999")), Some(TimeDelta::hours(1)));
    for odd in [None, Some("-1"), Some("Wed, 18 Nov 2026 00:05:00 GMT"), Some("99999999999")] {
        assert_eq!(retry_after(odd), None);
    }
}

#[test]
fn an_account_in_good_standing_may_send_and_no_failure_to_ask_is_unclear() {
    let transient = ErrorClass::Transient { retry_after: None };
    for (http, body, class) in [
        (200, r#"{"sid":"AC1","status":"active","type":"Full"}"#, None),
        (200, r#"{"sid":"AC1","status":"suspended"}"#, Some(ErrorClass::PermanentConfig)),
        (200, "<html>", Some(transient)),
        (401, r#"{"code":20003,"message":"Authenticate","status":401}"#, Some(ErrorClass::PermanentConfig)),
        (503, "", Some(transient)),
    ] {
        assert_eq!(standing(http, None, body.as_bytes()).err().map(|error| error.class), class, "{http} {body}");
    }
}

#[test]
fn a_list_is_read_on_until_it_is_older_than_the_attempt() {
    let began = sent(Channel::Sms).since;
    let page = |oldest: TimeDelta, next: Option<&str>| Page {
        messages: vec![Resource { date_created: Some((began + oldest).to_rfc2822()), ..Resource::default() }],
        next_page_uri: next.map(Into::into),
        ..Page::default()
    };
    let next = "/2010-04-01/Accounts/AC1/Messages.json?Page=1";
    let goes_on = |page: Page| older(&page, &sent(Channel::Sms)).map(str::to_owned);
    assert_eq!(goes_on(page(TimeDelta::minutes(3), Some(next))).as_deref(), Some(next));
    assert_eq!(goes_on(page(TimeDelta::minutes(-3), Some(next))), None, "what follows is older still");
    assert_eq!(goes_on(page(TimeDelta::minutes(3), None)), None);
}
