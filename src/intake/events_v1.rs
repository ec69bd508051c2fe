//! PagerDuty Events API v1, which Alertmanager's `service_key` and older tools still speak:
//! `POST /generic/2010-04-15/create_event.json`. Throttling is 403 here: that is what its clients send again. Pure.

use serde_json::Value;

use super::{
    SenderKind,
    events_v2::{answer, check_key, dedup_key, kind_of, links, summary},
    json::{block, line, lines, text},
    sender::{Decoded, Sender},
    signal::{DETAIL_CHARS, Kind, Signal, TITLE_CHARS},
};

/// `POST /generic/2010-04-15/create_event.json`.
pub const EVENTS: Sender = Sender {
    door: "events_v1",
    kind: SenderKind::Pagerduty,
    key_field: Some("service_key"),
    decode: |body, _| decode(body),
    answer: |reply| answer(reply, 200, "incident_key", 403),
};

fn decode(body: &Value) -> Decoded {
    let mut faults = Vec::new();
    check_key(body, "service_key", "/service_key", &mut faults);
    let kind = kind_of(body, "event_type", "/event_type", &mut faults);
    let key = dedup_key(body, "incident_key", "/incident_key", kind, &mut faults);
    let title = match kind {
        Some(Kind::Trigger) => summary(body, "description", "'description'", "/description", &mut faults),
        _ => String::new(),
    };
    let Some(kind) = kind.filter(|_| faults.is_empty()) else { return Err(faults) };
    if kind != Kind::Trigger {
        return Ok(vec![Signal::bare(kind, key)]);
    }
    let mut detail = String::new();
    if title.chars().count() > TITLE_CHARS {
        detail.push_str(&format!("{title}\n"));
    }
    detail.push_str(&links(body));
    for context in body["contexts"].as_array().into_iter().flatten().take(20) {
        if let Some(href) = text(context.get("href")).or_else(|| text(context.get("src"))) {
            detail.push_str(&format!("link: {}\n", line(&href, 1000)));
        }
    }
    detail.push_str(&lines(body.get("details").unwrap_or(&Value::Null), DETAIL_CHARS));
    // Version 1 has no severity; many senders put one among the details.
    let severities = text(body["details"].get("severity")).map(|word| word.to_lowercase()).into_iter().collect();
    Ok(vec![Signal {
        severities,
        title: line(&title, TITLE_CHARS),
        detail: block(&detail, DETAIL_CHARS),
        ..Signal::bare(kind, key)
    }])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::intake::{
        Grouping,
        sender::{Refused, Reply},
        signal::{Outcome, Status},
    };

    const KEY: &str = "e93facc04764012d7bfb002500d5d1a6";

    #[test]
    fn the_documented_trigger_is_read() {
        let body = json!({
            "service_key": KEY, "event_type": "trigger", "incident_key": "srv01/HTTP",
            "description": "FAILURE for production/HTTP on machine srv01.acme.com",
            "client": "Sample Monitoring Service", "client_url": "https://monitoring.service.com",
            "details": {"ping time": "1500ms", "load avg": 0.75},
            "contexts": [{"type": "link", "href": "http://acme.pagerduty.com"},
                         {"type": "image", "src": "https://chart.googleapis.com/chart.png"}]
        });
        let signals = (EVENTS.decode)(&body, Grouping::Group).unwrap();
        assert_eq!(signals[0].title, "FAILURE for production/HTTP on machine srv01.acme.com");
        assert_eq!(signals[0].dedup_key.as_deref(), Some("srv01/HTTP"));
        insta::assert_snapshot!(signals[0].detail, @r"
        client: Sample Monitoring Service https://monitoring.service.com
        link: http://acme.pagerduty.com
        link: https://chart.googleapis.com/chart.png
        load avg: 0.75
        ping time: 1500ms
        ");
    }

    #[test]
    fn acknowledge_and_resolve_need_a_key() {
        for word in ["acknowledge", "resolve"] {
            let with = json!({"service_key": KEY, "event_type": word, "incident_key": "k"});
            let signals = (EVENTS.decode)(&with, Grouping::Group).unwrap();
            assert_eq!(signals, [Signal::bare(Kind::parse(word).unwrap(), Some("k".into()))]);
            let without = json!({"service_key": KEY, "event_type": word});
            assert!((EVENTS.decode)(&without, Grouping::Group).is_err());
        }
    }

    #[test]
    fn success_is_200_with_the_incident_key_and_throttling_is_403() {
        let outcome =
            Outcome { status: Status::Opened, dedup_key: "srv01/HTTP".into(), id: None, incident: None, why: None };
        let answer = (EVENTS.answer)(&Reply::Accepted(vec![outcome]));
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body,
            json!({"status": "success", "message": "Event processed", "incident_key": "srv01/HTTP"})
        );
        assert_eq!((EVENTS.answer)(&Reply::Refused(Refused::Overloaded)).status, 403);
        assert_eq!((EVENTS.answer)(&Reply::Refused(Refused::Unavailable)).status, 503);
    }
}
