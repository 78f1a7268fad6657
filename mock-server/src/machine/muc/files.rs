//! Files that members share with a group or room. Their bytes are the host's; here is which there are, and when the
//! host may let go of them.

use super::notice::{Act, Notice, Operation};
use super::{MucFault, MucIx};
use crate::machine::account::UserIx;
use crate::machine::upload::BlobId;
use crate::machine::{Millis, Server};

#[derive(Clone, Debug)]
pub(in crate::machine) struct SharedFile {
    pub(in crate::machine) blob: BlobId,
    pub(in crate::machine) name: String,
    pub(in crate::machine) media_type: String,
    pub(in crate::machine) bytes: u64,
    pub(in crate::machine) owner: UserIx,
    pub(in crate::machine) created: Millis,
}

/// A bound on what members can make a world keep; our guess, as the documents name none.
const FILES_MAX: usize = 100;

impl Server {
    /// `id` is new.
    pub(in crate::machine) fn share_file(
        &mut self,
        act: Act,
        muc: MucIx,
        id: &str,
        file: SharedFile,
    ) -> Result<(), MucFault> {
        let files = &mut self.mucs.muc_mut(muc).files;
        if files.len() >= FILES_MAX {
            return Err(MucFault::TooManyFiles);
        }
        let blob = file.blob;
        files.insert(id.into(), file);
        self.keep_blob(blob);
        let notice = Notice { reason: id, ..Notice::new(Operation::UploadFile, act.by, &[]) };
        self.tell_members(act, muc, &notice, &[]);
        Ok(())
    }

    /// Whether there was one.
    pub(in crate::machine) fn unshare_file(&mut self, act: Act, muc: MucIx, id: &str) -> bool {
        let Some(file) = self.mucs.muc_mut(muc).files.shift_remove(id) else { return false };
        self.let_go(file.blob);
        let notice = Notice { reason: id, ..Notice::new(Operation::DeleteFile, act.by, &[]) };
        self.tell_members(act, muc, &notice, &[]);
        true
    }
}
