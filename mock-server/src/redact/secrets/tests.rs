//! No secret of a world is in what is taken home of it, and its journal plays again all the same.

use fixtures::wire::{CommSyncUl, MSync, MessageBody, Meta, Provision, m_sync, message_body, meta};
use proptest::prelude::*;
use prost::Message as _;
use serde_json::json;

use super::*;
use crate::control::Control;
use crate::machine::rest::Method;
use crate::machine::{ConnId, Millis};

/// Where a secret may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Json(&'static str),
    Nested,
    JsonInJson,
    Form,
    Query,
    Header,
    ShareSecret,
    Login,
    LoginOf4x,
    Staged,
    Webhook,
    WebhookUrl,
    UploadField,
}

const PLACES: [Place; 17] = [
    Place::Json("password"),
    Place::Json("newpassword"),
    Place::Json("client_secret"),
    Place::Json("share-secret"),
    Place::Json("access_token"),
    Place::Nested,
    Place::JsonInJson,
    Place::Form,
    Place::Query,
    Place::Header,
    Place::ShareSecret,
    Place::Login,
    Place::LoginOf4x,
    Place::Staged,
    Place::Webhook,
    Place::WebhookUrl,
    Place::UploadField,
];

/// Rows and entries, each entry before what came of it.
#[derive(Default)]
struct Record {
    rows: Vec<Row>,
    entries: Vec<Entry>,
}

impl Record {
    fn given(&mut self, given: Given) {
        self.entries.push(Entry { at: Millis(0), row: self.rows.len(), given });
    }

    fn frame(&mut self, msync: &MSync) {
        let bytes = Bytes::from(msync.encode_to_vec());
        self.given(Given::Frame { conn: ConnId(1), bytes: bytes.clone() });
        let event = Event::Frame { conn: ConnId(1), direction: Direction::Up, bytes };
        self.rows.push(Row { at: Millis(0), event });
    }

    fn request(&mut self, change: impl FnOnce(&mut Request), answer: &Json) {
        let mut request = Request {
            method: Method::Post,
            base: "http://127.0.0.1:1".into(),
            path: "/token".into(),
            query: String::new(),
            token: None,
            body: Bytes::new(),
            upload: None,
            share_secret: None,
            restrict_access: false,
        };
        change(&mut request);
        let event = Event::Http {
            method: "POST".into(),
            path: format!("{}?{}", request.path, request.query),
            user: None,
            body: request.body.clone(),
            status: 200,
            answer: answer.to_string().into(),
        };
        self.given(Given::Http { request: Box::new(request), content: None });
        self.rows.push(Row { at: Millis(0), event });
    }

    fn put(&mut self, place: Place, secret: &str) {
        let none = json!({});
        let body = |json: Json| Bytes::from(json.to_string());
        match place {
            Place::Json(name) => self.request(|request| request.body = body(json!({ name: secret })), &none),
            Place::Nested => {
                let nested = json!({ "entities": [{ "device": { "device_token": secret } }] });
                self.request(|request| request.body = body(nested), &none);
            }
            Place::JsonInJson => {
                let inner = json!({ "password": secret }).to_string();
                self.request(|request| request.body = body(json!({ "ext": inner })), &none);
            }
            Place::Form => {
                let form = format!("grant_type=password&password={}", percent_encoded(secret));
                self.request(|request| request.body = form.into(), &none);
            }
            Place::Query => {
                let query = format!("limit=1&token={}", percent_encoded(secret));
                self.request(|request| request.query = query, &none);
            }
            Place::Header => self.request(|request| request.token = Some(secret.into()), &none),
            Place::ShareSecret => self.request(|request| request.share_secret = Some(secret.into()), &none),
            Place::Login => {
                let auth = Some(format!("{AUTH_PREFIX}{secret}"));
                let provision = Provision { auth: auth.clone(), ..Provision::default() };
                self.frame(&login(auth, &provision));
            }
            Place::LoginOf4x => {
                let auth_token = Some(json!({ "token": secret }).to_string());
                self.frame(&login(None, &Provision { auth_token, ..Provision::default() }));
            }
            Place::Staged => {
                let control = json!({ "token": { "user": "alice", "token": secret, "ttl_ms": 1 } });
                let control: Control = serde_json::from_value(control).expect("a command");
                self.given(Given::Control(Box::new(control)));
            }
            Place::Webhook | Place::WebhookUrl => {
                let (secret, url) = if place == Place::Webhook {
                    (secret.to_owned(), "http://127.0.0.1:1/".to_owned())
                } else {
                    let secret = percent_encoded(secret);
                    ("s".to_owned(), format!("http://127.0.0.1:1/hook?access_token={secret}"))
                };
                let control = json!({ "settings": { "webhooks": [{ "url": url, "secret": secret }] } });
                let control: Control = serde_json::from_value(control).expect("a command");
                self.given(Given::Control(Box::new(control)));
            }
            Place::UploadField => {
                let upload = json!({ "file": {
                    "blob": 1, "name": "a.png", "media_type": "image/png", "bytes": 7, "fields": { "token": secret }
                } });
                self.request(
                    |request| request.upload = serde_json::from_value(upload).expect("an upload"),
                    &none,
                );
            }
        }
    }

    /// As it is written, and beside it what base64 hides.
    fn written(&self) -> (Vec<Row>, Vec<Entry>, String) {
        let secrets = Secrets::of("org#app", self.rows.iter(), &self.entries);
        let redactor = Redactor::new(&secrets);
        let rows: Vec<Row> = self.rows.iter().map(|row| redactor.row(row)).collect();
        let entries: Option<Vec<Entry>> = self.entries.iter().map(|entry| redactor.entry(entry)).collect();
        let entries = entries.expect("each still makes sense");
        let mut open = serde_json::to_string(&(&rows, &entries, secrets.redactions())).expect("JSON");
        let mut hidden = |bytes: &[u8]| {
            open.push('\n');
            open.push_str(&String::from_utf8_lossy(bytes));
        };
        for row in &rows {
            match &row.event {
                Event::Frame { bytes, .. } => hidden(bytes),
                Event::Http { body, answer, .. } => {
                    hidden(body);
                    hidden(answer);
                }
                _ => {}
            }
        }
        for entry in &entries {
            match &entry.given {
                Given::Frame { bytes, .. } => hidden(bytes),
                Given::Http { request, .. } => hidden(&request.body),
                _ => {}
            }
        }
        (rows, entries, open)
    }
}

fn login(auth: Option<String>, provision: &Provision) -> MSync {
    let payload = Some(provision.encode_to_vec().into());
    MSync { command: Some(m_sync::Command::Provision as i32), auth, payload, ..MSync::default() }
}

fn message(text: &str) -> MSync {
    let content = message_body::Content { text: Some(text.into()), ..Default::default() };
    let body = MessageBody { contents: vec![content], ..MessageBody::default() };
    let meta = Meta {
        id: Some(1),
        ns: Some(meta::NameSpace::Chat as i32),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    };
    let sync = CommSyncUl { meta: Some(meta), ..CommSyncUl::default() };
    MSync { payload: Some(sync.encode_to_vec().into()), ..MSync::default() }
}

/// Long ones of what people and services use, and short ones of what stands nowhere else, so that they can be looked for.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_.~+/=@!#%&-]{8,60}",
        "[ -~]{10,40}".prop_filter("no spaces at its ends", |text| text.trim() == text),
        "[§¶µ¤]{1,8}",
    ]
}

fn spellings(secret: &str) -> [String; 4] {
    let json = json!(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let twice = json!(json).to_string();
    [secret.to_owned(), percent_encoded(secret), twice[1..twice.len() - 1].to_owned(), json]
}

proptest! {
    #[test]
    fn wherever_a_secret_stands_it_is_not_written(
        secrets in prop::collection::vec((prop::sample::select(&PLACES[..]), secret()), 1..6),
    ) {
        let mut record = Record::default();
        for (place, secret) in &secrets {
            record.put(*place, secret);
        }
        let (_, _, open) = record.written();
        for (place, secret) in &secrets {
            for spelling in spellings(secret) {
                prop_assert!(!open.contains(&spelling), "{place:?}: {spelling:?} in {open}");
            }
        }
    }

    #[test]
    fn what_was_equal_stays_equal_and_what_was_not_does_not(
        (first, second) in (secret(), secret()),
        (one, other) in (prop::sample::select(&PLACES[..]), prop::sample::select(&PLACES[..])),
    ) {
        let mut record = Record::default();
        record.put(one, &first);
        record.put(other, &second);
        let secrets = Secrets::of("org#app", record.rows.iter(), &record.entries);
        let alias = |secret: &str| secrets.aliases.get(secret).map(|alias| alias.text.clone());
        prop_assert!(alias(&first).is_some() && alias(&second).is_some());
        prop_assert_eq!(alias(&first) == alias(&second), first == second);
    }
}

#[test]
fn a_long_secret_is_replaced_in_what_people_wrote_and_a_name_never() {
    let mut record = Record::default();
    record.put(Place::Json("password"), "alice-and-bob");
    record.put(Place::Header, "very-secret-token");
    record.rows.push(Row {
        at: Millis(0),
        event: Event::LoggedIn { conn: ConnId(1), user: "alice-and-bob".into(), resource: "web".into() },
    });
    record.frame(&message("alice-and-bob: my token is very-secret-token"));
    let (_, _, open) = record.written();
    assert!(open.contains("alice-and-bob: my token is redacted-token-"), "{open}");
    assert!(!open.contains("very-secret-token"), "{open}");
    assert!(!open.contains(r#""password":"alice-and-bob""#), "{open}");
}

#[test]
fn what_the_server_gave_out_stays() {
    let mut record = Record::default();
    record.request(|_| {}, &json!({ "access_token": "YWMt-000000001", "share-secret": "share-000001" }));
    record.put(Place::Login, "YWMt-000000001");
    record.put(Place::ShareSecret, "share-000001");
    let (rows, entries, _) = record.written();
    assert_eq!((rows, entries), (record.rows, record.entries), "a replay gives out the same");
}

#[test]
fn lengths_that_are_refused_stay_refused() {
    let mut record = Record::default();
    record.put(Place::Header, &"t".repeat(5_000));
    let (_, entries, _) = record.written();
    let Given::Http { request, .. } = &entries[0].given else { panic!("a request") };
    assert_eq!(request.token.as_ref().map(String::len), Some(5_000));
}
