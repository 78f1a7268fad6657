//! TLS in front of the doors: whose certificate, and a connection taken as what it turns out to be.
//!
//! A port that speaks TLS recognises plain HTTP by its first byte, so that who forgot the `s` is told. rustls does the
//! cryptography, rcgen makes certificates; nothing of either is done here.

mod authority;
mod trusted;

use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsStream};

use super::stream::Stream;
use authority::Authority;
pub(super) use trusted::trusting;

/// Where a server's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// It is made when the server starts, for this machine's addresses, `localhost` and `names`, by an authority that
    /// clients are made to trust.
    SelfMade {
        /// Where the authority's certificate and key are kept, so that clients need trust it only once; without, there is
        /// another after each start.
        dir: Option<PathBuf>,
        /// Further names or addresses of this machine.
        names: Vec<String>,
    },
    /// Files in PEM.
    Given {
        /// The certificate, and behind it those that lead to one that clients trust.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// What a server shows of itself.
pub(super) struct Identity {
    acceptor: TlsAcceptor,
    /// What clients must trust, in PEM, where the certificate is of our own making.
    authority: Option<String>,
    /// SHA-256 of the authority's certificate, or of the one that was given, as phones and browsers show it.
    fingerprint: String,
}

/// Why there is no certificate; the words name the file or flag.
#[derive(Debug)]
pub(super) struct TlsError(String);

/// The largest file of certificates: a long chain has some 10 KB.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How long a client may take to shake hands, as [`super::serve`] gives it for a request's head.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(30);
/// RFC 8446 §5.1: what a TLS record with a handshake begins with. No method of HTTP does.
const HANDSHAKE_RECORD: u8 = 22;

impl Identity {
    pub(super) fn new(tls: &Tls) -> Result<Self, TlsError> {
        match tls {
            Tls::SelfMade { dir, names } => Self::made(dir.as_deref(), names),
            Tls::Given { cert, key } => Self::given(cert, key),
        }
    }

    /// What clients must be made to trust, in PEM.
    pub(super) fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn made(dir: Option<&Path>, names: &[String]) -> Result<Self, TlsError> {
        let authority = match dir {
            Some(dir) => Authority::kept(dir)?,
            None => Authority::new()?,
        };
        let (chain, key) = authority.certify(names)?;
        let fingerprint = fingerprint(chain.last().expect("the authority's own certificate is its end"));
        let config = config(chain, key).map_err(|error| TlsError(format!("--tls: {error}")))?;
        Ok(Self { acceptor: config.into(), authority: Some(authority.pem().to_owned()), fingerprint })
    }

    fn given(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = chain(cert, &contents("--tls-cert", cert)?)?;
        let private = private_key(key, &contents("--tls-key", key)?)?;
        let fingerprint = fingerprint(chain.first().expect("a chain has a certificate"));
        let config = config(chain, private).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError(format!(
                "--tls-key {}: is not the key of the certificate in {}",
                key.display(),
                cert.display()
            )),
            error => TlsError(format!("--tls-cert {}: cannot be used: {error}", cert.display())),
        })?;
        Ok(Self { acceptor: config.into(), authority: None, fingerprint })
    }
}

/// A connection to a port that speaks TLS.
pub(super) enum Taken {
    Tls(Stream),
    /// Who connected forgot the `s` of `https`.
    Plain(Stream),
}

/// Takes a connection as what its first byte says. Fails, in words, when it says nothing in time, or no TLS that we know.
pub(super) async fn take(identity: &Identity, stream: TcpStream) -> Result<Taken, String> {
    let mut first = [0];
    let taken = async {
        match stream.peek(&mut first).await {
            Ok(0) => Err("closed without a word".to_owned()),
            Ok(_) if first[0] == HANDSHAKE_RECORD => match identity.acceptor.accept(stream).await {
                Ok(stream) => Ok(Taken::Tls(TlsStream::from(stream).into())),
                Err(error) => Err(error.to_string()),
            },
            Ok(_) => Ok(Taken::Plain(Stream::Plain(stream))),
            Err(error) => Err(error.to_string()),
        }
    };
    match timeout(HANDSHAKE_WITHIN, taken).await {
        Ok(taken) => taken,
        Err(_) => Err("no handshake came".to_owned()),
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // A browser that may choose takes HTTP/2, which has no WebSocket handshake of RFC 6455.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn contents(flag: &str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let wrong = |why: String| TlsError(format!("{flag} {}: {why}", path.display()));
    let metadata = fs::metadata(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if metadata.is_dir() {
        return Err(wrong("is a folder; a file in PEM is expected".into()));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(wrong(format!(
            "has {} bytes; a file in PEM has at most {FILE_BYTES_MAX}",
            metadata.len()
        )));
    }
    fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))
}

fn chain(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |why: &str| TlsError(format!("--tls-cert {}: {why}", path.display()));
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(&format!("is damaged PEM: {error}")))?;
    if !chain.is_empty() {
        return Ok(chain);
    }
    Err(wrong(if holds(pem, "PRIVATE KEY-----") {
        "holds a private key and no certificate: are --tls-cert and --tls-key swapped?"
    } else {
        "holds no certificate; PEM is expected, which begins with -----BEGIN CERTIFICATE----- (from DER: openssl x509 \
         -inform der -in FILE -out FILE.pem)"
    }))
}

fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    let wrong = |why: &str| TlsError(format!("--tls-key {}: {why}", path.display()));
    if holds(pem, "ENCRYPTED") {
        return Err(wrong(
            "is encrypted, and nobody is there to type its passphrase: openssl pkey -in FILE -out FILE.plain",
        ));
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        wrong(if holds(pem, "BEGIN CERTIFICATE-----") {
            "holds a certificate and no private key: are --tls-cert and --tls-key swapped?"
        } else {
            "holds no private key; PEM is expected, which begins with -----BEGIN PRIVATE KEY-----"
        })
    })
}

fn holds(pem: &[u8], words: &str) -> bool {
    pem.windows(words.len()).any(|window| window == words.as_bytes())
}

/// `AB:CD:…`.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let bytes = Sha256::digest(certificate);
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// Why a name can be none of this machine's.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    if name.parse::<IpAddr>().is_ok() || (name.len() <= 253 && name.split('.').all(label)) {
        return Ok(());
    }
    Err("expected a name or an address of this machine, such as my-laptop.local or 192.168.1.20".into())
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error.0)
    }
}

#[cfg(test)]
mod tests;
