//! Where a server of road times is: scheme, host, port and a path before its own; never credentials.

use http::Uri;

/// The base address of a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseAddress {
    /// Whether it is asked over TLS.
    pub(super) is_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// Empty, or from `/` on and without one at the end.
    pub(super) path: String,
}

/// Why a text is no base address. The text may hold a secret, so it is not repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BaseAddressError {
    /// Not an address at all, or of another scheme.
    #[error("give an address that begins with http:// or https://, for instance http://127.0.0.1:5000")]
    NoHttp,
    /// It has a user or a password.
    #[error("give the address without user and password: put a proxy in front of a server that wants them")]
    Credentials,
    /// It has a query or a fragment.
    #[error(
        "give the address without ? and #: keys do not belong there, put a proxy in front of a server that wants one"
    )]
    Query,
}

impl BaseAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is not of HTTP, or says more than where the server is.
    pub fn parse(text: &str) -> Result<Self, BaseAddressError> {
        let text = text.trim();
        // Before it is read, because a reader may fail over what is not said again.
        if text.contains('@') {
            return Err(BaseAddressError::Credentials);
        }
        if text.contains(['?', '#']) {
            return Err(BaseAddressError::Query);
        }
        let uri: Uri = text.parse().map_err(|_| BaseAddressError::NoHttp)?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(BaseAddressError::NoHttp),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(BaseAddressError::NoHttp)?;
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { is_tls, host: host.to_owned(), port, path })
    }

    /// The host without the brackets of an IPv6 address.
    pub(super) fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_the_server_is() {
        let base = |text: &str| BaseAddress::parse(text).map(|base| (base.is_tls, base.host, base.port, base.path));
        let of = |is_tls, host: &str, port, path: &str| Ok((is_tls, host.to_owned(), port, path.to_owned()));
        assert_eq!(base("http://127.0.0.1:5000"), of(false, "127.0.0.1", 5_000, ""));
        assert_eq!(base(" https://roads.samu.example/osrm/ "), of(true, "roads.samu.example", 443, "/osrm"));
        assert_eq!(base("http://[::1]:8002/"), of(false, "[::1]", 8_002, ""));
        assert_eq!(BaseAddress::parse("http://[::1]:8002/").unwrap().bare_host(), "::1");
    }

    #[test]
    fn what_says_more_or_less_is_refused_without_repeating_it() {
        let refused = |text: &str| BaseAddress::parse(text).unwrap_err();
        for text in ["", "roads", "roads:5000", "ftp://roads", "http://", "/table", "http://a b"] {
            assert_eq!(refused(text), BaseAddressError::NoHttp, "{text}");
        }
        assert_eq!(refused("http://user:secret@roads"), BaseAddressError::Credentials);
        assert_eq!(refused("http://roads/?key=secret"), BaseAddressError::Query);
        assert!(!refused("http://user:secret@roads").to_string().contains("secret"));
    }
}
