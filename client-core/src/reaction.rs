//! Reactions to messages: giving and taking them back, who gave which, and what others do (rest.md A.11, wire-4x §6.3).
//!
//! Asked for over REST; news of them comes as NOTIFY and is read here too.

use serde::{Deserialize, Serialize};

use crate::calls::{Ask, Call};
use crate::client::{Client, Config, not_empty};
use crate::error::CommandError;
use crate::event::{Event, ServerId};
use crate::message::Chat;
use crate::notify::{chat_of, id_in_json};
use crate::rest::{CallId, HttpAnswer, HttpMethod, Refusal, json, segment};
use crate::timer::Millis;

/// How many users are asked for when the caller does not say: what the SDK asks for (rest.md A.11).
const PAGE_USERS: u32 = 20;

/// One reaction to a message, as a list of them has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// What was given: an emoji or a word, at most 128 characters.
    pub reaction: String,
    /// By how many.
    pub count: u64,
    /// The first of those.
    pub users: Vec<String>,
    /// Whether the user is one of them.
    pub mine: bool,
}

/// One reaction to a message, as news of it has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionNews {
    /// What was given or taken back.
    pub reaction: String,
    /// By how many it is given now.
    pub count: u64,
    /// The first of those.
    pub users: Vec<String>,
    /// What happened; empty where nothing did and the reaction is only told along.
    pub changes: Vec<ReactionChange>,
}

/// Who did what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionChange {
    /// Who.
    pub operator: String,
    /// `create` or `delete`, or what the service may come to say.
    pub kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReactionCall {
    Add { message: ServerId, reaction: String },
    Remove { message: ServerId, reaction: String },
    List { messages: Vec<ServerId>, chat: Chat, group: Option<String> },
    Reactors { message: ServerId, reaction: String, limit: Option<u32>, cursor: Option<String> },
}

impl Client {
    /// Gives a message a reaction, of at most 128 characters: [`Event::Done`]. Refused with 1101 when the user has given
    /// it already.
    pub fn add_reaction(
        &mut self,
        now: Millis,
        message: ServerId,
        reaction: &str,
    ) -> Result<CallId, CommandError> {
        let reaction = not_blank(reaction)?;
        self.call(now, "add_reaction", Call::Reaction(ReactionCall::Add { message, reaction }))
    }

    /// Takes a reaction back: [`Event::Done`].
    pub fn remove_reaction(
        &mut self,
        now: Millis,
        message: ServerId,
        reaction: &str,
    ) -> Result<CallId, CommandError> {
        let reaction = not_blank(reaction)?;
        self.call(now, "remove_reaction", Call::Reaction(ReactionCall::Remove { message, reaction }))
    }

    /// Asks for the reactions to messages of one conversation: [`Event::Reactions`]. `group` is the id of the group
    /// where it is one.
    pub fn list_reactions(
        &mut self,
        now: Millis,
        messages: Vec<ServerId>,
        chat: Chat,
        group: Option<&str>,
    ) -> Result<CallId, CommandError> {
        const COMMAND: &str = "list_reactions";
        if messages.is_empty() {
            return Err(CommandError::NoName { command: COMMAND });
        }
        if chat == Chat::Room {
            return Err(CommandError::NotForRooms { command: COMMAND });
        }
        let group = group.map(|group| not_empty(COMMAND, group)).transpose()?;
        self.call(now, COMMAND, Call::Reaction(ReactionCall::List { messages, chat, group }))
    }

    /// Asks who gave a message a reaction: [`Event::Reactors`]. `limit` is how many are wanted at most (20 when `None`),
    /// `cursor` that of the page before.
    pub fn list_reactors(
        &mut self,
        now: Millis,
        message: ServerId,
        reaction: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<CallId, CommandError> {
        let (reaction, cursor) = (not_blank(reaction)?, cursor.map(str::to_owned));
        let call = ReactionCall::Reactors { message, reaction, limit, cursor };
        self.call(now, "list_reactors", Call::Reaction(call))
    }
}

impl ReactionCall {
    /// What the user calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "add reaction",
            Self::Remove { .. } => "remove reaction",
            Self::List { .. } => "reactions",
            Self::Reactors { .. } => "reactors",
        }
    }

    pub(crate) fn ask(&self, config: &Config) -> Ask {
        let path = format!("/reaction/user/{}", segment(&config.username));
        match self {
            Self::Add { message, reaction } => {
                let body = json(&AddBody { msg_id: message.to_string(), message: reaction });
                Ask::with(HttpMethod::Post, path, body)
            }
            Self::Remove { message, reaction } => {
                let query = format!("msgId={message}&message={}", segment(reaction));
                Ask::bare(HttpMethod::Delete, format!("{path}?{query}"))
            }
            Self::List { messages, chat, group } => {
                let ids: Vec<String> = messages.iter().map(ServerId::to_string).collect();
                let kind = match chat {
                    Chat::Single => "chat",
                    Chat::Group | Chat::Room => "groupchat",
                };
                let mut query = format!("msgIdList={}&msgType={kind}", ids.join(","));
                if let Some(group) = group {
                    query = format!("{query}&groupId={}", segment(group));
                }
                Ask::bare(HttpMethod::Get, format!("{path}?{query}"))
            }
            Self::Reactors { message, reaction, limit, cursor } => {
                let limit = limit.unwrap_or(PAGE_USERS);
                let mut query = format!("msgId={message}&message={}&pageSize={limit}", segment(reaction));
                if let Some(cursor) = cursor {
                    query = format!("{query}&currentPage={}", segment(cursor));
                }
                Ask::bare(HttpMethod::Get, format!("{path}/detail?{query}"))
            }
        }
    }

    pub(crate) fn read(&self, call: CallId, answer: &HttpAnswer) -> Result<Event, Refusal> {
        match self {
            Self::Add { .. } | Self::Remove { .. } => {
                answer.read::<serde::de::IgnoredAny>().map(|_| Event::Done { call })
            }
            Self::List { .. } => {
                let data = answer.read::<Envelope<Vec<OfMessage>>>()?.data;
                let rows = data
                    .into_iter()
                    .map(|row| (row.msg_id, row.reaction_list.into_iter().map(Given::shown).collect()));
                Ok(Event::Reactions { call, messages: rows.collect() })
            }
            Self::Reactors { .. } => {
                let Detail { count, user_list: users, cursor } = answer.read::<Envelope<Detail>>()?.data;
                let cursor = cursor.filter(|cursor| !cursor.is_empty());
                Ok(Event::Reactors { call, users, count, cursor })
            }
        }
    }
}

/// The items of NOTIFY's `data` (wire-4x §6.3): one event each.
#[derive(Deserialize)]
pub(crate) struct ReactionItem {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    channel_type: String,
    #[serde(rename = "messageId", deserialize_with = "id_in_json")]
    message: ServerId,
    #[serde(default)]
    reactions: Vec<NewsOfOne>,
}

impl ReactionItem {
    pub(crate) fn event(self) -> Event {
        Event::Reaction {
            message: self.message,
            from: self.from,
            to: self.to,
            chat: chat_of(&self.channel_type),
            reactions: self.reactions.into_iter().map(NewsOfOne::shown).collect(),
        }
    }
}

#[derive(Deserialize)]
struct NewsOfOne {
    reaction: String,
    #[serde(default)]
    count: u64,
    #[serde(default, rename = "userList")]
    user_list: Vec<String>,
    #[serde(default)]
    op: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    operator: String,
    #[serde(rename = "reactionType")]
    reaction_type: String,
}

impl NewsOfOne {
    fn shown(self) -> ReactionNews {
        let changes = self
            .op
            .into_iter()
            .map(|change| ReactionChange { operator: change.operator, kind: change.reaction_type });
        ReactionNews {
            reaction: self.reaction,
            count: self.count,
            users: self.user_list,
            changes: changes.collect(),
        }
    }
}

#[derive(Serialize)]
struct AddBody<'a> {
    #[serde(rename = "msgId")]
    msg_id: String,
    message: &'a str,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfMessage {
    #[serde(deserialize_with = "id_in_json")]
    msg_id: ServerId,
    #[serde(default)]
    reaction_list: Vec<Given>,
}

/// A reaction in a list. Its count goes by either name, in the vendor's declarations by the second.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    reaction: String,
    #[serde(default, alias = "userCount")]
    count: u64,
    #[serde(default)]
    user_list: Vec<String>,
    #[serde(default)]
    state: bool,
}

impl Given {
    fn shown(self) -> Reaction {
        Reaction { reaction: self.reaction, count: self.count, users: self.user_list, mine: self.state }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    #[serde(default, alias = "userCount")]
    count: u64,
    #[serde(default)]
    user_list: Vec<String>,
    #[serde(default)]
    cursor: Option<String>,
}

fn not_blank(reaction: &str) -> Result<String, CommandError> {
    if reaction.is_empty() { Err(CommandError::NoReaction) } else { Ok(reaction.to_owned()) }
}
