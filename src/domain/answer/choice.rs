//! Why an option stands where it stands among its equivalents, and what was left out for being like others.

/// Why an option goes before equivalents that cost less.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum FairShareReason {
    /// Who gives care there was chosen less recently.
    LeastRecent,
    /// Who gives care there is new, and this is a case in which newcomers go first.
    Newcomer,
}

/// That an option goes before equivalents that cost less, because it is its turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct FairShare {
    /// Why it is its turn.
    pub reason: FairShareReason,
    /// How many options of the answer are equivalent, itself included.
    pub equivalent_count: u32,
    /// Before how many of them it goes although they cost less, or the same with a lesser identifier.
    pub passed_count: u32,
}

/// In what options are alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Likeness {
    /// They are at one place.
    Place,
    /// They are with one professional.
    Practitioner,
}

impl Likeness {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 2] = [Self::Place, Self::Practitioner];
}

/// How many schedules suit and would have been told, were there not enough like them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alike {
    /// In what they are alike.
    pub likeness: Likeness,
    /// How many.
    pub count: u32,
}
