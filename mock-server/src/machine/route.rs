//! Where a message goes, and whether it may: names, block lists, membership.
//!
//! The order of the checks is ours; the codes and words are those that SDKs map to their error types (wire-3x §7,
//! wire-4x §5.3). What the app forbids on top is `policy`'s.

use fixtures::wire::view::{BodyView, JidView, MetaView};
use fixtures::wire::{CONFERENCE_DOMAIN, USER_DOMAIN, message_body, meta, status};

use super::account::UserIx;
use super::edit::Edit;
use super::log::{Audience, ConvIx, ConvKey, EntryKind, Found};
use super::message::{Origin, Refused};
use super::muc::{MucIx, MucKind};
use super::session::Session;
use super::{ConnId, Millis, Server, excerpt};

/// What becomes of a message that is taken.
#[derive(Debug)]
pub(super) enum Act {
    Deliver(Delivery),
    /// The message that lies there is for nobody any more; the news of it is delivered.
    Recall(Found, Delivery),
    /// The message that lies there is changed; the news of it is delivered.
    Edit(Box<Edit>),
    /// One more reader of a group message that asked for receipts.
    GroupRead {
        about: u64,
    },
    /// The sender has read the conversation to its end; the others learn of it.
    ChannelRead(Delivery),
    /// The answer is all.
    Nothing,
}

/// Where a message goes.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) conv: ConvIx,
    pub(super) kind: EntryKind,
    pub(super) readers: Readers,
    /// Which of the readers get it.
    pub(super) audience: Audience,
    /// The group or room it is written in.
    pub(super) muc: Option<MucIx>,
    /// The same, if it is a thread.
    pub(super) thread: Option<MucIx>,
    /// It asks its readers for receipts.
    pub(super) asks_receipts: bool,
}

impl Delivery {
    pub(super) fn new(conv: ConvIx, kind: EntryKind, readers: Readers) -> Self {
        Self {
            conv,
            kind,
            readers,
            audience: Audience::Everyone,
            muc: None,
            thread: None,
            asks_receipts: false,
        }
    }
}

impl Server {
    /// The body, when it can be taken at all.
    pub(super) fn read_body<'a>(
        &mut self,
        conn: ConnId,
        meta: &MetaView<'a>,
    ) -> Result<BodyView<'a>, Refused> {
        use status::ErrorCode;
        if meta.payload.len() > self.settings.message_bytes_max as usize {
            return Err(Refused::new(ErrorCode::PermissionDenied, "Sorry, data is too large"));
        }
        if meta.payload.is_empty() {
            return Err(Refused::new(ErrorCode::MissingParameter, "meta.payload is missing"));
        }
        BodyView::read(meta.payload).map_err(|error| {
            let text = format!("payload.meta.payload is not a MessageBody: {error}");
            self.finding(conn, "recv.bad-frame", text);
            Refused::new(ErrorCode::PbParserError, "meta.payload is not a MessageBody")
        })
    }

    pub(super) fn route(
        &mut self,
        now: Millis,
        origin: Origin,
        meta: &MetaView<'_>,
        body: &BodyView<'_>,
    ) -> Result<Act, Refused> {
        use message_body::Type;
        use status::ErrorCode;
        let Origin { conn, user, .. } = origin;
        let to = meta.to.unwrap_or_default();
        if to.name.is_empty() {
            return Err(Refused::new(ErrorCode::MissingParameter, "meta.to.name is missing"));
        }
        let kind = match body.content {
            Some(kind) if kind == message_body::content::Type::Command as i32 => EntryKind::Command,
            Some(_) | None => EntryKind::Content,
        };
        match Type::try_from(body.kind) {
            Ok(Type::Normal | Type::Chat) => {
                self.look_at_names(conn, user, &to, body, USER_DOMAIN);
                let (conv, readers) = self.route_to_user(now, user, to.name)?;
                Ok(Act::Deliver(self.narrowed(user, meta, Delivery::new(conv, kind, readers))?))
            }
            Ok(family @ (Type::Groupchat | Type::Chatroom)) => {
                self.look_at_names(conn, user, &to, body, CONFERENCE_DOMAIN);
                let family = match family {
                    Type::Groupchat if !body.meta.is_empty() && names_a_thread(body.meta) => MucKind::Thread,
                    Type::Groupchat => MucKind::Group,
                    _ => MucKind::Room,
                };
                let (muc, conv, readers) = self.route_to_muc(user, to.name, family)?;
                let asks_receipts = family == MucKind::Group && body.group_ack == Some(true);
                let thread = (family == MucKind::Thread).then_some(muc);
                let delivery = Delivery::new(conv, kind, readers);
                let delivery = Delivery { muc: Some(muc), thread, asks_receipts, ..delivery };
                Ok(Act::Deliver(self.narrowed(user, meta, delivery)?))
            }
            Ok(Type::Recall) => self.route_recall(now, user, &to, body),
            Ok(Type::ReadAck) => self.route_read_ack(user, &to, body),
            Ok(Type::DeliverAck) => self.route_deliver_ack(now, user, &to, body),
            Ok(Type::ChannelAck) => self.route_channel_ack(user, &to),
            Ok(Type::Edit) => self.route_edit(user, &to, meta),
            Err(_) => {
                let text = format!("payload.meta.payload.type is {}, not 0 to 8", body.kind);
                self.finding(conn, "build.chat-type", text);
                Err(Refused::new(ErrorCode::WrongParameter, "unknown body type"))
            }
        }
    }

    /// Who of the readers gets it, where the sender says so (wire-4x §5.1). That it reaches no other than members, and
    /// that nobody named is nobody but the sender, is our guess.
    fn narrowed(&self, user: UserIx, meta: &MetaView<'_>, delivery: Delivery) -> Result<Delivery, Refused> {
        /// The vendor's page on directed messages.
        const DIRECTED_USERS_MAX: usize = 20;
        match meta::RouteType::try_from(meta.route) {
            // What days to come may bring goes to all.
            Ok(meta::RouteType::RouteAll) | Err(_) => Ok(delivery),
            Ok(meta::RouteType::RouteOnline) => {
                let readers = delivery.readers.as_slice().iter();
                let conns = readers.flat_map(|&reader| &self.accounts.user(reader).devices);
                let live = conns.filter_map(|conn| self.sessions.get(conn).and_then(Session::live));
                let devices = live.map(|live| live.reader.device).collect();
                Ok(Delivery { audience: Audience::Present(devices), ..delivery })
            }
            Ok(meta::RouteType::RouteDirect) if delivery.muc.is_none() => Ok(delivery),
            Ok(meta::RouteType::RouteDirect) => {
                if meta.directed_users().nth(DIRECTED_USERS_MAX).is_some() {
                    return Err(Refused::new(status::ErrorCode::Fail, "limit directed users"));
                }
                // Who is named and no reader gets nothing all the same.
                let named = meta.directed_users().filter_map(|name| self.accounts.find(name));
                let users = named.chain([user]).collect();
                Ok(Delivery { audience: Audience::Among(users), ..delivery })
            }
        }
    }

    pub(super) fn route_to_user(
        &mut self,
        now: Millis,
        user: UserIx,
        name: &str,
    ) -> Result<(ConvIx, Readers), Refused> {
        let unknown = || Refused(status::ErrorCode::Fail, format!("username {name} doesn't exist!"));
        let strict = self.settings.strict;
        let found = self.accounts.find(name);
        let to = match found.filter(|&to| !strict || self.accounts.user(to).password.is_some()) {
            Some(to) => to,
            None if strict => return Err(unknown()),
            None => {
                let to = self.find_or_make_user(now, name).map_err(|_| unknown())?;
                self.warn(format!("{}: a message to {name:?}, whom nobody registered, is kept", self.app));
                to
            }
        };
        let stopped = self.accounts.user(to).blocked.contains(&user)
            || self.accounts.user(user).blocked_both.contains(&to);
        if stopped {
            return Err(Refused::new(status::ErrorCode::Fail, "blocked"));
        }
        let strangers = || to != user && !self.accounts.user(user).contacts.contains_key(&to);
        if self.settings.contacts_only && strangers() {
            // The word that 4.x looks for (wire-4x §5.3).
            return Err(Refused::new(status::ErrorCode::Fail, "nonroster"));
        }
        let conv = self.open_conversation(ConvKey::single(user, to))?;
        Ok((conv, Readers::pair(user, to)))
    }

    fn route_to_muc(
        &mut self,
        user: UserIx,
        id: &str,
        kind: MucKind,
    ) -> Result<(MucIx, ConvIx, Readers), Refused> {
        let found = self.mucs.find(id).filter(|&muc| self.mucs.muc(muc).kind == kind);
        let muc = found.ok_or_else(|| Refused::new(status::ErrorCode::Fail, "group not found"))?;
        let readers = self.fellows(user, muc)?;
        let conv = self.open_conversation(ConvKey::Muc(muc))?;
        Ok((muc, conv, readers))
    }

    /// The members of a group or room that the user is in.
    pub(super) fn fellows(&self, user: UserIx, muc: MucIx) -> Result<Readers, Refused> {
        let muc =
            self.mucs.get(muc).ok_or_else(|| Refused::new(status::ErrorCode::Fail, "group not found"))?;
        if !muc.has(user) {
            return Err(Refused::new(status::ErrorCode::Fail, "not in group or chatroom"));
        }
        if muc.disabled {
            // The words that 4.x looks for (wire-4x §5.3).
            return Err(Refused::new(status::ErrorCode::Fail, "group is disabled"));
        }
        Ok(Readers::Members(muc.members.keys().copied().collect()))
    }

    pub(super) fn open_conversation(&mut self, key: ConvKey) -> Result<ConvIx, Refused> {
        // The one reason of status 7 that both generations know for "not now" (wire-4x §5.3).
        self.queues
            .open(key)
            .ok_or_else(|| Refused::new(status::ErrorCode::PermissionDenied, "traffic limit"))
    }

    /// What receivers show is `MessageBody.from` and `.to`, and what routes is `Meta.to`: they must agree.
    fn look_at_names(
        &mut self,
        conn: ConnId,
        user: UserIx,
        to: &JidView<'_>,
        body: &BodyView<'_>,
        domain: &'static str,
    ) {
        let sender = self.accounts.name(user);
        let agree = body.from.eq_ignore_ascii_case(sender)
            && body.to.eq_ignore_ascii_case(to.name)
            && to.domain == domain;
        if agree {
            return;
        }
        let kind = message_body::Type::try_from(body.kind).map_or("message", |kind| kind.as_str_name());
        let facts = [
            ("payload.meta.payload.from.name", sender, body.from),
            ("payload.meta.payload.to.name", to.name, body.to),
            ("payload.meta.to.domain", domain, to.domain),
        ];
        let wrong = facts.iter().filter(|(_, expected, got)| !got.eq_ignore_ascii_case(expected));
        let texts: Vec<String> = wrong
            .map(|(field, expected, got)| {
                let (expected, got) = (excerpt(expected), excerpt(got));
                format!("{field} of a {kind}: expected {expected:?}, got {got:?}")
            })
            .collect();
        for text in texts {
            self.finding(conn, "build.chat-type", text);
        }
    }
}

/// Whether `MessageBody.meta` says that the message is for a thread (wire-4x §6).
fn names_a_thread(meta: &str) -> bool {
    serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(meta)
        .is_ok_and(|meta| meta.contains_key("thread"))
}

/// Whose devices a message goes to.
#[derive(Debug)]
pub(super) enum Readers {
    Pair([UserIx; 2]),
    /// Notes to oneself.
    One([UserIx; 1]),
    Members(Vec<UserIx>),
}

impl Readers {
    pub(super) fn pair(a: UserIx, b: UserIx) -> Self {
        if a == b { Self::One([a]) } else { Self::Pair([a, b]) }
    }

    pub(super) fn as_slice(&self) -> &[UserIx] {
        match self {
            Self::Pair(two) => two,
            Self::One(one) => one,
            Self::Members(members) => members,
        }
    }
}
