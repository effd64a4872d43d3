//! What reflection shows: the public interface, health and the details of statuses; never the records on disk.

use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic_reflection::server::{Builder, Error};

use crate::proto::DESCRIPTORS;

/// Definitions that are nobody's business outside.
const PRIVATE_FOLDER: &str = "sas/ledger/";

/// The descriptors to show, for either version of the reflection service.
///
/// # Errors
/// When the compiled-in descriptors cannot be read, which a test excludes.
pub(super) fn builder() -> Result<Builder<'static>, Error> {
    let mut public = FileDescriptorSet::decode(DESCRIPTORS)?;
    public.file.retain(|file| !file.name().starts_with(PRIVATE_FOLDER));
    Ok(Builder::configure()
        .register_file_descriptor_set(public)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET))
}
