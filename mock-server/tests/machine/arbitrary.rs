//! Whatever strangers do, in whatever order: the machine stands, what it sends can be read, the conversation of
//! two bystanders goes on, and the same inputs give the same outputs.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use fixtures::wire::{
    CommSyncUl, Jid, MSync, MessageBody, Meta, MucBody, Provision, RosterBody, USER_DOMAIN, m_sync,
    message_body, meta,
};
use mock_server::control::{Control, Fault, MessageKind, SettingsPatch, Webhook};
use mock_server::machine::rest::Method;
use mock_server::machine::{ConnId, Input, WebhookAnswer};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use prost::Message as _;
use serde_json::json;

use crate::arbitrary_calls::{Asked, FIRST_ID, MADE, any_call};
use crate::world::{APP_KEY, Login, World, body, body_of, config, jid, json_of, msync, text_of};

/// One thing that happens. Connections are picked among those that strangers have.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Open,
    Frame(Index, Vec<u8>),
    Close(Index),
    Http(Asked),
    Control(Control),
    /// An app's server answers one of the questions that are open.
    Webhook(Index, WebhookAnswer),
    Wait(u64),
    /// Anna writes to bernd.
    Write,
    /// Bernd pulls all there is.
    Read,
}

/// Every frame that a real SDK sent in fixtures/frames.
static CAPTURED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/frames");
    let mut frames = Vec::new();
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for line in text.lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("a row is JSON");
            if row["dir"] == "c2s" {
                frames.push(unhex(row["hex"].as_str().expect("a row has its bytes")));
            }
        }
    }
    assert!(frames.len() > 300, "only {} frames were read", frames.len());
    frames
});

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

/// Strangers, bystanders, captured users, nobody, and names that are none.
fn any_name() -> impl Strategy<Value = String> {
    const NAMES: &[&str] =
        &["mallory", "Trudy", "anna", "bernd", "alice", "bob", "7", "8", MADE[0], MADE[1], "nobody", ""];
    prop_oneof![
        6 => select(NAMES).prop_map(str::to_owned),
        3 => Just("bernd".to_owned()),
        1 => ".{0,70}",
    ]
}

/// What strangers call themselves: never a bystander, whose own second device could rightly send the first away.
fn any_stranger() -> impl Strategy<Value = String> {
    select(&["mallory", "Trudy", "alice", "bob"][..]).prop_map(str::to_owned)
}

fn any_jid() -> impl Strategy<Value = Jid> {
    let domain = select(&[USER_DOMAIN, "conference.easemob.com", "@easemob.com", "", "elsewhere"][..]);
    (any_name(), domain, option::weighted(0.2, ".{0,20}"), any::<bool>()).prop_map(
        |(name, domain, app, whole)| {
            let app_key = app.or_else(|| whole.then(|| APP_KEY.to_owned()));
            Jid { app_key, name: Some(name), domain: Some(domain.to_owned()), client_resource: None }
        },
    )
}

/// A field of any number and wire type, that may or may not be what stands there in the schema, nor whole.
fn any_field() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![
        4 => 1..12_u64,
        2 => 12..30_u64,
        1 => Just(1 << 29),
        1 => Just(1 << 30),
        1 => any::<u32>().prop_map(u64::from),
    ];
    (number, 0..8_u64, vec(any::<u8>(), 0..12), any::<bool>()).prop_map(|(number, kind, content, whole)| {
        let mut field = Vec::new();
        prost::encoding::encode_varint(number << 3 | kind, &mut field);
        match (whole, kind) {
            (true, 0) => prost::encoding::encode_varint(content.len() as u64 * 77, &mut field),
            (true, 1) => field.extend([7; 8]),
            (true, 2) => {
                prost::encoding::encode_varint(content.len() as u64, &mut field);
                field.extend(content);
            }
            (true, 5) => field.extend([7; 4]),
            _ => field.extend(content),
        }
        field
    })
}

fn with_fields(message: &impl prost::Message, fields: Vec<Vec<u8>>) -> Vec<u8> {
    fields.into_iter().fold(message.encode_to_vec(), |mut bytes, field| {
        bytes.extend(field);
        bytes
    })
}

/// Most often none.
fn fields() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop_oneof![2 => Just(Vec::new()), 1 => vec(any_field(), 1..4)]
}

fn any_login() -> impl Strategy<Value = Vec<u8>> {
    let token = select(&["", "$t$", "$t$t-mallory", "$t$t-anna", "$t$x"][..]);
    (any_stranger(), "[a-c]{0,2}", token, fields(), fields()).prop_map(
        |(name, resource, token, outer, inner)| {
            let provision = Provision { resource: Some(resource.clone()), ..Provision::default() };
            let login = MSync {
                guid: Some(Jid { client_resource: Some(resource), ..jid(&name, USER_DOMAIN) }),
                auth: Some(token.to_owned()),
                command: Some(m_sync::Command::Provision as i32),
                payload: Some(with_fields(&provision, inner).into()),
                ..MSync::default()
            };
            // A field 2 behind the guid would be another guid, and might name a bystander.
            let outer = outer.into_iter().filter(|field| field.first().is_some_and(|key| key >> 3 != 2));
            with_fields(&login, outer.collect())
        },
    )
}

/// A SYNC with this meta, into which `fields` are put.
fn sync(meta: &Meta, fields: Vec<Vec<u8>>) -> Vec<u8> {
    let meta = with_fields(meta, fields);
    let mut payload = vec![0x0a];
    prost::encoding::encode_varint(meta.len() as u64, &mut payload);
    payload.extend(meta);
    msync(m_sync::Command::Sync, payload)
}

fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![4 => Just(Some(1)), 1 => Just(None), 4 => (-1..10_i32).prop_map(Some)];
    let scope = option::of(-1..4_i32);
    let told = option::weighted(0.3, select(&[r#"{"thread":{}}"#, r#"{"x":1}"#, "[]", "{"][..]));
    // Of the first messages of a world, or of none.
    let about = option::of(prop_oneof![9 => (0..40_u64).prop_map(|n| FIRST_ID + n), 1 => any::<u64>()]);
    let asks = option::of(any::<bool>());
    let names = (any_name(), any_name());
    let parts = (kind, names, ".{0,20}", fields(), any::<bool>(), about, asks, 0..10_i32, (scope, told));
    let any_body = parts.prop_map(|(kind, (from, to), text, fields, empty, about, asks, content, of_4x)| {
        let mut body = body(message_body::Type::Chat, &from, &to, &text);
        body.contents[0].r#type = Some(content);
        let msg_config = asks.map(|asks| message_body::MessageConfig { allow_group_ack: Some(asks) });
        let (edit_scope, told) = of_4x;
        let body = MessageBody {
            r#type: kind,
            ack_message_id: about,
            edit_message_id: about,
            edit_scope,
            meta: told.map(str::to_owned),
            msg_config,
            ..body
        };
        let mut bytes = with_fields(&body, fields);
        if empty {
            bytes.extend([0x22, 0x00]);
        }
        bytes
    });
    let payload = prop_oneof![
        6 => any_body.prop_map(Some),
        1 => vec(any::<u8>(), 0..20).prop_map(Some),
        1 => Just(None),
    ];
    let id = prop_oneof![1 => 0..6_u64, 2 => any::<u64>()].prop_map(Some);
    let ns = prop_oneof![8 => Just(1), 1 => -1..9_i32];
    let to = prop_oneof![1 => Just(None), 6 => any_jid().prop_map(Some), 9 => Just(Some(jid("bernd", USER_DOMAIN)))];
    let route = (option::weighted(0.3, -1..4_i32), vec(any_name(), 0..3));
    (prop_oneof![9 => id, 1 => Just(None)], to, ns, payload, route, fields()).prop_map(
        |(id, to, ns, payload, (routetype, directed_users), fields)| {
            let payload = payload.map(Into::into);
            let meta = Meta { id, to, ns: Some(ns), payload, routetype, directed_users, ..Meta::default() };
            sync(&meta, fields)
        },
    )
}

fn any_visit() -> impl Strategy<Value = Vec<u8>> {
    let operation = prop_oneof![3 => 2..4_i32, 1 => -1..47_i32];
    let parts = (0..4_u64, operation, option::of(any_jid()), any::<bool>(), ".{0,20}", fields());
    parts.prop_map(|(id, operation, muc_id, leaves, ext, fields)| {
        let body = MucBody {
            operation: Some(operation),
            muc_id,
            leave_other_rooms: Some(leaves),
            ext: Some(ext),
            ..MucBody::default()
        };
        let ns = Some(meta::NameSpace::Muc as i32);
        let payload = Some(with_fields(&body, fields).into());
        sync(&Meta { id: Some(id), ns, payload, ..Meta::default() }, Vec::new())
    })
}

fn any_roster() -> impl Strategy<Value = Vec<u8>> {
    (0..11_i32, vec(any_jid(), 0..3), any::<bool>(), fields()).prop_map(|(operation, to, both, fields)| {
        let body =
            RosterBody { operation: Some(operation), to, bi_direction: Some(both), ..RosterBody::default() };
        let ns = Some(meta::NameSpace::Roster as i32);
        let payload = Some(with_fields(&body, fields).into());
        sync(&Meta { id: Some(1), ns, payload, ..Meta::default() }, Vec::new())
    })
}

fn any_pull() -> impl Strategy<Value = Vec<u8>> {
    let key = option::of(prop_oneof![0..4_u64, (0..4_u64).prop_map(|n| n * 1_000), any::<u64>()]);
    (any_jid(), key, fields()).prop_map(|(queue, key, fields)| {
        let pull = CommSyncUl { queue: Some(queue), key, ..CommSyncUl::default() };
        msync(m_sync::Command::Sync, with_fields(&pull, fields))
    })
}

/// A captured frame, damaged somewhere.
fn any_damaged() -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<Index>(), 0..4, any::<Index>(), any::<u8>(), any::<Index>());
    damage.prop_map(|(which, how, at, byte, other)| {
        let mut frame = which.get(&CAPTURED).clone();
        let at = at.index(frame.len());
        match how {
            0 => frame[at] = byte,
            1 => frame.truncate(at),
            2 => frame.insert(at, byte),
            _ => {
                let other = other.get(&CAPTURED);
                frame.truncate(at);
                frame.extend(&other[at.min(other.len())..]);
            }
        }
        frame
    })
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let command = (0..6_u8).prop_map(|command| vec![0x08, 0x00, 0x40, command]);
    prop_oneof![
        3 => any_login(),
        6 => any_message(),
        2 => any_pull(),
        1 => any_roster(),
        1 => any_visit(),
        2 => command,
        4 => any_damaged(),
        1 => vec(any::<u8>(), 0..40),
    ]
}

fn any_http() -> impl Strategy<Value = Step> {
    let method = select(&[Method::Get, Method::Post, Method::Put, Method::Delete][..]);
    let first = select(&["users", "token", "chatgroups", "chatrooms", "publicchatgroups", "", "é"][..]);
    let second = select(&["", "7", "8", "100000000000001", "mallory", "anna", "mallory,anna"][..]);
    const THIRD: &[&str] = &[
        "",
        "users",
        "apply",
        "apply_verify",
        "invite",
        "invite_verify",
        "quit",
        "blocks",
        "joined_chatgroups",
    ];
    let fourth = select(&["", "users", "anna", "mallory", "mallory,bernd", ","][..]);
    let token = option::of(select(&["t-mallory", "t-trudy", "x"][..]).prop_map(str::to_owned));
    let word = || select(&["mallory", "anna", "emil", "", "a b"][..]);
    let body = prop_oneof![
        word().prop_map(|name| format!(r#"{{"usernames":["{name}","bernd"]}}"#)),
        word().prop_map(|name| format!(r#"{{"grant_type":"password","username":"{name}","password":"pw"}}"#)),
        word().prop_map(|name| format!(r#"{{"username":"{name}","password":"x"}}"#)),
        word().prop_map(|name| format!(r#"{{"applicant":"{name}","verifyResult":true}}"#)),
        word().prop_map(|name| format!(r#"{{"groupname":"g","members":["{name}"],"approval":true}}"#)),
        ".{0,20}",
    ];
    (method, first, second, select(THIRD), fourth, token, body).prop_map(
        |(method, first, second, third, fourth, token, body)| {
            let path = [first, second, third, fourth].join("/");
            let path = format!("/{}", path.trim_end_matches('/'));
            Step::Http(Asked { method, path, token, body: body.into() })
        },
    )
}

fn any_control() -> impl Strategy<Value = Control> {
    let on = || option::of(any::<bool>());
    let of_4x = (on(), on(), on(), option::of(0..3_u32), option::of(0..3_u32));
    let more = (on(), on(), on(), on(), option::of(0..100_u64), on(), on(), of_4x);
    let patch = (on(), on(), on(), on(), option::of(0..100_u64), more).prop_map(
        |(strict, one_device, serving, open_registration, token_ttl_ms, more)| {
            let message_bytes_max = None;
            let (recall, admins_recall, antispam, group_receipts, recall_window_ms, listed, asking, of_4x) =
                more;
            let (reactions, modify, threads, modify_count_max, presence_subscriptions_max) = of_4x;
            SettingsPatch {
                reactions,
                modify,
                threads,
                modify_count_max,
                presence_subscriptions_max,
                recall,
                admins_recall,
                antispam,
                group_receipts,
                recall_window_ms,
                // Bystanders write numbers, and no pictures.
                words: listed.map(|listed| if listed { vec!["a".to_owned()] } else { Vec::new() }),
                webhooks: asking.map(|asking| if asking { vec![rule(), rule()] } else { Vec::new() }),
                strict,
                one_device,
                serving,
                open_registration,
                message_bytes_max,
                token_ttl_ms,
                ..SettingsPatch::default()
            }
        },
    );
    let fault = (any_stranger(), 0..9, -1..22_i32, any::<u16>()).prop_map(|(user, which, code, close)| {
        let (device, reason) = (None, "sensitive words".to_owned());
        match which {
            0 => Fault::Cut { user, device },
            1 => Fault::Close { user, device, code: close },
            2 => Fault::DropNextAnswer { user },
            3 => Fault::CutInsteadOfAnswer { user },
            4 => Fault::Mute { user },
            5 => Fault::RefuseLogin { user, code, reason },
            6 => Fault::DropNextProvision { user },
            7 => Fault::AnswerHttp { path: STAGED.into(), status: close, body: reason, user: None },
            _ => Fault::AnswerStatus { user, code, reason },
        }
    });
    prop_oneof![
        patch.prop_map(Control::Settings),
        fault.prop_map(Control::Fault),
        (any_stranger(), any_name(), 0..70_u32).prop_map(|(from, to, count)| Control::Texts {
            from,
            to,
            text: "#".into(),
            count
        }),
        (any_name(), any_stranger(), vec(any_name(), 0..3)).prop_map(|(id, owner, members)| Control::Group {
            id,
            owner,
            members
        }),
        (any_name(), any_stranger(), vec(any_name(), 0..3)).prop_map(|(id, owner, members)| Control::Room {
            id,
            owner,
            members
        }),
        (any_stranger(), vec(any_name(), 0..3)).prop_map(|(user, blocked)| Control::Block { user, blocked }),
        any_stranger().prop_map(|name| Control::User { name, password: "pw".into() }),
        any_stranger().prop_map(|user| Control::RemoveUser { user }),
        (any_name(), any_stranger(), 0..6).prop_map(|(id, user, which)| {
            let users = vec![user];
            match which {
                0 => Control::Join { id, users },
                1 => Control::Leave { id, users },
                2 => Control::Remove { id, users },
                3 => Control::Admins { id, users },
                4 => Control::Mute { id, users, ms: Some(10) },
                _ => Control::Dissolve { id },
            }
        }),
        (any_stranger(), -1..100_i64).prop_map(|(user, ttl_ms)| {
            let token = format!("t-{}", user.to_ascii_lowercase());
            Control::Token { user, token, ttl_ms }
        }),
    ]
}

/// A rule that no bystander meets.
fn rule() -> Webhook {
    let kinds = vec![MessageKind::Image, MessageKind::Custom];
    Webhook { url: "http://127.0.0.1:1".into(), kinds, ..Webhook::default() }
}

fn any_answer() -> impl Strategy<Value = WebhookAnswer> {
    const BODIES: &[&str] = &[
        r#"{"valid":true}"#,
        r#"{"valid":false}"#,
        r#"{"valid":true,"payload":{"bodies":[{"type":"txt","msg":"x"}]}}"#,
        "rubbish",
    ];
    let answered = select(BODIES).prop_map(|body| WebhookAnswer::Answered { status: 200, body: body.into() });
    prop_oneof![4 => answered, 1 => Just(WebhookAnswer::TimedOut)]
}

pub(crate) fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Open),
        12 => (any::<Index>(), any_frame()).prop_map(|(conn, frame)| Step::Frame(conn, frame)),
        1 => any::<Index>().prop_map(Step::Close),
        2 => any_http(),
        12 => any_call().prop_map(Step::Http),
        2 => any_control().prop_map(Step::Control),
        2 => (any::<Index>(), any_answer()).prop_map(|(which, answer)| Step::Webhook(which, answer)),
        1 => (0..100_u64).prop_map(Step::Wait),
        3 => Just(Step::Write),
        2 => Just(Step::Read),
    ]
}

/// A street with strangers in it, and two who talk.
pub(crate) struct Street {
    pub(crate) world: World,
    pub(crate) strangers: Vec<ConnId>,
    pub(crate) anna: ConnId,
    pub(crate) bernd: ConnId,
    pub(crate) written: Vec<u64>,
    pub(crate) read: Vec<u64>,
    /// How many requests to [`STAGED`] are still to be answered as staged.
    staged: usize,
}

/// Where a request may meet a staged answer: bystanders ask for nothing there.
const STAGED: &str = "/token";

impl Street {
    pub(crate) fn new() -> Self {
        let mut world = World::lax();
        for user in ["anna", "bernd", "mallory", "trudy"] {
            world.register(user);
        }
        for (id, room) in [("7", false), ("8", true)] {
            let (id, owner) = (id.to_owned(), "mallory".to_owned());
            let members = vec!["anna".to_owned(), "bernd".to_owned()];
            world.control(match room {
                false => Control::Group { id, owner, members },
                true => Control::Room { id, owner, members },
            });
        }
        let (anna, bernd) = (world.connect("anna", "a"), world.connect("bernd", "b"));
        let (mallory, trudy) = (world.connect("mallory", "m"), world.connect("trudy", "t"));
        // Something to speak of: messages, a thread on the first, which is `MADE[0]`, and an invitation.
        let first = world.muc_text(mallory, message_body::Type::Groupchat, "7", "x");
        world.muc_text(mallory, message_body::Type::Chatroom, "8", "x");
        world.text(mallory, "trudy", "x");
        let thread = json!({ "name": "t", "msg_id": first.to_string(), "group_id": "7" });
        assert_eq!(world.rest(Method::Post, "/thread", "mallory", &thread).0, 200);
        world.muc_text(mallory, message_body::Type::Groupchat, "7", "x");
        let asks = json!({ "usernames": ["mallory"] });
        assert_eq!(world.rest(Method::Post, "/users/trudy/contacts/apply", "trudy", &asks).0, 200);
        let strangers = vec![mallory, trudy, world.open()];
        Self { world, strangers, anna, bernd, written: Vec::new(), read: Vec::new(), staged: 0 }
    }

    pub(crate) fn step(&mut self, step: Step) {
        match step {
            Step::Open => {
                let conn = self.world.open();
                self.strangers.push(conn);
            }
            Step::Frame(which, frame) => {
                let conn = which.get(&self.strangers);
                self.world.frame(*conn, frame);
            }
            Step::Close(which) => self.come_back(which.index(self.strangers.len())),
            Step::Http(asked) => self.ask(asked),
            // Whether it is refused is not the point here.
            Step::Control(control) => {
                let stages = matches!(control, Control::Fault(Fault::AnswerHttp { .. }));
                let done = self.world.try_control(control).is_ok();
                self.staged += usize::from(stages && done);
            }
            Step::Webhook(which, answer) if !self.world.webhooks.is_empty() => {
                let (id, _) = self.world.webhooks.remove(which.index(self.world.webhooks.len()));
                self.world.input(Input::Webhook { id, answer });
            }
            Step::Webhook(..) => {}
            Step::Wait(ms) => self.world.now.0 += ms,
            Step::Write => {
                let text = self.written.len().to_string();
                self.written.push(self.world.text(self.anna, "bernd", &text));
            }
            Step::Read => self.read(),
        }
    }

    fn ask(&mut self, Asked { method, path, token, body }: Asked) {
        let response = self.world.request(method, &path, token.as_deref(), body.into());
        if self.staged > 0 && path.contains(STAGED) {
            self.staged -= 1;
            return;
        }
        let answer = json_of(&response);
        let good = response.status == 200;
        assert!(good || (400..430).contains(&response.status), "{response:?}");
        assert_eq!(answer.get("error").is_none(), good, "{answer}");
    }

    /// The stranger's link goes, and he tries again.
    pub(crate) fn come_back(&mut self, which: usize) {
        self.world.hang_up(self.strangers[which]);
        let user = ["mallory", "trudy"][which % 2];
        // Whether he is let in, or answered at all, is as it may be.
        let conn = self.world.open();
        self.world.frame(conn, Login::new(user, "again").encode());
        self.strangers[which] = conn;
    }

    fn read(&mut self) {
        for meta in self.world.catch_up(self.bernd) {
            // Strangers may ask bernd to be a contact, and put him into their groups.
            if meta.ns != Some(meta::NameSpace::Chat as i32) {
                continue;
            }
            // Whoever wrote it: what cannot be decoded would cost bernd the rest of the page (wire-3x §4.3).
            body_of(&meta);
            let from = meta.from.as_ref().and_then(|from| from.name.as_deref());
            if from == Some("anna") {
                assert_eq!(text_of(&meta), self.read.len().to_string());
                self.read.extend(meta.id);
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_that_strangers_do_breaks_the_world(steps in vec(any_step(), 1..80)) {
        let mut street = Street::new();
        for step in steps {
            street.step(step);
            // Who was told to go goes, and is back at once: nothing is learnt from frames that nobody reads.
            for which in 0..street.strangers.len() {
                if street.world.closed(street.strangers[which]).is_some() {
                    street.come_back(which);
                }
            }
        }
        street.step(Step::Write);
        street.step(Step::Read);
        prop_assert_eq!(&street.read, &street.written, "each once, in its order");
        prop_assert_eq!(street.world.unreadable, 0);
        for conn in [street.anna, street.bernd] {
            prop_assert!(street.world.is_open(conn) && street.world.closed(conn).is_none());
        }
        let bystander = |line: &String| line.starts_with("bernd/");
        prop_assert!(!street.world.server.unfinished().iter().any(bystander));
        let (again, first) = street.world.replay(config());
        prop_assert_eq!(&again[..], first, "the same inputs, the same outputs");
    }
}

#[test]
fn every_captured_frame_is_borne_as_it_is() {
    let mut street = Street::new();
    let conn = street.strangers[0];
    for frame in CAPTURED.iter() {
        let login = MSync::decode(frame.as_slice()).is_ok_and(|frame| frame.command == Some(3));
        let conn = if login || street.world.closed(conn).is_some() { street.world.open() } else { conn };
        street.world.frame(conn, frame.clone());
    }
    street.step(Step::Write);
    street.step(Step::Read);
    assert_eq!(street.read, street.written);
    assert_eq!(street.world.unreadable, 0);
}
