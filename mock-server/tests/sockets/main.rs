//! The server behind real sockets: what its shell adds to the machine, and what a peer can do to it.

mod attachments;
mod bodies;
mod catalog;
mod choice;
mod control;
mod control_looks;
mod desk;
mod door_faults;
mod doors;
mod guard;
mod har;
mod hardship;
mod http;
mod isolation;
mod oversized;
mod overview;
mod part_uploads;
mod peer;
mod record;
mod refusals;
mod refused_commands;
mod replay;
#[path = "../machine/routes.rs"]
mod routes;
mod rules;
mod state;
mod tls;
mod traffic;
mod webhooks;
mod worlds;
