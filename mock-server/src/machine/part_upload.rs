//! Uploads in parts, as 4.21.1 makes them of files above 7.5 MiB (rest.md A.4.2): whose they are and which parts came.
//! The bytes are the host's, and it joins them; here is nothing of them but numbers and sizes.

use std::collections::BTreeMap;

use super::account::{Caller, UserIx};
use super::upload::BlobId;
use super::{Map, Millis, Output, Server};

/// The uploads in parts of a world that are not complete.
#[derive(Clone, Debug, Default)]
pub(super) struct PartUploads {
    /// By uuid, in the order in which they began.
    pub(super) open: Map<Box<str>, PartUpload>,
}

#[derive(Clone, Debug)]
pub(super) struct PartUpload {
    pub(super) owner: Caller,
    /// When it began or had its last part.
    pub(super) touched: Millis,
    pub(super) parts: BTreeMap<u32, Part>,
    /// As part 1 was named, which is all that the client ever says of the file's name and kind.
    pub(super) name: String,
    pub(super) media_type: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) blob: BlobId,
    pub(super) bytes: u64,
}

/// A part that came.
pub(super) struct NewPart<'a> {
    /// From 1.
    pub(super) number: u32,
    pub(super) blob: BlobId,
    pub(super) bytes: u64,
    pub(super) name: &'a str,
    pub(super) media_type: &'a str,
}

/// A file whose parts are joined.
pub(super) struct Joined {
    pub(super) blob: BlobId,
    pub(super) bytes: u64,
    pub(super) name: String,
    pub(super) media_type: String,
}

/// Why a call of an upload in parts does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartFault {
    /// No such upload: never begun, given up, or abandoned.
    Unknown,
    /// It is a file of `/chatfiles` by now.
    Complete,
    /// Somebody else began it.
    Anothers,
    /// The caller has [`OPEN_OF_CALLER_MAX`] that are not complete.
    TooMany,
    /// With this part the file were larger than the world takes.
    TooLarge,
    /// Nothing came yet.
    NoParts,
    /// This number is missing below the highest one that came.
    Missing(u32),
}

/// What 4.x makes its parts as large as, in bytes, and 1.5 times which it uploads at once: the number that it begins
/// with (rest.md A.4.2). A smaller part is taken all the same, which is our guess.
pub(super) const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// Parts of an upload: as many of [`PART_BYTES_MIN`] as hold 1 GiB, all that a host keeps, and some more.
pub(super) const PARTS_MAX: u32 = 256;
/// Uploads that a caller has not completed: more files than an app sends at once. 4.x uploads the next one in one piece.
pub(super) const OPEN_OF_CALLER_MAX: usize = 16;
/// Those of a world; of too many the oldest goes. Each costs some 200 bytes, and 24 a part.
const OPEN_MAX: usize = 1_000;
/// Twelve times as long as 4.x waits for a part (rest.md 0.9).
const ABANDONED_AFTER_MS: u64 = 60 * 60 * 1000;

impl Server {
    /// `uuid` is new.
    pub(super) fn begin_part_upload(
        &mut self,
        now: Millis,
        owner: Caller,
        uuid: &str,
    ) -> Result<(), PartFault> {
        self.forget_part_uploads(|upload| upload.is_abandoned(now));
        let open = &self.part_uploads.open;
        if open.values().filter(|upload| upload.owner == owner).count() >= OPEN_OF_CALLER_MAX {
            return Err(PartFault::TooMany);
        }
        if open.len() >= OPEN_MAX
            && let Some((uuid, oldest)) = self.part_uploads.open.shift_remove_index(0)
        {
            self.let_go_of_parts(&oldest);
            self.warn(format!(
                "{}: the upload in parts {uuid} is given up: {OPEN_MAX} newer ones are not complete",
                self.app
            ));
        }
        let (name, media_type) = (String::new(), String::new());
        let upload = PartUpload { owner, touched: now, parts: BTreeMap::new(), name, media_type };
        self.part_uploads.open.insert(uuid.into(), upload);
        Ok(())
    }

    /// Keeps a part; one that came before under its number goes (our guess).
    pub(super) fn add_part(
        &mut self,
        now: Millis,
        caller: Caller,
        uuid: &str,
        part: &NewPart<'_>,
    ) -> Result<(), PartFault> {
        let bytes_max = self.settings.attachment_bytes_max;
        let upload = self.part_upload(now, caller, uuid)?;
        let others = upload.parts.iter().filter(|(number, _)| **number != part.number);
        let bytes = others.fold(part.bytes, |sum, (_, other)| sum.saturating_add(other.bytes));
        if bytes > bytes_max {
            return Err(PartFault::TooLarge);
        }
        upload.touched = now;
        if part.number == 1 {
            part.name.clone_into(&mut upload.name);
            part.media_type.clone_into(&mut upload.media_type);
        }
        let replaced = upload.parts.insert(part.number, Part { blob: part.blob, bytes: part.bytes });
        self.keep_blob(part.blob);
        if let Some(replaced) = replaced {
            self.let_go(replaced.blob);
        }
        Ok(())
    }

    /// Joins the parts in the order of their numbers. With one missing, the upload stays open for it to come.
    pub(super) fn complete_part_upload(
        &mut self,
        now: Millis,
        caller: Caller,
        uuid: &str,
    ) -> Result<Joined, PartFault> {
        let upload = self.part_upload(now, caller, uuid)?;
        if let Some((_, missing)) =
            upload.parts.keys().zip(1..).find(|(number, expected)| **number != *expected)
        {
            return Err(PartFault::Missing(missing));
        }
        let Some(first) = upload.parts.get(&1).copied() else { return Err(PartFault::NoParts) };
        let upload = self.part_uploads.open.shift_remove(uuid).expect("it was just found");
        if upload.parts.len() > 1 {
            let blobs: Vec<BlobId> = upload.parts.values().map(|part| part.blob).collect();
            // They have no numbers of their own any more, which the host knows.
            for part in &blobs[1..] {
                self.joined_blob(*part);
            }
            self.outputs.push_back(Output::JoinBlobs(blobs));
        }
        let bytes = upload.parts.values().map(|part| part.bytes).sum();
        let PartUpload { name, media_type, .. } = upload;
        Ok(Joined { blob: first.blob, bytes, name, media_type })
    }

    /// Gives up, and lets go of what came.
    pub(super) fn abort_part_upload(
        &mut self,
        now: Millis,
        caller: Caller,
        uuid: &str,
    ) -> Result<(), PartFault> {
        self.part_upload(now, caller, uuid)?;
        let upload = self.part_uploads.open.shift_remove(uuid).expect("it was just found");
        self.let_go_of_parts(&upload);
        Ok(())
    }

    /// The user is no more, and its name may be another's.
    pub(super) fn forget_part_uploads_of(&mut self, user: UserIx) {
        self.forget_part_uploads(|upload| upload.owner == Caller::User(user));
    }

    fn part_upload(&mut self, now: Millis, caller: Caller, uuid: &str) -> Result<&mut PartUpload, PartFault> {
        let is_complete = self.attachments.find(uuid).is_some();
        let open = self.part_uploads.open.get_mut(uuid).filter(|upload| !upload.is_abandoned(now));
        match open {
            Some(upload) if upload.owner == caller => Ok(upload),
            Some(_) => Err(PartFault::Anothers),
            None if is_complete => Err(PartFault::Complete),
            None => Err(PartFault::Unknown),
        }
    }

    fn forget_part_uploads(&mut self, goes: impl Fn(&PartUpload) -> bool) {
        let open = &mut self.part_uploads.open;
        if !open.values().any(&goes) {
            return;
        }
        let (gone, kept) =
            std::mem::take(open).into_iter().partition::<Map<_, _>, _>(|(_, upload)| goes(upload));
        *open = kept;
        gone.values().for_each(|upload| self.let_go_of_parts(upload));
    }

    fn let_go_of_parts(&mut self, upload: &PartUpload) {
        upload.parts.values().for_each(|part| self.let_go(part.blob));
    }
}

impl PartUpload {
    fn is_abandoned(&self, now: Millis) -> bool {
        now.0.saturating_sub(self.touched.0) >= ABANDONED_AFTER_MS
    }
}
