//! A client for the Easemob WebIM messaging protocol, as a pure state machine.
//!
//! [`Client`] knows neither sockets nor clocks. Whoever runs it does four things, in this order, for ever:
//!
//! 1. hands over what happened, each with the time: [`Client::handle`], and the commands of its user;
//! 2. carries out what it wants: [`Client::poll_transmit`] until `None`;
//! 3. shows what it tells: [`Client::poll_event`] until `None`;
//! 4. comes back with [`Received::Timeout`] at [`Client::next_deadline`].
//!
//! Time must not go backwards. The feature `net` holds such a runner for tokio (`net::Connection`); without
//! the feature no tokio is in the tree.
//!
//! It speaks the dialect of the 3.x Web SDK (login, pulls, `guid` on sends) on both doors, with the calls that 4.x has
//! over it for conversations, history, changed messages, reactions, pins and rooms, and mends what
//! that SDK leaves broken: it notices a dead peer, gets its reconnect budget back with each login, resends
//! what was never answered under the same local id, and loses nothing around a frame that it cannot read.
//! It was written from the description of the protocol alone, never from the server beside it: the two share
//! the alphabet (`fixtures::wire`), not the grammar.

mod attachment;
mod calls;
mod client;
mod contacts;
mod conversation_list;
mod conversations;
mod door;
mod emoji;
mod error;
mod event;
mod ext;
mod groups;
mod hear;
mod history;
mod inbox;
mod incoming;
mod joined;
mod lane;
mod message;
mod modify;
#[cfg(feature = "net")]
pub mod net;
mod notify;
mod outbox;
mod pin;
mod presence;
mod reaction;
mod receipt;
mod refusal;
mod rest;
mod room;
mod search;
mod session;
mod timer;
mod transfer;

pub use attachment::{Attachment, AttachmentUrls, File, Media, UploadWay};
pub use client::{Client, Config, LinkId, Received, Transmit, WireMessage};
pub use conversation_list::{ConversationRow, Listed, Mark, Switch, Target};
pub use conversations::{Conversation, StoredMessage, WithHistory};
pub use door::Door;
pub use emoji::{EmojiPart, EmojiTable};
pub use error::{CommandError, Failure};
pub use event::{Event, Incoming, IncomingContent, Place, Presence, ServerId};
pub use ext::{CustomExts, Ext};
pub use groups::{Muc, NewGroup, Verdict};
pub use joined::Joined;
pub use message::{Chat, Content, LocalId, Message, Priority, Receipts, Route};
pub use modify::Modified;
pub use notify::{DeviceNews, DeviceOperation};
pub use pin::PinnedMessage;
pub use reaction::{Reaction, ReactionChange, ReactionNews};
pub use rest::{CallId, HttpAnswer, HttpBody, HttpMethod, HttpRequest, Progress};
pub use room::{OtherRooms, RoomInfo};
pub use search::{Direction, Removed, Search};
pub use timer::Millis;
