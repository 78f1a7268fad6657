//! Emojis in texts: keys such as `[):]` that stand for images (clause send.emoji). A text is taken apart, never
//! changed; what is not a key stays as it is.

use std::collections::BTreeMap;

use crate::error::CommandError;

/// Which keys stand for which images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmojiTable {
    /// By the first byte of the key; longer keys come first.
    keys: BTreeMap<u8, Vec<(String, String)>>,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmojiPart {
    /// Words between emojis.
    Text(String),
    /// An emoji: the path of its image.
    Emoji(String),
}

impl EmojiTable {
    /// A table of keys and file names below `path`, which is put before each name as it is. An empty key is
    /// refused; of a key that comes twice the last counts.
    pub fn new(path: &str, map: impl IntoIterator<Item = (String, String)>) -> Result<Self, CommandError> {
        let map: BTreeMap<String, String> = map.into_iter().collect();
        let mut keys: BTreeMap<u8, Vec<(String, String)>> = BTreeMap::new();
        for (key, file) in map {
            let first = *key.as_bytes().first().ok_or(CommandError::EmptyEmojiKey)?;
            keys.entry(first).or_default().push((key, format!("{path}{file}")));
        }
        for alike in keys.values_mut() {
            alike.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
        }
        Ok(Self { keys })
    }

    /// The pieces of a text in their order, or `None` when there is no key in it. At each place the longest key
    /// counts.
    pub(crate) fn take_apart(&self, text: &str) -> Option<Vec<EmojiPart>> {
        let mut parts = Vec::new();
        let (mut from, mut place) = (0, 0);
        while let Some(first) = text.as_bytes().get(place) {
            let alike = self.keys.get(first).map_or(&[][..], Vec::as_slice);
            // Keys are whole characters, so a key that is found begins and ends between two.
            let found = alike.iter().find(|(key, _)| text.as_bytes()[place..].starts_with(key.as_bytes()));
            let Some((key, image)) = found else {
                place += 1;
                continue;
            };
            if from < place {
                parts.push(EmojiPart::Text(text[from..place].to_owned()));
            }
            parts.push(EmojiPart::Emoji(image.clone()));
            place += key.len();
            from = place;
        }
        if parts.is_empty() {
            return None;
        }
        if from < text.len() {
            parts.push(EmojiPart::Text(text[from..].to_owned()));
        }
        Some(parts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn table() -> EmojiTable {
        let map = [("[):]", "smile"), ("[):]]", "grin"), (":)", "short"), ("爱", "heart"), ("😀", "face")];
        EmojiTable::new("faces/", map.map(|(key, file)| (key.to_owned(), format!("{file}.png"))))
            .expect("no empty key")
    }

    fn shown(text: &str) -> Option<Vec<String>> {
        let parts = table().take_apart(text)?;
        let spell = |part| match part {
            EmojiPart::Text(text) => text,
            EmojiPart::Emoji(image) => format!("<{image}>"),
        };
        Some(parts.into_iter().map(spell).collect())
    }

    #[rstest]
    #[case::none("hello [smile]", None)]
    #[case::empty("", None)]
    #[case::alone("[):]", Some(vec!["<faces/smile.png>"]))]
    #[case::longest_first("[):]]", Some(vec!["<faces/grin.png>"]))]
    #[case::between("a[):]b", Some(vec!["a", "<faces/smile.png>", "b"]))]
    #[case::adjacent("[):][):]", Some(vec!["<faces/smile.png>", "<faces/smile.png>"]))]
    #[case::unknown_beside("[-_-][):][-_-]", Some(vec!["[-_-]", "<faces/smile.png>", "[-_-]"]))]
    #[case::cut("[):", None)]
    #[case::wide("我爱😀你", Some(vec!["我", "<faces/heart.png>", "<faces/face.png>", "你"]))]
    fn keys_become_images(#[case] text: &str, #[case] parts: Option<Vec<&str>>) {
        let parts = parts.map(|parts| parts.into_iter().map(str::to_owned).collect());
        assert_eq!(shown(text), parts);
    }

    #[test]
    fn an_empty_key_is_refused() {
        let map = [(String::new(), "x.png".to_owned())];
        assert_eq!(EmojiTable::new("faces/", map), Err(CommandError::EmptyEmojiKey));
    }

    proptest! {
        /// With each image standing for its key again, the parts are the text.
        #[test]
        fn nothing_of_a_text_is_lost(text in "[\\[\\]():a爱😀]{0,24}") {
            let table = EmojiTable::new("", ["[):]", ":)", "[", "爱", "😀😀"].map(|key| (key.to_owned(), key.to_owned())))
                .expect("no empty key");
            let parts = table.take_apart(&text).unwrap_or_else(|| vec![EmojiPart::Text(text.clone())]);
            let joined: String = parts
                .iter()
                .map(|part| match part { EmojiPart::Text(piece) | EmojiPart::Emoji(piece) => piece.as_str() })
                .collect();
            prop_assert_eq!(joined, text);
        }
    }
}
