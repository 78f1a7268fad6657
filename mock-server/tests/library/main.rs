//! The server in a test's own process: the example that the documentation shows, and every call of a world's handle.

mod calls;
mod example;
mod guide;
mod refusals;
