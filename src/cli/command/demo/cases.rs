//! The regulator's cases that the demonstration asks, each a command line that anyone can repeat.

use clap::Parser;

use crate::cli::query::QueryArguments;

/// One call to regulation.
#[derive(Debug)]
pub struct Case {
    /// What it shows.
    pub title: &'static str,
    /// What the caller says.
    pub story: &'static str,
    /// The flags of `find`, separated by blanks.
    pub flags: &'static str,
}

/// All cases, in the order in which they are asked.
pub const CASES: [Case; 8] = [
    Case {
        title: "Rendez-vous au cabinet",
        story: "Vénissieux, 35 ans, fièvre depuis deux jours : un généraliste dans les quatre heures.",
        flags: "--at 45.701,4.884 --commune 69259 --territory 699990016 --age 35y --motive M03.14 --within 4H \
                --modality AMB --appointment-type ROUTINE --limit 3",
    },
    Case {
        title: "Sans rendez-vous",
        story: "Paris 13e, 42 ans, petite plaie, se déplace en fauteuil roulant : une structure qui reçoit sans rendez-vous.",
        flags: "--at 48.829,2.358 --commune 75113 --territory 759990013 --age 42y --motive M02.06 --within 2H \
                --modality AMB --appointment-type WALKIN --need wheelchair --limit 3",
    },
    Case {
        title: "Téléconsultation",
        story: "Vercors, route coupée par la neige, 51 ans, renouvellement urgent : un médecin à distance.",
        flags: "--at 45.020,5.490 --department 38 --territory 389990011 --age 51y --motive M06.02 --within 4H \
                --modality VR --limit 3",
    },
    Case {
        title: "Visite à domicile",
        story: "Châteauroux, 86 ans, ne peut pas se déplacer : un médecin à domicile dans la journée.",
        flags: "--at 46.811,1.690 --commune 36044 --territory 369990023 --age 86y --motive M03.14 --within 8H \
                --modality HH --limit 3",
    },
    Case {
        title: "Nourrisson",
        story: "Bourges, 8 mois, fièvre bien tolérée : un pédiatre qui reçoit les nourrissons.",
        flags: "--at 47.081,2.398 --commune 18033 --territory 189990013 --age 8m --motive M03.14 --within 6H \
                --specialty SM40 --limit 3",
    },
    Case {
        title: "Rien dans le délai",
        story: "Valençay, 63 ans, demande un dermatologue dans la demi-heure : il n'y en a pas, et la réponse le dit.",
        flags: "--at 47.161,1.563 --commune 36228 --territory 369990015 --age 63y --within 30M --specialty SM15",
    },
    Case {
        title: "Urgence vitale",
        story: "Amboise, 58 ans, douleur thoracique, R1 : envoi immédiat, sans chercher de créneau.",
        flags: "--at 47.413,0.983 --commune 37003 --age 58y --motive M03.06 --care-level R1 --priority P0",
    },
    Case {
        title: "Outre-mer",
        story: "Saint-Denis de La Réunion, 29 ans, angine : les heures sont celles de l'île.",
        flags: "--at -20.882,55.450 --commune 97411 --territory 979990413 --age 29y --motive M03.14 --within 4H \
                --modality AMB --limit 3",
    },
];

/// The flags of `find` alone.
#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    query: QueryArguments,
}

impl Case {
    /// The command that asks the same.
    #[must_use]
    pub fn command_line(&self, server_flag: &str) -> String {
        format!("sas-router find {}{server_flag}", self.flags)
    }

    /// The question.
    ///
    /// # Errors
    /// Never, as long as the tests pass; else what is wrong with the flags.
    pub fn question(&self) -> Result<QueryArguments, clap::Error> {
        let words = std::iter::once("find").chain(self.flags.split_whitespace());
        Flags::try_parse_from(words).map(|flags| flags.query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_a_command_line_that_is_understood() {
        for case in CASES {
            let question = case.question().unwrap_or_else(|error| panic!("{}: {error}", case.title));
            assert!(question.at.is_some(), "{}", case.title);
            assert!(!case.flags.contains("  "), "{}: one blank between words", case.title);
        }
    }
}
