//! Where traces and metrics are sent, and how many calls are traced.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};

use super::reader::Reader;

/// Where traces and metrics are sent.
#[derive(Clone, PartialEq, Debug)]
pub struct TelemetryConfig {
    /// To whom and how; `None` when nothing is sent.
    pub export: Option<ExportConfig>,
}

/// How traces and metrics are sent to a collector.
#[derive(Clone, PartialEq, Debug)]
pub struct ExportConfig {
    /// Address of the collector, `http://` or `https://`.
    pub endpoint: String,
    /// How TLS is spoken; `None` without.
    pub tls: Option<ExportTls>,
    /// Headers of every export.
    pub headers: SecretHeaders,
    /// File of further headers, read at the start.
    pub headers_file: Option<PathBuf>,
    /// The part of calls traced of which no caller said whether to, from 0 to 1.
    pub traces_ratio: f64,
    /// How often metrics are sent.
    pub metrics_interval: Duration,
    /// How this service is called in what is sent.
    pub service_name: String,
    /// Longest wait for the collector's answer.
    pub timeout: Duration,
    /// Most spans that wait to be sent.
    pub queue_max: usize,
}

/// Files for TLS to a collector, in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportTls {
    /// Authorities that the collector's certificate is checked against.
    pub ca: PathBuf,
    /// Certificate and key of this service, when the collector asks for one.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// Headers that may hold a secret, which is never shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SecretHeaders(pub Vec<(HeaderName, HeaderValue)>);

impl SecretHeaders {
    /// Reads `name=value` pairs, parted by commas or lines.
    ///
    /// # Errors
    /// With what to give; the text is not repeated.
    pub fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "give name=value pairs, parted by commas, for instance authorization=Bearer …";
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').ok_or(FORM)?;
            let name: HeaderName = name.trim().to_ascii_lowercase().parse().map_err(|_| FORM)?;
            let mut value: HeaderValue = value.trim().parse().map_err(|_| FORM)?;
            let is_ours = ["grpc-", "content-", ":"].iter().any(|start| name.as_str().starts_with(start));
            if is_ours || name.as_str().ends_with("-bin") || value.to_str().is_err() {
                return Err("give headers of printable text whose names do not begin with grpc- or content-");
            }
            value.set_sensitive(true);
            Ok((name, value))
        };
        let pairs = text.split([',', '\n']).map(str::trim).filter(|text| !text.is_empty());
        pairs.map(pair).collect::<Result<_, _>>().map(Self).map_err(str::to_owned)
    }
}

impl fmt::Debug for SecretHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretHeaders({})", self.0.len())
    }
}

/// Path and meaning of a setting.
type Named = (&'static str, &'static str);

const ENDPOINT: Named = (
    "telemetry.otlp_endpoint",
    "Address of an OpenTelemetry collector (OTLP over gRPC) that traces and metrics are sent to; nothing is sent without.",
);
const CA: Named =
    ("telemetry.otlp_ca", "PEM file of the authorities that the collector's certificate is checked against.");
const CERTIFICATE: Named =
    ("telemetry.otlp_client_certificate", "PEM file of this service's certificate, when the collector asks for one.");
const KEY: Named = ("telemetry.otlp_client_key", "PEM file of the key of that certificate.");
const HEADERS: Named = (
    "telemetry.otlp_headers",
    "Headers of every export, name=value,name=value; never shown. Others see a configuration: better a file of them.",
);
const HEADERS_FILE: Named =
    ("telemetry.otlp_headers_file", "File of headers of every export, name=value a line, read at the start.");

impl TelemetryConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let endpoint = reader.optional_secret_text(ENDPOINT.0, ENDPOINT.1, endpoint);
        reader.unset(ENDPOINT.0, ENDPOINT.1);
        let tls = tls(reader, endpoint.as_deref());
        let headers = reader.optional_hidden_text(HEADERS.0, HEADERS.1, SecretHeaders::parse).unwrap_or_default();
        reader.unset(HEADERS.0, HEADERS.1);
        let headers_file = file(reader, HEADERS_FILE);
        let traces_ratio = reader.ratio(
            "telemetry.traces_ratio",
            "The part of calls that is traced when callers do not say: 0 for none, 1 for all. What callers trace is traced.",
            0.01,
        );
        let metrics_interval_seconds = reader.number(
            "telemetry.metrics_interval_seconds",
            "How often metrics are sent to the collector, in seconds.",
            60,
            1..=3_600,
        );
        let service_name = reader.text(
            "telemetry.service_name",
            "How this service is called in what is sent (service.name).",
            ("sas-router", "sas-router".to_owned()),
            service_name,
        );
        let timeout_ms = reader.number(
            "telemetry.export_timeout_ms",
            "Longest wait for the collector's answer, in milliseconds; what was sent until then counts as dropped.",
            5_000,
            10..=60_000,
        );
        let queue_max = reader.number(
            "telemetry.queue_max",
            "Most spans that wait to be sent; beyond, they are dropped and counted.",
            4_096,
            1..=1_000_000,
        );
        let export = endpoint.map(|endpoint| ExportConfig {
            endpoint,
            tls,
            headers,
            headers_file,
            traces_ratio,
            metrics_interval: Duration::from_secs(metrics_interval_seconds),
            service_name,
            timeout: Duration::from_millis(timeout_ms),
            queue_max: usize::try_from(queue_max).unwrap_or(usize::MAX),
        });
        Self { export }
    }
}

/// An address of a collector: scheme, host and port, nothing else.
fn endpoint(text: &str) -> Result<String, String> {
    const FORM: &str =
        "give an address such as http://127.0.0.1:4317 or https://collector.example:4317, without user, path and ?";
    let text = text.trim().trim_end_matches('/');
    let uri: Uri = text.parse().map_err(|_| FORM)?;
    let is_plain = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains(['@', '?', '#']);
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    if is_plain && is_http && has_host { Ok(text.to_owned()) } else { Err(FORM.to_owned()) }
}

fn service_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_plain = text.chars().all(|character| !character.is_control());
    let fits = (1..=128).contains(&text.chars().count()) && is_plain;
    if fits { Ok(text.to_owned()) } else { Err("give a name of 1 to 128 characters".to_owned()) }
}

/// The files of TLS, which is spoken to `https://`.
fn tls(reader: &mut Reader, endpoint: Option<&str>) -> Option<ExportTls> {
    let (ca, certificate, key) = (file(reader, CA), file(reader, CERTIFICATE), file(reader, KEY));
    let is_tls = endpoint.is_some_and(|endpoint| endpoint.starts_with("https://"));
    let is_plain = endpoint.is_some() && !is_tls;
    for (named, given) in [(CA, &ca), (CERTIFICATE, &certificate), (KEY, &key)] {
        if is_plain && given.is_some() {
            reader.require(named.0, "is for TLS: give telemetry.otlp_endpoint with https://, or take this out");
        }
    }
    let client = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (Some(_), None) => {
            reader.require(KEY.0, "missing: give the key beside telemetry.otlp_client_certificate, or take that out");
            None
        }
        (None, Some(_)) => {
            reader.require(
                CERTIFICATE.0,
                "missing: give the certificate beside telemetry.otlp_client_key, or take that out",
            );
            None
        }
        (None, None) => None,
    };
    if is_tls && ca.is_none() {
        reader.require(
            CA.0,
            "missing: give the PEM file of the authorities that signed the collector's certificate; those that Debian trusts \
             are in /etc/ssl/certs/ca-certificates.crt",
        );
    }
    ca.filter(|_| is_tls).map(|ca| ExportTls { ca, client })
}

fn file(reader: &mut Reader, (path, meaning): Named) -> Option<PathBuf> {
    let read = reader.optional_text(path, meaning, |text| match text.trim() {
        "" => Err("give a file".to_owned()),
        text => Ok(PathBuf::from(text)),
    });
    reader.unset(path, meaning);
    read
}
