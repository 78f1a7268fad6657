//! Roster operations on the socket; of them, the block list (wire-3x §5.4).
//!
//! 3.x sends them to a nameless `@easemob.com` and waits for no answer but the service's own meta, upon which it
//! asks REST for the list.

use fixtures::wire::view::MetaView;
use fixtures::wire::{Jid, RosterBody, meta, roster_body, status};
use prost::Message as _;

use super::account::UserIx;
use super::{ConnId, Millis, Server, encode};

impl Server {
    pub(super) fn roster(&mut self, now: Millis, conn: ConnId, meta: &MetaView<'_>) {
        let Some(user) =
            self.sessions.get(&conn).and_then(|session| session.live()).map(|live| live.reader.user)
        else {
            return;
        };
        let body = match RosterBody::decode(meta.payload) {
            Ok(body) => body,
            Err(error) => {
                self.finding(
                    conn,
                    "recv.bad-frame",
                    format!("payload.meta.payload is not a RosterBody: {error}"),
                );
                let reason = "meta.payload is not a RosterBody";
                return self.refuse_sync(conn, meta.id, status::ErrorCode::PbParserError, reason);
            }
        };
        use roster_body::Operation;
        let number = body.operation.unwrap_or_default();
        let (operation, blocks) = match Operation::try_from(number) {
            Ok(Operation::Ban) => (Operation::Ban, true),
            Ok(Operation::Allow) => (Operation::Allow, false),
            Ok(
                other @ (Operation::GetRoster
                | Operation::GetBlacklist
                | Operation::Add
                | Operation::Remove
                | Operation::Accept
                | Operation::Decline
                | Operation::RemoteAccept
                | Operation::RemoteDecline),
            ) => {
                let reason = format!("roster operation {} is not served", other.as_str_name());
                return self.refuse_sync(conn, meta.id, status::ErrorCode::UnknownCommand, &reason);
            }
            Err(_) => {
                self.finding(conn, "recv.bad-frame", format!("RosterBody.operation is {number}, not 0 to 9"));
                let reason = "unknown roster operation";
                return self.refuse_sync(conn, meta.id, status::ErrorCode::UnknownCommand, reason);
            }
        };
        let names = body.to.iter().filter_map(|jid| jid.name.as_deref());
        let found: Result<Vec<UserIx>, &str> =
            names.map(|name| self.accounts.find(name).ok_or(name)).collect();
        let others = match found {
            Ok(others) => others,
            Err(name) => {
                let reason = format!("username {name} doesn't exist!");
                return self.refuse_sync(conn, meta.id, status::ErrorCode::Fail, &reason);
            }
        };
        // What devices are told has a first `to`, or 3.x breaks on it (wire-3x §5.4).
        if others.is_empty() {
            let reason = "roster.to names nobody";
            return self.refuse_sync(conn, meta.id, status::ErrorCode::MissingParameter, reason);
        }
        let both = body.bi_direction.unwrap_or_default();
        for other in others {
            if blocks {
                self.block(user, other, both);
            } else {
                self.unblock(user, other);
            }
        }
        self.tell_roster(now, user, operation, &body.to);
        if let Some(id) = meta.id {
            let server_id = self.allot_id();
            self.send(conn, encode::accepted(id, server_id, now));
        }
    }

    pub(super) fn block(&mut self, user: UserIx, other: UserIx, both: bool) {
        let user = self.accounts.user_mut(user);
        user.blocked.insert(other);
        if both {
            user.blocked_both.insert(other);
        }
    }

    pub(super) fn unblock(&mut self, user: UserIx, other: UserIx) {
        let user = self.accounts.user_mut(user);
        user.blocked.shift_remove(&other);
        user.blocked_both.shift_remove(&other);
    }

    /// Makes two users each other's contacts.
    pub(super) fn befriend(&mut self, user: UserIx, other: UserIx) {
        self.accounts.user_mut(user).contacts.insert(other);
        self.accounts.user_mut(other).contacts.insert(user);
    }

    /// Every device of the user learns of it, the one that asked as well: it shows the new list only then.
    fn tell_roster(&mut self, now: Millis, user: UserIx, operation: roster_body::Operation, to: &[Jid]) {
        let body = RosterBody {
            operation: Some(operation as i32),
            from: Some(self.jid(user, None)),
            to: to.to_vec(),
            ..RosterBody::default()
        };
        self.tell_service(now, user, meta::NameSpace::Roster, body.encode_to_vec());
    }
}
