//! A mock server for the Easemob WebIM messaging protocol.
//!
//! [`machine`] is the behaviour, pure; [`shell`] puts sockets and clocks around it; [`control`] is what a test
//! may say to a world, [`control_api`] how it says so over HTTP; [`tape`] and [`journal`] are what is kept of a run, and
//! [`replay`] has it happen again; [`decoded`] reads frames by the schema's names,
//! and a [`rule`] says which of them go wrong, and how.

mod base64_bytes;
pub mod catalog;
pub mod control;
pub mod control_api;
pub mod decoded;
pub mod door_fault;
pub mod journal;
pub mod machine;
pub mod redact;
pub mod replay;
pub mod rule;
#[cfg(feature = "shell")]
pub mod shell;
pub mod tape;
pub mod traffic;
