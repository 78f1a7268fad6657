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
    let place = || select(&["7", "8", MADE[0], MADE[1], MADE[2], "bernd", "mallory", "1", "60"][..]);
    let id = || prop_oneof![8 => (0..60_u64).prop_map(|n| FIRST_ID + n), 1 => any::<u64>()];
    let word = || select(&["a", "b", "mark_1", "mark_20", "ALL", "NONE", "en", "web", "", "undefined"][..]);
    let kind = select(&["chat", "groupchat", "chatroom", "ALL", "AT", "DEFAULT", "x"][..]);
    let who = (select(&["mallory", "trudy", "alice", "bob"][..]), any::<bool>());
    let args = vec(prop_oneof![3 => place(), 1 => word()], 3);
    let names = (vec(user(), 0..4), place(), place(), word(), word(), kind);
    let numbers = (id(), id(), 0..4_u64, any::<bool>());
    (any::<Index>(), who, args, names, numbers).prop_map(|(row, (me, token), args, names, numbers)| {
        let Row { method, path, .. } = row.get(&ROWS).clone();
        let (names, to, group, word, other, kind) = names;
        let (id, other_id, number, on) = numbers;
        let mut args = args.into_iter();
        let filled = path.split('/').map(|part| match part {
            // Nearly every call is a user's own.
            "{user}" => me.to_owned(),
            "{message}" => id.to_string(),
            _ if part.starts_with('{') => args.next().unwrap_or_default().to_owned(),
            _ => part.to_owned(),
        });
        let path = filled.collect::<Vec<_>>().join("/");
        let query = format!(
            "resource={word}&to={to}&type={kind}&msgId={id}&message={word}&msgIdList={id},{other_id}\
             &msgType={kind}&groupId={group}&userId={to}&delTime={number}&mark={other}&is_top={on}\
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
            "targets": [{ "to": to, "type": kind }, { "to": group, "type": "groupchat" }],
            "msgId": ids[0], "message": word, "ext": word, "reason": word, "remark": word, "text": word,
            "reportType": word, "data": [number], "start": -1, "pull_number": number,
            "queue": format!("{to}@{}", if on { USER_DOMAIN } else { CONFERENCE_DOMAIN }),
            "translationLanguage": word, "ignoreDuration": number,
        });
        let fields = [mucs, users].into_iter().filter_map(|part| part.as_object().cloned()).flatten();
        let body = Value::Object(fields.collect());
        // One call takes a list, and one names members where others name conversations.
        let body = match number {
            0 if path.ends_with("/presence") => json!(names),
            1 if path.ends_with("/get") => json!({ "targets": names, "properties": [word, "k"] }),
            _ => body,
        };
        let path = format!("{path}?{query}");
        let token = token.then(|| format!("t-{me}"));
        Asked { method, path, token, body: body.to_string().into() }
    })
}
