//! What hangs on users and messages in a state file: receipts asked for, reactions, reports, presence, what was said
//! lately, and files.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::conversations::{Refs, load_muc};
use super::groups::load_content;
use super::users::{load_one, load_users};
use super::{At, KeepContent, Names, Number, ReadContent, StateFault, WorldState, is_default};
use crate::base64_bytes;
use crate::machine::account::Caller;
use crate::machine::muc::DISSOLVED_MAX;
use crate::machine::part_upload::{PARTS_MAX, Part, PartUpload};
use crate::machine::policy::SAID_MAX;
use crate::machine::receipt::{Asked, Missed};
use crate::machine::report::Report;
use crate::machine::upload::Attachment;
use crate::machine::{Map, Millis, Server};

/// A group message that asked for receipts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AskedState {
    /// The message.
    pub id: Number,
    /// Who has read it; `None`: nobody's reading is of interest any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readers: Option<ReadersState>,
}

/// Who has read a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReadersState {
    /// Who sent it.
    pub sender: String,
    /// Its group's conversation.
    #[serde(rename = "in")]
    pub within: String,
    /// In the order in which they did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// The last receipt that came while the sender was away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedState>,
}

/// A receipt that came while the sender was away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MissedState {
    /// Who had read it.
    pub from: String,
    /// What the receipt said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub content: String,
    /// When, in ms since 1970.
    pub at_ms: u64,
}

/// Of which messages a sender who was away has not been told who read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MissedReadersState {
    /// The sender.
    pub user: String,
    /// In the order in which they were read.
    pub messages: Vec<Number>,
}

/// Reactions to one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReactionState {
    /// Which.
    pub message: Number,
    /// Oldest first.
    pub reactions: Vec<GivenState>,
}

/// One reaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GivenState {
    /// The reaction.
    pub reaction: String,
    /// Who gave it.
    pub users: Vec<String>,
}

/// A message that was reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReportState {
    /// By whom.
    pub by: String,
    /// Which.
    pub message: Number,
    /// As the reporter called what is wrong with it.
    pub kind: String,
    /// In the reporter's words.
    pub reason: String,
}

/// Who is told of one user's presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SubscriptionState {
    /// Whose.
    pub to: String,
    /// In the order in which they are told; each has it in `subscribed_to`, too.
    pub by: Vec<WatcherState>,
}

/// Who is told, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WatcherState {
    /// Who.
    pub user: String,
    /// In ms since 1970.
    pub until_ms: Number,
}

/// What a user has said lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SaidState {
    /// When, in ms since 1970.
    pub at_ms: u64,
    /// Who.
    pub user: String,
    /// What tells it from something else.
    pub content_hash: Number,
}

/// A file of `/chatfiles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AttachmentState {
    /// What clients know it by.
    pub uuid: String,
    /// As it was named.
    pub name: String,
    /// As its kind was called.
    #[serde(default, skip_serializing_if = "is_default")]
    pub media_type: String,
    /// What opens it; `None`: everybody's token does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// In base64; `None`: the bytes were no longer to be had, or too many for the file.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_bytes::optional")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub content: Option<Bytes>,
}

/// An upload in parts that is not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PartUploadState {
    /// What clients know it by.
    pub uuid: String,
    /// Who began it; `None`: the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When it began or had its last part, in ms since 1970.
    pub touched_ms: u64,
    /// As part 1 was named.
    #[serde(default, skip_serializing_if = "is_default")]
    pub name: String,
    /// As the kind of part 1 was called.
    #[serde(default, skip_serializing_if = "is_default")]
    pub media_type: String,
    /// By their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartState>,
}

/// A part of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PartState {
    /// From 1.
    pub number: u32,
    /// How many.
    pub bytes: u64,
    /// In base64; `None`: the bytes were no longer to be had, or too many for the file.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_bytes::optional")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub content: Option<Bytes>,
}

pub(super) fn save_asked(server: &Server, names: &Names<'_>) -> Vec<AskedState> {
    let saved = |&id: &u64| AskedState {
        id: Number(id),
        readers: server.receipts.asked.get(&id).map(|asked| ReadersState {
            sender: names.user(asked.sender),
            within: names.muc(asked.muc),
            users: names.users(&asked.readers),
            missed: asked.missed.as_ref().map(|missed| MissedState {
                from: names.user(missed.from),
                content: missed.content.clone(),
                at_ms: missed.at.0,
            }),
        }),
    };
    server.receipts.order.iter().map(saved).collect()
}

pub(super) fn save_missed_readers(server: &Server, names: &Names<'_>) -> Vec<MissedReadersState> {
    let mut missed: Vec<_> = server.receipts.missed.iter().filter(|(_, ids)| !ids.is_empty()).collect();
    missed.sort_by_key(|(user, _)| **user);
    let saved = missed.into_iter().map(|(&user, ids)| MissedReadersState {
        user: names.user(user),
        messages: ids.iter().copied().map(Number).collect(),
    });
    saved.collect()
}

pub(super) fn save_reactions(server: &Server, names: &Names<'_>) -> Vec<ReactionState> {
    let saved = server.reactions.of.iter().map(|(&message, reactions)| ReactionState {
        message: Number(message),
        reactions: reactions
            .iter()
            .map(|(reaction, users)| GivenState { reaction: reaction.to_string(), users: names.users(users) })
            .collect(),
    });
    saved.collect()
}

pub(super) fn save_reports(server: &Server, names: &Names<'_>) -> Vec<ReportState> {
    let saved = server.reports.0.iter().map(|report| ReportState {
        by: names.user(report.by),
        message: Number(report.message),
        kind: report.kind.to_string(),
        reason: report.reason.to_string(),
    });
    saved.collect()
}

pub(super) fn save_subscriptions(server: &Server, names: &Names<'_>) -> Vec<SubscriptionState> {
    let mut all: Vec<_> = server.presence.watchers.iter().filter(|(_, by)| !by.is_empty()).collect();
    all.sort_by_key(|(about, _)| **about);
    let saved = all.into_iter().map(|(&about, by)| SubscriptionState {
        to: names.user(about),
        by: by
            .iter()
            .map(|(&user, until)| WatcherState { user: names.user(user), until_ms: Number(until.0) })
            .collect(),
    });
    saved.collect()
}

pub(super) fn save_said(server: &Server, names: &Names<'_>) -> Vec<SaidState> {
    let said = server.said_lately.said.iter();
    said.map(|&(at, user, content)| SaidState {
        at_ms: at.0,
        user: names.user(user),
        content_hash: Number(content),
    })
    .collect()
}

pub(super) fn save_attachments(server: &Server, read: &mut ReadContent<'_>) -> Vec<AttachmentState> {
    let saved = server.attachments.files.iter().map(|(uuid, file)| AttachmentState {
        uuid: uuid.to_string(),
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        secret: file.secret.as_deref().map(str::to_owned),
        content: read(file.blob),
    });
    saved.collect()
}

pub(super) fn save_part_uploads(
    server: &Server,
    names: &Names<'_>,
    read: &mut ReadContent<'_>,
) -> Vec<PartUploadState> {
    let mut saved_part =
        |(&number, part): (&u32, &Part)| PartState { number, bytes: part.bytes, content: read(part.blob) };
    let open = server.part_uploads.open.iter();
    open.map(|(uuid, upload)| PartUploadState {
        uuid: uuid.to_string(),
        owner: match upload.owner {
            Caller::App => None,
            Caller::User(user) => Some(names.user(user)),
        },
        touched_ms: upload.touched.0,
        name: upload.name.clone(),
        media_type: upload.media_type.clone(),
        parts: upload.parts.iter().map(&mut saved_part).collect(),
    })
    .collect()
}

/// Users, groups, conversations and messages are there.
pub(super) fn load(
    server: &mut Server,
    state: &WorldState,
    refs: &Refs,
    at: &At<'_>,
    keep: &mut KeepContent<'_>,
) -> Result<(), StateFault> {
    if state.dissolved.len() > DISSOLVED_MAX {
        return Err(at.field("dissolved").fault(format!("at most {DISSOLVED_MAX} are kept")));
    }
    server.mucs.dissolved = state.dissolved.iter().map(|id| id.as_str().into()).collect();
    server.mucs.super_admins = load_users(server, &state.super_admins, &at.field("super_admins"))?;
    load_receipts(server, state, refs, at)?;
    load_reactions(server, &state.reactions, &at.field("reactions"))?;
    load_subscriptions(server, state, at)?;
    for (index, report) in state.reports.iter().enumerate() {
        let at = at.field("reports");
        let by = load_one(server, &report.by, &at.index(index).field("by"))?;
        let (kind, reason) = (report.kind.as_str().into(), report.reason.as_str().into());
        server.reports.0.push_back(Report { by, message: report.message.0, kind, reason });
    }
    if state.said_lately.len() > SAID_MAX {
        return Err(at.field("said_lately").fault(format!("at most {SAID_MAX} are kept")));
    }
    for (index, said) in state.said_lately.iter().enumerate() {
        let at = at.field("said_lately");
        let user = load_one(server, &said.user, &at.index(index).field("user"))?;
        let content = said.content_hash.0;
        server.said_lately.said.push_back((Millis(said.at_ms), user, content));
        *server.said_lately.times.entry((user, content)).or_default() += 1;
    }
    load_files(server, state, at, keep)
}

fn load_receipts(
    server: &mut Server,
    state: &WorldState,
    refs: &Refs,
    at: &At<'_>,
) -> Result<(), StateFault> {
    for (index, asked) in state.asked_receipts.iter().enumerate() {
        let at = at.field("asked_receipts");
        let at = at.index(index);
        server.receipts.order.push_back(asked.id.0);
        let Some(readers) = &asked.readers else { continue };
        let at = at.field("readers");
        // A group that was dissolved has no other name than its conversation's.
        refs.find(&readers.within, &at.field("in"))?;
        let missed = readers.missed.as_ref().map(|missed| {
            let from = load_one(server, &missed.from, &at.field("missed").field("from"))?;
            Ok(Missed { from, content: missed.content.clone(), at: Millis(missed.at_ms) })
        });
        let loaded = Asked {
            sender: load_one(server, &readers.sender, &at.field("sender"))?,
            readers: load_users(server, &readers.users, &at.field("users"))?,
            missed: missed.transpose()?,
            muc: load_muc(server, &readers.within, &at.field("in"))?,
        };
        server.receipts.readers += loaded.readers.len();
        if server.receipts.asked.insert(asked.id.0, loaded).is_some() {
            return Err(at.fault(format!("message {} is there twice", asked.id.0)));
        }
    }
    for (index, missed) in state.missed_readers.iter().enumerate() {
        let at = at.field("missed_readers");
        let at = at.index(index);
        let user = load_one(server, &missed.user, &at.field("user"))?;
        let ids = missed.messages.iter().map(|id| id.0).collect();
        if server.receipts.missed.insert(user, ids).is_some() {
            return Err(at.field("user").fault(format!("{:?} is there twice", missed.user)));
        }
    }
    Ok(())
}

fn load_reactions(server: &mut Server, state: &[ReactionState], at: &At<'_>) -> Result<(), StateFault> {
    for (index, of) in state.iter().enumerate() {
        let at = at.index(index);
        let mut reactions = Map::default();
        for (number, given) in of.reactions.iter().enumerate() {
            let at = at.field("reactions");
            let at = at.index(number);
            let users = load_users(server, &given.users, &at.field("users"))?;
            if users.is_empty() {
                return Err(at.field("users").fault("a reaction that nobody gave is none"));
            }
            server.reactions.users += users.len();
            if reactions.insert(given.reaction.as_str().into(), users).is_some() {
                return Err(at.field("reaction").fault(format!("{:?} is there twice", given.reaction)));
            }
        }
        if server.reactions.of.insert(of.message.0, reactions).is_some() {
            return Err(at.field("message").fault(format!("message {} is there twice", of.message.0)));
        }
    }
    Ok(())
}

/// Both sides of each, which say the same.
fn load_subscriptions(server: &mut Server, state: &WorldState, at: &At<'_>) -> Result<(), StateFault> {
    for (index, user) in state.users.iter().enumerate() {
        let at = at.field("users");
        let watched = load_users(server, &user.subscribed_to, &at.index(index).field("subscribed_to"))?;
        if !watched.is_empty() {
            let watcher = load_one(server, &user.name, &at)?;
            server.presence.watched.insert(watcher, watched);
        }
    }
    let all = at.field("presence_subscriptions");
    for (index, subscription) in state.presence_subscriptions.iter().enumerate() {
        let at = all.index(index);
        let about = load_one(server, &subscription.to, &at.field("to"))?;
        let mut watchers = Map::default();
        for (number, by) in subscription.by.iter().enumerate() {
            let at = at.field("by");
            let at = at.index(number);
            let at = at.field("user");
            let watcher = load_one(server, &by.user, &at)?;
            if !server.presence.watched.get(&watcher).is_some_and(|watched| watched.contains(&about)) {
                let reason = format!("{:?} does not have {:?} in `subscribed_to`", by.user, subscription.to);
                return Err(at.fault(reason));
            }
            if watchers.insert(watcher, Millis(by.until_ms.0)).is_some() {
                return Err(at.fault(format!("{:?} is there twice", by.user)));
            }
            server.presence.subscriptions += 1;
        }
        if server.presence.watchers.insert(about, watchers).is_some() {
            return Err(at.field("to").fault(format!("{:?} is there twice", subscription.to)));
        }
    }
    let told: usize = server.presence.watched.values().map(|watched| watched.len()).sum();
    if told != server.presence.subscriptions {
        let reason = format!(
            "{} subscriptions, but the users' `subscribed_to` name {told}: each stands in both",
            server.presence.subscriptions
        );
        return Err(all.fault(reason));
    }
    Ok(())
}

fn load_files(
    server: &mut Server,
    state: &WorldState,
    at: &At<'_>,
    keep: &mut KeepContent<'_>,
) -> Result<(), StateFault> {
    let numbered = state.attachments.len() + state.part_uploads.len();
    if numbered as u64 > server.attachments.made {
        let reason = format!("{numbered} files are there, so at least as many were numbered");
        return Err(at.field("counters").field("attachments").fault(reason));
    }
    for (index, file) in state.attachments.iter().enumerate() {
        let at = at.field("attachments");
        let at = at.index(index);
        let attachment = Attachment {
            blob: load_content(server, file.content.as_ref(), &at, keep)?,
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            secret: file.secret.as_deref().map(Into::into),
        };
        if server.attachments.files.insert(file.uuid.as_str().into(), attachment).is_some() {
            return Err(at.field("uuid").fault(format!("{:?} is there twice", file.uuid)));
        }
    }
    for (index, upload) in state.part_uploads.iter().enumerate() {
        let at = at.field("part_uploads");
        let at = at.index(index);
        let owner = match &upload.owner {
            None => Caller::App,
            Some(owner) => Caller::User(load_one(server, owner, &at.field("owner"))?),
        };
        let mut loaded = PartUpload {
            owner,
            touched: Millis(upload.touched_ms),
            parts: std::collections::BTreeMap::new(),
            name: upload.name.clone(),
            media_type: upload.media_type.clone(),
        };
        for (index, part) in upload.parts.iter().enumerate() {
            let at = at.field("parts");
            let at = at.index(index);
            if !(1..=PARTS_MAX).contains(&part.number) {
                return Err(at.field("number").fault(format!("parts are numbered 1 to {PARTS_MAX}")));
            }
            let blob = load_content(server, part.content.as_ref(), &at, keep)?;
            if loaded.parts.insert(part.number, Part { blob, bytes: part.bytes }).is_some() {
                return Err(at.field("number").fault(format!("part {} is there twice", part.number)));
            }
        }
        if server.part_uploads.open.insert(upload.uuid.as_str().into(), loaded).is_some() {
            return Err(at.field("uuid").fault(format!("{:?} is there twice", upload.uuid)));
        }
    }
    Ok(())
}
