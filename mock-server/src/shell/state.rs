//! Worlds as a file: read when the server begins, saved when it ends and, asked to, at intervals.
//!
//! A file is replaced whole or not at all: a new one is written beside it, reaches the disk and takes its name. What
//! cannot be saved is told and tried again; it ends nothing.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior};

use super::clock::wall_now;
use super::world::state::{Contents, Loaded};
use super::worlds::Worlds;
use crate::machine::AppKey;
use crate::machine::state::{At, CONTENT_BYTES_MAX, FILE_BYTES_MAX, Saved, StateFault, StateFile, Why};

/// Where the worlds of a server are kept while it does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The file; where there is none, the server begins empty.
    pub file: PathBuf,
    /// When it is saved.
    pub save: Save,
}

/// When worlds are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Save {
    /// When the server ends as it should.
    Exit,
    /// Then, and so often, if anything has happened.
    Every(Duration),
    /// Not at all: the file stays as it is.
    Never,
}

/// What a server begins with.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    keep: Keep,
    file: Option<StateFile>,
    /// What the person at the desk should know of it.
    pub(super) notes: Vec<String>,
}

/// Keeps the worlds of a server.
pub(super) struct Keeper {
    keep: Keep,
    /// `None`: only at exit, or never.
    interval: Option<Interval>,
    /// What was saved last, as far as it is known to be on the disk.
    saved: Option<Mark>,
    writing: Option<(Mark, JoinHandle<bool>)>,
    left_out: (usize, u64),
}

/// How far each world was.
type Mark = Vec<(AppKey, u64)>;

impl Opening {
    /// Reads the file, if there is one, and looks whether it can be loaded. Fails in words for the person who started the
    /// server.
    pub(super) fn read(keep: Keep) -> Result<Self, String> {
        let named = keep.file.display().to_string();
        let text = match read(&keep.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let note = match keep.save {
                    Save::Never => format!("{named} is not there: the server begins empty"),
                    Save::Exit | Save::Every(_) => {
                        format!("{named} is not there: the server begins empty, and makes it")
                    }
                };
                return Ok(Self { keep, file: None, notes: vec![note] });
            }
            Err(error) => return Err(format!("cannot read {named}: {error}")),
        };
        let refused = |fault: StateFault| {
            format!("{named} is not loaded: {fault}; mend it, or take another file or none")
        };
        let file = StateFile::parse(&text).map_err(refused)?;
        Loaded::read_all(&file, &super::blobs::Blobs::default()).map_err(refused)?;
        let note = file.saved.and_then(|saved| unsaved(&named, saved));
        Ok(Self { keep, file: Some(file), notes: note.into_iter().collect() })
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let bytes = fs::metadata(file)?.len();
    if bytes > FILE_BYTES_MAX as u64 {
        let why = format!("it has {bytes} bytes, at most {FILE_BYTES_MAX} are read");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    fs::read(file)
}

/// What may be missing from a file that no ending server saved.
fn unsaved(named: &str, saved: Saved) -> Option<String> {
    let at = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(saved.at_ms));
    let ended = "the server that wrote it was killed, or lost its power";
    match (saved.why, saved.every_ms) {
        (Why::Exit, _) => None,
        (Why::Interval | Why::Start, Some(every_ms)) => Some(format!(
            "{named} was saved at {at}, and {ended}: up to {every_ms} ms since then may be missing"
        )),
        (Why::Interval | Why::Start, None) => {
            Some(format!("{named} was saved at {at}, and {ended}: what happened since then is missing"))
        }
    }
}

impl Loaded<'_> {
    /// Every world of a file, or none.
    pub(super) fn read_all<'b>(
        file: &StateFile,
        blobs: &'b super::blobs::Blobs,
    ) -> Result<Vec<(AppKey, Loaded<'b>)>, StateFault> {
        let worlds = At::ROOT.field("worlds");
        let loaded = file.worlds.iter().enumerate().map(|(index, state)| {
            let loaded = Loaded::read(state, &worlds.index(index), blobs)?;
            let app_key = AppKey::parse(&state.app_key).expect("StateFile::parse refuses any other");
            Ok((app_key, loaded))
        });
        loaded.collect()
    }
}

impl Keeper {
    /// Loads what there is, and saves it again at once: the file says from then on that a server has it.
    pub(super) fn begin(worlds: &Worlds, opening: Opening) -> Result<Self, String> {
        let Opening { keep, file, notes: _ } = opening;
        if let Some(file) = file {
            worlds.load_all(&file).map_err(|error| format!("{}: {error}", keep.file.display()))?;
        }
        let interval = match keep.save {
            Save::Every(every) => {
                let mut interval = tokio::time::interval(every);
                interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
                interval.reset();
                Some(interval)
            }
            Save::Exit | Save::Never => None,
        };
        let mut keeper = Self { keep, interval, saved: None, writing: None, left_out: (0, 0) };
        if keeper.keep.save != Save::Never && keeper.save(worlds, Why::Start) {
            keeper.saved = Some(worlds.mark());
        }
        Ok(keeper)
    }

    /// Waits until it is time to save, if it ever is.
    pub(super) async fn due(keeper: &mut Option<Self>) {
        match keeper.as_mut().and_then(|keeper| keeper.interval.as_mut()) {
            Some(interval) => drop(interval.tick().await),
            None => std::future::pending().await,
        }
    }

    /// Saves if anything has happened since the last time. The disk is waited for elsewhere.
    pub(super) async fn save_if_changed(&mut self, worlds: &Worlds) {
        if self.writing.as_ref().is_some_and(|(_, writing)| !writing.is_finished()) {
            return;
        }
        self.settle().await;
        let mark = worlds.mark();
        if self.saved.as_ref() == Some(&mark) {
            return;
        }
        let (file, path) = (self.file(worlds, Why::Interval), self.keep.file.clone());
        self.writing = Some((mark, tokio::task::spawn_blocking(move || written(&path, &file))));
    }

    /// Saves for the last time. Whatever happens afterwards is in no file, so nothing may. False: it could not be saved.
    pub(super) async fn finish(mut self, worlds: &Worlds) -> bool {
        // It would take the name from the newer one.
        self.settle().await;
        self.keep.save == Save::Never || self.save(worlds, Why::Exit)
    }

    async fn settle(&mut self) {
        if let Some((mark, writing)) = self.writing.take() {
            self.saved = writing.await.is_ok_and(|done| done).then_some(mark);
        }
    }

    fn save(&mut self, worlds: &Worlds, why: Why) -> bool {
        let file = self.file(worlds, why);
        written(&self.keep.file, &file)
    }

    fn file(&mut self, worlds: &Worlds, why: Why) -> StateFile {
        let mut contents = Contents::new(worlds.blobs());
        let mut file = worlds.states(&mut contents);
        if contents.left_out != self.left_out && contents.left_out.0 > 0 {
            let (files, bytes) = contents.left_out;
            tracing::warn!(
                "{}: {files} attachments with {bytes} bytes are left out: at most {CONTENT_BYTES_MAX} bytes of them are \
                 saved; after the next start they are not found",
                self.keep.file.display()
            );
        }
        self.left_out = contents.left_out;
        let every_ms = match self.keep.save {
            Save::Every(every) => u64::try_from(every.as_millis()).ok(),
            Save::Exit | Save::Never => None,
        };
        file.saved = Some(Saved { at_ms: wall_now().0, why, every_ms });
        file
    }
}

/// Whether the file is on the disk; if not, that is told.
fn written(path: &Path, file: &StateFile) -> bool {
    match write(path, &file.text()) {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(
                "the worlds are not saved: cannot write {}: {error}; the server goes on, and what is in its memory alone \
                 is lost with it: make the folder writable or make room, or PUT /_mock/state elsewhere what GET \
                 /_mock/state gives",
                path.display()
            );
            false
        }
    }
}

/// Replaces a file whole or not at all.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    if text.len() > FILE_BYTES_MAX {
        let why = format!("it would have {} bytes, and at most {FILE_BYTES_MAX} are read again", text.len());
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    replace(path, |draft| draft.write_all(text))
}

/// As [`write()`], with whatever `fill` writes; where that fails, the file stays as it was.
fn replace(path: &Path, fill: impl FnOnce(&mut fs::File) -> io::Result<()>) -> io::Result<()> {
    // A link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    // In the same folder, so that it is on the same disk; readable by its owner alone, as there are passwords in it.
    let mut draft =
        tempfile::Builder::new().prefix(".mock-server-state").suffix(".tmp").tempfile_in(folder)?;
    fill(draft.as_file_mut())?;
    #[cfg(unix)]
    if let Ok(before) = fs::metadata(&path) {
        draft.as_file().set_permissions(before.permissions())?;
    }
    draft.as_file().sync_all()?;
    draft.persist(&path).map_err(|error| error.error)?;
    // Not every file system keeps folders so; the file itself is whole either way.
    #[cfg(unix)]
    if let Ok(folder) = fs::File::open(folder) {
        let _best_effort = folder.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::exit(Why::Exit, None, None)]
    #[case::killed(
        Why::Interval,
        Some(2_000),
        Some(
            "s.json was saved at Fri, 31 Dec 2021 00:00:00 GMT, and the server that wrote it was killed, or lost its \
              power: up to 2000 ms since then may be missing"
        )
    )]
    #[case::killed_before_it_saved_at_all(
        Why::Start,
        None,
        Some(
            "s.json was saved at Fri, 31 Dec 2021 00:00:00 GMT, and the server that wrote it was killed, or lost its \
              power: what happened since then is missing"
        )
    )]
    fn what_may_be_missing_is_told(
        #[case] why: Why,
        #[case] every_ms: Option<u64>,
        #[case] told: Option<&str>,
    ) {
        let saved = Saved { at_ms: 1_640_908_800_000, why, every_ms };
        assert_eq!(unsaved("s.json", saved).as_deref(), told);
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("s.json");
        write(&file, b"one").expect("room");
        write(&file, b"two").expect("room");
        assert_eq!(fs::read(&file).expect("it is there"), b"two");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        assert!(write(&folder.path().join("no/s.json"), b"three").is_err());
    }

    #[test]
    fn a_full_disk_leaves_the_file_as_it_was_and_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("s.json");
        write(&file, b"whole").expect("room");
        let full = replace(&file, |draft| {
            draft.write_all(b"ha")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(full.expect_err("no room").kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&file).expect("it is there"), b"whole");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
