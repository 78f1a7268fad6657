//! Whether a recall goes where its message went, and a channel receipt of a group to the group: the domain is all that
//! tells a group or a room from a user (wire-3x §4.1), and a service that looks there finds nothing otherwise.
//!
//! Only of messages and groups that this tape shows. Whose a message is, the server judges. The receipt of a room is
//! left alone: 3.x sends it to the users' domain.

use std::collections::{BTreeMap, BTreeSet};

use mock_server::machine::ConnId;
use mock_server::tape::Direction;

use super::Finding;
use crate::dissect::{Field, Tree, Value};
use crate::lane::Lane;

const USERS: &str = "easemob.com";
const CONFERENCE: &str = "conference.easemob.com";

/// Where messages of a type go, and the clause about their recall; `None` for what is no message.
fn home(kind: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        "CHAT" => Some((USERS, "recall.single")),
        "GROUPCHAT" => Some((CONFERENCE, "recall.group")),
        "CHATROOM" => Some((CONFERENCE, "recall.room")),
        _ => None,
    }
}

/// Every recall that names another domain than its message's, and every channel receipt that names a group as a user.
pub(super) fn misdirected(lanes: &[Lane<'_>]) -> Vec<Finding> {
    let (homes, groups) = (homes(lanes), groups(lanes));
    let mut found = Vec::new();
    for lane in lanes {
        for tree in lane.frames(Direction::Up) {
            let Some(meta) = sent(&tree) else { continue };
            let (Some(body), Some(to)) = (meta.tree("payload"), meta.tree("to")) else { continue };
            let (domain, clause, whose) = match kind_of(body).as_str() {
                "RECALL" => match body.number("ackMessageId").and_then(|id| homes.get(&id)) {
                    Some(&(domain, clause)) => (domain, clause, "its message"),
                    None => continue,
                },
                "CHANNEL_ACK" if to.text("name").is_some_and(|name| groups.contains(name)) => {
                    (CONFERENCE, "receipt.channel.group", "its group")
                }
                _ => continue,
            };
            let got = to.text("domain").unwrap_or_default();
            if got != domain {
                let text = format!("payload.meta.to.domain: expected {domain}, as of {whose}, got {got:?}");
                found.push(Finding { clause: clause.to_owned(), user: lane.user.clone(), text });
            }
        }
    }
    found
}

/// The ids of the groups that messages were written to.
fn groups(lanes: &[Lane<'_>]) -> BTreeSet<String> {
    let frames = lanes.iter().flat_map(|lane| lane.frames(Direction::Up));
    frames
        .filter_map(|tree| {
            let meta = sent(&tree)?;
            meta.tree("payload").filter(|body| kind_of(body) == "GROUPCHAT")?;
            Some(meta.tree("to")?.text("name")?.to_string())
        })
        .collect()
}

/// The home of each message that was sent and answered, or came.
fn homes(lanes: &[Lane<'_>]) -> BTreeMap<u64, (&'static str, &'static str)> {
    let mut homes = BTreeMap::new();
    let mut unanswered: BTreeMap<(ConnId, u64), (&'static str, &'static str)> = BTreeMap::new();
    for lane in lanes {
        for tree in lane.frames(Direction::Up) {
            let Some(meta) = sent(&tree) else { continue };
            let home = meta.tree("payload").and_then(|body| home(&kind_of(body)));
            if let (Some(local), Some(home)) = (meta.number("id"), home) {
                unanswered.insert((lane.conn, local), home);
            }
        }
        for tree in lane.frames(Direction::Down) {
            let Some(page) = tree.tree("payload").filter(|payload| payload.name == "CommSyncDL") else {
                continue;
            };
            if let (Some(local), Some(id)) = (page.number("metaId"), page.number("serverId"))
                && let Some(home) = unanswered.get(&(lane.conn, local))
            {
                homes.insert(id, *home);
            }
            for field in page.all("metas") {
                let Value::Tree(meta) = &field.value else { continue };
                let home = meta.tree("payload").and_then(|body| home(&kind_of(body)));
                if let (Some(id), Some(home)) = (meta.number("id"), home) {
                    homes.insert(id, home);
                }
            }
        }
    }
    homes
}

fn sent<'t, 'a>(tree: &'t Tree<'a>) -> Option<&'t Tree<'a>> {
    tree.tree("payload").filter(|payload| payload.name == "CommSyncUL")?.tree("meta")
}

fn kind_of(body: &Tree<'_>) -> String {
    body.field("type").map(Field::word).unwrap_or_default().into_owned()
}
