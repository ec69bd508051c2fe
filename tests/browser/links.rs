//! The pages behind the links of our texts, on a phone; people, and whether all is fit for the night.

use ringdown::{access::link::For, id::PageId};
use serde_json::json;

use super::{accessible::look_at, driver::Browser, house::House};

/// The paths of the page of the first one who was paged, and of the customer.
async fn links(house: &House, reference: &str) -> (String, String) {
    let incident = house.get(&format!("/api/v1/incidents/{reference}")).await;
    let id = incident["id"].as_str().expect("an id").into();
    let token = |what| house.app().links.token(reference, what);
    let page = PageId::of(&id, 1);
    (format!("/a/{}", token(For::Page(&page))), format!("/s/{}", token(For::Customer(&id))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_links_people_and_readiness_are_for_everybody() {
    let house = House::open().await;
    let title = "Checkout is down for all shops in Europe since the release of 02:50";
    let reference = house.report("P1", title).await;
    let (page, customer) = links(&house, &reference).await;
    let stranger = Browser::open().await;
    let mut wrong = look_at(&house, &stranger, &page, "acknowledge").await;
    wrong.extend(look_at(&house, &stranger, &customer, "status").await);
    wrong.extend(look_at(&house, &stranger, "/a/4821aaaaaaaaaaaaaaaa", "acknowledge-gone").await);
    stranger.look(390, false).await;
    house.go(&stranger, &page).await;
    stranger.click("#eta-15").await;
    stranger.says("#stand", "It is yours").await;
    wrong.extend(look_at(&house, &stranger, &page, "acknowledge-mine").await);
    let holder = house.get(&format!("/api/v1/incidents/{reference}")).await["holder"]["key"].clone();
    let update = json!({ "text": "We found the cause and are rolling back.", "as": holder });
    house.post(&format!("/api/v1/incidents/{reference}/updates"), update).await;
    wrong.extend(look_at(&house, &stranger, &customer, "status-worked-on").await);
    house.post(&format!("/api/v1/incidents/{reference}/resolve"), json!({ "note": "rolled back", "as": holder })).await;
    wrong.extend(look_at(&house, &stranger, &page, "acknowledge-over").await);
    wrong.extend(look_at(&house, &stranger, &customer, "status-over").await);
    let key = holder.as_str().expect("a key").to_owned();
    let mine = house.visitor(&key).await;
    wrong.extend(look_at(&house, &mine, "/people", "people").await);
    wrong.extend(look_at(&house, &mine, &format!("/people/{key}"), "person").await);
    wrong.extend(look_at(&house, &mine, "/readiness", "readiness").await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_big_button_is_in_reach_of_a_thumb_and_works_without_scripts() {
    let house = House::open().await;
    let reference = house.report("P1", "Checkout is down").await;
    let (page, customer) = links(&house, &reference).await;
    let phone = Browser::open().await;
    phone.scripts(false).await;
    phone.look(390, true).await;
    house.go(&phone, &page).await;
    phone.scripts(true).await;
    let place = "const box = document.querySelector('#take').getBoundingClientRect(); \
                 return { height: box.height, share: box.top / window.innerHeight, seen: box.bottom <= window.innerHeight }";
    let place = phone.script(place).await;
    assert_eq!(place["seen"], true, "{place}");
    assert!(place["height"].as_f64() >= Some(64.0) && place["share"].as_f64() >= Some(0.35), "{place}");
    phone.scripts(false).await;
    phone.click("#take").await;
    phone.says("#stand", "It is yours").await;
    house.go(&phone, &customer).await;
    phone.says("#state", "An engineer is working on it").await;
    phone.write("#words", "the tills in Bonn too").await;
    phone.click("#still").await;
    phone.says("#done", "Whoever works on it was told.").await;
    phone.click("#fixed").await;
    phone.click("#close").await;
    phone.says("#state", "It is resolved").await;
    phone.reload().await;
    phone.says("#state", "It is resolved").await;
}
