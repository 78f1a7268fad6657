//! Files on their way: uploads before their messages, and downloads. One of each at a time, so that what is
//! held in memory has a bound and messages with attachments keep their order among themselves.
//!
//! A message is made of an upload only when the service has taken the file; from there on it is a message like
//! any other.

use bytes::Bytes;

use crate::attachment::{Attachment, File, Media, Stored, UploadWay, read_stored};
use crate::client::{Client, Transmit, not_empty};
use crate::error::{CommandError, Failure};
use crate::event::Event;
use crate::ext::Ext;
use crate::message::{Chat, Content, LocalId, Message};
use crate::outbox::Outgoing;
use crate::rest::{CallId, HttpAnswer, HttpMethod, HttpRequest, Refusal};
use crate::timer::Millis;

/// How much may wait to be uploaded, in bytes, one file or many: six times the service's own limit of 10 MB for
/// one (rest.md B.8), so that it is the service that refuses a large file, in its own words. A download of more
/// than this is given up too.
pub(crate) const ATTACHMENTS_LIMIT_BYTES: usize = 64 * 1024 * 1024;
/// How many downloads may wait for their turn.
const DOWNLOADS_LIMIT: usize = 1_000;
/// How long a file may take, in ms, as in 4.x (rest.md 0.9).
const TRANSFER_LIMIT_MS: u64 = 300_000;
/// What a file without a type is.
const ANY_MEDIA_TYPE: &str = "application/octet-stream";
/// What errors are in, and files never are (rest.md A.5).
const JSON_MEDIA_TYPE: &str = "application/json";

/// A file to be uploaded, and the message that it is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Upload {
    local: LocalId,
    chat: Chat,
    to: String,
    media: Media,
    file: File,
    way: UploadWay,
    ext: Ext,
    /// How much of the request has gone out, as far as was told.
    loaded: u64,
    total: u64,
}

/// A file to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Download {
    url: String,
    secret: Option<String>,
    accept: Option<String>,
}

impl Client {
    /// Uploads a file and sends a message with it. [`Event::UploadProgress`] comes while it goes out, then
    /// [`Event::Uploaded`] and the outcome of a [`Client::send`], or [`Event::UploadFailed`] (101) and nothing
    /// more. When not logged in the outcome is a failure of type 32. Files wait in memory, 64 MiB at most
    /// ([`CommandError::AttachmentsFull`]).
    #[expect(
        clippy::too_many_arguments,
        reason = "a message, its file, and how that goes: none has a default"
    )]
    pub fn send_file(
        &mut self,
        now: Millis,
        chat: Chat,
        to: &str,
        media: Media,
        file: File,
        ext: Ext,
        way: UploadWay,
    ) -> Result<LocalId, CommandError> {
        if to.is_empty() {
            return Err(CommandError::NoRecipient);
        }
        media.check()?;
        file.check()?;
        let held: usize = self.uploads.all().map(|upload| upload.file.bytes.len()).sum();
        if file.bytes.len() > ATTACHMENTS_LIMIT_BYTES - held {
            return Err(CommandError::AttachmentsFull { limit_bytes: ATTACHMENTS_LIMIT_BYTES });
        }
        let local = self.unique_id(now);
        if !self.session.is_open() {
            self.tell(Event::Failed { local, failure: Failure::not_logged_in() });
        } else if file.bytes.is_empty() {
            self.tell(Event::UploadFailed { local, failure: Failure::empty_file() });
        } else {
            let to = to.to_owned();
            let upload = Upload { local, chat, to, media, file, way, ext, loaded: 0, total: 0 };
            let id = self.next_call_id();
            self.uploads.push(id, upload);
            self.pump(now);
        }
        Ok(local)
    }

    /// Fetches a file, such as that of a received attachment: [`Event::Downloaded`] or
    /// [`Event::DownloadFailed`] (200, or 222, 223, 503, 603 where the cause is known). The secret goes along as a header where the address has none in it;
    /// `accept` is the media type that is hoped for. Secret and token go to our own REST base alone, whatever
    /// the address. At most 64 MiB are taken.
    pub fn download(
        &mut self,
        now: Millis,
        url: &str,
        secret: Option<&str>,
        accept: Option<&str>,
    ) -> Result<CallId, CommandError> {
        const COMMAND: &str = "download";
        if !self.session.is_open() {
            return Err(CommandError::NotLoggedIn { command: COMMAND });
        }
        let url = not_empty(COMMAND, url)?;
        if self.downloads.waiting() >= DOWNLOADS_LIMIT {
            return Err(CommandError::CallsFull { limit: DOWNLOADS_LIMIT });
        }
        let (secret, accept) = (secret.map(str::to_owned), accept.map(str::to_owned));
        let id = self.next_call_id();
        self.downloads.push(id, Download { url, secret, accept });
        self.pump(now);
        Ok(id)
    }

    pub(crate) fn next_transfers(&mut self, now: Millis) {
        let Some(token) = self.session.open_login().map(|login| login.token.clone()) else { return };
        let answer_by = now.after(TRANSFER_LIMIT_MS);
        if let Some((id, mut upload)) = self.uploads.next() {
            let request = upload.request(id, self.config.rest_url("/chatfiles"), &token);
            upload.total = request.body.as_ref().map_or(0, crate::rest::HttpBody::bytes);
            self.transmit(Transmit::Http(request));
            self.uploads.started(id, upload, answer_by);
        }
        if let Some((id, download)) = self.downloads.next() {
            let is_ours = self.config.is_ours(&download.url);
            self.transmit(Transmit::Http(download.request(id, token, is_ours)));
            self.downloads.started(id, download, answer_by);
        }
    }

    /// So much of an upload's request has gone out. What does not rise is no progress.
    pub(crate) fn progressed(&mut self, id: CallId, sent: u64) {
        let Some(upload) = self.uploads.under_way(id) else { return };
        let loaded = sent.min(upload.total);
        if loaded > upload.loaded {
            upload.loaded = loaded;
            let (local, total) = (upload.local, upload.total);
            self.tell(Event::UploadProgress { local, loaded, total });
        }
    }

    pub(crate) fn upload_answered(&mut self, upload: Upload, answer: Result<HttpAnswer, String>) {
        let local = upload.local;
        let stored = match &answer {
            Ok(answer) => read_stored(answer).map_err(|refusal| match refusal {
                Refusal::Refused => Failure::of_upload(Ok(answer)),
                Refusal::Unreadable(reason) => Failure::of_upload(Err(&reason)),
            }),
            Err(reason) => Err(Failure::of_upload(Err(reason))),
        };
        let stored = match stored {
            Ok(stored) => stored,
            Err(failure) => return self.tell(Event::UploadFailed { local, failure }),
        };
        if upload.loaded < upload.total {
            // Taken, so it has gone out: the last that is told of it is the whole.
            let total = upload.total;
            self.tell(Event::UploadProgress { local, loaded: total, total });
        }
        let (uuid, secret) = (stored.uuid.clone(), stored.secret.clone());
        self.tell(Event::Uploaded { local, uuid, secret });
        if let Err(error) = self.outbox.push(local, Outgoing::Message(upload.message(stored))) {
            self.tell(Event::Failed { local, failure: Failure::no_room(&error) });
        }
    }

    pub(crate) fn upload_dropped(&mut self, upload: &Upload) {
        let failure = Failure::of_upload(Err(Failure::CLOSED));
        self.tell(Event::UploadFailed { local: upload.local, failure });
    }

    pub(crate) fn download_answered(&mut self, id: CallId, answer: Result<HttpAnswer, String>) {
        let failure = match answer {
            Ok(answer) => match answer.into_file() {
                Ok((media_type, bytes)) => {
                    return self.tell(Event::Downloaded { call: id, media_type, bytes });
                }
                Err(answer) => Failure::of_download(Ok(&answer)),
            },
            Err(reason) => Failure::of_download(Err(&reason)),
        };
        self.tell(Event::DownloadFailed { call: id, failure });
    }

    pub(crate) fn download_dropped(&mut self, id: CallId) {
        let failure = Failure::of_download(Err(Failure::CLOSED));
        self.tell(Event::DownloadFailed { call: id, failure });
    }
}

impl Upload {
    fn request(&self, id: CallId, url: String, token: &str) -> HttpRequest {
        let headers = match self.way {
            UploadWay::Restricted => vec![("restrict-access", "true".to_owned())],
            UploadWay::Open => Vec::new(),
        };
        HttpRequest {
            bearer: Some(token.to_owned()),
            headers,
            body: Some(self.file.multipart()),
            ..HttpRequest::new(id, HttpMethod::Post, url)
        }
    }

    fn message(self, stored: Stored) -> Message {
        let Stored { url, secret, .. } = stored;
        let bytes = self.file.bytes.len() as u64;
        let attachment = Attachment { media: self.media, url, secret, filename: self.file.name, bytes };
        Message::new(self.chat, self.to, Content::Attachment(attachment)).with_ext(self.ext)
    }
}

impl Download {
    /// As the SDK asks (rest.md A.5).
    fn request(&self, id: CallId, token: String, is_ours: bool) -> HttpRequest {
        let accept = self.accept.clone().unwrap_or_else(|| ANY_MEDIA_TYPE.to_owned());
        let mut headers = vec![("x-requested-with", "XMLHttpRequest".to_owned()), ("accept", accept)];
        if let Some(secret) = self.secret.clone().filter(|_| is_ours) {
            headers.push(("share-secret", secret));
        }
        HttpRequest {
            bearer: Some(token).filter(|_| is_ours),
            headers,
            answer_limit_bytes: ATTACHMENTS_LIMIT_BYTES,
            ..HttpRequest::new(id, HttpMethod::Get, self.url.clone())
        }
    }
}

impl HttpAnswer {
    /// The answer as a file: what is refused, or is JSON, is an error and none.
    fn into_file(self) -> Result<(String, Bytes), Self> {
        let media_type = self.media_type.as_deref().unwrap_or(ANY_MEDIA_TYPE);
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if self.status != 200 || essence.eq_ignore_ascii_case(JSON_MEDIA_TYPE) {
            return Err(self);
        }
        Ok((media_type.to_owned(), self.body))
    }
}
