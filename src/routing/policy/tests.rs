//! What physicians may write wrongly, and what they are told; and whose file wins.

use proptest::prelude::*;

use super::*;
use crate::domain::code::{CareLevel, Motive};
use crate::domain::patient::Age;
use crate::domain::policy::PolicyDocument;

fn file(name: &str, text: &str) -> PolicyDocument {
    PolicyDocument { name: name.into(), text: text.into() }
}

/// The problems of the national text with one line changed, as `line: path: message` without the file's name.
fn problems_with(from: &str, to: &str) -> Vec<String> {
    assert!(NATIONAL_TOML.contains(from), "{from}");
    let text = NATIONAL_TOML.replacen(from, to, 1);
    let found = PolicySet::load(&[file("p", &text)]).err().map(|problems| problems.0).unwrap_or_default();
    found.iter().map(|one| one.to_string().trim_start_matches("p:").to_owned()).collect()
}

/// The problems of a territory's file, likewise.
fn local_problems(text: &str) -> Vec<String> {
    let text = format!("format = 1\nversion = \"local-1\"\nterritory = \"699990016\"\n{text}");
    let found = PolicySet::load(&[file("p", &text)]).err().map(|problems| problems.0).unwrap_or_default();
    found.iter().map(|one| one.to_string().trim_start_matches("p:").to_owned()).collect()
}

fn local(text: &str) -> Policy {
    let text = format!("format = 1\nversion = \"local-1\"\nterritory = \"699990016\"\n{text}");
    let set = PolicySet::load(&[file("p", &text)]).unwrap();
    let local = set.all().nth(1).map(|one| Policy::clone(&one.policy));
    local.unwrap()
}

fn line_of(text: &str) -> usize {
    1 + NATIONAL_TOML.lines().position(|line| line.contains(text)).unwrap()
}

#[test]
fn the_policy_that_ships_is_valid_and_is_the_default() {
    let shipped = Policy::shipped().unwrap();
    assert_eq!((&*shipped.name, &*shipped), ("national-2026-3", &Policy::default()));
    assert!(shipped.red_flags.len() >= 8 && shipped.delays.len() >= 8 && shipped.modalities.len() >= 4);
}

#[test]
fn the_default_delays_are_those_of_care_level_and_priority() {
    let policy = Policy::default();
    let minutes = |care_level, priority| {
        policy.delay(&Facts { care_level, priority, motive: None, age: None }).map(|delay| delay.minutes)
    };
    assert_eq!(minutes(CareLevel::R1, Priority::P3), Some(1));
    assert_eq!(minutes(CareLevel::R3, Priority::P0), Some(1));
    assert_eq!(minutes(CareLevel::R2, Priority::P2), Some(60));
    assert_eq!(minutes(CareLevel::R3, Priority::P1), Some(240));
    assert_eq!(minutes(CareLevel::R4, Priority::NR), Some(1_440));
    assert_eq!(minutes(CareLevel::R3, Priority::P3), Some(2_880));
}

#[test]
fn each_fault_is_named_with_its_line_its_path_and_what_to_do() {
    let cases = [
        ("minutes = 2880", "minutes = 9000", "delay[7].minutes: give a whole number from 1 to 4320"),
        ("car_kmh = 28", "car_kmh = 0", "hours[2].car_kmh: give a speed from 1 to 200 km/h"),
        ("detour_percent = 130", "detour_percent = 90", "class[0].detour_percent: give a whole number from 100 to 300"),
        ("until = \"09:30\"", "until = \"09:00\"", "hours[2]: leaves a gap from 09:00 to 09:30"),
        ("until = \"09:30\"", "until = \"10:00\"", "begins at 09:30, but another range goes on until 10:00"),
        ("until = \"09:30\"", "until = \"06:00\"", "until: ends before it starts: across midnight, give one range"),
        ("until = \"09:30\"", "until = \"9h30\"", "until: give a time of day"),
        ("\"M03.08\"", "\"M03.88\"", "red_flag[2].motives[0]: unknown motive code `M03.88`; nearest known: M03.08"),
        ("under_age = \"P3M\"", "under_age = \"3 mois\"", "red_flag[7].under_age: `3 mois` is no age"),
        ("under_age = \"P3M\"", "min_age = \"P1Y\"\nunder_age = \"P3M\"", "min_age: is not below under_age (91 days)"),
        ("near_km = 50", "near_kms = 50", "teleconsultation.near_kms: unknown key; nearest known: near_km"),
        ("near_km = 50", "", "teleconsultation.near_km: missing: give a whole number from 0 to 300"),
        ("beyond = \"last_resort\"", "beyond = \"maybe\"", "beyond: give last_resort, never or always"),
        ("[arrival]", "[arival]", "arrival: missing: give a table"),
        ("format = 1", "format = 2", "format: give a whole number from 1 to 1"),
        ("id = \"red-flag.stroke\"", "id = \"escalation.stroke\"", "are the program's own: choose another"),
        ("id = \"delay.p1\"", "id = \"delay.p2\"", "the id `delay.p2` is that of delay[3] too"),
        ("[\"P3\"]", "[\"P2\"]", "no delay rule holds for R3 with P3"),
        ("[\"P3\"]", "[\"P2\"]", "can never apply: `delay.p2` comes first"),
        (
            "unsuitable = [\"VR\", \"AMB\"]",
            "unsuitable = [\"VR\", \"AMB\", \"HH\"]",
            "forbids every modality for M06.01",
        ),
        ("neighbour_cost_seconds = 300", "neighbour_cost_seconds = 900", "costs more than any other territory"),
        ("newcomer_percent = 20", "newcomer_percent = 30", "not 100 together"),
        ("neighbours = []", "neighbours = [\"12\"]", "territory_preference.neighbours[0]"),
        ("official_radius_up_to_km = 10", "official_radius_up_to_km = 4", "can take no department"),
        ("margin_minutes = 5", "margin_minutes = \"5\"", "arrival.margin_minutes: give a whole number from 0 to 120"),
    ];
    for (from, to, expected) in cases {
        let found = problems_with(from, to);
        assert!(found.iter().any(|one| one.contains(expected)), "{to}: {expected}\n{}", found.join("\n"));
    }
    let found = problems_with("near_km = 50", "near_km = -1");
    let line = line_of("near_km = 50");
    assert_eq!(found, [format!("{line}: teleconsultation.near_km: give a whole number from 0 to 300")]);
}

#[test]
fn every_problem_is_told_at_once_in_order_of_line() {
    let text = NATIONAL_TOML
        .replacen("minutes = 60", "minutes = 0", 1)
        .replacen("sites_max = 3", "sites_max = 0\ncolour = 1", 1)
        .replacen("\"M03.01\"", "\"M3.01\"", 1);
    let found = PolicySet::load(&[file("p", &text)]).unwrap_err().0;
    assert!(found.len() >= 4, "{found:?}");
    assert!(found.is_sorted_by_key(|one| one.place.line), "{found:?}");
}

#[test]
fn text_that_is_no_toml_names_every_line() {
    let found = PolicySet::load(&[file("p", "format = \nversion = \"x\"\n[a\n")]).unwrap_err().0;
    let lines: Vec<_> = found.iter().filter(|one| one.message.contains("no TOML")).map(|one| one.place.line).collect();
    assert_eq!(lines, [1, 3], "{found:?}");
}

#[test]
fn a_territory_says_only_what_differs() {
    let national = Policy::default();
    let local = local("[arrival]\nmargin_minutes = 10\n[search]\nenough_options = 5\n");
    assert_eq!((local.arrival_margin_minutes, local.enough_options), (10, 5));
    assert!(local.version.starts_with("local-1+"), "{}", local.version);
    let (name, version) = (local.name.clone(), local.version.clone());
    assert_eq!(local, Policy { name, version, arrival_margin_minutes: 10, enough_options: 5, ..national });
}

#[test]
fn a_territorys_rule_replaces_the_one_of_its_id_and_a_new_one_comes_first() {
    let stroke = "[[red_flag]]\nid = \"red-flag.stroke\"\ntext = \"Filière AVC locale.\"\nmotives = [\"M03.08\"]\n\
                  outcome = \"EMERGENCY_DISPATCH\"\n";
    let fever = "[[red_flag]]\nid = \"red-flag.local-fever\"\ntext = \"Fièvre.\"\nmotives = [\"M03.14\"]\nunder_age = \"P6M\"\n\
                 outcome = \"EMERGENCY_DEPARTMENT\"\n";
    let found = local_problems(&format!("{stroke}{fever}"));
    let told = "can never apply: `red-flag.local-fever` comes first wherever this holds";
    assert!(found.len() == 1 && found[0].contains(told), "what the new rule hides is told: {found:?}");
    let local = local(&format!("disabled = [\"red-flag.fever-under-3-months\"]\n{stroke}{fever}"));
    let ids: Vec<_> = local.red_flags.iter().map(|flag| &*flag.rule.id).collect();
    assert_eq!(ids.first(), Some(&"red-flag.local-fever"));
    assert_eq!(ids.len(), Policy::default().red_flags.len());
    assert_eq!(&*local.red_flags[3].rule.text, "Filière AVC locale.");
}

#[test]
fn an_unknown_rule_a_wrong_base_and_the_same_patients_twice_are_refused() {
    let found = local_problems("disabled = [\"red-flag.strok\"]\nbased_on = \"national-2026-1\"\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], "4: disabled[0]: no rule has the id `red-flag.strok`; nearest known: red-flag.stroke");
    assert!(found[1].starts_with("5: based_on: the national policy is `national-2026-3`"), "{found:?}");

    let local = |version: &str| format!("format = 1\nversion = \"{version}\"\ndepartment = \"69\"\n");
    let files = [file("a", &local("x")), file("b", &local("y"))];
    let found = PolicySet::load(&files).unwrap_err().0;
    assert!(found[0].to_string().starts_with("b:1: is for the same patients as a"), "{found:?}");

    let found = PolicySet::load(&[file("p", &local("national-2026-3"))]).unwrap_err().0;
    assert!(found[0].message.contains("is the version of the national policy"), "{found:?}");
    let found = PolicySet::load(&[file("p", "format = 1\nversion = \"x\"\ndepartment = \"6O\"\n")]).unwrap_err().0;
    assert!(found[0].message.contains("nearest known"), "{found:?}");
}

#[test]
fn a_contradiction_between_both_files_is_told_where_it_was_written() {
    let found = local_problems("[arrival]\nmargin_minutes = 999\n");
    assert_eq!(found, ["5: arrival.margin_minutes: give a whole number from 0 to 120"]);
    let found = local_problems("[territory_preference]\nneighbour_cost_seconds = 900\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("4: territory_preference: a neighbour costs more"), "{found:?}");
}

#[test]
fn the_effective_policy_as_toml_gives_itself_again() {
    let text = "format = 1\nversion = \"local-1\"\nterritory = \"699990016\"\ndisabled = [\"modality.abdominal-pain\"]\n\
                [arrival]\nmargin_minutes = 9\n";
    let set = PolicySet::load(&[file("p", text)]).unwrap();
    let local = set.all().nth(1).unwrap();
    let again = PolicySet::load(&[file("again", &toml::to_string_pretty(&local.effective).unwrap())]).unwrap();
    assert_eq!(again.national(), &local.policy);
}

fn facts() -> impl Strategy<Value = Facts> {
    let age = prop::option::of((0_u32..40_000).prop_map(Age::from_days));
    let motive = prop::option::of((0..Motive::COUNT).prop_map(|at| Motive::ALL[at]));
    (0..CareLevel::ALL.len(), 0..Priority::ALL.len(), motive, age).prop_map(|(level, priority, motive, age)| Facts {
        care_level: CareLevel::ALL[level],
        priority: Priority::ALL[priority],
        motive,
        age,
    })
}

/// Lines of policies, shuffled: mostly wrong, sometimes nearly right.
fn hostile() -> impl Strategy<Value = String> {
    let lines: Vec<&'static str> = NATIONAL_TOML.lines().filter(|line| !line.starts_with('#')).collect();
    let line = prop_oneof![
        4 => prop::sample::select(lines).prop_map(str::to_owned),
        1 => "\\PC{0,40}",
        1 => "[a-z_]{1,12} = (-?[0-9]{1,25}|nan|inf|true|\"[A-Z0-9.]{0,8}\"|\\[1\\]|\\{a=1\\}|1979-05-27)",
    ];
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in hostile(), any in "\\PC*") {
        for text in [text, any] {
            let _ = PolicySet::load(&[file("p", &text)]);
            let _ = PolicySet::load(&[file("p", &format!("territory = \"699990016\"\n{text}"))]);
        }
    }

    #[test]
    fn what_is_wrong_is_never_without_a_problem(at in 0_usize..400) {
        // A policy without one of its lines is either valid or has a problem with a line of the file.
        let lines: Vec<_> = NATIONAL_TOML.lines().collect();
        let without: Vec<_> = lines.iter().enumerate().filter(|(line, _)| *line != at).map(|(_, line)| *line).collect();
        if let Err(problems) = PolicySet::load(&[file("p", &without.join("\n"))]) {
            prop_assert!(!problems.0.is_empty());
            prop_assert!(problems.0.iter().all(|one| one.place.line <= lines.len() && !one.message.is_empty()));
        }
    }

    #[test]
    fn a_territorys_figures_are_its_own_and_the_others_the_nations(
        margin in prop::option::of(0_u32..=120),
        options in prop::option::of(1_u32..=20),
        near in prop::option::of(0_u32..=300),
    ) {
        let setting = |table: &str, key: &str, value: Option<u32>| {
            value.map_or(String::new(), |value| format!("[{table}]\n{key} = {value}\n"))
        };
        let text = setting("arrival", "margin_minutes", margin)
            + &setting("search", "enough_options", options)
            + &setting("teleconsultation", "near_km", near);
        let (national, local) = (Policy::default(), local(&text));
        prop_assert_eq!(local.arrival_margin_minutes, margin.unwrap_or(national.arrival_margin_minutes));
        prop_assert_eq!(local.enough_options, options.map_or(national.enough_options, |number| number as usize));
        prop_assert_eq!(local.teleconsultation.near_m, near.map_or(national.teleconsultation.near_m, |km| km * 1_000));
        prop_assert_eq!((local.red_flags, local.delays, local.travel), (national.red_flags, national.delays, national.travel));
    }

    #[test]
    fn every_question_has_a_delay_within_the_horizon(facts in facts()) {
        let policy = Policy::default();
        prop_assert!(policy.delay(&facts).is_some_and(|delay| (1..=4_320).contains(&delay.minutes)));
    }

    #[test]
    fn a_condition_that_covers_another_holds_wherever_that_does(facts in facts(), a in 0_usize..20, b in 0_usize..20) {
        let policy = Policy::default();
        let whens: Vec<When> = policy.red_flags.iter().map(|one| one.when).chain(policy.delays.iter().map(|one| one.when)).collect();
        let (a, b) = (whens[a % whens.len()], whens[b % whens.len()]);
        prop_assert!(!a.covers(&b) || !b.holds(&facts) || a.holds(&facts));
    }
}

#[test]
fn a_version_tells_two_contents_of_one_name_apart() {
    let version = |text: &str| PolicySet::load(&[file("p", text)]).unwrap().version().to_string();
    let shipped = version(NATIONAL_TOML);
    let digest = shipped.strip_prefix("national-2026-3+").unwrap();
    assert!(digest.len() == 8 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{shipped}");
    assert_eq!(version(&format!("# a comment\n{NATIONAL_TOML}")), shipped, "comments say nothing");
    assert_ne!(version(&NATIONAL_TOML.replacen("margin_minutes = 5", "margin_minutes = 6", 1)), shipped);
    let together = |text| {
        let text = format!("format = 1\nversion = \"local-1\"\nterritory = \"699990016\"\n{text}");
        PolicySet::load(&[file("p", &text)]).unwrap().version().to_string()
    };
    let (one, other) = (together(""), together("[arrival]\nmargin_minutes = 9"));
    assert!(one.starts_with("national-2026-3+") && one != shipped && one != other, "{one} {other}");
}
