//! Bad input on every route: the service's error envelope, and nothing in the whole world is changed (rest.md 0.5).

use mock_server::machine::rest::Method::{Delete, Get, Post, Put};
use mock_server::machine::rest::{Request, paths};
use mock_server::machine::{AppKey, Config, Upload};
use rstest::rstest;
use serde_json::{Value, json};

use crate::rest::town;
use crate::routes::{Row, Takes, Who, rows};
use crate::world::{APP, World, config, json_of};

/// All that the world keeps, down to the last field, but for the count of what it was sent.
fn digest(world: &World) -> String {
    let shown = format!("{:?}", world.server);
    let (before, after) = shown.split_once("inputs: ").expect("it counts its inputs");
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    assert!(!after.contains("inputs: "), "nothing else is called so");
    format!("{before}{after}")
}

/// A world, the tokens of all who ask in it, and its digest.
struct Scene {
    world: World,
    app: String,
    before: String,
}

impl Scene {
    fn new() -> Self {
        let mut world = town();
        let app = world.token(APP).expect("the app has one");
        let before = digest(&world);
        Self { world, app, before }
    }

    fn token(&self, who: Who) -> Option<String> {
        match who {
            Who::Anyone => None,
            Who::User(name) => Some(format!("t-{name}")),
            Who::App => Some(self.app.clone()),
        }
    }

    /// Asks, and holds the refusal; gives its status.
    fn refused(&mut self, row: &Row, path: &str, token: Option<&str>, body: &[u8]) -> (u16, Value) {
        let upload = (row.takes == Takes::File).then(|| Upload::Bad("no boundary".into()));
        let body = body.to_vec().into();
        let request = Request { body, upload, ..World::asks(row.method, path, token) };
        let response = self.world.ask(request);
        let answer = json_of(&response);
        let case = format!("{:?} {path} {}", row.method, answer);
        assert!((400..500).contains(&response.status), "{} {case}", response.status);
        // Newer endpoints have a number besides (rest.md 0.5).
        let keys = answer.as_object().expect("an object").keys().filter(|key| *key != "error_code");
        let keys: Vec<&String> = keys.collect();
        let expected = ["duration", "error", "error_description", "exception", "timestamp"];
        assert!(
            keys.len() == expected.len() && expected.iter().all(|key| answer.get(key).is_some()),
            "{case}"
        );
        let why = answer["error_description"].as_str().expect("a text");
        assert!(!why.is_empty() && why.len() < 2_000, "{case}");
        assert!(digest(&self.world) == self.before, "changed by {case}");
        (response.status, answer)
    }
}

#[test]
fn a_digest_tells_worlds_apart() {
    let mut scene = Scene::new();
    assert_eq!(scene.world.rest(Get, "/publicchatgroups", "alice", &Value::Null).0, 200);
    assert!(digest(&scene.world) == scene.before, "looking changes nothing");
    let announcement = json!({ "announcement": "another" });
    assert_eq!(scene.world.rest(Post, "/chatgroups/9/announcement", "alice", &announcement).0, 200);
    assert!(digest(&scene.world) != scene.before, "writing does");
}

#[test]
fn every_route_has_a_row_and_every_row_is_a_route() {
    let mut missing = Vec::new();
    for path in paths() {
        let known = rows().into_iter().filter(|row| row.path == *path).collect::<Vec<_>>();
        let args = known.first().map_or_else(Vec::new, |row| row.args.clone());
        for method in [Get, Post, Put, Delete] {
            let mut scene = Scene::new();
            let row = Row {
                method,
                path: path.clone(),
                args: if args.is_empty() { vec!["x"; path.matches('{').count()] } else { args.clone() },
                who: Who::App,
                takes: Takes::Nothing,
            };
            let token = scene.token(Who::App);
            let response = scene.world.ask(World::asks(method, &row.path(), token.as_deref()));
            let is_served = response.status != 405;
            if is_served != known.iter().any(|row| row.method == method) {
                missing.push(format!("{method:?} {path}: served: {is_served}"));
            }
        }
    }
    assert!(missing.is_empty(), "tests/machine/routes.rs: {missing:#?}");
    let stray: Vec<Row> = rows().into_iter().filter(|row| !paths().contains(&row.path)).collect();
    assert!(stray.is_empty(), "{stray:#?}");
}

#[rstest]
#[case::none(None, "unauthorized")]
#[case::empty(Some(""), "auth_bad_access_token")]
#[case::unknown(Some("guess"), "auth_bad_access_token")]
#[case::expired(Some("old"), "unauthorized")]
#[case::endless(Some("ENDLESS"), "auth_bad_access_token")]
#[case::another_tenants_user(Some("t-zoe"), "auth_bad_access_token")]
#[case::another_tenants_app(Some("APP"), "auth_bad_access_token")]
fn no_route_takes_a_token_that_is_none(#[case] token: Option<&str>, #[case] error: &str) {
    let mut scene = Scene::new();
    let app_key = AppKey::parse("org#other").expect("a good app key");
    let mut elsewhere = World::of(Config { app_key, ..config() }, &["zoe"]);
    let token = match token {
        Some("ENDLESS") => Some("t".repeat(1_000_000)),
        Some("APP") => Some(elsewhere.app_token()),
        token => token.map(str::to_owned),
    };
    for row in rows().iter().filter(|row| row.who != Who::Anyone) {
        let body = good(row.takes);
        let (status, answer) = scene.refused(row, &row.path(), token.as_deref(), body.as_bytes());
        assert_eq!((status, &answer["error"]), (401, &json!(error)), "{row:?}");
    }
}

/// A body that a route takes, as far as the table knows one.
fn good(takes: Takes) -> &'static str {
    match takes {
        Takes::Json(good, _) | Takes::List(good) => good,
        Takes::Nothing | Takes::Form | Takes::File => "",
    }
}

/// Bodies that are no JSON object.
fn rubbish() -> Vec<Vec<u8>> {
    let deep = "[".repeat(100_000).into_bytes();
    let deep_object = r#"{"a":"#.repeat(100_000).into_bytes();
    [&b""[..], b"{", b"null", b"[[]]", b"7", b"\"text\"", b"{}}", b"\xff\xfe", b"{\"a\":1e999}", b"a=b&c=d"]
        .map(<[u8]>::to_vec)
        .into_iter()
        .chain([deep, deep_object])
        .collect()
}

#[test]
fn no_route_takes_a_body_that_is_no_json() {
    let mut scene = Scene::new();
    for row in rows() {
        if let Takes::Json(..) | Takes::List(_) = row.takes {
            let token = scene.token(row.who);
            for body in rubbish() {
                let (status, answer) = scene.refused(&row, &row.path(), token.as_deref(), &body);
                assert_eq!(
                    status,
                    400,
                    "{row:?} {answer} {}",
                    String::from_utf8_lossy(&body[..body.len().min(99)])
                );
            }
        }
    }
}

#[test]
fn no_route_takes_a_body_without_what_it_needs_or_of_other_types() {
    let mut scene = Scene::new();
    for row in rows() {
        let Takes::Json(good, needs) = row.takes else { continue };
        let token = scene.token(row.who);
        let good: Value = serde_json::from_str(good).expect("the table's own");
        let object = good.as_object().expect("an object");
        let mut bent = Vec::new();
        for key in needs {
            let mut other = object.clone();
            other.remove(*key).expect("the table's own");
            bent.push(Value::Object(other));
            let mut other = good.clone();
            other[*key] = Value::Null;
            bent.push(other);
        }
        for key in object.keys() {
            for odd in [json!({ "odd": [] }), json!([[1]])] {
                let mut other = good.clone();
                other[key] = odd;
                bent.push(other);
            }
        }
        for body in bent {
            let (status, answer) =
                scene.refused(&row, &row.path(), token.as_deref(), body.to_string().as_bytes());
            assert_eq!(status, 400, "{row:?} {body} {answer}");
        }
    }
}

#[test]
fn no_route_takes_an_upload_that_is_none() {
    let mut scene = Scene::new();
    for row in rows().iter().filter(|row| row.takes == Takes::File) {
        let token = scene.token(row.who);
        assert_eq!(scene.refused(row, &row.path(), token.as_deref(), b"").0, 400, "{row:?}");
    }
}

#[rstest]
#[case::unknown("nobody-here")]
#[case::blank(" ")]
#[case::not_ascii("群")]
#[case::percent("%2e%2e")]
#[case::endless("ENDLESS")]
fn no_route_takes_a_name_of_nothing(#[case] name: &str) {
    let mut scene = Scene::new();
    let endless = "n".repeat(100_000);
    let name = if name == "ENDLESS" { endless.as_str() } else { name };
    for row in rows() {
        let token = scene.token(row.who);
        let body = good(row.takes);
        for at in 0..row.args.len() {
            let mut args = row.args.clone();
            args[at] = name;
            scene.refused(&row, &row.with(&args), token.as_deref(), body.as_bytes());
        }
    }
}

#[test]
fn what_is_no_path_is_refused() {
    let mut scene = Scene::new();
    let nothing =
        Row { method: Get, path: String::new(), args: Vec::new(), who: Who::App, takes: Takes::Nothing };
    let token = scene.token(Who::App);
    let long = format!("/{}", "p".repeat(100_000));
    for path in [
        "",
        "/",
        "//",
        "/nothing",
        "/token/",
        "/users//",
        "/chatgroups/9/",
        "/chatgroups//users",
        "/群",
        &long,
    ] {
        for method in [Get, Post, Put, Delete] {
            let row = Row { method, ..nothing.clone() };
            let (status, answer) = scene.refused(&row, path, token.as_deref(), b"");
            assert!(matches!(status, 404 | 405), "{method:?} {path}: {status} {answer}");
        }
    }
}
