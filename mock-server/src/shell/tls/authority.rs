//! An authority of this machine's own, which says that a server is this machine; and where it is kept, so that a phone
//! must be made to trust it only once.
//!
//! Without a folder its key is in memory alone and gone with the program.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData as _, date_time_ymd,
};
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{TlsError, contents};
use crate::shell::clock::wall_now;

/// A certificate that may sign others, and its key.
pub(super) struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    key: KeyPair,
}

const CERTIFICATE_FILE: &str = "mock-server-ca.crt";
const KEY_FILE: &str = "mock-server-ca.key";
/// How long phones may trust an authority.
const AUTHORITY_DAYS: u64 = 3650;
/// Apple's systems take no server's certificate that lives longer than 825 days, whoever signed it, and other browsers
/// none above 398 days of authorities that they know by themselves.
const SERVER_DAYS: u64 = 397;
/// A clock of a phone may be behind.
const BACKDATED_DAYS: u64 = 1;
/// A machine with containers has some dozen.
const ADDRESSES_MAX: usize = 100;

impl Authority {
    /// One that nobody trusts yet.
    pub(super) fn new() -> Result<Self, TlsError> {
        let broken = |error: rcgen::Error| TlsError(format!("--tls: no certificate could be made: {error}"));
        let key = KeyPair::generate().map_err(broken)?;
        let certificate = params(&key).self_signed(&key).map_err(broken)?;
        Ok(Self { pem: certificate.pem(), der: certificate.der().clone(), key })
    }

    /// The one in that folder, made if there is none.
    pub(super) fn kept(dir: &Path) -> Result<Self, TlsError> {
        let (certificate, key) = (dir.join(CERTIFICATE_FILE), dir.join(KEY_FILE));
        match (certificate.exists(), key.exists()) {
            (true, true) => Self::read(&certificate, &key),
            (false, false) => {
                let authority = Self::new()?;
                authority.write(dir, &certificate, &key)?;
                Ok(authority)
            }
            (has_certificate, _) => {
                let (there, gone) = if has_certificate { (certificate, key) } else { (key, certificate) };
                Err(TlsError(format!(
                    "--tls-dir {}: has {} and not {}: put it back, or remove the other and have every client trust the \
                     new one",
                    dir.display(),
                    name_of(&there),
                    name_of(&gone)
                )))
            }
        }
    }

    /// What clients must trust.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// A server's certificate for this machine, with the authority's behind it, and its key.
    pub(super) fn certify(
        &self,
        names: &[String],
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let broken = |error: rcgen::Error| TlsError(format!("--tls: no certificate could be made: {error}"));
        let mut params = CertificateParams::new(subjects(names)).map_err(broken)?;
        lives(&mut params, SERVER_DAYS);
        params.distinguished_name = named("mock-server");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(broken)?;
        let issuer = Issuer::new(self::params(&self.key), &self.key);
        let certificate = params.signed_by(&key, &issuer).map_err(broken)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((vec![certificate.der().clone(), self.der.clone()], private))
    }

    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let wrong = |path: &Path, why: &str| {
            TlsError(format!(
                "--tls-dir: {}: {why}; remove {CERTIFICATE_FILE} and {KEY_FILE} to begin anew, and have every client \
                 trust the new one",
                path.display()
            ))
        };
        let pem = contents("--tls-dir:", certificate)?;
        let der =
            CertificateDer::from_pem_slice(&pem).map_err(|_| wrong(certificate, "holds no certificate"))?;
        let text = String::from_utf8(contents("--tls-dir:", key)?).unwrap_or_default();
        let key_pair = KeyPair::from_pem(&text).map_err(|_| wrong(key, "holds no private key of ours"))?;
        // A certificate holds its public key as it is.
        let public = key_pair.subject_public_key_info();
        if !der.windows(public.len()).any(|window| window == public) {
            return Err(wrong(key, &format!("is not the key of {}", name_of(certificate))));
        }
        let pem = String::from_utf8(pem).map_err(|_| wrong(certificate, "holds no certificate"))?;
        Ok(Self { pem, der, key: key_pair })
    }

    fn write(&self, dir: &Path, certificate: &Path, key: &Path) -> Result<(), TlsError> {
        let wrong = |path: &Path, error: io::Error| {
            TlsError(format!("--tls-dir {}: cannot be written: {error}", path.display()))
        };
        fs::create_dir_all(dir).map_err(|error| wrong(dir, error))?;
        private_file(key, self.key.serialize_pem().as_bytes()).map_err(|error| wrong(key, error))?;
        fs::write(certificate, &self.pem).map_err(|error| wrong(certificate, error))
    }
}

fn params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    lives(&mut params, AUTHORITY_DAYS);
    // Told apart by their keys, so that a phone which trusts several lists them by different names.
    let hash = Sha256::digest(key.subject_public_key_info());
    params.distinguished_name = named(&format!("mock-server authority {:02x}{:02x}", hash[0], hash[1]));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn lives(params: &mut CertificateParams, days: u64) {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let days_of = |count: u64| DAY * u32::try_from(count).expect("a few thousand days");
    let today = date_time_ymd(1970, 1, 1) + Duration::from_secs(wall_now().0 / 1000);
    params.not_before = today - days_of(BACKDATED_DAYS);
    params.not_after = today + days_of(days - BACKDATED_DAYS);
}

/// What clients may call this machine.
fn subjects(names: &[String]) -> Vec<String> {
    let own = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!("the certificate names no address of the network, for none can be asked for: {error}");
        Vec::new()
    });
    let addresses = own.into_iter().chain(interfaces.iter().map(if_addrs::Interface::ip)).take(ADDRESSES_MAX);
    let all =
        ["localhost".to_owned()].into_iter().chain(addresses.map(|ip| ip.to_string())).chain(names.to_vec());
    let mut subjects: Vec<String> = Vec::new();
    for subject in all {
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    subjects
}

/// Of a file that nobody else on this machine may read, where the system has a word for that.
fn private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)?.write_all(bytes)
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| path.to_owned(), PathBuf::from).display().to_string()
}
