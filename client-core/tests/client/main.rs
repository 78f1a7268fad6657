//! The pure client against hand-made frames: behaviour at its edge, never its insides.

mod arbitrary;
mod captured;
mod receiving;
mod sending;
mod session;
mod stage;
