//! Listening on a link: frames, pages, answers and metas, each to whom it concerns.
//!
//! What cannot be read is told (604) and costs nothing that stands beside it. When links come and go is the
//! business of `session`.

use bytes::Bytes;
use fixtures::wire::m_sync::Command;
use fixtures::wire::meta::NameSpace;
use fixtures::wire::status::ErrorCode;
use fixtures::wire::{CommNotice, CommSyncUl, CommUnreadDl, Frame, MSync, Meta, StatisticsBody};
use prost::Message as _;

use crate::calls::Call;
use crate::client::{Client, Config, LinkId, Transmit, WireMessage};
use crate::door::Heard;
use crate::error::Failure;
use crate::event::{Event, Incoming, IncomingContent, ServerId};
use crate::inbox::Page;
use crate::incoming::{ChatMeta, read_chat};
use crate::message::{Identity, LocalId, bare_frame, sync_frame};
use crate::notify::read_notify;
use crate::outbox::Outgoing;
use crate::presence::{RosterNews, read_muc, read_roster};
use crate::receipt::{Kind, Receipt, read_statistic};
use crate::session::Session;
use crate::timer::{Millis, Timer};

/// The status of a muted sender (wire-3x §7).
const USER_MUTED: i32 = ErrorCode::UserMuted as i32;

impl Client {
    pub(crate) fn heard(&mut self, now: Millis, link: LinkId, message: WireMessage) {
        if self.session.link() == Some(link) {
            self.timers.stop(Timer::Silence);
        }
        for heard in self.config.door.unwrap(message) {
            // A frame may have ended the session, or the link.
            if self.session.link() != Some(link) {
                return;
            }
            match heard {
                Heard::Open => {
                    self.session = match std::mem::take(&mut self.session) {
                        Session::Dialing { login, link, .. } => self.provision(now, login, link),
                        other => other,
                    };
                }
                Heard::Frame(bytes) => self.frame(now, bytes),
                Heard::Unreadable(reason) => self.unreadable("message", reason),
                Heard::Farewell(reason) => self.abandon(now, &reason),
            }
        }
    }

    fn frame(&mut self, now: Millis, bytes: Bytes) {
        let msync = match Frame::decode(bytes) {
            Ok(frame) if frame.bytes().is_empty() => return self.unreadable("frame", "it is empty"),
            Ok(frame) => frame.msync,
            Err(error) => return self.unreadable("frame", error.to_string()),
        };
        let payload = msync.payload.unwrap_or_default();
        let number = msync.command.unwrap_or_default();
        match (Command::try_from(number), &self.session) {
            (Ok(Command::Provision), _) => self.provision_answered(now, payload),
            (Ok(Command::Unread), Session::Online { .. }) => self.unread(now, payload),
            (Ok(Command::Notice), Session::Online { .. }) => self.noticed(now, payload),
            (Ok(Command::Sync), Session::Online { .. }) => self.page(now, payload),
            (Ok(early @ (Command::Unread | Command::Notice | Command::Sync)), _) => {
                self.unreadable(early.as_str_name(), "it came before the login was answered");
            }
            (Ok(Command::Logout), _) => self.unreadable("LOGOUT", "only clients send it"),
            (Err(_), _) => self.unreadable("frame", format!("there is no command {number}")),
        }
    }

    /// Tells of something that cannot be read, and asks what is waiting: it may have been a NOTICE, or the
    /// answer to a pull, and a server says neither twice.
    fn unreadable(&mut self, what: &str, reason: impl Into<String>) {
        self.tell(Event::Error(Failure::unreadable(what, reason)));
        self.inbox.doubt();
        if let Session::Online { link, mending: mending @ false, .. } = &mut self.session {
            *mending = true;
            let link = *link;
            self.transmit_frame(link, &bare_frame(Command::Unread));
        }
    }

    fn unread(&mut self, now: Millis, payload: Bytes) {
        if let Session::Online { mending, .. } = &mut self.session {
            *mending = false;
        }
        let answer = match CommUnreadDl::decode(payload) {
            Ok(answer) => answer,
            Err(error) => return self.unreadable("UNREAD", error.to_string()),
        };
        if let Some(status) = answer.status.filter(|status| status.error_code.unwrap_or_default() != 0) {
            return self.tell(Event::Error(Failure::of_pull(&status)));
        }
        if let Session::Online { proof, .. } = &mut self.session {
            proof.answered = true;
        }
        for queue in answer.unread.into_iter().filter_map(|unread| unread.queue) {
            let request = self.inbox.unread(now, queue);
            self.pull(request);
        }
    }

    fn noticed(&mut self, now: Millis, payload: Bytes) {
        match CommNotice::decode(payload) {
            Ok(CommNotice { queue: Some(queue) }) => {
                let request = self.inbox.noticed(now, queue);
                self.pull(request);
            }
            Ok(CommNotice { queue: None }) => self.unreadable("NOTICE", "it names no queue"),
            Err(error) => self.unreadable("NOTICE", error.to_string()),
        }
    }

    fn page(&mut self, now: Millis, payload: Bytes) {
        let page = match Page::decode(payload) {
            Ok(page) => page,
            Err(error) => return self.unreadable("SYNC", error.to_string()),
        };
        if let Some(id) = page.meta_id.filter(|id| *id != 0) {
            return self.answered(LocalId(id), page);
        }
        if let Some(status) = page.status.as_ref().filter(|status| status.error_code.unwrap_or_default() != 0)
        {
            self.tell(Event::Error(Failure::of_pull(status)));
        }
        let mut kick = None;
        for meta in &page.metas {
            match Meta::decode(meta.clone()) {
                Ok(meta) => kick = self.meta(now, meta).or(kick),
                Err(error) => {
                    self.tell(Event::Error(Failure::unreadable("meta", error.to_string())));
                }
            }
        }
        let request = self.inbox.page(now, &page);
        self.pull(request);
        if let Some(failure) = kick {
            let link = std::mem::take(&mut self.session).link();
            self.refuse(true, link, failure);
        }
    }

    fn answered(&mut self, local: LocalId, page: Page) {
        let Some(outgoing) = self.outbox.answered(local) else { return };
        let accepted = page.status.as_ref().is_some_and(|status| status.error_code.unwrap_or_default() == 0);
        let is_muted = page.status.as_ref().is_some_and(|status| status.error_code == Some(USER_MUTED));
        match outgoing {
            Outgoing::Receipt(Receipt { kind: Kind::Delivered(_), .. }) | Outgoing::Roster(_) if accepted => {
            }
            Outgoing::Receipt(Receipt { kind: Kind::Delivered(_), .. }) => {
                self.tell(Event::Error(Failure::of_send(page.status.as_ref())));
            }
            Outgoing::Roster(_) => self.tell(Event::Error(Failure::of_roster(page.status.as_ref()))),
            Outgoing::Message(_) | Outgoing::Receipt(_) if accepted => {
                let server = ServerId(page.server_id.unwrap_or_default());
                // In the SDKs receipts have no success callback, only that the server has them.
                if !matches!(
                    outgoing,
                    Outgoing::Receipt(Receipt { kind: Kind::Read { .. } | Kind::Channel, .. })
                ) {
                    self.tell(Event::Sent { local, server });
                }
                self.tell(Event::Received { local, server });
            }
            Outgoing::Edit(edit) if accepted => self.tell(Event::Sent { local, server: edit.message }),
            Outgoing::Room(going) if accepted => self.moved(going, &page),
            Outgoing::Room(going) => self.tell(going.failed(Failure::of_send(page.status.as_ref()))),
            Outgoing::Message(_) | Outgoing::Receipt(_) | Outgoing::Edit(_) if is_muted => {
                self.tell(Event::Muted { local });
            }
            Outgoing::Message(_) | Outgoing::Receipt(_) | Outgoing::Edit(_) => {
                self.tell(Event::Failed { local, failure: Failure::of_send(page.status.as_ref()) });
            }
        }
    }

    /// Shows one meta, unless it was shown before. A kick is returned: what shares its page comes first.
    fn meta(&mut self, now: Millis, meta: Meta) -> Option<Failure> {
        let Session::Online { me, .. } = &self.session else { return None };
        let reading = match read_meta(&meta, &self.config, me) {
            Ok(reading) => reading,
            Err(reason) => {
                let failure =
                    Failure::unreadable("payload", format!("meta {}: {reason}", meta.id.unwrap_or_default()));
                self.tell(Event::Error(failure));
                return None;
            }
        };
        // Id 0 is the absence of one, and no ground to take two metas for the same.
        let id = meta.id.unwrap_or_default();
        if id != 0 && !self.inbox.is_new(id) {
            return None;
        }
        match reading {
            Reading::Messages(messages) => self.messages(now, messages),
            // Each device of a recipient acknowledges a message; its sender is told once.
            Reading::Event(Event::Delivered { message }) if !self.inbox.is_first_delivery(message) => {}
            Reading::Event(event) => self.tell(event),
            Reading::Events(events) => events.into_iter().for_each(|event| self.tell(event)),
            Reading::Nothing => {}
            Reading::BlockList => {
                if let Err(error) = self.queue_call(Call::BlockList) {
                    let failure = Call::BlockList.failure(&self.config, Err(&error.to_string()));
                    self.tell(Event::Error(failure));
                }
            }
            Reading::Kick(failure) => return Some(failure),
        }
        None
    }

    /// Shows what one meta held, and acknowledges it if that is wanted.
    fn messages(&mut self, now: Millis, messages: Vec<Incoming>) {
        if let Some(first) = messages.first() {
            self.acknowledge_delivery(now, first);
        }
        for mut message in messages {
            if let IncomingContent::Text(text) = &message.content
                && let Some(parts) = self.config.emoji.take_apart(text)
            {
                message.content = IncomingContent::Emoji(parts);
            }
            self.tell(Event::Message(message));
        }
    }

    pub(crate) fn pull(&mut self, request: Option<CommSyncUl>) {
        if let (Some(request), Some(link)) = (request, self.session.link()) {
            self.transmit_frame(link, &sync_frame(&request));
        }
    }

    pub(crate) fn transmit_frame(&mut self, link: LinkId, frame: &MSync) {
        let message = self.config.door.wrap(frame.encode_to_vec());
        self.transmit(Transmit::Frame { link, message });
    }
}

/// What a meta calls for.
enum Reading {
    Messages(Vec<Incoming>),
    Event(Event),
    Events(Vec<Event>),
    BlockList,
    Kick(Failure),
    Nothing,
}

fn read_meta(meta: &Meta, config: &Config, me: &Identity) -> Result<Reading, String> {
    let payload = meta.payload.clone().ok_or("it has no payload")?;
    let perhaps = |event: Option<Event>| event.map_or(Reading::Nothing, Reading::Event);
    Ok(match NameSpace::try_from(meta.ns.unwrap_or_default()) {
        Ok(NameSpace::Chat) => match read_chat(meta, payload, config)? {
            ChatMeta::Messages(messages) => Reading::Messages(messages),
            ChatMeta::Modified(changed) => {
                Reading::Events(changed.into_iter().map(Event::Modified).collect())
            }
            ChatMeta::Receipt(event) => Reading::Event(*event),
            ChatMeta::Nothing => Reading::Nothing,
        },
        Ok(NameSpace::Muc) => perhaps(read_muc(payload)?.map(Event::Presence)),
        Ok(NameSpace::Roster) => match read_roster(payload)? {
            Some(RosterNews::BlockList) => Reading::BlockList,
            Some(RosterNews::Contacts(presence)) => Reading::Event(Event::Presence(presence)),
            None => Reading::Nothing,
        },
        Ok(NameSpace::Statistic) => {
            let body = StatisticsBody::decode(payload).map_err(|error| error.to_string())?;
            match Failure::kicked(body.operation.unwrap_or_default()) {
                Some(failure) => Reading::Kick(failure),
                None => perhaps(read_statistic(&body)?),
            }
        }
        Ok(NameSpace::Notify) => Reading::Events(read_notify(&payload, me)?),
        Ok(NameSpace::Conference | NameSpace::Query) | Err(_) => Reading::Nothing,
    })
}
