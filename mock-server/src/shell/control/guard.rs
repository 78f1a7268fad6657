//! Who may use the control plane: programs, this server's own pages, and on a network those who have the token.
//!
//! It looks at heads alone, before anything is done or told.
//!
//! Of a page's request three things are asked: `Origin`, if there is one, is this server's own; `Sec-Fetch-Site`, if
//! there is one, says so too (or that a person typed the address); and `Host` is an address or a name of this machine.
//! The last is asked of everybody who comes by plain HTTP, because a page whose name was rebound to this address sends
//! neither of the others: browsers leave `Sec-Fetch-Site` out where a page came so under a name (Fetch Metadata §2).

use std::io;
use std::net::IpAddr;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response as HttpResponse, StatusCode, Uri};

use super::Refusal;
use crate::machine::{excerpt, rest};
use crate::shell::content::{Answer, Content};
use crate::shell::listen::{Entrance, Speaks};

/// Who is let in.
#[derive(Debug, Default)]
pub(in crate::shell) struct Guard {
    /// What everybody must show.
    token: Option<String>,
    /// Names of this machine besides `localhost`, in lower case.
    names: Vec<String>,
}

/// What lets somebody in once, and what keeps the rest out.
pub(super) enum Admission {
    Granted,
    /// By a link with the token in it: the browser keeps it from now on.
    Link(Answer),
}

/// 128 bits: nobody guesses it.
const TOKEN_BYTES: usize = 16;
/// What may stand in a cookie, a header and an address without being quoted anywhere, and long enough to be a secret.
const TOKEN_CHARS: std::ops::RangeInclusive<usize> = 8..=128;

impl Guard {
    pub(in crate::shell) fn new(token: Option<String>, names: &[String]) -> Self {
        Self { token, names: names.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Why this is no token.
    pub(in crate::shell) fn check(token: &str) -> Result<(), String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if TOKEN_CHARS.contains(&token.len()) && token.bytes().all(plain) {
            return Ok(());
        }
        Err(format!(
            "expected {} to {} letters, digits and -._~, such as the output of: openssl rand -hex 16",
            TOKEN_CHARS.start(),
            TOKEN_CHARS.end()
        ))
    }

    /// A token that nobody knows yet. Fails where the system has no randomness.
    pub(in crate::shell) fn make() -> io::Result<String> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::from)?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(super) fn admit(
        &self,
        entrance: &Entrance,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Admission, Refusal> {
        let host = host(headers)?;
        own_page(headers, entrance, host)?;
        let Some(token) = &self.token else {
            self.own_name(entrance, host)?;
            return Ok(Admission::Granted);
        };
        // Who shows the token in a header is no page of somebody else's, whatever name it has for this machine.
        if let Some(shown) = bearer(headers) {
            return if alike(shown, token) { Ok(Admission::Granted) } else { Err(wrong_token()) };
        }
        self.own_name(entrance, host)?;
        if cookie(headers, &cookie_name(entrance.port)).is_some_and(|shown| alike(shown, token)) {
            return Ok(Admission::Granted);
        }
        match linked(uri) {
            Some(shown) if alike(&shown, token) => Ok(Admission::Link(kept(entrance, token))),
            Some(_) => Err(wrong_token()),
            None => Err(no_token()),
        }
    }

    /// Whether a person or a program may mean this machine by that name. Of a name that is not in the certificate, a browser
    /// takes nothing by TLS: a page whose name was rebound gets no further.
    fn own_name(&self, entrance: &Entrance, host: &str) -> Result<(), Refusal> {
        if entrance.speaks == Speaks::Https {
            return Ok(());
        }
        let name = name_of(host).to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_own = bare.parse::<IpAddr>().is_ok() || name == "localhost" || self.names.contains(&name);
        if is_own {
            return Ok(());
        }
        let description = format!(
            "{:?} may be anybody's name for this machine: say its address or localhost instead, or show a token \
             (mock-server --control-token T, then Authorization: Bearer T)",
            excerpt(&name)
        );
        Err(Refusal { status: 403, error: "rebound_name", description })
    }
}

fn host(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).filter(|_| hosts.next().is_none());
    host.ok_or_else(|| Refusal {
        status: 400,
        error: "no_host",
        description: "a request has one Host header, as HTTP/1.1 wants it".into(),
    })
}

/// A page of another origin says so by `Origin`, at least where it changes something, and every browser of today says
/// by `Sec-Fetch-Site` that a page asks, where it trusts the way to this server.
fn own_page(headers: &HeaderMap, entrance: &Entrance, host: &str) -> Result<(), Refusal> {
    let own = format!("{}://{host}", entrance.scheme());
    let foreign_origin = headers
        .get_all(header::ORIGIN)
        .iter()
        .any(|origin| !origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()));
    let foreign_fetch = headers
        .get_all("sec-fetch-site")
        .iter()
        .any(|site| !matches!(site.as_bytes(), b"none" | b"same-origin"));
    if foreign_origin || foreign_fetch {
        let description = "a page of another origin may not stage this server; send the request from the test's own \
                           process, without an Origin header";
        return Err(Refusal { status: 403, error: "not_for_pages", description: description.into() });
    }
    Ok(())
}

/// Without the port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        Some(_) | None => host,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie_name(port: u16) -> String {
    format!("mock-control-{port}")
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// The token of a link to the page, `/_mock/?token=…`.
fn linked(uri: &Uri) -> Option<String> {
    if !matches!(uri.path(), "/_mock" | "/_mock/") {
        return None;
    }
    let mut pairs = uri.query()?.split('&');
    let value = pairs.find_map(|pair| pair.strip_prefix("token="))?;
    String::from_utf8(rest::percent_decoded(value.as_bytes())).ok()
}

/// Has the browser keep the token, and its address bar lose it.
fn kept(entrance: &Entrance, token: &str) -> Answer {
    let secure = if entrance.scheme() == "https" { "; Secure" } else { "" };
    let cookie =
        format!("{}={token}; Path=/_mock; HttpOnly; SameSite=Strict{secure}", cookie_name(entrance.port));
    let mut answer = HttpResponse::new(Content::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let mut set = |name: HeaderName, value: &str| {
        let value = HeaderValue::from_str(value).expect("a token has no other characters than these");
        answer.headers_mut().insert(name, value);
    };
    set(header::LOCATION, "/_mock/");
    set(header::SET_COOKIE, &cookie);
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    answer
}

/// In a time that tells nothing of where they differ.
fn alike(shown: &str, token: &str) -> bool {
    let differences = shown.bytes().zip(token.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    shown.len() == token.len() && differences == 0
}

fn no_token() -> Refusal {
    let description = "the control plane of this server wants its token, which mock-server printed when it started (or its \
                       --control-token): send Authorization: Bearer TOKEN, or open /_mock/?token=TOKEN in a browser";
    Refusal { status: 401, error: "no_token", description: description.into() }
}

fn wrong_token() -> Refusal {
    let description = "that is not this server's token: it is the one that mock-server printed when it started, and \
                       another after each start unless --control-token gives one";
    Refusal { status: 401, error: "wrong_token", description: description.into() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::shell::listen::Serves;

    #[rstest]
    #[case::plain(Speaks::Http, "192.168.1.7:8989", true)]
    #[case::plain_by_name(Speaks::Http, "im.page.test:8989", false)]
    #[case::tls_by_name(Speaks::Https, "im.page.test:8989", true)]
    fn who_has_the_token_comes_by_a_name_that_a_certificate_vouches_for(
        #[case] speaks: Speaks,
        #[case] host: &str,
        #[case] is_let_in: bool,
    ) {
        let guard = Guard::new(Some("my-own-token".into()), &[]);
        let entrance = Entrance { serves: Serves::All, port: 8989, speaks };
        let link = Uri::from_static("/_mock/?token=my-own-token");
        let headers = HeaderMap::from_iter([(header::HOST, host.parse().expect("a value"))]);
        let admitted = guard.admit(&entrance, &link, &headers);
        assert_eq!(matches!(admitted, Ok(Admission::Link(_))), is_let_in);
    }
}
