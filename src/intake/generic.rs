//! Our own JSON, for scripts and for tools without a language of their own: `POST /intake/generic/{key}`. Pure.
//!
//! ```json
//! {"action": "trigger", "dedup_key": "db-7/disk", "title": "Disk full on db-7", "detail": "98 % of /var",
//!  "severity": "critical", "contact": {"name": "Ann", "number": "+12015550123"}, "customer": "acme"}
//! ```
//!
//! `action` is `trigger` (also without it: a script that forgot it means trouble), `acknowledge` or `resolve`. `priority` (`P1` to `P6`) goes before `severity`, which the
//! integration's `priorities` translate. Fields that are not known are left alone.

use serde_json::{Map, Value, json};

use super::{
    SenderKind,
    json::{block, line},
    sender::{Answer, Decoded, Reply, Sender, problem},
    signal::{DEDUP_KEY_CHARS, DETAIL_CHARS, Fault, Kind, Outcome, Signal, TITLE_CHARS},
};
use crate::{incident::command::Contact, people::E164};

/// `POST /intake/generic/{key}`.
pub const SENDER: Sender =
    Sender { door: "generic", kind: SenderKind::Generic, key_field: None, decode: |body, _| decode(body), answer };

fn decode(body: &Value) -> Decoded {
    let empty = Map::new();
    let mut fields = Fields { object: body.as_object().unwrap_or(&empty), faults: Vec::new() };
    let kind = match fields.text("action", "/action") {
        Some(word) => Kind::parse(&word),
        None if fields.faulty("/action") => None,
        None => Some(Kind::Trigger),
    };
    if kind.is_none() && !fields.faulty("/action") {
        fields.faults.push(Fault::at("/action", "write `trigger`, `acknowledge` or `resolve`"));
    }
    let dedup_key = fields.text("dedup_key", "/dedup_key");
    if dedup_key.as_ref().is_some_and(|key| key.chars().count() > DEDUP_KEY_CHARS) {
        fields.faults.push(Fault::at("/dedup_key", format!("at most {DEDUP_KEY_CHARS} characters")));
    }
    if dedup_key.is_none() && matches!(kind, Some(Kind::Acknowledge | Kind::Resolve)) {
        fields.faults.push(Fault::at("/dedup_key", "needed to say which incident is meant"));
    }
    let signal = Signal::bare(kind.unwrap_or(Kind::Trigger), dedup_key);
    let signal = if kind == Some(Kind::Trigger) { trigger(signal, &mut fields) } else { signal };
    if fields.faults.is_empty() { Ok(vec![signal]) } else { Err(fields.faults) }
}

fn trigger(bare: Signal, fields: &mut Fields<'_>) -> Signal {
    let title = fields.text("title", "/title");
    if title.is_none() && !fields.faulty("/title") {
        fields.faults.push(Fault::at("/title", "needed: one line that says what is wrong"));
    }
    let title = title.unwrap_or_default();
    let detail = fields.text("detail", "/detail").unwrap_or_default();
    let severity = fields.text("severity", "/severity");
    let priority = fields.text("priority", "/priority").and_then(|word| match word.parse() {
        Ok(priority) => Some(priority),
        Err(_) => {
            fields.faults.push(Fault::at("/priority", "write `P1` to `P6`, or give `severity`"));
            None
        }
    });
    let customer = fields.text("customer", "/customer");
    let (contact, number_as_given) = contact(fields);

    let mut text = String::new();
    if title.chars().count() > TITLE_CHARS {
        text.push_str(&format!("{title}\n"));
    }
    // A number that cannot be dialled must not cost anybody a page: the engineer reads it as it was given.
    if let Some(number) = number_as_given {
        text.push_str(&format!("contact number as given: {}\n", line(&number, 100)));
    }
    text.push_str(&detail);
    Signal {
        severities: severity.map(|word| word.to_lowercase()).into_iter().collect(),
        priority,
        title: line(&title, TITLE_CHARS),
        detail: block(&text, DETAIL_CHARS),
        contact,
        customer: customer.map(|key| line(&key, 100)),
        ..bare
    }
}

/// Whom to call back, and the number as it was given if it is none that can be dialled.
fn contact(fields: &mut Fields<'_>) -> (Contact, Option<String>) {
    let object = match fields.object.get("contact") {
        None | Some(Value::Null) => return (Contact::default(), None),
        Some(Value::Object(object)) => object,
        Some(_) => {
            fields.faults.push(Fault::at("/contact", "an object with `name` and `number`"));
            return (Contact::default(), None);
        }
    };
    let mut inner = Fields { object, faults: Vec::new() };
    let name = inner.text("name", "/contact/name").map(|name| line(&name, 100));
    let given = inner.text("number", "/contact/number");
    fields.faults.append(&mut inner.faults);
    let number = given.as_deref().and_then(|given| E164::dialable(given).ok());
    let as_given = given.filter(|_| number.is_none());
    (Contact { name, number: number.map(String::from), mail: None }, as_given)
}

struct Fields<'a> {
    object: &'a Map<String, Value>,
    faults: Vec<Fault>,
}

impl Fields<'_> {
    /// A string that is not blank.
    fn text(&mut self, name: &str, pointer: &'static str) -> Option<String> {
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            // NUL cannot be stored.
            Some(Value::String(text)) => Some(text.trim().replace('\0', "\u{fffd}")).filter(|text| !text.is_empty()),
            Some(_) => {
                self.faults.push(Fault::at(pointer, "must be a string"));
                None
            }
        }
    }

    fn faulty(&self, pointer: &str) -> bool {
        self.faults.iter().any(|fault| fault.pointer == pointer)
    }
}

fn answer(reply: &Reply) -> Answer {
    match reply {
        Reply::Accepted(outcomes) => Answer::json(202, outcomes.first().map_or_else(|| json!({}), told)),
        Reply::Refused(refused) => problem(refused),
    }
}

fn told(outcome: &Outcome) -> Value {
    let mut body = json!({
        "status": outcome.status,
        "incident": outcome.incident,
        "id": outcome.id,
        "dedup_key": outcome.dedup_key,
    });
    if let Some(why) = &outcome.why {
        body["detail"] = json!(why);
    }
    body
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::{
        intake::{json::read, sender::Refused, signal::Status},
        sla::Priority,
    };

    fn full() -> Value {
        json!({"action": "trigger", "dedup_key": "db-7/disk", "title": "Disk full on db-7", "detail": "98 % of /var",
               "severity": "Critical", "priority": "p1", "customer": "acme",
               "contact": {"name": "Ann", "number": "+1 (201) 555-0123"}})
    }

    #[test]
    fn every_field_is_read() {
        let signals = decode(&full()).unwrap();
        assert_eq!(
            signals,
            [Signal {
                kind: Kind::Trigger,
                dedup_key: Some("db-7/disk".into()),
                severities: vec!["critical".into()],
                priority: Some(Priority::P1),
                title: "Disk full on db-7".into(),
                detail: "98 % of /var".into(),
                contact: Contact { name: Some("Ann".into()), number: Some("+12015550123".into()), mail: None },
                customer: Some("acme".into()),
            }]
        );
    }

    #[test]
    fn a_title_is_all_a_trigger_needs() {
        let signals = decode(&json!({"title": "x", "not known": 1})).unwrap();
        assert_eq!(signals, [Signal { title: "x".into(), ..Signal::bare(Kind::Trigger, None) }]);
    }

    #[test]
    fn a_number_that_cannot_be_dialled_is_kept_as_it_was_given() {
        let mut body = full();
        body["contact"]["number"] = json!("ext. 12");
        let signal = decode(&body).unwrap().remove(0);
        assert_eq!(signal.contact.number, None);
        assert_eq!(signal.detail, "contact number as given: ext. 12\n98 % of /var");
    }

    #[rstest]
    #[case("/action", json!("open"))]
    #[case("/action", json!(1))]
    #[case("/title", json!(""))]
    #[case("/title", json!({}))]
    #[case("/detail", json!([]))]
    #[case("/priority", json!("P9"))]
    #[case("/priority", json!(1))]
    #[case("/dedup_key", json!("x".repeat(256)))]
    #[case("/contact", json!("Ann"))]
    #[case("/contact/number", json!(12))]
    fn a_wrong_field_is_pointed_at(#[case] pointer: &str, #[case] value: Value) {
        let mut body = full();
        *body.pointer_mut(pointer).unwrap() = value;
        let faults = decode(&body).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.pointer).collect::<Vec<_>>(), [pointer]);
    }

    #[test]
    fn acknowledge_and_resolve_need_only_a_dedup_key() {
        for (word, kind) in [("acknowledge", Kind::Acknowledge), ("resolve", Kind::Resolve)] {
            let signals = decode(&json!({"action": word, "dedup_key": "a"})).unwrap();
            assert_eq!(signals, [Signal::bare(kind, Some("a".into()))]);
            assert_eq!(decode(&json!({"action": word})).unwrap_err()[0].pointer, "/dedup_key");
        }
    }

    #[test]
    fn the_answer_names_the_incident_and_what_became_of_it() {
        let outcome = Outcome {
            status: Status::Opened,
            dedup_key: "a".into(),
            id: Some("inc_1".into()),
            incident: Some("4821".into()),
            why: None,
        };
        let answer = (SENDER.answer)(&Reply::Accepted(vec![outcome]));
        assert_eq!(answer.status, 202);
        assert_eq!(answer.body, json!({"status": "opened", "incident": "4821", "id": "inc_1", "dedup_key": "a"}));
        let refused = (SENDER.answer)(&Reply::Refused(Refused::Invalid(vec![Fault::at("/title", "needed")])));
        assert_eq!((refused.status, refused.problem), (422, true));
        assert_eq!(refused.body["errors"][0]["pointer"], "/title");
        let overloaded = (SENDER.answer)(&Reply::Refused(Refused::Overloaded));
        assert_eq!((overloaded.status, overloaded.retry_after), (503, Some(1)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_the_decoder(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(value) = read(&body) {
                let _ = decode(&value);
            }
        }

        #[test]
        fn no_value_in_any_field_panics_the_decoder(field in 0usize..9, value in crate::intake::arbitrary::json()) {
            let pointers = ["/action", "/dedup_key", "/title", "/detail", "/severity", "/priority", "/customer",
                "/contact", "/contact/number"];
            let mut body = full();
            *body.pointer_mut(pointers[field]).unwrap() = value;
            let _ = decode(&body);
        }
    }
}
