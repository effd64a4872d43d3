//! The index answers as brute force does, on any state and any question, whoever was chosen and whatever changed in between.

use std::collections::HashMap;
use std::sync::Arc;

use sas_router::domain::directory::Schedule;
use sas_router::domain::id::{CaseId, ScheduleId};
use sas_router::domain::query::{CareQuery, CareQueryDraft};
use sas_router::domain::record::Body;
use sas_router::domain::share::{CaseNumber, Turn, TurnClock};
use sas_router::domain::slot::Slot;
use sas_router::domain::time::{MS_PER_DAY, UtcInstant, Window};
use sas_router::index::Index;
use sas_router::routing::policy::Policy;
use sas_router::routing::ranking::Match;
use sas_router::service::Finder;

use crate::support::day::{News, directory_changes, slot_changes};
use crate::support::oracle::{Found, Oracle};
use crate::support::questions::questions;
use crate::support::random::Random;
use crate::support::region::{Region, at_minute, numbered, varied_region};

/// A region and the index that heard all of it.
struct World {
    region: Region,
    index: Index,
    heard: u64,
    random: Random,
}

impl World {
    fn new(region: Region) -> Self {
        let mut world = Self { region, index: Index::new(), heard: 0, random: Random::new(3) };
        let directory = world.region.directory.iter().map(|body| (body.key(), Some(body.clone())));
        let slots = world.region.slots.iter().map(|slot| Body::Slot(Arc::clone(slot)));
        let all: Vec<News> = directory.chain(slots.map(|body| (body.key(), Some(body)))).collect();
        world.hear(all, 500);
        world
    }

    fn hear(&mut self, news: Vec<News>, batch: usize) {
        let changes = numbered(news.into_iter(), self.heard + 1);
        self.heard += changes.len() as u64;
        for batch in changes.chunks(batch) {
            self.index.apply(batch);
        }
    }

    /// Lets about a third of all be chosen today, each by one of a few cases.
    fn choose(&mut self) {
        let clock = TurnClock::default();
        for schedule in schedules(&self.region) {
            let (is_chosen, minute) = (self.random.chance(0.35), self.random.below(900));
            let case = CaseNumber::of(&case_id(self.random.below(CASES)));
            let Some(offer) = self.index.offer(&schedule.id).filter(|_| is_chosen) else { continue };
            offer.share.note(clock.turn(at_minute(i64::try_from(minute).unwrap())), case);
        }
    }

    /// Turns are those that claims tell, and who is new is who has nothing old.
    fn compare_shares(&self, when: &str) {
        let mut by_sharer: HashMap<String, Vec<&Arc<Schedule>>> = HashMap::new();
        for schedule in schedules(&self.region) {
            let own = || schedule.id.to_string();
            let sharer = schedule.practitioner_id.as_ref().map_or_else(own, |id| id.wire());
            by_sharer.entry(sharer).or_default().push(schedule);
        }
        let mut held: HashMap<&ScheduleId, Turn> = HashMap::new();
        for slot in &self.region.slots {
            let last = slot.claims.iter().map(|claim| Turn::at(claim.held_at)).max().unwrap_or_default();
            let known = held.entry(&slot.schedule_id).or_default();
            *known = last.max(*known);
        }
        let (now, mut chosen, mut new) = (at_minute(600), 0, 0);
        for theirs in by_sharer.values() {
            let last = theirs.iter().filter_map(|schedule| held.get(&schedule.id)).max().copied().unwrap_or_default();
            let is_new = |one: &&Arc<Schedule>| {
                one.first_published_at.is_some_and(|first| now.ms_since(first) < 14 * MS_PER_DAY)
            };
            let all_new = theirs.iter().all(is_new);
            for schedule in theirs {
                let share = &self.index.offer(&schedule.id).unwrap().share;
                assert_eq!(share.turn(CaseNumber::NONE), last, "{when}: {}", schedule.id);
                assert_eq!(share.is_newcomer(now, 14), all_new, "{when}: {}", schedule.id);
            }
            chosen += usize::from(last > Turn::NEVER);
            new += usize::from(all_new);
        }
        assert!(chosen > 100 && new > 100, "{when}: {chosen} chosen, {new} new");
    }

    /// What comes before the cost in the order of a question, as the shares stand.
    fn precedence(&self, query: &CareQuery, now: UtcInstant) -> impl Fn(&Schedule) -> (bool, Turn) {
        let case = query.parts().case_id.as_ref().map_or(CaseNumber::NONE, CaseNumber::of);
        let newcomers_first = case.percentile(now) < 20;
        move |schedule| {
            let share = &self.index.offer(&schedule.id).unwrap().share;
            (newcomers_first && !share.is_newcomer(now, 14), share.turn(case).counted_at(now))
        }
    }

    /// Asks the index and the oracle the same questions, a thousand of them.
    fn compare(&self, when: &str, seed: u64) -> Seen {
        self.compare_slots(when);
        let policy = Policy { widened_max: 0, ..Policy::default() };
        let finder = Finder { index: &self.index, policy: &policy, degraded: false };
        let oracle = Oracle::new(&self.region);
        let mut seen = Seen::default();
        for (number, (class, query, now)) in questions(&self.region, 1_000, seed).into_iter().enumerate() {
            // Every other question is of a case that may have been sent somewhere.
            let case_id = (number % 2 == 1).then(|| case_id(number % CASES));
            let query = CareQuery::parse(CareQueryDraft { case_id, ..query.parts().clone() }).unwrap();
            let (matches, _) = finder.matches(&query, now);
            let mut found: Vec<Found> = Vec::new();
            for one in &matches {
                let (slot, schedule) = (one.slot().unwrap(), &one.offer.schedule);
                assert_eq!(self.index.slot(&slot.id).map(|kept| kept.value).as_ref(), Some(&slot), "{when}");
                seen.note(&slot, schedule);
                found.push((one.cost_seconds, schedule.id.to_string(), slot.id.to_string(), one.modality));
            }
            let expected = oracle.find(&query, now, &self.precedence(&query, now));
            assert_eq!(found, expected, "{when}: {class:?} {now} {query:?}");
            seen.reordered += usize::from(!found.is_sorted_by_key(|one| one.0));
            seen.answers += usize::from(!found.is_empty());
        }
        seen.check(when);
        seen
    }

    /// The same for questions that prefer somebody with one agenda: it comes first when it suits, else nothing changes.
    fn compare_preferring(&self, when: &str, seed: u64) {
        let policy = Policy { widened_max: 0, ..Policy::default() };
        let finder = Finder { index: &self.index, policy: &policy, degraded: false };
        let oracle = Oracle::new(&self.region);
        let mut moved = 0;
        for (number, (_, query, now)) in questions(&self.region, 300, seed).into_iter().enumerate() {
            let most = CareQueryDraft { limit: Some(20), ..query.parts().clone() };
            let mut expected =
                oracle.find(&CareQuery::parse(most.clone()).unwrap(), now, &self.precedence(&query, now));
            let at = (number * 7) % expected.len().max(1);
            let Some(chosen) = expected.get(at) else { continue };
            let schedule = self.index.schedule(&ScheduleId::parse(&chosen.1).unwrap()).unwrap().value;
            let Some(preferred) = &schedule.practitioner_id else { continue };
            if self.index.offers_of(preferred).len() > 1 {
                continue;
            }
            let limit = 1 + number % 20;
            expected[..=at].rotate_right(1);
            expected.truncate(limit);
            let preferred_practitioner = Some(preferred.clone());
            let asked = CareQueryDraft { preferred_practitioner, limit: u32::try_from(limit).ok(), ..most };
            let (matches, _) = finder.matches(&CareQuery::parse(asked).unwrap(), now);
            let told = |one: &Match| {
                let (slot, schedule) = (one.slot().unwrap(), &one.offer.schedule);
                (one.cost_seconds, schedule.id.to_string(), slot.id.to_string(), one.modality)
            };
            assert_eq!(matches.iter().map(told).collect::<Vec<Found>>(), expected, "{when}: {limit} {query:?}");
            moved += usize::from(at > 0);
        }
        assert!(moved > 50, "{when}: only {moved} preferences changed anything");
    }

    /// Every schedule keeps its slots, in order, as they were last heard, and every claim its slot.
    fn compare_slots(&self, when: &str) {
        let mut slots: HashMap<&ScheduleId, Vec<&Arc<Slot>>> = HashMap::new();
        let mut claims = 0;
        for slot in &self.region.slots {
            slots.entry(&slot.schedule_id).or_default().push(slot);
            claims += slot.claims.len();
            for claim in slot.claims.iter() {
                assert_eq!(self.index.slot_of_claim(claim.id).as_ref(), Some(&slot.id), "{when}: {}", claim.id);
            }
        }
        for (id, mut expected) in slots {
            expected.sort_by(|a, b| (a.window.start_at(), &a.id).cmp(&(b.window.start_at(), &b.id)));
            let kept = self.index.slots_of(id);
            assert!(kept.iter().map(|slot| &slot.value).eq(expected), "{when}: {id} keeps {kept:?}");
        }
        let counts = self.index.counts();
        assert_eq!((counts.slots, counts.claims), (self.region.slots.len(), claims), "{when}");
    }
}

/// How often what is rare was among the answers: a comparison without it says little.
#[derive(Default, Debug)]
struct Seen {
    answers: usize,
    own_territories: usize,
    own_specialties: usize,
    several_modalities: usize,
    two_territories: usize,
    nobody: usize,
    expired_hold: usize,
    /// Answers in which something goes before what costs less.
    reordered: usize,
}

/// Regulation files that ask.
const CASES: usize = 50;

fn case_id(number: usize) -> CaseId {
    CaseId::parse(&format!("case-{number}")).unwrap()
}

fn schedules(region: &Region) -> impl Iterator<Item = &Arc<Schedule>> {
    region.directory.iter().filter_map(|body| if let Body::Schedule(schedule) = body { Some(schedule) } else { None })
}

impl Seen {
    fn note(&mut self, slot: &Slot, schedule: &Schedule) {
        self.own_territories += usize::from(!slot.traits.territories.is_empty());
        self.own_specialties += usize::from(!slot.traits.specialties.is_empty());
        self.several_modalities += usize::from(slot.traits.modalities.iter().count() > 1);
        self.two_territories += usize::from(schedule.territories.len() > 1);
        self.nobody += usize::from(schedule.practitioner_id.is_none());
        self.expired_hold += usize::from(slot.free_from() > UtcInstant::MIN);
    }

    fn check(&self, when: &str) {
        let kinds = [self.own_territories, self.own_specialties, self.several_modalities, self.two_territories];
        let enough = self.answers > 300 && self.nobody > 300 && kinds.iter().all(|kind| *kind > 300);
        assert!(enough, "{when}: {self:?}");
    }
}

/// The region as sources really publish it: some openings begin off the five minutes, some sources were heard lately, some schedules
/// are new.
fn uneven(mut region: Region) -> Region {
    for (number, slot) in region.slots.iter_mut().enumerate().filter(|(number, _)| number % 11 == 0) {
        let shift = i64::try_from(1 + number % 4).unwrap();
        let window = slot.window;
        let shifted = Window::new(window.start_at().plus_ms(shift * 60_000), window.end_at().plus_ms(shift * 60_000));
        Arc::make_mut(slot).window = shifted.unwrap();
    }
    for (number, body) in region.directory.iter_mut().enumerate() {
        if let (Body::Schedule(schedule), 0) = (&mut *body, number % 5) {
            Arc::make_mut(schedule).received_at = at_minute(i64::try_from(number % 900).unwrap());
        }
        if let (Body::Schedule(schedule), 0 | 1) = (body, number % 9) {
            let days = i64::try_from(number % 30).unwrap();
            Arc::make_mut(schedule).first_published_at = Some(at_minute(-days * 24 * 60));
        }
    }
    region
}

#[test]
fn the_index_answers_as_brute_force_does() {
    let mut world = World::new(uneven(varied_region(60_000, 42, 0.1)));
    world.compare("as made", 1);
    world.compare_preferring("as made", 5);

    let slots = slot_changes(&mut world.region, 0.35, &mut world.random);
    world.hear(slots, 1);
    let seen = world.compare("after changes of slots", 2);
    assert!(seen.expired_hold > 200, "{seen:?}");
    let restarted = World::new(world.region.clone());
    restarted.compare_shares("after a restart");
    world.choose();
    let seen = world.compare("after choices", 7);
    assert!(seen.reordered > 200, "{seen:?}");
    world.compare_preferring("after choices", 8);

    let directory = directory_changes(&mut world.region, 0.2, &mut world.random);
    world.hear(directory, 1);
    world.compare("after changes of the directory", 3);
    world.compare_preferring("after changes of the directory", 6);

    // In any order: a slot may be heard in the batch in which its schedule, its place or its practitioner changes.
    let mut all = directory_changes(&mut world.region, 0.2, &mut world.random);
    all.extend(slot_changes(&mut world.region, 0.2, &mut world.random));
    world.random.shuffle(&mut all);
    world.hear(all, 500);
    world.compare("after changes of both at once", 4);
}
