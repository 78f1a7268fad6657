//! Whom this program trusts when it is the client: the authority of one file, and nobody else.
//!
//! What the machine trusts is not asked, for it need not know a server's self-made authority.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{TlsError, contents};

/// A client that trusts the certificates of a file in PEM. `flag` is what named the file, for whoever gave it.
pub(in crate::shell) fn trusting(flag: &str, path: &Path) -> Result<TlsConnector, TlsError> {
    let wrong = |why: String| TlsError(format!("{flag} {}: {why}", path.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&contents(flag, path)?) {
        let certificate = certificate.map_err(|error| wrong(format!("is damaged PEM: {error}")))?;
        roots.add(certificate).map_err(|error| wrong(format!("holds what is no authority: {error}")))?;
    }
    if roots.is_empty() {
        return Err(wrong(
            "holds no certificate; PEM is expected, which begins with -----BEGIN CERTIFICATE-----".into(),
        ));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(format!("no TLS can be had: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}
