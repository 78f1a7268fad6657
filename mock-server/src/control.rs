//! The control plane: what a test says to one world, as typed commands.
//!
//! The same commands serve a scenario's `given` and `fault` steps and the library's callers. Every command
//! names things of one world; which world, the caller says beside it.

mod error;

use serde::{Deserialize, Serialize};

use crate::door_fault::DoorFault;
use crate::rule::Rule;

pub use error::{ClockBackwards, CommandsRefused, ControlError};
pub(crate) use error::{nasty_seed_in_words, nearest};

/// One thing to do to a world. Refused whole or done whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Control {
    /// Registers a user, or gives an existing one this password.
    User {
        /// As typed; folded to lower case for every comparison.
        name: String,
        /// What `/token` must be given.
        password: String,
    },
    /// Makes users that have no password yet: each gets the one of its first login or registration.
    Known {
        /// Who; as typed, folded as ever.
        users: Vec<String>,
    },
    /// Makes an access token for a user, as if by an earlier login.
    Token {
        /// Whose.
        user: String,
        /// The token itself.
        token: String,
        /// How long it lives from now, in ms; 0 or less: it has expired.
        ttl_ms: i64,
    },
    /// Makes a group under an id that the caller chooses.
    Group {
        /// Its id; free of every user's name, since 3.x tells queues by name alone (wire-3x §3.4).
        id: String,
        /// A user that exists.
        owner: String,
        /// Users that exist, besides the owner.
        members: Vec<String>,
    },
    /// Makes a chat room under an id that the caller chooses.
    Room {
        /// Its id.
        id: String,
        /// A user that exists.
        owner: String,
        /// Users that exist, besides the owner.
        members: Vec<String>,
    },
    /// Puts users on somebody's block list.
    Block {
        /// Whose list.
        user: String,
        /// Who may no longer write to `user`.
        blocked: Vec<String>,
    },
    /// Stores texts as if `from` had sent them just now: `data` is the text, `#` in it the running number from 1.
    Texts {
        /// The sender.
        from: String,
        /// A user, or the id of a group or room.
        to: String,
        /// What each says.
        text: String,
        /// How many.
        count: u32,
    },
    /// Takes users off somebody's block list.
    Unblock {
        /// Whose list.
        user: String,
        /// Who may write to `user` again.
        blocked: Vec<String>,
    },
    /// Makes users each other's contacts, without asking them.
    Contacts {
        /// One side.
        user: String,
        /// The others.
        with: Vec<String>,
    },
    /// Removes a user: devices are logged out (207), contacts and groups lose the name.
    RemoveUser {
        /// Whom.
        user: String,
    },
    /// Changes a password: tokens end, devices are logged out (216).
    Password {
        /// Whose.
        user: String,
        /// The new one.
        password: String,
    },
    /// Logs a user's devices out, as an operator does (217).
    Disconnect {
        /// Whose.
        user: String,
        /// Which device, by the resource it logged in with; left out, all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
    },
    /// Users join a group or room, as if each had asked to.
    Join {
        /// The group or room.
        id: String,
        /// Who.
        users: Vec<String>,
    },
    /// Users leave a group or room by themselves.
    Leave {
        /// The group or room.
        id: String,
        /// Who.
        users: Vec<String>,
    },
    /// The owner removes users from a group or room.
    Remove {
        /// The group or room.
        id: String,
        /// Who.
        users: Vec<String>,
    },
    /// The owner dissolves a group or room.
    Dissolve {
        /// The group or room.
        id: String,
    },
    /// The owner makes members administrators.
    Admins {
        /// The group or room.
        id: String,
        /// Who.
        users: Vec<String>,
    },
    /// The owner mutes members (status 15).
    Mute {
        /// The group or room.
        id: String,
        /// Who.
        users: Vec<String>,
        /// For how long from now, in ms; left out: until unmuted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ms: Option<u64>,
    },
    /// The owner lets muted members speak again.
    Unmute {
        /// The group or room.
        id: String,
        /// Who.
        users: Vec<String>,
    },
    /// The app lets a user speak nowhere (status 7, "user is mute"; 4.x: 219).
    MuteUser {
        /// Whom.
        user: String,
        /// For how long from now, in ms, begun seconds whole; 0: no longer; left out: until unmuted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ms: Option<u64>,
    },
    /// The owner silences all but the allow list, the administrators and themselves (506).
    BanAll {
        /// The group or room.
        id: String,
    },
    /// The owner ends the silence.
    UnbanAll {
        /// The group or room.
        id: String,
    },
    /// The owner puts members on the allow list.
    Allow {
        /// The group or room.
        id: String,
        /// Who.
        users: Vec<String>,
    },
    /// The owner takes members off the allow list.
    Disallow {
        /// The group or room.
        id: String,
        /// Who.
        users: Vec<String>,
    },
    /// Sends a message as anyone, taken as if a device of theirs had sent it: policies, webhooks, receipts and fan-out
    /// are a device's, and it reaches the sender's own devices. Faults that wait for the user's next message are left
    /// for it. What a webhook says of it later, nobody is told.
    Send(Box<Sending>),
    /// Tells a user's devices why they go, and closes their connections. Nothing else changes: the account is as it
    /// was, and may log in again.
    Kick {
        /// Whose.
        user: String,
        /// Which device, by the resource it logged in with; left out, all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
        /// What they are told.
        reason: KickReason,
    },
    /// Has tokens of a user end at a moment of the world's clock. Who is logged in stays so.
    ExpireTokens {
        /// Whose.
        user: String,
        /// Which; left out, every one of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// When, in ms since 1970; left out: now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_ms: Option<u64>,
    },
    /// Changes the world's rules.
    Settings(SettingsPatch),
    /// Stages a fault.
    Fault(Fault),
    /// Takes back every fault that waits and every rule; what rules hold back is let go.
    ClearFaults {},
    /// Takes one rule back; what it holds back is let go.
    ClearRule {
        /// Its number, as GET …/rules tells it.
        id: u64,
    },
}

/// A message that is sent as anyone: it has either `text` or `body`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sending {
    /// A user that exists.
    pub from: String,
    /// A user, or the id of a group or room.
    pub to: String,
    /// What `to` is; left out: a group or room, if one has that id, and a user otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<Chat>,
    /// What a text message says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Any kind of message, as history shows it and the app's server writes it (rest.md B.4), such as
    /// `{"type":"img","url":"http://…","filename":"a.png"}` or `{"type":"cmd","action":"go"}`. Types: txt, img, audio,
    /// video, file, loc, cmd, custom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Map<String, serde_json::Value>>,
    /// The app's own fields.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

/// What a message is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Chat {
    /// A user.
    Single,
    /// A group.
    Group,
    /// A chat room.
    Room,
}

/// Why devices are told to go (clause conn.kicked; wire-3x §5.2, wire-4x §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KickReason {
    /// The user logged in on another device (SDKs: 206).
    OtherDevice,
    /// The user is no more (207).
    Removed,
    /// The password was changed (216).
    Password,
    /// An operator, or another device of the user, wants it gone (217).
    Operator,
}

/// The rules of a world; every field has the default of a developer's laptop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// No user appears by login, no unknown token is taken for its bearer, no message goes to an unknown user.
    pub strict: bool,
    /// A user has one device rather than up to four.
    pub one_device: bool,
    /// What becomes of a device more than a user can have.
    pub extra_device: ExtraDevice,
    /// Users write to their contacts alone (4.x: 221).
    pub contacts_only: bool,
    /// The app is served at all; off, every login is refused (status 12).
    pub serving: bool,
    /// Anyone may register over REST.
    pub open_registration: bool,
    /// The largest message body, in bytes of `Meta.payload` (rest.md B.8: 3 KB).
    pub message_bytes_max: u32,
    /// How long a token from `/token` lives, in ms (rest.md B.1: 60 days).
    pub token_ttl_ms: u64,
    /// A message that holds one of these, in any case, is refused as sensitive (501).
    pub words: Vec<String>,
    /// The fourth message of one sender with the same content within 10 s is refused as spam (501).
    pub antispam: bool,
    /// Messages can be recalled at all (505).
    pub recall: bool,
    /// How long after it was sent a message can be recalled, in ms (504; rest.md B.8: 2 minutes).
    pub recall_window_ms: u64,
    /// The owner and administrators of a group or room may recall what others wrote there.
    pub admins_recall: bool,
    /// Messages can be modified at all (4.x: 505).
    pub modify: bool,
    /// How often one message can be modified (4.x: 50; the vendor's documents).
    pub modify_count_max: u32,
    /// Messages can be pinned in their conversation (4.x: 505).
    pub pins: bool,
    /// History can be fetched.
    pub roaming: bool,
    /// Messages to a group may ask for read receipts.
    pub group_receipts: bool,
    /// The list of conversations can be fetched.
    pub sessions: bool,
    /// A command message counts as unread.
    pub commands_count: bool,
    /// Users can be told of each other's presence (4.x: 505).
    pub presence: bool,
    /// To how many others' presence a user may subscribe at a time (4.x: 50).
    pub presence_subscriptions_max: u32,
    /// Messages bear reactions (4.x: 505).
    pub reactions: bool,
    /// Texts are translated (4.x: 505).
    pub translation: bool,
    /// Messages can be reported to the app's moderators (4.x: 505).
    pub reports: bool,
    /// How many contacts a user has at most (rest.md B.3: the second of three plans; 4.x: 50).
    pub contacts_max: u32,
    /// Threads can hang on messages of groups.
    pub threads: bool,
    /// How many rooms a user may be in when entering one more over the socket; above, the service says that they are
    /// too many (50). The number is our guess.
    pub joined_rooms_max: u32,
    /// The largest attachment, in bytes (rest.md B.8: 10 MB).
    pub attachment_bytes_max: u64,
    /// Every attachment is refused as improper content, as by a moderation that likes none.
    pub improper_uploads: bool,
    /// How many messages are kept, over all conversations, before the oldest go.
    pub kept_messages_max: u64,
    /// How many bytes of messages are kept before the oldest go.
    pub kept_bytes_max: u64,
    /// How old a kept message may be, in ms (rest.md B.8: 180 days on the largest plan).
    pub kept_ms_max: u64,
    /// What an app token is asked for with, when strict; otherwise any will do.
    pub client_id: String,
    /// As `client_id`.
    pub client_secret: String,
    /// Who is asked before a message is taken; at most 4 (rest.md B.9).
    pub webhooks: Vec<Webhook>,
}

/// Some of the [`Settings`], to change just those.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each field is the one of the same name in Settings")]
pub struct SettingsPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_device: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_device: Option<ExtraDevice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serving: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_registration: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_bytes_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ttl_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub antispam: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall_window_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admins_recall: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modify: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modify_count_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pins: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roaming: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_receipts: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commands_count: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_subscriptions_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reactions: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translation: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reports: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_rooms_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment_bytes_max: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub improper_uploads: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_messages_max: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_bytes_max: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_ms_max: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<Vec<Webhook>>,
}

/// What becomes of a device more than a user can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExtraDevice {
    /// It is let in, and the user's oldest device is logged out (206).
    EndsOldest,
    /// Its login is refused (status 13; 4.x: 214).
    IsRefused,
}

/// A rule that asks an app's own server before a message is taken (rest.md B.9: the pre-send callback).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Webhook {
    /// Where it is asked: an `http://` address.
    pub url: String,
    /// What the signature is made with.
    pub secret: String,
    /// How long it may take to answer, in ms.
    pub timeout_ms: u64,
    /// What becomes of the message when there is no answer, or none that makes sense.
    pub on_timeout: Verdict,
    /// Whether the sender learns of a refusal (502); otherwise it looks like a success.
    pub report_error: bool,
    /// Which kinds of messages are asked about; empty: all that the contract lists.
    pub kinds: Vec<MessageKind>,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is taken.
    Pass,
    /// It is refused.
    Refuse,
}

/// The kinds of messages that a [`Webhook`] may be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the protocol")]
pub enum MessageKind {
    Text,
    Image,
    Video,
    Location,
    Voice,
    File,
    Custom,
}

/// Something that goes wrong for one user. `device` names one of several; left out, all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// A rule: what goes wrong for which frames or requests, as docs/stage.md describes them.
    Rule(Box<Rule>),
    /// The socket goes without a close frame.
    Cut {
        /// Whose.
        user: String,
        /// Which device, by the resource it logged in with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
    },
    /// The socket is closed with a WebSocket close frame (SockJS: a `c[…]` message before it).
    Close {
        /// Whose.
        user: String,
        /// Which device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
        /// The close code.
        code: u16,
    },
    /// The user's present connections stay, but nobody is at their other end any more: nothing is sent to them, and
    /// what they send is read and thrown away until they go. Their devices are gone as if cut; new connections of
    /// the user are served.
    Mute {
        /// Whose.
        user: String,
    },
    /// The user's next message is taken as ever, but its sender gets no answer.
    DropNextAnswer {
        /// Whose.
        user: String,
    },
    /// The user's next message is taken, its answer is lost, and the socket is cut: what a train tunnel does.
    CutInsteadOfAnswer {
        /// Whose.
        user: String,
    },
    /// These bytes go to the user's sockets as one frame.
    SendRaw {
        /// Whose.
        user: String,
        /// The frame in hexadecimal; it need not be a frame.
        hex: String,
    },
    /// Something befalls those who come by the world's own path, `/w/{org}~{app}/…`, before they log in. The shell's alone:
    /// a machine without one does nothing.
    Door(DoorFault),
    /// The user's next uploads come slowly: the server reads their files no faster than this, in the world's time. On a clock
    /// that stands still they go on as it is moved.
    SlowUploads {
        /// Whose.
        user: String,
        /// Bytes of the file a second; at least 1.
        bytes_per_second: u64,
        /// How many uploads; at least 1.
        count: u32,
    },
    /// The connection of the user's next upload is reset before it is answered.
    ResetNextUpload {
        /// Whose.
        user: String,
    },
    /// The user's next message is refused with this status and has no effect.
    AnswerStatus {
        /// Whose.
        user: String,
        /// The number of a `Status.ErrorCode`.
        code: i32,
        /// The exact words; SDKs map them to their error types.
        reason: String,
    },
    /// The user's next login is refused with this status, and its connection closed (wire-4x §3.3).
    RefuseLogin {
        /// Whose.
        user: String,
        /// The number of a `Status.ErrorCode`; not 0, which is success.
        code: i32,
        /// The exact words; SDKs map them to their error types.
        reason: String,
    },
    /// The user's next login gets no answer; its connection stays open.
    DropNextProvision {
        /// Whose.
        user: String,
    },
    /// The next REST request whose path holds `path` is answered with this and has no effect. It need not be a path
    /// that the server knows, nor carry a token. The request of a page that asks beforehand (CORS) does not count.
    AnswerHttp {
        /// Part of what stands behind `/{org}/{app}` and before `?`, such as `/chatgroups`.
        path: String,
        /// 200 to 599.
        status: u16,
        /// The whole body, at most 64 KiB: JSON, which is sent as such, or any other text.
        body: String,
        /// Only a request with a token of this user; left out, anybody's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
    },
}

const DAY_MS: u64 = 24 * 3_600_000;

impl Default for Settings {
    fn default() -> Self {
        Self {
            strict: false,
            one_device: false,
            extra_device: ExtraDevice::EndsOldest,
            contacts_only: false,
            serving: true,
            open_registration: true,
            message_bytes_max: 3_072,
            token_ttl_ms: 60 * DAY_MS,
            words: Vec::new(),
            antispam: false,
            recall: true,
            recall_window_ms: 120_000,
            admins_recall: false,
            modify: true,
            modify_count_max: 10,
            pins: true,
            roaming: true,
            group_receipts: true,
            sessions: true,
            commands_count: false,
            contacts_max: 3_000,
            presence: true,
            presence_subscriptions_max: 3_000,
            reactions: true,
            translation: true,
            reports: true,
            joined_rooms_max: 1_000,
            threads: true,
            attachment_bytes_max: 10 * 1024 * 1024,
            improper_uploads: false,
            kept_messages_max: 100_000,
            kept_bytes_max: 256 * 1024 * 1024,
            kept_ms_max: 180 * DAY_MS,
            client_id: "mock-client-id".into(),
            client_secret: "mock-client-secret".into(),
            webhooks: Vec::new(),
        }
    }
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            url: String::new(),
            secret: String::new(),
            timeout_ms: 200,
            on_timeout: Verdict::Pass,
            report_error: true,
            kinds: Vec::new(),
        }
    }
}

impl Settings {
    /// Changes what the patch names.
    pub fn apply(&mut self, patch: SettingsPatch) {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        // Named one by one: a field that is forgotten here does not compile.
        let SettingsPatch {
            strict,
            one_device,
            extra_device,
            contacts_only,
            serving,
            open_registration,
            message_bytes_max,
            token_ttl_ms,
            words,
            antispam,
            recall,
            recall_window_ms,
            admins_recall,
            modify,
            modify_count_max,
            pins,
            roaming,
            group_receipts,
            sessions,
            commands_count,
            contacts_max,
            presence,
            presence_subscriptions_max,
            reactions,
            translation,
            reports,
            joined_rooms_max,
            threads,
            attachment_bytes_max,
            improper_uploads,
            kept_messages_max,
            kept_bytes_max,
            kept_ms_max,
            client_id,
            client_secret,
            webhooks,
        } = patch;
        set(&mut self.strict, strict);
        set(&mut self.one_device, one_device);
        set(&mut self.extra_device, extra_device);
        set(&mut self.contacts_only, contacts_only);
        set(&mut self.serving, serving);
        set(&mut self.open_registration, open_registration);
        set(&mut self.message_bytes_max, message_bytes_max);
        set(&mut self.token_ttl_ms, token_ttl_ms);
        set(&mut self.words, words);
        set(&mut self.antispam, antispam);
        set(&mut self.recall, recall);
        set(&mut self.recall_window_ms, recall_window_ms);
        set(&mut self.admins_recall, admins_recall);
        set(&mut self.modify, modify);
        set(&mut self.modify_count_max, modify_count_max);
        set(&mut self.pins, pins);
        set(&mut self.roaming, roaming);
        set(&mut self.group_receipts, group_receipts);
        set(&mut self.sessions, sessions);
        set(&mut self.commands_count, commands_count);
        set(&mut self.contacts_max, contacts_max);
        set(&mut self.presence, presence);
        set(&mut self.presence_subscriptions_max, presence_subscriptions_max);
        set(&mut self.reactions, reactions);
        set(&mut self.translation, translation);
        set(&mut self.reports, reports);
        set(&mut self.joined_rooms_max, joined_rooms_max);
        set(&mut self.threads, threads);
        set(&mut self.attachment_bytes_max, attachment_bytes_max);
        set(&mut self.improper_uploads, improper_uploads);
        set(&mut self.kept_messages_max, kept_messages_max);
        set(&mut self.kept_bytes_max, kept_bytes_max);
        set(&mut self.kept_ms_max, kept_ms_max);
        set(&mut self.client_id, client_id);
        set(&mut self.client_secret, client_secret);
        set(&mut self.webhooks, webhooks);
    }
}
