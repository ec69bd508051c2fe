//! Nights made by chance: people, carriers and restarts as they come. A seed that fails is in the message;
//! `RINGDOWN_SEED=n` runs that night alone, `RINGDOWN_NIGHTS=n` more of them.

use chrono::TimeDelta;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::world::*;

const LADDER: [&str; 5] = [BEN, CARLA, INES, JONAS, KATE];

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn phone(chance: &mut StdRng, world: &World, number: &str) {
    let voice = match chance.random_range(0..9) {
        0 => presses('4'),
        1 => presses('9'),
        2 => Voice::Busy,
        3 => Voice::Off,
        4 => Voice::Voicemail { after: chance.random_range(2..20) },
        5 => Voice::Rejects { after: 3 },
        6 => Voice::Answers { after: 4, keys: vec![(2, '*'), (30, '4')], talks: 0, patience: Some(20) },
        _ => Voice::Rings,
    };
    let texts = match chance.random_range(0..6) {
        0 => Texts::Undelivered(30005),
        1 => Texts::Replies { after: chance.random_range(5..400), with: "{code} 4" },
        2 => Texts::Replies { after: chance.random_range(5..400), with: "what?" },
        _ => Texts::Delivered,
    };
    world.carrier.phone(number, voice, texts);
}

fn fault(chance: &mut StdRng) -> Fault {
    match chance.random_range(0..4) {
        0 => Fault::TooMany(chance.random_range(1..20)),
        1 => Fault::TakenButAnswers(500),
        2 => Fault::Refuse(400, 21611),
        _ => Fault::Refuse(500, 20500),
    }
}

async fn night(seed: u64) {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut world = World::start().await;
    for number in LADDER {
        phone(&mut chance, &world, number);
    }
    let receipts = [Receipts::Prompt, Receipts::Early, Receipts::Doubled, Receipts::Reordered, Receipts::Lost];
    world.carrier.receipts(receipts[chance.random_range(0..receipts.len())]);
    for _ in 0..chance.random_range(0..4) {
        world.carrier.next(fault(&mut chance));
    }
    let start = world.now();
    let reference = world.report("P1").await;
    let mut left = 26 * 60;
    while left > 0 {
        let step = chance.random_range(5..300).min(left);
        world.seconds(step).await;
        left -= step;
        match chance.random_range(0..10) {
            0 => world.restart().await,
            1 => world.carrier.next(fault(&mut chance)),
            2 => {
                world.carrier.die().await;
                world.seconds(7).await;
                world.carrier.come_back().await;
                left -= 7;
            }
            _ => {}
        }
    }
    world.minutes(1).await;

    let why = async || format!("seed {seed}\n{}\n{}", world.timeline(&reference).await, world.dump().await);
    let acknowledged = world.events(&reference, "acknowledged").await;
    let levels = world.events(&reference, "level_reached").await;
    if acknowledged.is_empty() {
        // Whatever happened, the last resort was paged within the policy's minutes.
        let last = levels.iter().find(|level| level["level"] == 4);
        let at = last.map(|level| text(&level["at"]).parse::<ringdown::clock::Time>().expect("an instant"));
        assert!(at.is_some_and(|at| at <= start + TimeDelta::minutes(20)), "{}", why().await);
    }
    for ack in &acknowledged {
        // Only somebody who pressed a key or wrote back acknowledges.
        let by = text(&ack["by"]["name"]);
        let number = match by.as_str() {
            "ben" => BEN,
            "carla" => CARLA,
            "ines" => INES,
            "jonas" => JONAS,
            _ => KATE,
        };
        let pressed = world.carrier.calls_to(number).iter().any(|call| call.pressed.contains('4'));
        assert!(pressed || ack["via"] == "sms", "{}", why().await);
    }
    let incident = world.incident(&reference).await;
    assert!(incident["next_action"]["at"].is_string(), "an open incident has a next action: {}", why().await);
    // One page, one text and one call; another only where an answer was lost.
    let pages = world.get(&format!("/api/v1/incidents/{reference}/pages?limit=200")).await;
    let attempts: Vec<Value> = pages["items"].as_array().expect("a list").clone();
    for number in LADDER {
        let asked = attempts.iter().filter(|attempt| attempt["address"] == number && attempt["tries"] != 0).count();
        let sent = world.carrier.sent().iter().filter(|sent| sent.to == number).count();
        assert!(sent <= asked, "{number}: {sent} sent for {asked} attempts: {}", why().await);
    }
    // After its end nobody is paged.
    world.act(&reference, "resolve", "ben", json!({ "note": "Over." })).await;
    world.minutes(2).await;
    let before = world.carrier.sent().len();
    world.advance(TimeDelta::hours(2)).await;
    assert_eq!(world.carrier.sent().len(), before, "{}", why().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_night_brings_somebody_is_reached_and_nothing_happens_twice() {
    match std::env::var("RINGDOWN_SEED") {
        Ok(seed) => night(seed.parse().expect("a seed")).await,
        Err(_) => {
            let first = rand::rng().next_u64() >> 32;
            for seed in first..first + number("RINGDOWN_NIGHTS", 8) {
                println!("seed {seed}");
                night(seed).await;
            }
        }
    }
}
