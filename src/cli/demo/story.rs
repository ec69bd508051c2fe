//! The story: a customer dials; the engineer's phone goes to voicemail, the lead's rings out, the manager takes it;
//! the callback is made; updates are posted, one is missed and climbs to the executive; it ends.

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::{
    config::{Config, Team},
    customer::Customer,
    id::PersonKey,
    incident::World,
    people::{Channel, Person},
    server::boot::Running,
};

/// How long a phone rings before somebody picks it up, in seconds.
const PICKS_UP: u32 = 4;

/// Tells the story. Fails at the first step that was not seen to happen.
pub async fn tell(running: &Running, token: &str, speed: f64) -> anyhow::Result<()> {
    let config = running.app.config.load_full();
    let cast = Cast::choose(&config, running.app.clock.now())?;
    let stage = Stage::new(&running.app.settings.public_url, token, running.app.clock.clone())?;
    say!(
        "Ringdown at {}. One minute of the story takes {:.1} s; the times are minutes since it began.",
        running.app.settings.public_url,
        60.0 / speed
    );
    let story = Story { stage, cast };
    story.set_the_scene().await?;
    let reference = story.the_call().await?;
    story.the_ladder(&reference).await?;
    story.the_callback(&reference).await?;
    story.the_updates(&reference).await?;
    story.the_end(&reference).await
}

/// Who plays.
struct Cast<'a> {
    customer: &'a Customer,
    hotline: String,
    engineer: &'a Person,
    lead: &'a Person,
    manager: &'a Person,
    executive: &'a Person,
}

impl<'a> Cast<'a> {
    fn choose(config: &'a Config, now: crate::clock::Time) -> anyhow::Result<Self> {
        let person = |key: Option<&PersonKey>| {
            key.and_then(|key| config.people.get(key)).context("the example has no such person")
        };
        let customer = config.customers.get("acme").context("the example has no customer `acme`")?;
        let team: &Team = config.teams.get(&customer.team).context("the example has no such team")?;
        let on_call = World { config, overrides: &[] }.on_call(&team.schedule, now);
        Ok(Cast {
            customer,
            hotline: config.hotlines.values().next().context("the example has no hotline")?.number.as_str().into(),
            engineer: person(on_call.as_ref())?,
            lead: person(team.lead.as_ref())?,
            manager: person(team.manager.as_ref())?,
            executive: person(team.executive.as_ref())?,
        })
    }
}

struct Story<'a> {
    stage: Stage,
    cast: Cast<'a>,
}

impl Story<'_> {
    async fn set_the_scene(&self) -> anyhow::Result<()> {
        let Cast { customer, engineer, lead, manager, executive, .. } = &self.cast;
        self.stage.part("The scene");
        say!("          {} is a customer; {} is on call, {} leads the team.", customer.name, engineer.name, lead.name);
        say!("          {} is the manager, {} the executive.", manager.name, executive.name);
        for phone in lines(engineer) {
            self.behave(&phone, json!({"behaviour": "voicemail"})).await?;
        }
        for phone in lines(lead) {
            self.behave(&phone, json!({"behaviour": "rings_out"})).await?;
        }
        Ok(())
    }

    /// The customer dials the hotline and tells what is wrong.
    async fn the_call(&self) -> anyhow::Result<String> {
        self.stage.part("The call");
        self.stage.tell(&format!("{} dials the hotline", self.cast.customer.name));
        let script = json!([
            {"press": "1"},
            {"press": "1"},
            {"say": "Ada Byron"},
            {"say": "The checkout is down for all our customers."},
        ]);
        let caller = self.caller();
        let call = self
            .stage
            .post(&format!("/handsets/phones/{caller}/dial"), json!({"to": self.cast.hotline, "script": script}))
            .await?;
        let call = self.ended(text(&call, "id")?).await?;
        for line in call["said"].as_array().into_iter().flatten() {
            let who = if line["who"] == "phone" { "Ada" } else { "Hotline" };
            self.stage.quote(who, line["text"].as_str().unwrap_or_default());
        }
        let incidents = self.stage.get("/api/v1/incidents?open=true").await?;
        let incident = incidents["items"].get(0).context("the call made no incident")?.clone();
        let reference = text(&incident, "reference")?.to_string();
        ensure!(incident["priority"] == "P1", "the incident is not a P1: {incident}");
        self.stage.tell(&format!("incident {reference} is open: {}", text(&incident, "priority")?));
        let promise = self.text_to(&caller, &reference).await?;
        self.stage.quote("Text to Ada", &promise);
        Ok(reference)
    }

    /// Voicemail, nobody, and somebody who takes it.
    async fn the_ladder(&self, reference: &str) -> anyhow::Result<()> {
        let Cast { engineer, lead, manager, .. } = &self.cast;
        self.stage.part("The ladder");
        let page = self.text_to(&lines(engineer)[0], reference).await?;
        self.stage.quote(&format!("Text to {}", engineer.name), &page);
        self.call_of(engineer, "voicemail takes it", |call| call["answered_by"] == "machine").await?;
        self.stage
            .tell(&format!("{}'s phone goes to voicemail: that is nobody, so the next level at once", engineer.name));
        self.call_of(lead, "it rings", |_| true).await?;
        self.stage.tell(&format!("{}'s phone rings", lead.name));
        self.call_of(lead, "it rings out", |call| call["state"] == "ended" && call["status"] == "no_answer").await?;
        self.stage.tell(&format!("{} does not hear it", lead.name));
        self.take(manager, "4").await?;
        let incident = self.incident(reference).await?;
        ensure!(
            incident["holder"]["key"] == manager.key.as_str(),
            "the manager does not hold it: {}",
            incident["holder"]
        );
        self.stage.tell(&format!("{} has it; nobody else is paged any more", manager.name));
        Ok(())
    }

    /// Half of the time for the callback is gone: the manager is reminded, presses 5, and is put through.
    async fn the_callback(&self, reference: &str) -> anyhow::Result<()> {
        let Cast { manager, .. } = &self.cast;
        self.stage.part("The callback");
        let incident = self.incident(reference).await?;
        ensure!(incident["response"]["met"] == false, "an acknowledgement must not count as a callback");
        self.stage.tell("an acknowledgement is not a callback: the promise still runs");
        let caller = self.caller();
        self.behave(&caller, json!({"behaviour": "answers_and_presses", "key": "0", "after": PICKS_UP})).await?;
        self.take(manager, "5").await?;
        let call = self
            .stage
            .wait("the customer picks up", TimeDelta::minutes(5), async || {
                Ok(self.calls(&caller).await?.into_iter().find(|call| call["state"] == "talking"))
            })
            .await?;
        self.stage.tell("Ada picks up; they talk");
        self.stage.clock.sleep(TimeDelta::seconds(75)).await;
        self.stage.post(&format!("/handsets/calls/{}/hangup", text(&call, "id")?), json!({})).await?;
        let met = self
            .stage
            .wait("the conversation meets the promise", TimeDelta::minutes(5), async || {
                let response = self.incident(reference).await?["response"].clone();
                Ok((response["met"] == true).then_some(response))
            })
            .await?;
        ensure!(met["late"] == false && met["evidence"]["kind"] == "conversation", "the callback is not proven: {met}");
        self.stage.tell(&format!(
            "they spoke for {} s: promise kept, with the call ids as proof",
            met["evidence"]["seconds"]
        ));
        Ok(())
    }

    /// One update in time, one missed.
    async fn the_updates(&self, reference: &str) -> anyhow::Result<()> {
        let Cast { manager, executive, .. } = &self.cast;
        self.stage.part("The hourly updates");
        self.stage.until(TimeDelta::minutes(50)).await;
        self.update(
            reference,
            manager,
            "We found it: a card processor's certificate ran out. A new one is on its way.",
        )
        .await?;
        self.stage.tell("nothing is posted for an hour …");
        let window = self
            .stage
            .wait("the second update is missed", TimeDelta::minutes(80), async || {
                let incident = self.incident(reference).await?;
                Ok(incident["windows"].get(1).cloned())
            })
            .await?;
        ensure!(window["verdict"] == "missed", "the second window was not missed: {window}");
        self.stage.tell(&format!("update 2 is missed: it climbs past {} like an outage", manager.name));
        self.take(executive, "4").await?;
        let incident = self.incident(reference).await?;
        ensure!(incident["holder"]["key"] == executive.key.as_str(), "the executive does not hold it");
        self.update(reference, executive, "The new certificate is in place. We watch the first payments go through.")
            .await
    }

    async fn the_end(&self, reference: &str) -> anyhow::Result<()> {
        self.stage.part("The end");
        self.stage
            .post(&format!("/api/v1/incidents/{reference}/resolve"), json!({"note": "Payments go through again."}))
            .await?;
        let incident = self.incident(reference).await?;
        ensure!(incident["phase"] == "resolved" && incident["next_action"].is_null(), "it is not closed: {incident}");
        let last = self.text_to(&self.caller(), &format!("{reference} is resolved")).await?;
        self.stage.quote("Text to Ada", &last);
        self.stage.part("What can be proven (times in UTC)");
        for window in incident["windows"].as_array().into_iter().flatten() {
            say!(
                "          update {} due {}: {}",
                window["n"],
                time(&window["due"]),
                window["verdict"].as_str().unwrap_or("?")
            );
        }
        say!(
            "          callback due {}: met {}",
            time(&incident["response"]["due"]),
            time(&incident["response"]["met_at"])
        );
        let verdicts: Vec<&str> = incident["windows"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|window| window["verdict"].as_str())
            .collect();
        ensure!(verdicts.starts_with(&["met", "missed"]), "the record of the updates is wrong: {verdicts:?}");
        say!("\nEvery step was seen through the HTTP interface.");
        Ok(())
    }

    fn caller(&self) -> String {
        self.cast.customer.phones.first().map(|phone| digits(phone.as_str())).unwrap_or_default()
    }

    async fn incident(&self, reference: &str) -> anyhow::Result<Value> {
        self.stage.get(&format!("/api/v1/incidents/{reference}")).await
    }

    async fn update(&self, reference: &str, by: &Person, words: &str) -> anyhow::Result<()> {
        let body = json!({"text": words, "customer_visible": true, "as": by.key.as_str()});
        self.stage.post(&format!("/api/v1/incidents/{reference}/updates"), body).await?;
        self.stage.tell("an update is posted");
        let heard = self.text_to(&self.caller(), words).await?;
        self.stage.quote("Text to Ada", &heard);
        Ok(())
    }

    async fn calls(&self, phone: &str) -> anyhow::Result<Vec<Value>> {
        let phone = self.stage.get(&format!("/handsets/phones/{phone}")).await?;
        Ok(phone["calls"]
            .as_array()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .filter(|call| call["incoming"] == true)
            .collect())
    }

    async fn behave(&self, phone: &str, behaviour: Value) -> anyhow::Result<Value> {
        self.stage.put(&format!("/handsets/phones/{phone}/behaviour"), behaviour).await
    }

    /// A call to any of this person's lines of which something can be seen.
    async fn call_of(&self, person: &Person, what: &str, seen: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let phones = lines(person);
        self.stage
            .wait(&format!("{}'s phone: {what}", person.name), TimeDelta::minutes(40), async || {
                for phone in &phones {
                    if let Some(call) = self.calls(phone).await?.into_iter().rev().find(|call| seen(call)) {
                        return Ok(Some(call));
                    }
                }
                Ok(None)
            })
            .await
    }

    /// When this person's phone rings next, they pick it up, hear the question out, and press a key.
    async fn take(&self, person: &Person, key: &str) -> anyhow::Result<()> {
        let mut before = Vec::new();
        for phone in lines(person) {
            before.extend(self.calls(&phone).await?.into_iter().map(|call| call["id"].clone()));
            let behaviour = json!({"behaviour": "answers_and_presses", "key": key, "after": PICKS_UP});
            self.behave(&phone, behaviour).await?;
        }
        let fresh = |call: &Value| !before.contains(&call["id"]);
        self.call_of(person, "it rings", fresh).await?;
        self.stage.tell(&format!("{}'s phone rings", person.name));
        // The words after the question come once the key is pressed.
        let answered =
            |call: &Value| fresh(call) && call["said"].as_array().is_some_and(|said| said.iter().any(pressed));
        let call = self.call_of(person, "a key is pressed", answered).await?;
        let said = call["said"].as_array().cloned().unwrap_or_default();
        let question: Vec<&str> =
            said.iter().take_while(|line| !pressed(line)).filter_map(|line| line["text"].as_str()).collect();
        self.stage.quote("Call", &question.join(" "));
        self.stage.tell(&format!("{} presses {key}", person.name));
        let call = self
            .call_of(person, "the answer is heard", |call| {
                let said = call["said"].as_array().cloned().unwrap_or_default();
                fresh(call) && said.iter().skip_while(|line| !pressed(line)).nth(1).is_some()
            })
            .await?;
        let answer = call["said"].as_array().into_iter().flatten().skip_while(|line| !pressed(line)).nth(1);
        self.stage.quote("Call", answer.and_then(|line| line["text"].as_str()).unwrap_or_default());
        Ok(())
    }

    async fn ended(&self, id: &str) -> anyhow::Result<Value> {
        self.stage
            .wait("the call ends", TimeDelta::minutes(10), async || {
                let call = self.stage.get(&format!("/handsets/calls/{id}?until=ended")).await?;
                Ok((call["state"] == "ended").then_some(call))
            })
            .await
    }

    /// A text on this phone that holds these words.
    async fn text_to(&self, phone: &str, words: &str) -> anyhow::Result<String> {
        self.stage
            .wait(&format!("a text with “{words}”"), TimeDelta::minutes(5), async || {
                let phone = self.stage.get(&format!("/handsets/phones/{phone}")).await?;
                let texts = phone["texts"].as_array().cloned().unwrap_or_default();
                let bodies =
                    texts.iter().filter(|text| text["written_here"] == false).filter_map(|text| text["body"].as_str());
                Ok(bodies.rev().find(|body| body.contains(words)).map(String::from))
            })
            .await
    }
}

/// Whether this line of a call is a key that the phone's owner pressed.
fn pressed(line: &Value) -> bool {
    line["who"] == "phone"
}

/// The numbers of a person that can ring, without the plus.
fn lines(person: &Person) -> Vec<String> {
    let rings = person.contact.iter().filter(|method| method.channels.contains(&Channel::Voice));
    rings.map(|method| digits(method.address.as_str())).collect()
}

fn digits(number: &str) -> String {
    number.trim_start_matches('+').into()
}

fn text<'v>(value: &'v Value, field: &str) -> anyhow::Result<&'v str> {
    value[field].as_str().with_context(|| format!("no `{field}` in {value}"))
}

fn time(value: &Value) -> String {
    value.as_str().and_then(|text| text.get(11..16)).unwrap_or("-").into()
}
