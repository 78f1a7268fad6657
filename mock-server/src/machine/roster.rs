//! Roster operations on the socket (wire-3x §5.4): which of them a client may ask for, and their answers.
//!
//! 3.x sends them to a nameless `@easemob.com` and waits for no answer but the service's own meta, upon which it
//! asks REST for the list. What they do is in `contacts`.

use fixtures::wire::view::MetaView;
use fixtures::wire::{RosterBody, roster_body::Operation, status};
use prost::Message as _;
use status::ErrorCode;

use super::account::UserIx;
use super::contacts::{ContactFault, Direction};
use super::message::{Origin, Refused, Ticket};
use super::{Millis, Server, excerpt};

/// As what is said with an application to a group.
pub(super) const REASON_CHARS_MAX: usize = 512;

impl Server {
    pub(super) fn roster(&mut self, now: Millis, origin: Origin, meta: &MetaView<'_>) {
        let ticket = meta.id.map(|local_id| Ticket::new(origin, local_id, meta.payload));
        if let Some(ticket) = &ticket
            && self.is_sent_again(ticket)
        {
            return;
        }
        let done = self.change_roster(now, origin, meta.payload);
        match (done, ticket) {
            (Ok(()), Some(ticket)) => {
                let server_id = self.allot_id();
                self.answer_taken(now, &ticket, server_id);
            }
            (Ok(()), None) => {}
            (Err(Refused(code, reason)), _) => self.refuse_sync(origin.conn, meta.id, code, &reason),
        }
    }

    /// With several users named, it goes through them until one of them is refused.
    fn change_roster(&mut self, now: Millis, origin: Origin, payload: &[u8]) -> Result<(), Refused> {
        let user = origin.user;
        let body = RosterBody::decode(payload).map_err(|error| {
            let text = format!("payload.meta.payload is not a RosterBody: {error}");
            self.finding(origin.conn, "recv.bad-frame", text);
            Refused::new(ErrorCode::PbParserError, "meta.payload is not a RosterBody")
        })?;
        let number = body.operation.unwrap_or_default();
        let operation = Operation::try_from(number).map_err(|_| {
            let text = format!("RosterBody.operation is {number}, not 0 to 9");
            self.finding(origin.conn, "recv.bad-frame", text);
            Refused::new(ErrorCode::UnknownCommand, "unknown roster operation")
        })?;
        let others = self.named_by(&body)?;
        let reason = body.reason.unwrap_or_default();
        if reason.chars().count() > REASON_CHARS_MAX {
            let reason = format!("roster.reason holds at most {REASON_CHARS_MAX} characters");
            return Err(Refused::new(ErrorCode::WrongParameter, reason));
        }
        let mut each = |one: &mut dyn FnMut(&mut Self, UserIx) -> Result<(), ContactFault>| {
            others.iter().try_for_each(|&other| one(self, other))
        };
        let done = match operation {
            Operation::Add => each(&mut |server, other| server.ask_contact(now, user, other, &reason)),
            Operation::Accept => each(&mut |server, other| server.accept_contact(now, user, other)),
            Operation::Decline => each(&mut |server, other| {
                server.decline_contact(now, user, other, Some(origin.device), &reason)
            }),
            Operation::Remove => each(&mut |server, other| {
                // Nothing to end is as good as ended.
                server.remove_contact(now, user, other);
                Ok(())
            }),
            Operation::Ban => {
                let both = body.bi_direction.unwrap_or_default();
                let direction = if both { Direction::Both } else { Direction::Theirs };
                self.block_all(now, user, &others, direction)
            }
            Operation::Allow => {
                self.unblock_all(now, user, &others);
                Ok(())
            }
            Operation::GetRoster
            | Operation::GetBlacklist
            | Operation::RemoteAccept
            | Operation::RemoteDecline => {
                let reason = format!("roster operation {} is not served", operation.as_str_name());
                return Err(Refused::new(ErrorCode::UnknownCommand, reason));
            }
        };
        done.map_err(|fault| Refused::new(ErrorCode::Fail, fault.reason()))
    }

    fn named_by(&self, body: &RosterBody) -> Result<Vec<UserIx>, Refused> {
        let names = body.to.iter().filter_map(|jid| jid.name.as_deref());
        let users: Result<Vec<UserIx>, &str> =
            names.map(|name| self.accounts.find(name).ok_or(name)).collect();
        let users = users.map_err(|name| {
            Refused::new(ErrorCode::Fail, format!("username {} doesn't exist!", excerpt(name)))
        })?;
        if users.is_empty() {
            return Err(Refused::new(ErrorCode::MissingParameter, "roster.to names nobody"));
        }
        Ok(users)
    }
}
