//! Why a command or a move of the clock was refused, in words for the person who sent it. What was refused changed nothing.

/// Why a [`Control`](super::Control) was refused; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No such user.
    #[error("no user {name:?} in this world; make it first{}", or_meant(near))]
    UnknownUser {
        /// As it was named.
        name: String,
        /// A user whose name is much like it.
        near: Option<String>,
    },
    /// No such group or room.
    #[error("no group or room {id:?} in this world; make it first{}", or_meant(near))]
    UnknownMuc {
        /// As it was named.
        id: String,
        /// One whose id is much like it.
        near: Option<String>,
    },
    /// The body of a message that was to be sent makes none.
    #[error("body of type {kind:?}: {why}")]
    BadBody {
        /// What it was to be.
        kind: String,
        /// What is wrong with it.
        why: String,
    },
    /// A message that was to be sent as somebody was refused, as a device of theirs would be.
    #[error(
        "the message was refused as a device of {from} would be told: status {code} ({status}), {reason:?}"
    )]
    MessageRefused {
        /// As whom.
        from: String,
        /// The number of a `Status.ErrorCode`.
        code: i32,
        /// Its name.
        status: &'static str,
        /// The words beside it.
        reason: String,
    },
    /// A name or id that the protocol cannot carry, or that is taken.
    #[error("{what} {value:?}: {reason}")]
    BadValue {
        /// Which field.
        what: &'static str,
        /// What it held.
        value: String,
        /// What would do.
        reason: &'static str,
    },
    /// Something for a device that is not connected.
    #[error("{0} has no connected device that this could happen to")]
    NotConnected(String),
    /// Any of these in a nasty world, where it takes the seed to see it again.
    #[error("{error}{}", nasty_seed_in_words(*seed))]
    InNastyWorld {
        /// What `--nasty` was given, or the world was made with.
        seed: u64,
        /// Why the command was refused.
        error: Box<Self>,
    },
}

/// What messages of nasty worlds end with.
pub(crate) fn nasty_seed_in_words(seed: u64) -> String {
    format!(" (nasty seed {seed})")
}

/// Why several commands were refused: none of them was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing was done: {}{error}", which(*index, *count))]
pub struct CommandsRefused {
    /// Which of them, counted from 0.
    pub index: usize,
    /// How many there were.
    pub count: usize,
    /// Why.
    pub error: ControlError,
}

/// Why a clock was not set: time never goes backwards in a world that somebody has been in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the world's clock is at {now_ms} ms and cannot go back to {to_ms} ms: time never goes backwards; a world made anew \
     may begin at any time"
)]
pub struct ClockBackwards {
    /// Where it is, in ms since 1970.
    pub now_ms: u64,
    /// Where it was to be.
    pub to_ms: u64,
}

/// Of one alone there is nothing to say.
fn which(index: usize, count: usize) -> String {
    if count == 1 { String::new() } else { format!("command {} of {count} was refused: ", index + 1) }
}

fn or_meant(near: &Option<String>) -> String {
    near.as_ref().map(|near| format!(", or did you mean {near:?}?")).unwrap_or_default()
}

/// Of these the one that a name was most likely meant to be, if any is much like it.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Below it, two names are two names.
    const LIKE_MIN: f64 = 0.8;
    let like = known.into_iter().map(|other| (strsim::jaro_winkler(name, other), other));
    let like = like.filter(|(likeness, _)| *likeness >= LIKE_MIN);
    like.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}
