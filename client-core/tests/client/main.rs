//! The pure client against hand-made frames: behaviour at its edge, never its insides.

mod arbitrary;
mod attachments;
mod captured;
mod conversations;
mod groups;
mod history;
mod receipts;
mod receiving;
mod sending;
mod session;
mod stage;
