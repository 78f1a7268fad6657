//! The library, one matter a file: what it reads, judges, keeps and tells.

mod amend;
mod coverage;
mod diff;
mod dissect;
mod driver_doc;
mod errors;
mod evidence;
mod html;
mod judge;
mod record;
mod report;
mod run;
mod scaffold;
mod scenarios;
mod schema;
mod transcript;
mod verdict;
