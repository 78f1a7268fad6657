//! Children that misbehave, one way each: what the harness makes of each of them.

mod doctor;
mod driver;
mod suite;
mod trace;
