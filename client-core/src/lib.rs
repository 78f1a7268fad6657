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
//! It speaks the dialect of the 3.x Web SDK (login, pulls, `guid` on sends) on both doors, and mends what
//! that SDK leaves broken: it notices a dead peer, gets its reconnect budget back with each login, resends
//! what was never answered under the same local id, and loses nothing around a frame that it cannot read.
//! It was written from the description of the protocol alone, never from the server beside it: the two share
//! the alphabet (`fixtures::wire`), not the grammar.

mod client;
mod door;
mod error;
mod event;
mod ext;
mod hear;
mod inbox;
mod message;
#[cfg(feature = "net")]
pub mod net;
mod outbox;
mod presence;
mod rest;
mod session;
mod timer;

pub use client::{Client, Config, LinkId, Received, Transmit, WireMessage};
pub use door::Door;
pub use error::{CommandError, Failure};
pub use event::{Event, Incoming, IncomingContent, Place, Presence, ServerId};
pub use ext::{CustomExts, Ext};
pub use message::{Chat, Content, LocalId, Message};
pub use rest::{CallId, HttpAnswer, HttpMethod, HttpRequest};
pub use timer::Millis;
