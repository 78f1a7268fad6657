//! The built program, started as people and supervisors start it.

mod record;
mod running;
mod state;
