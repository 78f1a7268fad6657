//! A mock server for the Easemob WebIM messaging protocol.
//!
//! [`machine`] is the behaviour, pure; [`shell`] puts sockets and clocks around it; [`control`] is what a test
//! may say to a world; [`tape`] is what is kept of a run.

pub mod control;
pub mod machine;
#[cfg(feature = "shell")]
pub mod shell;
pub mod tape;
