//! Calls of the API as strangers make them: any of them, on what there may be in the world, with all that any call
//! reads of query and body.

use std::sync::LazyLock;

use fixtures::wire::{CONFERENCE_DOMAIN, USER_DOMAIN};
use mock_server::machine::rest::Method;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::routes::{Row, rows};

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// The id of a world's first message.
pub(crate) const FIRST_ID: u64 = 1_160_000_000_000_000_001;

/// The ids of the first groups, rooms and threads that strangers make over REST.
pub(crate) const MADE: [&str; 3] = ["100000000000001", "100000000000002", "100000000000003"];

/// One of them.
pub(crate) fn any_call() -> impl Strategy<Value = Asked> {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(rows);
    let user = || select(&["mallory", "trudy", "alice", "bob", "anna", "bernd", "nobody"][..]);
    // Of the first messages of a world, or of none.
    let id = || prop_oneof![6 => (0..8_u64).prop_map(|n| FIRST_ID + n), 3 => (0..40_u64).prop_map(|n| FIRST_ID + n), 1 => any::<u64>()];
    let word = || select(&["a", "b", "mark_1", "mark_20", "ALL", "NONE", "en", "m", "", "undefined"][..]);
    let kind = select(&["chat", "groupchat", "chatroom", "ALL", "DEFAULT", "x"][..]);
    let me = prop_oneof![4 => Just("mallory"), 2 => Just("trudy"), 1 => Just("alice")];
    let place =
        prop_oneof![3 => Just(None), 1 => select(&["7", "8", MADE[1], "bernd", "1"][..]).prop_map(Some)];
    let names =
        (prop_oneof![2 => vec(user(), 1..3), 1 => vec(user(), 0..5)], user(), word(), word(), kind, place);
    let numbers = (id(), id(), 0..4_u64, any::<bool>());
    (any::<Index>(), (me, 0..10), names, numbers).prop_map(|(row, (me, token), names, numbers)| {
        let Row { method, path, .. } = row.get(&ROWS).clone();
        let (names, other_user, word, other, kind, place) = names;
        let (id, other_id, number, on) = numbers;
        // What the call is most likely about.
        let likely = match (path.starts_with("/thread/"), path.contains("chatroom")) {
            (true, _) => MADE[0],
            (false, true) => "8",
            (false, false) => "7",
        };
        let muc = place.unwrap_or(likely);
        let (to, group) = match kind {
            "groupchat" => (place.unwrap_or("7"), muc),
            "chatroom" => (place.unwrap_or("8"), muc),
            _ => (place.unwrap_or(other_user), muc),
        };
        let parts = path.split('/').map(|part| match part {
            // Nearly every call is a user's own.
            "{user}" => me.to_owned(),
            "{message}" => id.to_string(),
            "{id}" => muc.to_owned(),
            "{resource}" => "m".to_owned(),
            "{status}" | "{expiry}" => number.to_string(),
            _ if part.starts_with('{') => place.unwrap_or(other_user).to_owned(),
            _ => part.to_owned(),
        });
        let path = parts.collect::<Vec<_>>().join("/");
        let query = format!(
            "resource={word}&to={to}&type={kind}&msgId={id}&message={word}&msgIdList={id},{other_id}\
             &msgType={kind}&groupId={group}&userId={other_user}&delTime={number}&mark={other}&is_top={on}\
             &limit={number}&cursor={number}&pagenum={number}&currentPage={number}&pageSize={number}\
             &user={to},{group}&group={group}&needReturnRemark={on}&forced={on}"
        );
        let ids = [id.to_string(), other_id.to_string()];
        let texts = json!({ word: other, "k": word });
        let mucs = json!({
            "groupname": word, "name": word, "desc": word, "members": names, "owner": me, "newowner": to,
            "public": on, "allowinvites": on, "approval": on, "maxusers": 3, "applicant": to,
            "verifyResult": on, "invitee": me, "announcement": word, "mute_duration": number,
            "msg_id": ids[0], "group_id": group, "threadIds": MADE, "metaData": texts,
            "keys": [word, other, "k"], "autoDelete": if on { "DELETE" } else { "NO_DELETE" },
        });
        let users = json!({
            "usernames": names, "username": to, "password": "pw", "grant_type": "password",
            "to": to, "channel": to, "type": kind, "delete_roam": on, "pin_msg_id": ids[0], "mark": other,
            "targets": [{ "to": to, "type": kind }, { "to": "7", "type": "groupchat" }],
            "msgId": ids[0], "message": word, "ext": word, "reason": word, "remark": word, "text": word,
            "reportType": word, "data": [number], "start": -1, "pull_number": number,
            "queue": format!("{to}@{}", if on { USER_DOMAIN } else { CONFERENCE_DOMAIN }),
            "translationLanguage": word, "ignoreDuration": number,
        });
        let fields = [mucs, users].into_iter().filter_map(|part| part.as_object().cloned()).flatten();
        let body = Value::Object(fields.collect());
        // What one name means elsewhere, and bodies that are lists.
        let body = match number {
            0 if path.ends_with("/presence") => json!(names),
            1.. if path.ends_with("/get") => json!({ "targets": names, "properties": [word, "k"] }),
            1.. if path.ends_with("/translate") => json!({ "text": word, "to": ["en"] }),
            2.. if path.ends_with("/mark") => json!({ "mark": "mark_1", "targets": body["targets"] }),
            2.. if path.contains("/notification/") => json!({ "type": "NONE", "translationLanguage": "en" }),
            _ => body,
        };
        let path = format!("{path}?{query}");
        let token = (token > 0).then(|| format!("t-{me}"));
        Asked { method, path, token, body: body.to_string().into() }
    })
}
