//! Compiles the protocol definitions without any tool outside cargo.
use std::{env, fs, path::PathBuf};

use prost::Message as _;
use tonic_prost_build::manual;

/// Every file of the public interface and of the records on disk.
const PROTOS: [&str; 13] = [
    "sas/routing/v1/common.proto",
    "sas/routing/v1/directory.proto",
    "sas/routing/v1/publishing.proto",
    "sas/routing/v1/routing.proto",
    "sas/routing/v1/booking.proto",
    "sas/routing/v1/operations.proto",
    "sas/routing/v1/explanation.proto",
    "sas/routing/v1/orientation.proto",
    "sas/routing/v1/indicators.proto",
    "sas/routing/v1/policy.proto",
    "sas/routing/v1/quarantine.proto",
    "sas/ledger/v1/record.proto",
    "sas/ledger/v1/outcome.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    #[allow(clippy::disallowed_methods, reason = "cargo hands a build script its folder through the environment")]
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let descriptors = protox::compile(PROTOS, ["proto"])?;
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    manual::Builder::new().build_client(false).compile(&[routing_service()]);
    Ok(())
}

/// The service whose answers are written straight into bytes: its codec is the program's own.
fn routing_service() -> manual::Service {
    let method = |name: &str, route: &str| {
        manual::Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::proto::routing::{route}Request"))
            .output_type("crate::grpc::wire::Written")
            .codec_path("crate::grpc::wire::WrittenCodec")
    };
    manual::Service::builder()
        .name("RoutingService")
        .package("sas.routing.v1")
        .method(method("find_care", "FindCare").build())
        .method(method("watch_care", "WatchCare").server_streaming().build())
        .build()
}
