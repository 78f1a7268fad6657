//! Contacts and block lists: what one user does to another, and which devices learn of it (wire-3x §5.4).
//!
//! Which operation reaches whom is our guess, after the events that SDKs make of them: who is asked gets ADD, who asked
//! gets REMOTE_ACCEPT or REMOTE_DECLINE, and both sides get REMOVE. One's own devices learn of what changes one's own
//! lists, the one that asked as well: it shows the new list only then. Where nothing changes, nobody is told.

use fixtures::wire::{RosterBody, meta, roster_body::Operation};
use prost::Message as _;

use super::account::UserIx;
use super::session::DeviceId;
use super::{Millis, Server};

/// Why two users do not become contacts, or one does not block the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContactFault {
    /// Nobody is their own contact.
    Oneself,
    /// The other has blocked who asks.
    Blocked,
    /// There is no invitation to answer.
    NotInvited,
    /// Who asked has as many contacts as the world's rules allow.
    InviterFull,
    /// As [`ContactFault::InviterFull`], of who was asked.
    InviteeFull,
    /// The other is no contact.
    NoContact,
    /// So many wait for the other's answer: [`INVITATIONS_MAX`].
    TooManyWait,
    /// [`BLOCKED_MAX`] are on the list.
    TooManyBlocked,
}

/// Which directions a block stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// The other may not write.
    Theirs,
    /// Nor may the one whose list it is (`RosterBody.biDirection`).
    Both,
}

/// A bound on what strangers can make a user keep; who has not answered so many answers nobody.
const INVITATIONS_MAX: usize = 1_000;
/// A bound on what a user can make a world keep; as many as contacts by default.
const BLOCKED_MAX: usize = 3_000;

impl ContactFault {
    /// For the person who asked.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Oneself => "nobody is their own contact",
            // What a message to the other is refused with.
            Self::Blocked => "blocked",
            Self::NotInvited => "no invitation of this user waits for an answer",
            // The words by which 4.x tells them from other refusals (rest.md 0.11).
            Self::InviterFull => "Inviter's contact max count",
            Self::InviteeFull => "Invitee's contact max count",
            // As the two before.
            Self::NoContact => "updateRemark | they are not friends, please add as a friend first.",
            Self::TooManyWait => "too many invitations wait for an answer of this user",
            Self::TooManyBlocked => "the block list is full",
        }
    }
}

impl Server {
    /// Asks another to become a contact. Asked again before there is an answer, it is as if asked once.
    pub(super) fn ask_contact(
        &mut self,
        now: Millis,
        user: UserIx,
        other: UserIx,
        reason: &str,
    ) -> Result<(), ContactFault> {
        if user == other {
            return Err(ContactFault::Oneself);
        }
        let them = self.accounts.user_mut(other);
        if them.blocked.contains(&user) {
            return Err(ContactFault::Blocked);
        }
        if them.contacts.contains_key(&user) || them.invited_by.contains(&user) {
            return Ok(());
        }
        self.hold_one_more(user, other)?;
        let them = self.accounts.user_mut(other);
        if them.invited_by.len() >= INVITATIONS_MAX {
            return Err(ContactFault::TooManyWait);
        }
        them.invited_by.insert(user);
        self.tell_roster(now, other, Operation::Add, (user, &[other]), reason);
        Ok(())
    }

    /// Says yes to who asked.
    pub(super) fn accept_contact(
        &mut self,
        now: Millis,
        user: UserIx,
        other: UserIx,
    ) -> Result<(), ContactFault> {
        let me = self.accounts.user(user);
        if me.contacts.contains_key(&other) {
            return Ok(());
        }
        if !me.invited_by.contains(&other) {
            return Err(ContactFault::NotInvited);
        }
        self.befriend(other, user)?;
        self.tell_roster(now, user, Operation::Accept, (user, &[other]), "");
        self.tell_roster(now, other, Operation::RemoteAccept, (user, &[other]), "");
        Ok(())
    }

    /// Says no to who asked. The lists stay as they are, so only the user's other devices are told; all of them where
    /// nobody says which one it was.
    pub(super) fn decline_contact(
        &mut self,
        now: Millis,
        user: UserIx,
        other: UserIx,
        device: Option<DeviceId>,
        reason: &str,
    ) -> Result<(), ContactFault> {
        if !self.accounts.user_mut(user).invited_by.shift_remove(&other) {
            return Err(ContactFault::NotInvited);
        }
        let body = self.roster_body(Operation::Decline, user, &[other], reason);
        match device {
            Some(device) => self.tell_other_devices(now, user, device, meta::NameSpace::Roster, body),
            None => self.tell_service(now, user, meta::NameSpace::Roster, body),
        }
        self.tell_roster(now, other, Operation::RemoteDecline, (user, &[other]), reason);
        Ok(())
    }

    /// Makes two users contacts without asking. False: they were already.
    pub(super) fn add_contact(
        &mut self,
        now: Millis,
        user: UserIx,
        other: UserIx,
    ) -> Result<bool, ContactFault> {
        if user == other {
            return Err(ContactFault::Oneself);
        }
        if self.accounts.user(user).contacts.contains_key(&other) {
            return Ok(false);
        }
        self.befriend(user, other)?;
        for side in [user, other] {
            self.tell_roster(now, side, Operation::Accept, (user, &[other]), "");
        }
        Ok(true)
    }

    /// Ends it for both. False: they were none.
    pub(super) fn remove_contact(&mut self, now: Millis, user: UserIx, other: UserIx) -> bool {
        let were = self.accounts.user_mut(user).contacts.shift_remove(&other).is_some();
        if were {
            self.accounts.user_mut(other).contacts.shift_remove(&user);
            for side in [user, other] {
                self.tell_roster(now, side, Operation::Remove, (user, &[other]), "");
            }
        }
        were
    }

    /// As [`Server::add_contact`], but nobody is told.
    pub(super) fn befriend(&mut self, inviter: UserIx, invitee: UserIx) -> Result<(), ContactFault> {
        self.hold_one_more(inviter, invitee)?;
        for (side, with) in [(inviter, invitee), (invitee, inviter)] {
            let state = self.accounts.user_mut(side);
            state.contacts.entry(with).or_default();
            state.invited_by.shift_remove(&with);
        }
        Ok(())
    }

    /// The user's own name for a contact; an empty one takes it away. Nobody is told.
    pub(super) fn set_remark(
        &mut self,
        user: UserIx,
        other: UserIx,
        remark: &str,
    ) -> Result<(), ContactFault> {
        let known = self.accounts.user_mut(user).contacts.get_mut(&other).ok_or(ContactFault::NoContact)?;
        *known = remark.into();
        Ok(())
    }

    /// Whether either of two has room for the other.
    pub(super) fn hold_one_more(&self, inviter: UserIx, invitee: UserIx) -> Result<(), ContactFault> {
        let max = usize::try_from(self.settings.contacts_max).unwrap_or(usize::MAX);
        let has_room = |side: UserIx, with: UserIx| {
            let contacts = &self.accounts.user(side).contacts;
            contacts.len() < max || contacts.contains_key(&with)
        };
        if !has_room(inviter, invitee) {
            Err(ContactFault::InviterFull)
        } else if !has_room(invitee, inviter) {
            Err(ContactFault::InviteeFull)
        } else {
            Ok(())
        }
    }

    /// Puts others on a user's block list, all or none, and tells the user's devices of those that were not on it.
    pub(super) fn block_all(
        &mut self,
        now: Millis,
        user: UserIx,
        others: &[UserIx],
        direction: Direction,
    ) -> Result<(), ContactFault> {
        let blocked = &self.accounts.user(user).blocked;
        let more = others.iter().filter(|other| !blocked.contains(*other)).count();
        if blocked.len() + more > BLOCKED_MAX {
            return Err(ContactFault::TooManyBlocked);
        }
        let mut new: Vec<UserIx> = others.to_vec();
        new.retain(|&other| self.block(user, other, direction));
        self.tell_roster(now, user, Operation::Ban, (user, &new), "");
        Ok(())
    }

    pub(super) fn unblock_all(&mut self, now: Millis, user: UserIx, others: &[UserIx]) {
        let mut gone: Vec<UserIx> = others.to_vec();
        gone.retain(|&other| self.unblock(user, other));
        self.tell_roster(now, user, Operation::Allow, (user, &gone), "");
    }

    /// Whether that changed anything.
    pub(super) fn block(&mut self, user: UserIx, other: UserIx, direction: Direction) -> bool {
        let user = self.accounts.user_mut(user);
        // Who is blocked has asked for nothing.
        user.invited_by.shift_remove(&other);
        let theirs = user.blocked.insert(other);
        let mine = direction == Direction::Both && user.blocked_both.insert(other);
        theirs || mine
    }

    /// Whether that changed anything.
    pub(super) fn unblock(&mut self, user: UserIx, other: UserIx) -> bool {
        let user = self.accounts.user_mut(user);
        user.blocked_both.shift_remove(&other);
        user.blocked.shift_remove(&other)
    }

    /// Tells every device of `reader` what one user did to others; of nobody, there is nothing to tell: what devices
    /// are told has a first `to`, or 3.x breaks on it (wire-3x §5.4).
    fn tell_roster(
        &mut self,
        now: Millis,
        reader: UserIx,
        operation: Operation,
        (from, to): (UserIx, &[UserIx]),
        reason: &str,
    ) {
        if !to.is_empty() {
            let body = self.roster_body(operation, from, to, reason);
            self.tell_service(now, reader, meta::NameSpace::Roster, body);
        }
    }

    fn roster_body(&self, operation: Operation, from: UserIx, to: &[UserIx], reason: &str) -> Vec<u8> {
        let body = RosterBody {
            operation: Some(operation as i32),
            from: Some(self.jid(from, None)),
            to: to.iter().map(|&user| self.jid(user, None)).collect(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            ..RosterBody::default()
        };
        body.encode_to_vec()
    }
}
