//! A bundle played again. [`server`](server::play) gives what the client sent to this build's server, and holds what
//! comes of it against the record; [`hold`] stops on the way and lets people in; [`client`](client::play) gives what the
//! server sent to a client.
//!
//! It never judges a scenario's steps again: whether an event is the expected one was decided when it was shown.

pub mod client;
mod difference;
pub mod hold;
mod renamed;
mod script;
pub mod server;
mod sockets;
mod until;

pub use difference::Difference;
pub use until::{Place, until};

/// Why a bundle cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unplayable {
    /// Nobody kept what the server was given.
    #[error(
        "this bundle does not say what the server was given: the run used a server that does not tell (--server), or was too long"
    )]
    NoJournal,
    /// What was given cannot be given again.
    #[error("what the server was given cannot be given again: {0}")]
    Journal(String),
    /// No such step.
    #[error("--until {step}: the record ends {ends}; {hint}")]
    NoSuchStep {
        /// The step asked for.
        step: usize,
        /// Where it ends.
        ends: String,
        /// What may be asked for.
        hint: String,
    },
    /// It was taken from a running server or by a recorder, and no harness asked its clients anything.
    #[error(
        "this bundle was taken from a running server, and nobody knows what its clients were asked to do, so it cannot be played to a client; leave --against-client out"
    )]
    NothingAsked,
    /// The harness's own part went wrong.
    #[error("{0}")]
    Harness(String),
}
