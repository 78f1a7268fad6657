//! One device: a client with its sockets, and the harness's names for its messages and calls. What the harness has it do
//! is in `make`.

mod make;

use std::collections::{BTreeMap, BTreeSet};
use std::task::{Context, Poll};

use client_core::net::Io;
use client_core::{CallId, Client, Config, Event, LocalId, Millis, Received, Switch};

use crate::command::DeviceCommand;
use crate::event;
use crate::line::{Answer, Refused};

#[derive(Debug)]
pub(crate) struct Device {
    client: Client,
    io: Io,
    handles: BTreeMap<LocalId, String>,
    calls: BTreeMap<CallId, String>,
    /// Uploads that in a mini-program are the application's own: the client does not see them go.
    two_step: BTreeSet<LocalId>,
}

impl Device {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            client: Client::new(config),
            io: Io::default(),
            handles: BTreeMap::new(),
            calls: BTreeMap::new(),
            two_step: BTreeSet::new(),
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.client.next_deadline()
    }

    pub(crate) fn is_writing(&self) -> bool {
        self.io.is_writing()
    }

    pub(crate) fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        self.io.poll_received(cx)
    }

    pub(crate) fn handle(&mut self, now: Millis, received: Received) {
        self.client.handle(now, received);
        self.carry_out();
    }

    /// Closes what is open; what comes of it is reported to nobody.
    pub(crate) fn close(&mut self) {
        self.client.close();
        self.carry_out();
    }

    pub(crate) fn next_event(&mut self) -> Option<event::Event> {
        loop {
            let event = self.client.poll_event()?;
            if let Some(shown) = self.show(event) {
                return Some(shown);
            }
        }
    }

    /// Makes the call. `Create` is not for a device that exists already.
    pub(crate) fn command(&mut self, now: Millis, command: DeviceCommand) -> Result<Answer, Refused> {
        let made = self.make(now, command);
        self.carry_out();
        made
    }

    fn carry_out(&mut self) {
        while let Some(transmit) = self.client.poll_transmit() {
            self.io.carry_out(transmit);
        }
    }

    fn show(&mut self, event: Event) -> Option<event::Event> {
        use event::Event as Shown;
        Some(match event {
            Event::Opened => Shown::Opened {},
            Event::Closed => Shown::Closed {},
            Event::Error(failure) => Shown::error(failure),
            Event::Sent { local, server } => {
                Shown::Sent { handle: self.handle_of(local), id: server.to_string() }
            }
            Event::Received { local, server } => {
                Shown::Received { handle: self.take_handle(local), id: server.to_string() }
            }
            Event::Failed { local, failure } => Shown::Failed {
                handle: self.take_handle(local),
                r#type: failure.code,
                reason: failure.message,
            },
            Event::Muted { local } => Shown::Muted { handle: self.take_handle(local) },
            Event::UploadProgress { local, .. } if self.two_step.contains(&local) => return None,
            Event::UploadProgress { local, loaded, total } => {
                Shown::UploadProgress { handle: self.handle_of(local), loaded, total }
            }
            Event::Uploaded { local, uuid, secret } => {
                Shown::Uploaded { handle: self.handle_of(local), uuid, secret }
            }
            Event::UploadFailed { local, failure } => {
                Shown::UploadFailed { handle: self.take_handle(local), r#type: failure.code }
            }
            Event::Message(message) => Shown::message(message),
            Event::Recall { message, from, to } => Shown::Recall { mid: message.to_string(), from, to },
            Event::Delivered { message } => Shown::Delivered { mid: message.to_string() },
            Event::Read { message, count, content } => {
                Shown::Read { mid: message.to_string(), count, content }
            }
            Event::Channel { from, to } => Shown::Channel { from, to },
            Event::Statistic { group_ack } => Shown::Statistic { group_ack },
            Event::Downloaded { call, media_type, bytes } => {
                Shown::downloaded(self.take_call(call), media_type, &bytes)
            }
            Event::DownloadFailed { call, failure } => {
                Shown::DownloadFailed { handle: self.take_call(call), r#type: failure.code }
            }
            Event::History { call, messages } => Shown::history(self.take_call(call), messages),
            Event::Conversations { call, conversations } => {
                Shown::sessions(self.take_call(call), &conversations)
            }
            Event::ConversationDeleted { call } => Shown::SessionDeleted { handle: self.take_call(call) },
            Event::Readers { call, users, total, next } => {
                Shown::Readers { handle: self.take_call(call), users, total, next }
            }
            Event::CallFailed { call, failure } => Shown::CallFailed {
                handle: self.take_call(call),
                r#type: failure.code,
                message: failure.message,
            },
            Event::Done { call } => Shown::Done { handle: self.take_call(call) },
            Event::ConversationPage { call, rows, cursor } => {
                Shown::conversations(self.take_call(call), rows, cursor)
            }
            Event::HistoryPage { call, messages, cursor } => {
                Shown::history_page(self.take_call(call), messages, cursor)
            }
            Event::Modified(modified) => Shown::modified(modified),
            Event::Reaction { message, from, to, chat, reactions } => {
                Shown::reaction(message, from, to, chat, reactions)
            }
            Event::Reactions { call, messages } => Shown::reactions(self.take_call(call), messages),
            Event::Reactors { call, users, count, cursor } => {
                Shown::Reactors { handle: self.take_call(call), users, count, cursor }
            }
            Event::Pin { message, chat, with, operator, switch, time } => Shown::Pin {
                mid: message.to_string(),
                with,
                chat: chat.into(),
                operator,
                pinned: switch == Switch::On,
                time: time.0,
            },
            Event::PinnedMessages { call, messages, cursor } => {
                Shown::pinned_messages(self.take_call(call), messages, cursor)
            }
            Event::Device(news) => Shown::device(news),
            Event::JoinedGroups { call, groups } => {
                let (ids, names) = event::ids_and_names(groups);
                Shown::Groups { handle: self.take_call(call), ids, names }
            }
            Event::JoinedRooms { call, rooms } => {
                let (ids, names) = event::ids_and_names(rooms);
                Shown::Rooms { handle: self.take_call(call), ids, names }
            }
            Event::Entered { call, room, info } => Shown::entered(self.take_call(call), room, info),
            Event::Roster(users) => Shown::Roster { users },
            Event::BlacklistUpdate(users) => Shown::BlacklistUpdate { users },
            Event::GroupCreated { group } => Shown::CreateGroup { group },
            Event::RoomCreated { room } => Shown::CreateRoom { room },
            Event::Presence(presence) => Shown::presence(presence),
            Event::Offline => Shown::Offline {},
            Event::Online => Shown::Online {},
        })
    }

    fn handle_of(&self, local: LocalId) -> String {
        self.handles.get(&local).cloned().unwrap_or_else(|| local.to_string())
    }

    /// The harness's name, which ends with the last event of a message. Without one the client made the
    /// message up, and its own id shows that.
    fn take_handle(&mut self, local: LocalId) -> String {
        self.two_step.remove(&local);
        self.handles.remove(&local).unwrap_or_else(|| local.to_string())
    }

    fn take_call(&mut self, call: CallId) -> String {
        self.calls.remove(&call).unwrap_or_else(|| format!("{call:?}"))
    }
}
