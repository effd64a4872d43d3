//! What the scripts and the stream answer, read without trust.

use redis::Value;

use super::LinkError;
use crate::domain::record::Position;
use crate::domain::time::UtcInstant;

/// What the append script says.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::ledger::redis) struct Said {
    /// Where the last change stands.
    pub(in crate::ledger::redis) head: Position,
    /// What the ledger's clock shows.
    pub(in crate::ledger::redis) now: UtcInstant,
    /// What became of the append.
    pub(in crate::ledger::redis) verdict: Verdict,
}

/// What became of an append.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::ledger::redis) enum Verdict {
    /// Written.
    Appended,
    /// A record has another version.
    Conflict {
        /// Place of the entry in the append.
        entry: usize,
        /// Version and image of the record as it is.
        record: Option<(u64, Vec<u8>)>,
    },
    /// A time guard failed.
    OutOfTime,
    /// Carried out before.
    Replayed {
        /// Where its last change stands.
        position: Position,
        /// What was said then.
        result: Vec<u8>,
    },
    /// The id was used for other content.
    RequestIdReused,
    /// The server has begun anew and nobody has recovered the ledger yet.
    Fenced,
}

impl Said {
    /// Reads a reply.
    pub(in crate::ledger::redis) fn read(value: Value) -> Result<Self, LinkError> {
        let mut fields = Fields::of(value)?;
        let code = fields.text()?;
        let (epoch, sequence) = (fields.number()?, fields.number()?);
        let head = Position { partition: 0, epoch, sequence };
        let now = UtcInstant::from_ms(fields.instant_ms()?);
        let verdict = match code.as_str() {
            "A" => Verdict::Appended,
            "C" => {
                let entry = usize::try_from(fields.number()?).map_err(|_| LinkError::Odd("an entry's place"))?;
                let record = fields.bytes_or_nothing()?.map(|record| split_record(&record)).transpose()?;
                Verdict::Conflict { entry, record }
            }
            "T" => Verdict::OutOfTime,
            "R" => {
                let position = Position { partition: 0, epoch: fields.number()?, sequence: fields.number()? };
                Verdict::Replayed { position, result: fields.bytes()? }
            }
            "I" => Verdict::RequestIdReused,
            "F" => Verdict::Fenced,
            _ => return Err(LinkError::Odd("an unknown code")),
        };
        Ok(Self { head, now, verdict })
    }
}

/// Version and image of a stored record.
pub(in crate::ledger::redis) fn split_record(record: &[u8]) -> Result<(u64, Vec<u8>), LinkError> {
    const ODD: LinkError = LinkError::Odd("a record without version");
    let at = record.iter().position(|byte| *byte == b' ').ok_or(ODD)?;
    let (version, image) = record.split_at(at);
    let version = std::str::from_utf8(version).ok().and_then(|version| version.parse().ok()).ok_or(ODD)?;
    Ok((version, image.get(1..).unwrap_or_default().to_vec()))
}

/// The fields of an array, one after the other.
pub(in crate::ledger::redis) struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    /// The fields of an array; of nothing when the server answers nothing.
    pub(in crate::ledger::redis) fn of(value: Value) -> Result<Self, LinkError> {
        if value == Value::Nil {
            return Ok(Self(Vec::new().into_iter()));
        }
        let Value::Array(values) = value else { return Err(LinkError::Odd("no array")) };
        Ok(Self(values.into_iter()))
    }

    /// The next field as it came.
    pub(in crate::ledger::redis) fn next(&mut self) -> Option<Value> {
        self.0.next()
    }

    /// The next field, as bytes; `None` when it is not there.
    pub(in crate::ledger::redis) fn bytes_or_nothing(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        match self.0.next() {
            None | Some(Value::Nil) => Ok(None),
            Some(Value::BulkString(bytes)) => Ok(Some(bytes)),
            Some(Value::SimpleString(text)) => Ok(Some(text.into_bytes())),
            Some(Value::Int(number)) => Ok(Some(number.to_string().into_bytes())),
            Some(Value::Okay) => Ok(Some(b"OK".to_vec())),
            Some(_) => Err(LinkError::Odd("a field of another type")),
        }
    }

    /// The next field, as bytes.
    pub(in crate::ledger::redis) fn bytes(&mut self) -> Result<Vec<u8>, LinkError> {
        self.bytes_or_nothing()?.ok_or(LinkError::Odd("a missing field"))
    }

    /// The next field, as text.
    pub(in crate::ledger::redis) fn text(&mut self) -> Result<String, LinkError> {
        String::from_utf8(self.bytes()?).map_err(|_| LinkError::Odd("a text that is none"))
    }

    /// The next field, as text; `None` when it is not there.
    pub(in crate::ledger::redis) fn text_or_nothing(&mut self) -> Result<Option<String>, LinkError> {
        let bytes = self.bytes_or_nothing()?;
        bytes.map(|bytes| String::from_utf8(bytes).map_err(|_| LinkError::Odd("a text that is none"))).transpose()
    }

    /// The next field, as a number.
    pub(in crate::ledger::redis) fn number(&mut self) -> Result<u64, LinkError> {
        self.text()?.parse().map_err(|_| LinkError::Odd("a number that is none"))
    }

    /// The next field, as milliseconds since 1970.
    pub(in crate::ledger::redis) fn instant_ms(&mut self) -> Result<i64, LinkError> {
        self.text()?.parse().map_err(|_| LinkError::Odd("an instant that is none"))
    }
}
