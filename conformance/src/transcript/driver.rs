//! The lines between harness and client, and what the harness does to the world, as a transcript shows JSON: ids,
//! tokens and groups by the names that the frames have given them.

use serde_json::Value as Json;

use super::layout::Node;
use super::{Writer, shortened};

impl Writer {
    /// A word and the members of an object behind it, `sent handle:"m1" id:<id 1>`; any other value as it is.
    pub(crate) fn said(&mut self, word: &str, value: &Json) -> String {
        let text = match value {
            Json::Object(members) => {
                let children = members.iter().map(|(name, value)| self.member(name, name, value)).collect();
                self.laid_out(Node { label: word.to_owned(), children })
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                format!("{word} {}", shortened(&value.to_string()))
            }
        };
        self.aliases.tokens_in(&text)
    }
}
