//! Threads of 4.x: small groups that hang on one message of a group (wire-4x §6.1, §6.3, rest.md A.11).
//!
//! A thread has members, a queue and a log as groups have, and is a group or room to `muc`; here is what only threads
//! are: their parent, who is told of them, and that they end with their group. Who may do what is decided by the
//! caller.

use std::sync::Arc;

use fixtures::wire::{Jid, MessageBody, Meta, MucBody, meta, muc_body};
use muc_body::Operation;
use prost::Message as _;
use serde_json::{Value, json};

use super::account::UserIx;
use super::log::{ConvKey, Kept, Shown};
use super::muc::{Act, MucFault, MucIx, MucKind, Profile, Told};
use super::payload;
use super::{Map, Millis, Server, Set, enrichment};

/// Every thread of a world.
#[derive(Clone, Debug, Default)]
pub(super) struct Threads {
    pub(super) of: Map<MucIx, Thread>,
    pub(super) by_group: Map<MucIx, Set<MucIx>>,
    pub(super) by_message: Map<u64, MucIx>,
}

/// What a thread has over a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thread {
    pub(super) parent: MucIx,
    /// The message that it hangs on.
    pub(super) message: u64,
    /// When it was made, renamed or written in last.
    pub(super) updated: Millis,
    /// How many messages it has.
    pub(super) messages: u32,
}

/// Why a thread is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ThreadFault {
    /// One hangs on that message already.
    Exists,
    /// The group has no such message.
    NoMessage,
    /// The world has as many groups, rooms and threads as it holds.
    TooMany,
}

/// As a group of the largest plan (rest.md B.8): our guess.
const MEMBERS_MAX: usize = 8_000;

/// What everybody in a thread may see.
const FOR_ALL: Shown<'static> = Shown { from: 0, removed: None, reader: None };

impl Threads {
    pub(super) fn get(&self, thread: MucIx) -> Option<&Thread> {
        self.of.get(&thread)
    }

    /// Those of a group, oldest first.
    pub(super) fn of_group(&self, group: MucIx) -> Vec<MucIx> {
        self.by_group.get(&group).into_iter().flatten().copied().collect()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = MucIx> {
        self.of.keys().copied()
    }

    pub(super) fn forget(&mut self, thread: MucIx) {
        if let Some(gone) = self.of.shift_remove(&thread) {
            self.by_message.swap_remove(&gone.message);
            if let Some(of) = self.by_group.get_mut(&gone.parent) {
                of.shift_remove(&thread);
                if of.is_empty() {
                    self.by_group.shift_remove(&gone.parent);
                }
            }
        }
    }
}

impl Server {
    /// Its maker is in, and owns it. The group is told.
    pub(super) fn make_thread(
        &mut self,
        act: Act,
        group: MucIx,
        message: u64,
        name: &str,
        resource: Option<&str>,
    ) -> Result<MucIx, ThreadFault> {
        let (found, _) = self.find_open(act.by, message).ok_or(ThreadFault::NoMessage)?;
        if self.queues.key(found.conv) != ConvKey::Muc(group) {
            return Err(ThreadFault::NoMessage);
        }
        if self.threads.by_message.contains_key(&message) {
            return Err(ThreadFault::Exists);
        }
        if self.mucs.is_full() {
            return Err(ThreadFault::TooMany);
        }
        let id = self.allot_muc_id();
        let profile = Profile { users_max: MEMBERS_MAX, ..Profile::named(name) };
        let thread = self.make_muc(act.now, MucKind::Thread, &id, act.by, &[], profile);
        let state = Thread { parent: group, message, updated: act.now, messages: 0 };
        self.threads.of.insert(thread, state);
        self.threads.by_group.entry(group).or_default().insert(thread);
        self.threads.by_message.insert(message, thread);
        self.tell_thread(act, thread, "create", Told::Everyone);
        self.tell_thread_to_own_devices(act, thread, Operation::ThreadCreate, resource);
        Ok(thread)
    }

    pub(super) fn join_thread(
        &mut self,
        act: Act,
        thread: MucIx,
        resource: Option<&str>,
    ) -> Result<(), MucFault> {
        self.mucs.muc(thread).may_enter(act.by)?;
        self.enter(act.now, thread, act.by);
        self.tell_thread_to_own_devices(act, thread, Operation::ThreadJoin, resource);
        Ok(())
    }

    /// Also its owner, whose it stays.
    pub(super) fn leave_thread(
        &mut self,
        act: Act,
        thread: MucIx,
        resource: Option<&str>,
    ) -> Result<(), MucFault> {
        self.mucs.muc(thread).member(act.by)?;
        self.go_out(thread, act.by);
        self.tell_thread_to_own_devices(act, thread, Operation::ThreadLeave, resource);
        Ok(())
    }

    /// A member is put out, and told.
    pub(super) fn remove_from_thread(
        &mut self,
        act: Act,
        thread: MucIx,
        user: UserIx,
    ) -> Result<(), MucFault> {
        self.mucs.muc(thread).member(user)?;
        self.go_out(thread, user);
        let from = self.jid(act.by, None);
        let body = self.thread_body(thread, Operation::ThreadKick, from.clone(), &[user]);
        self.tell_service_all(act.now, &[user], from, meta::NameSpace::Muc, body.encode_to_vec());
        Ok(())
    }

    pub(super) fn rename_thread(&mut self, act: Act, thread: MucIx, name: &str, resource: Option<&str>) {
        name.clone_into(&mut self.mucs.muc_mut(thread).profile.name);
        if let Some(state) = self.threads.of.get_mut(&thread) {
            state.updated = act.now;
        }
        self.tell_thread(act, thread, "update", Told::Everyone);
        self.tell_thread_to_own_devices(act, thread, Operation::ThreadUpdate, resource);
    }

    pub(super) fn end_thread(&mut self, act: Act, thread: MucIx, resource: Option<&str>) {
        self.tell_thread(act, thread, "delete", Told::Everyone);
        self.tell_thread_to_own_devices(act, thread, Operation::ThreadDestroy, resource);
        self.forget_muc(thread);
    }

    /// Who leaves a group leaves its threads.
    pub(super) fn leave_threads_of(&mut self, group: MucIx, user: UserIx) {
        for thread in self.threads.of_group(group) {
            if self.mucs.muc(thread).has(user) {
                self.go_out(thread, user);
            }
        }
    }

    /// The group has ended, and its threads with it.
    pub(super) fn forget_threads_of(&mut self, group: MucIx) {
        for thread in self.threads.of_group(group) {
            self.forget_muc(thread);
        }
    }

    /// A message was written in the thread: who of the group looks on is told. For who is away it would push out
    /// messages.
    pub(super) fn written_in_thread(&mut self, now: Millis, thread: MucIx, by: UserIx) {
        if let Some(state) = self.threads.of.get_mut(&thread) {
            state.messages = state.messages.saturating_add(1);
            state.updated = now;
        }
        self.tell_thread(Act { now, by, told: Told::Present }, thread, "update_msg", Told::Present);
    }

    /// A message of the thread was taken back.
    pub(super) fn recalled_in_thread(&mut self, now: Millis, thread: MucIx, by: UserIx) {
        if let Some(state) = self.threads.of.get_mut(&thread) {
            state.messages = state.messages.saturating_sub(1);
            state.updated = now;
        }
        self.tell_thread(Act { now, by, told: Told::Present }, thread, "update_msg", Told::Present);
    }

    /// A stored message of a thread, with what 4.x shows of the thread beside it.
    pub(super) fn with_thread(&self, thread: MucIx, meta: Arc<[u8]>) -> Arc<[u8]> {
        let Some(of) = self.threads.get(thread) else { return meta };
        let shown = json!({
            "msg_parent_id": of.message.to_string(),
            "muc_parent_id": &*self.mucs.muc(of.parent).id,
            "thread_name": self.mucs.muc(thread).profile.name,
        });
        match enrichment::with(&meta, "thread", shown) {
            Some(enriched) => enriched.into(),
            None => meta,
        }
    }

    /// A message as history shows it: with the thread that hangs on it.
    pub(super) fn with_thread_overview(&self, id: u64, meta: Arc<[u8]>) -> Arc<[u8]> {
        let Some(&thread) = self.threads.by_message.get(&id) else { return meta };
        let Some(of) = self.threads.get(thread) else { return meta };
        let state = self.mucs.muc(thread);
        let shown = json!({
            "id": &*state.id,
            "name": state.profile.name,
            "muc_parent_id": &*self.mucs.muc(of.parent).id,
            "create_timestamp": state.created.0,
            "update_timestamp": of.updated.0,
            "message_count": of.messages,
            "last_message": self.last_in_thread(thread),
        });
        match enrichment::with(&meta, "thread_overview", shown) {
            Some(enriched) => enriched.into(),
            None => meta,
        }
    }

    /// The last message as 4.x reads it, `{}` where there is none.
    pub(super) fn last_in_thread(&self, thread: MucIx) -> Value {
        let conv = self.queues.find(ConvKey::Muc(thread));
        let last = conv.and_then(|conv| self.queues.last_content(conv, FOR_ALL));
        last.and_then(|last| shown(&last)).unwrap_or_else(|| json!({}))
    }

    /// NOTIFY to the thread's group, but for the user who did it.
    fn tell_thread(&mut self, act: Act, thread: MucIx, operation: &str, told: Told) {
        let Some(&of) = self.threads.get(thread) else { return };
        let state = self.mucs.muc(thread);
        let group = self.mucs.muc(of.parent);
        let mut data = json!({
            "id": &*state.id,
            "name": state.profile.name,
            "muc_parent_id": &*group.id,
            "msg_parent_id": of.message.to_string(),
            "timestamp": act.now.0,
            "from": self.accounts.name(act.by),
            "operation": operation,
            "message_count": of.messages,
        });
        if operation == "update_msg" {
            data["last_message"] = self.last_in_thread(thread);
        }
        let present = |user: UserIx| !self.accounts.user(user).devices.is_empty();
        let others = group.members.keys().copied().filter(|&user| user != act.by);
        let readers: Vec<UserIx> = others.filter(|&user| told == Told::Everyone || present(user)).collect();
        let from = self.jid(act.by, None);
        self.notify_all(act.now, &readers, from, &json!({ "type": "thread", "data": data }));
    }

    /// What a device did, its user's others follow (wire-4x §6.1: 33 to 38).
    fn tell_thread_to_own_devices(
        &mut self,
        act: Act,
        thread: MucIx,
        operation: Operation,
        resource: Option<&str>,
    ) {
        let Some(resource) = resource else { return };
        let device = self.device_of(act.by, resource);
        let from = self.jid(act.by, Some(resource));
        let payload = self.thread_body(thread, operation, from, &[]).encode_to_vec();
        match device {
            Some(device) => self.tell_other_devices(act.now, act.by, device, meta::NameSpace::Muc, payload),
            None => self.tell_service(act.now, act.by, meta::NameSpace::Muc, payload),
        }
    }

    /// SDKs break without the parent's name (wire-4x §6.1).
    fn thread_body(&self, thread: MucIx, operation: Operation, from: Jid, to: &[UserIx]) -> MucBody {
        let state = self.mucs.muc(thread);
        MucBody {
            muc_id: Some(self.muc_jid(thread)),
            operation: Some(operation as i32),
            from: Some(from),
            to: to.iter().map(|&user| self.jid(user, None)).collect(),
            is_chatroom: Some(false),
            is_thread: Some(true),
            muc_parent_id: self.threads.get(thread).map(|of| self.muc_jid(of.parent)),
            muc_name: Some(state.profile.name.clone()),
            ..MucBody::default()
        }
    }
}

/// As lists show a message: addresses in full, the payload as JSON.
fn shown(kept: &Kept<'_>) -> Option<Value> {
    let meta = Meta::decode(&kept.meta[..]).ok()?;
    let body = MessageBody::decode(meta.payload.clone().unwrap_or_default()).ok()?;
    let address = |jid: &Option<Jid>| {
        let jid = jid.clone().unwrap_or_default();
        let part = |part: Option<String>| part.unwrap_or_default();
        format!("{}_{}@{}", part(jid.app_key), part(jid.name), part(jid.domain))
    };
    Some(json!({
        "id": meta.id.unwrap_or_default().to_string(),
        "from": address(&meta.from),
        "to": address(&meta.to),
        "timestamp": meta.timestamp.unwrap_or_default(),
        "payload": payload::json(&body),
    }))
}
