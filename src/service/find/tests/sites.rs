//! Which emergency sites a regulator is shown, in which order, and what is said of each.

use std::sync::Arc;

use super::world::{at, draft, site, ten, world};
use super::*;
use crate::domain::code::Motive;
use crate::domain::emergency::{Capabilities, EmergencyCapability, EmergencySite};
use crate::domain::time::Window;
use EmergencySiteKind::{Department, Paediatric, Smur};

/// A site with some of it altered.
fn altered(body: Body, alter: impl FnOnce(&mut EmergencySite)) -> Body {
    let Body::EmergencySite(site) = body else { panic!("{body:?}") };
    let mut site = EmergencySite::clone(&site);
    alter(&mut site);
    Body::EmergencySite(Arc::new(site))
}

fn saturated(body: Body, until: &str) -> Body {
    altered(body, |site| site.saturation = Some(Window::new(at("09:00"), at(until)).unwrap()))
}

fn stating(body: Body, stated: &[(EmergencyCapability, bool)]) -> Body {
    altered(body, |site| {
        site.capabilities = stated.iter().fold(Capabilities::UNKNOWN, |known, (what, is)| known.with(*what, *is));
    })
}

fn mondays(access: EmergencyAccess) -> Vec<WeeklyAccess> {
    vec![WeeklyAccess::new(1, 0, 1_440, access).unwrap()]
}

/// What an R2 question lists.
fn urgent(sites: &[Body], draft: CareQueryDraft) -> CareAnswer {
    ask(&world(&[], sites), CareQueryDraft { care_level: Some(CareLevel::R2), ..draft })
}

fn listed(answer: &CareAnswer) -> Vec<&str> {
    answer.emergency_sites.iter().map(|seen| seen.site.id.as_str()).collect()
}

fn sentences(answer: &CareAnswer) -> Vec<&str> {
    answer.emergency_sites.iter().map(|seen| seen.sentence.as_str()).collect()
}

fn aged(years: u16) -> CareQueryDraft {
    CareQueryDraft { age: Some(Age::from_years(years)), ..draft() }
}

#[test]
fn a_saturated_site_comes_after_the_others_and_a_closed_one_last() {
    let sites = [
        site("closed", Department, 0.5, mondays(EmergencyAccess::Closed)),
        saturated(site("saturated", Department, 1.0, vec![]), "18:00"),
        site("regulated", Department, 2.0, mondays(EmergencyAccess::Regulated)),
        site("open", Department, 3.0, vec![]),
    ];
    let answer = urgent(&sites, aged(40));
    assert_eq!(listed(&answer), ["regulated", "open", "saturated", "closed"]);
    assert_eq!(
        sentences(&answer),
        [
            "Accès régulé à l'arrivée, jusqu'à demain 00:00 : annoncer d'abord le patient par le 15.",
            "Ouvert à l'arrivée.",
            "Saturé jusqu'à 18:00 ; ouvert à l'arrivée.",
            "Fermé à l'arrivée : ne pas y adresser.",
        ]
    );
    assert_eq!(
        answer.sentence,
        "Urgence vraie : orienter vers un service d'urgences qui reçoit, ou envoyer un moyen. \
         Le plus proche : regulated, en accès régulé, à annoncer par le 15, à 8 min de trajet."
    );
}

#[test]
fn a_closed_site_says_until_when_and_none_is_chosen_when_all_are_closed() {
    let night = vec![WeeklyAccess::new(1, 1_200, 1_440, EmergencyAccess::Open).unwrap()];
    let answer = urgent(&[site("night", Department, 1.0, night)], aged(40));
    assert_eq!(sentences(&answer), ["Fermé à l'arrivée, jusqu'à 20:00 : ne pas y adresser."]);
    assert!(
        answer.sentence.ends_with("Aucun des services connus alentour ne reçoit à l'arrivée."),
        "{}",
        answer.sentence
    );
    let vital = ask(
        &world(&[], &[site("base", Smur, 1.0, mondays(EmergencyAccess::Closed)), site("far", Smur, 9.0, vec![])]),
        CareQueryDraft { care_level: Some(CareLevel::R1), ..draft() },
    );
    assert_eq!(listed(&vital), ["far", "base"], "a closed base is not the first to be called");
}

#[test]
fn a_saturation_ends_by_the_clock_at_the_time_of_arrival() {
    // One kilometre takes five minutes and a half.
    let ends = |until| {
        urgent(
            &[saturated(site("near", Department, 1.0, vec![]), until), site("far", Department, 3.0, vec![])],
            aged(40),
        )
    };
    assert_eq!(listed(&ends("10:06")), ["far", "near"]);
    assert_eq!(listed(&ends("10:05")), ["near", "far"]);
    let later = saturated(site("near", Department, 1.0, vec![]), "10:30");
    let policy = Policy::default();
    let index = world(&[], &[later]);
    let finder = Finder { index: &index, policy: &policy, degraded: false };
    let query = CareQuery::parse(CareQueryDraft { care_level: Some(CareLevel::R2), ..aged(40) }).unwrap();
    assert!(finder.find(&query, ten()).emergency_sites[0].saturated_until.is_some());
    assert_eq!(finder.find(&query, at("10:30")).emergency_sites[0].saturated_until, None, "nobody had to clear it");
    let all = urgent(&[saturated(site("only", Department, 1.0, vec![]), "18:00")], aged(40));
    assert!(
        all.sentence.ends_with("only, saturé comme tous ceux qui reçoivent, à 6 min de trajet."),
        "{}",
        all.sentence
    );
}

#[test]
fn a_site_for_children_is_no_answer_for_an_adult_and_the_reverse() {
    let sites = [
        site("children", Paediatric, 1.0, vec![]),
        stating(site("adults", Department, 2.0, vec![]), &[(EmergencyCapability::Paediatric, false)]),
        site("general", Department, 3.0, vec![]),
    ];
    assert_eq!(listed(&urgent(&sites, aged(40))), ["adults", "general"]);
    let child = urgent(&sites, aged(4));
    assert_eq!(listed(&child), ["children", "general"]);
    assert_eq!(sentences(&child)[1], "Ouvert à l'arrivée ; à vérifier : accueil des enfants.");
    let unknown = urgent(&sites, draft());
    assert_eq!(listed(&unknown), ["children", "adults", "general"]);
    assert_eq!(unknown.emergency_sites[0].unknowns, [Unknown::Age]);
    let none = urgent(&sites[..1], aged(40));
    assert_eq!(listed(&none), [""; 0]);
}

#[test]
fn a_motive_asks_for_the_site_that_is_equipped_for_it() {
    let sites = [
        stating(site("without", Department, 1.0, vec![]), &[(EmergencyCapability::Psychiatric, false)]),
        site("unstated", Department, 2.0, vec![]),
        stating(site("with", Department, 3.0, vec![]), &[(EmergencyCapability::Psychiatric, true)]),
    ];
    let motive = |code| CareQueryDraft { motive: Motive::parse(code).ok(), ..aged(30) };
    let answer = urgent(&sites, motive("M03.16"));
    assert_eq!(listed(&answer), ["unstated", "with"]);
    let expected = Unknown::Capability(EmergencyCapability::Psychiatric);
    assert_eq!(answer.emergency_sites[0].unknowns, [expected]);
    assert_eq!(answer.emergency_sites[1].unknowns, []);
    assert_eq!(listed(&urgent(&sites, motive("M03.06"))), ["without", "unstated", "with"]);
}

#[test]
fn a_vital_emergency_is_answered_whatever_the_sites_say() {
    let sites = [
        saturated(site("base", Smur, 1.0, vec![]), "18:00"),
        site("closed", Department, 2.0, mondays(EmergencyAccess::Closed)),
    ];
    for care_level in [None, Some(CareLevel::R1)] {
        let draft = CareQueryDraft { care_level, priority: Some(Priority::P0), ..aged(40) };
        let answer = ask(&world(&[], &sites), draft.clone());
        assert_eq!(answer.outcome, CareOutcome::EmergencyDispatch);
        assert_eq!(answer.sentence, "Urgence vitale : envoyer le SMUR sans attendre.");
        assert_eq!(listed(&answer), ["base", "closed"]);
        assert_eq!(ask(&Index::new(), draft).outcome, CareOutcome::EmergencyDispatch);
    }
}
