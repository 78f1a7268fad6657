//! Drives any WebIM client core through scripted scenarios against the mock server, and judges what it shows
//! its user and every frame that it sends.
//!
//! It never imports a client: clients are child processes that speak the line protocol of `DRIVER.md`.

pub mod dissect;
pub mod driver;
pub mod matching;
pub mod run;
pub mod scenario;
