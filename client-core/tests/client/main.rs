//! The pure client against hand-made frames: behaviour at its edge, never its insides.

mod arbitrary;
mod attachments;
mod captured;
mod conversation_list;
mod conversations;
mod groups;
mod history;
mod modify;
mod reactions;
mod receipts;
mod receiving;
mod refusals;
mod rooms;
mod search;
mod sending;
mod session;
mod stage;
