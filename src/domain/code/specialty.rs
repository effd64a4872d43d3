//! Specialties as the professional orders register them: the national list `TRE_R38`.
//!
//! Invariant: the table is the published list, in its order, withdrawn specialties (`SP`) included because older data still names them.
//! Deliberately absent: which specialty suits which motive; that is policy.

use super::profession::Profession;
use super::set::SpecialtySet;
use super::table::table_code;

table_code! {
    /// A specialty; its first letters name the order that registers it.
    Specialty, "specialty", SPECIALTIES
}

impl Specialty {
    /// The profession it belongs to: `SCD` dentist, `SI` nurse, `SP` pharmacist, `SM` doctor.
    #[must_use]
    pub fn profession(self) -> Profession {
        let code = self.code();
        if code.starts_with("SCD") {
            return Profession::DENTIST;
        }
        if code.starts_with("SI") {
            return Profession::NURSE;
        }
        if code.starts_with("SP") {
            return Profession::PHARMACIST;
        }
        Profession::DOCTOR
    }

    /// Whether it is general practice, which three codes name: `SM26`, `SM53` and `SM54`.
    #[must_use]
    pub fn is_general_practice(self) -> bool {
        matches!(self.code(), "SM26" | "SM53" | "SM54")
    }

    /// General practice: whom regulation looks for when it does not say.
    #[must_use]
    pub fn general_practice() -> SpecialtySet {
        Self::ALL.iter().copied().filter(|specialty| specialty.is_general_practice()).collect()
    }
}

const SPECIALTIES: [(&str, &str); 107] = [
    ("SCD01", "Orthopédie dento-faciale (SCD)"),
    ("SCD02", "Chirurgie orale (SCD)"),
    ("SCD03", "Médecine bucco-dentaire (SCD)"),
    ("SI01", "Exercice infirmier en pratique avancée pathologies chroniques stabilisées (SI)"),
    ("SI02", "Exercice infirmier en pratique avancée oncologie et hémato-oncologie (SI)"),
    ("SI03", "Exercice infirmier en pratique avancée maladie rénale chronique (SI)"),
    ("SI04", "Exercice infirmier en pratique avancée santé mentale (SI)"),
    ("SI05", "Exercice infirmier en pratique avancée urgences (SI)"),
    ("SM01", "Anatomie et Cytologie pathologiques (SM)"),
    ("SM02", "Anesthésie-réanimation (SM)"),
    ("SM03", "Biologie médicale (SM)"),
    ("SM04", "Cardiologie et Maladies vasculaires (SM)"),
    ("SM05", "Chirurgie générale (SM)"),
    ("SM06", "Chirurgie maxillo-faciale (SM)"),
    ("SM07", "Chirurgie maxillo-faciale et Stomatologie (SM)"),
    ("SM08", "Chirurgie orthopédique et Traumatologie (SM)"),
    ("SM09", "Chirurgie infantile (SM)"),
    ("SM10", "Chirurgie plastique reconstructrice et esthétique (SM)"),
    ("SM11", "Chirurgie thoracique et cardio-vasculaire (SM)"),
    ("SM12", "Chirurgie urologique (SM)"),
    ("SM13", "Chirurgie vasculaire (SM)"),
    ("SM14", "Chirurgie viscérale et digestive (SM)"),
    ("SM15", "Dermatologie et Vénéréologie (SM)"),
    ("SM16", "Endocrinologie et Métabolisme (SM)"),
    ("SM17", "Génétique médicale (SM)"),
    ("SM18", "Gériatrie (SM)"),
    ("SM19", "Gynécologie médicale (SM)"),
    ("SM20", "Gynécologie-obstétrique (SM)"),
    ("SM21", "Hématologie (SM)"),
    ("SM22", "Hématologie, option Maladie du sang (SM)"),
    ("SM23", "Hématologie, option Onco-hématologie (SM)"),
    ("SM24", "Gastro-entérologie et Hépatologie (SM)"),
    ("SM25", "Médecine du travail (SM)"),
    ("SM26", "Qualifié en Médecine générale (SM)"),
    ("SM27", "Médecine interne (SM)"),
    ("SM28", "Médecine nucléaire (SM)"),
    ("SM29", "Médecine physique et de réadaptation (SM)"),
    ("SM30", "Néphrologie (SM)"),
    ("SM31", "Neuro-chirurgie (SM)"),
    ("SM32", "Neurologie (SM)"),
    ("SM33", "Neuro-psychiatrie (SM)"),
    ("SM34", "ORL et Chirurgie cervico-faciale (SM)"),
    ("SM35", "Oncologie, option Onco-hématologie (SM)"),
    ("SM36", "Oncologie, option médicale (SM)"),
    ("SM37", "Oncologie, option radiothérapie (SM)"),
    ("SM38", "Ophtalmologie (SM)"),
    ("SM39", "Oto-rhino-laryngologie (SM)"),
    ("SM40", "Pédiatrie (SM)"),
    ("SM41", "Pneumologie (SM)"),
    ("SM42", "Psychiatrie (SM)"),
    ("SM43", "Psychiatrie, option enfant et adolescent (SM)"),
    ("SM44", "Radio-diagnostic (SM)"),
    ("SM45", "Radio-thérapie (SM)"),
    ("SM46", "Médecine intensive-réanimation (SM)"),
    ("SM47", "Recherche médicale (SM)"),
    ("SM48", "Rhumatologie (SM)"),
    ("SM49", "Santé publique et Médecine sociale (SM)"),
    ("SM50", "Stomatologie (SM)"),
    ("SM51", "Gynéco-obstétrique et Gynéco-médicale, option Gynéco-obstétrique (SM)"),
    ("SM52", "Gynéco-obstétrique et Gynéco-médicale, option Gynéco-médicale (SM)"),
    ("SM53", "Spécialiste en Médecine générale (SM)"),
    ("SM54", "Médecine générale (SM)"),
    ("SM55", "Radio-diagnostic et Radio-thérapie (SM)"),
    ("SM56", "Chirurgie orale (SM)"),
    ("SM57", "Allergologie (SM)"),
    ("SM58", "Maladies infectieuses et tropicales (SM)"),
    ("SM59", "Médecine d'urgence (SM)"),
    ("SM60", "Médecine légale et expertises médicales (SM)"),
    ("SM61", "Médecine vasculaire (SM)"),
    ("SM62", "Endocrinologie, diabétologie, nutrition (SM)"),
    ("SM63", "Biologie médicale option biologie générale (SM)"),
    ("SM64", "Biologie médicale option médecine moléculaire, génétique et pharmacologie (SM)"),
    ("SM65", "Biologie médicale option hématologie et immunologie (SM)"),
    ("SM66", "Biologie médicale option agents infectieux (SM)"),
    ("SM67", "Biologie médicale option biologie de la reproduction (SM)"),
    ("SM68", "Chirurgie maxillo-faciale (réforme 2017) (SM)"),
    ("SM69", "Chirurgie pédiatrique option chirurgie viscérale pédiatrique (SM)"),
    ("SM70", "Chirurgie pédiatrique option orthopédie pédiatrique (SM)"),
    ("SM71", "Hématologie (réforme 2017) (SM)"),
    ("SM72", "Médecine interne et immunologie clinique (SM)"),
    ("SM73", "Médecine cardiovasculaire (SM)"),
    ("SM74", "Radiologie imagerie médicale (SM)"),
    ("SM75", "Santé publique (SM)"),
    ("SM76", "Anesthésie-réanimation opt anesthésie-pédiatrique (SM)"),
    ("SM77", "Chirurgie maxillo-faciale opt orthod dysmo max-fac (SM)"),
    ("SM78", "Chirurgie viscérale et digestive opt endo chir (SM)"),
    ("SM79", "Méd cardiovasculaire opt card interventionnelle (SM)"),
    ("SM80", "Méd cardiovasculaire opt imagerie cardio d'expert (SM)"),
    ("SM81", "Méd cardiovasculaire opt rythmo inter stimu card (SM)"),
    ("SM82", "Médecine intensive-réanimation opt réa pédiatrique (SM)"),
    ("SM83", "Néphrologie option soins intensifs néphrologiques (SM)"),
    ("SM84", "Neurologie opt trait interv ischémie céréb aigüe (SM)"),
    ("SM85", "Ophtalmologie opt chir ophtalmopéd strabologique (SM)"),
    ("SM86", "ORL - chir cervico-faciale opt audiophonologie (SM)"),
    ("SM87", "Pédiatrie option néonatologie (SM)"),
    ("SM88", "Pédiatrie option neuropédiatrie (SM)"),
    ("SM89", "Pédiatrie option pneumopédiatrie (SM)"),
    ("SM90", "Pédiatrie option réanimation pédiatrique (SM)"),
    ("SM91", "Pneumologie option soins intensifs respiratoires (SM)"),
    ("SM92", "Psychiatrie option enfant et adolescent (SM)"),
    ("SM93", "Psychiatrie option psychiatrie de la personne âgée (SM)"),
    ("SM94", "Radiologie et imagerie médicale opt radio inter av (SM)"),
    ("SM95", "Santé publique option administration de la santé (SM)"),
    ("SP01", "Radio-pharmacie (SP)"),
    ("SP02", "Hygiène (SP)"),
    ("SP03", "Pharmacovigilance (SP)"),
    ("SP04", "Hémovigilance (SP)"),
];
