//! Bundles on disk: written whole or not at all, read with words for whatever is wrong with the file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::error::Category;

use super::{Bundle, FORMAT};

/// The largest bundle: the longest scenario's has some 10 MB, and no build server should be filled by a client that
/// sends without end.
pub const BUNDLE_BYTES_MAX: u64 = 128 << 20;

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file cannot be read.
    #[error("the bundle {path} cannot be read: {error}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// It is something else.
    #[error(
        "{0} is no bundle; `conformance run` writes one beside a failure, and its name ends in .bundle.json"
    )]
    NotABundle(String),
    /// A later harness wrote it.
    #[error(
        "{path} is a bundle of format {format}, and this program knows {FORMAT}: replay it with the conformance that wrote it, or a later one"
    )]
    Newer {
        /// Which.
        path: String,
        /// Its format.
        format: u32,
    },
    /// It was cut off.
    #[error("the bundle {0} ends in the middle: it was not copied whole; fetch it again")]
    Truncated(String),
    /// Something in it was changed.
    #[error("the bundle {path} is damaged: {why}; fetch it again")]
    Damaged {
        /// Which.
        path: String,
        /// What and where.
        why: String,
    },
    /// It is larger than any that is written.
    #[error("{0} is larger than {BUNDLE_BYTES_MAX} bytes, and no bundle is")]
    TooLarge(String),
    /// It cannot be written.
    #[error("the bundle {path} cannot be written: {error}")]
    Unwritable {
        /// Where it was to lie.
        path: String,
        /// Why.
        error: io::Error,
    },
}

impl Bundle {
    /// Writes it to its [`place`](Bundle::place) below a folder, and says where that is. An earlier one there is
    /// replaced as a whole, or stays as it is when this fails.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, BundleError> {
        let path = folder.join(Self::place(&self.client.name, &self.scenario.name));
        match self.write_to(&path) {
            Ok(()) => Ok(path),
            Err(error) => Err(BundleError::Unwritable { path: path.display().to_string(), error }),
        }
    }

    fn write_to(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().expect("a bundle lies in the folder of its client");
        fs::create_dir_all(folder)?;
        // Beside its place, for only within a file system a file is moved at once.
        let mut file = beside(folder)?;
        let mut bounded = Bounded { to: BufWriter::new(file.as_file_mut()), left: BUNDLE_BYTES_MAX };
        serde_json::to_writer(&mut bounded, self)?;
        bounded.write_all(b"\n")?;
        bounded.flush()?;
        drop(bounded);
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let name = path.display().to_string();
        let unreadable = |error| BundleError::Unreadable { path: path.display().to_string(), error };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLarge(name));
        }
        Self::parse(&bytes, name)
    }

    fn parse(bytes: &[u8], path: String) -> Result<Self, BundleError> {
        /// The only field that every format has.
        #[derive(Deserialize)]
        struct Head {
            bundle: u32,
        }
        let why = |error: serde_json::Error, path: String| match error.classify() {
            Category::Eof => BundleError::Truncated(path),
            Category::Syntax | Category::Data | Category::Io => {
                BundleError::Damaged { path, why: error.to_string() }
            }
        };
        let begins = bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).take(9).eq(b"{\"bundle\"");
        match serde_json::from_slice::<Head>(bytes) {
            Ok(Head { bundle: format }) if format > FORMAT => {
                return Err(BundleError::Newer { path, format });
            }
            Ok(_) => {}
            Err(error) if begins => return Err(why(error, path)),
            Err(_) => return Err(BundleError::NotABundle(path)),
        }
        let bundle: Self = serde_json::from_slice(bytes).map_err(|error| why(error, path.clone()))?;
        let rows = bundle.tape.len();
        match bundle.marks.iter().find(|mark| mark.row > rows) {
            None => Ok(bundle),
            Some(mark) => {
                let why = format!("a mark stands at row {}, and its tape has {rows}", mark.row);
                Err(BundleError::Damaged { path, why })
            }
        }
    }
}

/// A file that is no bundle yet. It may be read by whom the umask lets, as any other file that a run leaves: on a build
/// server, somebody else collects them.
fn beside(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let file = &mut tempfile::Builder::new();
    #[cfg(unix)]
    let file = file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    file.tempfile_in(folder)
}

/// Takes so many bytes and no more.
struct Bounded<W> {
    to: W,
    left: u64,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            return Err(io::Error::other(format!("it would be larger than {BUNDLE_BYTES_MAX} bytes")));
        };
        let written = self.to.write(bytes)?;
        self.left = left + (bytes.len() - written) as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
