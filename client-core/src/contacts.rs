//! Contacts and the block list: changes over the socket, as the 3.x SDK makes them (wire-3x §5.4), lists over
//! REST. What others do comes as a [`crate::Presence`] and is read in `presence`.

use fixtures::wire::meta::NameSpace;
use fixtures::wire::roster_body::Operation;
use fixtures::wire::{CommSyncUl, Jid, MSync, Meta, RosterBody, USER_DOMAIN};
use prost::Message as _;

use crate::calls::Call;
use crate::client::{Client, named_users};
use crate::error::CommandError;
use crate::message::{Identity, LocalId, sync_frame};
use crate::outbox::Outgoing;
use crate::timer::Millis;

/// A change of one's contacts or block list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RosterChange {
    operation: Operation,
    users: Vec<String>,
    reason: Option<String>,
}

impl Client {
    /// Asks to become a user's contact; they decide. An outcome comes as an [`crate::Event::Presence`], and a
    /// refusal of the service as an [`crate::Event::Error`], here and below.
    pub fn add_contact(&mut self, now: Millis, user: &str, reason: &str) -> Result<(), CommandError> {
        let reason = Some(reason.to_owned());
        self.change_roster(now, "add_contact", Operation::Add, vec![user.to_owned()], reason)
    }

    /// Takes up a user who asked to be a contact.
    pub fn accept_contact(&mut self, now: Millis, user: &str) -> Result<(), CommandError> {
        self.change_roster(now, "accept_contact", Operation::Accept, vec![user.to_owned()], None)
    }

    /// Turns down a user who asked to be a contact.
    pub fn decline_contact(&mut self, now: Millis, user: &str) -> Result<(), CommandError> {
        self.change_roster(now, "decline_contact", Operation::Decline, vec![user.to_owned()], None)
    }

    /// Ends being contacts, for both.
    pub fn remove_contact(&mut self, now: Millis, user: &str) -> Result<(), CommandError> {
        self.change_roster(now, "remove_contact", Operation::Remove, vec![user.to_owned()], None)
    }

    /// Puts users on the block list. [`crate::Event::BlacklistUpdate`] follows when the server tells that the
    /// list changed.
    pub fn block(&mut self, now: Millis, users: Vec<String>) -> Result<(), CommandError> {
        self.change_roster(now, "block", Operation::Ban, users, None)
    }

    /// Takes users off the block list, as [`Client::block`] puts them on.
    pub fn unblock(&mut self, now: Millis, users: Vec<String>) -> Result<(), CommandError> {
        self.change_roster(now, "unblock", Operation::Allow, users, None)
    }

    /// Asks for the contacts: [`crate::Event::Roster`].
    pub fn list_contacts(&mut self, now: Millis) -> Result<(), CommandError> {
        self.call(now, "list_contacts", Call::Contacts).map(drop)
    }

    /// Asks for the block list: [`crate::Event::BlacklistUpdate`].
    pub fn list_blocked(&mut self, now: Millis) -> Result<(), CommandError> {
        self.call(now, "list_blocked", Call::BlockList).map(drop)
    }

    fn change_roster(
        &mut self,
        now: Millis,
        command: &'static str,
        operation: Operation,
        users: Vec<String>,
        reason: Option<String>,
    ) -> Result<(), CommandError> {
        let users = named_users(command, users)?;
        if !self.session.is_open() {
            return Err(CommandError::NotLoggedIn { command });
        }
        let id = self.unique_id(now);
        self.outbox.push(id, Outgoing::Roster(RosterChange { operation, users, reason }))?;
        self.pump(now);
        Ok(())
    }
}

impl RosterChange {
    pub(crate) fn to_wire(&self, id: LocalId, me: &Identity) -> MSync {
        let body = RosterBody {
            operation: Some(self.operation.into()),
            from: Some(me.jid()),
            to: self.users.iter().map(|user| me.neighbour(user, USER_DOMAIN)).collect(),
            reason: self.reason.clone(),
            ..RosterBody::default()
        };
        let meta = Meta {
            id: Some(id.0),
            from: Some(me.jid()),
            // The SDK writes the sign before the domain, here and nowhere else (wire-3x §5.4).
            to: Some(Jid { domain: Some(format!("@{USER_DOMAIN}")), ..Jid::default() }),
            ns: Some(NameSpace::Roster.into()),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        sync_frame(&CommSyncUl { meta: Some(meta), ..CommSyncUl::default() })
    }
}
