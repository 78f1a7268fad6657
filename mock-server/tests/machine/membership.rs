//! Who is in a group or room after a REST call, and who decides (rest.md A.10, A.12).

use mock_server::machine::rest::Method::{Delete, Get, Post};
use rstest::rstest;
use serde_json::{Value, json};

use crate::rest::{APPROVAL, CONFIRM, FULL, town};
use crate::world::World;

fn roles(world: &mut World, path: &str) -> Value {
    world.rest(Get, &format!("{path}/users"), "alice", &Value::Null).1["data"].clone()
}

#[rstest]
#[case::yes(true, json!([{ "owner": "alice" }, { "member": "carl" }]))]
#[case::no(false, json!([{ "owner": "alice" }]))]
fn the_owner_decides_on_who_asked(#[case] verdict: bool, #[case] members: Value) {
    let mut world = town();
    let path = format!("/chatgroups/{APPROVAL}");
    assert_eq!(roles(&mut world, &path), json!([{ "owner": "alice" }]), "carl has only asked");
    let body = json!({ "applicant": "Carl", "verifyResult": verdict });
    assert_eq!(world.rest(Post, &format!("{path}/apply_verify"), "alice", &body).0, 200);
    assert_eq!(roles(&mut world, &path), members);
    assert_eq!(world.rest(Post, &format!("{path}/apply_verify"), "alice", &body).0, 403, "once is enough");
}

#[rstest]
#[case::yes(true, json!([{ "owner": "alice" }, { "member": "carl" }]))]
#[case::no(false, json!([{ "owner": "alice" }]))]
fn who_is_invited_decides(#[case] verdict: bool, #[case] members: Value) {
    let mut world = town();
    let path = format!("/chatgroups/{CONFIRM}");
    assert_eq!(roles(&mut world, &path), json!([{ "owner": "alice" }]), "carl has not said yes");
    let body = json!({ "invitee": "carl", "verifyResult": verdict });
    assert_eq!(world.rest(Post, &format!("{path}/invite_verify"), "carl", &body).0, 200);
    assert_eq!(roles(&mut world, &path), members);
    assert_eq!(world.rest(Post, &format!("{path}/invite_verify"), "carl", &body).0, 403, "once is enough");
}

#[rstest]
#[case::of_who_asked("apply_verify", "alice")]
#[case::of_who_is_invited("invite_verify", "dora")]
fn a_way_in_stays_open_while_the_group_is_full(#[case] way: &str, #[case] user: &str) {
    let mut world = town();
    let path = format!("/chatgroups/{FULL}");
    let verdict = match way {
        "apply_verify" => json!({ "applicant": "dora", "verifyResult": true }),
        _ => json!({ "invitee": "dora", "verifyResult": true }),
    };
    assert_eq!(world.rest(Post, &format!("{path}/{way}"), user, &verdict).0, 403, "the group is full");
    assert_eq!(world.rest(Delete, &format!("{path}/users/bob"), "alice", &Value::Null).0, 200);
    assert_eq!(world.rest(Post, &format!("{path}/{way}"), user, &verdict).0, 200);
    assert_eq!(roles(&mut world, &path), json!([{ "owner": "alice" }, { "member": "dora" }]));
}

#[test]
fn an_invitation_says_for_each_what_became_of_it() {
    let mut world = town();
    let body = json!({ "usernames": ["bob", "carl", "emil"] });
    for path in ["/chatgroups/7".to_owned(), format!("/chatgroups/{CONFIRM}")] {
        // Where the invited must agree, carl is asked a second time: no harm.
        let owner = "alice";
        world.rest(Post, &format!("{path}/users"), owner, &json!({ "usernames": ["bob"] }));
        let (status, answer) = world.rest(Post, &format!("{path}/invite"), owner, &body);
        assert_eq!(status, 200);
        let outcomes: Vec<_> = answer["data"].as_array().expect("a list").iter().collect();
        let results: Vec<_> = outcomes.iter().map(|outcome| (&outcome["user"], &outcome["result"])).collect();
        let expected = [json!("bob"), json!(false), json!("carl"), json!(true), json!("emil"), json!(false)];
        let expected: Vec<_> = expected.chunks(2).map(|pair| (&pair[0], &pair[1])).collect();
        assert_eq!(results, expected, "{path}");
        assert!(outcomes[0]["reason"].as_str().is_some_and(|why| why.contains("already in group")), "{path}");
        assert!(outcomes[2]["reason"].as_str().is_some_and(|why| why.contains("emil")), "{path}");
    }
}

#[test]
fn several_are_removed_at_once_and_each_is_told_of() {
    let mut world = town();
    world.rest(Post, "/chatgroups/7/users", "alice", &json!({ "usernames": ["carl"] }));
    let (status, answer) = world.rest(Delete, "/chatgroups/7/users/bob,Carl,dora", "alice", &Value::Null);
    assert_eq!(status, 200);
    let results: Vec<_> =
        answer["data"].as_array().expect("a list").iter().map(|one| one["result"].clone()).collect();
    assert_eq!(results, [true, true, false]);
    assert_eq!(roles(&mut world, "/chatgroups/7"), json!([{ "owner": "alice" }]));
}

#[test]
fn adding_fills_a_group_whole_or_not_at_all() {
    let mut world = town();
    let (_, made) = world.rest(Post, "/chatgroups", "alice", &json!({ "groupname": "g", "maxusers": 2 }));
    let path = format!("/chatgroups/{}", made["data"]["groupid"].as_str().expect("an id"));
    let both = json!({ "usernames": ["bob", "carl"] });
    let (status, answer) = world.rest(Post, &format!("{path}/users"), "alice", &both);
    assert_eq!((status, &answer["error_description"]), (403, &json!("group member list is full!")));
    assert_eq!(roles(&mut world, &path), json!([{ "owner": "alice" }]));
    let twice = json!({ "usernames": ["bob", "bob", "alice"] });
    let (status, answer) = world.rest(Post, &format!("{path}/users"), "alice", &twice);
    assert_eq!((status, &answer["data"]["newmembers"]), (200, &json!(["bob"])));
}

#[test]
fn a_room_may_be_entered_twice() {
    let mut world = town();
    assert_eq!(world.rest(Post, "/chatrooms/8/apply", "bob", &json!({})).0, 200);
    assert_eq!(roles(&mut world, "/chatrooms/8"), json!([{ "owner": "alice" }, { "member": "bob" }]));
}

#[test]
fn both_generations_spell_a_new_group_their_own_way() {
    let mut world = town();
    for body in [
        json!({ "groupname": "g", "desc": "d", "approval": true }),
        json!({ "name": "g", "description": "d", "membersonly": true }),
    ] {
        let (_, made) = world.rest(Post, "/chatgroups?resource=webim_web_1", "alice", &body);
        let path = format!("/chatgroups/{}", made["data"]["groupid"].as_str().expect("an id"));
        let (_, answer) = world.rest(Get, &path, "alice", &Value::Null);
        let details = &answer["data"][0];
        assert_eq!((&details["name"], &details["description"]), (&json!("g"), &json!("d")));
        assert_eq!((&details["membersonly"], &details["maxusers"]), (&json!(true), &json!(200)));
    }
}

#[test]
fn group_ids_are_never_a_users_name() {
    let mut world = World::strict(&["alice", APPROVAL]);
    let (_, made) = world.rest(Post, "/chatgroups", "alice", &json!({ "groupname": "g" }));
    assert_eq!(made["data"]["groupid"], CONFIRM, "3.x tells queues by name alone");
}
