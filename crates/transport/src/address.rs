//! Where a server listens.

use tokio_rustls::rustls::pki_types::ServerName;
use tonic::codegen::http::Uri;

/// A text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address: https://HOST:PORT")]
pub struct AddressError(String);

/// Where a gateway or a coordinator listens: `https://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(crate) uri: Uri,
    /// The same under http, for tonic, which refuses https unless it does the TLS itself.
    pub(crate) plain: Uri,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) name: ServerName<'static>,
}

impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let read = || {
            let uri: Uri = text.parse().ok()?;
            let bare =
                uri.scheme_str() == Some("https") && matches!(uri.path(), "/" | "") && uri.query().is_none();
            let authority = uri.authority().filter(|authority| bare && !authority.as_str().contains('@'))?;
            let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
            let port = authority.port_u16()?;
            let name = ServerName::try_from(host.clone()).ok()?;
            let plain = format!("http://{authority}").parse().ok()?;
            Some(Self { uri, plain, host, port, name })
        };
        read().ok_or_else(|| AddressError(text.to_owned()))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A URI prints its empty path as `/`.
        f.write_str(self.uri.to_string().trim_end_matches('/'))
    }
}
