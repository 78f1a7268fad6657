//! The server behind real sockets: what its shell adds to the machine, and what a peer can do to it.

mod attachments;
mod bodies;
mod control;
mod control_looks;
mod doors;
mod hardship;
mod http;
mod oversized;
mod part_uploads;
mod peer;
mod replay;
#[path = "../machine/routes.rs"]
mod routes;
mod webhooks;
mod worlds;
