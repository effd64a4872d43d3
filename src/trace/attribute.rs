//! What a span may tell: the list of attributes, and values that hold no text of a caller.
//!
//! Invariant: [`Attribute::ALL`] is everything that is ever told; there is no way to make another one.

use opentelemetry::Value as Told;

/// What is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attribute(&'static str);

/// How much, or which of the program's own words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// How many.
    Count(i64),
    /// A code of the program or of a standard.
    Code(&'static str),
}

impl Attribute {
    /// The protocol of a call.
    pub const SYSTEM: Self = Self("rpc.system.name");
    /// The call: service and method, `_OTHER` for one that is not known.
    pub const METHOD: Self = Self("rpc.method");
    /// The status that a call ended with, as the gRPC documentation spells it.
    pub const STATUS: Self = Self("rpc.response.status_code");
    /// Why something failed: a reason of the interface, or a status.
    pub const ERROR: Self = Self("error.type");
    /// The outcome of a question.
    pub const OUTCOME: Self = Self("sas.outcome");
    /// Schedules that were judged by the rules.
    pub const JUDGED: Self = Self("sas.schedules.judged");
    /// Schedules that were examined for near misses.
    pub const EXAMINED: Self = Self("sas.schedules.examined");
    /// Openings that suited.
    pub const MATCHES: Self = Self("sas.matches");
    /// Options that were told.
    pub const OPTIONS: Self = Self("sas.options");
    /// Times that the radius was widened.
    pub const WIDENINGS: Self = Self("sas.radius.widenings");
    /// Records that an append asked for.
    pub const ENTRIES: Self = Self("sas.ledger.entries");
    /// Appends that were written together.
    pub const BATCH: Self = Self("sas.ledger.batch");
    /// What became of an append.
    pub const APPEND: Self = Self("sas.ledger.result");
    /// Replicas that had to confirm.
    pub const REPLICAS: Self = Self("sas.ledger.replicas");
    /// Rows of a publisher.
    pub const ROWS: Self = Self("sas.publish.rows");
    /// Places that a road table was asked for.
    pub const PLACES: Self = Self("sas.road.places");

    /// Everything that is ever told.
    pub const ALL: [Self; 16] = [
        Self::SYSTEM,
        Self::METHOD,
        Self::STATUS,
        Self::ERROR,
        Self::OUTCOME,
        Self::JUDGED,
        Self::EXAMINED,
        Self::MATCHES,
        Self::OPTIONS,
        Self::WIDENINGS,
        Self::ENTRIES,
        Self::BATCH,
        Self::APPEND,
        Self::REPLICAS,
        Self::ROWS,
        Self::PLACES,
    ];

    /// Its name, after the conventions of OpenTelemetry.
    #[must_use]
    pub const fn key(self) -> &'static str {
        self.0
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<&'static str> for Value {
    fn from(code: &'static str) -> Self {
        Self::Code(code)
    }
}

impl From<Value> for Told {
    fn from(value: Value) -> Self {
        match value {
            Value::Count(count) => count.into(),
            Value::Code(code) => code.into(),
        }
    }
}
