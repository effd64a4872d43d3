//! A field that is wrong, and what to do about it.

/// One wrong field of an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Path of the field, for instance `rows[3].window.end_at`.
    pub field: String,
    /// One sentence that says what to give instead.
    pub message: String,
}

impl Violation {
    /// The violation of a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// The same seen from the message that holds the field's message under `prefix`.
    #[must_use]
    pub fn within(self, prefix: &str) -> Self {
        Self { field: format!("{prefix}.{}", self.field), message: self.message }
    }
}
