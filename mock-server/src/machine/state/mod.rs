//! A world as one document that people can read and compare: everything that a client can see of it, saved and loaded.
//!
//! Users, groups and conversations go by their names, and every list has the order that the machine walks through, so
//! that the same world gives the same document and a loaded world goes on as the saved one would have. Sockets are no
//! part of it: who was logged in is written as a device that has gone ([`Server::part`]). Nor is what was not
//! acknowledged yet: a message that waits for an app's own server is its sender's to send again. Nothing here knows
//! files; bytes of attachments come from and go to the host.

mod conversations;
mod extras;
mod faults;
mod groups;
mod number;
mod outline;
mod rules;
mod users;

use serde::{Deserialize, Serialize};

pub use conversations::{AudienceState, ConversationState, KindState, MessageState, PinState, PinnedState};
pub use extras::{
    AskedState, AttachmentState, GivenState, MissedReadersState, MissedState, PartState, PartUploadState,
    ReactionState, ReadersState, ReportState, SaidState, SubscriptionState, WatcherState,
};
pub use faults::{
    AnswerFaultState, DoorState, FaultsState, HttpFaultState, LoginFaultState, SlowUploadsState,
};
pub use groups::{
    AttributeState, GroupKindState, GroupState, InvitedState, MemberAttributesState, MemberState, MutedState,
    ProfileState, SharedFileState, ThreadState,
};
pub use number::Number;
pub use outline::{At, StateFault};
pub use rules::ArmedRuleState;
pub use users::{
    ContactState, DeviceState, MembershipState, MutesState, NotificationState, PresenceState, QuietState,
    RemindState, SentState, TokenOriginState, TokenState, UserState,
};

use super::account::UserIx;
use super::log::{ConvIx, ConvKey};
use super::muc::MucIx;
use super::session::State;
use super::upload::BlobId;
use super::{AppKey, Close, Config, Millis, Server};
use crate::control::Settings;
use bytes::Bytes;

/// What the first field of every such file says.
pub const FORMAT: &str = "mock-server state";
/// The version that this build writes, and the newest that it reads.
pub const VERSION: u32 = 1;
/// A file above this is neither written nor read, in bytes: the messages that a world keeps by default, as base64 with
/// their readable halves, and attachments of [`CONTENT_BYTES_MAX`].
pub const FILE_BYTES_MAX: usize = 512 << 20;
/// How many bytes of attachments are written into one file, before base64: six of the largest default size. A text file
/// of more is read by nobody.
pub const CONTENT_BYTES_MAX: u64 = 64 << 20;

/// One file: some worlds of a server at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StateFile {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`] when it was written.
    pub version: u32,
    /// When and why it was saved; `None`: somebody asked for it over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Saved>,
    /// By age, each app key once.
    pub worlds: Vec<WorldState>,
}

/// When a file was saved, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// By the host's clock, in ms since 1970.
    pub at_ms: u64,
    /// Why.
    pub why: Why,
    /// How often it was to be saved, in ms; `None`: at exit alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<u64>,
}

/// Why a file was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A server began with it. It stays so when that server is killed before it saves again.
    Start,
    /// The server ended as it should.
    Exit,
    /// It was time to; whatever came afterwards is in no file unless a later one replaced this.
    Interval,
}

/// One world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WorldState {
    /// `org#app`.
    pub app_key: String,
    /// What time it is there.
    pub clock: ClockState,
    /// Its rules; one that is left out has its default.
    #[serde(default)]
    pub settings: Settings,
    /// What decides wherever chance does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seed: Number,
    /// The seed of nasty mode, if it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nasty: Option<Number>,
    /// What was given out so far, so that nothing is given out twice.
    pub counters: Counters,
    /// By age. Also names that somebody wrote to, and those of users who were removed: others have messages of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserState>,
    /// Groups, rooms and threads, by age.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupState>,
    /// Ids of those that were dissolved last, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dissolved: Vec<String>,
    /// Users who alone make rooms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub super_admins: Vec<String>,
    /// The app's own tokens, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub app_tokens: Vec<TokenState>,
    /// Every conversation that ever had a message, by age.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversations: Vec<ConversationState>,
    /// What is kept of them, in the order in which it came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessageState>,
    /// What the service told users, in the order in which it did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<MessageState>,
    /// Group messages that asked for receipts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked_receipts: Vec<AskedState>,
    /// Senders who have not been told yet who read their messages while they were away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed_readers: Vec<MissedReadersState>,
    /// What messages bear, by message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<ReactionState>,
    /// What was reported to the moderators, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<ReportState>,
    /// Who is told of whose presence, by whom it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presence_subscriptions: Vec<SubscriptionState>,
    /// What was said within the last seconds, where spam is watched for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said_lately: Vec<SaidState>,
    /// Files of `/chatfiles`, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentState>,
    /// Uploads in parts that are not complete, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub part_uploads: Vec<PartUploadState>,
    /// What is armed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub faults: FaultsState,
}

/// What time it is in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClockState {
    /// In ms since 1970.
    pub now_ms: u64,
    /// It goes on by itself; false: it stands until it is moved.
    pub runs: bool,
    /// How far it is ahead of the host's clock, in ms; less than 0: behind it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ahead_ms: i64,
}

/// What a world has given out so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Counters {
    /// The next message id.
    pub next_id: Number,
    /// The next id of a group that asks for none.
    pub next_group_id: Number,
    /// The next number of a device.
    pub next_device: Number,
    /// How many frames and requests came.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inputs: Number,
    /// How many files and uploads in parts were numbered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attachments: Number,
    /// How often an app's own server was asked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub webhooks: Number,
    /// How many messages went for want of room.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropped: Number,
}

/// Gives the bytes of an attachment; `None`: they are not to be had, and the document goes without.
pub type ReadContent<'a> = dyn FnMut(BlobId) -> Option<Bytes> + 'a;
/// Keeps the bytes of an attachment; fails with why it cannot.
pub type KeepContent<'a> = dyn FnMut(Bytes) -> Result<BlobId, String> + 'a;

impl StateFile {
    /// Reads a file's text. Says where it is wrong, and how.
    pub fn parse(text: &[u8]) -> Result<Self, StateFault> {
        /// Only what tells whether the rest can be understood.
        #[derive(Deserialize)]
        struct Head {
            format: Option<String>,
            version: Option<u64>,
        }
        if text.len() > FILE_BYTES_MAX {
            let reason = format!("it has {} bytes, at most {FILE_BYTES_MAX} are read", text.len());
            return Err(At::ROOT.fault(reason));
        }
        let head: Head = outline::parse(text)?;
        match head.format.as_deref() {
            Some(FORMAT) => {}
            Some(other) => {
                let reason = format!("{other:?} is another format; {FORMAT:?} is expected");
                return Err(At::ROOT.field("format").fault(reason));
            }
            None => {
                let reason = format!(
                    "this is no state of a mock server: it does not begin with \"format\": {FORMAT:?}"
                );
                return Err(At::ROOT.field("format").fault(reason));
            }
        }
        match head.version {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) if version > u64::from(VERSION) => {
                let reason = format!(
                    "version {version} was written by a newer mock-server; this one reads version {VERSION}: take \
                     the newer program"
                );
                return Err(At::ROOT.field("version").fault(reason));
            }
            Some(version) => {
                let reason =
                    format!("there is no version {version}; this mock-server reads version {VERSION}");
                return Err(At::ROOT.field("version").fault(reason));
            }
            None => {
                let reason = format!("the version is missing; this mock-server reads version {VERSION}");
                return Err(At::ROOT.field("version").fault(reason));
            }
        }
        let file: Self = outline::parse(text)?;
        let worlds = At::ROOT.field("worlds");
        for (index, world) in file.worlds.iter().enumerate() {
            let at = worlds.index(index);
            let at = at.field("app_key");
            if AppKey::parse(&world.app_key).is_none() {
                return Err(at.fault(format!("{:?} is no app key: org#app is expected", world.app_key)));
            }
            if file.worlds[..index].iter().any(|other| other.app_key == world.app_key) {
                return Err(at.fault(format!("the world {} is there twice", world.app_key)));
            }
        }
        Ok(file)
    }

    /// Some worlds as a file that nobody has saved yet.
    pub fn of(worlds: Vec<WorldState>) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, saved: None, worlds }
    }

    /// The text, as people read it.
    pub fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a state has only string keys");
        text.push(b'\n');
        text
    }
}

impl Server {
    /// Everything that clients can see of the world, as it would be once every connection were gone. Nothing changes.
    pub fn state(&self, now: Millis, read: &mut ReadContent<'_>) -> WorldState {
        let names = Names::of(self);
        WorldState {
            app_key: self.app.to_string(),
            clock: ClockState { now_ms: now.0, runs: true, ahead_ms: 0 },
            settings: self.settings.clone(),
            seed: Number(self.seed),
            nasty: self.nasty.as_ref().map(|nasty| Number(nasty.seed)),
            counters: Counters {
                next_id: Number(self.next_id),
                next_group_id: Number(self.next_muc_id),
                next_device: Number(self.next_device.get()),
                inputs: Number(self.inputs),
                attachments: Number(self.attachments.made),
                webhooks: Number(self.webhooks.asked),
                dropped: Number(self.queues.dropped),
            },
            users: users::save(self, now, &names),
            groups: groups::save(self, &names, read),
            dissolved: self.mucs.dissolved.iter().map(|id| id.to_string()).collect(),
            super_admins: names.users(&self.mucs.super_admins),
            app_tokens: users::save_app_tokens(self),
            conversations: conversations::save(self, &names),
            messages: conversations::save_messages(self, &self.queues.messages, &names),
            notices: conversations::save_messages(self, &self.queues.notices, &names),
            asked_receipts: extras::save_asked(self, &names),
            missed_readers: extras::save_missed_readers(self, &names),
            reactions: extras::save_reactions(self, &names),
            reports: extras::save_reports(self, &names),
            presence_subscriptions: extras::save_subscriptions(self, &names),
            said_lately: extras::save_said(self, &names),
            attachments: extras::save_attachments(self, read),
            part_uploads: extras::save_part_uploads(self, &names, read),
            faults: faults::save(self, &names),
        }
    }

    /// The world of a document. Fails with where in the document something does not fit, and why; `at` is where the
    /// document itself stands.
    pub fn from_state(
        state: &WorldState,
        at: &At<'_>,
        keep: &mut KeepContent<'_>,
    ) -> Result<Self, StateFault> {
        let app_key = AppKey::parse(&state.app_key).ok_or_else(|| {
            let reason = format!("{:?} is no app key: org#app is expected", state.app_key);
            at.field("app_key").fault(reason)
        })?;
        let mut server = Self::new(Config {
            app_key,
            settings: state.settings.clone(),
            first_id: state.counters.next_id.0,
            seed: state.seed.0,
            nasty: state.nasty.map(|seed| seed.0),
        });
        let counters = at.field("counters");
        server.check_settings(&state.settings, &at.field("settings"))?;
        server.load_counters(&state.counters, &counters)?;
        if state.clock.now_ms > MOMENT_MS_MAX {
            let reason = format!("at most {MOMENT_MS_MAX} ms, some 280,000 years from now");
            return Err(at.field("clock").field("now_ms").fault(reason));
        }
        users::load_names(&mut server, &state.users, at)?;
        groups::load_ids(&mut server, &state.groups, at)?;
        let refs = conversations::load(&mut server, state, at)?;
        groups::load(&mut server, &state.groups, at, keep)?;
        users::load(&mut server, state, &refs, at)?;
        conversations::load_pins(&mut server, state, &refs, at)?;
        extras::load(&mut server, state, &refs, at, keep)?;
        faults::load(&mut server, &state.faults, &at.field("faults"))?;
        if !state.clock.runs {
            server.clock_stands();
        }
        Ok(server)
    }

    /// Every connection goes at once, as at a restart of the service: devices keep their place, and whoever was to be
    /// told of their going is gone, too. What waits for an app's own server is given up: it was never acknowledged. So is
    /// what a rule or nasty mode holds back: it was on its way.
    pub fn part(&mut self, now: Millis) {
        self.webhooks.lines.clear();
        self.webhooks.open.clear();
        let conns: Vec<_> = self.sessions.keys().copied().collect();
        for conn in conns {
            let Some(session) = self.sessions.get(&conn) else { continue };
            if !session.is_closing() {
                if let Some(live) = session.live() {
                    let user = live.reader.user;
                    self.accounts.user_mut(user).presence.at = now;
                }
                self.end(conn, Close::Cut);
            }
            self.nasty_closed(conn);
        }
        self.rules_part();
        self.presence.moves.clear();
    }

    /// Takes over what must not be given out twice by the world in whose place this one is put.
    pub fn succeed(&mut self, before: &Self) {
        self.webhooks.asked = self.webhooks.asked.max(before.webhooks.asked);
        self.inputs = self.inputs.max(before.inputs);
    }

    fn check_settings(&self, settings: &Settings, at: &At<'_>) -> Result<(), StateFault> {
        match super::webhook::rule_fault(&settings.webhooks) {
            Some((value, reason)) => Err(at.field("webhooks").fault(format!("{value}: {reason}"))),
            None => Ok(()),
        }
    }

    fn load_counters(&mut self, counters: &Counters, at: &At<'_>) -> Result<(), StateFault> {
        let bounded = [
            ("next_id", counters.next_id),
            ("next_group_id", counters.next_group_id),
            ("next_device", counters.next_device),
            ("inputs", counters.inputs),
            ("attachments", counters.attachments),
            ("webhooks", counters.webhooks),
            ("dropped", counters.dropped),
        ];
        for (name, Number(value)) in bounded {
            if value > COUNTER_MAX {
                return Err(at.field(name).fault(format!("at most {COUNTER_MAX}, or numbers would run out")));
            }
        }
        let device = std::num::NonZeroU64::new(counters.next_device.0);
        self.next_device = device.ok_or_else(|| at.field("next_device").fault("devices count from 1"))?;
        self.next_id = counters.next_id.0;
        self.next_muc_id = counters.next_group_id.0;
        self.inputs = counters.inputs.0;
        self.attachments.made = counters.attachments.0;
        self.webhooks.asked = counters.webhooks.0;
        self.queues.dropped = counters.dropped.0;
        Ok(())
    }
}

/// What counts up has room for as much again.
pub(crate) const COUNTER_MAX: u64 = 9_000_000_000_000_000_000;
/// The largest integer that all readers of JSON keep.
const MOMENT_MS_MAX: u64 = 1 << 53;

/// What things are called in a document.
struct Names<'a> {
    server: &'a Server,
    /// By number.
    conversations: Vec<String>,
    /// Groups that are no more but have messages still, by the number that they have in the document.
    dissolved: Vec<MucIx>,
}

impl<'a> Names<'a> {
    fn of(server: &'a Server) -> Self {
        let mut dissolved = Vec::new();
        let named = |key: &ConvKey| match *key {
            ConvKey::Single(a, b) => format!("users:{},{}", server.accounts.name(a), server.accounts.name(b)),
            ConvKey::Service(user) => format!("service:{}", server.accounts.name(user)),
            ConvKey::Muc(muc) => match server.mucs.get(muc) {
                Some(state) => format!("group:{}", state.id),
                None => {
                    dissolved.push(muc);
                    format!("dissolved:{}", dissolved.len() - 1)
                }
            },
        };
        let conversations = server.queues.convs.keys().map(named).collect();
        Self { server, conversations, dissolved }
    }

    fn user(&self, user: UserIx) -> String {
        self.server.accounts.name(user).to_owned()
    }

    fn users<'i>(&self, users: impl IntoIterator<Item = &'i UserIx>) -> Vec<String> {
        users.into_iter().map(|&user| self.user(user)).collect()
    }

    fn conversation(&self, conv: ConvIx) -> String {
        self.conversations[conv.number() as usize].clone()
    }

    fn muc(&self, muc: MucIx) -> String {
        match (self.server.mucs.get(muc), self.dissolved.iter().position(|gone| *gone == muc)) {
            (Some(state), _) => format!("group:{}", state.id),
            (None, Some(number)) => format!("dissolved:{number}"),
            (None, None) => unreachable!("a group whose messages asked for receipts has a conversation"),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Whether the session is a device's.
fn live_devices(server: &Server) -> impl Iterator<Item = &super::session::Live> {
    server.sessions.values().filter_map(|session| match &session.state {
        State::Live(live) => Some(&**live),
        State::Opened | State::Closing => None,
    })
}
