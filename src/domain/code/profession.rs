//! Health professions: the national list `TRE_G15`.
//!
//! Invariant: the table is the published list, in its order, withdrawn professions (93) included because older data still names them.
//! Deliberately absent: professions outside the list; student and interim codes belong to other national lists.

use super::table::table_code;

table_code! {
    /// A health profession.
    Profession, "profession", PROFESSIONS
}

impl Profession {
    /// Physician, code 10.
    pub const DOCTOR: Self = Self(0);
    /// Pharmacist, code 21.
    pub const PHARMACIST: Self = Self(1);
    /// Dental surgeon, code 40.
    pub const DENTIST: Self = Self(11);
    /// Midwife, code 50.
    pub const MIDWIFE: Self = Self(12);
    /// Nurse, code 60.
    pub const NURSE: Self = Self(13);
}

const PROFESSIONS: [(&str, &str); 30] = [
    ("10", "Médecin"),
    ("21", "Pharmacien"),
    ("26", "Audioprothésiste"),
    ("28", "Opticien-Lunetier"),
    ("31", "Assistant dentaire"),
    ("32", "Physicien médical"),
    ("35", "Aide-soignant"),
    ("36", "Ambulancier"),
    ("37", "Auxiliaire de puériculture"),
    ("38", "Préparateur en pharmacie hospitalière"),
    ("39", "Préparateur en pharmacie"),
    ("40", "Chirurgien-Dentiste"),
    ("50", "Sage-Femme"),
    ("60", "Infirmier"),
    ("69", "Infirmier psychiatrique"),
    ("70", "Masseur-Kinésithérapeute"),
    ("80", "Pédicure-Podologue"),
    ("81", "Orthoprothésiste"),
    ("82", "Podo-Orthésiste"),
    ("83", "Orthopédiste-Orthésiste"),
    ("84", "Oculariste"),
    ("85", "Epithésiste"),
    ("86", "Technicien de labo médical"),
    ("91", "Orthophoniste"),
    ("92", "Orthoptiste"),
    ("93", "Psychologue"),
    ("94", "Ergothérapeute"),
    ("95", "Diététicien"),
    ("96", "Psychomotricien"),
    ("98", "Manipulateur ERM"),
];
