//! What those concerned are told of a group or room (ns MUC): whom, in which words, and whether it waits for who is
//! away.
//!
//! Which operation goes to whom is our guess throughout, after the events that 3.x and 4.x make of them (wire-3x
//! §5.3, wire-4x §6.1).

use fixtures::wire::{Jid, MucBody, meta, muc_body};
use prost::Message as _;

pub(in crate::machine) use muc_body::Operation;

use super::{Muc, MucIx, MucKind};
use crate::machine::account::UserIx;
use crate::machine::{Millis, Server};

/// Who does something to a group or room, when, and who is told of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::machine) struct Act {
    pub(in crate::machine) now: Millis,
    /// Whom the news are from. All devices of this user know already.
    pub(in crate::machine) by: UserIx,
    pub(in crate::machine) told: Told,
}

/// Whom news reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Told {
    /// Whoever is away finds them later.
    Everyone,
    /// Who has a live device. So a stage that is set before anybody logs in is found quiet.
    Present,
}

/// One piece of news.
pub(super) struct Notice<'a> {
    pub(super) operation: Operation,
    /// SDKs lose what is behind a notice without it (wire-3x §5).
    pub(super) from: UserIx,
    /// Whom it was done to.
    pub(super) to: &'a [UserIx],
    pub(super) reason: &'a str,
    /// What 4.x calls `detail`, as JSON.
    pub(super) detail: Option<String>,
    /// What a user who comes in says to those who are there.
    pub(super) ext: &'a str,
}

impl<'a> Notice<'a> {
    pub(super) fn new(operation: Operation, from: UserIx, to: &'a [UserIx]) -> Self {
        Self { operation, from, to, reason: "", detail: None, ext: "" }
    }
}

impl Server {
    /// Tells `readers`, but for the user who did it.
    pub(super) fn tell_muc(&mut self, act: Act, muc: MucIx, notice: &Notice<'_>, readers: &[UserIx]) {
        let state = self.mucs.muc(muc);
        let present = act.told == Told::Present
            || match state.kind {
                MucKind::Group | MucKind::Thread => is_about_others(notice.operation),
                MucKind::Room => true,
            };
        let is_told =
            |user: UserIx| user != act.by && (!present || !self.accounts.user(user).devices.is_empty());
        let readers: Vec<UserIx> = readers.iter().copied().filter(|&user| is_told(user)).collect();
        if readers.is_empty() {
            return;
        }
        let from = self.jid(notice.from, None);
        let body = self.notice_body(muc, notice, from.clone());
        self.tell_service_all(act.now, &readers, from, meta::NameSpace::Muc, body.encode_to_vec());
    }

    /// Tells the other devices of the user who did it, by whose resource 4.x knows that it was not itself.
    pub(super) fn tell_own_devices(
        &mut self,
        act: Act,
        muc: MucIx,
        notice: &Notice<'_>,
        resource: Option<&str>,
    ) {
        // Without, nobody can tell which device did it, and each would show it as another's.
        let Some(resource) = resource else { return };
        let device = self.device_of(act.by, resource);
        let body = self.notice_body(muc, notice, self.jid(notice.from, Some(resource)));
        let payload = body.encode_to_vec();
        match device {
            Some(device) => {
                self.tell_other_devices(act.now, act.by, device, meta::NameSpace::Muc, payload);
            }
            None => self.tell_service(act.now, act.by, meta::NameSpace::Muc, payload),
        }
    }

    fn notice_body(&self, muc: MucIx, notice: &Notice<'_>, from: Jid) -> MucBody {
        let state = self.mucs.muc(muc);
        MucBody {
            muc_id: Some(self.muc_jid(muc)),
            operation: Some(notice.operation as i32),
            from: Some(from),
            to: notice.to.iter().map(|&user| self.jid(user, None)).collect(),
            reason: (!notice.reason.is_empty()).then(|| notice.reason.to_owned()),
            is_chatroom: Some(state.kind == MucKind::Room),
            muc_name: Some(state.profile.name.clone()),
            event_info: notice
                .detail
                .clone()
                .map(|ext| muc_body::EventInfo { event_type: None, ext: Some(ext) }),
            ext: (!notice.ext.is_empty()).then(|| notice.ext.to_owned()),
            muc_member_count: i32::try_from(state.members.len()).ok(),
            ..MucBody::default()
        }
    }

    /// Tells the user to whom it was done.
    pub(super) fn tell_user(
        &mut self,
        act: Act,
        muc: MucIx,
        operation: Operation,
        from: UserIx,
        to: UserIx,
        reason: &str,
    ) {
        let to = [to];
        self.tell_muc(act, muc, &Notice { reason, ..Notice::new(operation, from, &to) }, &to);
    }

    /// All members, but for those whom `but` names.
    pub(super) fn tell_members(&mut self, act: Act, muc: MucIx, notice: &Notice<'_>, but: &[UserIx]) {
        let members = self.mucs.muc(muc).members.keys().copied();
        let readers: Vec<UserIx> = members.filter(|user| !but.contains(user)).collect();
        self.tell_muc(act, muc, notice, &readers);
    }

    /// Owner, administrators, and whom it was done to.
    pub(super) fn tell_leaders(&mut self, act: Act, muc: MucIx, notice: &Notice<'_>) {
        let mut readers = self.mucs.muc(muc).leaders();
        readers.extend(notice.to.iter().copied().filter(|user| !readers.contains(user)).collect::<Vec<_>>());
        self.tell_muc(act, muc, notice, &readers);
    }
}

impl Muc {
    /// The owner, then the administrators.
    pub(super) fn leaders(&self) -> Vec<UserIx> {
        std::iter::once(self.owner).chain(self.admins.iter().copied()).collect()
    }
}

/// That others come and go is news for who looks on; kept for who is away, it would push out their messages.
fn is_about_others(operation: Operation) -> bool {
    matches!(operation, Operation::Presence | Operation::Absence | Operation::GroupMemberMetadataUpdate)
}
