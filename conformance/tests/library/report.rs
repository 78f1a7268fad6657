//! What a report is told as: on a terminal, as JUnit, on GitHub, as JSON, and several put together.

mod files;
mod github;
mod junit;
mod merge;
mod sample;
mod schema;
mod terminal;
