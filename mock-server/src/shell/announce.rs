//! What the program says when it has begun: what to paste into an app, where the control plane is, and who else can
//! reach it. One line goes to stdout, for programs; the rest is for people.

use std::io::{self, Write as _};
use std::net::SocketAddr;

use super::tls::Identity;

/// What there is to say.
pub(super) struct Announcement<'a> {
    pub(super) addr: SocketAddr,
    pub(super) control_addr: SocketAddr,
    pub(super) control_token: Option<&'a str>,
    pub(super) strict: bool,
    pub(super) nasty: Option<u64>,
    /// Where the clients' port speaks TLS.
    pub(super) identity: Option<&'a Identity>,
}

impl Announcement<'_> {
    /// Fails as writing to stdout fails.
    pub(super) fn make(&self) -> io::Result<()> {
        eprint!("{}", self.for_people());
        let mut out = io::stdout().lock();
        writeln!(out, "{}", self.for_programs())?;
        out.flush()
    }

    fn for_programs(&self) -> String {
        format!("listening on {}://{}", self.schemes().0, self.addr)
    }

    fn for_people(&self) -> String {
        let host = host(self.addr, "THIS-MACHINE");
        let users = if self.strict {
            "users must be registered first"
        } else {
            "any user name will do, and its first login sets the password"
        };
        let (http, ws) = self.schemes();
        let mut text = format!(
            "paste into the SDK's options; any app key of the form org#app will do, and {users}:\n\
             \x20 easemob-websdk 3.x   url: '{http}://{host}/ws', apiUrl: '{http}://{host}', isHttpDNS: false\n\
             \x20 easemob-websdk 4.x   url: '{ws}://{host}/websocket', apiUrl: '{http}://{host}', isHttpDNS: false\n\
             a 3.x url must begin with {http}: with {ws}:// that SDK waits for ever without a word\n\
             look and stage with a browser: {}\n",
            self.control_page()
        );
        if let Some(seed) = self.nasty {
            text.push_str(&format!(
                "nasty seed {seed}: what the protocol leaves open happens; the same again with --nasty {seed}\n"
            ));
        }
        if let Some(identity) = self.identity {
            text.push_str(&trust(identity, &host));
        }
        if !self.addr.ip().is_loopback() {
            let port = self.addr.port();
            text.push_str(&format!(
                "everyone on the network can reach this server; --listen 127.0.0.1:{port} keeps it yours\n"
            ));
        }
        if self.control_token.is_some() {
            text.push_str(
                "the token in that link is needed for everything under /_mock/, by programs as \
                 Authorization: Bearer TOKEN\n",
            );
        }
        text
    }

    /// Where a person on this machine finds the control plane, with the token if there is one.
    fn control_page(&self) -> String {
        let token = self.control_token.map_or_else(String::new, |token| format!("?token={token}"));
        // On a port of its own, this machine's control plane speaks plain HTTP.
        let is_own = self.control_addr != self.addr && self.control_addr.ip().is_loopback();
        let scheme = if is_own { "http" } else { self.schemes().0 };
        format!("{scheme}://{}/_mock/{token}", host(self.control_addr, "127.0.0.1"))
    }

    fn schemes(&self) -> (&'static str, &'static str) {
        if self.identity.is_some() { ("https", "wss") } else { ("http", "ws") }
    }
}

/// What clients must be made to trust.
fn trust(identity: &Identity, host: &str) -> String {
    let fingerprint = identity.fingerprint();
    match identity.authority() {
        Some(_) => format!(
            "clients must trust http://{host}/_mock/ca.crt first (docs/phone-and-https.md says how); its SHA-256 is\n\
             \x20 {fingerprint}\n"
        ),
        None => format!("the certificate's SHA-256 is\n\x20 {fingerprint}\n"),
    }
}

/// An address that listens everywhere is none to connect to.
fn host(addr: SocketAddr, everywhere: &str) -> String {
    if addr.ip().is_unspecified() { format!("{everywhere}:{}", addr.port()) } else { addr.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_ones_own_says_what_to_paste() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 8989));
        let said = Announcement {
            addr,
            control_addr: addr,
            control_token: None,
            strict: true,
            nasty: None,
            identity: None,
        };
        assert_eq!(said.for_programs(), "listening on http://127.0.0.1:8989");
        insta::assert_snapshot!(said.for_people(), @r"
    paste into the SDK's options; any app key of the form org#app will do, and users must be registered first:
      easemob-websdk 3.x   url: 'http://127.0.0.1:8989/ws', apiUrl: 'http://127.0.0.1:8989', isHttpDNS: false
      easemob-websdk 4.x   url: 'ws://127.0.0.1:8989/websocket', apiUrl: 'http://127.0.0.1:8989', isHttpDNS: false
    a 3.x url must begin with http: with ws:// that SDK waits for ever without a word
    look and stage with a browser: http://127.0.0.1:8989/_mock/
    ");
    }

    #[test]
    fn a_nasty_server_says_its_seed() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 8989));
        let said = Announcement {
            addr,
            control_addr: addr,
            control_token: None,
            strict: true,
            nasty: Some(7),
            identity: None,
        };
        let people = said.for_people();
        let line = "nasty seed 7: what the protocol leaves open happens; the same again with --nasty 7";
        assert!(people.lines().any(|said| said == line), "{people}");
    }

    #[test]
    fn a_server_on_a_network_says_who_reaches_it_and_with_what_token() {
        let addr = SocketAddr::from(([0, 0, 0, 0], 8989));
        let said = Announcement {
            addr,
            control_addr: addr,
            control_token: Some("s3cret-s3cret"),
            strict: false,
            nasty: None,
            identity: None,
        };
        insta::assert_snapshot!(said.for_people(), @r"
    paste into the SDK's options; any app key of the form org#app will do, and any user name will do, and its first login sets the password:
      easemob-websdk 3.x   url: 'http://THIS-MACHINE:8989/ws', apiUrl: 'http://THIS-MACHINE:8989', isHttpDNS: false
      easemob-websdk 4.x   url: 'ws://THIS-MACHINE:8989/websocket', apiUrl: 'http://THIS-MACHINE:8989', isHttpDNS: false
    a 3.x url must begin with http: with ws:// that SDK waits for ever without a word
    look and stage with a browser: http://127.0.0.1:8989/_mock/?token=s3cret-s3cret
    everyone on the network can reach this server; --listen 127.0.0.1:8989 keeps it yours
    the token in that link is needed for everything under /_mock/, by programs as Authorization: Bearer TOKEN
    ");
    }
}
