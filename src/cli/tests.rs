//! The command line as a whole.

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
                --radius-km 7,5 --limit 3 --role medecin --options-wanted --case DR1 --output json";
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
    };
    assert_eq!(arguments.query.to_query(&arguments.case), expected);
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
