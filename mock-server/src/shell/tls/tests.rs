//! Certificates that are made, kept and given, and files that are none.

use rcgen::{CertificateParams, KeyPair};
use rstest::rstest;

use super::*;

fn self_signed() -> (String, String) {
    let key = KeyPair::generate().expect("randomness");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a good name");
    (params.self_signed(&key).expect("a good key").pem(), key.serialize_pem())
}

fn made(dir: &Path) -> Result<Identity, TlsError> {
    Identity::new(&Tls::SelfMade { dir: Some(dir.to_owned()), names: vec!["laptop.local".into()] })
}

#[test]
fn an_authority_is_kept_and_another_one_is_another() {
    let dir = tempfile::tempdir().expect("a folder");
    let kept = dir.path().join("tls");
    let first = made(&kept).expect("a new authority");
    let again = made(&kept).expect("the same");
    assert_eq!((first.fingerprint(), first.authority()), (again.fingerprint(), again.authority()));
    assert_eq!(first.fingerprint().len(), 32 * 3 - 1, "{}", first.fingerprint());
    let none = Identity::new(&Tls::SelfMade { dir: None, names: Vec::new() }).expect("a new authority");
    assert_ne!(none.fingerprint(), first.fingerprint());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(kept.join("mock-server-ca.key")).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "the key is nobody else's");
    }
}

#[rstest]
#[case::no_key(
    "mock-server-ca.key",
    None,
    "has mock-server-ca.crt and not mock-server-ca.key: put it back, or remove the other"
)]
#[case::no_certificate("mock-server-ca.crt", None, "has mock-server-ca.key and not mock-server-ca.crt")]
#[case::damaged_key(
    "mock-server-ca.key",
    Some("rubbish"),
    "mock-server-ca.key: holds no private key of ours; remove"
)]
#[case::damaged("mock-server-ca.crt", Some("rubbish"), "mock-server-ca.crt: holds no certificate; remove")]
#[case::other_key(
    "mock-server-ca.key",
    Some("KEY"),
    "mock-server-ca.key: is not the key of mock-server-ca.crt; remove"
)]
fn half_an_authority_is_none(#[case] file: &str, #[case] content: Option<&str>, #[case] words: &str) {
    let dir = tempfile::tempdir().expect("a folder");
    made(dir.path()).expect("a new authority");
    let path = dir.path().join(file);
    match content {
        None => fs::remove_file(path).expect("it is there"),
        Some("KEY") => fs::write(path, self_signed().1).expect("it is there"),
        Some(content) => fs::write(path, content).expect("it is there"),
    }
    let why = made(dir.path()).err().expect("no authority").to_string();
    assert!(why.contains(words), "{why}");
}

#[rstest]
#[case::good("CERT", "KEY", None)]
#[case::swapped(
    "KEY",
    "CERT",
    Some(
        "--tls-cert CERT-FILE: holds a private key and no certificate: are --tls-cert and --tls-key swapped?"
    )
)]
#[case::twice_the_certificate(
    "CERT",
    "CERT",
    Some("--tls-key KEY-FILE: holds a certificate and no private key: are")
)]
#[case::no_pem(
    "rubbish",
    "KEY",
    Some("--tls-cert CERT-FILE: holds no certificate; PEM is expected, which begins with -----BEGIN CERT")
)]
#[case::empty_key(
    "CERT",
    "",
    Some("--tls-key KEY-FILE: holds no private key; PEM is expected, which begins with -----BEGIN PRIVATE")
)]
#[case::of_another(
    "CERT",
    "OTHER",
    Some("--tls-key KEY-FILE: is not the key of the certificate in CERT-FILE")
)]
#[case::encrypted(
    "CERT",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    Some("--tls-key KEY-FILE: is encrypted, and nobody is there")
)]
#[case::damaged(
    "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    "KEY",
    Some("--tls-cert CERT-FILE: is damaged PEM: ")
)]
#[case::no_x509(
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "KEY",
    Some("--tls-cert CERT-FILE: cannot be used: ")
)]
#[case::no_file("-", "KEY", Some("--tls-cert CERT-FILE: cannot be read: "))]
fn files_that_will_not_do_are_told_why(#[case] cert: &str, #[case] key: &str, #[case] words: Option<&str>) {
    let dir = tempfile::tempdir().expect("a folder");
    let (good_cert, good_key) = self_signed();
    let (_, other_key) = self_signed();
    let path = |name: &str, content: &str| {
        let path = dir.path().join(name);
        let content = match content {
            "CERT" => &good_cert,
            "KEY" => &good_key,
            "OTHER" => &other_key,
            content => content,
        };
        if content != "-" {
            fs::write(&path, content).expect("a file");
        }
        path
    };
    let (cert, key) = (path("cert.pem", cert), path("key.pem", key));
    let given = Identity::new(&Tls::Given { cert: cert.clone(), key: key.clone() });
    match (given, words) {
        (Ok(identity), None) => assert_eq!(identity.authority(), None, "nothing that we could hand out"),
        (Err(why), Some(words)) => {
            let why = why.to_string();
            let why = why.replace(&*cert.to_string_lossy(), "CERT-FILE");
            let why = why.replace(&*key.to_string_lossy(), "KEY-FILE");
            assert!(why.starts_with(words), "{why}");
        }
        (Ok(_), Some(words)) => panic!("it was to say {words}"),
        (Err(why), None) => panic!("{why}"),
    }
}

#[rstest]
#[case::name("my-laptop.local", true)]
#[case::address("192.168.1.20", true)]
#[case::new_kind("fe80::1", true)]
#[case::empty("", false)]
#[case::url("https://laptop", false)]
#[case::with_a_port("laptop:8989", false)]
#[case::star("*.local", false)]
#[case::dots("a..b", false)]
fn a_name_is_one_that_clients_could_type(#[case] name: &str, #[case] is_one: bool) {
    assert_eq!(check_name(name).is_ok(), is_one);
}
