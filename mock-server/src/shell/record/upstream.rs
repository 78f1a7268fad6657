//! The server that is recorded: where it is, how it is reached, and how its own address in an answer becomes the
//! recorder's, so that a client does not walk past the recorder.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::{TlsConnector, TlsStream};

use crate::shell::stream::Stream;

/// How long a connection and its handshake may take: a client has long given up by then, and one that hangs would be
/// counted for ever.
const DIAL_WITHIN: Duration = Duration::from_secs(30);

/// Whose certificates are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those that this machine trusts.
    #[default]
    System,
    /// Any: whoever stands between sees everything.
    Anybody,
}

/// A server.
#[derive(Clone)]
pub(super) struct Upstream {
    host: String,
    port: u16,
    /// As a URL and the `Host` header have it.
    authority: String,
    tls: Option<TlsConnector>,
}

impl Upstream {
    /// Of `http://HOST[:PORT]` or `https://…`; the words say what is wrong with another.
    pub(super) fn new(url: &str, trust: Trust) -> Result<Self, String> {
        let expected = "expected http:// or https:// and a host, such as https://im.example.test";
        let uri: Uri = url.parse().map_err(|_| expected.to_owned())?;
        let tls = match uri.scheme_str() {
            Some("http") => None,
            Some("https") => Some(connector(trust)?),
            Some(_) | None => return Err(expected.to_owned()),
        };
        let authority = uri.authority().ok_or(expected)?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(expected.to_owned());
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(format!("{expected}; a path behind it is the client's to say"));
        }
        let port = authority.port_u16().unwrap_or_else(|| if tls.is_some() { 443 } else { 80 });
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port, authority: authority.as_str().to_owned(), tls })
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Dials, for at most [`DIAL_WITHIN`]. The words say what a person can do.
    pub(super) async fn connect(&self) -> Result<Stream, String> {
        self.connect_within(DIAL_WITHIN).await
    }

    async fn connect_within(&self, within: Duration) -> Result<Stream, String> {
        timeout(within, self.dial()).await.unwrap_or_else(|_| {
            Err(format!("{} takes no connection within {within:?}: is it the right address?", self.authority))
        })
    }

    async fn dial(&self) -> Result<Stream, String> {
        let stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(|error| format!("{} cannot be reached: {error}", self.authority))?;
        // Frames are small and each is waited for.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("no TCP_NODELAY: {error}");
        }
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(stream)) };
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| format!("{}: is no name that a certificate can have", self.host))?;
        match tls.connect(name, stream).await {
            Ok(stream) => Ok(TlsStream::from(stream).into()),
            Err(error) => Err(self.distrusted(&error)),
        }
    }

    fn distrusted(&self, error: &io::Error) -> String {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidCertificate(why)) => format!(
                "{}: its certificate is not one that this machine trusts ({why:?}); --upstream-insecure records it all the \
                 same",
                self.authority
            ),
            Some(_) | None => format!("{}: no TLS could be agreed on: {error}", self.authority),
        }
    }

    /// Its addresses in a text become those below `base`, which is `http://HOST:PORT`; with how many there were.
    pub(super) fn replaced(&self, text: &str, base: &str) -> Option<(String, usize)> {
        let ours = base.trim_start_matches("http://");
        let mut new = text.to_owned();
        let mut count = 0;
        let bare = self.authority.strip_suffix(if self.tls.is_some() { ":443" } else { ":80" });
        for authority in [Some(self.authority.as_str()), bare].into_iter().flatten() {
            for slashes in ["://", ":\\/\\/"] {
                for (theirs, our) in [("https", "http"), ("http", "http"), ("wss", "ws"), ("ws", "ws")] {
                    let from = format!("{theirs}{slashes}{authority}");
                    let (replaced, times) = put(&new, &from, &format!("{our}{slashes}{ours}"));
                    (new, count) = (replaced, count + times);
                }
            }
        }
        (count > 0).then_some((new, count))
    }
}

/// What HTTP DNS says of servers becomes the recorder's address, whichever they are (rest.md A.1).
pub(super) fn hosts(json: &mut Json, base: &str) -> usize {
    let authority = base.trim_start_matches("http://");
    let (domain, port) = authority
        .rsplit_once(':')
        .and_then(|(domain, port)| Some((domain, port.parse::<u16>().ok()?)))
        .unwrap_or((authority, 80));
    match json {
        Json::Object(fields) => fields
            .iter_mut()
            .map(|(name, value)| match value {
                Json::Array(hosts) if name == "hosts" => {
                    let count = hosts.len();
                    *value = json!([{ "protocol": "http", "domain": domain, "ip": domain, "port": port }]);
                    count
                }
                value => hosts(value, base),
            })
            .sum(),
        Json::Array(items) => items.iter_mut().map(|item| hosts(item, base)).sum(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 0,
    }
}

/// Replaces an address where it ends: `host:80` is none of `host:8080`.
fn put(text: &str, from: &str, to: &str) -> (String, usize) {
    let (mut new, mut rest, mut count) = (String::with_capacity(text.len()), text, 0);
    while let Some(at) = rest.find(from) {
        let (before, found) = rest.split_at(at);
        let behind = &found[from.len()..];
        let is_inside =
            behind.starts_with(|next: char| next.is_ascii_alphanumeric() || matches!(next, ':' | '.' | '-'));
        // `ws://` is the end of `wss://` nowhere, but `http://` is that of `xhttp://`.
        let is_tail = before.ends_with(|last: char| last.is_ascii_alphanumeric());
        new.push_str(before);
        if is_inside || is_tail {
            new.push_str(from);
        } else {
            new.push_str(to);
            count += 1;
        }
        rest = behind;
    }
    new.push_str(rest);
    (new, count)
}

fn connector(trust: Trust) -> Result<TlsConnector, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("no TLS can be had: {error}"))?;
    let mut config = match trust {
        Trust::System => {
            let mut roots = RootCertStore::empty();
            let found = rustls_native_certs::load_native_certs();
            let (added, _) = roots.add_parsable_certificates(found.certs);
            if added == 0 {
                return Err(
                    "this machine has no list of authorities that it trusts (SSL_CERT_FILE names one); \
                            --upstream-insecure does without"
                        .to_owned(),
                );
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
        Trust::Anybody => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
            .with_no_client_auth(),
    };
    // A WebSocket handshake of RFC 6455 is HTTP/1.1's.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}

/// Takes every certificate, as `--upstream-insecure` wants; that the server has its key is still seen to.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const BASE: &str = "http://127.0.0.1:8989";

    #[rstest]
    #[case::plain(
        "http://im.test:8080",
        r#"{"uri":"http://im.test:8080/a/b"}"#,
        r#"{"uri":"http://127.0.0.1:8989/a/b"}"#
    )]
    #[case::escaped("https://im.test", r#""https:\/\/im.test\/a""#, r#""http:\/\/127.0.0.1:8989\/a""#)]
    #[case::socket("https://im.test", r#""wss://im.test/websocket""#, r#""ws://127.0.0.1:8989/websocket""#)]
    #[case::usual_port("https://im.test:443", r#""https://im.test/a""#, r#""http://127.0.0.1:8989/a""#)]
    fn an_address_becomes_the_recorders(#[case] url: &str, #[case] text: &str, #[case] expected: &str) {
        let upstream = Upstream::new(url, Trust::Anybody).expect("a good URL");
        assert_eq!(upstream.replaced(text, BASE), Some((expected.to_owned(), 1)));
    }

    #[rstest]
    #[case::longer_port("http://im.test:80801/a")]
    #[case::longer_host("http://im.test:8080.other/a")]
    #[case::other("http://other.test:8080/a")]
    fn another_address_stays(#[case] text: &str) {
        let upstream = Upstream::new("http://im.test:8080", Trust::System).expect("a good URL");
        assert_eq!(upstream.replaced(text, BASE), None);
    }

    #[rstest]
    #[case::no_scheme("im.test")]
    #[case::socket("ws://im.test")]
    #[case::no_host("http://")]
    #[case::login("http://a:b@im.test")]
    #[case::path("http://im.test/org/app")]
    fn what_is_no_upstream_is_told_what_is(#[case] url: &str) {
        let why = Upstream::new(url, Trust::System).err().expect("it is none");
        assert!(why.contains("such as https://im.example.test"), "{why}");
    }

    #[tokio::test]
    async fn an_upstream_that_says_nothing_is_given_up() {
        // The system takes its connections, and nobody its handshakes.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = silent.local_addr().expect("its address");
        let upstream = Upstream::new(&format!("https://{addr}"), Trust::Anybody).expect("a good URL");
        let why = upstream.connect_within(Duration::from_millis(1)).await.err().expect("nobody spoke");
        assert_eq!(why, format!("{addr} takes no connection within 1ms: is it the right address?"));
    }

    #[test]
    fn every_server_of_http_dns_is_the_recorder() {
        let mut json =
            json!({ "rest": { "hosts": [{ "domain": "a.test" }, { "domain": "b.test" }] }, "n": 1 });
        assert_eq!(hosts(&mut json, BASE), 2);
        let ours = json!([{ "protocol": "http", "domain": "127.0.0.1", "ip": "127.0.0.1", "port": 8989 }]);
        assert_eq!(json, json!({ "rest": { "hosts": ours }, "n": 1 }));
    }
}
