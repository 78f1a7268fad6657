//! Every route of the API with what it wants, for tests that try bad input on all of them.
//!
//! `bad_input` holds this table against the server's own: a route without a row fails there.

use mock_server::machine::rest::Method::{self, Delete, Get, Post, Put};

/// A method of a path.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) method: Method,
    /// As the server's table spells it.
    pub(crate) path: String,
    /// What stands in its braces in `rest::town`.
    pub(crate) args: Vec<&'static str>,
    pub(crate) who: Who,
    pub(crate) takes: Takes,
}

/// Whose token it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Anyone,
    User(&'static str),
    App,
}

/// What its body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Not looked at.
    Nothing,
    /// JSON like this; without one of these fields it is refused.
    Json(&'static str, &'static [&'static str]),
    /// A bare JSON list like this.
    List(&'static str),
    /// JSON, or a form, of which whatever is there is taken.
    Form,
    /// A file in a multipart body.
    File,
}

use Takes::{File, Form, Json, List, Nothing};
use Who::{Anyone, App, User};

const ALICE: Who = User("alice");
const NAMES: Takes = Json(r#"{"usernames":["bob"]}"#, &["usernames"]);
const SESSION: Takes = Json(r#"{"channel":"bob","type":"chat","delete_roam":true}"#, &["channel", "type"]);
const TARGET: Takes = Json(r#"{"to":"bob","type":"chat"}"#, &["to", "type"]);
const MARKING: Takes =
    Json(r#"{"mark":"mark_1","targets":[{"to":"bob","type":"chat"}]}"#, &["mark", "targets"]);
const PIN: Takes = Json(r#"{"to":"bob","type":"chat","pin_msg_id":"1"}"#, &["to", "type", "pin_msg_id"]);
const SEND: Takes =
    Json(r#"{"from":"alice","to":["bob"],"type":"txt","body":{"msg":"hi"}}"#, &["to", "type", "body"]);
const IMPORT: Takes = Json(
    r#"{"from":"alice","target":"bob","type":"txt","body":{"msg":"hi"}}"#,
    &["from", "target", "type", "body"],
);
const RECALL: Takes =
    Json(r#"{"msg_id":"1","to":"bob","chat_type":"chat","force":true}"#, &["msg_id", "chat_type"]);

const TEXTS: Takes = Json(r#"{"metaData":{"k":"v"}}"#, &["metaData"]);
const KEYS: Takes = Json(r#"{"keys":["k"]}"#, &["keys"]);
const TARGETS: Takes = Json(r#"{"targets":["bob"],"properties":["k"]}"#, &["targets"]);

/// All of them.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        row(
            Post,
            "/token",
            &[],
            Anyone,
            Json(r#"{"grant_type":"password","username":"alice","password":"pw"}"#, &["grant_type"]),
        ),
        row(Get, "/sdk/users/{user}/token/expires", &["alice"], ALICE, Nothing),
        row(
            Post,
            "/users",
            &[],
            Anyone,
            Json(r#"{"username":"emil","password":"pw","nickname":"e"}"#, &["username", "password"]),
        ),
        row(Get, "/users", &[], App, Nothing),
        row(Delete, "/users", &[], App, Nothing),
        row(Get, "/users/{user}", &["bob"], App, Nothing),
        row(Put, "/users/{user}", &["alice"], ALICE, Json(r#"{"nickname":"n"}"#, &[])),
        row(Delete, "/users/{user}", &["bob"], App, Nothing),
        row(Put, "/users/{user}/password", &["bob"], App, Json(r#"{"newpassword":"p"}"#, &["newpassword"])),
        row(Post, "/users/{user}/password", &["bob"], App, Json(r#"{"newpassword":"p"}"#, &["newpassword"])),
        row(Get, "/users/{user}/status", &["bob"], App, Nothing),
        row(Get, "/users/batch/status", &[], App, Nothing),
        row(Post, "/users/batch/status", &[], App, NAMES),
        row(Get, "/users/{user}/offline_msg_count", &["alice"], ALICE, Nothing),
        row(Get, "/users/{user}/offline_msg_status/{message}", &["alice", "1"], ALICE, Nothing),
        row(Post, "/users/{user}/deactivate", &["bob"], App, Nothing),
        row(Post, "/users/{user}/activate", &["bob"], App, Nothing),
        row(Get, "/users/{user}/disconnect", &["bob"], App, Nothing),
        row(Get, "/mutes", &[], App, Nothing),
        row(Post, "/mutes", &[], App, Json(r#"{"username":"bob","chat":60}"#, &["username"])),
        row(Get, "/mutes/{user}", &["bob"], App, Nothing),
        row(Get, "/metadata/user/{user}", &["alice"], ALICE, Nothing),
        row(Put, "/metadata/user/{user}", &["alice"], ALICE, Form),
        row(Delete, "/metadata/user/{user}", &["alice"], App, Nothing),
        row(Get, "/metadata/user/get", &[], App, Nothing),
        row(
            Post,
            "/metadata/user/get",
            &[],
            ALICE,
            Json(r#"{"targets":["bob"],"properties":["nickname"]}"#, &["targets"]),
        ),
        row(Get, "/metadata/user/capacity", &[], App, Nothing),
        row(Post, "/chatfiles", &[], ALICE, File),
        row(Get, "/chatfiles/{uuid}", &["none"], ALICE, Nothing),
        row(Post, "/sdk/chatfiles/part-upload", &[], ALICE, Nothing),
        row(Put, "/sdk/chatfiles/part-upload/{uuid}", &["none"], ALICE, File),
        row(Post, "/sdk/chatfiles/part-upload/{uuid}", &["none"], ALICE, Nothing),
        row(Delete, "/sdk/chatfiles/part-upload/{uuid}", &["none"], ALICE, Nothing),
        row(
            Post,
            "/users/{user}/messageroaming",
            &["alice"],
            ALICE,
            Json(r#"{"queue":"bob@easemob.com","start":-1,"pull_number":10}"#, &["queue"]),
        ),
        row(Get, "/users/{user}/user_channels", &["alice"], ALICE, Nothing),
        row(Get, "/users/{user}/user_channels/page", &["alice"], ALICE, Nothing),
        row(Delete, "/user/{user}/user_channel", &["alice"], ALICE, SESSION),
        row(Delete, "/users/{user}/user_channel", &["alice"], ALICE, SESSION),
        row(Get, "/sdk/user/{user}/user_channels/list", &["alice"], ALICE, Nothing),
        row(Get, "/sdk/user/{user}/user_channels/mark/search", &["alice"], ALICE, Nothing),
        row(Post, "/sdk/user/{user}/user_channels/mark", &["alice"], ALICE, MARKING),
        row(Delete, "/sdk/user/{user}/user_channels/mark", &["alice"], ALICE, MARKING),
        row(Post, "/sdk/user/{user}/user_channel/top", &["alice"], ALICE, TARGET),
        row(Delete, "/sdk/user/{user}/user_channel/top", &["alice"], ALICE, TARGET),
        row(Get, "/sdk/user/{user}/user_channel/pin", &["alice"], ALICE, Nothing),
        row(Post, "/sdk/user/{user}/user_channel/pin", &["alice"], ALICE, PIN),
        row(Delete, "/sdk/user/{user}/user_channel/pin", &["alice"], ALICE, PIN),
        row(Post, "/sdk/message/roaming/user/{user}/delete/all", &["alice"], ALICE, Nothing),
        row(Delete, "/sdk/message/roaming/chat/user/{user}", &["alice"], ALICE, Nothing),
        row(Delete, "/sdk/message/roaming/group/user/{user}", &["alice"], ALICE, Nothing),
        row(Delete, "/sdk/message/roaming/chat/user/{user}/time", &["alice"], ALICE, Nothing),
        row(Delete, "/sdk/message/roaming/group/user/{user}/time", &["alice"], ALICE, Nothing),
        row(Get, "/chatgroups/{id}/acks/{message}", &["9", "1"], ALICE, Nothing),
        row(Post, "/messages/users", &[], App, SEND),
        row(Post, "/messages/chatgroups", &[], App, SEND),
        row(Post, "/messages/chatrooms", &[], App, SEND),
        row(Post, "/messages/users/import", &[], App, IMPORT),
        row(Post, "/messages/chatgroups/import", &[], App, IMPORT),
        row(Post, "/messages/msg_recall", &[], App, RECALL),
        row(Post, "/messages/recall", &[], App, RECALL),
        row(Get, "/chatmessages/{hour}", &["2021123108"], App, Nothing),
        row(Get, "/users/{user}/blocks/users", &["alice"], ALICE, Nothing),
        row(Post, "/users/{user}/blocks/users", &["alice"], ALICE, NAMES),
        row(Delete, "/users/{user}/blocks/users/{other}", &["alice", "dora"], ALICE, Nothing),
        row(Get, "/users/{user}/contacts/users", &["alice"], ALICE, Nothing),
        row(Post, "/users/{user}/contacts/users/{other}", &["alice", "bob"], ALICE, Nothing),
        row(Delete, "/users/{user}/contacts/users/{other}", &["alice", "bob"], ALICE, Nothing),
        row(
            Put,
            "/users/{user}/contacts/users/{other}",
            &["alice", "dora"],
            ALICE,
            Json(r#"{"remark":"r"}"#, &["remark"]),
        ),
        row(Get, "/users/{user}/contacts", &["alice"], ALICE, Nothing),
        row(
            Post,
            "/users/{user}/contacts/apply",
            &["alice"],
            ALICE,
            Json(r#"{"usernames":["bob"],"reason":"hi"}"#, &["usernames"]),
        ),
        row(Post, "/users/{user}/contacts/accept/users/{other}", &["alice", "bob"], ALICE, Nothing),
        row(Post, "/users/{user}/contacts/decline/users/{other}", &["alice", "bob"], ALICE, Nothing),
        row(Post, "/sdk/user/{user}/blocks", &["alice"], ALICE, NAMES),
        row(
            Post,
            "/users/{user}/presence/{resource}/{status}",
            &["alice", "web", "1"],
            ALICE,
            Json(r#"{"ext":"busy"}"#, &[]),
        ),
        row(Post, "/users/{user}/presence/{expiry}", &["alice", "60"], ALICE, NAMES),
        row(Post, "/users/{user}/presence", &["alice"], ALICE, NAMES),
        row(Delete, "/users/{user}/presence", &["alice"], ALICE, List(r#"["bob"]"#)),
        row(Get, "/users/{user}/presence/sublist", &["alice"], ALICE, Nothing),
        row(
            Post,
            "/reaction/user/{user}",
            &["alice"],
            ALICE,
            Json(r#"{"msgId":"1","message":"+"}"#, &["msgId", "message"]),
        ),
        row(Delete, "/reaction/user/{user}", &["alice"], ALICE, Nothing),
        row(Get, "/reaction/user/{user}", &["alice"], ALICE, Nothing),
        row(Get, "/reaction/user/{user}/detail", &["alice"], ALICE, Nothing),
        row(Get, "/users/{user}/notification/user/{other}", &["alice", "bob"], ALICE, Nothing),
        row(
            Put,
            "/users/{user}/notification/user/{other}",
            &["alice", "bob"],
            ALICE,
            Json(r#"{"type":"NONE"}"#, &["type"]),
        ),
        row(Get, "/users/{user}/notification/chatgroup/{id}", &["alice", "9"], ALICE, Nothing),
        row(
            Put,
            "/users/{user}/notification/chatgroup/{id}",
            &["alice", "9"],
            ALICE,
            Json(r#"{"ignoreDuration":60000}"#, &["ignoreDuration"]),
        ),
        row(Get, "/users/{user}/notification", &["alice"], ALICE, Nothing),
        row(Get, "/users/{user}/notification/mute/type", &["alice"], ALICE, Nothing),
        row(Get, "/users/{user}/notification/language", &["alice"], ALICE, Nothing),
        row(
            Put,
            "/users/{user}/notification/language",
            &["alice"],
            ALICE,
            Json(r#"{"translationLanguage":"de"}"#, &["translationLanguage"]),
        ),
        row(
            Post,
            "/users/{user}/translate",
            &["alice"],
            ALICE,
            Json(r#"{"text":"hi","to":["de"]}"#, &["text", "to"]),
        ),
        row(Get, "/users/{user}/translate/support/language", &["alice"], ALICE, Nothing),
        row(
            Post,
            "/user/{user}/moderation/report/message/{message}",
            &["alice", "1"],
            ALICE,
            Json(r#"{"username":"alice","reportType":"adult","reportReason":"r"}"#, &["reportType"]),
        ),
        row(Get, "/users/{user}/resources", &["alice"], ALICE, Nothing),
        row(Get, "/users/{user}/token/rtc", &["alice"], ALICE, Nothing),
        row(Post, "/rtc_mapper/batch/get", &[], ALICE, Json(r#"{"data":[1]}"#, &["data"])),
        row(Delete, "/sdk/user/{user}/blocks", &["alice"], ALICE, NAMES),
        row(Get, "/users/{user}/joined_chatgroups", &["alice"], ALICE, Nothing),
        row(Get, "/chatgroups/user/{user}", &["alice"], ALICE, Nothing),
        row(Get, "/chatgroups/user/{user}/joined_count", &["alice"], ALICE, Nothing),
        row(Get, "/users/{user}/joined_chatrooms", &["alice"], ALICE, Nothing),
        row(Get, "/sdk/chatgroups/{id}/mute/{user}", &["9", "alice"], ALICE, Nothing),
        row(Get, "/sdk/chatrooms/{id}/mute/{user}", &["10", "alice"], ALICE, Nothing),
        row(Post, "/metadata/chatroom/{id}", &["10"], ALICE, Json(r#"{"keys":["k"]}"#, &[])),
        row(Put, "/metadata/chatroom/{id}/user/{user}", &["10", "alice"], ALICE, TEXTS),
        row(Put, "/metadata/chatroom/{id}/user/{user}/forced", &["10", "alice"], ALICE, TEXTS),
        row(Delete, "/metadata/chatroom/{id}/user/{user}", &["10", "alice"], ALICE, KEYS),
        row(Delete, "/metadata/chatroom/{id}/user/{user}/forced", &["10", "alice"], ALICE, KEYS),
        row(Put, "/sdk/metadata/chatgroup/{id}/user/{user}", &["9", "alice"], ALICE, TEXTS),
        row(Get, "/sdk/metadata/chatgroup/{id}/user/{user}", &["9", "alice"], ALICE, Nothing),
        row(Put, "/metadata/chatgroup/{id}/user/{user}", &["9", "bob"], App, TEXTS),
        row(Get, "/metadata/chatgroup/{id}/user/{user}", &["9", "bob"], App, Nothing),
        row(Post, "/sdk/metadata/chatgroup/{id}/get", &["9"], ALICE, TARGETS),
        row(Post, "/metadata/chatgroup/{id}/get", &["9"], App, TARGETS),
        row(
            Post,
            "/thread",
            &[],
            ALICE,
            Json(
                r#"{"name":"t","msg_id":"1","group_id":"9","owner":"alice"}"#,
                &["name", "msg_id", "group_id"],
            ),
        ),
        row(Get, "/thread/{id}", &["1"], ALICE, Nothing),
        row(Put, "/thread/{id}", &["1"], ALICE, Nothing),
        row(Delete, "/thread/{id}", &["1"], ALICE, Nothing),
        row(Post, "/thread/{id}/user/{user}/join", &["1", "alice"], ALICE, Nothing),
        row(Delete, "/thread/{id}/user/{user}/quit", &["1", "alice"], ALICE, Nothing),
        row(Get, "/thread/{id}/users", &["1"], ALICE, Nothing),
        row(Delete, "/thread/{id}/users/{user}", &["1", "bob"], ALICE, Nothing),
        row(Post, "/thread/message", &[], ALICE, Json(r#"{"threadIds":["1"]}"#, &["threadIds"])),
        row(Get, "/threads/chatgroups/{id}", &["9"], ALICE, Nothing),
        row(Get, "/threads/chatgroups/{id}/user/{user}", &["9", "alice"], ALICE, Nothing),
        row(Get, "/threads/user/{user}", &["alice"], ALICE, Nothing),
        row(Get, "/publicchatgroups", &[], ALICE, Nothing),
        row(
            Post,
            "/chatgroups/{id}/apply_verify",
            &["100000000000001"],
            ALICE,
            Json(r#"{"applicant":"carl","verifyResult":true,"reason":"r"}"#, &["applicant", "verifyResult"]),
        ),
        row(
            Post,
            "/chatgroups/{id}/invite",
            &["7"],
            ALICE,
            Json(r#"{"usernames":["carl"]}"#, &["usernames"]),
        ),
        row(
            Post,
            "/chatgroups/{id}/invite_verify",
            &["100000000000002"],
            User("carl"),
            Json(r#"{"invitee":"carl","verifyResult":true}"#, &["invitee", "verifyResult"]),
        ),
        row(Get, "/chatrooms/super_admin", &[], App, Nothing),
        row(Post, "/chatrooms/super_admin", &[], App, Json(r#"{"superadmin":"bob"}"#, &["superadmin"])),
        row(Delete, "/chatrooms/super_admin/{user}", &["alice"], App, Nothing),
    ];
    rows.extend(mucs("/chatgroups", "9"));
    rows.extend(mucs("/chatrooms", "10"));
    rows
}

/// What groups and rooms have alike.
fn mucs(root: &str, id: &'static str) -> Vec<Row> {
    let new = match root {
        "/chatgroups" => Json(r#"{"groupname":"g","members":["bob"],"maxusers":200,"public":true}"#, &[]),
        _ => Json(r#"{"name":"r","description":"d","maxusers":200,"members":["bob"]}"#, &[]),
    };
    let one =
        |method, tail: &str, who, takes| row(method, &format!("{root}/{{id}}{tail}"), &[id], who, takes);
    let of_one = |method, tail: &str, user, who| {
        row(method, &format!("{root}/{{id}}{tail}"), &[id, user], who, Nothing)
    };
    vec![
        row(Post, root, &[], ALICE, new),
        row(Get, root, &[], App, Nothing),
        one(Get, "", ALICE, Nothing),
        one(Put, "", ALICE, Json(r#"{"groupname":"n","description":"d"}"#, &[])),
        one(Delete, "", ALICE, Nothing),
        one(Get, "/users", ALICE, Nothing),
        one(Post, "/users", ALICE, Json(r#"{"usernames":["dora"]}"#, &["usernames"])),
        of_one(Post, "/users/{users}", "dora", ALICE),
        of_one(Delete, "/users/{users}", "carl", ALICE),
        one(Post, "/apply", User("carl"), Nothing),
        one(Delete, "/quit", User("bob"), Nothing),
        one(Get, "/admin", ALICE, Nothing),
        one(Post, "/admin", ALICE, Json(r#"{"newadmin":"carl"}"#, &["newadmin"])),
        of_one(Delete, "/admin/{user}", "bob", ALICE),
        one(Get, "/mute", ALICE, Nothing),
        one(Post, "/mute", ALICE, Json(r#"{"usernames":["bob"],"mute_duration":60000}"#, &["usernames"])),
        of_one(Delete, "/mute/{users}", "carl", ALICE),
        one(Get, "/blocks/users", ALICE, Nothing),
        one(Post, "/blocks/users", ALICE, NAMES),
        of_one(Post, "/blocks/users/{users}", "carl", ALICE),
        of_one(Delete, "/blocks/users/{users}", "dora", ALICE),
        one(Get, "/white/users", ALICE, Nothing),
        one(Post, "/white/users", ALICE, NAMES),
        of_one(Get, "/white/users/{users}", "carl", ALICE),
        of_one(Post, "/white/users/{users}", "bob", ALICE),
        of_one(Delete, "/white/users/{users}", "carl", ALICE),
        one(Post, "/disable", App, Nothing),
        one(Post, "/enable", App, Nothing),
        one(Post, "/ban", ALICE, Nothing),
        one(Delete, "/ban", ALICE, Nothing),
        one(Get, "/share_files", ALICE, Nothing),
        one(Post, "/share_files", ALICE, File),
        of_one(Get, "/share_files/{file}", "none", ALICE),
        of_one(Delete, "/share_files/{file}", "none", ALICE),
        one(Get, "/announcement", ALICE, Nothing),
        one(Post, "/announcement", ALICE, Json(r#"{"announcement":"a"}"#, &["announcement"])),
    ]
}

fn row(method: Method, path: &str, args: &[&'static str], who: Who, takes: Takes) -> Row {
    Row { method, path: path.to_owned(), args: args.to_vec(), who, takes }
}

impl Row {
    /// The path with these in its braces.
    pub(crate) fn with(&self, args: &[&str]) -> String {
        let mut args = args.iter();
        let segments = self.path.split('/').map(|segment| match segment.starts_with('{') {
            true => *args.next().expect("an argument for each brace"),
            false => segment,
        });
        let path = segments.collect::<Vec<_>>().join("/");
        assert!(args.next().is_none(), "{self:?} has more arguments than braces");
        path
    }

    /// As it is asked in `rest::town`.
    pub(crate) fn path(&self) -> String {
        self.with(&self.args)
    }
}
