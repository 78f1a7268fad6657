//! A mock server for the Easemob WebIM messaging protocol.
//!
//! [`machine`] is the behaviour, pure; [`shell`] puts sockets and clocks around it; [`control`] is what a test
//! may say to a world, [`control_api`] how it says so over HTTP; [`tape`] and [`journal`] are what is kept of a run, and
//! [`replay`] has it happen again.

mod base64_bytes;
pub mod control;
pub mod control_api;
pub mod journal;
pub mod machine;
pub mod replay;
#[cfg(feature = "shell")]
pub mod shell;
pub mod tape;
