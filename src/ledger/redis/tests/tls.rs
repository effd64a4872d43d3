//! Encrypted links to real servers, with certificates that each test makes.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use super::redis_server::free_port;
use super::*;

/// An authority, and a certificate of it for the loopback, as files.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn make() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // An authority of the same name as what it signs is taken for it.
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let made = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(made.path("ca"), authority.pem()).unwrap();
        std::fs::write(made.path("cert"), certificate.pem()).unwrap();
        std::fs::write(made.path("key"), key.serialize_pem()).unwrap();
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Settings of a server with these certificates, whose ports for plain links stay open.
    fn settings(&self, port: &str, clients: &str) -> Vec<String> {
        let (ca, cert, key) = (self.shown("ca"), self.shown("cert"), self.shown("key"));
        let named = [("--tls-port", port), ("--tls-auth-clients", clients), ("--tls-ca-cert-file", &ca)];
        let named = named.into_iter().chain([("--tls-cert-file", cert.as_str()), ("--tls-key-file", &key)]);
        named.flat_map(|(name, value)| [name.to_owned(), value.to_owned()]).collect()
    }
}

fn start(certificates: &Certificates, clients: &str) -> (Server, u16) {
    let port = free_port();
    let settings = certificates.settings(&port.to_string(), clients);
    (Server::start_with(&settings.iter().map(String::as_str).collect::<Vec<_>>()), port)
}

fn untrusted(url: &str) -> String {
    let error = refusal(&RedisAddress::parse(url).unwrap());
    assert!(matches!(*error.trouble, Trouble::Untrusted(_)) && error.trouble.is_of_settings(), "{error}");
    error.to_string()
}

#[test]
fn a_ledger_is_kept_over_an_encrypted_link() {
    let certificates = Certificates::make();
    let (_server, port) = start(&certificates, "no");
    let url = format!("rediss://localhost:{port}?ca={}", certificates.shown("ca"));
    let instance = Instance::open_at(&url, options());
    assert!(is_written(&instance.append(vec![put(1, 1, 0)])));
}

#[test]
fn a_certificate_of_ours_is_presented_where_the_server_wants_one() {
    let certificates = Certificates::make();
    let (_server, port) = start(&certificates, "yes");
    let [ca, cert, key] = ["ca", "cert", "key"].map(|name| certificates.shown(name));
    let without = untrusted(&format!("rediss://localhost:{port}?ca={ca}"));
    assert!(without.contains("cert=FILE"), "{without}");
    let instance = Instance::open_at(&format!("rediss://127.0.0.1:{port}?ca={ca}&cert={cert}&key={key}"), options());
    assert!(is_written(&instance.append(vec![put(1, 1, 0)])));
}

#[test]
fn a_link_that_cannot_be_trusted_is_refused_in_words_that_help() {
    let (certificates, others) = (Certificates::make(), Certificates::make());
    let (server, port) = start(&certificates, "no");
    let (ca, other, key) = (certificates.shown("ca"), others.shown("ca"), certificates.shown("key"));
    let cases = [
        (format!("rediss://localhost:{port}"), "ca=FILE"),
        (format!("rediss://localhost:{port}?ca={other}"), "ca=FILE"),
        (format!("rediss://[::ffff:127.0.0.1]:{port}?ca={ca}"), "must name the host"),
        (format!("rediss://localhost:{port}?ca=/no/such/file"), "/no/such/file cannot be read"),
        (format!("rediss://localhost:{port}?ca={key}"), "holds no certificate"),
    ];
    for (url, words) in cases {
        let said = untrusted(&url);
        assert!(said.contains(words), "{url}: {said}");
    }
    // One that speaks plainly waits for the end of a line, one that does not hangs up.
    for (url, words) in [
        (format!("rediss://localhost:{}?ca={ca}", server.port()), "may not speak TLS at this port"),
        (format!("redis://localhost:{port}"), "rediss://"),
    ] {
        let said = refusal(&RedisAddress::parse(&url).unwrap()).to_string();
        assert!(said.contains(words), "{url}: {said}");
    }
}

#[test]
fn sentinels_and_their_servers_are_reached_over_encrypted_links() {
    let certificates = Certificates::make();
    let (_server, port) = start(&certificates, "no");
    let watching = free_port();
    let settings = certificates.settings(&watching.to_string(), "no");
    let lines = settings.chunks(2).map(|pair| format!("{}\n", pair.join(" ").trim_start_matches('-')));
    let configuration =
        format!("{}tls-replication yes\nsentinel monitor sas 127.0.0.1 {port} 1\n", lines.collect::<String>());
    let _sentinel = Server::start_sentinel(&configuration);
    let url = format!("rediss+sentinel://localhost:{watching}/sas?ca={}", certificates.shown("ca"));
    let instance = Instance::open_at(&url, options());
    assert!(is_written(&instance.append(vec![put(1, 1, 0)])));
    let without = untrusted(&format!("rediss+sentinel://localhost:{watching}/sas"));
    assert!(without.contains("ca=FILE"), "{without}");
}
