//! The calls of a device, as `DRIVER.md` spells them: types and names only.
//!
//! What a call should bring about is for the scenarios to say.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A call of one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
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
}

/// Who a message goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub enum Chat {
    Single,
    Group,
    Room,
}

/// The table by which a client shows parts of a text as images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        None
    }

    /// As `DRIVER.md` spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::LoginPassword { .. } => "login_password",
            Self::LoginToken { .. } => "login_token",
            Self::Close {} => "close",
            Self::SendText { .. } => "send_text",
            Self::SendCmd { .. } => "send_cmd",
            Self::SendCustom { .. } => "send_custom",
            Self::SendLocation { .. } => "send_location",
            Self::SendImage { .. } => "send_image",
            Self::SendImageUrl { .. } => "send_image_url",
            Self::SendImageTwoStep { .. } => "send_image_two_step",
            Self::SendFile { .. } => "send_file",
            Self::SendAudio { .. } => "send_audio",
            Self::SendVideo { .. } => "send_video",
            Self::Download { .. } => "download",
            Self::Recall { .. } => "recall",
            Self::SendRead { .. } => "send_read",
            Self::SendChannelAck { .. } => "send_channel_ack",
            Self::FetchHistory { .. } => "fetch_history",
            Self::ResetHistory {} => "reset_history",
            Self::ListSessions { .. } => "list_sessions",
            Self::DeleteSession { .. } => "delete_session",
            Self::ListReaders { .. } => "list_readers",
            Self::ListContacts {} => "list_contacts",
            Self::AddContact { .. } => "add_contact",
            Self::AcceptContact { .. } => "accept_contact",
            Self::DeclineContact { .. } => "decline_contact",
            Self::RemoveContact { .. } => "remove_contact",
            Self::Block { .. } => "block",
            Self::Unblock { .. } => "unblock",
            Self::ListBlocked {} => "list_blocked",
            Self::CreateGroup { .. } => "create_group",
            Self::JoinGroup { .. } => "join_group",
            Self::LeaveGroup { .. } => "leave_group",
            Self::DissolveGroup { .. } => "dissolve_group",
            Self::InviteToGroup { .. } => "invite_to_group",
            Self::RemoveFromGroup { .. } => "remove_from_group",
            Self::AcceptInvite { .. } => "accept_invite",
            Self::DeclineInvite { .. } => "decline_invite",
            Self::AcceptApplicant { .. } => "accept_applicant",
            Self::DeclineApplicant { .. } => "decline_applicant",
            Self::ChangeOwner { .. } => "change_owner",
            Self::CreateRoom { .. } => "create_room",
            Self::JoinRoom { .. } => "join_room",
            Self::LeaveRoom { .. } => "leave_room",
            Self::RemoveFromRoom { .. } => "remove_from_room",
            Self::Mute { .. } => "mute",
            Self::Unmute { .. } => "unmute",
            Self::BanAll { .. } => "ban_all",
            Self::UnbanAll { .. } => "unban_all",
            Self::Allow { .. } => "allow",
            Self::Disallow { .. } => "disallow",
            Self::SetAdmin { .. } => "set_admin",
            Self::RemoveAdmin { .. } => "remove_admin",
            Self::Announce { .. } => "announce",
            Self::UniqueIds { .. } => "unique_ids",
            Self::Network { .. } => "network",
        }
    }
}

/// `"ext": null` is something to send, and an absent `ext` is not.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
