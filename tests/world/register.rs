//! What the carrier shows of the texts and calls that it took: one by one and in pages.

use axum::response::Response;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    carrier::{ACCOUNT, Carrier, Sent, answer, error},
    form::{self, Form},
};

impl Carrier {
    /// A text or call as the API shows it.
    pub(super) fn resource(&self, sent: &Sent) -> Value {
        let created = (sent.at + TimeDelta::seconds(self.book().ahead)).to_rfc2822();
        let mut resource = json!({
            "sid": sent.sid, "account_sid": ACCOUNT, "api_version": "2010-04-01", "to": sent.to, "from": sent.from,
            "status": sent.status, "date_created": created, "date_updated": created, "direction": "outbound-api",
            "price": null, "price_unit": "USD",
        });
        let more = match sent.voice {
            false => json!({
                "body": sent.body, "num_segments": "1", "num_media": "0", "error_code": null, "error_message": null,
                "date_sent": null, "messaging_service_sid": null,
                "uri": format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{}.json", sent.sid),
            }),
            true => json!({
                "start_time": null, "end_time": null, "duration": null, "answered_by": null, "parent_call_sid": null,
                "uri": format!("/2010-04-01/Accounts/{ACCOUNT}/Calls/{}.json", sent.sid),
            }),
        };
        resource.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        resource
    }

    /// A page of the texts or calls that were taken, the newest first.
    pub(super) fn list(&self, calls: bool, query: &Form) -> Response {
        if let Err((code, message)) = form::listing(query, calls) {
            self.violated(format!("a list: {message}"));
            return error(400, code, &message);
        }
        let (wanted, size) = (form::listed(query, calls), form::page_size(query));
        let after = form::get(query, "PageToken").and_then(|token| token.strip_prefix("PA"));
        let book = self.book();
        let of_number = form::get(query, "To").map(|to| book.by_number.get(&(calls, to.into())));
        let places: Box<dyn Iterator<Item = usize>> = match of_number {
            Some(places) => Box::new(places.into_iter().flatten().rev().copied()),
            None => Box::new((0..book.sent.len()).rev()),
        };
        // The newest first. A page token is the last that was seen.
        let last = after.and_then(|sid| book.by_sid.get(sid)).copied().unwrap_or(usize::MAX);
        let mut rest = places.filter(|place| *place < last).map(|place| &book.sent[place]).filter(|sent| wanted(sent));
        let page: Vec<Sent> = rest.by_ref().take(size).cloned().collect();
        let name = if calls { "Calls" } else { "Messages" };
        let number = form::get(query, "Page").and_then(|page| page.parse::<usize>().ok()).unwrap_or_default();
        let next = page.last().filter(|_| rest.next().is_some()).map(|last| {
            let kept = query.iter().filter(|(name, _)| !["Page", "PageToken"].contains(&name.as_str()));
            let (number, token) = ((number + 1).to_string(), format!("PA{}", last.sid));
            let more = [("Page".to_owned(), number), ("PageToken".to_owned(), token)];
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).extend_pairs(more).finish();
            format!("/2010-04-01/Accounts/{ACCOUNT}/{name}.json?{query}")
        });
        drop(rest);
        drop(book);
        let listed: Vec<Value> = page.iter().map(|sent| self.resource(sent)).collect();
        let list = name.to_lowercase();
        answer(200, json!({ list: listed, "page": number, "page_size": size, "next_page_uri": next }))
    }
}
