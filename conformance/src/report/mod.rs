//! What a run is told as: lines for a person, JSON for a program.

mod assemble;
mod difference;
pub mod evidence;
mod failure;
pub mod files;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod merge;
pub mod model;
mod pointer;
pub mod terminal;

pub use assemble::{ClientTold, Told};
