//! The client's frames, encoded once and patched for each message, and a reader that takes from the server's
//! frames just what the next frame needs.
//!
//! It never decodes a whole message: the load must cost less than the server that it measures, so nothing
//! here allocates after login. What it does read it checks (status, local id, the delivered payload), since
//! a fast server that answers wrongly must not look fast.

use std::ops::Range;

use fixtures::wire::{
    self, AUTH_PREFIX, CONFERENCE_DOMAIN, CommSyncUl, EncryptType, Jid, MSync, MessageBody, Meta, Provision,
    USER_DOMAIN, m_sync, message_body, meta, provision,
};
use prost::Message as _;

/// Local ids count from here as the SDKs' do: milliseconds since 2010 (wire-3x §3.5). From 2^35 to 2^42 a
/// varint is six bytes long, so that an id can be patched in place.
const FIRST_ID: u64 = 530_000_000_000;
/// How many bytes the varint of an id takes.
const ID_BYTES: usize = 6;
/// The id's decimal digits in the text, so that each message differs in its payload too.
const ID_DIGITS: usize = 12;

/// One device of one user.
pub(crate) struct Identity {
    jid: Jid,
    resource: String,
}

impl Identity {
    /// User `name` of `app_key` (`org#app`) at a device of that name.
    pub(crate) fn new(app_key: &str, name: &str) -> Self {
        let resource = format!("webim_{name}");
        Self { jid: jid(app_key, name, Some(resource.clone())), resource }
    }

    /// The login frame, with the fields that SDK 3.6.3 sends (wire-3x §2.2).
    pub(crate) fn provision(&self) -> Vec<u8> {
        let auth = format!("{AUTH_PREFIX}token-of-the-bench");
        let payload = Provision {
            os_type: Some(provision::OsType::OsOther.into()),
            version: Some("3.6.3".to_owned()),
            compress_type: vec![provision::CompressType::CompressNone.into()],
            encrypt_type: vec![EncryptType::EncryptNone.into()],
            device_uuid: Some(self.resource.clone()),
            device_name: Some(self.resource.clone()),
            resource: Some(self.resource.clone()),
            auth: Some(auth.clone()),
            ..Provision::default()
        };
        MSync {
            guid: Some(self.jid.clone()),
            auth: Some(auth),
            device_id: Some(0),
            ..msync(m_sync::Command::Provision, Some(payload.encode_to_vec()))
        }
        .encode_to_vec()
    }
}

/// The frame that asks for unread queues; each client sends it after its login.
pub(crate) fn unread() -> Vec<u8> {
    msync(m_sync::Command::Unread, None).encode_to_vec()
}

/// A text message from one user to another, with a new local id each time.
pub(crate) struct Text {
    frame: Vec<u8>,
    id: u64,
    id_at: Range<usize>,
    digits_at: Range<usize>,
    payload_at: Range<usize>,
}

/// Who a text goes to.
#[derive(Clone, Copy)]
pub(crate) enum To<'a> {
    User(&'a str),
    Group(&'a str),
}

impl Text {
    /// The frame as SDK 3.6.3 writes it (wire-3x §3.5 and §4), about 190 bytes.
    pub(crate) fn new(app_key: &str, from: &Identity, to: To<'_>) -> Self {
        let (to, kind, domain) = match to {
            To::User(name) => (name, message_body::Type::Chat, USER_DOMAIN),
            To::Group(id) => (id, message_body::Type::Groupchat, CONFERENCE_DOMAIN),
        };
        let to_jid = Jid { domain: Some(domain.to_owned()), ..jid(app_key, to, None) };
        let name = |name: Option<&str>| Some(Jid { name: name.map(str::to_owned), ..Jid::default() });
        let digits = FIRST_ID.to_string();
        let content = message_body::Content {
            r#type: Some(message_body::content::Type::Text.into()),
            text: Some(format!("message {digits}, 你好")),
            ..message_body::Content::default()
        };
        let body = MessageBody {
            r#type: Some(kind.into()),
            from: name(from.jid.name.as_deref()),
            to: name(Some(to)),
            contents: vec![content],
            ..MessageBody::default()
        };
        let body = body.encode_to_vec();
        let meta = Meta {
            id: Some(FIRST_ID),
            from: Some(from.jid.clone()),
            to: Some(to_jid),
            ns: Some(meta::NameSpace::Chat.into()),
            payload: Some(body.clone().into()),
            ..Meta::default()
        };
        let sync = CommSyncUl { meta: Some(meta), ..CommSyncUl::default() };
        let frame = MSync {
            guid: Some(from.jid.clone()),
            ..msync(m_sync::Command::Sync, Some(sync.encode_to_vec()))
        }
        .encode_to_vec();

        let mut varint = Vec::with_capacity(ID_BYTES);
        push_varint(&mut varint, FIRST_ID);
        let at = |part: &[u8]| {
            let start = frame.windows(part.len()).position(|window| window == part);
            start.map(|start| start..start + part.len()).expect("the frame holds what it was made from")
        };
        let (id_at, digits_at, payload_at) = (at(&varint), at(digits.as_bytes()), at(&body));
        Self { id: FIRST_ID, id_at, digits_at, payload_at, frame }
    }

    /// Moves on to the next message and gives its frame.
    pub(crate) fn next(&mut self) -> &[u8] {
        self.id += 1;
        let (mut varint, mut decimal) = (self.id, self.id);
        let bytes = &mut self.frame[self.id_at.clone()];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = (varint & 0x7f) as u8 | if i + 1 < ID_BYTES { 0x80 } else { 0 };
            varint >>= 7;
        }
        debug_assert_eq!(self.digits_at.len(), ID_DIGITS);
        for digit in self.frame[self.digits_at.clone()].iter_mut().rev() {
            *digit = b'0' + (decimal % 10) as u8;
            decimal /= 10;
        }
        &self.frame
    }

    /// The local id of the message that [`Text::next`] gave last.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The message's body, which the server must deliver byte for byte.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.frame[self.payload_at.clone()]
    }
}

/// Writes the frame that pulls `queue` (a JID's bytes as the server wrote them) into `out`; with `key`, it
/// acknowledges the page that had that key.
pub(crate) fn pull(queue: &[u8], key: Option<u64>, sync: &mut Vec<u8>, out: &mut Vec<u8>) {
    sync.clear();
    if let Some(key) = key {
        sync.push(0x10);
        push_varint(sync, key);
    }
    sync.push(0x1a);
    push_varint(sync, queue.len() as u64);
    sync.extend_from_slice(queue);

    out.clear();
    out.extend_from_slice(&[0x08, 0x00, 0x40, 0x00, 0x4a]);
    push_varint(out, sync.len() as u64);
    out.extend_from_slice(sync);
    out.extend_from_slice(&[0x58, 0x00]);
}

/// A frame of the server, as far as the load cares.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// The login's answer, or the answer to UNREAD.
    Ready,
    /// The answer to a send: the local id that it names.
    Answer(Option<u64>),
    /// The JID of the queue that has something.
    Notice(&'a [u8]),
    /// A page with messages: the body of the first, and the key to give back.
    Page(&'a [u8], u64),
    /// The page that ends a queue.
    Last,
}

/// Reads one frame. An error says what is wrong with it, in words.
pub(crate) fn read(frame: &[u8]) -> Result<Heard<'_>, String> {
    let (mut command, mut payload) = (0, &frame[..0]);
    for field in Fields(frame) {
        match field? {
            (8, Value::Varint(value)) => command = value,
            (9, Value::Bytes(bytes)) => payload = bytes,
            _ => {}
        }
    }
    match command {
        0 => read_sync(payload),
        1 | 3 => {
            let status = if command == 1 { 1 } else { 8 };
            match find(payload, status)?.map(error_code).transpose()? {
                None | Some(0) => Ok(Heard::Ready),
                Some(code) => Err(format!("the server refuses the login: status {code}")),
            }
        }
        2 => find(payload, 1)?.map(Heard::Notice).ok_or_else(|| "a NOTICE names no queue".to_owned()),
        other => Err(format!("a frame with the unknown command {other}")),
    }
}

fn read_sync(payload: &[u8]) -> Result<Heard<'_>, String> {
    let (mut id, mut meta, mut key, mut last) = (None, None, None, false);
    for field in Fields(payload) {
        match field? {
            (1, Value::Bytes(status)) => {
                let code = error_code(status)?;
                if code != 0 {
                    return Err(format!("the server refuses a frame: status {code}"));
                }
            }
            (2, Value::Varint(value)) => id = Some(value),
            (4, Value::Bytes(bytes)) => meta = meta.or(Some(bytes)),
            (5, Value::Varint(value)) => key = Some(value),
            (7, Value::Varint(value)) => last = value != 0,
            _ => {}
        }
    }
    match (meta, key) {
        (Some(meta), Some(key)) => {
            let body = find(meta, 6)?.ok_or_else(|| "a delivered message has no payload".to_owned())?;
            Ok(Heard::Page(body, key))
        }
        (Some(_), None) => Err("a page with messages has no nextKey".to_owned()),
        (None, _) if last => Ok(Heard::Last),
        (None, _) => Ok(Heard::Answer(id)),
    }
}

fn error_code(status: &[u8]) -> Result<u64, String> {
    for field in Fields(status) {
        if let (1, Value::Varint(code)) = field? {
            return Ok(code);
        }
    }
    Ok(0)
}

fn find(message: &[u8], number: u64) -> Result<Option<&[u8]>, String> {
    for field in Fields(message) {
        match field? {
            (found, Value::Bytes(bytes)) if found == number => return Ok(Some(bytes)),
            _ => {}
        }
    }
    Ok(None)
}

#[derive(Debug, PartialEq, Eq)]
enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The top-level fields of a protobuf message, in the order they stand.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| "a frame that is not protobuf".to_owned()))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        Some((tag >> 3, value))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for (i, byte) in self.0.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte & 0x80 == 0 {
                self.0 = &self.0[i + 1..];
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }
}

fn msync(command: m_sync::Command, payload: Option<Vec<u8>>) -> MSync {
    MSync {
        version: Some(m_sync::Version::MsyncV1.into()),
        command: Some(command.into()),
        payload: payload.map(Into::into),
        encrypt_type: vec![EncryptType::EncryptNone.into()],
        ..MSync::default()
    }
}

fn jid(app_key: &str, name: &str, client_resource: Option<String>) -> Jid {
    Jid {
        app_key: Some(app_key.to_owned()),
        name: Some(name.to_owned()),
        domain: Some(USER_DOMAIN.to_owned()),
        client_resource,
    }
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The frames of a server, encoded once: what the bare relay sends whatever it hears.
pub(crate) struct Fixed {
    pub(crate) provisioned: Vec<u8>,
    pub(crate) unread: Vec<u8>,
    pub(crate) answer: Vec<u8>,
    pub(crate) notice: Vec<u8>,
    pub(crate) page: Vec<u8>,
    pub(crate) last: Vec<u8>,
}

impl Fixed {
    /// As long as what a server sends for [`Text`], field for field as in `fixtures/frames` (case
    /// `txt-single` of 3.6.3).
    pub(crate) fn new(app_key: &str) -> Self {
        /// Above 2^53, as the vendor's are.
        const SERVER_ID: u64 = 1_160_000_000_020_971_525;
        const TIMESTAMP_MS: u64 = 1_795_389_514_369;
        let from = Identity::new(app_key, "sender-00");
        let text = Text::new(app_key, &from, To::User("receiver-00"));
        let queue = Some(jid(app_key, "sender-00", None));
        let status = Some(wire::Status { error_code: Some(0), ..wire::Status::default() });
        let downlink = |command, payload: Vec<u8>| {
            MSync { encrypt_type: Vec::new(), ..msync(command, Some(payload)) }.encode_to_vec()
        };
        let provisioned = Provision {
            status: status.clone(),
            resource: Some(from.resource.clone()),
            ..Provision::default()
        };
        let unread =
            wire::CommUnreadDl { status: status.clone(), unread: Vec::new(), timestamp: Some(TIMESTAMP_MS) };
        let answer = wire::CommSyncDl {
            status: status.clone(),
            meta_id: Some(FIRST_ID),
            server_id: Some(SERVER_ID),
            timestamp: Some(TIMESTAMP_MS),
            ..wire::CommSyncDl::default()
        };
        let meta = Meta {
            id: Some(SERVER_ID),
            from: Some(from.jid.clone()),
            to: Some(jid(app_key, "receiver-00", None)),
            timestamp: Some(TIMESTAMP_MS),
            ns: Some(meta::NameSpace::Chat.into()),
            payload: Some(text.payload().to_vec().into()),
            ..Meta::default()
        };
        let page = wire::CommSyncDl {
            status: status.clone(),
            metas: vec![meta],
            next_key: Some(1_001),
            queue: queue.clone(),
            is_last: Some(false),
            ..wire::CommSyncDl::default()
        };
        let last = wire::CommSyncDl {
            status,
            queue: queue.clone(),
            is_last: Some(true),
            ..wire::CommSyncDl::default()
        };
        let notice = wire::CommNotice { queue };
        Self {
            provisioned: downlink(m_sync::Command::Provision, provisioned.encode_to_vec()),
            unread: downlink(m_sync::Command::Unread, unread.encode_to_vec()),
            answer: downlink(m_sync::Command::Sync, answer.encode_to_vec()),
            notice: downlink(m_sync::Command::Notice, notice.encode_to_vec()),
            page: downlink(m_sync::Command::Sync, page.encode_to_vec()),
            last: downlink(m_sync::Command::Sync, last.encode_to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fixtures::wire::Frame;

    #[test]
    fn a_patched_text_is_a_valid_frame_with_its_own_id_and_words() {
        let from = Identity::new("org#app", "ann");
        let mut text = Text::new("org#app", &from, To::User("ben"));
        text.next();
        let frame = text.next().to_vec();
        let frame = Frame::decode(frame.into()).unwrap();
        let sync = CommSyncUl::decode(frame.msync.payload.unwrap()).unwrap();
        let meta = sync.meta.unwrap();
        assert_eq!(meta.id, Some(FIRST_ID + 2));
        assert_eq!(meta.payload.as_deref(), Some(text.payload()));
        let body = MessageBody::decode(meta.payload.unwrap()).unwrap();
        assert_eq!(body.contents[0].text.as_deref(), Some("message 530000000002, 你好"));
    }

    #[test]
    fn a_pull_written_by_hand_is_what_the_schema_writes() {
        let queue = jid("org#app", "ann", None);
        let (mut sync, mut out) = (Vec::new(), Vec::new());
        for key in [None, Some(1), Some(u64::MAX)] {
            pull(&queue.encode_to_vec(), key, &mut sync, &mut out);
            let by_schema = CommSyncUl { key, queue: Some(queue.clone()), ..CommSyncUl::default() };
            let by_schema = msync(m_sync::Command::Sync, Some(by_schema.encode_to_vec())).encode_to_vec();
            assert_eq!(out, by_schema);
        }
    }

    #[test]
    fn each_frame_of_the_exchange_is_recognised() {
        let fixed = Fixed::new("org#app");
        let queue = jid("org#app", "sender-00", None).encode_to_vec();
        assert_eq!(read(&fixed.provisioned), Ok(Heard::Ready));
        assert_eq!(read(&fixed.unread), Ok(Heard::Ready));
        assert_eq!(read(&fixed.answer), Ok(Heard::Answer(Some(FIRST_ID))));
        assert_eq!(read(&fixed.notice), Ok(Heard::Notice(&queue)));
        assert!(matches!(read(&fixed.page), Ok(Heard::Page(_, 1_001))));
        assert_eq!(read(&fixed.last), Ok(Heard::Last));
    }

    #[test]
    fn a_refusal_and_a_broken_frame_are_errors() {
        let status = wire::Status { error_code: Some(12), ..wire::Status::default() };
        let refused = Provision { status: Some(status), ..Provision::default() };
        let refused = msync(m_sync::Command::Provision, Some(refused.encode_to_vec())).encode_to_vec();
        assert_eq!(read(&refused), Err("the server refuses the login: status 12".to_owned()));
        let fixed = Fixed::new("org#app");
        assert!(read(&fixed.answer[..fixed.answer.len() - 1]).is_err());
    }
}
