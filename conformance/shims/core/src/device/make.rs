//! The harness's commands as calls of client-core, each with its handle kept beside what it made.
//!
//! It repairs nothing: what the client refuses is refused with its words.

use client_core::{
    Attachment, CommandError, Content, CustomExts, Direction, Ext, File, Listed, LocalId, Mark, Media,
    Message, Millis, Muc, NewGroup, OtherRooms, Removed, Route, Search, ServerId, Switch, Target, UploadWay,
    Verdict, WithHistory,
};
use serde_json::Value;

use super::Device;
use crate::command::{Chat, CreateGroup, DeviceCommand, Priority, SearchHistory};
use crate::line::{Answer, Refused};

/// How many ids one answer may hold: a line of them stays well below its limit.
const IDS_LIMIT: usize = 50_000;
/// The largest file that is read, in bytes: more than the client holds.
const FILE_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// Whom a message is for, under which name the harness knows it, and what stands beside it.
struct Address {
    handle: String,
    chat: Chat,
    to: String,
    ext: Option<Value>,
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        Self::Error(error.to_string())
    }
}

impl Device {
    pub(super) fn make(&mut self, now: Millis, command: DeviceCommand) -> Result<Answer, Refused> {
        let client = &mut self.client;
        match command {
            DeviceCommand::Create(_) => return Err(Refused::Error("this device exists already".to_owned())),
            DeviceCommand::LoginPassword { password } => client.login_password(now, &password)?,
            DeviceCommand::LoginToken { token } => client.login_token(now, &token)?,
            DeviceCommand::Close {} => client.close(),
            DeviceCommand::SendText(send) => {
                let address = Address { handle: send.handle, chat: send.chat, to: send.to, ext: send.ext };
                let message = Message::new(chat(send.chat), address.to.clone(), Content::Text(send.text));
                let message = if send.ask_receipts { message.asking_for_receipts() } else { message };
                let message = match send.priority {
                    Some(priority) => message.with_priority(level(priority)),
                    None => message,
                };
                if send.thread {
                    return Err(Refused::Unsupported("send_text with thread".to_owned()));
                }
                let message = message.routed(route(send.only_for, send.online_only)?);
                self.send(now, address, message)?;
            }
            DeviceCommand::SendCmd(send) => {
                let address = Address { handle: send.handle, chat: send.chat, to: send.to, ext: send.ext };
                let action = send.action.unwrap_or_default();
                self.send_content(now, address, Content::Command { action })?;
            }
            DeviceCommand::SendCustom(send) => {
                let address = Address { handle: send.handle, chat: send.chat, to: send.to, ext: send.ext };
                let exts = CustomExts::from_json(send.exts)?;
                self.send_content(now, address, Content::Custom { event: send.event, exts })?;
            }
            DeviceCommand::SendLocation(send) => {
                let address = Address { handle: send.handle, chat: send.chat, to: send.to, ext: send.ext };
                let (latitude, longitude, address_text) = (send.lat, send.lng, send.addr);
                let content = Content::Location { latitude, longitude, address: address_text };
                self.send_content(now, address, content)?;
            }
            DeviceCommand::SendImage(send) => {
                let address = Address { handle: send.handle, chat: send.chat, to: send.to, ext: send.ext };
                let media = Media::Image { width: send.width, height: send.height };
                let file = read_file(&send.file, send.filename, send.media_type)?;
                self.send_file(now, address, media, file, UploadWay::Restricted)?;
            }
            DeviceCommand::SendImageTwoStep(send) => {
                let address = Address { handle: send.handle, chat: send.chat, to: send.to, ext: send.ext };
                let media = Media::Image { width: send.width, height: send.height };
                let file = read_file(&send.file, send.filename, send.media_type)?;
                let local = self.send_file(now, address, media, file, UploadWay::Open)?;
                self.two_step.insert(local);
            }
            DeviceCommand::SendImageUrl(send) => {
                let address = Address { handle: send.handle, chat: send.chat, to: send.to, ext: send.ext };
                let media = Media::Image { width: send.width, height: send.height };
                let (url, filename) = (send.url, send.filename);
                let image = Attachment { media, url, secret: None, filename, bytes: 0 };
                self.send_content(now, address, Content::Attachment(image))?;
            }
            DeviceCommand::SendFile(send) => {
                let address = Address { handle: send.handle, chat: send.chat, to: send.to, ext: send.ext };
                let file = read_file(&send.file, send.filename, send.media_type)?;
                self.send_file(now, address, Media::File, file, UploadWay::Restricted)?;
            }
            DeviceCommand::SendAudio(send) => {
                let address = Address { handle: send.handle, chat: send.chat, to: send.to, ext: send.ext };
                let file = read_file(&send.file, send.filename, send.media_type)?;
                let media = Media::Audio { length_s: send.length };
                self.send_file(now, address, media, file, UploadWay::Restricted)?;
            }
            DeviceCommand::SendVideo(send) => {
                let address = Address { handle: send.handle, chat: send.chat, to: send.to, ext: send.ext };
                let file = read_file(&send.file, send.filename, send.media_type)?;
                let media = Media::Video { length_ms: send.length };
                self.send_file(now, address, media, file, UploadWay::Restricted)?;
            }
            DeviceCommand::Download { handle, url, secret, accept } => {
                let call = client.download(now, &url, secret.as_deref(), accept.as_deref())?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::Recall { handle, id, to, chat: in_chat } => {
                let local = client.recall(now, chat(in_chat), &to, server_id(&id)?)?;
                self.handles.insert(local, handle);
            }
            DeviceCommand::SendRead { handle, id, to, chat: in_chat, content } => {
                let (in_chat, id) = (chat(in_chat), server_id(&id)?);
                let local = client.send_read(now, in_chat, &to, id, content.as_deref())?;
                self.handles.insert(local, handle);
            }
            DeviceCommand::SendChannelAck { handle, to, chat: in_chat } => {
                let local = client.send_channel_ack(now, chat(in_chat), &to)?;
                self.handles.insert(local, handle);
            }
            DeviceCommand::FetchHistory { handle, with, chat: in_chat, count, start } => {
                let call = client.fetch_history(now, chat(in_chat), &with, count.0, start.as_deref())?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::ResetHistory {} => client.reset_history(),
            DeviceCommand::ListSessions { handle } => {
                let call = client.list_conversations(now)?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::DeleteSession { handle, to, chat: in_chat, with_history } => {
                let with_history = if with_history { WithHistory::Delete } else { WithHistory::Keep };
                let call = client.delete_conversation(now, chat(in_chat), &to, with_history)?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::ListReaders { handle, group, id, limit, key } => {
                let call = client.list_readers(now, &group, server_id(&id)?, limit, key.as_deref())?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::ListContacts {} => client.list_contacts(now)?,
            DeviceCommand::AddContact { user, reason } => client.add_contact(now, &user, &reason)?,
            DeviceCommand::AcceptContact { user } => client.accept_contact(now, &user)?,
            DeviceCommand::DeclineContact { user } => client.decline_contact(now, &user)?,
            DeviceCommand::RemoveContact { user } => client.remove_contact(now, &user)?,
            DeviceCommand::Block { users } => client.block(now, users)?,
            DeviceCommand::Unblock { users } => client.unblock(now, users)?,
            DeviceCommand::ListBlocked {} => client.list_blocked(now)?,
            DeviceCommand::CreateGroup(new) => client.create_group(now, new_group(new))?,
            DeviceCommand::JoinGroup { group } => client.join_group(now, &group)?,
            DeviceCommand::LeaveGroup { group } => client.leave_group(now, &group)?,
            DeviceCommand::DissolveGroup { group } => client.dissolve_group(now, &group)?,
            DeviceCommand::InviteToGroup { group, users } => client.invite_to_group(now, &group, users)?,
            DeviceCommand::RemoveFromGroup { group, users } => {
                client.remove_from_group(now, &group, users)?
            }
            DeviceCommand::AcceptInvite { group } => client.answer_invite(now, &group, Verdict::Accept)?,
            DeviceCommand::DeclineInvite { group } => client.answer_invite(now, &group, Verdict::Decline)?,
            DeviceCommand::AcceptApplicant { group, user } => {
                client.answer_applicant(now, &group, &user, Verdict::Accept)?;
            }
            DeviceCommand::DeclineApplicant { group, user } => {
                client.answer_applicant(now, &group, &user, Verdict::Decline)?;
            }
            DeviceCommand::ChangeOwner { group, user } => client.change_owner(now, &group, &user)?,
            DeviceCommand::CreateRoom { name, members } => client.create_room(now, &name, members)?,
            DeviceCommand::JoinRoom { room } => client.join_room(now, &room)?,
            DeviceCommand::LeaveRoom { room } => client.leave_room(now, &room)?,
            DeviceCommand::RemoveFromRoom { room, users } => client.remove_from_room(now, &room, users)?,
            DeviceCommand::Mute { chat, id, users, ms } => client.mute(now, muc(chat, id)?, users, ms)?,
            DeviceCommand::Unmute { chat, id, users } => client.unmute(now, &muc(chat, id)?, users)?,
            DeviceCommand::BanAll { chat, id } => client.ban_all(now, muc(chat, id)?)?,
            DeviceCommand::UnbanAll { chat, id } => client.unban_all(now, muc(chat, id)?)?,
            DeviceCommand::Allow { chat, id, users } => client.allow(now, muc(chat, id)?, users)?,
            DeviceCommand::Disallow { chat, id, users } => client.disallow(now, &muc(chat, id)?, users)?,
            DeviceCommand::SetAdmin { chat, id, user } => client.set_admin(now, muc(chat, id)?, &user)?,
            DeviceCommand::RemoveAdmin { chat, id, user } => {
                client.remove_admin(now, muc(chat, id)?, &user)?
            }
            DeviceCommand::Announce { chat, id, text } => client.announce(now, muc(chat, id)?, &text)?,
            DeviceCommand::ListConversations(list) => {
                let listed = listed(list.pinned, list.mark)?;
                let call = client.page_conversations(now, listed, list.limit, list.cursor.as_deref())?;
                self.calls.insert(call, list.handle);
            }
            DeviceCommand::PinConversation { handle, to, chat: in_chat, pinned } => {
                let target = Target { chat: chat(in_chat), to };
                let call = client.pin_conversation(now, target, switch(pinned))?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::MarkConversations { handle, targets, mark, set } => {
                let targets = targets.into_iter().map(|row| Target { chat: chat(row.chat), to: row.to });
                let mark = Mark::new(mark)?;
                let call = client.mark_conversations(now, targets.collect(), mark, switch(set))?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::SearchHistory(search) => {
                let handle = search.handle.clone();
                let call = client.search_history(now, self::search(search))?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::RemoveHistory(remove) => {
                let removed = match (remove.ids, remove.until) {
                    (Some(ids), None) => {
                        let ids = ids.iter().map(|id| server_id(id));
                        Removed::Messages(ids.collect::<Result<_, _>>()?)
                    }
                    (None, Some(until)) => Removed::Until(Millis(until)),
                    (None, None) | (Some(_), Some(_)) => {
                        return Err(Refused::Error("remove_history wants `ids` or `until`".to_owned()));
                    }
                };
                let call = client.remove_history(now, chat(remove.chat), &remove.to, removed)?;
                self.calls.insert(call, remove.handle);
            }
            DeviceCommand::RemoveEverything { handle } => {
                let call = client.remove_everything(now)?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::ModifyText(edit) => {
                let ext = edit.ext.map(Ext::from_json).transpose()?;
                let (in_chat, id) = (chat(edit.chat), server_id(&edit.id)?);
                let local = client.modify_text(now, in_chat, &edit.to, id, &edit.text, ext)?;
                self.handles.insert(local, edit.handle);
            }
            DeviceCommand::AddReaction { handle, id, reaction } => {
                let call = client.add_reaction(now, server_id(&id)?, &reaction)?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::RemoveReaction { handle, id, reaction } => {
                let call = client.remove_reaction(now, server_id(&id)?, &reaction)?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::ListReactions { handle, ids, chat: in_chat, group } => {
                let ids = ids.iter().map(|id| server_id(id)).collect::<Result<_, _>>()?;
                let call = client.list_reactions(now, ids, chat(in_chat), group.as_deref())?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::ListReactors(list) => {
                let (id, cursor) = (server_id(&list.id)?, list.cursor.as_deref());
                let call = client.list_reactors(now, id, &list.reaction, list.limit, cursor)?;
                self.calls.insert(call, list.handle);
            }
            DeviceCommand::PinMessage { handle, id, to, chat: in_chat, pinned } => {
                let (in_chat, id) = (chat(in_chat), server_id(&id)?);
                let call = client.pin_message(now, in_chat, &to, id, switch(pinned))?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::ListPinnedMessages(list) => {
                let (in_chat, cursor) = (chat(list.chat), list.cursor.as_deref());
                let call = client.list_pinned_messages(now, in_chat, &list.to, list.limit, cursor)?;
                self.calls.insert(call, list.handle);
            }
            DeviceCommand::ListGroups { handle } => {
                let call = client.list_groups(now, 0)?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::ListRooms { handle } => {
                let call = client.list_rooms(now, 0)?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::EnterRoom { handle, room, ext, leave_others } => {
                let others = match leave_others {
                    Some(true) => OtherRooms::Leave,
                    Some(false) | None => OtherRooms::Stay,
                };
                let call = client.enter_room(now, &room, ext.as_deref().unwrap_or_default(), others)?;
                self.calls.insert(call, handle);
            }
            DeviceCommand::UniqueIds { count } if count > IDS_LIMIT => {
                return Err(Refused::Error(format!("unique_ids: at most {IDS_LIMIT} at a time")));
            }
            DeviceCommand::UniqueIds { count } => {
                let ids = (0..count).map(|_| client.unique_id(now).to_string()).collect();
                return Ok(Answer { ids: Some(ids), ..Answer::default() });
            }
            DeviceCommand::Network { up } => client.network(now, up),
        }
        Ok(Answer::default())
    }

    fn send_content(&mut self, now: Millis, address: Address, content: Content) -> Result<(), Refused> {
        let message = Message::new(chat(address.chat), address.to.clone(), content);
        self.send(now, address, message)
    }

    fn send(&mut self, now: Millis, address: Address, message: Message) -> Result<(), Refused> {
        let local = self.client.send(now, message.with_ext(ext(address.ext)?))?;
        self.handles.insert(local, address.handle);
        Ok(())
    }

    fn send_file(
        &mut self,
        now: Millis,
        address: Address,
        media: Media,
        file: File,
        way: UploadWay,
    ) -> Result<LocalId, Refused> {
        let Address { handle, chat: in_chat, to, ext: json } = address;
        let local = self.client.send_file(now, chat(in_chat), &to, media, file, ext(json)?, way)?;
        self.handles.insert(local, handle);
        Ok(local)
    }
}

fn chat(chat: Chat) -> client_core::Chat {
    match chat {
        Chat::Single => client_core::Chat::Single,
        Chat::Group => client_core::Chat::Group,
        Chat::Room => client_core::Chat::Room,
    }
}

fn muc(chat: Chat, id: String) -> Result<Muc, Refused> {
    match chat {
        Chat::Group => Ok(Muc::Group(id)),
        Chat::Room => Ok(Muc::Room(id)),
        Chat::Single => Err(Refused::Error("chat must be group or room here".to_owned())),
    }
}

fn level(priority: Priority) -> client_core::Priority {
    match priority {
        Priority::High => client_core::Priority::High,
        Priority::Normal => client_core::Priority::Normal,
        Priority::Low => client_core::Priority::Low,
    }
}

fn route(only_for: Option<Vec<String>>, online_only: bool) -> Result<Route, Refused> {
    match (only_for, online_only) {
        (None, false) => Ok(Route::All),
        (None, true) => Ok(Route::OnlineOnly),
        (Some(users), false) => Ok(Route::Directed(users)),
        (Some(_), true) => {
            Err(Refused::Error("a message has one route: `only_for` or `online_only`".to_owned()))
        }
    }
}

fn listed(pinned: bool, mark: Option<u32>) -> Result<Listed, Refused> {
    match (pinned, mark) {
        (false, None) => Ok(Listed::All),
        (true, None) => Ok(Listed::Pinned),
        (false, Some(mark)) => Ok(Listed::Marked(Mark::new(mark)?)),
        (true, Some(_)) => {
            Err(Refused::Error("list_conversations wants `pinned` or `mark`, not both".to_owned()))
        }
    }
}

fn switch(on: bool) -> Switch {
    if on { Switch::On } else { Switch::Off }
}

fn search(search: SearchHistory) -> Search {
    Search {
        limit: search.limit,
        cursor: search.cursor,
        direction: if search.forwards { Direction::Forwards } else { Direction::Backwards },
        kinds: search.kinds,
        from: search.from,
        since: search.since.map(Millis),
        until: search.until.map(Millis),
        ..Search::newest(chat(search.chat), search.with)
    }
}

fn ext(json: Option<Value>) -> Result<Ext, CommandError> {
    json.map_or_else(|| Ok(Ext::default()), Ext::from_json)
}

fn server_id(id: &str) -> Result<ServerId, Refused> {
    id.parse().map(ServerId).map_err(|error| Refused::Error(format!("the id {id:?}: {error}")))
}

fn new_group(new: CreateGroup) -> NewGroup {
    let CreateGroup { name, members, public, approval, confirm_invites } = new;
    let plain = NewGroup::named(name);
    NewGroup {
        members,
        public: public.unwrap_or(plain.public),
        approval: approval.unwrap_or(plain.approval),
        confirm_invites: confirm_invites.unwrap_or(plain.confirm_invites),
        ..plain
    }
}

fn read_file(path: &str, name: String, media_type: String) -> Result<File, Refused> {
    let refused = |error: std::io::Error| Refused::Error(format!("cannot read {path}: {error}"));
    let bytes = std::fs::metadata(path).map_err(refused)?.len();
    if bytes > FILE_LIMIT_BYTES {
        return Err(Refused::Error(format!("{path} has {bytes} bytes: at most {FILE_LIMIT_BYTES} are read")));
    }
    let bytes = std::fs::read(path).map_err(refused)?.into();
    Ok(File { name, media_type, bytes })
}
