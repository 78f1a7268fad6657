//! What the tape adds to what a client showed: whether it ever reached its world, and when its messages were
//! sent. It reads frames and never asks the server what it thinks of them.

use std::collections::BTreeMap;

use mock_server::tape::{Direction, Event as Taped, Row};
use serde_json::Value;

use crate::dissect::{Tree, Value as Held, dissect};
use crate::driver::{Device, Event, EventKind};
use crate::lane::{connections, requests};
use crate::matching::same;

/// Why a login that did not open may never have been heard of; `None` when frames of the device are there.
/// `name` is the user's as the client was given it.
pub(super) fn never_reached(tape: &[Row], app_key: &str, device: &Device, name: &str) -> Option<String> {
    if tape.is_empty() {
        return Some(format!(
            "no socket and no request of {device} reached the world {app_key}: did it use create's app_key?"
        ));
    }
    let name = name.to_lowercase();
    let of_user: Vec<_> = connections(tape).into_iter().filter(|lane| lane.user == name).collect();
    // A refused login names its device nowhere but in its first frame, which may lack it: it counts for each.
    if of_user.iter().any(|lane| lane.resource.is_empty() || lane.is_of(device)) {
        return None;
    }
    let asked = requests(tape).iter().any(|lane| lane.user == name);
    let but = if asked { "; its HTTP requests did" } else { "" };
    Some(format!("no frame of {device} reached its world{but}"))
}

/// A message that a device showed, and what it showed as its time.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// The step that took it.
    pub(super) place: (usize, usize),
    device: Device,
    kind: EventKind,
    id: Option<u64>,
    time: Option<Value>,
}

impl Shown {
    /// `None` for events that are no messages.
    pub(super) fn of(place: (usize, usize), device: &Device, event: &Event) -> Option<Self> {
        if !event.kind.fields().contains(&"time") {
            return None;
        }
        let id = event.fields.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let time = event.fields.get("time").cloned();
        Some(Self { place, device: device.clone(), kind: event.kind, id, time })
    }
}

/// The first message whose `time` is not the one that came down with it, and what is wrong about it. `name` tells
/// how a device's user was given to the client.
pub(super) fn wrong_time<'s>(
    tape: &[Row],
    shown: &'s [Shown],
    name: impl Fn(&Device) -> String,
) -> Option<(&'s Shown, String)> {
    if shown.is_empty() {
        return None;
    }
    let stamps = timestamps(tape);
    shown.iter().find_map(|one| {
        let Shown { device, kind, id, time, .. } = one;
        let stamp = id.and_then(|id| stamps.get(&(name(device).to_lowercase(), id)));
        let (expected, got) = match (time, stamp) {
            (Some(time), Some(stamp)) if same(time, &Value::from(*stamp)) => return None,
            // Nothing came down under that id: whether the id is right is for the steps.
            (Some(time), None) if time.is_u64() => return None,
            (time, stamp) => {
                let got = time.as_ref().map_or_else(|| "nothing: the field is missing".to_owned(), Value::to_string);
                match stamp {
                    Some(stamp) => (format!("{stamp}, the timestamp of its Meta"), got),
                    None => ("an integer of ms".to_owned(), got),
                }
            }
        };
        let id = id.map_or_else(String::new, |id| format!(" {id}"));
        let text = format!(
            "{device} showed {}{id} with another time than it came with\n  time: expected {expected}, got {got}",
            kind.as_str()
        );
        Some((one, text))
    })
}

/// The timestamp of each Meta that went down, by the user it went to and its id.
fn timestamps(tape: &[Row]) -> BTreeMap<(String, u64), u64> {
    let mut users = BTreeMap::new();
    let mut stamps = BTreeMap::new();
    for Row { event, .. } in tape {
        match event {
            Taped::LoggedIn { conn, user, .. } => {
                users.insert(*conn, user.as_str());
            }
            Taped::Frame { conn, direction: Direction::Down, bytes } => {
                let Some(user) = users.get(conn) else { continue };
                let Ok(frame) = dissect(bytes, Direction::Down) else { continue };
                for (id, stamp) in metas(&frame) {
                    stamps.insert(((*user).to_owned(), id), stamp);
                }
            }
            Taped::Opened { .. }
            | Taped::Frame { direction: Direction::Up, .. }
            | Taped::Muted { .. }
            | Taped::Fault { .. }
            | Taped::AtDoor { .. }
            | Taped::Closed { .. }
            | Taped::Http { .. } => {}
        }
    }
    stamps
}

fn metas(frame: &Tree<'_>) -> Vec<(u64, u64)> {
    let Some(page) = frame.tree("payload").filter(|payload| payload.name == "CommSyncDL") else {
        return Vec::new();
    };
    let trees = page.all("metas").filter_map(|field| match &field.value {
        Held::Tree(meta) => Some(meta),
        Held::Varint(_)
        | Held::Fixed64(_)
        | Held::Fixed32(_)
        | Held::Text(_)
        | Held::Bytes(_)
        | Held::Packed(_)
        | Held::Broken { .. } => None,
    });
    trees.filter_map(|meta| Some((meta.number("id")?, meta.number("timestamp")?))).collect()
}

#[cfg(test)]
mod tests {
    use mock_server::machine::{ConnId, Millis};
    use mock_server::tape::Door;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn row(event: Taped) -> Row {
        Row { at: Millis(0), event }
    }

    fn logged_in(user: &str, resource: &str) -> Vec<Row> {
        let conn = ConnId(1);
        vec![
            row(Taped::Opened { conn, door: Door::WebSocket }),
            row(Taped::LoggedIn { conn, user: user.to_owned(), resource: resource.to_owned() }),
        ]
    }

    #[rstest]
    #[case::at_its_time(json!({"id": "7", "time": 5}), "")]
    #[case::as_a_float(json!({"id": "7", "time": 5.0}), "")]
    #[case::at_another(json!({"id": "7", "time": 6}), "alice showed text 7 with another time than it came with\n  time: expected 5, the timestamp of its Meta, got 6")]
    #[case::in_text(json!({"id": "7", "time": "5"}), "time: expected 5, the timestamp of its Meta, got \"5\"")]
    #[case::at_none(json!({"id": "7"}), "time: expected 5, the timestamp of its Meta, got nothing: the field is missing")]
    #[case::that_never_came(json!({"id": "8", "time": 6}), "")]
    #[case::that_never_came_at_no_number(json!({"id": "8", "time": null}), "time: expected an integer of ms, got null")]
    fn a_message_is_shown_at_the_time_it_came_with(#[case] fields: Value, #[case] said: &str) {
        // SYNC{payload{metas{id 7, timestamp 5, ns CHAT}}}
        let page = [0x40, 0, 0x4a, 8, 0x22, 6, 0x08, 7, 0x20, 5, 0x28, 1];
        let mut tape = logged_in("alice", "web");
        let bytes = page.to_vec().into();
        tape.push(row(Taped::Frame { conn: ConnId(1), direction: Direction::Down, bytes }));
        let device: Device = "alice".parse().expect("a device");
        let event = serde_json::from_value(json!({"text": fields})).expect("an event");
        let shown: Vec<Shown> = Shown::of((1, 2), &device, &event).into_iter().collect();
        let wrong = wrong_time(&tape, &shown, |device| device.user.clone());
        let text = wrong.map(|(_, text)| text).unwrap_or_default();
        assert!(if said.is_empty() { text.is_empty() } else { text.ends_with(said) }, "{text}");
    }

    #[rstest]
    #[case::nobody(
        Vec::new(),
        "no socket and no request of alice/phone reached the world org#app: did it use create's app_key?"
    )]
    #[case::somebody_else(logged_in("bob", "phone"), "no frame of alice/phone reached its world")]
    #[case::her_other_device(logged_in("alice", "web"), "no frame of alice/phone reached its world")]
    #[case::herself(logged_in("alice", "webim_phone"), "")]
    #[case::she_was_refused(logged_in("alice", ""), "")]
    fn a_login_that_nobody_heard_of_is_told(#[case] tape: Vec<Row>, #[case] said: &str) {
        let device = "alice/phone".parse().expect("a device");
        assert_eq!(never_reached(&tape, "org#app", &device, "Alice").unwrap_or_default(), said);
    }
}
