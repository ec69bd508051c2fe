//! The handsets with a clock moved by hand and a switchboard that says what it is told to.

mod always;
mod doors;
mod hotline;
mod pages;
mod queue;
mod texts;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use futures::future::BoxFuture;

use super::{Behaviour, Call, Handsets, Input, State};
use crate::{
    carrier::{
        self, Action, AnsweredBy, Carrier, Document, InboundSms, Receipt, Recording, Status, Switchboard, Turn,
        Unavailable, Verb, document::Digits,
    },
    clock::{Clock, ManualHand},
    people::E164,
};

const OURS: &str = "+12015550100";
const HOTLINE: &str = "+12015550101";
const ALICE: &str = "+12015550123";
const BOB: &str = "+12015550124";

/// Says on each path what it was told to, and remembers everything.
#[derive(Default)]
struct Desk {
    documents: Mutex<HashMap<String, Document>>,
    /// So many questions are not answered.
    ill: Mutex<u32>,
    turns: Mutex<Vec<Turn>>,
    receipts: Mutex<Vec<Receipt>>,
    recordings: Mutex<Vec<Recording>>,
    texts: Mutex<Vec<InboundSms>>,
}

impl Desk {
    fn well(&self) -> Result<(), Unavailable> {
        let mut ill = self.ill.lock().unwrap();
        if *ill == 0 {
            return Ok(());
        }
        *ill -= 1;
        Err(Unavailable::because("ill"))
    }
}

impl Switchboard for Desk {
    fn voice(&self, turn: Turn) -> BoxFuture<'_, Result<Document, Unavailable>> {
        Box::pin(async move {
            self.well()?;
            let document = self.documents.lock().unwrap().get(&turn.path).cloned();
            self.turns.lock().unwrap().push(turn);
            Ok(document.unwrap_or_else(Document::hang_up))
        })
    }

    fn sms(&self, sms: InboundSms) -> BoxFuture<'_, Result<Option<String>, Unavailable>> {
        Box::pin(async move {
            self.well()?;
            let answer = sms.body.starts_with("4821").then(|| "4821 is yours.".to_string());
            self.texts.lock().unwrap().push(sms);
            Ok(answer)
        })
    }

    fn receipt(&self, receipt: Receipt) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(async move {
            self.well()?;
            self.receipts.lock().unwrap().push(receipt);
            Ok(())
        })
    }

    fn recording(&self, recording: Recording) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(async move {
            self.well()?;
            self.recordings.lock().unwrap().push(recording);
            Ok(())
        })
    }
}

struct Rig {
    handsets: Arc<Handsets>,
    desk: Arc<Desk>,
    hand: ManualHand,
}

impl Rig {
    fn new() -> Self {
        let (clock, hand) = Clock::manual("2026-03-01T02:00:00Z".parse().unwrap());
        let handsets = Handsets::new("handsets".into(), number(OURS), 20, clock);
        let desk = Arc::new(Desk::default());
        handsets.connect(desk.clone());
        Rig { handsets, desk, hand }
    }

    /// Says what is heard on this path.
    fn on(self, path: &str, document: Document) -> Self {
        self.desk.documents.lock().unwrap().insert(path.into(), document);
        self
    }

    fn behaves(self, phone: &str, behaviour: Behaviour) -> Self {
        self.handsets.behave(&number(phone), behaviour);
        self
    }

    /// Places a call to a phone that rings for 25 seconds; its id.
    async fn place(&self, attempt: &str, to: &str) -> String {
        let accepted = self.handsets.place_call(&call_to(attempt, to)).await.unwrap();
        self.settle().await;
        accepted.sid
    }

    /// Dials the hotline from a phone; the call's id.
    async fn dial(&self) -> String {
        let id = self.handsets.dial(&number(ALICE), &number(HOTLINE), Vec::new()).unwrap();
        self.settle().await;
        id
    }

    async fn act(&self, id: &str, input: Input) {
        self.handsets.act(id, input).unwrap();
        self.settle().await;
    }

    /// Lets so many seconds pass, one at a time.
    async fn pass(&self, seconds: u32) {
        for _ in 0..seconds {
            self.hand.set(self.hand.now() + TimeDelta::seconds(1));
            self.settle().await;
        }
    }

    /// Lets every task run until it waits; there is only one thread, and nothing here waits for anything real.
    async fn settle(&self) {
        for _ in 0..40 {
            tokio::task::yield_now().await;
        }
    }

    fn call<T>(&self, id: &str, look: impl FnOnce(&Call) -> T) -> T {
        self.handsets.look(|network| look(network.call(id).expect("a call")))
    }

    fn state(&self, id: &str) -> State {
        self.call(id, Call::state)
    }

    /// The only call of a phone.
    fn call_on(&self, phone: &str) -> String {
        self.handsets.look(|network| {
            let phone = network.phones().find(|known| known.number.as_str() == phone).expect("a phone");
            phone.calls.back().expect("a call").clone()
        })
    }

    /// Everything said on a call, a line each.
    fn said(&self, id: &str) -> String {
        self.call(id, |call| {
            let lines = call.said.iter().map(|line| format!("{:?}: {}", line.who, line.text));
            lines.collect::<Vec<_>>().join("\n")
        })
    }

    fn statuses(&self) -> Vec<Status> {
        self.desk.receipts.lock().unwrap().iter().filter_map(|receipt| receipt.status).collect()
    }

    fn last_receipt(&self) -> Receipt {
        self.desk.receipts.lock().unwrap().last().expect("a receipt").clone()
    }

    fn last_turn(&self) -> Turn {
        self.desk.turns.lock().unwrap().last().expect("a turn").clone()
    }
}

fn number(text: &str) -> E164 {
    E164::parse(text).unwrap()
}

fn call_to(attempt: &str, to: &str) -> carrier::Call {
    carrier::Call {
        attempt: attempt.into(),
        to: number(to),
        ring: TimeDelta::seconds(25),
        action: Action(format!("voice/page?a={attempt}")),
    }
}

/// Asks for one key.
fn asks(words: &str, action: &str) -> Document {
    Document::default().then(gather(words, Digits::One, action))
}

fn gather(words: &str, digits: Digits, action: &str) -> Verb {
    let prompts = vec![Verb::Say { text: words.into(), language: "en".into() }, Verb::Pause(1)];
    Verb::Gather { prompts, digits, timeout: 5, action: Action(action.into()) }
}
