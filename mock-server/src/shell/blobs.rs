//! The bytes of attachments, for all worlds of a server: small ones in memory, the others in one file of the
//! system's temporary directory.
//!
//! That file has no name that anybody could open, and the system deletes it when the program ends, however it ends:
//! one file and one descriptor for all attachments, which take its blocks and give them back. It is read and
//! written from the server's thread: a block at a time, which the system keeps in memory for the most part.
//!
//! What came in parts stays where it is: joined, an attachment is the list of them.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use indexmap::IndexMap;

use crate::machine::BlobId;

/// Every attachment of a server, oldest first.
#[derive(Default)]
pub(super) struct Blobs {
    kept: RefCell<IndexMap<BlobId, Rc<Blob>>>,
    last: Cell<u64>,
    store: Rc<Store>,
}

/// One attachment; its room is free again when nobody reads it any more.
pub(super) struct Blob {
    bytes: u64,
    /// In their order; one, unless it came in parts.
    pieces: Vec<Rc<Piece>>,
}

/// Bytes that came in one go.
struct Piece {
    bytes: u64,
    /// All of it, or nothing.
    memory: BytesMut,
    /// Where it is in the file, when it is not in memory.
    blocks: Vec<u32>,
    store: Rc<Store>,
}

/// An attachment that is still coming.
pub(super) struct Draft<'a> {
    blobs: &'a Blobs,
    piece: Piece,
}

/// Why bytes are not kept.
#[derive(Debug)]
pub(super) enum Unkept {
    /// More than the server has room for, even if all others went.
    TooLarge,
    /// The temporary directory gave none.
    Disk(io::Error),
}

/// Room, and how much of it is taken.
#[derive(Default)]
struct Store {
    bytes: Cell<u64>,
    memory_bytes: Cell<u64>,
    spool: RefCell<Spool>,
}

/// The file and its blocks.
#[derive(Default)]
struct Spool {
    file: Option<File>,
    free: Vec<u32>,
    blocks: u32,
}

/// What is larger goes into the file: an avatar or a short voice message stays in memory, a photograph does not.
const MEMORY_BYTES_MAX: u64 = BLOCK_BYTES;
/// Of all small ones together; when it is used up, these go into the file, too.
const MEMORY_BYTES_TOTAL_MAX: u64 = 64 * 1024 * 1024;
/// A hundred attachments of the largest default size, and what a temporary directory in memory can bear.
const BYTES_TOTAL_MAX: u64 = 1024 * 1024 * 1024;
/// A day of tests; each costs some 100 bytes beside its content.
const BLOBS_MAX: usize = 10_000;
/// As large as a read from a socket at its best.
const BLOCK_BYTES: u64 = 64 * 1024;

impl Blobs {
    /// Begins an attachment; dropped before [`Draft::keep`], it leaves nothing behind.
    pub(super) fn draft(&self) -> Draft<'_> {
        let store = Rc::clone(&self.store);
        Draft { blobs: self, piece: Piece { bytes: 0, memory: BytesMut::new(), blocks: Vec::new(), store } }
    }

    /// Keeps bytes that are all there.
    pub(super) fn keep_whole(&self, content: &[u8]) -> io::Result<BlobId> {
        let mut draft = self.draft();
        draft.write(content).map_err(|unkept| match unkept {
            Unkept::TooLarge => {
                io::Error::other(format!("at most {BYTES_TOTAL_MAX} bytes are kept, of all attachments"))
            }
            Unkept::Disk(error) => error,
        })?;
        Ok(draft.keep())
    }

    pub(super) fn find(&self, blob: BlobId) -> Option<Rc<Blob>> {
        self.kept.borrow().get(&blob).cloned()
    }

    pub(super) fn forget(&self, blob: BlobId) {
        self.kept.borrow_mut().shift_remove(&blob);
    }

    /// Makes one attachment of these, in this order and under the number of the first, which keeps its age. With one
    /// of them gone there is none.
    pub(super) fn join(&self, parts: &[BlobId]) {
        let Some((first, others)) = parts.split_first() else { return };
        let mut kept = self.kept.borrow_mut();
        let others: Vec<_> = others.iter().map(|part| kept.shift_remove(part)).collect();
        let Some(head) = kept.get_mut(first) else { return };
        let Some(others) = others.into_iter().collect::<Option<Vec<_>>>() else {
            kept.shift_remove(first);
            return;
        };
        let parts = std::iter::once(&*head).chain(&others);
        let pieces: Vec<_> = parts.flat_map(|part| &part.pieces).map(Rc::clone).collect();
        *head = Rc::new(Blob { bytes: pieces.iter().map(|piece| piece.bytes).sum(), pieces });
    }

    /// Lets the oldest go until there is room for this much more.
    fn make_room(&self, bytes: u64) -> Result<(), Unkept> {
        while self.store.bytes.get() + bytes > BYTES_TOTAL_MAX {
            self.forget_oldest().ok_or(Unkept::TooLarge)?;
        }
        Ok(())
    }

    fn forget_oldest(&self) -> Option<()> {
        let (BlobId(number), blob) = self.kept.borrow_mut().shift_remove_index(0)?;
        tracing::warn!(
            "attachment {number} ({} bytes) is forgotten: it is the oldest, and {BLOBS_MAX} attachments of together \
             {BYTES_TOTAL_MAX} bytes are kept",
            blob.bytes
        );
        Some(())
    }
}

impl Draft<'_> {
    /// Takes what comes next.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Unkept> {
        let more = bytes.len() as u64;
        self.blobs.make_room(more)?;
        let piece = &mut self.piece;
        let store = &piece.store;
        let fits = piece.bytes + more <= MEMORY_BYTES_MAX
            && store.memory_bytes.get() + more <= MEMORY_BYTES_TOTAL_MAX;
        if piece.blocks.is_empty() && fits {
            piece.memory.extend_from_slice(bytes);
            store.memory_bytes.set(store.memory_bytes.get() + more);
        } else {
            let mut spool = store.spool.borrow_mut();
            if !piece.memory.is_empty() {
                spool.append(&mut piece.blocks, 0, &piece.memory).map_err(Unkept::Disk)?;
                store.memory_bytes.set(store.memory_bytes.get() - piece.memory.len() as u64);
                piece.memory = BytesMut::new();
            }
            spool.append(&mut piece.blocks, piece.bytes, bytes).map_err(Unkept::Disk)?;
        }
        store.bytes.set(store.bytes.get() + more);
        piece.bytes += more;
        Ok(())
    }

    pub(super) fn bytes(&self) -> u64 {
        self.piece.bytes
    }

    /// Keeps it until it is forgotten.
    pub(super) fn keep(self) -> BlobId {
        let Self { blobs, piece } = self;
        if blobs.kept.borrow().len() >= BLOBS_MAX {
            blobs.forget_oldest();
        }
        let id = BlobId(blobs.last.get() + 1);
        blobs.last.set(id.0);
        let blob = Blob { bytes: piece.bytes, pieces: vec![Rc::new(piece)] };
        blobs.kept.borrow_mut().insert(id, Rc::new(blob));
        id
    }
}

impl Blob {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// All of it.
    pub(super) fn whole(&self) -> io::Result<Bytes> {
        let mut content = BytesMut::new();
        while (content.len() as u64) < self.bytes {
            content.extend_from_slice(&self.read(content.len() as u64)?);
        }
        Ok(content.freeze())
    }

    /// Some bytes from `from` on, and at least one unless that is the end.
    pub(super) fn read(&self, mut from: u64) -> io::Result<Bytes> {
        for piece in &self.pieces {
            if from < piece.bytes {
                return piece.read(from);
            }
            from -= piece.bytes;
        }
        Ok(Bytes::new())
    }
}

impl Piece {
    /// As [`Blob::read`].
    fn read(&self, from: u64) -> io::Result<Bytes> {
        if self.blocks.is_empty() {
            let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.memory.len());
            return Ok(Bytes::copy_from_slice(&self.memory[from..]));
        }
        let end = (from - from % BLOCK_BYTES + BLOCK_BYTES).min(self.bytes);
        let bytes = usize::try_from(end.saturating_sub(from)).expect("a block fits in memory");
        self.store.spool.borrow_mut().read(&self.blocks, from, bytes)
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let store = &self.store;
        store.bytes.set(store.bytes.get() - self.bytes);
        store.memory_bytes.set(store.memory_bytes.get() - self.memory.len() as u64);
        store.spool.borrow_mut().give_back(&self.blocks);
    }
}

impl Spool {
    /// Writes at `from`, which is where `blocks` end.
    fn append(&mut self, blocks: &mut Vec<u32>, mut from: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let at = from % BLOCK_BYTES;
            if at == 0 {
                blocks.push(self.take_block());
            }
            let room = usize::try_from(BLOCK_BYTES - at).expect("a block fits in memory");
            let (now, later) = bytes.split_at(bytes.len().min(room));
            let place = place(blocks, from);
            let file = self.file()?;
            file.seek(SeekFrom::Start(place))?;
            file.write_all(now)?;
            from += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    fn read(&mut self, blocks: &[u32], from: u64, bytes: usize) -> io::Result<Bytes> {
        let mut read = BytesMut::zeroed(bytes);
        if bytes > 0 {
            let file = self.file()?;
            file.seek(SeekFrom::Start(place(blocks, from)))?;
            file.read_exact(&mut read)?;
        }
        Ok(read.freeze())
    }

    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile()?);
        }
        Ok(self.file.as_mut().expect("it was just made"))
    }

    fn take_block(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.blocks += 1;
            self.blocks - 1
        })
    }

    fn give_back(&mut self, blocks: &[u32]) {
        self.free.extend_from_slice(blocks);
        if !blocks.is_empty() && self.free.len() == self.blocks as usize {
            // The last one went: its room goes back to the system with the file.
            *self = Self::default();
        }
    }
}

fn place(blocks: &[u32], from: u64) -> u64 {
    let block = usize::try_from(from / BLOCK_BYTES).expect("a block list is in memory");
    u64::from(blocks[block]) * BLOCK_BYTES + from % BLOCK_BYTES
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn pattern(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| (at * 31 + at / 251) as u8).collect()
    }

    fn store(blobs: &Blobs, content: &[u8], step: usize) -> BlobId {
        let mut draft = blobs.draft();
        content.chunks(step).for_each(|chunk| draft.write(chunk).expect("room"));
        draft.keep()
    }

    fn read(blob: &Blob, mut from: u64) -> Vec<u8> {
        let mut whole = Vec::new();
        while from < blob.bytes() {
            let part = blob.read(from).expect("it is there");
            assert!(!part.is_empty());
            from += part.len() as u64;
            whole.extend_from_slice(&part);
        }
        whole
    }

    #[rstest]
    fn what_was_kept_is_read_from_anywhere(
        #[values(1, 65_535, 65_536, 65_537, 300_000)] bytes: usize,
        #[values(1_000, 65_536, 1_000_000)] step: usize,
    ) {
        let blobs = Blobs::default();
        let other = store(&blobs, &pattern(200_000), 7_777);
        let content = pattern(bytes);
        let blob = blobs.find(store(&blobs, &content, step)).expect("it is kept");
        assert_eq!(blob.pieces[0].blocks.is_empty(), bytes <= 65_536, "small ones are in memory");
        for from in [0, 1, bytes / 2, bytes - 1, bytes] {
            assert_eq!(read(&blob, from as u64), content[from..]);
        }
        assert_eq!(read(&blobs.find(other).expect("it is kept"), 0), pattern(200_000));
    }

    #[test]
    fn room_is_used_again_and_given_back() {
        let blobs = Blobs::default();
        let (first, second) =
            (store(&blobs, &pattern(200_000), 9_999), store(&blobs, &pattern(70_000), 9_999));
        let small = store(&blobs, b"small", 1);
        assert_eq!(blobs.store.spool.borrow().blocks, 4 + 2);
        let reading = blobs.find(first).expect("it is kept");
        blobs.forget(first);
        assert!(blobs.find(first).is_none());
        assert_eq!(read(&reading, 0), pattern(200_000), "who reads it reads on");
        drop(reading);
        let third = store(&blobs, &pattern(150_000), 9_999);
        assert_eq!(blobs.store.spool.borrow().blocks, 4 + 2, "in the room of the first");
        assert_eq!(blobs.store.bytes.get(), 220_005);
        let mut broken_off = blobs.draft();
        broken_off.write(&pattern(100_000)).expect("room");
        drop(broken_off);
        [second, small, third].into_iter().for_each(|blob| blobs.forget(blob));
        assert_eq!((blobs.store.bytes.get(), blobs.store.memory_bytes.get()), (0, 0));
        assert!(blobs.store.spool.borrow().file.is_none(), "an empty file is none");
    }

    #[rstest]
    #[case::in_memory(&[1, 7, 100])]
    #[case::blocks_and_less(&[65_536, 1, 200_000, 65_537])]
    #[case::joined_twice(&[100_000, 30, 100_000, 9])]
    fn parts_are_read_as_one(#[case] sizes: &[usize]) {
        let blobs = Blobs::default();
        let content = pattern(sizes.iter().sum());
        let mut rest = &content[..];
        // They come last first, and have their order by what joins them.
        let mut parts: Vec<BlobId> = Vec::new();
        for size in sizes.iter().rev() {
            let (before, part) = rest.split_at(rest.len() - size);
            parts.insert(0, store(&blobs, part, 7_777));
            rest = before;
        }
        let (first, last) = parts.split_at(2);
        blobs.join(last);
        blobs.join(&[first, &last[..1]].concat());
        let blob = blobs.find(parts[0]).expect("it is kept");
        assert_eq!(blob.bytes(), content.len() as u64);
        for from in [0, 1, sizes[0] - 1, sizes[0], sizes[0] + 1, content.len() - 1, content.len()] {
            assert!(read(&blob, from as u64) == content[from..], "from {from}");
        }
        assert!(parts[1..].iter().all(|part| blobs.find(*part).is_none()), "they are in the first");
        blobs.forget(parts[0]);
        assert!(blobs.store.bytes.get() > 0, "who reads it reads on");
        drop(blob);
        assert_eq!((blobs.store.bytes.get(), blobs.store.memory_bytes.get()), (0, 0));
    }

    #[rstest]
    fn of_parts_that_are_not_all_there_nothing_is_left(#[values(0, 1, 2)] gone: usize) {
        let blobs = Blobs::default();
        let parts: Vec<BlobId> = (0..3).map(|_| store(&blobs, &pattern(70_000), 9_999)).collect();
        blobs.forget(parts[gone]);
        blobs.join(&parts);
        assert!(parts.iter().all(|part| blobs.find(*part).is_none()));
        assert_eq!(blobs.store.bytes.get(), 0);
    }

    #[test]
    fn of_too_many_the_oldest_goes() {
        let blobs = Blobs::default();
        let ids: Vec<BlobId> = (0..=BLOBS_MAX).map(|_| store(&blobs, b"x", 1)).collect();
        assert!(blobs.find(ids[0]).is_none() && blobs.find(ids[1]).is_some());
        // As if another one took nearly all the room.
        blobs.store.bytes.set(blobs.store.bytes.get() + BYTES_TOTAL_MAX - 10_001);
        let late = store(&blobs, b"yy", 2);
        assert!(blobs.find(ids[1]).is_none() && blobs.find(ids[2]).is_some());
        assert!(blobs.find(late).is_some());
        assert!(
            matches!(blobs.draft().write(&[0; 20_000]), Err(Unkept::TooLarge)),
            "the others' going was no help"
        );
    }
}
