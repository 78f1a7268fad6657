//! The calls that 4.x has over 3.x, as `DRIVER.md` spells them: types and names only.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Chat, even_null};

// Conversations and history.

/// The conversations as 4.x lists them: pages, pins and marks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct ListConversations {
    pub handle: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<u32>,
}

/// Pins a conversation to the top of the list, or no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct PinConversation {
    pub handle: String,
    pub to: String,
    pub chat: Chat,
    pub pinned: bool,
}

/// Sets one of the twenty marks on conversations, or takes it off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct MarkConversations {
    pub handle: String,
    pub targets: Vec<Target>,
    pub mark: u32,
    pub set: bool,
}

/// Deletes messages of a conversation for this user alone: some, or all up to a moment in ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct RemoveHistory {
    pub handle: String,
    pub to: String,
    pub chat: Chat,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

/// Deletes every conversation with its history, for this user alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct RemoveEverything {
    pub handle: String,
}

/// One page of history with 4.x's filters. `kinds` are the protocol's words, such as `txt`; `since` and `until` are ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct SearchHistory {
    pub handle: String,
    pub with: String,
    pub chat: Chat,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwards: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

// Messages.

/// Changes a text that was sent; its outcome is `sent` or `failed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct ModifyText {
    pub handle: String,
    pub id: String,
    pub to: String,
    pub chat: Chat,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
    pub ext: Option<Value>,
}

/// Forwards messages that this device has shown or sent, as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct SendCombined {
    pub handle: String,
    pub to: String,
    pub chat: Chat,
    pub ids: Vec<String>,
    pub title: String,
    pub summary: String,
    pub text: String,
}

/// Fetches and reads the messages of a combined one that this device has shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct OpenCombined {
    pub handle: String,
    pub id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct AddReaction {
    pub handle: String,
    pub id: String,
    pub reaction: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct RemoveReaction {
    pub handle: String,
    pub id: String,
    pub reaction: String,
}

/// The reactions to some messages of one conversation; `group` for those of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct ListReactions {
    pub handle: String,
    pub ids: Vec<String>,
    pub chat: Chat,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Who gave one reaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct ListReactors {
    pub handle: String,
    pub id: String,
    pub reaction: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Pins a message in its conversation, or no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct PinMessage {
    pub handle: String,
    pub id: String,
    pub to: String,
    pub chat: Chat,
    pub pinned: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct ListPinnedMessages {
    pub handle: String,
    pub to: String,
    pub chat: Chat,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Translates a text into some languages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct Translate {
    pub handle: String,
    pub text: String,
    pub to: Vec<String>,
}

/// The languages of `translate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct ListLanguages {
    pub handle: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct ReportMessage {
    pub handle: String,
    pub id: String,
    pub kind: String,
    pub reason: String,
}

// Users.

/// The user's own name for a contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct SetRemark {
    pub handle: String,
    pub user: String,
    pub remark: String,
}

/// A page of contacts with their remarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct PageContacts {
    pub handle: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct PublishPresence {
    pub handle: String,
    pub text: String,
}

/// Asks to be told of users' presence for some seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct SubscribePresence {
    pub handle: String,
    pub users: Vec<String>,
    pub seconds: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct UnsubscribePresence {
    pub handle: String,
    pub users: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct ListPresenceSubscriptions {
    pub handle: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct GetPresence {
    pub handle: String,
    pub users: Vec<String>,
}

/// The user's own attributes, such as `nickname`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct SetUserInfo {
    pub handle: String,
    pub fields: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct GetUserInfo {
    pub handle: String,
    pub users: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
}

/// When pushes are silent: of everything, or of one conversation. `kind` is `ALL`, `AT`, `NONE` or `DEFAULT`; or `ms` from now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct SetSilentMode {
    pub handle: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<Chat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct GetSilentMode {
    pub handle: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<Chat>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct SetPushLanguage {
    pub handle: String,
    pub language: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct GetPushLanguage {
    pub handle: String,
}

/// The user's other devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct ListOwnDevices {
    pub handle: String,
}

/// Goes on with another token before the present one runs out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct RenewToken {
    pub handle: String,
    pub token: String,
}

// Groups, rooms and threads.

/// The groups that the user is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct ListGroups {
    pub handle: String,
}

/// The rooms that the user is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct ListRooms {
    pub handle: String,
}

/// Joins a room and shows what the room is like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct EnterRoom {
    pub handle: String,
    pub room: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave_others: Option<bool>,
}

/// `forced`: also over those that others have set. `auto_delete`: they go when the user leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct SetRoomAttributes {
    pub handle: String,
    pub room: String,
    pub attributes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_delete: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct RemoveRoomAttributes {
    pub handle: String,
    pub room: String,
    pub keys: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct GetRoomAttributes {
    pub handle: String,
    pub room: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct SetMemberAttributes {
    pub handle: String,
    pub group: String,
    pub user: String,
    pub attributes: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct GetMemberAttributes {
    pub handle: String,
    pub group: String,
    pub users: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
}

/// A thread that hangs on a message of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct CreateThread {
    pub handle: String,
    pub group: String,
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct JoinThread {
    pub handle: String,
    pub thread: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct LeaveThread {
    pub handle: String,
    pub thread: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct RenameThread {
    pub handle: String,
    pub thread: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct DissolveThread {
    pub handle: String,
    pub thread: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct RemoveFromThread {
    pub handle: String,
    pub thread: String,
    pub user: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct GetThread {
    pub handle: String,
    pub thread: String,
}

/// Of a group; `joined`: only those that the user is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct ListThreads {
    pub handle: String,
    pub group: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct ListThreadMembers {
    pub handle: String,
    pub thread: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The last message of some threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct ListThreadMessages {
    pub handle: String,
    pub threads: Vec<String>,
}

// Of a page.

/// As `send_image`, the file pasted by the user instead of chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct PasteImage {
    pub handle: String,
    pub to: String,
    pub chat: Chat,
    pub file: String,
    pub filename: String,
    pub media_type: String,
    pub width: u32,
    pub height: u32,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
    pub ext: Option<Value>,
}

/// Puts a received attachment into an element of the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of DRIVER.md")]
pub struct Render {
    pub handle: String,
    pub url: String,
    pub element: Element,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of DRIVER.md")]
pub struct Target {
    pub to: String,
    pub chat: Chat,
}

/// Where a page shows an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of HTML")]
pub enum Element {
    Img,
    Audio,
    Video,
}
