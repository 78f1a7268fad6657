//! What clients showed of an error, told by version: the SDK in Node and in a page is one SDK until they differ.
//!
//! It puts words together and makes none up: each comes from a run.

use std::collections::BTreeMap;

use serde::Serialize;

/// By version, such as `3.6.3`, what was shown; `core` is the reference client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Shows(pub BTreeMap<String, String>);

/// Where an SDK runs, by the beginning of its client's name; its words are the version's own where it stands first.
const PLACES: [(&str, &str); 2] = [("node-", ""), ("chromium-", " in a page")];

impl Shows {
    /// Whether a client of `conformance/clients` is one that the catalog tells of: the vendor's SDKs, and the reference.
    pub fn tells_of(client: &str) -> bool {
        client == "core" || PLACES.iter().any(|(place, _)| client.starts_with(place))
    }

    /// `seen` is by the names of clients, such as `node-3.6.3`.
    pub(super) fn of(seen: Option<&BTreeMap<String, String>>) -> Self {
        let mut shows = BTreeMap::new();
        for (client, shown) in seen.into_iter().flatten() {
            let sdk = PLACES.iter().find_map(|(place, label)| Some((client.strip_prefix(place)?, *label)));
            let Some((version, label)) = sdk else {
                shows.insert(client.clone(), shown.clone());
                continue;
            };
            let in_node = seen.and_then(|seen| seen.get(&format!("node-{version}")));
            let as_in_node = !label.is_empty() && in_node == Some(shown);
            if !as_in_node {
                shows.insert(format!("{version}{label}"), shown.clone());
            }
        }
        Self(shows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_and_a_page_are_told_apart_where_they_differ() {
        let seen = [
            ("core", "failed 504"),
            ("node-3.6.3", "failed 504"),
            ("chromium-3.6.3", "failed 504"),
            ("node-4.21.1", "failed 504"),
            ("chromium-4.21.1", "nothing"),
        ];
        let seen = seen.map(|(client, shown)| (client.to_owned(), shown.to_owned())).into();
        let Shows(shows) = Shows::of(Some(&seen));
        let told: Vec<(&str, &str)> = shows.iter().map(|(who, what)| (&**who, &**what)).collect();
        let expected = [
            ("3.6.3", "failed 504"),
            ("4.21.1", "failed 504"),
            ("4.21.1 in a page", "nothing"),
            ("core", "failed 504"),
        ];
        assert_eq!(told, expected);
    }
}
