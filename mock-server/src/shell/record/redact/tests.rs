//! No secret that went by reaches the disk, wherever it stands; what is none stays as it is.

use bytes::Bytes;
use fixtures::wire::{CommSyncUl, Jid, MSync, MessageBody, Meta, Provision, m_sync, message_body, meta};
use proptest::prelude::*;
use prost::Message as _;
use rstest::rstest;

use super::*;
use crate::machine::{ConnId, Millis};
use crate::tape::Direction;

fn http(path: &str, body: &str, answer: &str) -> Row {
    let event = Event::Http {
        method: "POST".into(),
        path: path.into(),
        user: None,
        body: Bytes::copy_from_slice(body.as_bytes()),
        status: 200,
        answer: Bytes::copy_from_slice(answer.as_bytes()),
    };
    Row { at: Millis(0), event }
}

fn frame(msync: &MSync) -> Row {
    let bytes = msync.encode_to_vec().into();
    Row { at: Millis(0), event: Event::Frame { conn: ConnId(1), direction: Direction::Up, bytes } }
}

fn login(token: &str) -> Row {
    let auth = Some(format!("{AUTH_PREFIX}{token}"));
    let provision = Provision { auth: auth.clone(), ..Provision::default() };
    frame(&MSync {
        command: Some(m_sync::Command::Provision as i32),
        guid: Some(Jid { name: Some("alice".into()), ..Jid::default() }),
        auth,
        payload: Some(provision.encode_to_vec().into()),
        ..MSync::default()
    })
}

fn message(text: &str) -> Row {
    let content = message_body::Content { text: Some(text.into()), ..Default::default() };
    let body = MessageBody { contents: vec![content], ..MessageBody::default() };
    let meta = Meta {
        id: Some(1),
        ns: Some(meta::NameSpace::Chat as i32),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    };
    let sync = CommSyncUl { meta: Some(meta), ..CommSyncUl::default() };
    frame(&MSync { payload: Some(sync.encode_to_vec().into()), ..MSync::default() })
}

/// The rows as they are written, and the parts in which base64 hides what it has.
fn written(rows: &[Row], texts: Texts) -> (Vec<Row>, Vec<u8>, Vec<Redacted>) {
    let mut secrets = Secrets::default();
    assert!(rows.iter().all(|row| secrets.learn_row(row)), "there is room");
    let mut redactor = Redactor::new(&secrets, texts);
    let rows: Vec<Row> = rows.iter().map(|row| redactor.row(row.clone())).collect();
    let mut open = serde_json::to_vec(&rows).expect("rows are JSON");
    for row in &rows {
        match &row.event {
            Event::Frame { bytes, .. } => open.extend_from_slice(bytes),
            Event::Http { body, answer, .. } => open.extend([&body[..], b" ", &answer[..]].concat()),
            _ => {}
        }
        open.push(b'\n');
    }
    (rows, open, redactor.redacted())
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[test]
fn a_secret_has_one_alias_wherever_it_stands() {
    let rows = [
        http(
            "/token",
            r#"{"grant_type":"password","username":"alice","password":"pw-alice"}"#,
            r#"{"access_token":"YWMt-1234567"}"#,
        ),
        login("YWMt-1234567"),
        http("/users/alice?restToken=YWMt-1234567", "", r#"{"share-secret":"s-secret-1"}"#),
        message("my token is YWMt-1234567, do not tell"),
    ];
    let (rows, open, redacted) = written(&rows, Texts::Kept);
    for secret in ["pw-alice", "YWMt-1234567", "s-secret-1"] {
        assert!(!holds(&open, secret), "{secret}");
    }
    let Event::Http { body, .. } = &rows[0].event else { panic!("a request") };
    assert_eq!(body, r#"{"grant_type":"password","password":"<password 1>","username":"alice"}"#);
    let Event::Frame { bytes, .. } = &rows[1].event else { panic!("a frame") };
    let again = login("<token 1>");
    let Event::Frame { bytes: expected, .. } = &again.event else { panic!("a frame") };
    assert_eq!(bytes, expected);
    let told: Vec<String> = redacted.iter().map(|one| format!("{} {}", one.alias, one.times)).collect();
    assert_eq!(told, ["<password 1> 1", "<token 1> 5", "<secret 1> 1"]);
}

#[rstest]
#[case::short("1")]
#[case::a_name("alice")]
#[case::a_word("password")]
fn what_is_also_a_word_is_replaced_where_secrets_belong(#[case] password: &str) {
    let body = format!(r#"{{"password":"{password}","username":"alice"}}"#);
    let mut secrets = Secrets::default();
    secrets.word("alice");
    let row = http("/token", &body, r#"{"n":"10 alice password"}"#);
    assert!(secrets.learn_row(&row));
    let Event::Http { body, answer, .. } = Redactor::new(&secrets, Texts::Kept).row(row).event else {
        panic!("a request")
    };
    assert_eq!(body, r#"{"password":"<password 1>","username":"alice"}"#);
    assert_eq!(answer, r#"{"n":"10 alice password"}"#);
}

#[test]
fn headers_teach_and_are_not_written() {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, "Bearer abcdef-token".parse().expect("a value"));
    headers.insert(COOKIE, "sid=cookie-secret; a=b".parse().expect("a value"));
    let mut secrets = Secrets::default();
    assert!(secrets.learn_headers(&headers));
    let row = http("/x", r#"{"echo":"abcdef-token cookie-secret"}"#, "");
    let Event::Http { body, .. } = Redactor::new(&secrets, Texts::Kept).row(row).event else {
        panic!("a request")
    };
    assert_eq!(body, r#"{"echo":"<token 1> <cookie 1>"}"#);
}

#[test]
fn a_cookie_that_is_set_is_a_secret_and_what_stands_behind_it_is_none() {
    let mut headers = HeaderMap::new();
    let set = "sid=cookie-secret; Path=/websocket; Domain=im.test.example; SameSite=Strict";
    headers.insert(SET_COOKIE, set.parse().expect("a value"));
    let mut secrets = Secrets::default();
    assert!(secrets.learn_headers(&headers));
    let row = http("/x", r#"{"echo":"cookie-secret /websocket im.test.example Strict"}"#, "");
    let Event::Http { body, .. } = Redactor::new(&secrets, Texts::Kept).row(row).event else {
        panic!("a request")
    };
    assert_eq!(body, r#"{"echo":"<cookie 1> /websocket im.test.example Strict"}"#);
}

/// As 4.x has it; a short one is replaced nowhere but where a token belongs.
#[rstest]
#[case::short("t1")]
#[case::escaped("a\"b\\c-12345")]
#[case::long("YWMt-1234567")]
fn a_token_in_json_in_a_login_is_a_secret(#[case] token: &str) {
    let with = |token: &str| {
        let auth_token = Some(serde_json::json!({ "token": token }).to_string());
        let provision = Provision { auth_token, ..Provision::default() };
        frame(&MSync {
            command: Some(m_sync::Command::Provision as i32),
            payload: Some(provision.encode_to_vec().into()),
            ..MSync::default()
        })
    };
    let (rows, _, _) = written(&[with(token)], Texts::Kept);
    assert_eq!(rows[0].event, with("<token 1>").event);
}

#[test]
fn texts_may_be_redacted_too() {
    let (rows, _, _) = written(&[message("Hi, 北京 2!")], Texts::Redacted);
    let expected = message("xx, xx x!");
    assert_eq!(rows[0].event, expected.event);
}

#[test]
fn a_record_that_has_no_room_for_a_secret_says_so() {
    let mut secrets = Secrets::default();
    assert!(!secrets.learn(What::Token, &"x".repeat(SECRETS_BYTES_MAX + 1)));
}

proptest! {
    /// Wherever a token stands: in a path, a query, JSON, JSON in JSON, a form, a text, a frame that is damaged.
    #[test]
    fn no_token_is_ever_written(
        token in "[A-Za-z0-9+/=_-]{8,120}",
        before in "[ -~]{0,20}",
        place in 0_usize..9,
        cut in 0_usize..40,
    ) {
        let known = http("/token", "", &serde_json::json!({ "access_token": token }).to_string());
        let text = format!("{before}{token}");
        let row = match place {
            0 => http(&format!("/users/{token}"), "", ""),
            1 => http(&format!("/x?a={before}&b={}", percent_encoded(&token)), "", ""),
            2 => http("/x", &serde_json::json!({ "deep": [{ "a": text }] }).to_string(), ""),
            3 => http("/x", "", &serde_json::json!({ "payload": serde_json::json!({ "a": text }).to_string() }).to_string()),
            4 => http("/x", &format!("a=b&c={}", percent_encoded(&token)), ""),
            5 => http("/x", &text, ""),
            6 => message(&text),
            7 => login(&token),
            _ => {
                let Event::Frame { mut bytes, .. } = message(&text).event else { unreachable!("it is a frame") };
                bytes.truncate(bytes.len().saturating_sub(cut));
                let bytes = [&bytes[..], text.as_bytes()].concat().into();
                Row { at: Millis(0), event: Event::Frame { conn: ConnId(1), direction: Direction::Up, bytes } }
            }
        };
        let (_, open, redacted) = written(&[known, row], Texts::Kept);
        prop_assert!(!holds(&open, &token));
        prop_assert!(!holds(&open, &percent_encoded(&token)));
        prop_assert!(redacted[0].times >= 2, "{redacted:?}");
    }
}
