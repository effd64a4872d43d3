//! Answers for programs: the canonical JSON form of the protocol's messages.
//!
//! Invariant: the text is what any protobuf library reads back as the same message.
//! Deliberately absent: shapes of our own; where no message exists (import), the report names its fields itself.

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};

use crate::proto::DESCRIPTORS;

/// Why a message has no JSON form; never happens with the messages of this program.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The descriptors that are compiled in cannot be read.
    #[error("the interface's descriptors cannot be read: {0}")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// The descriptors do not name the message.
    #[error("the interface has no message `{0}`")]
    UnknownMessage(String),
    /// The message does not fit its descriptor.
    #[error("the message does not fit its descriptor: {0}")]
    Message(#[from] prost::DecodeError),
    /// The JSON writer failed.
    #[error("the message cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The canonical JSON of a message of `sas.routing.v1`, by its short name, for instance `FindCareResponse`.
///
/// # Errors
/// When the name is not that of the message.
pub fn to_value(name: &str, message: &impl Message) -> Result<serde_json::Value, JsonError> {
    let pool = DescriptorPool::decode(DESCRIPTORS)?;
    let full_name = format!("sas.routing.v1.{name}");
    let descriptor = pool.get_message_by_name(&full_name).ok_or(JsonError::UnknownMessage(full_name))?;
    let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?;
    Ok(serde_json::to_value(&dynamic)?)
}

/// The same, as indented text.
///
/// # Errors
/// When the name is not that of the message.
pub fn to_text(name: &str, message: &impl Message) -> Result<String, JsonError> {
    Ok(serde_json::to_string_pretty(&to_value(name, message)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::routing as pb;

    #[test]
    fn json_reads_back_as_the_same_message() {
        let response = pb::FindCareResponse {
            outcome: pb::CareOutcome::Appointment.into(),
            sentence: "« près d'ici »".to_owned(),
            options: vec![pb::CareOption { rank: 1, slot_id: "s-1".to_owned(), ..pb::CareOption::default() }],
            needed_by_at: Some(prost_types::Timestamp { seconds: 1_767_600_000, nanos: 0 }),
            stamp: Some(pb::Stamp { epoch: 1, position: u64::MAX, ..pb::Stamp::default() }),
            ..pb::FindCareResponse::default()
        };
        let text = to_text("FindCareResponse", &response).unwrap();
        assert!(text.contains(r#""outcome": "CARE_OUTCOME_APPOINTMENT""#), "{text}");
        assert!(text.contains(r#""neededByAt": "2026-01-05T08:00:00Z""#), "{text}");
        assert!(text.contains(r#""position": "18446744073709551615""#), "{text}");

        let descriptor = DescriptorPool::decode(DESCRIPTORS)
            .unwrap()
            .get_message_by_name("sas.routing.v1.FindCareResponse")
            .unwrap();
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let read = DynamicMessage::deserialize(descriptor, &mut deserializer).unwrap();
        assert_eq!(read.transcode_to::<pb::FindCareResponse>().unwrap(), response);
    }

    #[test]
    fn a_name_that_is_no_message_is_refused() {
        assert!(matches!(to_text("Nothing", &pb::Stamp::default()), Err(JsonError::UnknownMessage(_))));
    }
}
