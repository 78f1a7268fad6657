//! The files that a scenario's uploads read: the media of `fixtures/media`, and files of a given size that are made
//! for it. They lie in a folder of their own that goes with the scenario.
//!
//! A file is written when a step first needs its path. What it holds is known without reading it again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use fixtures::media::MEDIA;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// The largest file that is made: six times the default limit of an attachment (rest.md B.8: 10 MB).
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// How an expected value says that it is one of a file, as `"sha256": "file:photo.png"`.
const OF_FILE: &str = "file:";
/// The fields of events that may be written so.
const FIELDS_OF_FILES: [&str; 3] = ["sha256", "bytes", "file_length"];
/// What a made file repeats: as long as a prime, so that a piece that is lost or twice there moves all that follows.
const PERIOD: u64 = 251;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Media(&'static [u8]),
    /// So many bytes, 0 to 250 again and again.
    Made(u64),
}

/// The files of one scenario.
#[derive(Debug, Default)]
pub struct Files {
    /// The sizes of those that are made, by name.
    made: BTreeMap<String, u64>,
    folder: Option<TempDir>,
    /// Where the written ones lie.
    paths: BTreeMap<String, String>,
}

impl Files {
    /// The media files, and files of these sizes in bytes.
    pub fn new(made: BTreeMap<String, u64>) -> Self {
        Self { made, folder: None, paths: BTreeMap::new() }
    }

    /// What is wrong with the files to be made, and with which.
    pub fn check(made: &BTreeMap<String, u64>) -> Result<(), (String, String)> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        for (name, bytes) in made {
            let wrong = if MEDIA.iter().any(|file| file.name == name) {
                format!("given.files: {name:?} is a file of fixtures/media already")
            } else if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
                format!(
                    "given.files: {name:?} is no plain file name of ASCII letters, digits, `.`, `-` and `_`"
                )
            } else if *bytes > FILE_BYTES_MAX {
                format!("given.files: {name:?} has {bytes} bytes; at most {FILE_BYTES_MAX}")
            } else {
                continue;
            };
            return Err((name.clone(), wrong));
        }
        Ok(())
    }

    /// Refuses a name that stands for no file, with those that do.
    pub fn known(&self, name: &str) -> Result<(), String> {
        self.source(name).map(|_| ())
    }

    /// The absolute path of a file, which is written now if it was not yet.
    pub fn path(&mut self, name: &str) -> Result<String, String> {
        let source = self.source(name)?;
        if let Some(path) = self.paths.get(name) {
            return Ok(path.clone());
        }
        let failed = |error: io::Error| format!("the file {name:?} could not be written: {error}");
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => TempDir::with_prefix("conformance-").map_err(failed)?,
        };
        let path = folder.path().join(name);
        self.folder = Some(folder);
        source.write_to(&path).map_err(failed)?;
        let text = path.to_str().ok_or_else(|| {
            format!("the folder for temporary files has a name that JSON cannot hold: {}", path.display())
        })?;
        self.paths.insert(name.to_owned(), text.to_owned());
        Ok(text.to_owned())
    }

    /// What `field` must be where it is expected to be that of a file; `None`: it is not written so.
    pub fn expected(&self, field: &str, value: &str) -> Option<Result<serde_json::Value, String>> {
        let name = value.strip_prefix(OF_FILE).filter(|_| FIELDS_OF_FILES.contains(&field))?;
        Some(self.source(name).map(|source| match field {
            "sha256" => source.sha256().into(),
            _ => source.length().into(),
        }))
    }

    fn source(&self, name: &str) -> Result<Source, String> {
        let media = || MEDIA.iter().find(|file| file.name == name).map(|file| Source::Media(file.bytes));
        self.made.get(name).map(|bytes| Source::Made(*bytes)).or_else(media).ok_or_else(|| {
            let names: Vec<&str> =
                MEDIA.iter().map(|file| file.name).chain(self.made.keys().map(String::as_str)).collect();
            format!("no file {name:?} in fixtures/media or given.files; there are {}", names.join(", "))
        })
    }
}

impl Source {
    fn length(self) -> u64 {
        match self {
            Self::Media(bytes) => bytes.len() as u64,
            Self::Made(bytes) => bytes,
        }
    }

    fn sha256(self) -> String {
        struct Hashing(Sha256);
        impl Write for Hashing {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.update(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut hashing = Hashing(Sha256::new());
        self.copy_to(&mut hashing).expect("a hash takes every write");
        crate::dissect::hex(&hashing.0.finalize())
    }

    fn write_to(self, path: &std::path::Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create_new(path)?);
        self.copy_to(&mut file)?;
        file.flush()
    }

    fn copy_to(self, to: &mut impl Write) -> io::Result<()> {
        let bytes = match self {
            Self::Media(bytes) => return to.write_all(bytes),
            Self::Made(bytes) => bytes,
        };
        let piece: Vec<u8> = (0..=u8::MAX).filter(|byte| u64::from(*byte) < PERIOD).collect();
        let mut left = bytes;
        while left > 0 {
            let take = left.min(PERIOD);
            to.write_all(&piece[..usize::try_from(take).expect("a piece is short")])?;
            left -= take;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn files() -> Files {
        Files::new(BTreeMap::from([("abc.bin".to_owned(), 600), ("empty.bin".to_owned(), 0)]))
    }

    #[test]
    fn a_file_lies_where_its_path_says_until_the_scenario_ends() {
        let mut files = files();
        let path = files.path("abc.bin").expect("a path");
        assert!(std::path::Path::new(&path).is_absolute(), "{path}");
        let bytes = std::fs::read(&path).expect("the file");
        assert_eq!(bytes.len(), 600);
        assert!(bytes.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at % 251));
        // Asked again, it is the same.
        assert_eq!(files.path("abc.bin").as_deref(), Ok(&*path));
        let photo = files.path("photo.png").expect("a path");
        let media = MEDIA.iter().find(|file| file.name == "photo.png").expect("a photo");
        assert_eq!(std::fs::read(&photo).expect("the photo"), media.bytes);
        drop(files);
        assert!(!std::path::Path::new(&path).exists());
        assert!(!std::path::Path::new(&photo).exists());
    }

    #[rstest]
    #[case("bytes", "file:abc.bin", json!(600))]
    #[case("file_length", "file:notes.txt", json!(90))]
    // The digest of nothing, as FIPS 180-4's examples have it.
    #[case("sha256", "file:empty.bin", json!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))]
    #[case("sha256", "file:photo.jpg", json!("fda980cce4006d457db6acdff57bf8b3a0308f9ba1960befb8f220a0e6fd05d7"))]
    fn a_value_of_a_file_is_known(#[case] field: &str, #[case] text: &str, #[case] value: serde_json::Value) {
        assert_eq!(files().expected(field, text), Some(Ok(value)));
    }

    #[test]
    fn only_values_that_a_file_has_are_of_a_file() {
        assert_eq!(files().expected("data", "file:photo.png"), None);
        assert_eq!(files().expected("sha256", "$photo"), None);
        let wrong =
            files().expected("sha256", "file:phto.png").expect("of a file").expect_err("no such file");
        assert!(
            wrong.starts_with("no file \"phto.png\" in fixtures/media or given.files; there are photo.png,")
        );
        assert!(wrong.ends_with("abc.bin, empty.bin"), "{wrong}");
    }

    #[rstest]
    #[case("photo.png", 1, "is a file of fixtures/media already")]
    #[case("../up.bin", 1, "is no plain file name")]
    #[case(".hidden", 1, "is no plain file name")]
    #[case("big.bin", FILE_BYTES_MAX + 1, "has 67108865 bytes; at most 67108864")]
    fn a_file_that_cannot_be_made_is_told(#[case] name: &str, #[case] bytes: u64, #[case] said: &str) {
        let (needle, message) =
            Files::check(&BTreeMap::from([(name.to_owned(), bytes)])).expect_err("no file");
        assert_eq!(needle, name);
        assert!(message.contains(said), "{message}");
    }
}
