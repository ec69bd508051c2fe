//! Requests to the carrier's API, checked field by field.

use super::{carrier::Sent, twiml};

pub type Form = Vec<(String, String)>;

/// A number in international form.
pub fn e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
    })
}

fn url(text: &str) -> bool {
    text.parse::<reqwest::Url>().is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A field's value.
pub fn get<'f>(form: &'f [(String, String)], name: &str) -> Option<&'f str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// What is wrong with a form, with the carrier's own code for it.
pub type Wrong = (u32, String);

fn only_known(form: &Form, known: &[&str], repeated: &[&str]) -> Result<(), Wrong> {
    for (at, (name, _)) in form.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            return Err((20001, format!("unknown field {name}")));
        }
        if !repeated.contains(&name.as_str()) && form[..at].iter().any(|(earlier, _)| earlier == name) {
            return Err((20001, format!("{name} twice")));
        }
    }
    Ok(())
}

fn parties(form: &Form, ours: &[String]) -> Result<(), Wrong> {
    let to = get(form, "To").ok_or((21604, "A 'To' phone number is required".to_owned()))?;
    let from = get(form, "From").ok_or((21603, "A 'From' phone number is required".to_owned()))?;
    if !e164(to) {
        return Err((21211, format!("'To' {to} is not a phone number")));
    }
    if !ours.iter().any(|number| number == from) {
        return Err((21606, format!("'From' {from} is not a number of this account")));
    }
    Ok(())
}

fn each(form: &Form, names: &[&str], good: impl Fn(&str) -> bool, code: u32) -> Result<(), Wrong> {
    for name in names {
        if let Some(value) = get(form, name).filter(|value| !good(value)) {
            return Err((code, format!("{name} `{value}` is not valid")));
        }
    }
    Ok(())
}

fn between(least: i64, most: i64) -> impl Fn(&str) -> bool {
    move |value| value.parse::<i64>().is_ok_and(|n| (least..=most).contains(&n))
}

/// `POST Messages.json`
pub fn message(form: &Form, ours: &[String]) -> Result<(), Wrong> {
    let known = ["To", "From", "Body", "StatusCallback", "ValidityPeriod", "MaxPrice", "Attempt", "SmartEncoded"];
    only_known(form, &known, &[])?;
    parties(form, ours)?;
    let body = get(form, "Body").unwrap_or_default();
    if body.is_empty() {
        return Err((21602, "Message body is required".into()));
    }
    if body.chars().count() > 1600 {
        return Err((21617, "The message body exceeds 1600 characters".into()));
    }
    each(form, &["StatusCallback"], url, 21609)?;
    each(form, &["ValidityPeriod"], between(1, 36_000), 20001)
}

/// `POST Calls.json`
pub fn call(form: &Form, ours: &[String]) -> Result<(), Wrong> {
    let known = [
        "To",
        "From",
        "Url",
        "Method",
        "FallbackUrl",
        "FallbackMethod",
        "Timeout",
        "TimeLimit",
        "StatusCallback",
        "StatusCallbackMethod",
        "StatusCallbackEvent",
        "MachineDetection",
        "MachineDetectionTimeout",
        "AsyncAmd",
        "AsyncAmdStatusCallback",
        "AsyncAmdStatusCallbackMethod",
    ];
    only_known(form, &known, &["StatusCallbackEvent"])?;
    parties(form, ours)?;
    if get(form, "Url").is_none() {
        return Err((21205, "Url is required".into()));
    }
    each(form, &["Url", "FallbackUrl", "StatusCallback", "AsyncAmdStatusCallback"], url, 21205)?;
    let methods = ["Method", "FallbackMethod", "StatusCallbackMethod", "AsyncAmdStatusCallbackMethod"];
    each(form, &methods, |value| value == "POST", 21206)?;
    each(form, &["Timeout"], between(1, 600), 20001)?;
    each(form, &["MachineDetectionTimeout"], between(3, 59), 21234)?;
    each(form, &["MachineDetection"], |value| matches!(value, "Enable" | "DetectMessageEnd"), 21234)?;
    each(form, &["AsyncAmd"], |value| matches!(value, "true" | "false"), 21234)?;
    for (name, value) in form.iter().filter(|(name, _)| name == "StatusCallbackEvent") {
        if !["initiated", "ringing", "answered", "completed"].contains(&value.as_str()) {
            return Err((21626, format!("{name} `{value}` is not an event")));
        }
    }
    Ok(())
}

/// `POST Calls/{sid}.json`
pub fn change(form: &Form) -> Result<(), Wrong> {
    only_known(form, &["Status"], &[])?;
    match get(form, "Status") {
        Some("completed" | "canceled") => Ok(()),
        other => Err((21218, format!("Status `{other:?}` is neither completed nor canceled"))),
    }
}

/// The query of a list.
pub fn listing(query: &Form, calls: bool) -> Result<(), Wrong> {
    let since = if calls { "StartTime" } else { "DateSent" };
    let known = ["To", "From", "PageSize", "Page", "PageToken", "Status"];
    for (name, value) in query {
        let dated = name.strip_prefix(since).is_some_and(|rest| matches!(rest, "" | "<" | ">" | "=" | "<=" | ">="));
        if !known.contains(&name.as_str()) && !dated {
            return Err((20001, format!("unknown parameter {name}")));
        }
        if dated && chrono::NaiveDate::parse_from_str(value, "%Y-%m-%d").is_err() {
            return Err((20001, format!("{name} `{value}` is not a date")));
        }
    }
    each(query, &["PageSize"], between(1, 1000), 20001)
}

/// How many a page of a list holds.
pub fn page_size(query: &Form) -> usize {
    get(query, "PageSize").and_then(|size| size.parse().ok()).unwrap_or(50)
}

/// What a list holds: to and from the numbers that are asked for, in a state, on the days. Days are UTC's.
pub fn listed(query: &Form, calls: bool) -> impl Fn(&Sent) -> bool {
    let since = if calls { "StartTime" } else { "DateSent" };
    let days = query.iter().filter_map(|(name, day)| {
        let day = chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
        // `DateSent>=2026-11-18` is a parameter `DateSent>` with that value.
        Some((name.strip_prefix(since)?.to_owned(), day))
    });
    let (days, query): (Vec<_>, Form) = (days.collect(), query.clone());
    move |sent: &Sent| {
        let is = |name: &str, value: &str| get(&query, name).is_none_or(|wanted| wanted == value);
        let day = sent.at.date_naive();
        let on_day = |(how, wanted): &(String, chrono::NaiveDate)| match how.as_str() {
            ">" | ">=" => day >= *wanted,
            "<" | "<=" => day <= *wanted,
            _ => day == *wanted,
        };
        let kind = sent.voice == calls && is("To", &sent.to) && is("From", &sent.from) && is("Status", &sent.status);
        kind && days.iter().all(on_day)
    }
}

/// An answer of ours that a carrier reads as a document.
pub fn document(status: u16, kind: &str, body: &str) -> Result<Vec<twiml::Verb>, String> {
    if status != 200 {
        return Err(format!("answered {status}"));
    }
    if !kind.starts_with("text/xml") && !kind.starts_with("application/xml") {
        return Err(format!("content type `{kind}`"));
    }
    if body.len() > 64 * 1024 {
        return Err("a document of more than 64 KB".into());
    }
    twiml::parse(body)
}

#[test]
fn the_emulator_knows_every_field_it_takes() {
    let ours = ["+12015550190".to_owned()];
    let form = |fields: &[(&str, &str)]| -> Form {
        fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    };
    let text = [("To", "+12015550101"), ("From", "+12015550190"), ("Body", "x")];
    assert_eq!(message(&form(&text), &ours), Ok(()));
    for extra in [("body", "x"), ("To", "+12015550102"), ("ValidityPeriod", "0"), ("StatusCallback", "/status")] {
        assert!(message(&form(&[&text[..], &[extra]].concat()), &ours).is_err(), "{extra:?}");
    }
    assert!(message(&form(&text[..2]), &ours).is_err());
    let ring = [("To", "+12015550101"), ("From", "+12015550190"), ("Url", "https://h/v")];
    assert_eq!(call(&form(&ring), &ours), Ok(()));
    for extra in [("Timeout", "601"), ("StatusCallbackEvent", "done"), ("Url", "https://h/w"), ("Body", "x")] {
        assert!(call(&form(&[&ring[..], &[extra]].concat()), &ours).is_err(), "{extra:?}");
    }
    let twice = [("StatusCallbackEvent", "ringing"), ("StatusCallbackEvent", "completed")];
    assert_eq!(call(&form(&[&ring[..], &twice].concat()), &ours), Ok(()));
}
