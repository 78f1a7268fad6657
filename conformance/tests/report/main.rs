//! What a report is told as: on a terminal, as JUnit, on GitHub, as JSON, and several put together.

mod github;
mod junit;
mod sample;
mod terminal;
