//! The server behind real sockets: what its shell adds to the machine, and what a peer can do to it.

mod attachments;
mod control;
mod doors;
mod hardship;
mod http;
mod oversized;
mod peer;
mod webhooks;
mod worlds;
