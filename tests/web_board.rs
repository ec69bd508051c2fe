//! The board, an incident's page, who is on call and the record of what was kept: what stands on them, and what their
//! forms do.

use chrono::TimeDelta;
use ringdown::access::Role;
use serde_json::json;

use crate::world::{browser::Browser, *};

fn place(text: &str, words: &str) -> usize {
    text.find(words).unwrap_or_else(|| panic!("`{words}` is not in {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_has_the_worst_first_and_tells_who_was_reached_how() {
    let world = World::start().await;
    let (lesser, grave) = (world.report("P2").await, world.report("P1").await);
    let mut browser = Browser::signed_in(&world, Some("ben"), None).await;
    let board = browser.get("/").await.text;
    assert!(place(&board, &format!("/incidents/{grave}")) < place(&board, &format!("/incidents/{lesser}")));
    for words in ["2 open incidents", "2 promises are due in the next 30 minutes", "2 held by nobody", "in 30 min"] {
        place(&board, words);
    }
    world.act(&grave, "acknowledge", "ben", json!({})).await;
    // What is held can wait longer than what nobody has.
    world.minutes(31).await;
    let board = browser.get("/").await.text;
    for words in ["promises are late", "took it", "missed; the customer still waits", "text delivered"] {
        place(&board, words);
    }
    let closed = browser.get("/incidents?open=true&priority=P1").await.text;
    assert!(closed.contains(&grave) && !closed.contains(&format!(">{lesser}<")), "{closed}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_seen_as_the_customer_gets_it_before_it_is_posted() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.act(&reference, "acknowledge", "ben", json!({})).await;
    let mut browser = Browser::signed_in(&world, Some("ben"), None).await;
    let page = format!("/incidents/{reference}");
    let update =
        [("text", "We found the cause <b>."), ("customer_visible:json", "false"), ("customer_visible:json", "true")];
    let preview = browser.act(&format!("{page}/preview"), &update).await.text;
    place(&preview, &format!("{reference}: We found the cause"));
    place(&preview, "It meets update 1, due by 04:00.");
    assert!(!preview.contains("<b>."), "what is written is text");
    assert!(world.events(&reference, "updated").await.is_empty(), "nothing was posted");

    let posted = browser.act(&format!("{page}/updates"), &update).await;
    assert_eq!(posted.to(), format!("{page}?done=updates"));
    assert_eq!(world.events(&reference, "updated").await.len(), 1);
    let again = browser.act(&format!("{page}/preview"), &update).await.text;
    place(&again, "It meets no window");
    let unseen = [("text", "A note"), ("customer_visible:json", "false")];
    place(&browser.act(&format!("{page}/preview"), &unseen).await.text, "The customer gets nothing.");
    let empty = browser.act(&format!("{page}/updates"), &[("text", "  ")]).await;
    assert!(empty.status == 422 && empty.text.contains("<li>Text is missing.</li>"), "{empty:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_changes_hands_and_an_old_page_undoes_nothing() {
    let world = World::start().await;
    let now = world.get("/api/v1/oncall").await;
    let team =
        now["teams"].as_array().expect("teams").iter().find(|team| team["person"]["key"] == "ben").expect("Ben's");
    let schedule = text(&team["schedule"]["key"]);
    let (start, end) = (world.now().to_rfc3339(), (world.now() + TimeDelta::hours(2)).to_rfc3339());
    let shift = [("schedule", schedule.as_str()), ("start", &start), ("end", &end), ("from", "ben")];
    let mut carla = Browser::signed_in(&world, Some("carla"), None).await;
    assert_eq!(carla.act("/oncall/take", &shift).await.to(), "/oncall?done=taken");
    let now = world.get("/api/v1/oncall").await;
    let team = now["teams"].as_array().expect("teams").iter().find(|team| team["schedule"]["key"] == schedule.as_str());
    assert_eq!(team.expect("the team")["person"]["key"], "carla");
    let page = carla.get("/oncall?done=taken").await.text;
    assert!(page.contains("The shift is yours.") && page.contains("stands in"), "{page}");

    // Somebody who looks at an older page.
    let mut ben = Browser::signed_in(&world, Some("ben"), None).await;
    let late = ben.act("/oncall/give", &[&shift[..], &[("to", "ines")]].concat()).await;
    assert!(late.status == 409 && late.text.contains("changed hands"), "{late:?}");
    // Nobody gives away more than the shift that is theirs.
    let far = (world.now() + TimeDelta::days(300)).to_rfc3339();
    let more = [("schedule", schedule.as_str()), ("start", &start), ("end", &far), ("from", "carla"), ("to", "ines")];
    let beyond = carla.act("/oncall/give", &more).await;
    assert!(beyond.status == 409 && beyond.text.contains("changed hands"), "{beyond:?}");
    // Another's shift is a commander's to give.
    let anothers = [&shift[..3], &[("from", "carla"), ("to", "ines")]].concat();
    assert_eq!(ben.act("/oncall/give", &anothers).await.status, 403);
    let mut commander = Browser::signed_in(&world, None, Some(Role::Commander)).await;
    assert_eq!(commander.act("/oncall/give", &anothers).await.to(), "/oncall?done=given");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_read_by_whoever_knows_its_address_until_it_is_revoked() {
    let world = World::start().await;
    let mut ben = Browser::signed_in(&world, Some("ben"), None).await;
    let page = ben.act("/oncall/feeds", &[("of", "person:ben")]).await.text;
    let from = place(&page, &format!("{PUBLIC_URL}/oncall/feed/"));
    let address: String = page[from + PUBLIC_URL.len()..].chars().take_while(|c| *c != '<').collect();
    assert!(!ben.get("/oncall").await.text.contains("/oncall/feed/"), "shown once");
    let mut calendar = Browser::of(&world);
    let feed = calendar.get(&address).await;
    assert!(feed.status == 200 && feed.text.starts_with("BEGIN:VCALENDAR") && feed.text.contains("SUMMARY:On call"));
    let shown = ben.get("/oncall").await.text;
    let id: String = shown[place(&shown, "fed_")..].chars().take_while(|c| *c != '"').collect();
    let mut carla = Browser::signed_in(&world, Some("carla"), None).await;
    assert_eq!(carla.act("/oncall/feeds/revoke", &[("id", &id)]).await.status, 404, "not hers");
    assert_eq!(ben.act("/oncall/feeds/revoke", &[("id", &id)]).await.to(), "/oncall?done=revoked");
    assert_eq!(calendar.get(&address).await.status, 404);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_a_period_is_a_page_and_three_files() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.minutes(31).await;
    world.act(&reference, "resolve", "ben", json!({})).await;
    let mut browser = Browser::signed_in(&world, None, Some(Role::Viewer)).await;
    let question = "/compliance?from=2026-11-01&to=2026-12-01";
    let page = browser.get(question).await.text;
    for words in ["First response missed", &reference, "Last month", "format=csv"] {
        place(&page, words);
    }
    let csv = browser.get(&format!("{question}&format=csv")).await.text;
    assert!(csv.lines().count() > 1 && csv.contains(&reference), "{csv}");
    let json = browser.get(&format!("{question}&format=json")).await.text;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["promises"]["missed"], 1, "{json}");
    place(&browser.get(&format!("{question}&format=html")).await.text, "<style>");
    assert!(!page.contains("format=signed"), "that has numbers in it");
    assert_eq!(browser.get(&format!("{question}&format=signed")).await.status, 403);
    let nonsense = browser.get("/compliance?from=yesterday").await;
    assert!(nonsense.status == 400 && nonsense.text.contains("must be a date"), "{nonsense:?}");
    world.finish();
}
