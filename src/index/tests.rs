//! The index, as facts and as properties.
