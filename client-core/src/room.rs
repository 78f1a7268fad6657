//! Chat rooms over the socket, as 4.x enters and leaves them (wire-4x §6.1), with what a room tells of itself to who
//! comes in. Over SockJS, which is the door of 3.x, joining and leaving are REST calls: `groups`.

use fixtures::wire::meta::NameSpace;
use fixtures::wire::muc_body::Operation;
use fixtures::wire::{CONFERENCE_DOMAIN, CommSyncUl, Jid, MSync, Meta, MucBody, USER_DOMAIN};
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::client::{Client, not_empty};
use crate::error::{CommandError, Failure};
use crate::event::Event;
use crate::inbox::Page;
use crate::message::{Identity, LocalId, named, sync_frame};
use crate::outbox::Outgoing;
use crate::rest::CallId;
use crate::timer::Millis;

/// What becomes of the other rooms that the user is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherRooms {
    /// The user stays there.
    #[default]
    Stay,
    /// The user leaves them.
    Leave,
}

/// What a room says of itself and of the user in it. What it leaves out, and what is not so, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomInfo {
    /// How many are in it, the user too.
    pub members: Option<u64>,
    /// Whether nobody may write there but its owner, admins and those on the allow list.
    pub all_muted: Option<bool>,
    /// Whether the user is on the allow list.
    pub allowed: Option<bool>,
    /// Until when the user is muted there.
    pub muted_until: Option<Millis>,
    /// When it was made.
    pub created: Option<Millis>,
}

/// A user's coming or going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomMove {
    room: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Join,
    Enter { call: CallId, ext: String, others: OtherRooms },
    Leave,
}

impl Client {
    /// Joins a chat room and asks what it is like: [`Event::Entered`], or [`Event::CallFailed`] with a number of wire-4x
    /// §5.3, such as 705 where there is no such room. `ext` is told to those who are there.
    pub fn enter_room(
        &mut self,
        now: Millis,
        room: &str,
        ext: &str,
        others: OtherRooms,
    ) -> Result<CallId, CommandError> {
        const COMMAND: &str = "enter_room";
        let room = not_empty(COMMAND, room)?;
        let call = self.next_call_id();
        let kind = Kind::Enter { call, ext: ext.to_owned(), others };
        self.send_move(now, COMMAND, RoomMove { room, kind })?;
        Ok(call)
    }

    /// As [`Client::join_room`], over the socket.
    pub(crate) fn join_room_by_socket(&mut self, now: Millis, room: &str) -> Result<(), CommandError> {
        const COMMAND: &str = "join_room";
        let room = not_empty(COMMAND, room)?;
        self.send_move(now, COMMAND, RoomMove { room, kind: Kind::Join })
    }

    /// As [`Client::leave_room`], over the socket.
    pub(crate) fn leave_room_by_socket(&mut self, now: Millis, room: &str) -> Result<(), CommandError> {
        const COMMAND: &str = "leave_room";
        let room = not_empty(COMMAND, room)?;
        self.send_move(now, COMMAND, RoomMove { room, kind: Kind::Leave })
    }

    fn send_move(&mut self, now: Millis, command: &'static str, going: RoomMove) -> Result<(), CommandError> {
        if !self.session.is_open() {
            return Err(CommandError::NotLoggedIn { command });
        }
        let id = self.unique_id(now);
        self.outbox.push(id, Outgoing::Room(going))?;
        self.pump(now);
        Ok(())
    }

    /// The server took the move. What it says of the room that cannot be read is as if it were not there: the user is
    /// in, whatever the room is like.
    pub(crate) fn moved(&mut self, going: RoomMove, page: &Page) {
        let RoomMove { room, kind } = going;
        if let Kind::Enter { call, .. } = kind {
            let info = match read_room_info(page, &self.config.username) {
                Ok(info) => info,
                Err(reason) => {
                    self.tell(Event::Error(Failure::unreadable("room info", reason)));
                    RoomInfo::default()
                }
            };
            self.tell(Event::Entered { call, room, info });
        }
    }
}

impl RoomMove {
    pub(crate) fn to_wire(&self, id: LocalId, me: &Identity) -> MSync {
        let (operation, ext, leave_other_rooms) = match &self.kind {
            Kind::Join => (Operation::Join, Some(String::new()), Some(false)),
            Kind::Enter { ext, others, .. } => {
                (Operation::Join, Some(ext.clone()), Some(*others == OtherRooms::Leave))
            }
            Kind::Leave => (Operation::Leave, None, None),
        };
        let body = MucBody {
            muc_id: Some(me.neighbour(&self.room, CONFERENCE_DOMAIN)),
            operation: Some(operation.into()),
            from: Some(named(&me.username)),
            is_chatroom: Some(true),
            ext,
            leave_other_rooms,
            ..MucBody::default()
        };
        let meta = Meta {
            id: Some(id.0),
            from: Some(me.jid()),
            to: Some(Jid { domain: Some(USER_DOMAIN.to_owned()), ..Jid::default() }),
            ns: Some(NameSpace::Muc.into()),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        sync_frame(&CommSyncUl { meta: Some(meta), ..CommSyncUl::default() })
    }

    /// The event of its failure.
    pub(crate) fn failed(self, failure: Failure) -> Event {
        match self.kind {
            Kind::Join | Kind::Leave => Event::Error(failure),
            Kind::Enter { call, .. } => Event::CallFailed { call, failure },
        }
    }
}

/// What the answer says of the room: JSON by user in the first meta's status (wire-4x §6.1). Nothing where it says
/// nothing.
fn read_room_info(page: &Page, me: &str) -> Result<RoomInfo, String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Info {
        member_count: Option<u64>,
        is_all_mute: Option<bool>,
        is_in_white_list: Option<bool>,
        mute_duration: Option<i64>,
        create_timestamp: Option<u64>,
    }
    let Some(meta) = page.metas.first() else { return Ok(RoomInfo::default()) };
    let meta = Meta::decode(meta.clone()).map_err(|error| error.to_string())?;
    let body = MucBody::decode(meta.payload.unwrap_or_default()).map_err(|error| error.to_string())?;
    let text = body.status.and_then(|status| status.chatroom_info).filter(|text| !text.is_empty());
    let Some(text) = text else { return Ok(RoomInfo::default()) };
    let by_user: Map<String, Value> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let mine = by_user.into_iter().find(|(user, _)| user.to_lowercase() == me.to_lowercase());
    let Some((_, mine)) = mine else { return Ok(RoomInfo::default()) };
    let info: Info = serde_json::from_value(mine).map_err(|error| error.to_string())?;
    Ok(RoomInfo {
        members: info.member_count,
        all_muted: info.is_all_mute,
        allowed: info.is_in_white_list,
        muted_until: info
            .mute_duration
            .filter(|until| *until > 0)
            .and_then(|until| until.try_into().ok().map(Millis)),
        created: info.create_timestamp.map(Millis),
    })
}
