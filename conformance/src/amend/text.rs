//! The text of a client's file, changed in some places; every other byte of it stays.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstInputValue, CstObject, CstRootNode};
use serde::Serialize;
use serde_json::Value;

/// A client's file whose text is being changed.
pub(super) struct Text {
    root: CstRootNode,
    object: CstObject,
}

/// The lists of a client's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Failures,
    Findings,
}

impl Text {
    /// Of a file that [`crate::client::Client::load`] has read: its text is JSON, and an object.
    pub(super) fn of(source: &str) -> Self {
        let root = CstRootNode::parse(source, &ParseOptions::default()).expect("serde_json has read it");
        let object = root.object_value().expect("a client's file is an object");
        Self { root, object }
    }

    /// Takes some entries of a list away, by index.
    pub(super) fn remove(&self, list: List, indexes: impl DoubleEndedIterator<Item = usize>) {
        let Some(array) = self.object.array_value(list.name()) else { return };
        let elements = array.elements();
        for index in indexes.rev() {
            elements[index].clone().remove();
        }
    }

    /// Writes other entries in the place of one; where the first has a field already, only its value is changed.
    pub(super) fn replace<E: Serialize>(&self, list: List, index: usize, with: &[E]) {
        let array = self.array(list);
        let element = array.elements()[index].as_object().expect("an entry is an object");
        let Some((first, others)) = with.split_first() else { return };
        let fields = fields_of(first);
        for property in element.properties() {
            let name = property.decoded_name().unwrap_or_default();
            match fields.iter().find(|(field, _)| *field == name) {
                None => property.remove(),
                Some((_, value)) => {
                    if property.value().and_then(|old| old.as_string_lit()?.decoded_value().ok()).as_deref()
                        != value.as_str()
                    {
                        property.set_value(input(value));
                    }
                }
            }
        }
        for (behind, other) in others.iter().enumerate() {
            array.insert(index + behind + 1, entry(other));
        }
    }

    /// Adds entries at the end of a list.
    pub(super) fn append<E: Serialize>(&self, list: List, entries: &[E]) {
        if entries.is_empty() {
            return;
        }
        let array = self.array(list);
        for one in entries {
            array.append(entry(one));
        }
    }

    /// Takes words of `unsupported` away, and adds others.
    pub(super) fn words<'w>(
        &self,
        removed: impl Iterator<Item = &'w String>,
        added: impl Iterator<Item = (&'w String, &'w String)>,
    ) {
        let mut added = added.peekable();
        if let Some(object) = self.object.object_value("unsupported") {
            removed.filter_map(|what| object.get(what)).for_each(jsonc_parser::cst::CstObjectProp::remove);
        }
        if added.peek().is_some() {
            let object = self.object.object_value_or_set("unsupported");
            for (what, reason) in added {
                object.append(what, reason.as_str().into());
            }
        }
    }

    /// Says what of the other client's exceptions does not hold here.
    pub(super) fn but<'w>(&self, names: impl Iterator<Item = &'w String>) {
        let mut names = names.peekable();
        if names.peek().is_some() {
            let like =
                self.object.object_value("like").expect("only what comes from another client is left out");
            let but = like.array_value_or_set("but");
            for name in names {
                but.append(name.as_str().into());
            }
        }
    }

    fn array(&self, list: List) -> CstArray {
        self.object.array_value_or_set(list.name())
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.root.fmt(f)
    }
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Failures => "known_failures",
            Self::Findings => "known_findings",
        }
    }
}

fn entry(of: &impl Serialize) -> CstInputValue {
    CstInputValue::Object(fields_of(of).iter().map(|(name, value)| (name.clone(), input(value))).collect())
}

/// The fields of an entry, in the order of its type; those that are not there are left out.
fn fields_of(entry: &impl Serialize) -> Vec<(String, Value)> {
    // Through the text: a `Value` would sort the fields by their names.
    let text = serde_json::to_string(entry).expect("an entry has only string keys");
    let root = CstRootNode::parse(&text, &ParseOptions::default()).expect("serde_json has written it");
    let properties = root.object_value().expect("an entry is an object").properties();
    let fields = properties.iter().filter_map(|property| {
        let value: Value = serde_json::from_str(&property.value()?.to_string()).ok()?;
        Some((property.decoded_name()?, value))
    });
    fields.filter(|(_, value)| !value.is_null()).collect()
}

/// Every field of an entry is a text.
fn input(value: &Value) -> CstInputValue {
    value.as_str().unwrap_or_default().into()
}
