//! Whether a client acknowledges deliveries as clause receipt.delivered has it: of single messages that came to it,
//! of nobody's but others', and each once.
//!
//! Only delivery receipts: clients send them by themselves. Which message a read receipt or a recall is about, somebody
//! told the client, rightly or not.

use std::collections::{BTreeMap, BTreeSet};

use mock_server::tape::Direction;

use super::Finding;
use crate::dissect::{Field, Value};
use crate::lane::Lane;

const CLAUSE: &str = "receipt.delivered";
const FIELD: &str = "payload.meta.payload.ackMessageId";

/// A message that came to a user.
struct Came {
    /// CHAT, GROUPCHAT, ….
    kind: String,
    from: String,
}

/// Every delivery receipt that should not have been sent.
pub(super) fn undue(lanes: &[Lane<'_>]) -> Vec<Finding> {
    // By user, not by connection: a receipt may go out after the link was taken up again.
    let mut came: BTreeMap<(&str, u64), Came> = BTreeMap::new();
    for lane in lanes {
        for tree in lane.frames(Direction::Down) {
            let Some(page) = tree.tree("payload").filter(|payload| payload.name == "CommSyncDL") else {
                continue;
            };
            for field in page.all("metas") {
                let Value::Tree(meta) = &field.value else { continue };
                let (Some(id), Some(body)) = (meta.number("id"), meta.tree("payload")) else { continue };
                let kind = body.field("type").map(Field::word).unwrap_or_default().into_owned();
                let from = meta.tree("from").and_then(|from| from.text("name")).unwrap_or_default();
                came.insert((&lane.user, id), Came { kind, from: from.to_lowercase() });
            }
        }
    }
    let mut found = Vec::new();
    for lane in lanes {
        // What is sent again because its answer was lost has the local id of the first time.
        let mut acknowledged: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        for tree in lane.frames(Direction::Up) {
            let Some(meta) = tree.tree("payload").and_then(|payload| payload.tree("meta")) else { continue };
            let Some(body) = meta.tree("payload") else { continue };
            if body.field("type").map(Field::word).as_deref() != Some("DELIVER_ACK") {
                continue;
            }
            // That it names one at all is a rule of its own.
            let Some(id) = body.number("ackMessageId") else { continue };
            let wrong = match came.get(&(&*lane.user, id)) {
                None => Some("the id of a message that came".to_owned()),
                Some(Came { kind, .. }) if kind != "CHAT" => {
                    Some(format!("the id of a single message, and this is one of a {kind}"))
                }
                Some(Came { from, .. }) if *from == lane.user => {
                    Some("the id of somebody else's message, and this is one's own".to_owned())
                }
                Some(_) => None,
            };
            let times = acknowledged.entry(id).or_default();
            times.extend(meta.number("id"));
            let wrong = wrong.or_else(|| {
                (times.len() > 1).then(|| "one receipt for each message, and this is another".to_owned())
            });
            if let Some(wrong) = wrong {
                let text = format!("{FIELD}: expected {wrong}, got {id}");
                found.push(Finding { clause: CLAUSE.to_owned(), user: lane.user.clone(), text });
            }
        }
    }
    found
}
