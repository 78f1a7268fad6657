//! Who may use the control plane: pages of this server's own, programs that call it by its address, and whoever has the
//! token where one is wanted.

use std::net::SocketAddr;

use mock_server::shell::{MockServer, Options};
use rstest::rstest;

use crate::peer::{Reply, connect, reply};

const TOKEN: &str = "s3cret-of-the-test";

/// A request whose `{port}` is the server's, with no header that is not there.
fn ask(addr: SocketAddr, head: &str) -> Reply {
    use std::io::Write as _;
    let mut stream = connect(addr);
    let head = head.replace("{port}", &addr.port().to_string());
    stream
        .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
        .expect("the server reads heads");
    reply(&mut stream)
}

fn error(reply: &Reply) -> String {
    reply.json()["error"].as_str().unwrap_or_default().to_owned()
}

#[rstest]
#[case::a_program("Host: 127.0.0.1:{port}", 200, "")]
#[case::a_program_by_name("Host: localhost:{port}", 200, "")]
#[case::without_a_port("Host: localhost", 200, "")]
#[case::another_address("Host: 192.168.1.20:{port}", 200, "")]
#[case::new_kind("Host: [::1]:{port}", 200, "")]
#[case::new_kind_without_a_port("Host: [::1]", 200, "")]
#[case::own_page(
    "Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin",
    200,
    ""
)]
#[case::own_page_by_name("Host: localhost:{port}\r\nOrigin: http://localhost:{port}", 200, "")]
#[case::own_page_that_looks("Host: 127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin", 200, "")]
#[case::typed("Host: 127.0.0.1:{port}\r\nSec-Fetch-Site: none", 200, "")]
#[case::rebound("Host: page.test:{port}", 403, "rebound_name")]
#[case::rebound_page(
    "Host: page.test:{port}\r\nOrigin: http://page.test:{port}\r\nSec-Fetch-Site: same-origin",
    403,
    "rebound_name"
)]
#[case::looks_like_an_address("Host: 127.0.0.1.page.test:{port}", 403, "rebound_name")]
#[case::looks_like_a_name("Host: localhost.page.test", 403, "rebound_name")]
#[case::empty_name("Host: ", 403, "rebound_name")]
#[case::no_host("Accept: */*", 400, "no_host")]
#[case::two_hosts("Host: 127.0.0.1:{port}\r\nHost: page.test", 400, "no_host")]
#[case::other_page("Host: 127.0.0.1:{port}\r\nOrigin: http://page.test", 403, "not_for_pages")]
#[case::other_port(
    "Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:1\r\nSec-Fetch-Site: same-site",
    403,
    "not_for_pages"
)]
#[case::other_scheme("Host: 127.0.0.1:{port}\r\nOrigin: https://127.0.0.1:{port}", 403, "not_for_pages")]
#[case::other_name("Host: 127.0.0.1:{port}\r\nOrigin: http://localhost:{port}", 403, "not_for_pages")]
#[case::of_a_file("Host: 127.0.0.1:{port}\r\nOrigin: null", 403, "not_for_pages")]
#[case::second_origin(
    "Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nOrigin: http://page.test",
    403,
    "not_for_pages"
)]
#[case::embedded("Host: 127.0.0.1:{port}\r\nSec-Fetch-Site: cross-site", 403, "not_for_pages")]
#[case::of_a_neighbour("Host: localhost:{port}\r\nSec-Fetch-Site: same-site", 403, "not_for_pages")]
#[case::a_token_that_nobody_asked_for("Host: 127.0.0.1:{port}\r\nAuthorization: Bearer whatever", 200, "")]
fn on_this_machine_own_pages_and_programs_are_let_in(
    #[case] headers: &str,
    #[case] status: u16,
    #[case] why: &str,
) {
    let server = MockServer::start(Options::default()).expect("a free port");
    let reply = ask(server.addr(), &format!("GET /_mock/ HTTP/1.1\r\n{headers}"));
    assert_eq!((reply.status, &*error(&reply)), (status, why), "{:?}", reply.json());
    assert_eq!(reply.header("access-control-allow-origin"), None, "no other page is told anything");
    let post = format!("POST /_mock/new/app/clock HTTP/1.1\r\n{headers}\r\nContent-Type: application/json");
    let reply = ask(server.addr(), &format!("{post}\r\nContent-Length: 0"));
    let (status, why) = if status == 200 { (400, "json") } else { (status, why) };
    assert_eq!((reply.status, &*error(&reply)), (status, why), "whatever it asks");
}

#[rstest]
#[case::bearer("/", "Authorization: Bearer s3cret-of-the-test", 200, "")]
#[case::bearer_by_any_name("/", "Host: mock.internal\r\nAuthorization: bearer s3cret-of-the-test", 200, "")]
#[case::cookie("/", "Cookie: a=b; mock-control-{port}=s3cret-of-the-test; c=d", 200, "")]
#[case::nothing("/", "Accept: */*", 401, "no_token")]
#[case::of_a_world("/org/app/clock", "Accept: */*", 401, "no_token")]
#[case::wrong_bearer("/", "Authorization: Bearer s3cret-of-the-tesT", 401, "wrong_token")]
#[case::beginning("/", "Authorization: Bearer s3cret", 401, "wrong_token")]
#[case::empty_bearer("/", "Authorization: Bearer ", 401, "no_token")]
#[case::other_scheme("/", "Authorization: Basic s3cret-of-the-test", 401, "no_token")]
#[case::wrong_cookie("/", "Cookie: mock-control-{port}=other", 401, "no_token")]
#[case::cookie_of_another_server("/", "Cookie: mock-control-1=s3cret-of-the-test", 401, "no_token")]
#[case::wrong_link("/?token=other", "Accept: */*", 401, "wrong_token")]
#[case::link_to_elsewhere("/org/app/clock?token=s3cret-of-the-test", "Accept: */*", 401, "no_token")]
#[case::cookie_at_a_rebound_name(
    "/",
    "Host: page.test\r\nCookie: mock-control-{port}=s3cret-of-the-test",
    403,
    "rebound_name"
)]
#[case::cookie_of_another_page(
    "/",
    "Origin: http://page.test\r\nCookie: mock-control-{port}=s3cret-of-the-test",
    403,
    "not_for_pages"
)]
#[case::bearer_of_another_page(
    "/",
    "Origin: http://page.test\r\nAuthorization: Bearer s3cret-of-the-test",
    403,
    "not_for_pages"
)]
fn where_a_token_is_wanted_it_is_shown(
    #[case] path: &str,
    #[case] headers: &str,
    #[case] status: u16,
    #[case] why: &str,
) {
    let options = Options { control_token: Some(TOKEN.into()), ..Options::default() };
    let server = MockServer::start(options).expect("a free port");
    let host = if headers.contains("Host") { "" } else { "Host: 127.0.0.1:{port}\r\n" };
    let reply = ask(server.addr(), &format!("GET /_mock{path} HTTP/1.1\r\n{host}{headers}"));
    assert_eq!((reply.status, &*error(&reply)), (status, why), "{:?}", reply.json());
}

#[test]
fn a_link_with_the_token_has_the_browser_keep_it() {
    let options = Options { control_token: Some(TOKEN.into()), ..Options::default() };
    let server = MockServer::start(options).expect("a free port");
    assert_eq!(server.control_token(), Some(TOKEN));
    let link = format!("GET /_mock/?token={TOKEN} HTTP/1.1\r\nHost: 127.0.0.1:{{port}}");
    let reply = ask(server.addr(), &link);
    assert_eq!((reply.status, reply.header("location")), (303, Some("/_mock/")));
    let port = server.addr().port();
    let cookie = format!("mock-control-{port}={TOKEN}; Path=/_mock; HttpOnly; SameSite=Strict");
    assert_eq!(reply.header("set-cookie"), Some(&*cookie));
    let (kept, _) = cookie.split_once(';').expect("its attributes");
    let page = format!("GET /_mock/ HTTP/1.1\r\nHost: 127.0.0.1:{{port}}\r\nCookie: {kept}");
    assert_eq!(ask(server.addr(), &page).status, 200);
}

#[test]
fn the_control_plane_may_have_a_port_of_its_own() {
    let options = Options { control: Some(SocketAddr::from(([127, 0, 0, 1], 0))), ..Options::default() };
    let server = MockServer::start(options).expect("free ports");
    assert_ne!(server.addr(), server.control_addr());
    let host = "HTTP/1.1\r\nHost: 127.0.0.1";
    let at = |addr, path: &str| ask(addr, &format!("GET {path} {host}"));
    assert_eq!(at(server.control_addr(), "/_mock/").status, 200);
    assert_eq!(at(server.addr(), "/ws/info").status, 200);
    for (addr, path, words) in [
        (server.addr(), "/_mock/", "the control plane has a port of its own (--control)\n"),
        (server.addr(), "/_mock/org/app/clock", "the control plane has a port of its own (--control)\n"),
        (server.control_addr(), "/ws/info", "this port is for the control plane, /_mock/, alone\n"),
        (server.control_addr(), "/org/app/users", "this port is for the control plane, /_mock/, alone\n"),
    ] {
        let reply = at(addr, path);
        assert_eq!((reply.status, &*String::from_utf8_lossy(&reply.body)), (404, words), "{path}");
    }
}
