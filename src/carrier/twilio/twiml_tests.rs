use proptest::prelude::*;
use quick_xml::{Reader, events::Event};

use super::*;
use crate::people::E164;

const LINE: Line<'static> = Line { doors: "https://oncall.example.com/carriers/main", caller_id: Some("+12015550100") };

fn action(text: &str) -> Action {
    Action(text.into())
}

/// One element a line, for people.
fn shown(document: &Document) -> String {
    render(document, LINE).replace("><", ">\n<")
}

#[test]
fn a_page_is_spoken_inside_a_gather_that_goes_on_even_without_a_key() {
    let say = |text: &str| Verb::Say { text: text.into(), language: "en".into() };
    let document = Document::default().then(Verb::Gather {
        prompts: vec![say("Acme <on-call> & \"you\"."), Verb::Pause(1), say("Press 4."), Verb::Hangup],
        digits: Digits::One,
        timeout: 8,
        action: action("voice/page?a=att_1&n=1"),
    });
    insta::assert_snapshot!(shown(&document), @r##"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Gather input="dtmf" numDigits="1" timeout="8" finishOnKey="" actionOnEmptyResult="true" action="https://oncall.example.com/carriers/main/voice/page?a=att_1&amp;n=1" method="POST">
    <Say language="en-US">Acme &lt;on-call&gt; &amp; &quot;you&quot;.</Say>
    <Pause length="1"/>
    <Say language="en-US">Press 4.</Say>
    </Gather>
    </Response>
    "##);
}

#[test]
fn keys_are_read_up_to_a_hash() {
    let document = Document::default().then(Verb::Gather {
        prompts: vec![],
        digits: Digits::UpTo(15),
        timeout: 0,
        action: action("voice/number"),
    });
    insta::assert_snapshot!(shown(&document), @r##"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Gather input="dtmf" numDigits="15" timeout="1" finishOnKey="#" actionOnEmptyResult="true" action="https://oncall.example.com/carriers/main/voice/number" method="POST">
    </Gather>
    </Response>
    "##);
}

#[test]
fn a_recording_goes_on_though_nothing_was_heard_and_its_words_come_later() {
    let document = Document::default().say("de", "Was ist los?").then(Verb::Record {
        max_seconds: 90,
        action: action("voice/said?c=cal_1"),
        transcript: Some(action("transcription?c=cal_1&step=2")),
    });
    insta::assert_snapshot!(shown(&document), @r##"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Say language="de-DE">Was ist los?</Say>
    <Record action="https://oncall.example.com/carriers/main/voice/said?c=cal_1" method="POST" maxLength="90" playBeep="true" timeout="5" finishOnKey="1234567890*#" recordingStatusCallback="https://oncall.example.com/carriers/main/recording?c=cal_1" recordingStatusCallbackMethod="POST" transcribe="true" transcribeCallback="https://oncall.example.com/carriers/main/transcription?c=cal_1&amp;step=2"/>
    <Redirect method="POST">https://oncall.example.com/carriers/main/voice/said?c=cal_1</Redirect>
    </Response>
    "##);
}

#[test]
fn a_bridge_shows_our_own_number_to_both_sides() {
    let document = Document::default().then(Verb::Dial {
        to: E164::parse("+12015550123").unwrap(),
        ring: 20,
        limit_seconds: 3600,
        action: action("voice/bridged?c=cal_1"),
    });
    insta::assert_snapshot!(shown(&document), @r##"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Dial action="https://oncall.example.com/carriers/main/voice/bridged?c=cal_1" method="POST" timeout="20" timeLimit="3600" answerOnBridge="true" callerId="+12015550100">
    <Number>+12015550123</Number>
    </Dial>
    </Response>
    "##);
}

#[test]
fn a_caller_waits_in_a_queue_and_goes_on_at_one_place_whichever_way_they_leave_it() {
    let document = Document::default().then(Verb::Enqueue {
        queue: "inc_1 & co".into(),
        hold: action("voice/hold"),
        action: action("voice/wait?n=2"),
    });
    insta::assert_snapshot!(shown(&document), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Enqueue waitUrl="https://oncall.example.com/carriers/main/voice/hold" waitUrlMethod="POST" action="https://oncall.example.com/carriers/main/voice/wait?n=2" method="POST">inc_1 &amp; co</Enqueue>
    <Redirect method="POST">https://oncall.example.com/carriers/main/voice/wait?n=2</Redirect>
    </Response>
    "#);
    insta::assert_snapshot!(shown(&Document::default().say("en", "Wait.").then(Verb::Leave)), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Say language="en-US">Wait.</Say>
    <Leave/>
    </Response>
    "#);
}

#[test]
fn a_queue_is_answered_and_the_one_who_waited_hears_of_it_first() {
    let document = Document::default().then(Verb::Answer {
        queue: "inc_1".into(),
        patience: 20,
        limit_seconds: 3600,
        connect: action("voice/connected"),
        action: action("voice/page/talked?a=att_1"),
    });
    insta::assert_snapshot!(shown(&document), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Dial action="https://oncall.example.com/carriers/main/voice/page/talked?a=att_1" method="POST" timeout="20" timeLimit="3600">
    <Queue url="https://oncall.example.com/carriers/main/voice/connected" method="POST">inc_1</Queue>
    </Dial>
    </Response>
    "#);
}

#[test]
fn a_call_is_sent_on_ended_or_refused() {
    let document =
        Document::default().then(Verb::Redirect(action("voice/next?a=1&b=2"))).then(Verb::Hangup).then(Verb::Reject);
    insta::assert_snapshot!(shown(&document), @r##"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Redirect method="POST">https://oncall.example.com/carriers/main/voice/next?a=1&amp;b=2</Redirect>
    <Hangup/>
    <Reject reason="busy"/>
    </Response>
    "##);
}

#[test]
fn a_text_is_answered_with_one_or_with_nothing() {
    insta::assert_snapshot!(message(Some("4821: taken by Ana & Bo <3")), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Message>4821: taken by Ana &amp; Bo &lt;3</Message></Response>"#);
    insta::assert_snapshot!(message(None), @r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#);
    assert_eq!(message(Some("\u{7}")), message(None));
}

#[test]
fn a_language_that_is_none_is_left_out() {
    for language in ["", "e", "en\" x=\"1", "<b>"] {
        assert!(render(&Document::default().say(language, "Hello."), LINE).contains("<Say>Hello.</Say>"), "{language}");
    }
}

#[test]
fn a_long_speech_is_cut() {
    let text = render(&Document::default().say("en-GB", "ä".repeat(5000)), LINE);
    assert_eq!(text.matches('ä').count(), 4096);
}

/// Reads it with a parser of its own: the words of every Say, or why it is not well-formed.
fn heard(xml: &str) -> Result<Vec<String>, String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let (mut words, mut depth) = (Vec::new(), 0);
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                depth += 1;
                for attribute in start.attributes() {
                    attribute.map_err(|error| error.to_string())?;
                }
                if start.name().as_ref() == "Say" {
                    words.push(String::new());
                }
            }
            Event::End(_) => depth -= 1,
            Event::Text(text) => {
                if let Some(last) = words.last_mut() {
                    last.push_str(&text);
                }
            }
            Event::GeneralRef(name) => {
                let c = match &*name {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    other => return Err(format!("&{other};")),
                };
                if let Some(last) = words.last_mut() {
                    last.push(c);
                }
            }
            Event::Eof if depth == 0 => return Ok(words),
            Event::Eof => return Err("open elements".into()),
            Event::Decl(_) | Event::Empty(_) => {}
            other => return Err(format!("{other:?}")),
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_said_is_well_formed_and_heard_as_it_was_written(
        text in any::<String>(),
        markup in "[<>&'\"a-c/! \\[\\]-]{0,60}",
        language in any::<String>(),
    ) {
        let said = format!("{text}{markup}.");
        let xml = render(&Document::default().say(&language, said.clone()), LINE);
        let expected = clean(&said.replace(['\n', '\r', '\t'], " "), MOST_SPOKEN);
        prop_assert_eq!(heard(&xml), Ok(vec![expected]));
    }

    #[test]
    fn whatever_a_link_holds_is_well_formed(text in any::<String>()) {
        let document = Document::default()
            .then(Verb::Redirect(Action(text.clone())))
            .then(Verb::Record { max_seconds: 5, action: Action(text.clone()), transcript: Some(Action(text)) });
        prop_assert!(heard(&render(&document, LINE)).is_ok());
    }
}
