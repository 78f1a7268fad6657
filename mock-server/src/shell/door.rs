//! Which world a socket belongs to, and who says that it is there: its first frame tells.
//!
//! Pure. A REST path names its tenant; a socket names it in the `guid.appKey` of its first PROVISION, and
//! everything behind that is the world's business.

use bytes::Bytes;
use fixtures::wire::{AUTH_PREFIX, CommSyncDl, Frame, MSync, Provision, Status, m_sync, status};
use prost::Message as _;

use crate::machine::{AppKey, excerpt};

/// What the first frame of a socket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    /// The world.
    pub(super) app_key: AppKey,
    /// Who wants to log in there, as typed; whether it may is the world's business.
    pub(super) user: String,
    /// The access token that it brings.
    pub(super) token: String,
}

/// A socket that no world wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turned {
    /// What it is told before it is closed.
    pub(super) answer: Bytes,
    /// Why, for the log.
    pub(super) why: String,
}

/// Reads the first frame of a socket.
pub(super) fn hello(first: Bytes) -> Result<Hello, Turned> {
    use status::ErrorCode;
    let msync = match Frame::decode(first) {
        Ok(frame) => frame.msync,
        Err(error) => {
            return Err(turned(m_sync::Command::Sync, ErrorCode::PbParserError, "not an MSync frame", error));
        }
    };
    let command = msync.command.unwrap_or_default();
    if command != m_sync::Command::Provision as i32 {
        let why = format!("the first frame has command {command}, not PROVISION (3)");
        return Err(turned(m_sync::Command::Sync, ErrorCode::Unauthorized, "not logged in", why));
    }
    let text = msync.guid.as_ref().and_then(|guid| guid.app_key.as_deref()).unwrap_or_default();
    let Some(app_key) = AppKey::parse(text) else {
        let why = format!("guid.appKey is {:?}, not org#app", excerpt(text));
        let reason = "guid.appKey is not org#app";
        return Err(turned(m_sync::Command::Provision, ErrorCode::WrongParameter, reason, why));
    };
    let user = msync.guid.and_then(|guid| guid.name).unwrap_or_default();
    let auth = msync.auth.unwrap_or_default();
    let token = auth.strip_prefix(AUTH_PREFIX).unwrap_or(&auth).to_owned();
    Ok(Hello { app_key, user, token })
}

fn turned(command: m_sync::Command, code: status::ErrorCode, reason: &str, why: impl ToString) -> Turned {
    let status = Some(Status {
        error_code: Some(code as i32),
        reason: Some(reason.into()),
        redirect_info: Vec::new(),
    });
    let payload = if command == m_sync::Command::Provision {
        Provision { status, ..Provision::default() }.encode_to_vec()
    } else {
        CommSyncDl { status, ..CommSyncDl::default() }.encode_to_vec()
    };
    let answer = MSync {
        version: Some(0),
        command: Some(command as i32),
        payload: Some(payload.into()),
        ..MSync::default()
    };
    Turned { answer: answer.encode_to_vec().into(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use fixtures::wire::Jid;
    use rstest::rstest;

    use super::*;

    fn frame(command: i32, app_key: Option<&str>) -> Bytes {
        let guid = app_key.map(|app_key| Jid { app_key: Some(app_key.into()), ..Jid::default() });
        MSync { command: Some(command), guid, ..MSync::default() }.encode_to_vec().into()
    }

    #[rstest]
    #[case::provision(frame(3, Some("org#app")), Ok("org#app"))]
    #[case::no_guid(frame(3, None), Err("guid.appKey is \"\""))]
    #[case::no_hash(frame(3, Some("orgapp")), Err("guid.appKey is \"orgapp\""))]
    #[case::endless(frame(3, Some(&"ö".repeat(100_000))), Err("öööö…\", not org#app"))]
    #[case::path_in_key(frame(3, Some("org#../x")), Err("guid.appKey is"))]
    #[case::sync_first(frame(0, Some("org#app")), Err("command 0, not PROVISION"))]
    #[case::rubbish(Bytes::from_static(b"\xff\xff\xff"), Err("not an MSync frame"))]
    fn the_first_frame_names_the_world(#[case] first: Bytes, #[case] expected: Result<&str, &str>) {
        match (hello(first), expected) {
            (Ok(hello), Ok(expected)) => assert_eq!(hello.app_key.to_string(), expected),
            (Err(turned), Err(expected)) => {
                assert!(turned.why.contains(expected), "{}", turned.why);
                assert!(turned.why.chars().count() < 400);
                assert!(Frame::decode(turned.answer).is_ok(), "a client can read why");
            }
            (got, expected) => panic!("expected {expected:?}, got {got:?}"),
        }
    }

    #[test]
    fn the_first_frame_says_who_comes_and_with_what() {
        let guid = Jid { app_key: Some("org#app".into()), name: Some("alice--504".into()), ..Jid::default() };
        let auth = Some("$t$a-token--56".into());
        let msync = MSync { command: Some(3), guid: Some(guid), auth, ..MSync::default() };
        let hello = hello(msync.encode_to_vec().into()).expect("a login");
        assert_eq!((&*hello.user, &*hello.token), ("alice--504", "a-token--56"));
    }
}
