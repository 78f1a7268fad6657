//! Every route of groups and rooms with a call that succeeds in `rest::town` (rest.md A.10, A.12, B.5, B.6).

use mock_server::machine::rest::Method::{Delete, Get, Post, Put};
use serde_json::{Value, json};

use crate::rest::{APPROVAL, CONFIRM, FULL, Good, PRIVATE, good, named};
use crate::world::APP;

const BEGIN_MS: u64 = 1_640_908_800_000;

/// Group 7 and room 8 as their details show them; the town names both by their id.
fn details(id: &str, permission: &str, with_time: bool) -> Value {
    let mut affiliations = json!([{ "owner": "alice" }, { "member": "bob" }]);
    if with_time {
        affiliations[0]["joined_time"] = BEGIN_MS.into();
        affiliations[1]["joined_time"] = BEGIN_MS.into();
    }
    json!([{
        "id": id, "name": id, "description": "", "owner": "alice", "created": BEGIN_MS,
        "affiliations_count": 2, "affiliations": affiliations, "public": true,
        "membersonly": false, "allowinvites": true, "maxusers": 10_000, "custom": "", "avatar": "", "mute": false,
        "disabled": false, "permission": permission,
    }])
}

pub(crate) fn goods() -> Vec<Good> {
    let mut calls = groups();
    calls.extend(rooms());
    for (path, id, id_key, list_id_key) in
        [("/chatgroups", "9", "groupid", "groupid"), ("/chatrooms", "10", "id", "chatroomid")]
    {
        calls.extend(members(&format!("{path}/{id}"), id, id_key));
        calls.extend(lists(&format!("{path}/{id}"), id, list_id_key));
        calls.extend(rules(&format!("{path}/{id}"), id));
    }
    calls
}

fn groups() -> Vec<Good> {
    let all = [
        named("7", "7"),
        named("9", "9"),
        named(APPROVAL, "approval"),
        named(CONFIRM, "confirm"),
        named(FULL, "full"),
    ];
    let new = json!({
        "groupname": "g", "desc": "d", "members": ["bob"], "public": true, "approval": false,
        "allowinvites": true, "maxusers": 200, "owner": "alice", "invite_need_confirm": false,
    });
    let joined = |id: &str, name: &str, permission: &str| {
        let mut joined = named(id, name);
        joined["disabled"] = false.into();
        joined["permission"] = permission.into();
        joined
    };
    let joined = [
        joined("7", "7", "member"),
        joined("9", "9", "admin"),
        joined(PRIVATE, "private", "member"),
        joined(FULL, "full", "member"),
    ];
    let listed = json!([{
        "owner": "org#app_alice", "groupid": "7", "affiliations": 2, "type": "group",
        "last_modified": BEGIN_MS.to_string(), "groupname": "7",
    }]);
    let applicant = json!({ "applicant": "carl", "verifyResult": true, "reason": "no clue" });
    let invitee = json!({ "invitee": "carl", "verifyResult": true });
    let verified =
        |action: &str, id: &str| json!({ "action": action, "result": true, "groupid": id, "user": "carl" });
    vec![
        good(Get, "/users/Bob/joined_chatgroups", "bob", json!(joined)),
        good(Get, "/users/bob/joined_chatgroups?pagenum=1&pagesize=3&version=v3", "bob", json!([joined[3]])),
        good(Get, "/chatgroups/user/bob/joined_count", "bob", json!(4)),
        good(Get, "/sdk/chatgroups/9/mute/carl?version=v3", "carl", json!(true)),
        good(Get, "/publicchatgroups?limit=20&cursor=c1&_v=1", "carl", json!(all)),
        good(Get, "/chatgroups?limit=1", APP, listed),
        good(Post, "/chatgroups", "alice", json!({ "groupid": "100000000000005" })).body(new),
        good(Get, "/chatgroups/7?joined_time=true", "carl", details("7", "none", true)),
        good(
            Delete,
            "/chatgroups/7?version=v3",
            "alice",
            json!({ "success": true, "id": "7", "groupid": "7" }),
        ),
        good(
            Post,
            format!("/chatgroups/{APPROVAL}/apply_verify"),
            "alice",
            verified("apply_verify", APPROVAL),
        )
        .body(applicant)
        .needs("verifyResult"),
        good(
            Post,
            "/chatgroups/7/invite",
            "bob",
            json!([{ "action": "invite", "result": true, "id": "7", "user": "carl" }]),
        )
        .body(json!({ "usernames": ["carl"] }))
        .needs("usernames"),
        good(
            Post,
            format!("/chatgroups/{CONFIRM}/invite_verify"),
            "carl",
            verified("invite_verify", CONFIRM),
        )
        .body(invitee)
        .needs("invitee"),
        good(Post, "/chatgroups/7/disable", APP, json!({ "disabled": true })),
        good(Post, "/chatgroups/7/enable", APP, json!({ "disabled": false })),
    ]
}

fn rooms() -> Vec<Good> {
    let new =
        json!({ "name": "r", "description": "d", "maxusers": 200, "owner": "alice", "members": ["bob"] });
    let room = |id: &str, affiliations_count: u32| json!({ "id": id, "name": id, "owner": "alice", "affiliations_count": affiliations_count });
    vec![
        good(Post, "/chatrooms", "alice", json!({ "id": "100000000000005" })).body(new),
        good(Get, "/chatrooms?pagenum=1&pagesize=20", "carl", json!([room("8", 2), room("10", 3)])),
        good(Get, "/chatrooms/8", "bob", details("8", "member", false)),
        good(Delete, "/chatrooms/8", "alice", json!({ "success": true, "id": "8", "groupid": "8" })),
        good(Get, "/chatrooms/super_admin?pagenum=1&pagesize=10", APP, json!(["alice"])),
        good(Post, "/chatrooms/super_admin", APP, json!({ "result": "success" }))
            .body(json!({ "superadmin": "carl" }))
            .needs("superadmin"),
        good(Delete, "/chatrooms/super_admin/alice", APP, json!({ "result": "success" })),
    ]
}

/// Of the ones that have everything: bob is an administrator, carl is muted and allowed, dora is on the block list.
fn members(path: &str, id: &str, id_key: &str) -> Vec<Good> {
    let all = json!([{ "owner": "alice" }, { "member": "bob" }, { "member": "carl" }]);
    let seven = if id == "9" { "/chatgroups/7" } else { "/chatrooms/8" };
    let seven_id = &seven[seven.len() - 1..];
    vec![
        good(Get, format!("{path}/users?pagenum=1&pagesize=20"), "carl", all),
        good(
            Post,
            format!("{seven}/users"),
            "alice",
            json!({ "newmembers": ["carl"], id_key: seven_id, "action": "add_member" }),
        )
        .body(json!({ "usernames": ["carl"] }))
        .needs("usernames"),
        good(
            Post,
            format!("{seven}/users/Carl"),
            "alice",
            json!({ "result": true, "user": "carl", id_key: seven_id, "action": "add_member" }),
        ),
        good(
            Delete,
            format!("{path}/users/carl"),
            "bob",
            json!({ "result": true, "action": "remove_member", "user": "carl", id_key: id }),
        ),
        good(
            Post,
            format!("{seven}/apply"),
            "carl",
            json!({ "action": "apply", "result": true, "id": seven_id, "user": "carl" }),
        )
        .body(json!({ "message": "hi" })),
        good(Delete, format!("{path}/quit"), "bob", json!({ "result": true })),
    ]
}

fn lists(path: &str, id: &str, id_key: &str) -> Vec<Good> {
    let result =
        |action: &str, user: &str| json!({ "result": true, "action": action, "user": user, id_key: id });
    let until = BEGIN_MS + 60_000;
    vec![
        good(Get, format!("{path}/blocks/users"), "bob", json!(["dora"])),
        good(Post, format!("{path}/blocks/users"), "bob", json!([result("add_blocks", "carl")]))
            .body(json!({ "usernames": ["carl"] }))
            .needs("usernames"),
        good(Post, format!("{path}/blocks/users/carl"), "bob", result("add_blocks", "carl")),
        good(Delete, format!("{path}/blocks/users/dora"), "bob", result("remove_blocks", "dora")),
        good(Get, format!("{path}/white/users"), "bob", json!(["carl"])),
        good(Post, format!("{path}/white/users"), "alice", json!([result("add_user_whitelist", "bob")]))
            .body(json!({ "usernames": ["bob"] }))
            .needs("usernames"),
        good(Get, format!("{path}/white/users/carl"), "carl", json!({ "white": true, "member": "carl" })),
        good(Post, format!("{path}/white/users/bob"), "alice", result("add_user_whitelist", "bob")),
        good(Delete, format!("{path}/white/users/carl"), "bob", result("remove_user_whitelist", "carl")),
        good(
            Get,
            format!("{path}/mute"),
            "bob",
            json!([{ "user": "carl", "expire": 4_638_873_600_000_u64 }]),
        ),
        good(
            Post,
            format!("{path}/mute"),
            "alice",
            json!([{ "result": true, "user": "bob", "expire": until }]),
        )
        .body(json!({ "usernames": ["bob"], "mute_duration": 60_000 }))
        .needs("mute_duration"),
        good(Delete, format!("{path}/mute/carl"), "bob", json!([{ "result": true, "user": "carl" }])),
    ]
}

fn rules(path: &str, id: &str) -> Vec<Good> {
    vec![
        good(Put, path, "bob", json!({ "groupname": true, "description": true }))
            .body(json!({ "groupname": "n", "description": "d" })),
        good(Get, format!("{path}/admin"), "carl", json!(["bob"])),
        good(Post, format!("{path}/admin"), "alice", json!({ "result": "success", "newadmin": "carl" }))
            .body(json!({ "newadmin": "carl" }))
            .needs("newadmin"),
        good(Delete, format!("{path}/admin/bob"), "alice", json!({ "result": "success", "oldadmin": "bob" })),
        good(Post, format!("{path}/ban"), "bob", json!({ "mute": true })),
        good(Delete, format!("{path}/ban"), "bob", json!({ "mute": false })),
        good(Get, format!("{path}/announcement"), "carl", json!({ "announcement": "welcome" })),
        good(Post, format!("{path}/announcement"), "bob", json!({ "id": id, "result": true }))
            .body(json!({ "announcement": "a" }))
            .needs("announcement"),
    ]
}
