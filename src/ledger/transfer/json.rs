//! Canonical protobuf JSON of the messages of an export, by the descriptors that are compiled in.
//!
//! Invariant: unknown fields are refused, so that a misspelt one is not silently lost.

use std::io::Write;

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use super::TransferError;
use crate::proto::ledger as pb;

/// Reads and writes lines.
pub(super) struct Json {
    header: MessageDescriptor,
    line: MessageDescriptor,
}

impl Json {
    /// Finds the messages among the definitions.
    pub(super) fn new() -> Result<Self, TransferError> {
        let pool =
            DescriptorPool::decode(pb::DESCRIPTORS).map_err(|error| TransferError::Definitions(error.to_string()))?;
        let message = |name: &str| {
            let missing = || TransferError::Definitions(format!("`{name}` is missing"));
            pool.get_message_by_name(name).ok_or_else(missing)
        };
        Ok(Self { header: message("sas.ledger.v1.ExportHeader")?, line: message("sas.ledger.v1.ExportLine")? })
    }

    /// Writes the first line.
    pub(super) fn write_header(&self, header: &pb::ExportHeader, out: &mut impl Write) -> Result<(), TransferError> {
        write(&self.header, header, out)
    }

    /// Writes another line.
    pub(super) fn write_line(&self, line: &pb::ExportLine, out: &mut impl Write) -> Result<(), TransferError> {
        write(&self.line, line, out)
    }

    /// Reads the first line; what is wrong otherwise.
    pub(super) fn read_header(&self, text: &[u8]) -> Result<pb::ExportHeader, String> {
        read(&self.header, text)
    }

    /// Reads another line; what is wrong otherwise.
    pub(super) fn read_line(&self, text: &[u8]) -> Result<pb::ExportLine, String> {
        read(&self.line, text)
    }
}

fn write<M: prost::Message>(
    descriptor: &MessageDescriptor,
    message: &M,
    out: &mut impl Write,
) -> Result<(), TransferError> {
    let mut dynamic = DynamicMessage::new(descriptor.clone());
    let damaged = |error: prost::DecodeError| TransferError::Definitions(error.to_string());
    dynamic.transcode_from(message).map_err(damaged)?;
    let cut = |error: serde_json::Error| TransferError::Write(error.into());
    serde_json::to_writer(&mut *out, &dynamic).map_err(cut)?;
    out.write_all(b"\n").map_err(TransferError::Write)
}

fn read<M: prost::Message + Default>(descriptor: &MessageDescriptor, text: &[u8]) -> Result<M, String> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let dynamic = DynamicMessage::deserialize(descriptor.clone(), &mut json).map_err(|error| said(&error))?;
    json.end().map_err(|error| said(&error))?;
    dynamic.transcode_to().map_err(|error| error.to_string())
}

/// A line is a document of its own, so only the column tells where the error is.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    format!("{} at column {}", text.strip_suffix(&place).unwrap_or(&text), error.column())
}
