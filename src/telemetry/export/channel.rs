//! The connection to a collector: address, certificates, headers.
//!
//! Deliberately absent: a proxy of the environment, and authorities of the machine that the settings do not name.

use std::path::Path;
use std::time::Duration;

use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::ExportError;
use crate::config::{ExportConfig, ExportTls, SecretHeaders};

/// Longest wait for a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// After how long a silent connection is asked whether it lives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// The settings with the headers of their file.
pub(super) fn with_headers_of_file(mut config: ExportConfig) -> Result<ExportConfig, ExportError> {
    if let Some(path) = &config.headers_file {
        let bytes = read("telemetry.otlp_headers_file", path)?;
        let SecretHeaders(headers) =
            SecretHeaders::parse(&String::from_utf8_lossy(&bytes)).map_err(ExportError::Headers)?;
        config.headers.0.extend(headers);
    }
    Ok(config)
}

/// Where to connect, and how.
pub(super) fn endpoint(config: &ExportConfig) -> Result<Endpoint, ExportError> {
    let endpoint = Endpoint::from_shared(config.endpoint.clone())?
        .connect_timeout(CONNECT_WITHIN.min(config.timeout))
        .timeout(config.timeout)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .user_agent(concat!("sas-router/", env!("CARGO_PKG_VERSION")))?;
    let Some(ExportTls { ca, client }) = &config.tls else { return Ok(endpoint) };
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read("telemetry.otlp_ca", ca)?));
    if let Some((certificate, key)) = client {
        let certificate = read("telemetry.otlp_client_certificate", certificate)?;
        tls = tls.identity(Identity::from_pem(certificate, read("telemetry.otlp_client_key", key)?));
    }
    Ok(endpoint.tls_config(tls)?)
}

/// The headers as gRPC sends them.
pub(super) fn metadata(headers: &SecretHeaders) -> MetadataMap {
    MetadataMap::from_headers(headers.0.iter().cloned().collect())
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, ExportError> {
    std::fs::read(path).map_err(|source| ExportError::File { setting, path: path.to_owned(), source })
}
