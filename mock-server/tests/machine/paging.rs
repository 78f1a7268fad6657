//! Lists in pages, and bodies as forms send them (rest.md A.10, A.12).

use mock_server::machine::rest::Method::{Get, Post};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::World;

/// Five rooms and five public groups `1` to `5` of alice's, each with alice, bob, carl, dora and emil in.
fn city() -> World {
    let mut world = World::strict(&["alice", "bob", "carl", "dora", "emil"]);
    let members: Vec<String> = ["bob", "carl", "dora", "emil"].map(str::to_owned).into();
    for number in 1..=5 {
        let (owner, members) = (|| "alice".to_owned(), members.clone());
        let group = mock_server::control::Control::Group {
            id: number.to_string(),
            owner: owner(),
            members: members.clone(),
        };
        let room =
            mock_server::control::Control::Room { id: (number + 10).to_string(), owner: owner(), members };
        world.control(group);
        world.control(room);
    }
    world
}

/// What an entry of a list is about.
fn name(entry: &Value) -> &str {
    let fields = ["groupid", "id", "owner", "member"];
    fields.iter().find_map(|field| entry[field].as_str()).expect("a field of these")
}

const USERS: [&str; 5] = ["alice", "bob", "carl", "dora", "emil"];
const GROUPS: [&str; 5] = ["1", "2", "3", "4", "5"];
const ROOMS: [&str; 5] = ["11", "12", "13", "14", "15"];

#[rstest]
#[case::first("pagenum=1&pagesize=2", &[0, 1])]
#[case::counted_from_zero("pagenum=0&pagesize=2", &[0, 1])]
#[case::second("_v=1&pagesize=2&pagenum=2", &[2, 3])]
#[case::last("pagenum=3&pagesize=2", &[4])]
#[case::behind_the_last("pagenum=4&pagesize=2", &[])]
#[case::far_behind("pagenum=18446744073709551615&pagesize=9", &[])]
#[case::no_number("pagesize=2", &[0, 1])]
#[case::no_size("pagenum=1", &[0, 1, 2, 3, 4])]
#[case::large("pagenum=1&pagesize=18446744073709551615", &[0, 1, 2, 3, 4])]
#[case::size_of_nothing("pagenum=1&pagesize=0", &[0, 1, 2, 3, 4])]
#[case::undefined("pagenum=undefined&pagesize=undefined", &[0, 1, 2, 3, 4])]
#[case::negative("pagenum=-1&pagesize=-1", &[0, 1, 2, 3, 4])]
#[case::rubbish("pagenum&&=&pagesize=", &[0, 1, 2, 3, 4])]
#[case::none("", &[0, 1, 2, 3, 4])]
fn numbered_lists_come_in_pages(
    #[case] query: &str,
    #[case] shown: &[usize],
    #[values(
        ("/chatgroups/1/users", USERS),
        ("/chatrooms/11/users", USERS),
        ("/chatrooms", ROOMS),
        ("/users/alice/joined_chatgroups", GROUPS)
    )]
    list: (&str, [&str; 5]),
) {
    let (path, all) = list;
    let (status, answer) = city().rest(Get, &format!("{path}?{query}"), "alice", &Value::Null);
    let names: Vec<&str> = answer["data"].as_array().expect("a list").iter().map(name).collect();
    let expected: Vec<&str> = shown.iter().map(|&at| all[at]).collect();
    assert_eq!((status, names), (200, expected));
    assert_eq!(answer["count"], json!(shown.len()));
}

#[rstest]
#[case::in_twos(Some(2), vec![vec!["1", "2"], vec!["3", "4"], vec!["5"]])]
#[case::to_the_last(Some(5), vec![GROUPS.to_vec()])]
#[case::all(None, vec![GROUPS.to_vec()])]
fn a_cursor_leads_through_the_public_groups(#[case] limit: Option<u32>, #[case] pages: Vec<Vec<&str>>) {
    let mut world = city();
    let limit = limit.map_or_else(|| "undefined".to_owned(), |limit| limit.to_string());
    let (mut cursor, mut shown) = ("undefined".to_owned(), Vec::new());
    loop {
        let path = format!("/publicchatgroups?limit={limit}&cursor={cursor}&_v=1");
        let (status, answer) = world.rest(Get, &path, "alice", &Value::Null);
        assert_eq!(status, 200);
        let names = answer["data"].as_array().expect("a list").iter().map(name);
        shown.push(names.map(str::to_owned).collect::<Vec<_>>());
        match answer["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(shown, pages);
}

#[rstest]
#[case::string(json!("200"), Some(200))]
#[case::number(json!(300), Some(300))]
#[case::empty_field(Value::Null, Some(200))]
#[case::words(json!("many"), None)]
#[case::no_text(json!(""), None)]
#[case::negative(json!(-1), None)]
#[case::fraction(json!(1.5), None)]
fn a_form_says_how_many_fit(#[case] maxusers: Value, #[case] taken: Option<u32>) {
    let mut world = city();
    let form = json!({
        "groupname": "g", "desc": null, "members": null, "public": null, "approval": null,
        "allowinvites": null, "invite_need_confirm": null, "maxusers": maxusers,
    });
    let (status, answer) = world.rest(Post, "/chatgroups", "alice", &form);
    let Some(taken) = taken else {
        assert_eq!((status, &answer["error"]), (400, &json!("json_parse")));
        return;
    };
    assert_eq!(status, 200, "{answer}");
    let id = answer["data"]["groupid"].as_str().expect("an id");
    let (_, answer) = world.rest(Get, &format!("/chatgroups/{id}"), "alice", &Value::Null);
    let group = &answer["data"][0];
    assert_eq!((&group["maxusers"], &group["public"]), (&json!(taken), &json!(true)));
}

#[rstest]
#[case::password("/token", json!({ "grant_type": "password", "username": "alice", "password": null }), 400, "invalid_grant")]
#[case::ttl("/token", json!({ "grant_type": "password", "username": "alice", "password": "pw", "ttl": null }), 200, "")]
#[case::needed("/token", json!({ "grant_type": null, "username": "alice", "password": "pw" }), 400, "json_parse")]
#[case::nickname("/users", json!({ "username": "frida", "password": "pw", "nickname": null }), 200, "")]
fn a_null_is_as_good_as_nothing(
    #[case] path: &str,
    #[case] body: Value,
    #[case] status: u16,
    #[case] error: &str,
) {
    let (got, answer) = city().rest(Post, path, "", &body);
    assert_eq!((got, answer["error"].as_str().unwrap_or_default()), (status, error));
}
