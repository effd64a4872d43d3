//! The command line as a whole.

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use super::{Arguments, Command};
use crate::cli::connection::Output;
use crate::proto::routing as pb;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(std::iter::once("sas-router").chain(line.split_whitespace()))
}

#[test]
fn the_definition_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn help_names_the_exit_codes() {
    let help = Arguments::command().render_help().to_string();
    assert!(help.contains("Exit codes:\n  0  done"), "{help}");
}

#[test]
fn a_question_in_human_forms_becomes_the_interface_s() {
    let line = "find --at -21.34,55.48 --commune 97416 --department 974 --care-level r3 --priority p2 --motive M03.14 \
                --age 10y --sex f --within 4H --specialty sm54,SM53 --specialty SM26 --profession 60 --modality amb,hh \
                --appointment-type walkin --territory 1970000000 --need wheelchair,parking --language fr,AR \
                --radius-km 7,5 --limit 3 --role medecin --options-wanted --exclude-practitioner 10002909371 \
                --exclude-schedule a,b --preferred-practitioner internal:x --travel no-car --case DR1 --output json";
    let Command::Find(arguments) = parse(line).unwrap().command else { panic!("not find") };
    assert_eq!(arguments.server.output, Output::Json);
    let expected = pb::CareQuery {
        case_id: "DR1".to_owned(),
        position: Some(pb::GeoPoint { latitude: -21.34, longitude: 55.48 }),
        commune_code: "97416".to_owned(),
        department: "974".to_owned(),
        care_level: "R3".to_owned(),
        priority: "P2".to_owned(),
        motive: "M03.14".to_owned(),
        age: "P10Y".to_owned(),
        sex: "F".to_owned(),
        needed_within_minutes: Some(240),
        specialties: ["SM54", "SM53", "SM26"].map(str::to_owned).to_vec(),
        professions: vec!["60".to_owned()],
        modalities: vec!["AMB".to_owned(), "HH".to_owned()],
        appointment_types: vec!["WALKIN".to_owned()],
        territory_ids: vec!["1970000000".to_owned()],
        needs: vec![pb::Need::Wheelchair.into(), pb::Need::Parking.into()],
        languages: vec!["fr".to_owned(), "ar".to_owned()],
        radius_m: Some(7_500),
        limit: Some(3),
        role: "MEDECIN".to_owned(),
        options_wanted: true,
        travel_mode: pb::TravelMode::NoCar.into(),
        excluded_practitioner_ids: vec!["10002909371".to_owned()],
        excluded_schedule_ids: vec!["a".to_owned(), "b".to_owned()],
        preferred_practitioner_id: "internal:x".to_owned(),
        needed_by_at: None,
    };
    assert_eq!(arguments.query.to_query(&arguments.case), expected);
}

#[test]
fn the_end_of_a_delay_is_an_instant_with_its_zone() {
    let Command::Find(arguments) = parse("find --needed-by 2026-11-23T11:30:00.250+01:00").unwrap().command else {
        panic!("not find")
    };
    let expected = prost_types::Timestamp { seconds: 1_795_429_800, nanos: 250_000_000 };
    assert_eq!(arguments.query.to_query("").needed_by_at, Some(expected));
    assert!(parse("find --needed-by 11:30").is_err());
    assert!(parse("find --needed-by 2026-11-23T10:30:00Z --within 4H").is_err(), "one of them");
}

#[test]
fn what_is_not_given_stays_absent() {
    let Command::Find(arguments) = parse("find").unwrap().command else { panic!("not find") };
    assert!(arguments.query.is_empty());
    assert_eq!(arguments.query.to_query(""), pb::CareQuery::default());
}

#[test]
fn wrong_values_are_refused_with_what_to_write() {
    for (line, hint) in [
        ("find --age soon", "P10Y"),
        ("find --at here", "LATITUDE,LONGITUDE"),
        ("find --at 165.5,-21.3", "latitude before the longitude"),
        ("find --within later", "4H"),
        ("find --specialty SM540", "SM54"),
        ("find --need stairs", "wheelchair"),
        ("find --limit 21", "1..=20"),
        ("hold slot-1", "--case"),
        ("status --output xml", "json"),
    ] {
        let error = parse(line).map(|_| ()).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(hint), "{line}: {error}");
    }
}

/// What flags that take figures say they take; every other flag takes a text, a code or an identifier.
const FIGURES: [&str; 8] = ["LAT,LON", "PLACE=LAT,LON", "AGE", "DELAY", "KM", "NUMBER", "SECONDS", "COLUMNS"];

#[test]
fn a_figure_below_zero_is_the_value_of_its_flag() {
    let mut flags = Vec::new();
    for command in Arguments::command().get_subcommands() {
        for flag in command.get_arguments() {
            let takes = flag.get_value_names().and_then(|names| names.first()).map(|name| name.to_string());
            let Some(long) = flag.get_long().filter(|_| takes.is_some_and(|takes| FIGURES.contains(&&*takes))) else {
                continue;
            };
            let line = format!("{} --{long} -5", command.get_name());
            let error = parse(&line).map(|_| ()).unwrap_err();
            // What lacks is told last, so `-5` was taken for the value, and refused by its reader if it is none.
            let is_taken = [ErrorKind::ValueValidation, ErrorKind::MissingRequiredArgument].contains(&error.kind());
            assert!(is_taken, "{line}: {error}");
            flags.push(long.to_owned());
        }
    }
    for long in ["at", "age", "within", "radius-km", "limit", "ttl", "timeout", "revision", "position-of-place"] {
        assert!(flags.iter().any(|flag| flag == long), "--{long} takes a figure");
    }
    let error = parse("--width -5 status").map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ValueValidation);
    let Command::Find(found) = parse("find --at -21.34,55.48").unwrap().command else { panic!("not find") };
    let Command::Hold(held) = parse("hold s --case c --at -0.5,-1.5").unwrap().command else { panic!("not hold") };
    let positions = [found.query.at.unwrap(), held.query.at.unwrap()].map(|at| (at.latitude(), at.longitude()));
    assert_eq!(positions, [(-21.34, 55.48), (-0.5, -1.5)]);
    assert!(parse("import roster.csv --source-id s --position-of-place -p=-21.34,55.48").is_ok());
}

#[test]
fn completions_name_every_command() {
    for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "sas-router", &mut text);
        let text = String::from_utf8(text).unwrap();
        for command in Arguments::command().get_subcommands() {
            assert!(text.contains(command.get_name()), "{shell}: {}", command.get_name());
        }
    }
}
