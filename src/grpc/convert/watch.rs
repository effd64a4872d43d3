//! What a client watches, what it is told, and the token with which it resumes.
//!
//! Invariant: a token is only what the client was told already, so that reading another's gives nothing away and making one
//! up deceives nobody but its maker. Its form is this file's own; a form that is not known makes the answer whole.

use prost::Message as _;

use super::answer::write_answer;
use super::common::instant_to_proto;
use super::query::query_from_proto;
use crate::domain::answer::Availability;
use crate::domain::code::Modality;
use crate::domain::id::SlotId;
use crate::domain::record::Position;
use crate::domain::source::Confidence;
use crate::domain::time::{UtcInstant, Window};
use crate::grpc::findings::{Findings, Path};
use crate::grpc::wire::Writer;
use crate::proto::routing as pb;
use crate::service::limits::{WATCH_SECONDS_MAX, WATCH_TOKEN_MAX_BYTES};
use crate::service::{
    Difference, Gone, GoneReason, QuestionDigest, Shown, ShownOption, WatchRequest, WatchToken, WatchUpdate,
};

/// Form of the token that this version writes and reads.
const TOKEN_FORM: u32 = 2;

/// A token on its way.
#[derive(Clone, PartialEq, prost::Message)]
struct Token {
    #[prost(uint32, tag = "1")]
    form: u32,
    #[prost(bytes = "vec", tag = "2")]
    question: Vec<u8>,
    #[prost(uint32, tag = "3")]
    partition: u32,
    #[prost(uint64, tag = "4")]
    epoch: u64,
    #[prost(uint64, tag = "5")]
    sequence: u64,
    #[prost(sint64, tag = "6")]
    answered_at_ms: i64,
    #[prost(sint64, optional, tag = "7")]
    needed_by_at_ms: Option<i64>,
    #[prost(message, repeated, tag = "8")]
    options: Vec<TokenOption>,
    #[prost(fixed64, tag = "9")]
    outcome_digest: u64,
    #[prost(fixed64, tag = "10")]
    sites_digest: u64,
    #[prost(string, tag = "11")]
    availability: String,
}

/// An option in a token.
#[derive(Clone, PartialEq, prost::Message)]
struct TokenOption {
    #[prost(string, tag = "1")]
    slot_id: String,
    #[prost(string, tag = "2")]
    modality: String,
    #[prost(sint64, tag = "3")]
    start_at_ms: i64,
    #[prost(sint64, tag = "4")]
    end_at_ms: i64,
    #[prost(string, tag = "5")]
    confidence: String,
}

/// Reads what is to be watched; every wrong field is recorded.
pub(in crate::grpc) fn watch_from_proto(
    message: pb::WatchCareRequest,
    findings: &mut Findings,
) -> Option<WatchRequest> {
    let pb::WatchCareRequest { query, duration_seconds, resume_token } = message;
    let path = Path::ROOT;
    if duration_seconds.is_some_and(|seconds| !(1..=WATCH_SECONDS_MAX).contains(&seconds)) {
        let told = format_args!("give 1 to {WATCH_SECONDS_MAX} seconds, then watch again with the last token");
        findings.refuse(path.field("duration_seconds"), told);
    }
    if resume_token.len() > WATCH_TOKEN_MAX_BYTES {
        let told = format_args!("longer than {WATCH_TOKEN_MAX_BYTES} bytes: give a token as it was received");
        findings.refuse(path.field("resume_token"), told);
        return None;
    }
    let token = match resume_token.as_slice() {
        [] => None,
        given => match Token::decode(given) {
            Ok(token) => token_from_wire(token),
            Err(_) => {
                findings.refuse(path.field("resume_token"), "is no token: give one as it was received, or none");
                None
            }
        },
    };
    let question = QuestionDigest::of(&query.as_ref().map(prost::Message::encode_to_vec).unwrap_or_default());
    let query = query_from_proto(query, path.field("query"), findings)?;
    Some(WatchRequest { query, question, seconds: duration_seconds, token })
}

/// Reads a token; `None` when it is of another form.
fn token_from_wire(token: Token) -> Option<WatchToken> {
    let Token {
        form,
        question,
        partition,
        epoch,
        sequence,
        answered_at_ms,
        needed_by_at_ms,
        options,
        outcome_digest,
        sites_digest,
        availability,
    } = token;
    if form != TOKEN_FORM {
        return None;
    }
    let needed_by_at = match needed_by_at_ms {
        Some(ms) => Some(UtcInstant::parse_ms(ms)?),
        None => None,
    };
    let options = options.into_iter().map(option_from_wire).collect::<Option<Vec<_>>>()?;
    let availability = Availability::ALL.into_iter().find(|one| one.code() == availability)?;
    Some(WatchToken {
        question: QuestionDigest(question.try_into().ok()?),
        position: Position { partition: u16::try_from(partition).ok()?, epoch, sequence },
        answered_at: UtcInstant::parse_ms(answered_at_ms)?,
        needed_by_at,
        shown: Shown { options, availability, outcome_digest, sites_digest },
    })
}

fn option_from_wire(option: TokenOption) -> Option<ShownOption> {
    let TokenOption { slot_id, modality, start_at_ms, end_at_ms, confidence } = option;
    Some(ShownOption {
        slot_id: SlotId::parse(&slot_id).ok()?,
        modality: Modality::parse(&modality).ok()?,
        window: Window::new(UtcInstant::parse_ms(start_at_ms)?, UtcInstant::parse_ms(end_at_ms)?).ok()?,
        confidence: Confidence::ALL.into_iter().find(|one| one.code() == confidence)?,
    })
}

fn token_to_wire(token: &WatchToken) -> Token {
    let WatchToken { question, position, answered_at, needed_by_at, shown } = token;
    let Shown { options, availability, outcome_digest, sites_digest } = shown;
    let option = |option: &ShownOption| TokenOption {
        slot_id: option.slot_id.to_string(),
        modality: option.modality.code().to_owned(),
        start_at_ms: option.window.start_at().ms(),
        end_at_ms: option.window.end_at().ms(),
        confidence: option.confidence.code().to_owned(),
    };
    Token {
        form: TOKEN_FORM,
        question: question.0.to_vec(),
        partition: u32::from(position.partition),
        epoch: position.epoch,
        sequence: position.sequence,
        answered_at_ms: answered_at.ms(),
        needed_by_at_ms: needed_by_at.map(UtcInstant::ms),
        options: options.iter().map(option).collect(),
        outcome_digest: *outcome_digest,
        sites_digest: *sites_digest,
        availability: availability.code().to_owned(),
    }
}

/// Writes what a client is told; `is_behind` says that the answer does not take account of a position that it wants.
pub(in crate::grpc) fn write_update(to: &mut Writer, update: &WatchUpdate, is_behind: bool) {
    let WatchUpdate { difference, answer, token } = update;
    let kind = match difference {
        Some(_) => pb::WatchCareKind::Changed,
        None => pb::WatchCareKind::Full,
    };
    let nothing = Difference::default();
    let Difference { new, confidence_changed, gone, availability_changed, sites_changed } =
        difference.as_ref().unwrap_or(&nothing);
    let ranks = |places: &[usize]| places.iter().map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX)).collect();
    to.fields(&pb::WatchCareResponse {
        kind: kind.into(),
        answer: None,
        new_ranks: ranks(new),
        gone_options: gone.iter().map(gone_to_proto).collect(),
        emergency_sites_changed: *sites_changed,
        resume_token: token_to_wire(token).encode_to_vec(),
        confidence_changed_ranks: ranks(confidence_changed),
        availability_changed: *availability_changed,
    });
    to.message(2, |to| write_answer(to, answer, is_behind));
}

fn gone_to_proto(gone: &Gone) -> pb::GoneOption {
    let Gone { option, reason, free_from } = gone;
    let ShownOption { slot_id, modality, window, confidence: _ } = option;
    pb::GoneOption {
        slot_id: slot_id.to_string(),
        modality: modality.code().to_owned(),
        start_at: Some(instant_to_proto(window.start_at())),
        reason: reason_to_proto(*reason).into(),
        free_from: free_from.map(instant_to_proto),
        sentence: reason.sentence().to_owned(),
    }
}

const fn reason_to_proto(reason: GoneReason) -> pb::GoneReason {
    match reason {
        GoneReason::Taken => pb::GoneReason::Taken,
        GoneReason::Withdrawn => pb::GoneReason::Withdrawn,
        GoneReason::Closed => pb::GoneReason::Closed,
        GoneReason::TooLate => pb::GoneReason::TooLate,
        GoneReason::BeyondDelay => pb::GoneReason::BeyondDelay,
        GoneReason::Outranked => pb::GoneReason::Outranked,
        GoneReason::Changed => pb::GoneReason::Changed,
        GoneReason::Excluded => pb::GoneReason::Excluded,
        GoneReason::Silent => pb::GoneReason::Silent,
        GoneReason::Quarantined => pb::GoneReason::Quarantined,
    }
}
