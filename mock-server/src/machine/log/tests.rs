//! Logs from within, where no client looks: history, unread counts, where a message lies.

use super::super::account::Membership;
use super::super::recall::{RecallFault, RecalledTo, Window};
use super::super::{AppKey, Config, Server};
use super::*;

const NOW: Millis = Millis(1_640_908_800_000);

/// A world in which the first user writes to the second.
struct Pair {
    server: Server,
    users: [UserIx; 2],
    conv: ConvIx,
}

impl Pair {
    fn new() -> Self {
        let app_key = AppKey::parse("org#app").expect("a good app key");
        let mut server = Server::new(Config::new(app_key));
        let users = ["alice", "bob"].map(|name| server.find_or_make_user(NOW, name).expect("a good name"));
        let conv = server.queues.open(ConvKey::single(users[0], users[1])).expect("room");
        Self { server, users, conv }
    }

    fn add(&mut self, kind: EntryKind) -> u64 {
        let id = self.server.allot_id();
        let (sender, meta) = (Some(self.users[0]), Arc::from(&b"x"[..]));
        let entry = NewEntry { id, sender, origin: None, kind, audience: Audience::Everyone, meta };
        self.server.append(NOW, self.conv, entry, &self.users);
        id
    }

    fn of(&self, which: usize) -> Membership {
        self.server.accounts.user(self.users[which]).conversations[&self.conv]
    }

    fn history(&self, before: Option<u64>, take: usize) -> Vec<u64> {
        let shown = self.server.shown(self.users[1], self.conv).expect("a membership");
        let page = self.server.queues.history(self.conv, shown, before).take(take);
        page.map(|kept| kept.id).collect()
    }

    fn last(&self) -> Option<u64> {
        let shown = self.server.shown(self.users[1], self.conv).expect("a membership");
        self.server.queues.last_content(self.conv, shown).map(|kept| kept.id)
    }

    fn recall(&mut self, id: u64) -> Result<(), RecallFault> {
        let to = RecalledTo::User(self.users[1]);
        self.server.recall_from_server(NOW, id, None, to, Window::Kept)
    }
}

#[test]
fn history_is_what_people_wrote_newest_first_page_by_page() {
    let mut pair = Pair::new();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(pair.add(EntryKind::Content));
        for other in [EntryKind::Receipt, EntryKind::Recall, EntryKind::Command, EntryKind::Notice] {
            pair.add(other);
        }
    }
    ids.reverse();
    assert_eq!(pair.history(None, 10), ids);
    assert_eq!(pair.history(None, 2), ids[..2]);
    assert_eq!(pair.history(Some(ids[1]), 2), ids[2..4]);
    assert_eq!(pair.history(Some(ids[4]), 2), [0; 0]);
    assert_eq!(pair.history(Some(0), 2), [0; 0]);
    assert_eq!(pair.history(Some(u64::MAX), 1), ids[..1]);
    assert_eq!(pair.last(), Some(ids[0]));
}

#[test]
fn what_a_user_has_deleted_stays_for_the_other() {
    let mut pair = Pair::new();
    let first = pair.add(EntryKind::Content);
    let end = pair.server.queues.end(pair.conv);
    let conversations = &mut pair.server.accounts.user_mut(pair.users[1]).conversations;
    conversations.get_mut(&pair.conv).expect("a membership").history_from = end;
    assert_eq!((pair.history(None, 9), pair.last()), (vec![], None));
    let second = pair.add(EntryKind::Content);
    assert_eq!((pair.history(None, 9), pair.last()), (vec![second], Some(second)));
    let shown = pair.server.shown(pair.users[0], pair.conv).expect("a membership");
    let all = pair.server.queues.history(pair.conv, shown, None).map(|kept| kept.id);
    assert_eq!(all.collect::<Vec<_>>(), [second, first]);
}

#[test]
fn unread_rises_with_what_others_write_and_falls_by_receipt_and_recall() {
    let mut pair = Pair::new();
    pair.add(EntryKind::Receipt);
    assert!(!pair.of(1).listed, "a receipt begins no conversation");
    let first = pair.add(EntryKind::Content);
    let second = pair.add(EntryKind::Content);
    let command = pair.add(EntryKind::Command);
    assert_eq!((pair.of(0).unread, pair.of(1).unread), (0, 2));
    assert!(pair.of(0).listed && pair.of(1).listed);
    pair.recall(command).expect("a command can be recalled");
    assert_eq!(pair.of(1).unread, 2, "it did not count");
    pair.recall(second).expect("it is new");
    assert_eq!((pair.of(1).unread, pair.last()), (1, Some(first)));
    assert_eq!(pair.recall(second), Err(RecallFault::NotFound));
    pair.server.channel_read(pair.conv, pair.users[1]);
    assert_eq!(pair.of(1).unread, 0);
    pair.server.settings.commands_count = true;
    let command = pair.add(EntryKind::Command);
    pair.add(EntryKind::Content);
    assert_eq!(pair.of(1).unread, 2);
    pair.recall(first).expect("it is new");
    assert_eq!(pair.of(1).unread, 2, "it was read");
    pair.server.settings.commands_count = false;
    pair.recall(command).expect("it is new");
    assert_eq!((pair.of(1).unread, pair.history(None, 9).len()), (1, 1));
}

/// Or each login would walk over all that somebody ever wrote, and over every receipt.
#[test]
fn what_is_not_for_a_user_leaves_nothing_to_look_through() {
    let mut pair = Pair::new();
    pair.add(EntryKind::Content);
    let [alice, bob] = pair.users;
    assert!(pair.server.initial_cursors(alice, None).is_empty(), "her own");
    pair.server.accounts.user_mut(bob).conversations.clear();
    let id = pair.server.allot_id();
    let (kind, meta) = (EntryKind::Receipt, Arc::from(&b"x"[..]));
    let audience = Audience::Only(alice);
    let entry = NewEntry { id, sender: None, origin: None, kind, audience, meta };
    pair.server.append(NOW, pair.conv, entry, &pair.users);
    assert!(pair.server.initial_cursors(bob, None).is_empty(), "for her alone");
    assert_eq!(pair.server.initial_cursors(alice, None).len(), 1);
}

#[test]
fn past_its_window_a_message_is_recalled_by_force_alone() {
    let mut pair = Pair::new();
    let id = pair.add(EntryKind::Content);
    let late = Millis(NOW.0 + pair.server.settings.recall_window_ms + 1);
    let to = RecalledTo::User(pair.users[1]);
    let outcome = pair.server.recall_from_server(late, id, None, to, Window::Kept);
    assert_eq!(outcome, Err(RecallFault::TooLate));
    let other = RecalledTo::User(pair.server.find_or_make_user(NOW, "carl").expect("a good name"));
    let outcome = pair.server.recall_from_server(late, id, None, other, Window::Forced);
    assert_eq!(outcome, Err(RecallFault::NotFound));
    assert_eq!(pair.server.recall_from_server(late, id, None, to, Window::Forced), Ok(()));
    assert_eq!(pair.last(), None);
}

#[test]
fn a_message_is_found_for_as_long_as_it_is_kept() {
    let mut pair = Pair::new();
    pair.server.settings.kept_messages_max = 3;
    // Given out before the others, and taken after them.
    let late = pair.server.allot_id();
    let ids: Vec<u64> = (0..3).map(|_| pair.add(EntryKind::Content)).collect();
    let entry = NewEntry {
        id: late,
        sender: Some(pair.users[0]),
        origin: None,
        kind: EntryKind::Content,
        audience: Audience::Everyone,
        meta: Arc::from(&b"x"[..]),
    };
    pair.server.append(NOW, pair.conv, entry, &pair.users);
    let position = |pair: &Pair, id| pair.server.queues.find_message(id).map(|found| found.position);
    assert_eq!(position(&pair, ids[0]), None, "it was one too many");
    assert_eq!(position(&pair, ids[1]), Some(1));
    assert_eq!(position(&pair, late), Some(3));
    assert_eq!(pair.history(Some(late), 9), [ids[2], ids[1]]);
    assert_eq!(pair.last(), Some(late));
    for _ in 0..3 {
        pair.add(EntryKind::Content);
    }
    assert_eq!(position(&pair, late), None);
    assert!(pair.server.queues.late.is_empty());
    assert_eq!(pair.server.queues.messages.bytes, 3);
}
