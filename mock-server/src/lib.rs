//! A mock server for the Easemob WebIM messaging protocol.

pub mod control;
pub mod machine;
#[cfg(feature = "shell")]
pub mod shell;
pub mod tape;
