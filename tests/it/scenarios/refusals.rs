//! Each kind of bad input, with the line and the scenario that the refusal names.

use super::{SMALL, folder_with};
use sas_router::scenario::{Problem, load};

/// What is refused of a file.
fn problems(text: &str) -> Vec<Problem> {
    let folder = folder_with(text);
    match load(&[folder.path().to_owned()]) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0,
    }
}

/// A statement, so that only what a case is about is wrong.
const THEN: &str = "then.outcome = \"APPOINTMENT\"\n";

/// Lines after the small scenario, which end at line 8 and later; the line of the problem; what it says.
const REFUSED: &[(&str, usize, &str)] = &[
    ("then.outcom = \"APPOINTMENT\"\n", 8, "unknown key `outcom`; nearest known: `outcome`"),
    ("whne.age = \"35 ans\"\nthen.outcome = \"APPOINTMENT\"\n", 8, "unknown key `whne`; nearest known: `when`"),
    ("when.agee = \"35 ans\"\nthen.outcome = \"APPOINTMENT\"\n", 8, "unknown key `agee`; nearest known: `age`"),
    ("given.schedules.b = { at = \"Bron\", slot = [] }\nthen.outcome = \"APPOINTMENT\"\n", 8, "unknown key `slot`"),
    ("then.options = [\n  \"martin\",\n  \"matrin\",\n]\n", 10, "unknown schedule `matrin`; nearest known: `martin`"),
    ("then.not_offered = [\"matrin\"]\n", 8, "unknown schedule `matrin`"),
    ("then.options = [\"martin 11:05\"]\n", 8, "schedule `martin` has no slot at 11:05"),
    ("then.options = [{ modality = \"AMB\" }]\n", 8, "`slot`: is missing"),
    ("then.emergency_sites = [\"chu\"]\n", 8, "unknown emergency site `chu`: the scenario gives none"),
    ("when.territories = [\"est\"]\nthen.options = []\n", 8, "unknown territory `est`"),
    ("given.schedules.b = { place = \"msp\", slots = [\"11:00\"] }\nthen.options = []\n", 8, "unknown place `msp`"),
    ("given.schedules.b = { at = \"Bron\", practitioner = \"x\" }\nthen.options = []\n", 8, "unknown practitioner `x`"),
    ("given.schedules.b = { at = \"Venissieux\" }\nthen.options = []\n", 8, "nearest known: `Vénissieux`"),
    (
        "given.schedules.b = { at = \"Bron\", slots = [\"11:00 to 10:00\"] }\nthen.options = []\n",
        8,
        "the end is before the start",
    ),
    (
        "given.schedules.b = { at = \"Bron\", slots = [{ at = \"11:00 to 11:00\" }] }\nthen.options = []\n",
        8,
        "the window is empty",
    ),
    (
        "given.emergency_sites.s = { at = \"Bron\", access = [\"daily 20:00 to 08:00 OPEN\"] }\nthen.options = []\n",
        8,
        "the window ends before it starts",
    ),
    ("given.zone = \"Europe/Lyon\"\nthen.options = []\n", 8, "unknown zone `Europe/Lyon`"),
    ("given.holiday = \"Toussain\"\nthen.options = []\n", 8, "unknown holiday `Toussain`; nearest known: `Toussaint`"),
    ("given.holiday = \"Toussaint\"\nthen.options = []\n", 8, "`Toussaint` is on 2026-11-01 that year"),
    ("given.holiday = \"Vendredi saint\"\nthen.options = []\n", 8, "is no holiday in Rhône (69)"),
    ("", 2, "states nothing"),
    ("then = {}\n", 8, "states nothing"),
    ("then.missed = []\n", 8, "is empty and so states nothing"),
    ("then.outcome = \"APOINTMENT\"\n", 8, "`APOINTMENT` is none of"),
    ("then.excluded = { LATE = 1 }\n", 8, "`LATE` is none of"),
    ("then.radius_km = [9, 5]\n", 8, "the least and the most"),
    ("when.age = \"35\"\nthen.options = []\n", 8, "`35` is no age"),
    ("when.within = \"5H\"\nthen.options = []\n", 8, "unknown delay code `5H`"),
    ("when.needs = [\"LIFT\"]\nthen.options = []\n", 8, "`LIFT` is none of"),
    ("when.specialties = [\"SM540\"]\nthen.options = []\n", 8, "unknown specialty code `SM540`"),
    (
        "given.schedules.b = { at = \"Bron\", slots = [{ at = \"11:00\", booked = 2 }] }\nthen.options = []\n",
        8,
        "give a whole number from 0 to 1",
    ),
    ("given.schedules.b = { at = \"Bron\", heard = \"11:00\" }\nthen.options = []\n", 8, "`heard`: is after now"),
    (
        "given.schedules.b = { at = \"Bron\", known_since = \"10:01\" }\nthen.options = []\n",
        8,
        "`known_since`: is after its source",
    ),
    ("[[scenario.then_when]]\nwait = \"1 h\"\n", 2, "states nothing"),
    ("[[scenario.then_when]]\nrefused = \"SLOT_TAKEN\"\n", 9, "nothing is done in this step"),
    ("[[scenario.then_when]]\nhold = \"martin\"\nwait = \"1 h\"\nthen.options = []\n", 8, "does several things"),
    ("[[scenario.then_when]]\n", 8, "the step does nothing and states nothing"),
    ("[[scenario.then_when]]\nwait = \"1 day\"\nthen.options = []\n", 9, "`1 day` is no duration"),
    ("[[scenario.then_when]]\nwhen.limit = 1\n", 9, "asks and states no answer"),
    (
        "[[scenario.then_when]]\nhold = \"martin\"\nalternatives = [\"martin\"]\nthen.options = []\n",
        10,
        "only a refused hold or rebooking names alternatives",
    ),
    (
        "given.schedules.b = { at = \"Bron\", slots = [\"11:00\", \"12:00\"] }\n[[scenario.then_when]]\nhold = \"b\"\nthen.options = []\n",
        10,
        "schedule `b` has 2 slots: say which",
    ),
    ("[[scenario.then_when]]\nrebook = \"martin\"\n", 8, "`to`: is missing"),
    ("[[scenario.then_when]]\nrefuse = \"martin\"\n", 8, "`because`: is missing"),
    ("[[scenario.then_when]]\nrefuse = \"martin\"\nbecause = \"BORED\"\n", 10, "`BORED` is none of COULD_NOT_CONTACT"),
    ("[[scenario.then_when]]\nsaturate = \"sau\"\n", 9, "unknown emergency site `sau`"),
    ("[[scenario.then_when]]\nheartbeat = \"agenda\"\n", 9, "no schedule is of source `agenda`"),
    ("[[scenario.then_when]]\nhold = \"martin\"\nregulator_role = \"NURSE\"\n", 10, "`NURSE` is none of CALL_TAKER"),
    ("[[scenario.then_when]]\nhold = \"martin\"\nbecause = \"DECLINED\"\nthen.options = []\n", 10, "because"),
    ("then.what_ifs = [\"SOONER: 1\"]\n", 8, "`SOONER: 1` is no gain"),
    ("then.degraded = \"no\"\n", 8, "`degraded` is string: give true or false"),
    ("then.options = 3\n", 8, "`options` is integer: give texts or tables"),
    ("when.position = [45.7]\nthen.options = []\n", 8, "give two numbers"),
    ("when.position = [45.7, 204.8]\nthen.options = []\n", 8, "longitude 204.8 is impossible"),
    ("when.radius_km = 0\nthen.options = []\n", 8, "give a whole number from 1 to 300"),
    ("[[scenario.then_when]]\nhold = \"martin\"\nrefused = \"SLOT_TKEN\"\n", 10, "unknown reason `SLOT_TKEN`"),
];

#[test]
fn each_kind_of_bad_input_is_refused_with_line_and_scenario() {
    let mut wrong = Vec::new();
    for (rest, line, message) in REFUSED {
        let problems = problems(&format!("{SMALL}{rest}"));
        let is_right = |problem: &Problem| {
            let is_placed = problem.file.ends_with("one.toml") && problem.line == *line;
            is_placed && problem.message.contains(message) && problem.scenario.as_deref() == Some("The only slot")
        };
        if problems.len() != 1 || !is_right(&problems[0]) {
            wrong.push(format!("{rest}expected {line}: {message}\nfound {problems:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_small_scenario_itself_is_sound() {
    assert_eq!(problems(&format!("{SMALL}{THEN}")), []);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let lines =
        |rest: &str| -> Vec<_> { problems(&format!("{SMALL}{rest}")).iter().map(|problem| problem.line).collect() };
    assert_eq!(lines("when.age = \"35\"\ngiven.zone = \"Mars\"\n"), [8, 9]);
    assert_eq!(lines("when.age = \"35\"\nthen.outcom = \"x\"\nthen.options = [\"x\", \"y\"]\n"), [8, 9, 10, 10]);
}

#[test]
fn a_name_is_given_once() {
    let twice = format!("{SMALL}{THEN}{}{THEN}", SMALL.trim_start_matches("family = \"Essai\"\n"));
    let problems = problems(&twice);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.contains("the name is in use at") && problems[0].line == 9, "{}", problems[0]);
}

#[test]
fn a_file_that_is_no_toml_holds_no_scenario_or_is_absent_is_refused() {
    assert!(problems("family = ").iter().any(|problem| problem.line == 1));
    assert!(problems("family = \"Essai\"\n")[0].message.contains("no scenario in it"));
    assert!(problems(&SMALL.replace("family = \"Essai\"", ""))[0].message.contains("`family` is missing"));
    assert!(problems(&SMALL.replace("\"Un seul créneau.\"", "\" \""))[0].message.contains("`story` is missing"));
    let folder = folder_with("");
    let absent = load(&[folder.path().join("absent.toml")]).unwrap_err();
    assert!(absent.to_string().contains("absent.toml: cannot be read"), "{absent}");
}

#[test]
fn a_town_that_is_wrong_is_refused_in_the_file_that_all_share() {
    let folder = folder_with(&format!("{SMALL}{THEN}"));
    let common = folder.path().join("_common.toml");
    std::fs::write(&common, "[towns]\n\"Vénissieux\" = { commune = \"69259\", at = [95.0, 4.0] }\n").unwrap();
    let problems = load(&[folder.path().to_owned()]).unwrap_err().0;
    let at_fault: Vec<_> =
        problems.iter().map(|problem| (problem.file.ends_with("_common.toml"), problem.line)).collect();
    assert_eq!(at_fault, [(true, 2), (false, 6), (false, 7)], "{problems:?}");
}
