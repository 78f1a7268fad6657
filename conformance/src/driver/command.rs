//! The calls of a device, as `DRIVER.md` spells them: types and names only.
//!
//! What a call should bring about is for the scenarios to say.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use strum::IntoStaticStr;

pub mod v4;

/// A call of one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, IntoStaticStr, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
#[expect(missing_docs, reason = "DRIVER.md has each command and field")]
pub enum Command {
    Create {
        app_key: String,
        username: String,
        device: String,
        rest: String,
        sockjs: String,
        websocket: String,
        reconnects: u32,
        delivery: bool,
        own_upload: bool,
        emoji: Option<Emoji>,
        /// The world's time in ms, for a client whose clock stands still.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        now_ms: Option<u64>,
    },
    LoginPassword {
        password: String,
    },
    LoginToken {
        token: String,
    },
    Close {},
    SendText {
        handle: String,
        to: String,
        chat: Chat,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
        ext: Option<Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ask_receipts: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        only_for: Option<Vec<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<Priority>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        online_only: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<bool>,
    },
    SendCmd {
        handle: String,
        to: String,
        chat: Chat,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
        ext: Option<Value>,
    },
    SendCustom {
        handle: String,
        to: String,
        chat: Chat,
        event: String,
        exts: Map<String, Value>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
        ext: Option<Value>,
    },
    SendLocation {
        handle: String,
        to: String,
        chat: Chat,
        lat: f64,
        lng: f64,
        addr: String,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
        ext: Option<Value>,
    },
    SendImage {
        handle: String,
        to: String,
        chat: Chat,
        file: String,
        filename: String,
        media_type: String,
        width: u32,
        height: u32,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
        ext: Option<Value>,
    },
    SendImageUrl {
        handle: String,
        to: String,
        chat: Chat,
        url: String,
        filename: String,
        width: u32,
        height: u32,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
        ext: Option<Value>,
    },
    SendImageTwoStep {
        handle: String,
        to: String,
        chat: Chat,
        file: String,
        filename: String,
        media_type: String,
        width: u32,
        height: u32,
    },
    SendFile {
        handle: String,
        to: String,
        chat: Chat,
        file: String,
        filename: String,
        media_type: String,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
        ext: Option<Value>,
    },
    SendAudio {
        handle: String,
        to: String,
        chat: Chat,
        file: String,
        filename: String,
        media_type: String,
        length: u32,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
        ext: Option<Value>,
    },
    SendVideo {
        handle: String,
        to: String,
        chat: Chat,
        file: String,
        filename: String,
        media_type: String,
        length: u32,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
        ext: Option<Value>,
    },
    Download {
        handle: String,
        url: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accept: Option<String>,
    },
    Recall {
        handle: String,
        id: String,
        to: String,
        chat: Chat,
    },
    SendRead {
        handle: String,
        id: String,
        to: String,
        chat: Chat,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<String>,
    },
    SendChannelAck {
        handle: String,
        to: String,
        chat: Chat,
    },
    FetchHistory {
        handle: String,
        with: String,
        chat: Chat,
        #[schemars(schema_with = "number_or_digits")]
        count: Value,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<String>,
    },
    ResetHistory {},
    ListSessions {
        handle: String,
    },
    DeleteSession {
        handle: String,
        to: String,
        chat: Chat,
        with_history: bool,
    },
    ListReaders {
        handle: String,
        group: String,
        id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    ListContacts {},
    AddContact {
        user: String,
        reason: String,
    },
    AcceptContact {
        user: String,
    },
    DeclineContact {
        user: String,
    },
    RemoveContact {
        user: String,
    },
    Block {
        users: Vec<String>,
    },
    Unblock {
        users: Vec<String>,
    },
    ListBlocked {},
    CreateGroup {
        name: String,
        members: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confirm_invites: Option<bool>,
    },
    JoinGroup {
        group: String,
    },
    LeaveGroup {
        group: String,
    },
    DissolveGroup {
        group: String,
    },
    InviteToGroup {
        group: String,
        users: Vec<String>,
    },
    RemoveFromGroup {
        group: String,
        users: Vec<String>,
    },
    AcceptInvite {
        group: String,
    },
    DeclineInvite {
        group: String,
    },
    AcceptApplicant {
        group: String,
        user: String,
    },
    DeclineApplicant {
        group: String,
        user: String,
    },
    ChangeOwner {
        group: String,
        user: String,
    },
    CreateRoom {
        name: String,
        members: Vec<String>,
    },
    JoinRoom {
        room: String,
    },
    LeaveRoom {
        room: String,
    },
    RemoveFromRoom {
        room: String,
        users: Vec<String>,
    },
    Mute {
        chat: Chat,
        id: String,
        users: Vec<String>,
        ms: u64,
    },
    Unmute {
        chat: Chat,
        id: String,
        users: Vec<String>,
    },
    BanAll {
        chat: Chat,
        id: String,
    },
    UnbanAll {
        chat: Chat,
        id: String,
    },
    Allow {
        chat: Chat,
        id: String,
        users: Vec<String>,
    },
    Disallow {
        chat: Chat,
        id: String,
        users: Vec<String>,
    },
    SetAdmin {
        chat: Chat,
        id: String,
        user: String,
    },
    RemoveAdmin {
        chat: Chat,
        id: String,
        user: String,
    },
    Announce {
        chat: Chat,
        id: String,
        text: String,
    },
    UniqueIds {
        count: u32,
    },
    Network {
        up: bool,
    },
    // Conversations and history.
    ListConversations(v4::ListConversations),
    PinConversation(v4::PinConversation),
    MarkConversations(v4::MarkConversations),
    RemoveHistory(v4::RemoveHistory),
    RemoveEverything(v4::RemoveEverything),
    SearchHistory(v4::SearchHistory),
    // Messages.
    ModifyText(v4::ModifyText),
    SendCombined(v4::SendCombined),
    OpenCombined(v4::OpenCombined),
    AddReaction(v4::AddReaction),
    RemoveReaction(v4::RemoveReaction),
    ListReactions(v4::ListReactions),
    ListReactors(v4::ListReactors),
    PinMessage(v4::PinMessage),
    ListPinnedMessages(v4::ListPinnedMessages),
    Translate(v4::Translate),
    ListLanguages(v4::ListLanguages),
    ReportMessage(v4::ReportMessage),
    // Users.
    SetRemark(v4::SetRemark),
    PageContacts(v4::PageContacts),
    PublishPresence(v4::PublishPresence),
    SubscribePresence(v4::SubscribePresence),
    UnsubscribePresence(v4::UnsubscribePresence),
    ListPresenceSubscriptions(v4::ListPresenceSubscriptions),
    GetPresence(v4::GetPresence),
    SetUserInfo(v4::SetUserInfo),
    GetUserInfo(v4::GetUserInfo),
    SetSilentMode(v4::SetSilentMode),
    GetSilentMode(v4::GetSilentMode),
    SetPushLanguage(v4::SetPushLanguage),
    GetPushLanguage(v4::GetPushLanguage),
    ListOwnDevices(v4::ListOwnDevices),
    RenewToken(v4::RenewToken),
    // Groups, rooms and threads.
    ListGroups(v4::ListGroups),
    ListRooms(v4::ListRooms),
    EnterRoom(v4::EnterRoom),
    SetRoomAttributes(v4::SetRoomAttributes),
    RemoveRoomAttributes(v4::RemoveRoomAttributes),
    GetRoomAttributes(v4::GetRoomAttributes),
    SetMemberAttributes(v4::SetMemberAttributes),
    GetMemberAttributes(v4::GetMemberAttributes),
    CreateThread(v4::CreateThread),
    JoinThread(v4::JoinThread),
    LeaveThread(v4::LeaveThread),
    RenameThread(v4::RenameThread),
    DissolveThread(v4::DissolveThread),
    RemoveFromThread(v4::RemoveFromThread),
    GetThread(v4::GetThread),
    ListThreads(v4::ListThreads),
    ListThreadMembers(v4::ListThreadMembers),
    ListThreadMessages(v4::ListThreadMessages),
    // Of a page.
    PasteImage(v4::PasteImage),
    Render(v4::Render),
}

/// Who a message goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub enum Chat {
    Single,
    Group,
    Room,
}

/// How much a message to a room matters when there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub enum Priority {
    High,
    Normal,
    Low,
}

/// The table by which a client shows parts of a text as images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Emoji {
    /// What stands before each file's name.
    pub path: String,
    /// Keys as they stand in texts, such as `[):]`, and the file of each.
    pub map: BTreeMap<String, String>,
}

impl Command {
    /// The file that it uploads.
    pub fn file(&self) -> Option<&str> {
        if let Self::SendImage { file, .. }
        | Self::SendImageTwoStep { file, .. }
        | Self::SendFile { file, .. }
        | Self::SendAudio { file, .. }
        | Self::SendVideo { file, .. } = self
        {
            return Some(file);
        }
        if let Self::PasteImage(v4::PasteImage { file, .. }) = self {
            return Some(file);
        }
        None
    }

    /// Names the file that it uploads by this path, if it uploads any.
    pub fn set_file(&mut self, path: String) {
        if let Self::SendImage { file, .. }
        | Self::SendImageTwoStep { file, .. }
        | Self::SendFile { file, .. }
        | Self::SendAudio { file, .. }
        | Self::SendVideo { file, .. } = self
        {
            *file = path;
        } else if let Self::PasteImage(v4::PasteImage { file, .. }) = self {
            *file = path;
        }
    }

    /// The handle of an upload that the client itself makes and reports as it goes.
    pub fn reported_upload(&self) -> Option<&str> {
        if let Self::SendImage { handle, .. }
        | Self::SendFile { handle, .. }
        | Self::SendAudio { handle, .. }
        | Self::SendVideo { handle, .. } = self
        {
            return Some(handle);
        }
        if let Self::PasteImage(v4::PasteImage { handle, .. }) = self {
            return Some(handle);
        }
        None
    }

    /// As `DRIVER.md` spells it.
    pub fn name(&self) -> &'static str {
        self.into()
    }
}

/// What a page of history is asked for with: clients take both (clause roam.count).
fn number_or_digits(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+$"}]})
}

/// `"ext": null` is something to send, and an absent `ext` is not.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
