//! The short national lists, one enum each.
//!
//! Invariant: a variant's code and French label are those of the published list; the variant is the code in camel case.
//! Deliberately absent: lists that we neither read nor write (attribution, resource types).

use std::fmt;

use super::UnknownCode;

/// Defines an enum of a closed list: `Variant = "CODE", "French label";`.
macro_rules! closed_lists {
    ($($(#[$doc:meta])+ $name:ident, $list:literal { $($variant:ident = $code:literal, $label:literal;)+ })+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $code, "`: ", $label, ".")] $variant,)+
        }

        impl $name {
            /// Every code, in the order of the published list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Reads a code in its exact spelling; whitespace at the ends is dropped.
            ///
            /// # Errors
            /// [`UnknownCode`], naming the nearest codes.
            pub fn parse(given: &str) -> Result<Self, UnknownCode> {
                match given.trim() {
                    $($code => Ok(Self::$variant),)+
                    unknown => Err(UnknownCode::new($list, unknown, Self::ALL.iter().map(|known| known.code()))),
                }
            }

            /// The code as published.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// The French label.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)+
                }
            }

            /// Place in [`Self::ALL`]; for use in memory only, records keep the code.
            #[must_use]
            pub const fn index(self) -> u8 {
                self as u8
            }

            /// The code at a place of [`Self::ALL`].
            #[must_use]
            pub fn from_index(index: u8) -> Option<Self> {
                Self::ALL.get(usize::from(index)).copied()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.code())
            }
        }
    )+};
}

closed_lists! {
    /// How much care the situation needs (Hub Santé `niveauSoin`); the order is from most to least urgent.
    CareLevel, "care level" {
        R1 = "R1", "Urgence Vitale";
        R2 = "R2", "Urgence vraie";
        R3 = "R3", "Continuité de soins";
        R4 = "R4", "Conseil ou PMT";
    }
    /// How soon a physician must regulate the call (Hub Santé `priorite`).
    Priority, "priority" {
        P0 = "P0", "Urgence vitale";
        P1 = "P1", "Prioritaire";
        P2 = "P2", "Non Urgent";
        P3 = "P3", "Différé";
        NR = "NR", "Non régulé";
    }
    /// How care is given (HL7 v3 `ActCode`).
    Modality, "modality" {
        Amb = "AMB", "Cabinet";
        Vr = "VR", "Téléconsultation";
        Hh = "HH", "Domicile";
    }
    /// With or without appointment (HL7 v2 table 0276).
    AppointmentType, "appointment type" {
        Routine = "ROUTINE", "Avec rendez-vous";
        Walkin = "WALKIN", "Sans rendez-vous";
    }
    /// Who may see a slot (national list `TRE_R314`).
    Visibility, "visibility" {
        Public = "PUBLIC", "Créneau public";
        Pro = "PRO", "Créneau professionnel";
        Snp = "SNP", "Créneau soins non programmé";
        Cpts = "CPTS", "Créneau de structure CPTS";
    }
    /// Sex (Hub Santé `sexe`).
    Sex, "sex" {
        M = "M", "Masculin";
        F = "F", "Féminin";
        O = "O", "Autre sexe (ni masculin, ni féminin)";
        Un = "UN", "Inconnu";
    }
    /// Who acts in the regulation (Hub Santé `role`).
    Role, "role" {
        Ambulancier = "AMBULANCIER", "Ambulancier";
        Arm = "ARM", "ARM";
        Infirmier = "INFIRMIER", "Infirmier";
        Medecin = "MEDECIN", "Médecin";
        Pilote = "PILOTE", "Pilote";
        Tcm = "TCM", "Technicien de bord";
        Autre = "AUTRE", "Autre";
        Inconnu = "INCONNU", "Inconnu";
    }
    /// Within what time something is needed (Hub Santé `delai`).
    Delay, "delay" {
        Del0 = "DEL0", "Immédiatement";
        Asap = "ASAP", "Dès que disponible";
        M30 = "30M", "Délai maxi 30 minutes";
        M45 = "45M", "Délai maxi 45 minutes";
        H1 = "1H", "Délai maxi 1 heure";
        H2 = "2H", "Délai maxi 2 heures";
        H4 = "4H", "Délai maxi 4 heures";
        H8 = "8H", "Délai maxi 8 heures";
        H12 = "12H", "Délai maxi 12 heures";
        H24 = "24H", "Délai maxi 24 heures";
        Rdv = "RDV", "HH:MM";
    }
    /// What regulation decided (Hub Santé `typeDecision`).
    DecisionType, "decision type" {
        Conseil = "CONSEIL", "Conseil Médical";
        Pmt = "PMT", "Prescription médicamenteuse téléphonique";
        Inter = "INTER", "Décision d’intervention";
        Orient = "ORIENT", "Décision d’orientation ou de transport";
        Pasplus = "PASPLUS", "Pas de décision supplémentaire";
    }
    /// Where the patient is sent (Hub Santé `typeOrientation`).
    OrientationType, "orientation type" {
        Urgences = "URGENCES", "Service d’urgences d’un établissement de sante";
        ReaUsi = "REA-USI", "Service de réanimation ou de soins intensifs";
        Sante = "SANTE", "Autres services d’un établissement de sante";
        Cabinet = "CABINET", "Cabinet d’un professionnel de sante";
        Domicile = "DOMICILE", "Domicile";
        Ephad = "EPHAD", "EPHAD ou Long séjour";
        Autre = "AUTRE", "Autre";
    }
    /// Age band or state of the patient (Hub Santé `patient`).
    PatientCategory, "patient category" {
        Nourrisson = "NOURRISSON", "NOURRISSON";
        Enfant = "ENFANT", "ENFANT";
        Adulte = "ADULTE", "ADULTE";
        Senior = "SENIOR", "SENIOR";
        Enceinte = "ENCEINTE", "ENCEINTE";
    }
}

impl Delay {
    /// The longest wait, in minutes: `DEL0` is 0, `ASAP` is 60 as its definition says; `RDV` is a time of day, so none.
    #[must_use]
    pub const fn minutes(self) -> Option<u32> {
        match self {
            Self::Del0 => Some(0),
            Self::M30 => Some(30),
            Self::M45 => Some(45),
            Self::Asap | Self::H1 => Some(60),
            Self::H2 => Some(120),
            Self::H4 => Some(240),
            Self::H8 => Some(480),
            Self::H12 => Some(720),
            Self::H24 => Some(1440),
            Self::Rdv => None,
        }
    }
}
