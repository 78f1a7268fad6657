//! What the client tells its user. Types only: the machine fills them, the user reads them.

use std::fmt;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::attachment::Attachment;
use crate::conversation_list::{ConversationRow, Switch};
use crate::conversations::Conversation;
use crate::emoji::EmojiPart;
use crate::error::Failure;
use crate::ext::Ext;
use crate::joined::Joined;
use crate::message::{Chat, LocalId, Priority, Receipts};
use crate::modify::Modified;
use crate::notify::DeviceNews;
use crate::pin::PinnedMessage;
use crate::reaction::{Reaction, ReactionNews};
use crate::rest::CallId;
use crate::room::RoomInfo;
use crate::timer::Millis;

/// Something the user of the client should know. The order of events is the order in which things happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Logged in: PROVISION was answered. Comes again after each reconnect.
    Opened,
    /// Gone for good, once: after `close()`, after a kick, or when the reconnect budget is used up. A login
    /// that was refused ends with its [`Event::Error`] instead, since nothing had been opened.
    Closed,
    /// A failure that belongs to no message.
    Error(Failure),
    /// The server took a message, or a recall.
    Sent {
        /// As [`crate::Client::send`] returned it.
        local: LocalId,
        /// The server's id for it.
        server: ServerId,
    },
    /// The server's receipt for the same message, right after [`Event::Sent`]: the protocol has both
    /// callbacks (wire-3x §3.5). Of a receipt that was sent it is the only one.
    Received {
        /// As [`crate::Client::send`] returned it.
        local: LocalId,
        /// The server's id for it.
        server: ServerId,
    },
    /// A message was not taken. It reached nobody, unless the failure is 510 or 512: then it is unknown.
    Failed {
        /// As [`crate::Client::send`] returned it.
        local: LocalId,
        /// Why.
        failure: Failure,
    },
    /// The sender is muted where the message was to go: it reached nobody. Comes instead of success or failure,
    /// as in 3.x (clause fail.muted).
    Muted {
        /// As [`crate::Client::send`] returned it.
        local: LocalId,
    },
    /// Some of a file has gone out. Rises; the last one before [`Event::Uploaded`] is the whole.
    UploadProgress {
        /// As [`crate::Client::send_file`] returned it.
        local: LocalId,
        /// Bytes of the request's body that have gone out.
        loaded: u64,
        /// Bytes that it has: a little more than the file's own.
        total: u64,
    },
    /// The service has the file; its message goes out now.
    Uploaded {
        /// As [`crate::Client::send_file`] returned it.
        local: LocalId,
        /// The service's name for the file.
        uuid: String,
        /// What opens it, if it is locked.
        secret: Option<String>,
    },
    /// The service did not take the file, or did not get it: 101. No message was sent.
    UploadFailed {
        /// As [`crate::Client::send_file`] returned it.
        local: LocalId,
        /// Why.
        failure: Failure,
    },
    /// A message came.
    Message(Incoming),
    /// A message was changed: it is to be shown as it is now.
    Modified(Modified),
    /// The reactions to a message changed.
    Reaction {
        /// Which message.
        message: ServerId,
        /// Who reacted, or took it back.
        from: String,
        /// The name of a user, or the id of a group.
        to: String,
        /// Which of the two.
        chat: Chat,
        /// The reactions that changed.
        reactions: Vec<ReactionNews>,
    },
    /// A message was pinned in its conversation, or is so no longer.
    Pin {
        /// Which message.
        message: ServerId,
        /// Where: with a user, in a group or in a room.
        chat: Chat,
        /// The name of that user, or the id of the group or room.
        with: String,
        /// Who did it.
        operator: String,
        /// Which of the two.
        switch: Switch,
        /// When.
        time: Millis,
    },
    /// Another device of the user did something.
    Device(DeviceNews),
    /// A message was taken back: it is to be shown no more.
    Recall {
        /// Which.
        message: ServerId,
        /// Who took it back.
        from: String,
        /// The name of a user, or the id of a group or a room.
        to: String,
    },
    /// A message of one's own reached a device of its recipient: once, however many there are.
    Delivered {
        /// Which.
        message: ServerId,
    },
    /// A message of one's own was read.
    Read {
        /// Which.
        message: ServerId,
        /// By how many, if it was a group message.
        count: Option<u64>,
        /// What its reader put into the receipt, if it was a group message.
        content: Option<String>,
    },
    /// Everything in a conversation was read.
    Channel {
        /// By whom.
        from: String,
        /// The name of a user, or the id of a group.
        to: String,
    },
    /// Receipts of group messages that came while the user was away.
    Statistic {
        /// A list of `{"msg_id", "read_count"}` or whatever the service writes there: no document says.
        group_ack: Value,
    },
    /// A file came.
    Downloaded {
        /// As [`crate::Client::download`] returned it.
        call: CallId,
        /// Its media type.
        media_type: String,
        /// What is in it.
        bytes: Bytes,
    },
    /// A file did not come: 200.
    DownloadFailed {
        /// As [`crate::Client::download`] returned it.
        call: CallId,
        /// Why.
        failure: Failure,
    },
    /// Messages of the past, oldest first.
    History {
        /// As [`crate::Client::fetch_history`] returned it.
        call: CallId,
        /// As many as were wanted, or all that were left.
        messages: Vec<Incoming>,
    },
    /// The conversations, in the order of the service.
    Conversations {
        /// As [`crate::Client::list_conversations`] returned it.
        call: CallId,
        /// All of them.
        conversations: Vec<Conversation>,
    },
    /// A call without news of its own was carried out.
    Done {
        /// As it was returned.
        call: CallId,
    },
    /// A page of the conversation list, in the order of the service.
    ConversationPage {
        /// As [`crate::Client::page_conversations`] returned it.
        call: CallId,
        /// The rows.
        rows: Vec<ConversationRow>,
        /// The cursor of the next page, if there is one.
        cursor: Option<String>,
    },
    /// A page of the past, in the order of the service.
    HistoryPage {
        /// As [`crate::Client::search_history`] returned it.
        call: CallId,
        /// The messages that can be shown.
        messages: Vec<Incoming>,
        /// The cursor of the next page, if there is one.
        cursor: Option<String>,
    },
    /// The reactions to messages.
    Reactions {
        /// As [`crate::Client::list_reactions`] returned it.
        call: CallId,
        /// Each message with its reactions, in the order of the service.
        messages: Vec<(ServerId, Vec<Reaction>)>,
    },
    /// Who gave a reaction.
    Reactors {
        /// As [`crate::Client::list_reactors`] returned it.
        call: CallId,
        /// Their names, on this page.
        users: Vec<String>,
        /// How many there are on all pages.
        count: u64,
        /// The cursor of the next page, if there is one.
        cursor: Option<String>,
    },
    /// The pinned messages of a conversation.
    PinnedMessages {
        /// As [`crate::Client::list_pinned_messages`] returned it.
        call: CallId,
        /// On this page, in the order of the service.
        messages: Vec<PinnedMessage>,
        /// The cursor of the next page, if there is one.
        cursor: Option<String>,
    },
    /// The user is in a chat room.
    Entered {
        /// As [`crate::Client::enter_room`] returned it.
        call: CallId,
        /// Its id.
        room: String,
        /// What it says of itself.
        info: RoomInfo,
    },
    /// The groups that the user is in.
    JoinedGroups {
        /// As [`crate::Client::list_groups`] returned it.
        call: CallId,
        /// On this page, in the order of the service.
        groups: Vec<Joined>,
    },
    /// The rooms that the user is in.
    JoinedRooms {
        /// As [`crate::Client::list_rooms`] returned it.
        call: CallId,
        /// On this page, in the order of the service.
        rooms: Vec<Joined>,
    },
    /// A conversation was deleted.
    ConversationDeleted {
        /// As [`crate::Client::delete_conversation`] returned it.
        call: CallId,
    },
    /// Who has read a group message.
    Readers {
        /// As [`crate::Client::list_readers`] returned it.
        call: CallId,
        /// Their names, on this page.
        users: Vec<String>,
        /// How many there are on all pages.
        total: u64,
        /// The `key` of the next page, if there is one.
        next: Option<String>,
    },
    /// A call that has events of its own was refused, or got no answer: a number of rest.md 0.11.
    CallFailed {
        /// As it was returned.
        call: CallId,
        /// Why.
        failure: Failure,
    },
    /// The contacts as they are now.
    Roster(Vec<String>),
    /// The whole block list as it is now.
    BlacklistUpdate(Vec<String>),
    /// A group was made.
    GroupCreated {
        /// Its id.
        group: String,
    },
    /// A chat room was made.
    RoomCreated {
        /// Its id.
        room: String,
    },
    /// Contacts, groups or rooms changed.
    Presence(Presence),
    /// The host told that the local network went.
    Offline,
    /// The host told that the local network came.
    Online,
}

/// The server's id of a message: 64 bits, above 2^53 on purpose (wire-3x §10.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerId(pub u64);

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message from somebody, or from another device of one's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The same number that its sender got.
    pub id: ServerId,
    /// The sender's name, as the sender spells it.
    pub from: String,
    /// The name of a user, or the id of a group or a room.
    pub to: String,
    /// Which of the three.
    pub chat: Chat,
    /// When the server took it.
    pub time: Millis,
    /// What the sender put beside the message; empty when nothing.
    pub ext: Ext,
    /// Whether the sender wants to know that it was read: [`crate::Client::send_read`].
    pub receipts: Receipts,
    /// Whether this user was online when the service took it, where it says so.
    pub was_online: Option<bool>,
    /// How much it matters, of a message to a room; normal where its sender did not say.
    pub priority: Option<Priority>,
    /// What it says.
    pub content: IncomingContent,
}

/// What a received message says.
#[derive(Clone, Debug, PartialEq)]
pub enum IncomingContent {
    /// A text.
    Text(String),
    /// A text with emojis in it, taken apart. In history it stays a text.
    Emoji(Vec<EmojiPart>),
    /// A file, with its address as [`crate::AttachmentUrls`] has it.
    Attachment(Attachment),
    /// A command for the program at the other end.
    Command {
        /// What to do; empty when the sender left it out.
        action: String,
    },
    /// An application's own kind of message.
    Custom {
        /// Its name.
        event: String,
        /// Its fields. Clients older than ours may have put more than strings in.
        exts: Map<String, Value>,
    },
    /// A place.
    Location {
        /// Degrees, north positive.
        latitude: f64,
        /// Degrees, east positive.
        longitude: f64,
        /// In words.
        address: String,
    },
}

/// A change of contacts, of a group or of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The `type` that the 3.x Web SDK gives it, such as `invite` (wire-3x §5.3, §5.4).
    pub kind: &'static str,
    /// Who did it.
    pub from: String,
    /// Whom it was done to, the first of them; empty when nobody is named.
    pub to: String,
    /// The reason that was given; empty when none was.
    pub status: String,
    /// Where.
    pub place: Place,
}

/// Where a [`Presence`] happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the contact list.
    Contacts,
    /// In the group with this id.
    Group(String),
    /// In the room with this id.
    Room(String),
}
