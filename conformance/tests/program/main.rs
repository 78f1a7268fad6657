//! The harness as a program, against real servers and real children: what it says, what it writes, and with which code
//! it ends.

mod cli;
mod curl;
mod gate;
mod hold;
mod host;
mod record_proxy;
mod replay;
mod verbs;
