//! Attachments: what they are in a message, and the shapes of their upload and download (wire-3x §4.2, §5.1,
//! rest.md A.4, A.5). When they are moved is the business of `transfer`.

use bytes::Bytes;
use fixtures::wire::message_body::Content as WireContent;
use fixtures::wire::message_body::content::{Size, Type as ContentType};
use serde::Deserialize;

use crate::client::Config;
use crate::error::CommandError;
use crate::message::typed;
use crate::rest::{HttpAnswer, HttpBody, Progress, Refusal};

/// The largest length of a sound or a film that fits on the wire.
const LENGTH_LIMIT: u32 = i32::MAX as u32;

/// What kind of file an attachment is, and what a player should know beforehand. The numbers are the sender's
/// own: nobody looks into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A picture.
    Image {
        /// In pixels; 0 when it is not known.
        width: u32,
        /// In pixels; 0 when it is not known.
        height: u32,
    },
    /// Any file.
    File,
    /// A sound.
    Audio {
        /// How long it is, in seconds.
        length_s: u32,
    },
    /// A film.
    Video {
        /// How long it is, in milliseconds.
        length_ms: u32,
    },
}

/// A file that lies somewhere: what a message says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its kind.
    pub media: Media,
    /// Where it lies.
    pub url: String,
    /// What opens it there, if it is locked.
    pub secret: Option<String>,
    /// Its name.
    pub filename: String,
    /// Its size in bytes; 0 when it is not known.
    pub bytes: u64,
}

/// A file to be uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, as the recipient is shown it.
    pub name: String,
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// What is in it; not nothing.
    pub bytes: Bytes,
}

/// How a file is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadWay {
    /// Locked: it is opened by the secret that the message carries, as the web SDK does.
    Restricted,
    /// Open to whoever knows its address: the two steps that a mini-program makes by itself.
    Open,
}

/// How the address of a received attachment is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttachmentUrls {
    /// On our own REST base, whatever host the sender named, and with the secret in it, ready for an `<img>`:
    /// where the service stores the files.
    #[default]
    Ours,
    /// As it was sent: where the application has an upload function of its own.
    AsSent,
}

impl Media {
    pub(crate) fn image_of(size: Option<&Size>) -> Self {
        // A cast of a float stays within the numbers there are: what is no size is 0.
        let pixels = |length: Option<f64>| length.unwrap_or_default().round() as u32;
        let size = size.cloned().unwrap_or_default();
        Self::Image { width: pixels(size.width), height: pixels(size.height) }
    }

    pub(crate) fn check(self) -> Result<(), CommandError> {
        match self {
            Self::Audio { length_s: length } | Self::Video { length_ms: length } if length > LENGTH_LIMIT => {
                Err(CommandError::LengthTooLarge { limit: LENGTH_LIMIT })
            }
            Self::Image { .. } | Self::File | Self::Audio { .. } | Self::Video { .. } => Ok(()),
        }
    }
}

impl Attachment {
    /// What the SDK writes: its size where that is known, and for a file a picture's size of nothing.
    pub(crate) fn to_wire(&self) -> WireContent {
        let (kind, size, duration) = match self.media {
            Media::Image { width, height } => (ContentType::Image, Some((width, height)), None),
            Media::File => (ContentType::File, Some((0, 0)), None),
            Media::Audio { length_s } => (ContentType::Voice, None, Some(length_s)),
            Media::Video { length_ms } => (ContentType::Video, None, Some(length_ms)),
        };
        let size =
            size.map(|(width, height)| Size { width: Some(width.into()), height: Some(height.into()) });
        let file_length = i32::try_from(self.bytes).unwrap_or(i32::MAX);
        WireContent {
            display_name: Some(self.filename.clone()),
            remote_path: Some(self.url.clone()),
            secret_key: self.secret.clone(),
            file_length: Some(file_length).filter(|length| *length > 0),
            duration: duration.map(|length| i32::try_from(length).unwrap_or(i32::MAX)),
            size,
            thumbnail_display_name: Some(self.filename.clone()),
            ..typed(kind)
        }
    }
}

/// Reads an attachment of the given kind.
pub(crate) fn read_attachment(media: Media, content: WireContent, config: &Config) -> Attachment {
    let secret = content.secret_key.filter(|secret| !secret.is_empty());
    let sent = content.remote_path.unwrap_or_default();
    let url = match config.attachment_urls {
        AttachmentUrls::AsSent => sent,
        AttachmentUrls::Ours => our_url(&config.rest, &sent, secret.as_deref()),
    };
    Attachment {
        media,
        url,
        secret,
        filename: content.display_name.unwrap_or_default(),
        bytes: content.file_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default(),
    }
}

/// The path of an address on our own base: everything from the first slash behind `https://` and one character
/// of a host, with what a plain GET needs (wire-3x §5.1). An address without a path stays as it is.
fn our_url(rest: &str, sent: &str, secret: Option<&str>) -> String {
    const SCHEME_BYTES: usize = 9;
    let path = sent.bytes().enumerate().skip(SCHEME_BYTES).find(|(_, byte)| *byte == b'/');
    let Some((slash, _)) = path else { return sent.to_owned() };
    let path = &sent[slash..];
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut url = format!("{}{path}{joint}em-redirect=true", rest.trim_end_matches('/'));
    if let Some(secret) = secret {
        url = format!("{url}&share-secret={secret}");
    }
    url
}

impl File {
    /// `multipart/form-data` with the one part `file` (rest.md A.4), the file's bytes where they lie.
    pub(crate) fn multipart(&self) -> HttpBody {
        let boundary = boundary_for(&self.bytes);
        let name = self.name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: {}\r\n\r\n",
            self.media_type
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        HttpBody {
            media_type: format!("multipart/form-data; boundary={boundary}"),
            pieces: vec![head.into(), self.bytes.clone(), tail.into()],
            progress: Progress::Told,
        }
    }

    /// A media type becomes a line of the upload, so it must be one.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        let halves = self.media_type.split_once('/');
        let is_token =
            |half: &str| !half.is_empty() && half.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        match halves {
            Some((kind, rest)) if is_token(kind) && is_token(rest) => Ok(()),
            Some(_) | None => Err(CommandError::BadMediaType { media_type: self.media_type.clone() }),
        }
    }
}

/// A boundary that begins no line of the file: the first number for which that is so.
fn boundary_for(bytes: &[u8]) -> String {
    let candidates = (0_u64..).map(|number| format!("client-core-{number:016x}"));
    let is_free = |candidate: &String| {
        let delimiter = format!("\n--{candidate}");
        // What ends a part begins with a line break: only behind those need be looked.
        !bytes.split(|byte| *byte == b'\r').skip(1).any(|line| line.starts_with(delimiter.as_bytes()))
    };
    { candidates }.find(is_free).expect("a file of finitely many bytes holds finitely many boundaries")
}

/// Where an upload went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) uuid: String,
    pub(crate) url: String,
    pub(crate) secret: Option<String>,
}

/// The answer to an upload (rest.md A.4).
pub(crate) fn read_stored(answer: &HttpAnswer) -> Result<Stored, Refusal> {
    #[derive(Deserialize)]
    struct UploadAnswer {
        uri: String,
        entities: Vec<Entity>,
    }
    #[derive(Deserialize)]
    struct Entity {
        uuid: String,
        #[serde(rename = "share-secret", default)]
        share_secret: Option<String>,
    }
    let UploadAnswer { uri, entities } = answer.read()?;
    let entity = { entities }.into_iter().next();
    let Some(Entity { uuid, share_secret }) = entity else {
        return Err(Refusal::Unreadable("the answer to the upload names no file".to_owned()));
    };
    let secret = share_secret.filter(|secret| !secret.is_empty());
    Ok(Stored { url: format!("{}/{uuid}", uri.trim_end_matches('/')), uuid, secret })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::ours(
        "http://127.0.0.1:1/o/a/chatfiles/u",
        Some("S"),
        "http://rest/o/a/chatfiles/u?em-redirect=true&share-secret=S"
    )]
    #[case::no_secret("https://example.test/a/b.png", None, "http://rest/a/b.png?em-redirect=true")]
    #[case::with_a_query(
        "https://example.test/a?x=1",
        Some("S"),
        "http://rest/a?x=1&em-redirect=true&share-secret=S"
    )]
    #[case::no_path("https://example.test", None, "https://example.test")]
    #[case::nothing("", None, "")]
    #[case::wide("爱爱爱/爱", None, "http://rest/爱?em-redirect=true")]
    fn addresses_are_moved_to_our_base(
        #[case] sent: &str,
        #[case] secret: Option<&str>,
        #[case] shown: &str,
    ) {
        assert_eq!(our_url("http://rest/", sent, secret), shown);
    }

    #[test]
    fn a_file_that_holds_our_boundary_gets_another() {
        let plain = File { name: "a\"b\r\n.png".into(), media_type: "image/png".into(), bytes: "x".into() };
        let first = plain.multipart();
        let boundary = first.media_type.strip_prefix("multipart/form-data; boundary=").expect("a boundary");
        let inside: String = first.pieces.iter().map(|piece| String::from_utf8_lossy(piece)).collect();
        assert!(inside.contains(r#"filename="a%22b%0D%0A.png""#), "{inside}");
        let tricky = format!("\r\n--{boundary}--\r\n");
        let second = File { bytes: tricky.into(), ..plain }.multipart();
        assert_ne!(first.media_type, second.media_type);
    }
}
