//! What the policy makes of an answer: territory of teleconsultation, suitable modalities, paces, and whose policy it is.

use super::*;
use crate::domain::code::Motive;
use crate::domain::directory::Territory;
use crate::domain::id::TerritoryId;
use crate::domain::patient::TravelMode;
use crate::domain::policy::PolicyDocument;
use crate::routing::policy::PolicySet;

fn remote(name: &'static str, north_km: f64, start: &'static str) -> Agenda {
    agenda(name, north_km, start, 15).traits(|traits| traits.modalities = ModalitySet::of(&[Modality::Vr]))
}

fn territory(finess: &str) -> TerritoryId {
    TerritoryId::parse(finess).unwrap().value
}

fn of(agenda: Agenda, finess: &str) -> Agenda {
    agenda.with(|agenda| agenda.schedule.territories = vec![territory(finess)])
}

fn asked_by(finess: &str) -> CareQueryDraft {
    CareQueryDraft { territories: vec![territory(finess)], ..draft() }
}

fn under(text: &str) -> PolicySet {
    PolicySet::load(&[PolicyDocument { name: "local.toml".into(), text: text.into() }]).unwrap()
}

#[test]
fn an_immediate_teleconsultation_from_elsewhere_does_not_come_before_care_on_the_territory() {
    let index = world(&[remote("elsewhere", 400.0, "10:00"), agenda("here", 1.0, "11:30", 15)], &[]);
    let answer = ask(&index, draft());
    assert_eq!(names(&answer), ["here"]);
    assert_eq!(answer.outcome, CareOutcome::Appointment);
}

#[test]
fn teleconsultation_of_the_territory_of_a_neighbour_or_from_nearby_is_offered() {
    let neighbour = Body::Territory(Arc::new(Territory {
        id: territory("699990016"),
        name: "Ici".into(),
        communes: vec![],
        phone: None,
        neighbours: vec![territory("699990024")],
    }));
    let index = world(
        &[
            of(remote("own", 400.0, "10:10"), "699990016"),
            of(remote("neighbour", 400.0, "10:10"), "699990024"),
            remote("nearby", 40.0, "10:10"),
            of(remote("elsewhere", 400.0, "10:10"), "759990013"),
        ],
        &[neighbour],
    );
    assert_eq!(names(&ask(&index, asked_by("699990016"))), ["own", "neighbour", "nearby"]);
}

#[test]
fn teleconsultation_from_elsewhere_is_the_last_resort_and_says_so() {
    let answer = ask(&world(&[remote("elsewhere", 400.0, "10:10")], &[]), asked_by("699990016"));
    assert_eq!(names(&answer), ["elsewhere"]);
    let rules: Vec<_> = answer.policy_rules.iter().map(|rule| &*rule.id).collect();
    assert_eq!(rules, ["teleconsultation.territory"]);
}

#[test]
fn a_policy_may_refuse_teleconsultation_from_elsewhere_and_the_near_miss_names_its_rule() {
    let set = under(
        "format = 1\nversion = \"x\"\ndepartment = \"69\"\n[teleconsultation]\nnear_km = 3\nbeyond = \"never\"\n",
    );
    let index = world(&[remote("elsewhere", 4.0, "10:10")], &[]);
    let query = CareQuery::parse(draft()).unwrap();
    let finder = Finder { index: &index, policy: set.of_query(&query), degraded: false };
    let answer = finder.find(&query, ten());
    let (rule, excess, sentence) = miss(&answer);
    assert_eq!(rule, Rule::Territory);
    assert!((990..1_010).contains(&excess), "{excess}");
    assert!(sentence.contains("hors du territoire du patient (teleconsultation.territory)"), "{sentence}");
    assert_eq!(&*answer.near_misses[0].policy_rule.as_ref().unwrap().id, "teleconsultation.territory");
    assert!(answer.stamp.policy_version.starts_with("x+"), "{}", answer.stamp.policy_version);
}

#[test]
fn a_modality_that_does_not_suit_the_motive_is_a_near_miss_that_names_its_rule() {
    let wound = CareQueryDraft { motive: Some(Motive::parse("M02.06").unwrap()), ..draft() };
    let answer = ask(&world(&[remote("vr", 1.0, "10:10")], &[]), wound.clone());
    let (rule, _, sentence) = miss(&answer);
    assert_eq!(rule, Rule::Suitability);
    assert!(sentence.starts_with("10:10 : téléconsultation non adaptée (modality.wound-needs-hands)"), "{sentence}");
    assert_eq!(&*answer.policy_rules[0].id, "modality.wound-needs-hands");
    // A physician who asks for it alone takes the responsibility.
    let only = ModalitySet::of(&[Modality::Vr]);
    let physician = CareQueryDraft { role: Some(Role::Medecin), modalities: only, ..wound };
    assert_eq!(names(&ask(&world(&[remote("vr", 1.0, "10:10")], &[]), physician)), ["vr"]);
}

#[test]
fn the_default_delay_is_that_of_the_motive_and_age_and_is_named() {
    let infant = CareQueryDraft {
        motive: Some(Motive::parse("M03.14").unwrap()),
        age: Some(Age::from_days(200)),
        needed_within_minutes: None,
        ..draft()
    };
    let answer = ask(&world(&[], &[]), infant.clone());
    assert_eq!(answer.needed_by_at, Some(ten().plus_minutes(360)));
    assert_eq!(&*answer.policy_rules[0].id, "delay.fever-under-1-year");
    let adult = CareQueryDraft { age: Some(Age::from_years(40)), ..infant };
    assert_eq!(ask(&world(&[], &[]), adult).needed_by_at, Some(ten().plus_minutes(24 * 60)));
}

#[test]
fn who_walks_arrives_later_and_a_home_visit_does_not() {
    let index = world(
        &[
            agenda("place", 2.0, "10:20", 15),
            agenda("home", 2.0, "10:20", 15).traits(|traits| traits.modalities = ModalitySet::of(&[Modality::Hh])),
        ],
        &[],
    );
    let policy = Policy::default();
    let finder = Finder { index: &index, policy: &policy, degraded: false };
    let with = |travel_mode| {
        let query = CareQuery::parse(CareQueryDraft { travel_mode, ..draft() }).unwrap();
        finder.find(&query, ten())
    };
    assert_eq!(names(&with(TravelMode::Car)), ["home", "place"]);
    let on_foot = with(TravelMode::Walking);
    assert_eq!(names(&on_foot), ["home"]);
    assert_eq!(on_foot.near_misses[0].rule, Rule::Arrival);
}

#[test]
fn the_territorys_policy_comes_before_the_departments_and_an_estimated_department_chooses_none() {
    let file = |name: &str, scope: &str| PolicyDocument {
        name: format!("{name}.toml").into(),
        text: format!("format = 1\nversion = \"{name}\"\n{scope}\n").into(),
    };
    let files = [file("cpts", "territory = \"699990016\""), file("rhone", "department = \"69\"")];
    let set = PolicySet::load(&files).unwrap();
    let version = |draft| set.of_query(&CareQuery::parse(draft).unwrap()).name.to_string();
    assert_eq!(version(asked_by("699990016")), "cpts");
    assert_eq!(version(asked_by("699990024")), "rhone");
    assert_eq!(version(CareQueryDraft { department: None, ..draft() }), "national-2026-3");
}
