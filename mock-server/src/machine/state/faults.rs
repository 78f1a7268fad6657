//! Armed faults in a state file.

use serde::{Deserialize, Serialize, Serializer};

use super::users::load_one;
use super::{ArmedRuleState, At, Names, Number, StateFault, is_default, rules};
use crate::door_fault::DoorFault;
use crate::machine::Server;
use crate::machine::fault::{ARMED_MAX, AnswerFault, Full, HttpFault, LoginFault};

/// What is armed, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FaultsState {
    /// For users' next messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerFaultState>,
    /// Whose next uploads are reset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uploads: Vec<String>,
    /// Whose next uploads come slowly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slow_uploads: Vec<SlowUploadsState>,
    /// For users' next logins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logins: Vec<LoginFaultState>,
    /// For the next requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<HttpFaultState>,
    /// Rules that were armed and not cleared, also those that are used up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ArmedRuleState>,
    /// How many rules were armed so far, so that no number is used twice.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rules_ever: Number,
    /// What befalls those who come by the world's own path, also what is used up. A machine has none: its host does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doors: Vec<DoorState>,
    /// How many of those were armed so far, so that no number is used twice.
    #[serde(default, skip_serializing_if = "is_default")]
    pub doors_ever: Number,
}

/// Uploads that come slowly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlowUploadsState {
    /// Whose.
    pub user: String,
    /// How many bytes of a file a second are read; at least 1.
    pub bytes_per_second: u64,
    /// How many uploads are left; at least 1.
    pub left: u32,
}

/// One door fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DoorState {
    /// Its number in its world, from 1.
    pub id: Number,
    /// What it does.
    #[serde(serialize_with = "as_line")]
    pub text: DoorFault,
    /// How often it has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hits: u32,
}

fn as_line<S: Serializer>(fault: &DoorFault, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(fault)
}

/// What happens to the answer of a user's next message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are whose, and the status and words of the refusal")]
pub enum AnswerFaultState {
    /// None comes.
    Drop { user: String },
    /// None comes, and the link goes.
    Cut { user: String },
    /// It is a refusal.
    Refuse { user: String, code: i32, reason: String },
}

/// What happens to a user's next login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are whose, and the status and words of the refusal")]
pub enum LoginFaultState {
    /// No answer comes.
    Drop { user: String },
    /// It is refused.
    Refuse { user: String, code: i32, reason: String },
}

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HttpFaultState {
    /// Part of its path.
    pub path: String,
    /// Whose token it carries, where that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    #[serde(default, skip_serializing_if = "is_default")]
    pub body: String,
}

pub(super) fn save(server: &Server, names: &Names<'_>) -> FaultsState {
    let faults = &server.faults;
    let answers = faults.answers.iter().map(|(user, fault)| {
        let user = names.user(*user);
        match fault {
            AnswerFault::Drop => AnswerFaultState::Drop { user },
            AnswerFault::Cut => AnswerFaultState::Cut { user },
            AnswerFault::Status { code, reason } => {
                AnswerFaultState::Refuse { user, code: *code, reason: reason.clone() }
            }
        }
    });
    let logins = faults.logins.iter().map(|(user, fault)| {
        let user = names.user(*user);
        match fault {
            LoginFault::Drop => LoginFaultState::Drop { user },
            LoginFault::Refuse { code, reason } => {
                LoginFaultState::Refuse { user, code: *code, reason: reason.clone() }
            }
        }
    });
    let slow = faults.slow_uploads.iter().map(|(user, bytes_per_second, left)| SlowUploadsState {
        user: names.user(*user),
        bytes_per_second: *bytes_per_second,
        left: *left,
    });
    let requests = faults.requests.iter().map(|fault| HttpFaultState {
        path: fault.path.clone(),
        user: fault.user.map(|user| names.user(user)),
        status: fault.status,
        // It came as text.
        body: String::from_utf8_lossy(&fault.body).into_owned(),
    });
    FaultsState {
        answers: answers.collect(),
        uploads: names.users(&faults.uploads),
        slow_uploads: slow.collect(),
        logins: logins.collect(),
        requests: requests.collect(),
        rules: rules::save(server),
        rules_ever: Number(server.rules.armed_ever),
        doors: Vec::new(),
        doors_ever: Number(0),
    }
}

pub(super) fn load(server: &mut Server, state: &FaultsState, at: &At<'_>) -> Result<(), StateFault> {
    for (index, fault) in state.answers.iter().enumerate() {
        let at = at.field("answers");
        let (user, fault) = match fault {
            AnswerFaultState::Drop { user } => (user, AnswerFault::Drop),
            AnswerFaultState::Cut { user } => (user, AnswerFault::Cut),
            AnswerFaultState::Refuse { user, code, reason } => {
                (user, AnswerFault::Status { code: *code, reason: reason.clone() })
            }
        };
        let user = load_one(server, user, &at.index(index))?;
        server.faults.arm(user, fault).map_err(|full| too_many(&at, full))?;
    }
    for (index, user) in state.uploads.iter().enumerate() {
        let at = at.field("uploads");
        let user = load_one(server, user, &at.index(index))?;
        server.faults.arm_upload(user).map_err(|full| too_many(&at, full))?;
    }
    for (index, slow) in state.slow_uploads.iter().enumerate() {
        let at = at.field("slow_uploads");
        let at = at.index(index);
        let user = load_one(server, &slow.user, &at.field("user"))?;
        for (name, value) in [("bytes_per_second", slow.bytes_per_second), ("left", slow.left.into())] {
            if value == 0 {
                return Err(at.field(name).fault("at least 1 is expected"));
            }
        }
        let armed = server.faults.arm_slow_uploads(user, slow.bytes_per_second, slow.left);
        armed.map_err(|full| too_many(&at, full))?;
    }
    for (index, fault) in state.logins.iter().enumerate() {
        let at = at.field("logins");
        let (user, fault) = match fault {
            LoginFaultState::Drop { user } => (user, LoginFault::Drop),
            LoginFaultState::Refuse { user, code, reason } => {
                (user, LoginFault::Refuse { code: *code, reason: reason.clone() })
            }
        };
        let user = load_one(server, user, &at.index(index))?;
        server.faults.arm_login(user, fault).map_err(|full| too_many(&at, full))?;
    }
    for (index, fault) in state.requests.iter().enumerate() {
        let at = at.field("requests");
        let at = at.index(index);
        if !(200..600).contains(&fault.status) {
            return Err(at.field("status").fault(format!("{} is no HTTP status: 200 to 599", fault.status)));
        }
        let user = fault.user.as_deref().map(|user| load_one(server, user, &at.field("user"))).transpose()?;
        let (path, body) = (fault.path.clone(), fault.body.clone().into());
        let armed = server.faults.arm_request(HttpFault { path, user, status: fault.status, body });
        armed.map_err(|full| too_many(&at, full))?;
    }
    rules::load(server, state, at)
}

fn too_many(at: &At<'_>, Full: Full) -> StateFault {
    at.fault(format!("at most {ARMED_MAX} faults of a kind wait"))
}
