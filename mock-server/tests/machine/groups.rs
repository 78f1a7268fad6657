//! Groups and rooms on the wire: who may write, who gets what, and what leaving does (clauses send.text.group,
//! send.text.room, fail.602, fail.605). How they are made over REST is in `rest`.

use fixtures::wire::message_body::Type;
use fixtures::wire::{CONFERENCE_DOMAIN, USER_DOMAIN};
use mock_server::control::Control;
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{Down, World, code, jid};

struct Hall {
    world: World,
    alice: ConnId,
    bob: ConnId,
    carl: ConnId,
    kind: Type,
}

impl Hall {
    /// Alice owns `7`, bob is in, carl is not.
    fn of(kind: Type) -> Self {
        let mut world = World::strict(&["alice", "bob", "carl"]);
        let (id, owner, members) = ("7".to_owned(), "alice".to_owned(), vec!["bob".to_owned()]);
        world.control(match kind {
            Type::Groupchat => Control::Group { id, owner, members },
            _ => Control::Room { id, owner, members },
        });
        let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
        let carl = world.connect("carl", "web");
        Self { world, alice, bob, carl, kind }
    }

    fn say(&mut self, from: ConnId, text: &str) -> u64 {
        self.world.muc_text(from, self.kind, "7", text)
    }

    fn refusal(&mut self, from: ConnId, kind: Type, id: &str) -> (i32, String) {
        let meta = self.world.muc_meta(from, kind, id, "x");
        let answer = self.world.send(from, meta);
        let (number, reason) = code(&answer);
        (number, reason.to_owned())
    }

    fn path(&self, rest: &str) -> String {
        match self.kind {
            Type::Groupchat => format!("/chatgroups/7{rest}"),
            _ => format!("/chatrooms/7{rest}"),
        }
    }

    fn call(&mut self, method: Method, rest: &str, user: &str, body: &Value) {
        let path = self.path(rest);
        let (status, answer) = self.world.rest(method, &path, user, body);
        assert_eq!(status, 200, "{answer}");
    }
}

#[rstest]
#[case::group(Type::Groupchat)]
#[case::room(Type::Chatroom)]
fn what_a_member_says_every_other_member_hears(#[case] kind: Type) {
    let mut hall = Hall::of(kind);
    let alice_too = hall.world.connect("alice", "phone");
    let id = hall.say(hall.alice, "hi");
    assert_eq!(hall.world.take(hall.bob), [Down::Notice(jid("7", CONFERENCE_DOMAIN))]);
    for device in [hall.bob, alice_too] {
        let metas = hall.world.catch_up(device);
        assert_eq!(metas.iter().map(|meta| meta.id).collect::<Vec<_>>(), [Some(id)]);
        assert_eq!(metas[0].to, Some(jid("7", CONFERENCE_DOMAIN)));
        let from = metas[0].from.as_ref().expect("from");
        assert_eq!((from.name.as_deref(), from.domain.as_deref()), (Some("alice"), Some(USER_DOMAIN)));
    }
    assert_eq!(hall.world.unread(hall.alice), []);
    assert_eq!(hall.world.unread(hall.carl), [], "nobody outside gets it");
    assert_eq!(hall.world.found(), [""; 0]);
}

#[rstest]
#[case::group(Type::Groupchat, Type::Chatroom)]
#[case::room(Type::Chatroom, Type::Groupchat)]
fn who_is_not_in_cannot_write(#[case] kind: Type, #[case] other: Type) {
    let mut hall = Hall::of(kind);
    assert_eq!(hall.refusal(hall.carl, kind, "7"), (1, "not in group or chatroom".into()));
    assert_eq!(hall.refusal(hall.bob, kind, "8"), (1, "group not found".into()));
    assert_eq!(
        hall.refusal(hall.bob, other, "7"),
        (1, "group not found".into()),
        "it is of the other family"
    );
    assert_eq!(hall.world.unread(hall.alice), []);
    hall.say(hall.bob, "the next one goes");
    assert_eq!(hall.world.texts(hall.alice), ["the next one goes"]);
}

#[rstest]
#[case::group_left(Type::Groupchat, Method::Delete, "/quit", "bob")]
#[case::group_removed(Type::Groupchat, Method::Delete, "/users/bob", "alice")]
#[case::room_left(Type::Chatroom, Method::Delete, "/quit", "bob")]
#[case::room_removed(Type::Chatroom, Method::Delete, "/users/bob", "alice")]
fn who_leaves_gets_nothing_more(
    #[case] kind: Type,
    #[case] method: Method,
    #[case] rest: &str,
    #[case] user: &str,
) {
    let mut hall = Hall::of(kind);
    hall.say(hall.alice, "unread");
    hall.call(method, rest, user, &Value::Null);
    for device in [hall.alice, hall.bob] {
        hall.world.news(device);
    }
    assert_eq!(hall.world.unread(hall.bob), [], "not even what waited");
    assert_eq!(hall.world.server.unfinished(), [""; 0], "so nothing is waited for");
    hall.say(hall.alice, "after");
    hall.world.take(hall.bob);
    let page = hall.world.pull(hall.bob, &jid("7", CONFERENCE_DOMAIN), None);
    assert_eq!((page.metas.len(), page.is_last), (0, Some(true)), "the NOTICE was under way: no mistake");
    assert_eq!(hall.refusal(hall.bob, kind, "7"), (1, "not in group or chatroom".into()));
    assert_eq!(hall.world.found(), [""; 0]);
}

#[test]
fn who_leaves_while_away_finds_nothing() {
    let mut hall = Hall::of(Type::Groupchat);
    hall.world.hang_up(hall.bob);
    hall.say(hall.alice, "unread");
    hall.call(Method::Delete, "/users/bob", "alice", &Value::Null);
    hall.call(Method::Post, "/users", "alice", &json!({ "usernames": ["bob"] }));
    let bob = hall.world.connect("bob", "web");
    assert_eq!(hall.world.texts(bob), [""; 0]);
    hall.say(hall.alice, "welcome back");
    assert_eq!(hall.world.texts(bob), ["welcome back"]);
}

#[test]
fn who_comes_in_gets_what_is_said_from_now_on() {
    let mut hall = Hall::of(Type::Groupchat);
    hall.say(hall.alice, "before");
    hall.call(Method::Post, "/users", "alice", &json!({ "usernames": ["carl"] }));
    hall.say(hall.alice, "after");
    assert_eq!(hall.world.texts(hall.carl), ["after"]);
    assert_eq!(hall.world.texts(hall.bob), ["before", "after"]);
    let carl_too = hall.world.connect("carl", "phone");
    assert_eq!(hall.world.texts(carl_too), [""; 0]);
}

#[test]
fn a_member_that_is_away_gets_it_later() {
    let mut hall = Hall::of(Type::Groupchat);
    hall.world.hang_up(hall.bob);
    hall.say(hall.alice, "1");
    hall.say(hall.alice, "2");
    let bob = hall.world.connect("bob", "phone");
    assert_eq!(hall.world.texts(bob), ["1", "2"]);
}

#[test]
fn a_room_keeps_nothing_for_who_is_away() {
    let mut hall = Hall::of(Type::Chatroom);
    hall.world.hang_up(hall.bob);
    hall.say(hall.alice, "1");
    let bob = hall.world.connect("bob", "phone");
    assert_eq!(hall.world.unread(bob), []);
    hall.say(hall.alice, "2");
    assert_eq!(hall.world.texts(bob), ["2"]);
}

#[rstest]
#[case::group(Type::Groupchat)]
#[case::room(Type::Chatroom)]
fn a_dissolved_one_is_unknown(#[case] kind: Type) {
    let mut hall = Hall::of(kind);
    hall.say(hall.alice, "unread");
    hall.call(Method::Delete, "", "alice", &Value::Null);
    hall.world.news(hall.bob);
    assert_eq!(hall.world.unread(hall.bob), []);
    assert_eq!(hall.world.server.unfinished(), [""; 0]);
    for member in [hall.alice, hall.bob] {
        assert_eq!(hall.refusal(member, kind, "7"), (1, "group not found".into()));
    }
}

#[test]
fn a_pull_that_crosses_a_dissolution_is_no_mistake() {
    let mut hall = Hall::of(Type::Groupchat);
    hall.say(hall.alice, "unread");
    assert_eq!(hall.world.take(hall.bob), [Down::Notice(jid("7", CONFERENCE_DOMAIN))]);
    hall.call(Method::Delete, "", "alice", &Value::Null);
    let page = hall.world.pull(hall.bob, &jid("7", CONFERENCE_DOMAIN), None);
    assert_eq!((page.metas.len(), page.is_last), (0, Some(true)));
    assert_eq!(hall.world.found(), [""; 0]);
}

#[test]
fn members_pull_at_their_own_pace() {
    let mut hall = Hall::of(Type::Groupchat);
    let queue = jid("7", CONFERENCE_DOMAIN);
    let mut bobs = Vec::new();
    let mut sent = Vec::new();
    for number in 0..120 {
        // Turns, so that what one gets is never quite what another gets.
        let from = if number % 3 == 0 { hall.bob } else { hall.alice };
        let text = number.to_string();
        hall.say(from, &text);
        if from == hall.alice {
            sent.push(text);
        }
        if number % 11 == 0 {
            bobs.extend(hall.world.pull_all(hall.bob, &queue).iter().map(crate::world::text_of));
        }
    }
    bobs.extend(hall.world.texts(hall.bob));
    assert_eq!(bobs, sent);
    let alices = hall.world.texts(hall.alice);
    let expected: Vec<String> = (0..120).filter(|n| n % 3 == 0).map(|n| n.to_string()).collect();
    assert_eq!(alices, expected);
}

#[test]
fn two_members_share_a_page_and_a_sender_does_not() {
    let mut hall = Hall::of(Type::Groupchat);
    hall.call(Method::Post, "/users", "alice", &json!({ "usernames": ["carl"] }));
    hall.say(hall.alice, "1");
    hall.say(hall.bob, "2");
    hall.say(hall.alice, "3");
    assert_eq!(hall.world.texts(hall.carl), ["1", "2", "3"]);
    assert_eq!(hall.world.texts(hall.bob), ["1", "3"]);
    assert_eq!(hall.world.texts(hall.alice), ["2"]);
    let late = hall.world.connect("carl", "late");
    assert_eq!(hall.world.texts(late), [""; 0]);
}

#[test]
fn a_page_of_one_member_is_not_stale_for_the_next() {
    let mut hall = Hall::of(Type::Groupchat);
    hall.call(Method::Post, "/users", "alice", &json!({ "usernames": ["carl"] }));
    let queue = jid("7", CONFERENCE_DOMAIN);
    hall.say(hall.alice, "1");
    let bobs = hall.world.pull(hall.bob, &queue, None);
    assert_eq!(bobs.metas.len(), 1);
    hall.say(hall.alice, "2");
    assert_eq!(hall.world.texts(hall.carl), ["1", "2"]);
    let bobs = hall.world.pull(hall.bob, &queue, bobs.next_key);
    assert_eq!(bobs.metas.iter().map(crate::world::text_of).collect::<Vec<_>>(), ["2"]);
    assert_eq!(hall.world.found(), [""; 0]);
}

#[test]
fn a_user_and_a_group_are_told_apart_by_domain() {
    let mut world = World::strict(&["alice", "bob", "77"]);
    let alice = world.connect("alice", "web");
    let seventy = world.connect("77", "web");
    world.text(alice, "77", "to the user");
    assert_eq!(world.texts(seventy), ["to the user"]);
    let meta = world.muc_meta(alice, Type::Groupchat, "77", "to the group");
    assert_eq!(code(&world.send(alice, meta)), (1, "group not found"));
}
