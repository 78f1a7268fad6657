//! Rooms on the socket: clients of 4.x come in and go by MUC metas, where 3.x asks REST (wire-4x §6.1).
//!
//! What coming and going does is `muc`'s; here are what a client may ask for, the words of its refusals, and what a
//! room tells whoever enters. Groups are REST's alone.

use fixtures::wire::view::MetaView;
use fixtures::wire::{Meta, MucBody, meta, muc_body, status};
use muc_body::Operation;
use prost::Message as _;
use serde_json::json;
use status::ErrorCode;

use super::account::UserIx;
use super::fault::AnswerFault;
use super::message::{Origin, Refused, Ticket};
use super::muc::{Act, Entrance, MucFault, MucIx, MucKind, Told, shown_end};
use super::{Millis, Server, encode, excerpt};

/// As a group's `custom`: a few lines for the others there. Our guess.
const EXT_CHARS_MAX: usize = 1_024;

impl Server {
    /// A MUC meta of a client. Refused with the words that 4.x looks for (wire-4x §5.3).
    pub(super) fn muc_request(&mut self, now: Millis, origin: Origin, meta: &MetaView<'_>) {
        let conn = origin.conn;
        let Some(local_id) = meta.id else {
            self.finding(conn, "send.ids", "payload.meta.id is missing".into());
            let reason = "meta.id is missing";
            return self.refuse_sync(conn, None, ErrorCode::MissingParameter, reason);
        };
        let mut ticket = Ticket::new(origin, local_id, meta.payload);
        if self.is_sent_again(&ticket) {
            return;
        }
        ticket.fault = self.faults.take_answer(origin.user);
        if let Some(AnswerFault::Status { code, reason }) = &ticket.fault {
            let bytes = encode::refusal(Some(local_id), None, *code, reason);
            return self.send(conn, bytes);
        }
        match self.visit(now, origin, meta.payload) {
            Err(refused) => self.refuse_message(&ticket, &refused),
            Ok(None) => {
                let server_id = self.allot_id();
                self.answer_taken(now, &ticket, server_id);
            }
            Ok(Some(body)) => {
                let server_id = self.allot_id();
                let shown = Meta {
                    id: Some(server_id),
                    from: body.muc_id.clone(),
                    to: Some(self.jid(origin.user, None)),
                    timestamp: Some(now.0),
                    ns: Some(meta::NameSpace::Muc as i32),
                    payload: Some(body.encode_to_vec().into()),
                    ..Meta::default()
                };
                self.answer_taken_showing(now, &ticket, server_id, shown);
            }
        }
    }

    /// What the answer shows beside its status: of a room that was entered, what it is like.
    fn visit(&mut self, now: Millis, origin: Origin, payload: &[u8]) -> Result<Option<MucBody>, Refused> {
        let user = origin.user;
        let body = MucBody::decode(payload).map_err(|error| {
            let text = format!("payload.meta.payload is not a MUCBody: {error}");
            self.finding(origin.conn, "recv.bad-frame", text);
            Refused::new(ErrorCode::PbParserError, "meta.payload is not a MUCBody")
        })?;
        let number = body.operation.unwrap_or_default();
        let operation = Operation::try_from(number).map_err(|_| {
            let text = format!("MUCBody.operation is {number}, not 0 to 45");
            self.finding(origin.conn, "recv.bad-frame", text);
            Refused::new(ErrorCode::UnknownCommand, "unknown MUC operation")
        })?;
        let id = body.muc_id.as_ref().and_then(|jid| jid.name.as_deref()).unwrap_or_default();
        if id.is_empty() {
            return Err(Refused::new(ErrorCode::Fail, "group ID illegal, please check it"));
        }
        let found = self.mucs.find(id).filter(|&muc| self.mucs.muc(muc).kind == MucKind::Room);
        let gone = || Refused::new(ErrorCode::Fail, format!("grpID {} does not exist!", excerpt(id)));
        let muc = found.ok_or_else(gone)?;
        if self.mucs.muc(muc).disabled {
            let reason = "can not operate this group, reason: group is disabled";
            return Err(Refused::new(ErrorCode::Fail, reason));
        }
        let act = Act { now, by: user, told: Told::Everyone };
        match operation {
            Operation::Join => {
                let ext = body.ext.as_deref().unwrap_or_default();
                self.come_in(act, muc, ext, body.leave_other_rooms.unwrap_or_default())?;
                let spelt = body.from.as_ref().and_then(|jid| jid.name.as_deref());
                Ok(Some(self.shown_at_the_door(now, muc, user, spelt)))
            }
            Operation::Leave => {
                self.leave(act, muc, user).map_err(|fault| self.refused_at_the_door(muc, fault))?;
                Ok(None)
            }
            other => {
                let reason = format!("MUC operation {} is not served", other.as_str_name());
                Err(Refused::new(ErrorCode::UnknownCommand, reason))
            }
        }
    }

    /// Who is in already stays, and nobody is told twice: apps enter at each page load.
    fn come_in(&mut self, act: Act, muc: MucIx, ext: &str, leaves_others: bool) -> Result<(), Refused> {
        let user = act.by;
        if ext.chars().count() > EXT_CHARS_MAX {
            let reason = format!("ext holds at most {EXT_CHARS_MAX} characters");
            return Err(Refused::new(ErrorCode::WrongParameter, reason));
        }
        let enters = !self.mucs.muc(muc).has(user);
        if enters {
            self.mucs.muc(muc).may_enter(user).map_err(|fault| self.refused_at_the_door(muc, fault))?;
        }
        let others: Vec<MucIx> = self.rooms_of(user).filter(|&other| other != muc).collect();
        if leaves_others {
            for other in others {
                // The owner stays until it is another's.
                if self.mucs.muc(other).owner != user {
                    self.leave(act, other, user).expect("a member who is not the owner may go");
                }
            }
        } else if enters && others.len() as u64 >= u64::from(self.settings.joined_rooms_max) {
            let reason = format!("user {} has joined too many chatrooms!", self.accounts.name(user));
            return Err(Refused::new(ErrorCode::Fail, reason));
        }
        if enters {
            self.join(act, muc, user, Entrance::Visit { ext })
                .map_err(|fault| self.refused_at_the_door(muc, fault))?;
        }
        Ok(())
    }

    pub(super) fn rooms_of(&self, user: UserIx) -> impl Iterator<Item = MucIx> {
        self.mucs.all().into_iter().filter(move |&muc| {
            let state = self.mucs.muc(muc);
            state.kind == MucKind::Room && state.has(user)
        })
    }

    /// `spelt`: the user's name as the client has it, under which it looks for what is about itself.
    fn shown_at_the_door(&self, now: Millis, muc: MucIx, user: UserIx, spelt: Option<&str>) -> MucBody {
        let state = self.mucs.muc(muc);
        let name = self.accounts.name(user);
        let name = spelt.filter(|spelt| spelt.eq_ignore_ascii_case(name)).unwrap_or(name);
        // 0 is "not at all" to 4.x.
        let muted_until =
            state.muted.get(&user).filter(|&&until| now < until).map_or(0, |&until| shown_end(until));
        let info = json!({ name: {
            "is_all_mute": state.all_banned,
            "create_timestamp": state.created.0,
            "is_in_white_list": state.allowed.contains(&user),
            "member_count": state.members.len(),
            "mute_duration": muted_until,
        } });
        MucBody {
            muc_id: Some(self.muc_jid(muc)),
            operation: Some(Operation::Join as i32),
            from: Some(self.jid(user, None)),
            is_chatroom: Some(true),
            status: Some(muc_body::Status {
                error_code: Some(muc_body::status::ErrorCode::Ok as i32),
                chatroom_info: Some(info.to_string()),
                ..muc_body::Status::default()
            }),
            muc_name: Some(state.profile.name.clone()),
            muc_member_count: i32::try_from(state.members.len()).ok(),
            ..MucBody::default()
        }
    }

    fn refused_at_the_door(&self, muc: MucIx, fault: MucFault) -> Refused {
        let id = &self.mucs.muc(muc).id;
        let name = |user| self.accounts.name(user);
        Refused::new(
            ErrorCode::Fail,
            match fault {
                MucFault::NotIn(_) => "not in group or chatroom".to_owned(),
                MucFault::Full => "group member list is full!".to_owned(),
                MucFault::Blocked(user) => {
                    format!(
                        "can not join this group, reason:user: {} is in the blacklist of group: {id}",
                        name(user)
                    )
                }
                // As over REST; that a room's owner cannot leave it is our guess.
                MucFault::IsOwner(_) => "forbidden operation on group owner!".to_owned(),
                MucFault::AlreadyIn(_)
                | MucFault::TooSmall
                | MucFault::AdminsFull
                | MucFault::NotAdmin(_)
                | MucFault::NotBlocked(_)
                | MucFault::NothingWaits(..)
                | MucFault::TooManyWait
                | MucFault::TooManyBlocked
                | MucFault::TooManyFiles => unreachable!("neither joining nor leaving is refused for it"),
            },
        )
    }
}
