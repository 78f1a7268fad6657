//! The app's own server, which is asked before a message is taken (rest.md B.9): one answer to all, on loopback.
//!
//! One thread, one request at a time. It says what was wrong with a question, and never thinks about the answer.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::scenario::WebhookAnswer;

/// The largest question: a message may have 3 KB unless a scenario raises that, and JSON may escape each byte.
const REQUEST_BYTES_MAX: usize = 1 << 20;
const HEADERS_MAX: usize = 64;
/// How long a question may take to come whole; it comes from this machine.
const REQUEST_WITHIN: Duration = Duration::from_secs(5);
/// How many unanswered questions are kept open; no scenario means more, and the eldest is closed then.
const SILENT_MAX: usize = 64;
/// What every question holds (rest.md B.9).
const FIELDS: [&str; 9] =
    ["callId", "timestamp", "chat_type", "from", "to", "msg_id", "payload", "securityVersion", "security"];

/// A running endpoint; dropped, it stops.
#[derive(Debug)]
pub(super) struct Endpoint {
    addr: SocketAddr,
    heard: Arc<Mutex<Questions>>,
    /// Our own connection, behind which nothing is taken any more.
    last: Arc<Mutex<Option<SocketAddr>>>,
    thread: Option<JoinHandle<()>>,
}

/// What it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Questions {
    /// How often.
    pub(super) asked: u32,
    /// What was wrong with the first question that was not as documented.
    pub(super) wrong: Option<String>,
}

impl Endpoint {
    /// Listens, and gives everybody this answer.
    pub(super) fn start(answer: WebhookAnswer) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let addr = listener.local_addr()?;
        let heard = Arc::new(Mutex::new(Questions::default()));
        let last = Arc::default();
        let (shared, ends) = (Arc::clone(&heard), Arc::clone(&last));
        let thread = std::thread::Builder::new()
            .name("webhook".into())
            .spawn(move || serve(&listener, &answer, &shared, &ends))?;
        Ok(Self { addr, heard, last, thread: Some(thread) })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// Stops, and says what was asked: whatever came before this is counted, though the thread may not have seen it when
    /// the one who asked no longer waits.
    pub(super) fn end(&mut self) -> Questions {
        self.stop();
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stop(&mut self) {
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            // It waits in `accept`; a connection wakes it, and a refused one means that it is gone already.
            *last = TcpStream::connect(self.addr).and_then(|stream| stream.local_addr()).ok();
        }
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the webhook's thread panicked, see above");
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(
    listener: &TcpListener,
    answer: &WebhookAnswer,
    heard: &Mutex<Questions>,
    last: &Mutex<Option<SocketAddr>>,
) {
    let mut unanswered: Vec<TcpStream> = Vec::new();
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        // Asked after each arrival, of which ours is one: it holds this while it connects.
        let ours = *last.lock().unwrap_or_else(PoisonError::into_inner);
        if ours.is_some() && stream.peer_addr().ok() == ours {
            return;
        }
        let question = question(&mut stream).map_err(|error| format!("no whole request came: {error}"));
        let wrong = question.and_then(|body| check(&body)).err();
        {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.asked = heard.asked.saturating_add(1);
            heard.wrong = heard.wrong.take().or(wrong);
        }
        match answer {
            WebhookAnswer::Silence => {
                if unanswered.len() == SILENT_MAX {
                    unanswered.remove(0);
                }
                unanswered.push(stream);
            }
            WebhookAnswer::Says { status, text } => {
                let length = text.len();
                let head = format!(
                    "HTTP/1.1 {status} \r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                // Whoever does not wait for the answer does not need it.
                let _sent =
                    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text.as_bytes()));
            }
        }
    }
}

/// The body of a POST.
fn question(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(REQUEST_WITHIN))?;
    let malformed = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Request::new(&mut headers);
        let parsed = head.parse(&bytes).map_err(|error| malformed(error.to_string()))?;
        if let httparse::Status::Complete(body_at) = parsed {
            if head.method != Some("POST") {
                return Err(malformed(format!("expected POST, got {}", head.method.unwrap_or_default())));
            }
            let value = |name: &str| {
                let header = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
                header.and_then(|header| std::str::from_utf8(header.value).ok())
            };
            let kind = value("content-type").unwrap_or_default();
            if !kind.starts_with("application/json") {
                return Err(malformed(format!("content-type: expected application/json, got {kind:?}")));
            }
            let length = value("content-length").and_then(|length| length.parse::<usize>().ok());
            let length = length.ok_or_else(|| malformed("no content-length".to_owned()))?;
            if bytes.len() - body_at >= length {
                return Ok(bytes[body_at..body_at + length].to_vec());
            }
        }
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(malformed(format!("more than {REQUEST_BYTES_MAX} bytes")));
        }
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

fn check(body: &[u8]) -> Result<(), String> {
    let question: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    match FIELDS.iter().find(|name| question.get(**name).is_none_or(Value::is_null)) {
        None => Ok(()),
        Some(missing) => Err(format!("{missing}: expected any value, got nothing in {question}")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const WHOLE: &str = r#"{"callId":"a","timestamp":1,"chat_type":"chat","from":"a","to":"b","msg_id":"1","payload":{},"securityVersion":"1.0.0","security":"x"}"#;

    fn ask(endpoint: &Endpoint, kind: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(endpoint.addr).expect("it listens");
        let head = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("a request");
        // In two pieces, as a network may have it.
        let (first, rest) = body.split_at(body.len() / 2);
        stream.write_all(first.as_bytes()).expect("a request");
        stream.write_all(rest.as_bytes()).expect("a request");
        stream
    }

    #[test]
    fn everybody_gets_the_answer() {
        let text = r#"{"valid":false,"code":"no"}"#.to_owned();
        let mut endpoint = Endpoint::start(WebhookAnswer::Says { status: 200, text }).expect("a free port");
        for _ in 1..=2 {
            let mut answer = String::new();
            ask(&endpoint, "application/json", WHOLE).read_to_string(&mut answer).expect("an answer");
            assert!(answer.starts_with("HTTP/1.1 200 \r\n"), "{answer}");
            assert!(answer.ends_with("\r\n\r\n{\"valid\":false,\"code\":\"no\"}"), "{answer}");
        }
        assert_eq!(endpoint.end(), Questions { asked: 2, wrong: None });
    }

    #[test]
    fn who_gives_up_at_once_has_asked() {
        let mut endpoint = Endpoint::start(WebhookAnswer::Silence).expect("a free port");
        for _ in 0..20 {
            drop(ask(&endpoint, "application/json", WHOLE));
        }
        assert_eq!(endpoint.end(), Questions { asked: 20, wrong: None });
    }

    #[test]
    fn silence_ends_with_the_scenario() {
        let endpoint = Endpoint::start(WebhookAnswer::Silence).expect("a free port");
        let mut stream = ask(&endpoint, "application/json", WHOLE);
        drop(endpoint);
        // Closed without a word: an end, or a reset where the system says so.
        assert!(!matches!(stream.read(&mut [0; 1]), Ok(1..)));
    }

    #[rstest]
    #[case(
        "application/json",
        "{\"callId\":\"a\"}",
        "timestamp: expected any value, got nothing in {\"callId\":\"a\"}"
    )]
    #[case("application/json", "rubbish", "the body is not JSON: ")]
    #[case(
        "text/plain",
        WHOLE,
        "no whole request came: content-type: expected application/json, got \"text/plain\""
    )]
    fn a_question_that_is_not_as_documented_is_told(
        #[case] kind: &str,
        #[case] body: &str,
        #[case] said: &str,
    ) {
        let endpoint = Endpoint::start(WebhookAnswer::Says { status: 200, text: "{}".to_owned() });
        let mut endpoint = endpoint.expect("a free port");
        let mut answer = String::new();
        // A request that is not read to its end may be reset after its answer.
        let _read = ask(&endpoint, kind, body).read_to_string(&mut answer);
        let wrong = endpoint.end().wrong.expect("something is wrong");
        assert!(wrong.starts_with(said), "{wrong}");
    }
}
