//! A phone as it lies on the page: what goes on, what was said, what was written. Pure.

use chrono::TimeDelta;

use super::shelf::{Owner, Shelf};
use crate::{
    carrier::{
        AnsweredBy, Status,
        handsets::{Behaviour, Call, Line, Network, Phone, Speaker, State, Text, WaitingFor, happening::Kind},
    },
    clock::Time,
    paging::message,
    people::E164,
};

/// What happened so long ago goes on no more.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// Texts shown: the newest.
const TEXTS: usize = 12;
/// Lines shown of what was said: the newest.
const LINES: usize = 60;

/// How much goes on. What rings lies first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stir {
    Rings,
    Talks,
    /// Something happened on it lately.
    Fresh,
    Quiet,
}

/// One phone on the page.
#[derive(Clone, Debug)]
pub struct Card {
    /// The element's id; it holds no `+`.
    pub id: String,
    pub number: E164,
    pub owner: Owner,
    pub stir: Stir,
    pub place: usize,
    pub behaviour: Behaviour,
    pub calls: Vec<Shown>,
    pub texts: Vec<Bubble>,
    /// The number that wrote last, or ours.
    pub peer: E164,
    /// The reply code of the newest page, as long as it can still be answered for all this phone knows.
    pub code: Option<String>,
}

/// A text in a thread.
#[derive(Clone, Debug)]
pub struct Bubble {
    pub id: String,
    pub written_here: bool,
    pub at: Time,
    pub status: &'static str,
    pub parts: Vec<Part>,
}

/// A stretch of a text: words, or the address of a page of ours that can be opened from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub words: String,
    /// The path below our public URL.
    pub path: Option<String>,
}

/// A call on a phone.
#[derive(Clone, Debug)]
pub struct Shown {
    pub id: String,
    pub incoming: bool,
    /// Who is at the other end.
    pub with: String,
    pub state: State,
    /// How it is, or how it ended, in words.
    pub words: String,
    pub waiting_for: WaitingFor,
    pub started_at: Time,
    pub lines: Vec<Line>,
    /// How many lines there were before those shown.
    pub before: usize,
}

/// Every phone of the shelf, and every other that was used.
pub fn cards(network: &Network, shelf: &Shelf, public_url: &str, now: Time) -> Vec<Card> {
    let used: Vec<&Phone> = network.phones().collect();
    let find = |number: &E164| used.iter().find(|phone| phone.number == *number).copied();
    let idle: Vec<Phone> = shelf
        .phones()
        .filter(|(_, number, _)| find(number).is_none())
        .map(|(_, number, _)| Phone::new(number.clone(), now))
        .collect();
    used.into_iter().chain(&idle).map(|phone| card(phone, network, shelf, public_url, now)).collect()
}

fn card(phone: &Phone, network: &Network, shelf: &Shelf, public_url: &str, now: Time) -> Card {
    let (place, owner) = shelf.owner(&phone.number);
    let fresh = |at: Time| now - at < FRESH;
    let all = || phone.calls.iter().filter_map(|id| network.call(id));
    let live = all().filter(|call| !call.has_ended());
    // Of those that ended, the last one only.
    let last = all().rfind(|call| call.has_ended()).filter(|call| call.ended_at.is_some_and(fresh));
    let mut calls: Vec<&Call> = live.chain(last).collect();
    // What rings first, what ended last.
    calls.sort_by_key(|call| (order(call.state()), std::cmp::Reverse(call.started_at)));
    let newest = phone.texts.back();
    let stir = match calls.first().map(|call| call.state()) {
        Some(State::Ringing | State::Queued) if calls.iter().any(|call| rings(call)) => Stir::Rings,
        Some(State::Ringing | State::Queued | State::Talking) => Stir::Talks,
        Some(State::Ended) => Stir::Fresh,
        None if newest.is_some_and(|text| fresh(text.at)) => Stir::Fresh,
        None => Stir::Quiet,
    };
    let texts = phone.texts.iter().skip(phone.texts.len().saturating_sub(TEXTS));
    let arrived = phone.texts.iter().filter(|text| !text.written_here && text.status != Status::Queued);
    Card {
        id: format!("p{}", &phone.number.as_str()[1..]),
        number: phone.number.clone(),
        owner,
        stir,
        place,
        behaviour: phone.behaviour.clone(),
        calls: calls.into_iter().map(|call| shown(call, shelf, now)).collect(),
        texts: texts.map(|text| bubble(text, public_url)).collect(),
        peer: newest.map_or_else(|| network.ours().clone(), |text| text.peer.clone()),
        code: arrived.rev().find_map(|text| message::code_of(&text.body)).map(Into::into),
    }
}

fn bubble(text: &Text, public_url: &str) -> Bubble {
    let status = match (text.written_here, text.status) {
        (_, Status::Undelivered | Status::Failed) => "not delivered",
        (true, Status::Delivered) => "sent",
        (false, Status::Delivered) => "",
        _ => "on its way",
    };
    let (id, written_here, at) = (text.id.clone(), text.written_here, text.at);
    Bubble { id, written_here, at, status, parts: parts(&text.body, public_url) }
}

/// Cuts a text where an address of ours begins and ends. No other address is made a link: anybody may write one.
fn parts(body: &str, public_url: &str) -> Vec<Part> {
    let base = format!("{}/", public_url.trim_end_matches('/'));
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.find(&base) {
        let (before, from) = rest.split_at(at);
        let path = &from[base.len() - 1..];
        let ends = |c: char| !(c.is_ascii_alphanumeric() || "/_-?=&%#".contains(c));
        // Two strokes at the beginning would name another host.
        let path = match path.strip_prefix("//") {
            Some(_) => "/",
            None => &path[..path.find(ends).unwrap_or(path.len())],
        };
        if !before.is_empty() {
            parts.push(Part { words: before.into(), path: None });
        }
        parts.push(Part { words: from[..base.len() - 1 + path.len()].into(), path: Some(path.into()) });
        rest = &from[base.len() - 1 + path.len()..];
    }
    if !rest.is_empty() {
        parts.push(Part { words: rest.into(), path: None });
    }
    parts
}

/// Whether this phone is called and makes itself heard.
fn rings(call: &Call) -> bool {
    call.state() == State::Ringing && !matches!(call.kind, Kind::Dialled)
}

fn order(state: State) -> u8 {
    match state {
        State::Ringing => 0,
        State::Talking => 1,
        State::Queued => 2,
        State::Ended => 3,
    }
}

fn shown(call: &Call, shelf: &Shelf, now: Time) -> Shown {
    let incoming = !matches!(call.kind, Kind::Dialled);
    let before = call.said.len().saturating_sub(LINES);
    let with = shelf.name(&call.peer).unwrap_or_else(|| "Ringdown".into());
    Shown {
        id: call.id.clone(),
        incoming,
        state: call.state(),
        words: words(call, incoming, now),
        with,
        waiting_for: call.waiting_for(),
        started_at: call.started_at,
        lines: call.said.iter().skip(before).cloned().collect(),
        before,
    }
}

fn words(call: &Call, incoming: bool, now: Time) -> String {
    let talked = |call: &Call| format!("talked {} s", call.seconds(now));
    match (call.state(), call.status()) {
        (State::Queued, _) => "about to ring".into(),
        (State::Ringing, _) if incoming => "rings".into(),
        (State::Ringing, _) => "dialling".into(),
        (State::Talking, _) if call.answered_by == Some(AnsweredBy::Machine) => "the voicemail box talks".into(),
        (State::Talking, _) if call.connected_with().is_some() => "talks, connected".into(),
        (State::Talking, _) => "talks".into(),
        (_, Status::NoAnswer) => "nobody answered".into(),
        (_, Status::Busy) if incoming => "rejected, or the line was busy".into(),
        (_, Status::Busy) => "not taken".into(),
        (_, Status::Canceled) if incoming => "stopped ringing: it is over, or somebody else has it".into(),
        (_, Status::Canceled) => "given up".into(),
        (_, Status::Failed | Status::Undelivered) => "failed".into(),
        _ if call.answered_by == Some(AnsweredBy::Machine) => "the voicemail box took it".into(),
        _ => talked(call),
    }
}

impl Card {
    /// Whether the phone makes itself heard.
    pub fn rings(&self) -> bool {
        self.stir == Stir::Rings
    }

    /// The words for how it behaves, where it does by itself what a person would.
    pub fn habit(&self) -> Option<String> {
        Some(match &self.behaviour {
            Behaviour::Manual => return None,
            Behaviour::AnswersAndPresses { key, after } => format!("answers after {after} s and presses {key}"),
            Behaviour::Voicemail => "goes to voicemail".into(),
            Behaviour::Busy => "is always busy".into(),
            Behaviour::Dead => "is not in service".into(),
            Behaviour::Slow { seconds } => format!("is {seconds} s slow"),
            Behaviour::RingsOut => "lets every call ring out".into(),
        })
    }

    /// The name of its behaviour in the form.
    pub fn behaves(&self, name: &str) -> bool {
        name == match self.behaviour {
            Behaviour::Manual => "manual",
            Behaviour::AnswersAndPresses { .. } => "answers_and_presses",
            Behaviour::Voicemail => "voicemail",
            Behaviour::Busy => "busy",
            Behaviour::Dead => "dead",
            Behaviour::Slow { .. } => "slow",
            Behaviour::RingsOut => "rings_out",
        }
    }

    /// The keys it presses by itself, or those it would be asked to.
    pub fn key(&self) -> &str {
        match &self.behaviour {
            Behaviour::AnswersAndPresses { key, .. } => key,
            _ => "4",
        }
    }

    /// For `tel:`-like paths: the number without its `+`.
    pub fn digits(&self) -> &str {
        &self.number.as_str()[1..]
    }
}

impl Shown {
    pub fn rings(&self) -> bool {
        self.incoming && self.state == State::Ringing
    }

    pub fn talks(&self) -> bool {
        self.state == State::Talking
    }

    pub fn ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether it can be given up before anybody answers.
    pub fn dials(&self) -> bool {
        !self.incoming && matches!(self.state, State::Ringing | State::Queued)
    }

    pub fn records(&self) -> bool {
        self.waiting_for == WaitingFor::Recording
    }

    pub fn wants_keys(&self) -> bool {
        self.waiting_for == WaitingFor::Keys
    }

    /// The line's number among all that were said.
    pub fn line(&self, at: &usize) -> usize {
        self.before + at
    }
}

/// Who said a line: the name of its style, and for the ear.
pub fn speaker(who: &Speaker) -> (&'static str, &'static str) {
    match who {
        Speaker::Service => ("service", "Ringdown"),
        Speaker::Phone => ("here", "This phone"),
        Speaker::Other => ("other", "The other end"),
        Speaker::Machine => ("machine", "Voicemail"),
        Speaker::Carrier => ("carrier", "Line"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        carrier::{
            Action, Sms,
            handsets::{Act, Input},
        },
        config::{self, Config},
        incident::World,
    };

    const ANNA: &str = "+12015550101";
    const ACME: &str = "+12015550150";

    fn at(seconds: i64) -> Time {
        "2026-11-02T15:00:00Z".parse::<Time>().unwrap() + TimeDelta::seconds(seconds)
    }

    fn number(text: &str) -> E164 {
        E164::parse(text).unwrap()
    }

    fn example() -> Config {
        let folder = tempfile::tempdir().unwrap();
        config::write_example(folder.path()).unwrap();
        config::check(folder.path(), at(0)).0.unwrap()
    }

    fn network() -> Network {
        Network::new("handsets".into(), number("+12015550100"), TimeDelta::seconds(25))
    }

    fn place(network: &mut Network, sid: &str, now: Time) {
        let attempt = sid.replace("call", "att").as_str().into();
        let ring = TimeDelta::seconds(25);
        let call = crate::carrier::Call { attempt, to: number(ANNA), ring, action: Action("voice/page".into()) };
        network.place_call(sid.into(), &call, now).unwrap();
    }

    fn write(network: &mut Network, body: &str, now: Time) {
        let sms =
            Sms { attempt: "att_sms".into(), to: number(ANNA), body: body.into(), validity: TimeDelta::minutes(10) };
        network.take_sms("sms_1".into(), &sms, now).unwrap();
        network.text_is(&number(ANNA), "sms_1", Status::Delivered, now);
    }

    fn of(network: &Network, phone: &str, now: Time) -> Card {
        let config = example();
        let shelf = Shelf::of(World { config: &config, overrides: &[] }, now);
        let cards = cards(network, &shelf, "https://pager.example.com", now);
        cards.into_iter().find(|card| card.number.as_str() == phone).expect("a card")
    }

    #[test]
    fn a_phone_is_quiet_rings_talks_and_is_quiet_again_an_hour_after_the_last_thing() {
        let mut network = network();
        assert_eq!(of(&network, ANNA, at(0)).stir, Stir::Quiet);
        place(&mut network, "call_1", at(0));
        let card = of(&network, ANNA, at(1));
        assert!(card.rings() && card.calls[0].rings() && card.owner.name == "Anna Reyes", "{card:?}");
        network.act("call_1", Input::Answer, at(5)).unwrap().unwrap();
        assert_eq!(of(&network, ANNA, at(6)).stir, Stir::Talks);
        network.act("call_1", Input::HangUp, at(9)).unwrap().unwrap();
        let card = of(&network, ANNA, at(10));
        assert_eq!((card.stir, card.calls[0].words.as_str()), (Stir::Fresh, "talked 4 s"));
        assert_eq!(of(&network, ANNA, at(9 + 3600)).stir, Stir::Quiet);
        assert!(of(&network, ANNA, at(9 + 3600)).calls.is_empty());
    }

    #[test]
    fn a_call_sent_to_voicemail_is_no_talk() {
        let mut network = network();
        place(&mut network, "call_1", at(0));
        network.act("call_1", Input::Divert, at(3)).unwrap().unwrap();
        network.act("call_1", Input::Cancel, at(6)).unwrap().unwrap();
        let card = of(&network, ANNA, at(7));
        assert_eq!(card.calls[0].words, "the voicemail box took it");
        assert!(card.calls[0].lines[0].text.starts_with("You have reached a voicemail box"));
        assert!(network.act("call_1", Input::Divert, at(8)).unwrap().is_err());
    }

    #[test]
    fn whoever_dials_makes_no_phone_ring() {
        let mut network = network();
        let script = vec![Act::Press("1".into())];
        network.dial("call_1".into(), &number(ACME), &number("+12015550190"), script, at(0)).unwrap();
        let card = of(&network, ACME, at(1));
        assert_eq!((card.stir, card.owner.kind), (Stir::Talks, "customer"));
        let call = &card.calls[0];
        assert!(call.dials() && !call.rings() && call.with == "Hotline main", "{call:?}");
    }

    #[test]
    fn a_page_offers_its_reply_code() {
        let mut network = network();
        write(&mut network, "4821 P1 Acme Bank: down. Reply 37 4 to ack, 37 9 to pass, 37 6 resolve.", at(0));
        let card = of(&network, ANNA, at(1));
        assert_eq!((card.stir, card.code.as_deref()), (Stir::Fresh, Some("37")));
        assert_eq!(card.peer.as_str(), "+12015550100");
    }

    #[test]
    fn only_addresses_of_ours_become_links() {
        let told = |body: &str| -> Vec<(String, Option<String>)> {
            parts(body, "https://pager.example.com/").into_iter().map(|part| (part.words, part.path)).collect()
        };
        let link = ("https://pager.example.com/a/x-1_z".to_string(), Some("/a/x-1_z".to_string()));
        assert_eq!(
            told("Take it: https://pager.example.com/a/x-1_z. Or not."),
            [("Take it: ".to_string(), None), link, (". Or not.".into(), None)]
        );
        for other in [
            "https://pager.example.com.evil.example/a",
            "http://evil.example/?https://pager.example.co/",
            "javascript:alert(1)",
            "",
        ] {
            assert!(told(other).iter().all(|(_, path)| path.is_none()), "{other}");
        }
        let Some((_, Some(path))) = told("https://pager.example.com/\"onclick=1").first().cloned() else { panic!() };
        assert_eq!(path, "/");
    }
}
