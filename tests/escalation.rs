//! And if they do not answer?

use crate::world::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_nobody_answers_every_level_is_paged_in_its_minute_up_to_the_last_resort() {
    let world = World::start().await;
    let start = world.now();
    let reference = world.report("P1").await;
    world.minutes(25).await;
    let numbers = [(BEN, 0), (CARLA, 5), (INES, 10), (JONAS, 15), (KATE, 20)];
    let reached: Vec<_> = world.reached(start).into_iter().filter(|(to, _)| to != ACME).collect();
    assert_eq!(reached, numbers.map(|(number, minute)| (number.to_owned(), minute)), "{}", world.dump().await);
    println!("{}", world.timeline(&reference).await);
    println!("{}", world.dump().await);
    world.finish();
}
