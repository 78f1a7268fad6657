//! One device: a client with its sockets, and the harness's names for its messages.

use std::collections::BTreeMap;
use std::task::{Context, Poll};

use client_core::net::Io;
use client_core::{
    Chat, Client, CommandError, Config, Content, CustomExts, Event, Ext, Failure, Incoming, IncomingContent,
    LocalId, Message, Millis, Place, Received,
};
use serde_json::Value;

use crate::line::{self, Answer, DeviceCommand, Refused};

/// How many ids one answer may hold: a line of them stays well below its limit.
const IDS_LIMIT: usize = 50_000;

#[derive(Debug)]
pub(crate) struct Device {
    client: Client,
    io: Io,
    handles: BTreeMap<LocalId, String>,
}

impl Device {
    pub(crate) fn new(config: Config) -> Self {
        Self { client: Client::new(config), io: Io::default(), handles: BTreeMap::new() }
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

    pub(crate) fn next_event(&mut self) -> Option<line::Event> {
        let event = self.client.poll_event()?;
        Some(self.show(event))
    }

    /// Makes the call. `Create` is not for a device that exists already.
    pub(crate) fn command(&mut self, now: Millis, command: DeviceCommand) -> Result<Answer, Refused> {
        let mut answer = Answer::default();
        let made = match command {
            DeviceCommand::Create(_) => return Err(Refused::Error("this device exists already".to_owned())),
            DeviceCommand::LoginPassword(login) => self.client.login_password(now, &login.password),
            DeviceCommand::LoginToken(login) => self.client.login_token(now, &login.token),
            DeviceCommand::Close => {
                self.client.close();
                Ok(())
            }
            DeviceCommand::SendText(send) => {
                self.send(now, send.handle, send.chat, send.to, send.ext, Ok(Content::Text(send.text)))
            }
            DeviceCommand::SendCmd(send) => {
                let content = Content::Command { action: send.action.unwrap_or_default() };
                self.send(now, send.handle, send.chat, send.to, send.ext, Ok(content))
            }
            DeviceCommand::SendCustom(send) => {
                let event = send.event;
                let content = CustomExts::from_json(send.exts).map(|exts| Content::Custom { event, exts });
                self.send(now, send.handle, send.chat, send.to, send.ext, content)
            }
            DeviceCommand::SendLocation(send) => {
                let (latitude, longitude, address) = (send.lat, send.lng, send.addr);
                let content = Content::Location { latitude, longitude, address };
                self.send(now, send.handle, send.chat, send.to, send.ext, Ok(content))
            }
            DeviceCommand::Block(list) => self.client.block(now, list.users),
            DeviceCommand::Unblock(list) => self.client.unblock(now, list.users),
            DeviceCommand::CreateGroup(new) => self.client.create_group(now, &new.name, new.members),
            DeviceCommand::JoinGroup(place) => self.client.join_group(now, &place.group),
            DeviceCommand::LeaveGroup(place) => self.client.leave_group(now, &place.group),
            DeviceCommand::DissolveGroup(place) => self.client.dissolve_group(now, &place.group),
            DeviceCommand::InviteToGroup(place) => {
                self.client.invite_to_group(now, &place.group, place.users)
            }
            DeviceCommand::RemoveFromGroup(place) => {
                self.client.remove_from_group(now, &place.group, place.users)
            }
            DeviceCommand::CreateRoom(new) => self.client.create_room(now, &new.name, new.members),
            DeviceCommand::JoinRoom(place) => self.client.join_room(now, &place.room),
            DeviceCommand::LeaveRoom(place) => self.client.leave_room(now, &place.room),
            DeviceCommand::UniqueIds(ids) if ids.count > IDS_LIMIT => {
                return Err(Refused::Error(format!("unique_ids: at most {IDS_LIMIT} at a time")));
            }
            DeviceCommand::UniqueIds(ids) => {
                let new = (0..ids.count).map(|_| self.client.unique_id(now).to_string());
                answer.ids = Some(new.collect());
                Ok(())
            }
            DeviceCommand::Network(network) => {
                self.client.network(now, network.up);
                Ok(())
            }
        };
        self.carry_out();
        match made {
            Ok(()) => Ok(answer),
            Err(error) => Err(Refused::Error(error.to_string())),
        }
    }

    fn send(
        &mut self,
        now: Millis,
        handle: String,
        chat: line::Chat,
        to: String,
        ext: Option<Value>,
        content: Result<Content, CommandError>,
    ) -> Result<(), CommandError> {
        let chat = match chat {
            line::Chat::Single => Chat::Single,
            line::Chat::Group => Chat::Group,
            line::Chat::Room => Chat::Room,
        };
        let ext = ext.map_or_else(|| Ok(Ext::default()), Ext::from_json)?;
        let local = self.client.send(now, Message::new(chat, to, content?).with_ext(ext))?;
        self.handles.insert(local, handle);
        Ok(())
    }

    fn carry_out(&mut self) {
        while let Some(transmit) = self.client.poll_transmit() {
            self.io.carry_out(transmit);
        }
    }

    fn show(&mut self, event: Event) -> line::Event {
        match event {
            Event::Opened => line::Event::Opened {},
            Event::Closed => line::Event::Closed {},
            Event::Error(Failure { code, message, detail }) => {
                line::Event::Error { r#type: code, message, data: detail }
            }
            Event::Sent { local, server } => {
                let handle = self.handles.get(&local).cloned().unwrap_or_else(|| local.to_string());
                line::Event::Sent { handle, id: server.to_string() }
            }
            Event::Received { local, server } => {
                line::Event::Received { handle: self.take_handle(local), id: server.to_string() }
            }
            Event::Failed { local, failure } => line::Event::Failed {
                handle: self.take_handle(local),
                r#type: failure.code,
                reason: failure.message,
            },
            Event::Message(message) => show_message(message),
            Event::BlacklistUpdate(users) => line::Event::BlacklistUpdate { users },
            Event::GroupCreated { group } => line::Event::CreateGroup { group },
            Event::RoomCreated { room } => line::Event::CreateRoom { room },
            Event::Presence(presence) => {
                let (group, room) = match presence.place {
                    Place::Contacts => (None, None),
                    Place::Group(group) => (Some(group), None),
                    Place::Room(room) => (None, Some(room)),
                };
                line::Event::Presence { r#type: presence.kind, from: presence.from, group, room }
            }
            Event::Offline => line::Event::Offline {},
            Event::Online => line::Event::Online {},
        }
    }

    /// The harness's name, which ends with the last event of a message. Without one the client made the
    /// message up, and its own id shows that.
    fn take_handle(&mut self, local: LocalId) -> String {
        self.handles.remove(&local).unwrap_or_else(|| local.to_string())
    }
}

fn show_message(message: Incoming) -> line::Event {
    let Incoming { id, from, to, chat, time, ext, content } = message;
    let (id, time, ext) = (id.to_string(), time.0, ext.into_json());
    let chat = match chat {
        Chat::Single => line::Chat::Single,
        Chat::Group => line::Chat::Group,
        Chat::Room => line::Chat::Room,
    };
    match content {
        IncomingContent::Text(data) => line::Event::Text { id, from, to, chat, data, ext, time },
        IncomingContent::Command { action } => line::Event::Cmd { id, from, to, chat, ext, time, action },
        IncomingContent::Custom { event, exts } => {
            line::Event::Custom { id, from, to, chat, ext, time, event, exts: Value::Object(exts) }
        }
        IncomingContent::Location { latitude: lat, longitude: lng, address: addr } => {
            line::Event::Location { id, from, to, chat, ext, time, lat, lng, addr }
        }
    }
}
