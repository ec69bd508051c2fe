//! Whole calls, as the caller hears them. `>` is the caller, `!` what is done meanwhile.

use insta::assert_snapshot;

use super::*;

#[test]
fn a_known_caller_whose_business_stopped_is_promised_a_call() {
    let line = Line::from(ACME).ring().press("1").press("1").say("name").say("words");
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 1
    ! opens P1 "Business stopped, told by phone" for Acme with payments, +442079460958 to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. We will call you on plus 4 4 2 0 7 9 4 6 0 9 5 8. Press 1 if that is right. Press 2 to key in another number.
    > 1
    Thank you. After the tone, say your name, then press any key.
    > (speaks: name)
    ! adds: number +442079460958, By phone; known by the number, not verified. / Name, to hear: https://recordings.test/name
    Thank you. After the tone, say what is wrong, then press any key.
    > (speaks: words)
    ! adds: number +442079460958, By phone; known by the number, not verified. / What is wrong, to hear: https://recordings.test/words / Name, to hear: https://recordings.test/name
    Thank you. Your reference is 4 8 2 1. An engineer will call you back by 14:32, London time. We also send you this as a text. Once more. Your reference is 4 8 2 1. An engineer will call you back by 14:32, London time. Goodbye.
    "#);
}

#[test]
fn an_unknown_caller_is_known_by_the_pin_on_the_second_try() {
    let line = Line::from(STRANGER).ring().press("1111").press(PIN).press("2").press("1").silence().say("words");
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If you have a support PIN, key it in, then press the hash or pound key. If not, just press that key.
    > 1111
    ! wrong PIN counted
    That PIN is not right. Key in your PIN again, then press the hash or pound key. To go on without it, just press that key.
    > 271828
    Thank you. You are calling for Acme. If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 2
    ! opens P2 "Business degraded, told by phone" for Acme with payments, +12015550123 to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. We will call you on plus 1 2 0 1 5 5 5 0 1 2 3. Press 1 if that is right. Press 2 to key in another number.
    > 1
    Thank you. After the tone, say your name, then press any key.
    > (silence)
    After the tone, say what is wrong, then press any key.
    > (speaks: words)
    ! adds: number +12015550123, By phone; the PIN was right. / What is wrong, to hear: https://recordings.test/words
    Thank you. Your reference is 4 8 2 1. An engineer will call you back by 15:02, London time. We also send you this as a text. Once more. Your reference is 4 8 2 1. An engineer will call you back by 15:02, London time. Goodbye.
    "#);
}

#[test]
fn a_caller_about_an_open_incident_says_it_is_the_same() {
    let mut line = Line::from(ACME);
    line.open = vec![known(Priority::P1, &line.call)];
    let line = line.ring().press("1").hang_up();
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. There is an open problem, reference 4 7 1 2. An engineer has it. The last update, from 13:49, London time, says: The database is being restored. The next update comes by 14:49, London time. If you call about this and nothing changed, press 1. If it got worse, press 2. If you call about another problem, press 3.
    > 1
    ! tells inc_known: signal "The customer called: still the same."
    Thank you. We have noted your call. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Once more. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Goodbye.
    > (hangs up)
    "#);
}

#[test]
fn a_caller_about_an_open_incident_says_it_got_worse() {
    let mut line = Line::from(ACME);
    line.open = vec![known(Priority::P2, &line.call), known(Priority::P3, &line.call)];
    let line = line.ring().press("2");
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. There are 2 open problems. The gravest has reference 4 7 1 2. An engineer has it. The last update, from 13:49, London time, says: The database is being restored. The next update comes by 14:49, London time. If you call about this and nothing changed, press 1. If it got worse, press 2. If you call about another problem, press 3.
    > 2
    ! tells inc_known: priority P1; customer escalates "The customer called: it got worse."
    Thank you. We are alerting more people now. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Once more. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Goodbye.
    "#);
}

#[test]
fn a_caller_about_another_problem_opens_another_incident() {
    let mut line = Line::from(ACME);
    line.open = vec![known(Priority::P1, &line.call)];
    let line = line.ring().press("3").press("2").hang_up();
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. There is an open problem, reference 4 7 1 2. An engineer has it. The last update, from 13:49, London time, says: The database is being restored. The next update comes by 14:49, London time. If you call about this and nothing changed, press 1. If it got worse, press 2. If you call about another problem, press 3.
    > 3
    If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 2
    ! opens P2 "Business degraded, told by phone" for Acme with payments, +442079460958 to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. We will call you on plus 4 4 2 0 7 9 4 6 0 9 5 8. Press 1 if that is right. Press 2 to key in another number.
    > (hangs up)
    ! adds: number +442079460958, By phone; known by the number, not verified. / The caller hung up when asked for a number.
    "#);
}

#[test]
fn silence_about_an_open_incident_asks_for_somebody_higher() {
    let mut line = Line::from(ACME);
    line.open = vec![known(Priority::P3, &line.call)];
    let line = line.ring().silence().silence();
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. There is an open problem, reference 4 7 1 2. An engineer has it. The last update, from 13:49, London time, says: The database is being restored. The next update comes by 14:49, London time. If you call about this and nothing changed, press 1. If it got worse, press 2. If you call about another problem, press 3.
    > (silence)
    Sorry, I did not get that. There is an open problem, reference 4 7 1 2. An engineer has it. The last update, from 13:49, London time, says: The database is being restored. The next update comes by 14:49, London time. If you call about this and nothing changed, press 1. If it got worse, press 2. If you call about another problem, press 3.
    > (silence)
    ! tells inc_known: priority P2; customer escalates "The customer called and pressed no key that we know: call back."
    Thank you. We are alerting more people now. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Once more. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Goodbye.
    "#);
}

#[test]
fn silence_everywhere_is_a_p1() {
    let mut line = Line::from(STRANGER).ring();
    for _ in 0..8 {
        line = line.silence();
    }
    assert_snapshot!(line.hang_up().transcript, @r#"
    This is the Example emergency line. If you have a support PIN, key it in, then press the hash or pound key. If not, just press that key.
    > (silence)
    If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > (silence)
    Sorry, I did not get that. If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > (silence)
    Sorry, I did not get that. If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > (silence)
    ! opens P1 "Caller pressed no key that we know: call back" for Unknown caller with core, +12015550123 to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. We will call you on plus 1 2 0 1 5 5 5 0 1 2 3. Press 1 if that is right. Press 2 to key in another number.
    > (silence)
    Sorry, I did not get that. We will call you on plus 1 2 0 1 5 5 5 0 1 2 3. Press 1 if that is right. Press 2 to key in another number.
    > (silence)
    After the tone, say your name, then press any key.
    > (silence)
    After the tone, say what is wrong, then press any key.
    > (silence)
    Thank you. Your reference is 4 8 2 1. An engineer will call you back by 09:32, New York time. We also send you this as a text. Once more. Your reference is 4 8 2 1. An engineer will call you back by 09:32, New York time. Goodbye.
    > (hangs up)
    "#);
}

#[test]
fn anything_else_becomes_a_ticket_with_a_voicemail() {
    let line = Line::from(ACME).ring().press("3").say("voicemail");
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 3
    ! opens P3 "Message left by phone" for Acme with payments, +442079460958 to call back
    After the tone, say your name, your number and what it is about. Then press any key.
    > (speaks: voicemail)
    ! adds: number +442079460958, By phone; known by the number, not verified. / What is wrong, to hear: https://recordings.test/voicemail
    Thank you. Your message is recorded. Your reference is 4 8 2 1. Our team will look at it. We also send you this as a text. Once more. Your reference is 4 8 2 1. Our team will look at it. Goodbye.
    "#);
}

#[test]
fn an_anonymous_caller_keys_in_a_number_until_it_is_understood() {
    let line = Line::from("anonymous").ring().silence().press("1").press("555").press("2015550123#").press("2");
    let line = line.press("2015550199").press("1").say("name").say("words");
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If you have a support PIN, key it in, then press the hash or pound key. If not, just press that key.
    > (silence)
    If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 1
    ! opens P1 "Business stopped, told by phone" for Unknown caller with core, nobody to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. Which number may we call? Key it in with its area code, then press the hash or pound key.
    > 555
    ! adds: number none, By phone; the caller is not known and not verified. / No number to call back. / Keyed in 555, which is no number we can call.
    You keyed 5 5 5. That is not a number we can call. Which number may we call? Key it in with its area code, then press the hash or pound key.
    > 2015550123#
    We understood plus 1 2 0 1 5 5 5 0 1 2 3. Press 1 if that is right. Press 2 to key it in again.
    > 2
    Which number may we call? Key it in with its area code, then press the hash or pound key.
    > 2015550199
    We understood plus 1 2 0 1 5 5 5 0 1 9 9. Press 1 if that is right. Press 2 to key it in again.
    > 1
    ! adds: number +12015550199, By phone; the caller is not known and not verified. / Keyed in 555, which is no number we can call.
    Thank you. After the tone, say your name, then press any key.
    > (speaks: name)
    ! adds: number +12015550199, By phone; the caller is not known and not verified. / Keyed in 555, which is no number we can call. / Name, to hear: https://recordings.test/name
    Thank you. After the tone, say what is wrong, then press any key.
    > (speaks: words)
    ! adds: number +12015550199, By phone; the caller is not known and not verified. / Keyed in 555, which is no number we can call. / What is wrong, to hear: https://recordings.test/words / Name, to hear: https://recordings.test/name
    Thank you. Your reference is 4 8 2 1. An engineer will call you back by 09:32, New York time. We also send you this as a text. Once more. Your reference is 4 8 2 1. An engineer will call you back by 09:32, New York time. Goodbye.
    "#);
}

#[test]
fn an_anonymous_caller_who_gives_no_number_is_not_promised_a_call() {
    let line = Line::from("").ring().press("#").press("1").silence().silence().silence().silence().say("words");
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If you have a support PIN, key it in, then press the hash or pound key. If not, just press that key.
    > #
    If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 1
    ! opens P1 "Business stopped, told by phone" for Unknown caller with core, nobody to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. Which number may we call? Key it in with its area code, then press the hash or pound key.
    > (silence)
    Sorry, I did not get that. Which number may we call? Key it in with its area code, then press the hash or pound key.
    > (silence)
    Sorry, I did not get that. Which number may we call? Key it in with its area code, then press the hash or pound key.
    > (silence)
    After the tone, say your name, then press any key.
    > (silence)
    After the tone, say what is wrong, then press any key.
    > (speaks: words)
    ! adds: number none, By phone; the caller is not known and not verified. / No number to call back. / What is wrong, to hear: https://recordings.test/words
    Thank you. Your reference is 4 8 2 1. An engineer takes it up. We have no number to call you on: please call us again in ten minutes. Once more. Your reference is 4 8 2 1. An engineer takes it up. We have no number to call you on: please call us again in ten minutes. Goodbye.
    "#);
}

#[test]
fn a_hang_up_before_the_priority_is_a_p1() {
    let line = Line::from(STRANGER).ring().hang_up();
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If you have a support PIN, key it in, then press the hash or pound key. If not, just press that key.
    > (hangs up)
    ! opens P1 "Caller hung up before telling the priority" for Unknown caller with core, +12015550123 to call back
    "#);
}

#[test]
fn a_caller_who_opened_too_many_is_added_to_the_open_one() {
    let mut line = Line::from(STRANGER);
    line.flood = Some(Summary { responded: false, ..known(Priority::P2, &line.call) });
    let line = line.ring().silence().press("1").say("words");
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If you have a support PIN, key it in, then press the hash or pound key. If not, just press that key.
    > (silence)
    If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 1
    ! tells inc_known: signal "Business stopped, told by phone (P1), once more"; priority P1
    Thank you. After the tone, say what is wrong, then press any key.
    > (speaks: words)
    ! adds: signal "The caller left a message: https://recordings.test/words"
    Thank you. We have added your call to the problem you told us of before. Your reference is 4 7 1 2. We are late with our call to you, and this is known. An engineer will call you as soon as possible. Once more. Your reference is 4 7 1 2. We are late with our call to you, and this is known. An engineer will call you as soon as possible. Goodbye.
    "#);
}
