//! A page's call: what is said, and what the keys mean.

use std::sync::Arc;

use super::{
    Attempt, Outcome, Purpose,
    attempt::Said,
    callback, message, receipt,
    script::{self, Heard, Listener, Progress, ROUNDS},
    store,
};
use crate::{
    access,
    carrier::{Document, Status, Turn, Unavailable},
    clock::Time,
    config::Config,
    id::PersonKey,
    incident::{
        Actor, Command, Evidence, Incident, Refusal, command::CONVERSATION_SECONDS, door::DoorError, effect::Cause,
        store as incidents,
    },
    intake::phone::{self, Talk, live::Taken},
    people::Channel,
    server::App,
    sla::Zone,
    store::Tx,
};

/// What to say next on a page's call.
pub async fn turn(app: &App, turn: Turn) -> Result<Document, Unavailable> {
    let (config, now) = (app.config.load_full(), app.clock.now());
    let Some(id) = turn.param("a") else { return Ok(Document::hang_up()) };
    let mut tx = app.db.begin().await?;
    let attempt = store::load_in_order(&mut tx, &id.into()).await?;
    let Some(mut attempt) = attempt.filter(|attempt| attempt.channel == Channel::Voice) else {
        return Ok(Document::hang_up());
    };
    let before = attempt.outcome;
    attempt.say(
        &Said {
            carrier: turn.carrier.as_str().into(),
            sid: turn.call_sid.clone(),
            status: Some(Status::InProgress),
            answered_by: None,
            error_code: None,
        },
        now,
    );
    let incident = match &attempt.incident {
        Some(id) => incidents::load(&mut tx, id).await?,
        None => None,
    };
    let mut line = Line { app, config, attempt, before, turn, now };
    let document = match incident {
        _ if line.heard() == Heard::Machine => {
            line.attempt.reason = Some("a machine picked up".into());
            line.over(&mut tx, Outcome::NoHuman).await?;
            Document::hang_up()
        }
        Some(incident) if line.turn.path == "voice/page/talked" => line.talked(&mut tx, &incident).await?,
        Some(incident) if line.turn.path == "voice/page/bridged" => line.bridged(&mut tx, &incident).await?,
        Some(incident) if line.attempt.purpose == Purpose::Callback => line.callback(&mut tx, &incident).await?,
        Some(incident) => line.page(&mut tx, incident).await?,
        None if line.attempt.purpose == Purpose::Code => line.code(&mut tx).await?,
        None => line.test(&mut tx).await?,
    };
    tx.commit().await?;
    app.bell.ring();
    Ok(document)
}

/// One turn, with what is known at its beginning.
struct Line<'a> {
    app: &'a App,
    config: Arc<Config>,
    attempt: Attempt,
    before: Option<Outcome>,
    turn: Turn,
    now: Time,
}

impl Line<'_> {
    fn key(&self) -> Option<char> {
        self.turn.digits.as_deref().and_then(|digits| digits.chars().next())
    }

    /// How far the call is: this turn.
    fn progress(&self) -> Progress {
        let number = |name: &str| self.turn.param(name).and_then(|text| text.parse().ok()).unwrap_or(1u32);
        Progress { round: number("n"), turns: number("t") }
    }

    fn heard(&self) -> Heard {
        script::heard(self.turn.answered_by, self.key(), self.progress())
    }

    fn page_number(&self) -> Option<u32> {
        Some(self.attempt.page.as_ref()?.parts()?.1)
    }

    fn listener<'b>(&'b self, fallback: &'b Zone) -> Listener<'b> {
        let person = self.attempt.person.as_ref().and_then(|key| self.config.people.get(key));
        Listener {
            attempt: &self.attempt.id,
            language: person.map_or("en-US", |person| &person.language),
            zone: person.map_or(fallback, |person| &person.zone),
        }
    }

    async fn over(&mut self, tx: &mut Tx, outcome: Outcome) -> sqlx::Result<()> {
        self.attempt.end(outcome, self.now);
        self.keep(tx).await
    }

    async fn keep(&mut self, tx: &mut Tx) -> sqlx::Result<()> {
        receipt::keep(self.app, tx, &self.attempt, self.before, self.now).await?;
        self.before = self.attempt.outcome;
        Ok(())
    }

    async fn page(&mut self, tx: &mut Tx, incident: Incident) -> Result<Document, Unavailable> {
        let Some(number) = self.page_number() else { return Ok(Document::hang_up()) };
        let at = self.progress();
        let next = |round| Progress { round, turns: at.turns.saturating_add(1) };
        let state = incident.pages.get(&number);
        let cause = state.map_or(Cause::Opened, |page| page.cause);
        let zone = incident.zone.clone();
        match self.heard() {
            Heard::Press(key) => return self.press(tx, incident, number, key).await,
            Heard::TooLong => {
                self.over(tx, Outcome::NoHuman).await?;
                return Ok(self.listener(&zone).goodbye("Nothing was done."));
            }
            Heard::Silence => {
                self.attempt.reason.get_or_insert("no key was pressed".into());
                self.over(tx, Outcome::NoHuman).await?;
                return Ok(self.listener(&zone).goodbye("No key was pressed."));
            }
            Heard::Machine | Heard::More => {}
        }
        // Answered after somebody else took it: say so, instead of asking for a key that does nothing.
        let open = state.map_or(incident.is_open(), |page| page.open);
        if !open && let Some(words) = message::taken(&incident, &self.config, self.listener(&zone).zone) {
            self.over(tx, Outcome::Cancelled).await?;
            return Ok(self.listener(&zone).goodbye(&words));
        }
        self.keep(tx).await?;
        let waiting = phone::waiting(tx, &incident.id, &self.turn.carrier, self.now).await?;
        let listener = self.listener(&zone);
        Ok(match self.key() {
            None => listener.page(&incident, cause, waiting, next(at.round.saturating_add(1))),
            Some('*') => listener.page(&incident, cause, waiting, next(2)),
            Some(_) => listener.keys_again(next(at.round)),
        })
    }

    /// A key that acts: the attempt is answered first, so that ending the page does not hang up this call.
    async fn press(&mut self, tx: &mut Tx, incident: Incident, page: u32, key: char) -> Result<Document, Unavailable> {
        self.attempt.answer(self.now);
        self.keep(tx).await?;
        let done = self.app.door.execute_in(tx, &incident.id, Command::KeyPress { page, key }).await;
        let me = self.attempt.person.clone();
        let incident = match done {
            Ok(incident) => incident,
            // The same key twice, or a webhook that came again.
            Err(DoorError::Refused(Refusal::AlreadyAcknowledged { by, .. })) if is(&by, me.as_ref()) => incident,
            Err(DoorError::Refused(refusal)) => {
                let listener = self.listener(&incident.zone);
                let words = message::refused(&refusal, &incident.reference, &self.config, listener.zone);
                return Ok(listener.goodbye(&words));
            }
            Err(DoorError::Database(error)) => return Err(error.into()),
        };
        let mine = incident.holder.as_ref().is_some_and(|holder| is(&holder.who, me.as_ref()));
        let talk = match &me {
            Some(person) if key != '9' => self.take(tx, &incident, person).await?,
            _ => Talk::Nobody,
        };
        if let Some(document) = self.on_the_line(&incident, mine, talk) {
            return Ok(document);
        }
        let listener = self.listener(&incident.zone);
        Ok(match key {
            '9' => listener.goodbye(&message::passed_on(&incident, me.as_ref(), &self.config)),
            '5' => match callback::number(&incident) {
                Some(to) => listener.connecting(&incident, mine, to),
                None => listener.no_number(&incident),
            },
            _ if mine => listener.acknowledged(&incident),
            _ => {
                let zone = listener.zone;
                let words = me.as_ref().map(|me| message::acknowledged(&incident, me, &self.config, zone));
                listener.goodbye(&words.unwrap_or_else(|| "Noted.".into()))
            }
        })
    }

    /// They asked to talk to the customer. Only a key goes on: a voicemail is not put through to anybody.
    async fn callback(&mut self, tx: &mut Tx, incident: &Incident) -> Result<Document, Unavailable> {
        let at = self.progress();
        if !incident.is_open() {
            self.over(tx, Outcome::Cancelled).await?;
            let words = message::taken(incident, &self.config, self.listener(&incident.zone).zone);
            return Ok(self.listener(&incident.zone).goodbye(&words.unwrap_or_else(|| "It is over.".into())));
        }
        if self.key() == Some('5') {
            self.attempt.answer(self.now);
            self.keep(tx).await?;
            return self.put_through(tx, incident).await;
        }
        match script::heard(self.turn.answered_by, self.key().filter(|key| !matches!(key, '4' | '9')), at) {
            Heard::TooLong | Heard::Silence => {
                self.over(tx, Outcome::NoHuman).await?;
                Ok(self.listener(&incident.zone).goodbye("No key was pressed."))
            }
            Heard::Machine | Heard::Press(_) | Heard::More => {
                self.keep(tx).await?;
                let waiting = phone::waiting(tx, &incident.id, &self.turn.carrier, self.now).await?;
                let round = if self.key().is_none() { at.round.saturating_add(1) } else { at.round };
                let next = Progress { round, turns: at.turns.saturating_add(1) };
                Ok(self.listener(&incident.zone).callback(incident, waiting, next))
            }
        }
    }

    /// The caller if they wait on the line, else the customer's phone.
    async fn put_through(&self, tx: &mut Tx, incident: &Incident) -> Result<Document, Unavailable> {
        let Some(person) = self.attempt.person.clone() else { return Ok(Document::hang_up()) };
        let talk = self.take(tx, incident, &person).await?;
        if let Some(document) = self.on_the_line(incident, false, talk) {
            return Ok(document);
        }
        let Some(to) = callback::number(incident) else {
            return Ok(self.listener(&incident.zone).goodbye("There is no number to call the customer on."));
        };
        match self.app.door.execute_in(tx, &incident.id, Command::StartCallback { by: Actor::Person(person) }).await {
            Ok(incident) => Ok(self.listener(&incident.zone).connecting(&incident, false, to)),
            Err(DoorError::Refused(refusal)) => {
                let listener = self.listener(&incident.zone);
                let words = message::refused(&refusal, &incident.reference, &self.config, listener.zone);
                Ok(listener.goodbye(&words))
            }
            Err(DoorError::Database(error)) => Err(error.into()),
        }
    }

    /// What is said when the caller is on the line: to whoever comes first, and to everybody after.
    fn on_the_line(&self, incident: &Incident, mine: bool, talk: Talk) -> Option<Document> {
        let listener = self.listener(&incident.zone);
        match talk {
            Talk::Join => Some(listener.joining(incident, mine)),
            Talk::Busy(person) => {
                let name = message::name(&Actor::Person(person), &self.config);
                Some(listener.goodbye(&format!("{name} is talking to the caller.")))
            }
            Talk::Nobody => None,
        }
    }

    /// Whoever takes it talks to the caller, if they wait on the line.
    async fn take(&self, tx: &mut Tx, incident: &Incident, person: &PersonKey) -> sqlx::Result<Talk> {
        let (attempt, call) = (self.attempt.id.clone(), self.turn.call_sid.clone());
        let by = Taken { attempt, person: person.clone(), call, at: self.now };
        phone::take(tx, &incident.id, &self.turn.carrier, by).await
    }

    /// The talk with the caller is over, or they were gone.
    async fn talked(&mut self, tx: &mut Tx, incident: &Incident) -> Result<Document, Unavailable> {
        self.keep(tx).await?;
        let bridge = self.turn.bridge.clone().filter(|bridge| bridge.completed);
        let seconds = bridge.map(|bridge| bridge.seconds);
        let phone::Over { met, command } = phone::over(tx, &incident.id, &self.attempt.id, seconds, self.now).await?;
        if let Some(command) = command {
            match self.app.door.execute_in(tx, &incident.id, command).await {
                Ok(_) => {}
                Err(DoorError::Refused(refusal)) => tracing::info!(%refusal, "a talk with a caller is not recorded"),
                Err(DoorError::Database(error)) => return Err(error.into()),
            }
        }
        let listener = self.listener(&incident.zone);
        let next = Progress { round: ROUNDS + 1, turns: 2 };
        Ok(if met { listener.talked(incident) } else { listener.caller_left(incident, next) })
    }

    /// The customer's leg is over.
    async fn bridged(&mut self, tx: &mut Tx, incident: &Incident) -> Result<Document, Unavailable> {
        self.keep(tx).await?;
        let (bridge, person) = (self.turn.bridge.clone(), self.attempt.person.clone());
        let listener = self.listener(&incident.zone);
        let next = Progress { round: ROUNDS + 1, turns: 2 };
        let talked = bridge.as_ref().filter(|bridge| bridge.completed && bridge.seconds > 0);
        let Some((bridge, person)) = talked.filter(|bridge| bridge.seconds >= CONVERSATION_SECONDS).zip(person) else {
            return Ok(listener.not_reached(incident, talked.is_some(), next));
        };
        let mut calls = vec![self.turn.call_sid.clone()];
        calls.extend(bridge.sid.clone());
        let evidence = Evidence::Conversation { calls, seconds: bridge.seconds };
        let command = Command::RecordResponse { by: Actor::Person(person), evidence };
        match self.app.door.execute_in(tx, &incident.id, command).await {
            Ok(incident) => Ok(listener.responded(&incident, bridge.seconds)),
            Err(DoorError::Refused(refusal)) => {
                let words = message::refused(&refusal, &incident.reference, &self.config, listener.zone);
                Ok(listener.goodbye(&words))
            }
            Err(DoorError::Database(error)) => Err(error.into()),
        }
    }

    /// A one-time code, read to whoever presses a key: a voicemail does not.
    async fn code(&mut self, tx: &mut Tx) -> Result<Document, Unavailable> {
        let (at, utc) = (self.progress(), Zone::utc());
        match self.key() {
            _ if self.now >= self.attempt.expires_at => {
                self.over(tx, Outcome::Expired).await?;
                Ok(self.listener(&utc).goodbye("This code is too old."))
            }
            Some('4') => {
                self.attempt.answer(self.now);
                self.keep(tx).await?;
                let digits = self.app.desk.digits(self.attempt.id.as_str());
                Ok(self.listener(&utc).code(&access::code::spoken(&digits)))
            }
            _ if at.turns > ROUNDS => {
                self.over(tx, Outcome::NoHuman).await?;
                Ok(self.listener(&utc).goodbye("No key was pressed."))
            }
            _ => {
                self.keep(tx).await?;
                let next = Progress { round: at.round.saturating_add(1), turns: at.turns.saturating_add(1) };
                Ok(self.listener(&utc).code_waits(next))
            }
        }
    }

    /// A call that only shows that it arrives.
    async fn test(&mut self, tx: &mut Tx) -> Result<Document, Unavailable> {
        let (at, utc) = (self.progress(), Zone::utc());
        match self.key() {
            Some('4') => {
                self.attempt.answer(self.now);
                self.keep(tx).await?;
                Ok(self.listener(&utc).goodbye("Thank you. The test worked."))
            }
            _ if at.turns > ROUNDS => {
                self.over(tx, Outcome::NoHuman).await?;
                Ok(self.listener(&utc).goodbye("No key was pressed."))
            }
            _ => {
                self.keep(tx).await?;
                let next = Progress { round: at.round.saturating_add(1), turns: at.turns.saturating_add(1) };
                Ok(self.listener(&utc).test(next))
            }
        }
    }
}

fn is(actor: &Actor, person: Option<&PersonKey>) -> bool {
    matches!((actor, person), (Actor::Person(actor), Some(person)) if actor == person)
}
