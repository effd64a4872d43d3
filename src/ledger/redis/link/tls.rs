//! Encrypted links: whom we trust, what we present, and why a link could not be had.
//!
//! Invariant: a certificate that nobody whom we trust signed, or that names another host, is never accepted.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use redis::{ClientTlsConfig, RedisError, TlsCertificates};

use super::super::address::TlsFiles;

/// What the files hold, read anew for every link, so that a certificate may be renewed while the service runs.
pub(in crate::ledger::redis) fn certificates(files: &TlsFiles) -> Result<TlsCertificates, String> {
    // An error says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root_cert = files.ca.as_deref().map(read).transpose()?;
    // A file without any would trust nobody, and every certificate would be wrong.
    if let (Some(path), Some(text)) = (&files.ca, &root_cert)
        && !String::from_utf8_lossy(text).contains("BEGIN CERTIFICATE")
    {
        return Err(format!("{} holds no certificate in PEM: give another file as ca in ledger.url", path.display()));
    }
    let client_tls = match &files.client {
        Some((certificate, key)) => Some(ClientTlsConfig { client_cert: read(certificate)?, client_key: read(key)? }),
        None => None,
    };
    Ok(TlsCertificates { client_tls, root_cert })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path)
        .map_err(|error| format!("{} cannot be read ({error}): check ca, cert and key in ledger.url", path.display()))
}

/// Why the link could not be encrypted, and what to do; nothing when that is not what failed.
pub(in crate::ledger::redis) fn refusal(error: &RedisError) -> Option<String> {
    // The client library keeps the error of the connection behind a shared pointer.
    let shared = error.source()?.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    let found = shared.downcast_ref::<rustls::Error>().or_else(|| {
        let of_connection = shared.downcast_ref::<std::io::Error>()?;
        of_connection.get_ref()?.downcast_ref::<rustls::Error>()
    })?;
    Some(format!("{found}: {}", advice(found)))
}

fn advice(error: &rustls::Error) -> &'static str {
    if matches!(error, rustls::Error::InvalidCertificate(_)) {
        return "its certificate must name the host of ledger.url and be signed by whom the system trusts, or by ca=FILE there";
    }
    if matches!(error, rustls::Error::AlertReceived(_)) {
        return "it may want a certificate of ours: give cert=FILE and key=FILE in ledger.url, or tls-auth-clients no there";
    }
    "check that the port is the one for TLS, and ca, cert and key in ledger.url"
}
