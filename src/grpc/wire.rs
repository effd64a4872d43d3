//! Messages written straight into the bytes that are sent: every text is copied once, nothing is made in between.
//!
//! Invariant: what is written decodes to the message of the definition; a field at its default is left out unless its absence says
//! something. Field numbers stand where they are written, and a property holds them to the definition.
//! Deliberately absent: reading, and messages that are rare, which are those of the generated code.

use std::fmt::{self, Display, Write as _};
use std::marker::PhantomData;

use bytes::BufMut as _;
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic_prost::ProstDecoder;

/// Bytes that most answers fit.
const USUAL_BYTES: usize = 4_096;
/// Longest length that takes one byte.
const SHORT_MAX: usize = 0x7f;

/// A message, as it is sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Written(Vec<u8>);

impl Written {
    /// A message of these fields.
    pub(super) fn of(fields: impl FnOnce(&mut Writer)) -> Self {
        let mut writer = Writer(Vec::with_capacity(USUAL_BYTES));
        fields(&mut writer);
        Self(writer.0)
    }

    /// Its bytes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its bytes, given away.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Writes the fields of a message.
#[derive(Debug)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// A text, when there is one.
    pub(super) fn text(&mut self, field: u32, text: &str) {
        self.texts(field, [text]);
    }

    /// A text in pieces, when there is one.
    pub(super) fn texts<const N: usize>(&mut self, field: u32, pieces: [&str; N]) {
        if pieces.iter().any(|piece| !piece.is_empty()) {
            self.entry(field, pieces);
        }
    }

    /// One of several texts, in pieces; it may be empty.
    pub(super) fn entry<const N: usize>(&mut self, field: u32, pieces: [&str; N]) {
        self.key(field, true);
        self.varint(pieces.iter().map(|piece| length(piece.len())).sum());
        pieces.iter().for_each(|piece| self.0.extend_from_slice(piece.as_bytes()));
    }

    /// A text that is written as it is shown, when there is one.
    pub(super) fn shown(&mut self, field: u32, value: Option<impl Display>) {
        if let Some(value) = value {
            self.message(field, |writer| {
                // Writing to a Vec cannot fail.
                let _ = write!(writer, "{value}");
            });
        }
    }

    /// A number, when it is not 0.
    pub(super) fn number(&mut self, field: u32, number: impl Into<u64>) {
        self.optional(field, Some(number.into()).filter(|number| *number != 0));
    }

    /// A number that may be absent, which is not 0.
    pub(super) fn optional(&mut self, field: u32, number: Option<impl Into<u64>>) {
        if let Some(number) = number {
            self.key(field, false);
            self.varint(number.into());
        }
    }

    /// A value of an enumeration, when it is said.
    pub(super) fn code(&mut self, field: u32, code: impl Into<i32>) {
        self.number(field, u64::try_from(code.into()).unwrap_or_default());
    }

    /// A message of the generated code that holds no text, or a short one.
    pub(super) fn plain(&mut self, field: u32, message: &impl Message) {
        self.key(field, true);
        // A Vec has room.
        let _ = message.encode_length_delimited(&mut self.0);
    }

    /// A message that is written already.
    pub(super) fn written(&mut self, field: u32, message: &Written) {
        self.message(field, |to| to.0.extend_from_slice(message.as_bytes()));
    }

    /// The fields of a message of the generated code.
    pub(super) fn fields(&mut self, message: &impl Message) {
        // A Vec has room.
        let _ = message.encode(&mut self.0);
    }

    /// A message.
    pub(super) fn message(&mut self, field: u32, fields: impl FnOnce(&mut Self)) {
        self.key(field, true);
        // The length is known at the end: one byte for most, and room for more is made for the others.
        let at = self.0.len();
        self.0.push(0);
        fields(self);
        let written = self.0.len() - at - 1;
        match (u8::try_from(written), self.0.get_mut(at)) {
            (Ok(short), Some(place)) if written <= SHORT_MAX => *place = short,
            _ => {
                let mut prefix = Self(Vec::with_capacity(10));
                prefix.varint(length(written));
                drop(self.0.splice(at..=at, prefix.0));
            }
        }
    }

    fn key(&mut self, field: u32, has_length: bool) {
        self.varint(u64::from(field << 3 | if has_length { 2 } else { 0 }));
    }

    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push((number & 0x7f) as u8);
    }
}

impl fmt::Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// A length as it is written.
fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Sends what is written, and reads messages of the generated code.
#[derive(Debug)]
pub(super) struct WrittenCodec<U>(PhantomData<U>);

impl<U> Default for WrittenCodec<U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<U: Message + Default + Send + 'static> Codec for WrittenCodec<U> {
    type Encode = Written;
    type Decode = U;
    type Encoder = WrittenEncoder;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        WrittenEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::new(BufferSettings::default())
    }
}

/// Sends what is written.
#[derive(Debug)]
pub(super) struct WrittenEncoder;

impl Encoder for WrittenEncoder {
    type Item = Written;
    type Error = Status;

    fn encode(&mut self, message: Written, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message.0);
        Ok(())
    }
}
