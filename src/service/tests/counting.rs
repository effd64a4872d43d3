//! The census: what stands, and holds that ended, each counted once.

use super::world::*;

fn told(world: &World) -> (u64, u64) {
    let census = world.service.census();
    (census.live_holds, census.expired_holds)
}

#[tokio::test]
async fn a_hold_that_ended_is_counted_once() {
    let world = World::with_slot(2).await;
    world.hold("a").await.unwrap();
    assert_eq!(told(&world), (1, 0));
    world.advance_seconds(120);
    assert_eq!(told(&world), (0, 1));
    world.advance_seconds(60);
    assert_eq!(told(&world), (0, 1));
    // The machine's clock alone is set back, and goes on.
    world.clock.advance_seconds(-150);
    told(&world);
    world.clock.advance_seconds(150);
    assert_eq!(told(&world).1, 1, "what had ended before is not counted again");
}

#[tokio::test]
async fn slots_are_counted_as_they_stand_and_today_as_full_as_it_is() {
    let world = World::with_slot(1).await;
    let standing = |world: &World| {
        let census = world.service.census();
        census.slots.iter().map(|((_, standing, _), count)| (standing.code(), *count)).collect::<Vec<_>>()
    };
    assert_eq!(standing(&world), [("free", 1)]);
    let id = world.hold("a").await.unwrap().value.claim.id;
    world.advance_seconds(20);
    assert_eq!(standing(&world), [("held", 1)]);
    world.confirm("b", id).await.unwrap();
    assert_eq!(standing(&world), [("held", 1)], "counted less than ten seconds ago");
    world.advance_seconds(20);
    assert_eq!(standing(&world), [("booked", 1)]);
    world.advance_seconds(2 * 3_600);
    assert_eq!(standing(&world), [], "it is over");
}
