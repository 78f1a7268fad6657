//! The two doors: SockJS, and a plain WebSocket with binary messages (wire-3x §1.1, wire-4x §2).
//!
//! Addresses and wrapping; who says what through a door is the session's business.

use bytes::Bytes;
use fixtures::wire::sockjs::{self, ServerText, SockJsError};

use crate::client::WireMessage;
use crate::timer::Millis;

/// Where and how a client gets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// SockJS at a base address such as `http://127.0.0.1:4000/ws`: `GET {url}/info`, then a WebSocket below
    /// it with base64 in text messages.
    SockJs {
        /// `http:` or `https:`; a slash at the end is dropped.
        url: String,
    },
    /// A plain WebSocket at an address such as `ws://127.0.0.1:4000/websocket`, one frame a binary message.
    WebSocket {
        /// `ws:` or `wss:`.
        url: String,
    },
}

/// What a message through the door says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// SockJS: the session is open.
    Open,
    /// A frame.
    Frame(Bytes),
    /// Something that is neither.
    Unreadable(String),
    /// SockJS: the server goes.
    Farewell(String),
}

impl Door {
    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Self::SockJs { url } if !(url.starts_with("http://") || url.starts_with("https://")) => {
                Err(format!("a SockJS address begins with http:// or https://, not so {url:?}"))
            }
            Self::WebSocket { url } if !(url.starts_with("ws://") || url.starts_with("wss://")) => {
                Err(format!("a WebSocket address begins with ws:// or wss://, not so {url:?}"))
            }
            Self::SockJs { .. } | Self::WebSocket { .. } => Ok(()),
        }
    }

    /// The address to ask before dialling, if this door wants that.
    pub(crate) fn info_url(&self, now: Millis) -> Option<String> {
        match self {
            Self::SockJs { url } => Some(format!("{}/info?t={}", url.trim_end_matches('/'), now.0)),
            Self::WebSocket { .. } => None,
        }
    }

    /// The address to dial. `seed` makes the numbers in a SockJS address, which name the session there, so
    /// no two dials should share one.
    pub(crate) fn dial_url(&self, seed: u64) -> String {
        match self {
            Self::SockJs { url } => {
                let address = match url.strip_prefix("https://") {
                    Some(rest) => format!("wss://{rest}"),
                    None => format!("ws://{}", url.trim_start_matches("http://")),
                };
                let (server, session) = sockjs_session(seed);
                format!("{}/{server:03}/{session}/websocket", address.trim_end_matches('/'))
            }
            Self::WebSocket { url } => url.clone(),
        }
    }

    /// Whether the peer speaks first (SockJS: `o`).
    pub(crate) fn waits_for_open(&self) -> bool {
        match self {
            Self::SockJs { .. } => true,
            Self::WebSocket { .. } => false,
        }
    }

    pub(crate) fn wrap(&self, frame: Vec<u8>) -> WireMessage {
        match self {
            Self::SockJs { .. } => WireMessage::Text(sockjs::client_text(&frame)),
            Self::WebSocket { .. } => WireMessage::Binary(frame.into()),
        }
    }

    /// Everything in one message; an element that cannot be read costs none of its neighbours.
    pub(crate) fn unwrap(&self, message: WireMessage) -> Vec<Heard> {
        match (self, message) {
            (Self::SockJs { .. }, WireMessage::Text(text)) => unwrap_sockjs(&text),
            (Self::SockJs { .. }, WireMessage::Binary(_)) => {
                vec![Heard::Unreadable("a binary message, where SockJS sends text".to_owned())]
            }
            (Self::WebSocket { .. }, WireMessage::Binary(bytes)) => vec![Heard::Frame(bytes)],
            (Self::WebSocket { .. }, WireMessage::Text(_)) => {
                vec![Heard::Unreadable("a text message, where frames are binary".to_owned())]
            }
        }
    }
}

fn unwrap_sockjs(text: &str) -> Vec<Heard> {
    match sockjs::parse_server(text) {
        Ok(ServerText::Open) => vec![Heard::Open],
        Ok(ServerText::Heartbeat) => Vec::new(),
        Ok(ServerText::Messages(frames)) => frames.into_iter().map(Heard::Frame).collect(),
        Ok(ServerText::Close { code, reason }) => {
            vec![Heard::Farewell(format!("the server closed: {code} {reason}"))]
        }
        Err(SockJsError::Base64 { .. }) => one_by_one(text),
        Err(error @ SockJsError::Shape(_)) => vec![Heard::Unreadable(error.to_string())],
    }
}

/// The elements of an array of which at least one is not base64, each judged for itself.
fn one_by_one(text: &str) -> Vec<Heard> {
    let elements = text.strip_prefix(['a', 'm']).unwrap_or(text);
    let elements = match serde_json::from_str::<serde_json::Value>(elements) {
        Ok(serde_json::Value::Array(elements)) => elements,
        Ok(single) => vec![single],
        Err(error) => return vec![Heard::Unreadable(error.to_string())],
    };
    let single = |element: &serde_json::Value| match sockjs::parse_server(&format!("m{element}")) {
        Ok(ServerText::Messages(frames)) => frames.into_iter().map(Heard::Frame).collect(),
        Ok(ServerText::Open | ServerText::Heartbeat | ServerText::Close { .. }) => Vec::new(),
        Err(error) => vec![Heard::Unreadable(error.to_string())],
    };
    elements.iter().flat_map(single).collect()
}

/// Three digits and eight characters of `a-z0-5`, as sockjs-client makes them, out of a number.
fn sockjs_session(seed: u64) -> (u64, String) {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
    let mut bits = scramble(seed);
    let server = bits % 1000;
    bits = scramble(bits);
    let characters = (0..8).map(|place| char::from(ALPHABET[(bits >> (place * 5)) as usize % 32]));
    (server, characters.collect())
}

/// One step of SplitMix64: spreads neighbouring seeds over the whole range.
fn scramble(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn sockjs() -> Door {
        Door::SockJs { url: "http://127.0.0.1:4000/ws/".to_owned() }
    }

    #[test]
    fn sockjs_addresses_have_three_digits_and_eight_characters() {
        let door = sockjs();
        assert_eq!(door.info_url(Millis(7)).as_deref(), Some("http://127.0.0.1:4000/ws/info?t=7"));
        let url = door.dial_url(1);
        let parts: Vec<&str> =
            url.strip_prefix("ws://127.0.0.1:4000/ws/").expect("base").split('/').collect();
        assert_eq!((parts[0].len(), parts[1].len(), parts[2]), (3, 8, "websocket"), "{url}");
        assert_ne!(url, door.dial_url(2));
    }

    #[rstest]
    #[case::several(r#"a["AAE=","AAI="]"#, vec![Heard::Frame(vec![0, 1].into()), Heard::Frame(vec![0, 2].into())])]
    #[case::single(r#"m"AAE=""#, vec![Heard::Frame(vec![0, 1].into())])]
    #[case::heartbeat("h", vec![])]
    #[case::farewell(r#"c[3000,"Go away!"]"#, vec![Heard::Farewell("the server closed: 3000 Go away!".to_owned())])]
    fn sockjs_messages_are_taken_apart(#[case] text: &str, #[case] heard: Vec<Heard>) {
        assert_eq!(sockjs().unwrap(WireMessage::Text(text.to_owned())), heard);
    }

    #[test]
    fn an_element_that_is_not_base64_costs_none_of_its_neighbours() {
        let heard = sockjs().unwrap(WireMessage::Text(r#"a["AAE=","?","AAI="]"#.to_owned()));
        assert_eq!(heard.len(), 3);
        assert_eq!(heard[0], Heard::Frame(vec![0, 1].into()));
        assert!(matches!(heard[1], Heard::Unreadable(_)), "{heard:?}");
        assert_eq!(heard[2], Heard::Frame(vec![0, 2].into()));
    }
}
