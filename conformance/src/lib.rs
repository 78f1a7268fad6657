//! Drives any WebIM client core through scripted scenarios against the mock server, and judges what it shows
//! its user and every frame that it sends.
//!
//! It never imports a client: clients are child processes that speak the line protocol of `DRIVER.md`.

pub mod alias;
pub mod amend;
pub mod attachment;
pub mod bundle;
pub mod clause;
pub mod client;
pub mod command_line;
pub mod coverage;
pub mod diff;
pub mod dissect;
pub mod doctor;
pub mod driver;
pub mod exceptions;
pub mod exit;
pub mod hold;
pub mod host;
pub mod interrupt;
pub mod judge;
pub mod lane;
pub mod matching;
pub mod pattern;
pub mod real_time;
pub mod record;
pub mod replay;
pub mod report;
pub mod results;
pub mod run;
pub mod scaffold;
pub mod scenario;
pub mod schema;
pub mod selection;
pub mod suite;
pub mod trace;
pub mod transcript;
pub mod verdict;
pub mod watch;
