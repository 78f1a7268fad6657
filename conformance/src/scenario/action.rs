//! What a step of a scenario does, and what can be wrong with it before anything is run.

use std::collections::BTreeSet;

use mock_server::catalog::catalog;
use mock_server::control::{Control, Fault};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::attachment::Files;
use crate::driver::{Capability, Command, Device, Event, EventKind};

/// How often one step may be repeated: above the thousand messages of the largest clause.
const COUNT_MAX: u32 = 10_000;
/// The longest advance of the clock: no timer of the protocol is as long as a token's 60 days.
const ADVANCE_MS_MAX: u64 = 90 * 24 * 3_600_000;

/// What a step does.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// A device makes a call.
    Tell {
        /// Which.
        user: Device,
        /// The call.
        command: Command,
        /// The call itself must be refused, with words that contain these.
        refused: Option<String>,
        /// So many calls, `#` standing for 1, 2, … in each string.
        #[schemars(range(min = 1, max = COUNT_MAX))]
        count: Option<u32>,
    },
    /// A device shows an event next.
    Expect {
        /// Which.
        user: Device,
        /// The fields that must be so.
        event: Event,
        /// So many events, `#` standing for 1, 2, … in each string.
        #[schemars(range(min = 1, max = COUNT_MAX))]
        count: Option<u32>,
    },
    /// Nothing more comes to a device.
    Silent {
        /// Which.
        user: Device,
    },
    /// Time passes, for the client and its server alike.
    Advance {
        /// How much, in ms.
        #[schemars(range(max = ADVANCE_MS_MAX))]
        ms: u64,
    },
    /// Time passes for the server, where windows, mutes and tokens run out, and for the client if its clock can be
    /// moved. A client that has its own time bears it, since none knows the server's clock.
    Elapse {
        /// How much, in ms.
        #[schemars(range(max = ADVANCE_MS_MAX))]
        ms: u64,
    },
    /// Something goes wrong.
    Fault(Fault),
    /// The world changes.
    Control(Control),
    /// An error or a situation of the catalog (mock-server/catalog) happens to a user, as by `mock-server errors NAME --arm`.
    Stage {
        /// Its name, such as `504`.
        name: String,
        /// To whom.
        user: String,
    },
    /// All that a device has shown and no step has taken is what the client showed of this error when the catalog's
    /// `seen.json` was written; whatever it is, for a client of which that file has nothing.
    Shows {
        /// Which.
        user: Device,
        /// The error's name, such as `504`.
        of: String,
    },
}

impl Action {
    /// What is wrong with it, as far as that is known before it is taken.
    pub(super) fn check(&self, needs: &BTreeSet<Capability>, files: &Files) -> Result<(), String> {
        let need = |what: Capability, because: &str| {
            if needs.contains(&what) {
                Ok(())
            } else {
                Err(format!("{because} needs {:?} in \"needs\"", what.as_str()))
            }
        };
        match self {
            Self::Tell { command: Command::Create { .. }, .. } => {
                Err("a device is created by itself when it is first told something".to_owned())
            }
            Self::Tell { command: Command::Network { .. }, count, .. } => {
                need(Capability::Network, "network")?;
                check_count(*count)
            }
            Self::Tell { command, count, .. } => {
                if let Command::FetchHistory { count, .. } = command {
                    check_history_count(count)?;
                }
                // What `#` and a `$name` stand for is known when the step is taken.
                if let Some(file) = command.file().filter(|file| !file.contains(['#', '$'])) {
                    files.known(file)?;
                }
                check_count(*count)
            }
            Self::Expect { event, count, .. } => {
                if event.kind == EventKind::UploadProgress {
                    return Err(
                        "upload_progress is expected of every upload by itself; a step expects what \
                                comes after it, such as uploaded"
                            .to_owned(),
                    );
                }
                for (field, value) in &event.fields {
                    if let Some(Err(wrong)) = value.as_str().and_then(|text| files.expected(field, text)) {
                        return Err(wrong);
                    }
                }
                check_count(*count)
            }
            Self::Advance { ms } => {
                need(Capability::VirtualClock, "advance")?;
                check_advance(*ms)
            }
            Self::Elapse { ms } => check_advance(*ms),
            Self::Stage { name, user } => {
                catalog().stage(name, user).map(drop).map_err(|unknown| unknown.to_string())
            }
            Self::Shows { of, .. } => match catalog().error(of) {
                Some(_) => Ok(()),
                None => Err(format!("\"of\" is {of:?}; the catalog has no error of that name")),
            },
            Self::Silent { .. } | Self::Fault(_) | Self::Control(_) => Ok(()),
        }
    }
}

fn check_advance(ms: u64) -> Result<(), String> {
    match ms {
        0..=ADVANCE_MS_MAX => Ok(()),
        _ => Err(format!("\"ms\" is {ms}; at most {ADVANCE_MS_MAX} (90 days)")),
    }
}

fn check_count(count: Option<u32>) -> Result<(), String> {
    match count {
        None | Some(1..=COUNT_MAX) => Ok(()),
        Some(count) => Err(format!("\"count\" is {count}; 1 to {COUNT_MAX}")),
    }
}

/// A number or digits in a string, for clients must take both (clause roam.count).
fn check_history_count(count: &Value) -> Result<(), String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match count {
        Value::Number(number) if number.is_u64() => Ok(()),
        Value::String(text) if digits(text) => Ok(()),
        other => Err(format!("\"count\" of fetch_history is {other}; a whole number, or digits in a string")),
    }
}
