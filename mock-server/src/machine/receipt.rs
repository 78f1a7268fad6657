//! Receipts: delivered, read, read to the end, and who has read a group message that asked (clauses receipt.*).
//!
//! They are answered like messages, and enter neither history nor unread counts. One about a message that its sender
//! may not know of is refused (status 1, in SDKs 503): what the real service answers is our guess.

use std::collections::VecDeque;

use fixtures::wire::view::{BodyView, JidView, MetaView};
use fixtures::wire::{
    CONFERENCE_DOMAIN, KeyValue, MessageBody, Meta, StatisticsBody, key_value, message_body, meta,
    statistics_body, status,
};
use prost::Message as _;
use serde::Serialize;

use super::account::UserIx;
use super::log::{Audience, ConvIx, ConvKey, EntryKind, NewEntry};
use super::message::{Origin, Refused};
use super::muc::MucIx;
use super::policy::GROUP_RECEIPTS_OFF;
use super::route::{Act, Delivery, Readers};
use super::{Map, Millis, Server, Set};

/// The group messages that asked for receipts, and who has read each.
#[derive(Clone, Debug, Default)]
pub(super) struct Receipts {
    pub(super) asked: Map<u64, Asked>,
    /// Their ids, oldest first; some may be gone.
    pub(super) order: VecDeque<u64>,
    /// How many readers are kept, of all of them.
    pub(super) readers: usize,
    /// Of which messages a sender who was away has not been told.
    pub(super) missed: Map<UserIx, Set<u64>>,
}

/// A group message that asked for receipts.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) sender: UserIx,
    pub(super) muc: MucIx,
    /// Who has read it, in the order in which they did.
    pub(super) readers: Set<UserIx>,
    /// The last receipt that came while the sender was away.
    pub(super) missed: Option<Missed>,
}

#[derive(Clone, Debug)]
pub(super) struct Missed {
    pub(super) from: UserIx,
    pub(super) content: String,
    pub(super) at: Millis,
}

/// As many as a busy group's owner asks about in months.
const ASKED_MAX: usize = 10_000;
/// 333 messages that all of a group of 3,000 have read.
const READERS_MAX: usize = 1_000_000;
/// Items of one statistic: with contents of the largest size it stays below what a frame may hold.
const ITEMS_PER_STATISTIC: usize = 20;

impl Receipts {
    /// Who has read the message, if it asked for receipts and that is still known.
    pub(super) fn of(&self, id: u64) -> Option<&Asked> {
        self.asked.get(&id)
    }

    /// Nobody's reading of what this user wrote is of interest any more: the name may be somebody else's soon.
    pub(super) fn forget_sender(&mut self, user: UserIx) {
        let of_user = |(&id, asked): (&u64, &Asked)| (asked.sender == user).then_some(id);
        let ids: Vec<u64> = self.asked.iter().filter_map(of_user).collect();
        ids.into_iter().for_each(|id| self.forget(id));
        self.missed.swap_remove(&user);
    }

    /// Nobody's reading of this message is of interest any more.
    pub(super) fn forget(&mut self, id: u64) {
        let Some(asked) = self.asked.swap_remove(&id) else { return };
        self.readers -= asked.readers.len();
        if asked.missed.is_some()
            && let Some(ids) = self.missed.get_mut(&asked.sender)
        {
            ids.shift_remove(&id);
        }
    }

    fn trim(&mut self) {
        // Of those that are gone only the ids are left: they count too.
        while self.order.len() > ASKED_MAX || self.readers > READERS_MAX {
            let Some(oldest) = self.order.pop_front() else { return };
            self.forget(oldest);
        }
    }
}

impl Server {
    /// Somebody has read a message: `to` may name its sender or, for a group's, the group (wire-3x §4.1). The message
    /// itself says which it is.
    pub(super) fn route_read_ack(
        &mut self,
        user: UserIx,
        to: &JidView<'_>,
        body: &BodyView<'_>,
    ) -> Result<Act, Refused> {
        let Some(about) = body.about else {
            return Err(Refused::new(status::ErrorCode::MissingParameter, "ackMessageId is missing"));
        };
        let (found, sender) = self.find_sent(about).ok_or_else(unknown)?;
        match self.queues.key(found.conv) {
            ConvKey::Single(a, b) => self.single_receipt(found.conv, [a, b], user, sender, to),
            ConvKey::Muc(muc) => {
                self.fellows(user, muc)?;
                if !self.settings.group_receipts {
                    return Err(Refused::new(status::ErrorCode::Fail, GROUP_RECEIPTS_OFF));
                }
                if self.receipts.of(about).is_none() {
                    let reason = "this message asks for no receipts";
                    return Err(Refused::new(status::ErrorCode::Fail, reason));
                }
                if sender == Some(user) {
                    return Err(Refused::new(status::ErrorCode::Fail, OWN_MESSAGE));
                }
                Ok(Act::GroupRead { about })
            }
            ConvKey::Service(_) => Err(unknown()),
        }
    }

    /// A device has a message. 3.0.6 says so without naming the message, for a group's as well: that is handed on
    /// as it is (wire-3x §4.4).
    pub(super) fn route_deliver_ack(
        &mut self,
        now: Millis,
        user: UserIx,
        to: &JidView<'_>,
        body: &BodyView<'_>,
    ) -> Result<Act, Refused> {
        let Some(about) = body.about else {
            let (conv, readers) = self.route_to_user(now, user, to.name)?;
            let audience = self.accounts.find(to.name).map_or(Audience::Everyone, Audience::Only);
            return Ok(Act::Deliver(Delivery {
                audience,
                ..Delivery::new(conv, EntryKind::Receipt, readers)
            }));
        };
        let (found, sender) = self.find_sent(about).ok_or_else(unknown)?;
        match self.queues.key(found.conv) {
            ConvKey::Single(a, b) => self.single_receipt(found.conv, [a, b], user, sender, to),
            ConvKey::Muc(muc) => {
                self.fellows(user, muc)?;
                if sender == Some(user) {
                    return Err(Refused::new(status::ErrorCode::Fail, OWN_MESSAGE));
                }
                // In the sender's own queue: the others of the group need not step over it.
                let Some(sender) = sender else { return Ok(Act::Nothing) };
                let conv = self.open_conversation(ConvKey::Service(sender))?;
                Ok(Act::Deliver(Delivery::new(conv, EntryKind::Receipt, Readers::pair(sender, sender))))
            }
            ConvKey::Service(_) => Err(unknown()),
        }
    }

    /// The user has read a conversation to its end. 3.x names a room in the users' domain (wire-3x §4.1).
    pub(super) fn route_channel_ack(&mut self, user: UserIx, to: &JidView<'_>) -> Result<Act, Refused> {
        let other = self.accounts.find(to.name).filter(|_| to.domain != CONFERENCE_DOMAIN);
        let (key, readers) = match (other, self.mucs.find(to.name)) {
            (Some(other), _) => (ConvKey::single(user, other), Readers::pair(user, other)),
            (None, Some(muc)) => (ConvKey::Muc(muc), self.fellows(user, muc)?),
            (None, None) if to.domain == CONFERENCE_DOMAIN => {
                return Err(Refused::new(status::ErrorCode::Fail, "group not found"));
            }
            (None, None) => {
                let reason = format!("username {} doesn't exist!", to.name);
                return Err(Refused::new(status::ErrorCode::Fail, reason));
            }
        };
        // Apps say so when a conversation is opened, also one that nobody has written in yet.
        Ok(match self.queues.find(key) {
            Some(conv) => Act::ChannelRead(Delivery::new(conv, EntryKind::Receipt, readers)),
            None => Act::Nothing,
        })
    }

    pub(super) fn channel_read(&mut self, conv: ConvIx, user: UserIx) {
        let end = self.queues.end(conv);
        if let Some(membership) = self.accounts.user_mut(user).conversations.get_mut(&conv) {
            membership.unread = 0;
            membership.read_to = end;
        }
    }

    /// A group message that was just taken asks for receipts.
    pub(super) fn expect_readers(&mut self, id: u64, sender: UserIx, delivery: &Delivery) {
        let Some(muc) = delivery.muc else { return };
        let asked = Asked { sender, muc, readers: Set::default(), missed: None };
        self.receipts.asked.insert(id, asked);
        self.receipts.order.push_back(id);
        self.receipts.trim();
    }

    /// One more has read a group message: its sender is told how many have, or when that user is back. Of a reader
    /// who says so again, nobody is told again.
    pub(super) fn group_read(
        &mut self,
        now: Millis,
        origin: Origin,
        about: u64,
        meta: &MetaView<'_>,
        id: u64,
    ) {
        let reader = origin.user;
        let Some(asked) = self.receipts.asked.get_mut(&about) else { return };
        if !asked.readers.insert(reader) {
            return;
        }
        self.receipts.readers += 1;
        let (sender, count) = (asked.sender, asked.readers.len());
        let body = MessageBody::decode(meta.payload).expect("BodyView refuses what cannot be decoded");
        if self.accounts.user(sender).devices.is_empty() {
            let content = body.ack_content.unwrap_or_default();
            asked.missed = Some(Missed { from: reader, content, at: now });
            self.receipts.missed.entry(sender).or_default().insert(about);
        } else {
            self.tell_reader(now, id, reader, sender, about, count, body, meta);
        }
        self.receipts.trim();
    }

    /// The receipt as it came, with the number that SDKs read of the first of `ext`, whatever its key (wire-3x §5.1).
    #[expect(clippy::too_many_arguments, reason = "what a receipt is made of; it has one caller")]
    fn tell_reader(
        &mut self,
        now: Millis,
        id: u64,
        reader: UserIx,
        sender: UserIx,
        about: u64,
        count: usize,
        body: MessageBody,
        meta: &MetaView<'_>,
    ) {
        let Some(conv) = self.queues.open(ConvKey::Service(sender)) else { return };
        let counts = KeyValue {
            // The key is our guess.
            key: Some("group_ack".into()),
            r#type: Some(key_value::ValueType::JsonString as i32),
            value: Some(key_value::Value::StringValue(format!(r#"{{"{about}":{count}}}"#))),
        };
        let mut ext = body.ext;
        ext.insert(0, counts);
        let asks = message_body::MessageConfig { allow_group_ack: Some(true) };
        // 3.6.3 reads the number only behind a msgConfig.
        let body = MessageBody { ext, msg_config: Some(body.msg_config.unwrap_or(asks)), ..body };
        let sent = Meta::decode(meta.raw).expect("MetaView refuses what cannot be decoded");
        let meta = Meta {
            id: Some(id),
            from: Some(self.jid(reader, None)),
            timestamp: Some(now.0),
            payload: Some(body.encode_to_vec().into()),
            ..sent
        };
        let entry = NewEntry {
            id,
            sender: Some(reader),
            origin: None,
            kind: EntryKind::Receipt,
            audience: Audience::Everyone,
            meta: meta.encode_to_vec().into(),
        };
        self.append(now, conv, entry, &[sender]);
    }

    /// What was read while the user was away, for the devices that are about to log in: statistics whose `location`
    /// is JSON with a `group_ack` (wire-3x §5.2). The fields of its items are our guess.
    pub(super) fn tell_missed_readers(&mut self, now: Millis, user: UserIx) {
        #[derive(Serialize)]
        struct Location {
            group_ack: Vec<Item>,
        }
        #[derive(Serialize)]
        struct Item {
            msg_id: String,
            group_id: String,
            read_count: usize,
            from: String,
            content: String,
            timestamp: u64,
        }
        if self.receipts.missed.is_empty() {
            return;
        }
        let Some(ids) = self.receipts.missed.swap_remove(&user) else { return };
        let mut items = Vec::new();
        for id in ids {
            let Some(asked) = self.receipts.asked.get_mut(&id) else { continue };
            let Some(missed) = asked.missed.take() else { continue };
            let Some(muc) = self.mucs.get(asked.muc) else { continue };
            items.push(Item {
                msg_id: id.to_string(),
                group_id: muc.id.to_string(),
                read_count: asked.readers.len(),
                from: self.accounts.name(missed.from).to_owned(),
                content: missed.content,
                timestamp: missed.at.0,
            });
        }
        while !items.is_empty() {
            let group_ack: Vec<Item> = items.drain(..items.len().min(ITEMS_PER_STATISTIC)).collect();
            let location =
                serde_json::to_string(&Location { group_ack }).expect("it holds strings and numbers only");
            let body = StatisticsBody {
                operation: Some(statistics_body::Operation::Information as i32),
                location: Some(location),
                ..StatisticsBody::default()
            };
            self.tell_service(now, user, meta::NameSpace::Statistic, body.encode_to_vec());
        }
    }

    /// A receipt about a message of a single conversation: for the one who sent it.
    fn single_receipt(
        &self,
        conv: ConvIx,
        pair: [UserIx; 2],
        user: UserIx,
        sender: Option<UserIx>,
        to: &JidView<'_>,
    ) -> Result<Act, Refused> {
        let other = if pair[0] == user { pair[1] } else { pair[0] };
        if !pair.contains(&user) || self.accounts.find(to.name) != Some(other) {
            return Err(unknown());
        }
        if sender == Some(user) {
            return Err(Refused::new(status::ErrorCode::Fail, OWN_MESSAGE));
        }
        let readers = Readers::pair(user, other);
        let audience = sender.map_or(Audience::Everyone, Audience::Only);
        Ok(Act::Deliver(Delivery { audience, ..Delivery::new(conv, EntryKind::Receipt, readers) }))
    }
}

const OWN_MESSAGE: &str = "a receipt is for a message of somebody else";

/// Whoever may not know of a message is told the same as of one that there never was.
fn unknown() -> Refused {
    Refused::new(status::ErrorCode::Fail, "message not found")
}

#[cfg(test)]
mod tests {
    use super::super::{AppKey, Config};
    use super::*;
    use crate::control::Control;

    #[test]
    fn of_too_many_readers_those_of_the_oldest_message_go() {
        let app_key = AppKey::parse("org#app").expect("a good app key");
        let mut server = Server::new(Config::new(app_key));
        let users = ["alice", "bob"];
        let [alice, bob] = users.map(|name| server.find_or_make_user(Millis(0), name).expect("a good name"));
        let group = Control::Group { id: "7".into(), owner: "alice".into(), members: vec!["bob".into()] };
        server.control(Millis(0), group).expect("a good group");
        let muc = server.mucs.find("7").expect("it was just made");
        let receipts = &mut server.receipts;
        for id in 0..3 {
            let readers = Set::from_iter([bob]);
            receipts.asked.insert(id, Asked { sender: alice, muc, readers, missed: None });
            receipts.order.push_back(id);
            receipts.readers += 1;
        }
        receipts.forget(1);
        assert_eq!(receipts.readers, 2);
        // As if the others were read by nearly as many as are kept.
        receipts.readers += READERS_MAX - 1;
        receipts.trim();
        assert!(receipts.of(0).is_none() && receipts.of(2).is_some());
    }
}
