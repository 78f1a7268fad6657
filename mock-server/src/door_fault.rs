//! Faults on the way in, before anybody has logged in: a door that is refused, opens late or never opens.
//!
//! What they are, as a line of text and as the same in JSON; `shell` does them. Nobody is known by name at a door, so
//! these belong to the whole server or to a world's own path, `/w/{org}~{app}/…`.
//!
//! ```text
//! refuse next 3 connections            the connection is closed without an answer
//! refuse every connection with reset   … or reset
//! refuse info with 503 next 2          what SockJS asks before it dials
//! refuse upgrade with 401              the WebSocket handshake
//! never open next 1                    SockJS: no `o` behind the upgrade; WebSocket: no answer to the handshake
//! slow open 2s                         the same, late
//! ```

mod parse;

use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

pub use parse::DoorFaultError;

/// One fault, for the tries at a door that it is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoorFault {
    /// A try is turned away.
    Refuse {
        /// Which tries.
        what: Tries,
        /// How.
        with: Refusal,
        /// How many; `None`: every one until the fault is taken away.
        next: Option<u32>,
    },
    /// The connection is made, and then nothing: no SockJS `o`, no answer to a plain WebSocket's handshake.
    NeverOpen {
        /// As above.
        next: Option<u32>,
    },
    /// As [`DoorFault::NeverOpen`], but only for a while.
    SlowOpen {
        /// How late, in ms of the world's time (of the host's, where the fault is the whole server's); at most an hour.
        ms: u64,
        /// As above.
        next: Option<u32>,
    },
}

/// What a client tries at a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tries {
    /// Whatever it begins with: SockJS' information, or a handshake.
    Connections,
    /// `/ws/info`, which SockJS asks for before it dials (wire-3x §1.1).
    Info,
    /// The WebSocket handshake.
    Upgrade,
}

/// How a try is turned away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Refusal {
    /// The connection is closed without an answer.
    #[default]
    Close,
    /// The connection is reset.
    Reset,
    /// An HTTP answer with this status, 400 to 599.
    Status(u16),
}

/// The largest number of tries that a fault is armed for: more than any client makes in a test.
pub const NEXT_MAX: u32 = 1_000_000;
/// How late a door may open, in ms: no client waits for an hour.
pub const SLOW_MS_MAX: u64 = 3_600_000;
/// The statuses that turn somebody away.
pub const STATUSES: std::ops::RangeInclusive<u16> = 400..=599;

impl DoorFault {
    /// How many tries it is armed for; `None`: every one.
    pub fn next(&self) -> Option<u32> {
        match self {
            Self::Refuse { next, .. } | Self::NeverOpen { next } | Self::SlowOpen { next, .. } => *next,
        }
    }

    /// What is wrong with numbers that came as JSON, whose form says nothing of their size.
    fn check(self) -> Result<Self, String> {
        if let Some(next) = self.next()
            && !(1..=NEXT_MAX).contains(&next)
        {
            return Err(format!("next: 1 to {NEXT_MAX} is expected, not {next}"));
        }
        match &self {
            Self::Refuse { with: Refusal::Status(status), .. } if !STATUSES.contains(status) => {
                Err(format!("with: a status from 400 to 599 is expected, not {status}"))
            }
            Self::SlowOpen { ms, .. } if !(1..=SLOW_MS_MAX).contains(ms) => {
                Err(format!("ms: 1 to {SLOW_MS_MAX} is expected, not {ms}"))
            }
            Self::Refuse { .. } | Self::NeverOpen { .. } | Self::SlowOpen { .. } => Ok(self),
        }
    }
}

impl FromStr for DoorFault {
    type Err = DoorFaultError;

    fn from_str(text: &str) -> Result<Self, DoorFaultError> {
        parse::parse(text)
    }
}

/// The line that it is read from.
impl fmt::Display for DoorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse { what: Tries::Connections, with, next } => {
                match next {
                    Some(1) => f.write_str("refuse next connection")?,
                    Some(next) => write!(f, "refuse next {next} connections")?,
                    None => f.write_str("refuse every connection")?,
                }
                match with {
                    Refusal::Close => Ok(()),
                    Refusal::Reset | Refusal::Status(_) => write!(f, " with {with}"),
                }
            }
            Self::Refuse { what, with, next } => {
                let what = match what {
                    Tries::Info => "info",
                    Tries::Upgrade | Tries::Connections => "upgrade",
                };
                write!(f, "refuse {what} with {with}")?;
                limit(f, *next)
            }
            Self::NeverOpen { next } => {
                f.write_str("never open")?;
                limit(f, *next)
            }
            Self::SlowOpen { ms, next } => {
                match ms {
                    ms if ms % 60_000 == 0 => write!(f, "slow open {}m", ms / 60_000)?,
                    ms if ms % 1_000 == 0 => write!(f, "slow open {}s", ms / 1_000)?,
                    ms => write!(f, "slow open {ms}ms")?,
                }
                limit(f, *next)
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Close => f.write_str("close"),
            Self::Reset => f.write_str("reset"),
            Self::Status(status) => write!(f, "{status}"),
        }
    }
}

fn limit(f: &mut fmt::Formatter<'_>, next: Option<u32>) -> fmt::Result {
    next.map_or(Ok(()), |next| write!(f, " next {next}"))
}

/// The same as JSON.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Object {
    /// A try is turned away.
    Refuse {
        /// Which tries.
        what: Tries,
        /// How; left out: the connection is closed.
        #[serde(default)]
        with: Refusal,
        /// How many; left out: every one until the fault is taken away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<u32>,
    },
    /// No SockJS `o`, no answer to a plain WebSocket's handshake.
    NeverOpen {
        /// As above.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<u32>,
    },
    /// The same, late.
    SlowOpen {
        /// How late, in ms.
        ms: u64,
        /// As above.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<u32>,
    },
}

impl From<Object> for DoorFault {
    fn from(object: Object) -> Self {
        match object {
            Object::Refuse { what, with, next } => Self::Refuse { what, with, next },
            Object::NeverOpen { next } => Self::NeverOpen { next },
            Object::SlowOpen { ms, next } => Self::SlowOpen { ms, next },
        }
    }
}

impl Serialize for DoorFault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object = match *self {
            Self::Refuse { what, with, next } => Object::Refuse { what, with, next },
            Self::NeverOpen { next } => Object::NeverOpen { next },
            Self::SlowOpen { ms, next } => Object::SlowOpen { ms, next },
        };
        object.serialize(serializer)
    }
}

/// Of a line, or of an object.
impl<'de> Deserialize<'de> for DoorFault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = DoorFault;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a line such as \"refuse next 3 connections\", or an object such as {\"never_open\":{}}",
                )
            }

            fn visit_str<E: serde::de::Error>(self, line: &str) -> Result<DoorFault, E> {
                line.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DoorFault, A::Error> {
                let object = Object::deserialize(MapAccessDeserializer::new(map))?;
                DoorFault::from(object).check().map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for DoorFault {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DoorFault".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let object = generator.subschema_for::<Object>();
        schemars::json_schema!({
            "description": "A fault on the way in, as a line such as `refuse next 3 connections`, or as an object.",
            "anyOf": [{ "type": "string" }, object],
        })
    }
}

#[cfg(test)]
mod tests;
