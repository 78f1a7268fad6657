//! How the server's cost grows with its world: the same figures in a world and in one ten times as large.
//!
//! The small world is a tenth of what one world is made to bear: 10,000 users and 1,000 groups, a group of 3,000,
//! a conversation of 1,000,000 messages. The stage is set through the server's own control plane, and measured
//! through its doors like everything else.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::frames::{Heard, Identity, Text, To};
use crate::load::heard;
use crate::meter;
use crate::process::Server;
use crate::socket::{Door, Socket};
use crate::table::{Goal, Row};
use crate::{APP_KEY, load};

/// What a world holds.
struct Size {
    users: usize,
    groups: usize,
    big_group_members: usize,
    messages: usize,
}

const LARGE: Size = Size { users: 10_000, groups: 1_000, big_group_members: 3_000, messages: 1_000_000 };
const SMALL: Size = Size { users: 1_000, groups: 100, big_group_members: 300, messages: 100_000 };
/// Every member costs the same: ten times the members, at most ten times the time, and a little for noise.
const GROUP_GROWTH_MAX: f64 = 11.0;
/// What should cost the same in a large world, with room for caches that hold less of it.
const SAME_GROWTH_MAX: f64 = 1.5;
const GROUP_MESSAGES: usize = 2_000;
/// How often a request is made for its median.
const REQUESTS: usize = 400;
/// rest.md A.6: the largest page that 4.x documents.
const PAGE_MESSAGES: usize = 50;
/// What one control command may store.
const TEXTS_PER_COMMAND: usize = 10_000;
/// A body of about 100 KiB.
const COMMANDS_PER_REQUEST: usize = 1_000;

/// The figures of one world.
struct Measured {
    exchange_us: f64,
    group_send_us: f64,
    /// Resident memory for each message to the big group.
    group_message_kib: Option<f64>,
    newest_page_us: f64,
    oldest_page_us: f64,
    session_list_us: f64,
    /// Resident memory for each message of the long conversation.
    message_bytes: Option<f64>,
}

/// Measures both worlds in turns and gives a row for each figure.
pub(crate) fn rows(mock_server: &Path, rounds: usize) -> io::Result<Vec<Row>> {
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        small.push(world(mock_server, &SMALL)?);
        large.push(world(mock_server, &LARGE)?);
    }
    let row = |what: String, unit, goal, figure: fn(&Measured) -> Option<f64>| Row {
        what,
        unit,
        bare: small.iter().filter_map(figure).collect(),
        real: large.iter().filter_map(figure).collect(),
        goal,
    };
    let Size { users, groups, big_group_members, messages } = LARGE;
    let same = Goal::RatioAtMost(SAME_GROWTH_MAX);
    Ok(vec![
        row(format!("{users} users, {groups} groups: a text exchange"), "µs", same, |m| Some(m.exchange_us)),
        row(
            format!("group of {big_group_members}: a message"),
            "µs",
            Goal::RatioAtMost(GROUP_GROWTH_MAX),
            |m| Some(m.group_send_us),
        ),
        row(format!("group of {big_group_members}: memory a message"), "KiB", same, |m| m.group_message_kib),
        row(format!("{messages} messages: the newest page"), "µs", same, |m| Some(m.newest_page_us)),
        row(format!("{messages} messages: the oldest page"), "µs", same, |m| Some(m.oldest_page_us)),
        row(format!("{messages} messages: a session list"), "µs", same, |m| Some(m.session_list_us)),
        row(format!("{messages} messages: memory a message"), "bytes", same, |m| m.message_bytes),
    ])
}

fn world(mock_server: &Path, size: &Size) -> io::Result<Measured> {
    let mut command = Command::new(mock_server);
    command.args(["--listen", "127.0.0.1:0"]);
    let server = Server::start(command)?;
    let mut stage = Stage { http: Http::connect(server.addr)?, addr: server.addr };
    stage.people(size)?;
    let exchange_us = on_one_thread(stage.exchange(server.pid()))?;

    let before = meter::resident_kib(server.pid());
    let group_send_us = on_one_thread(stage.group_sends())?;
    let after = meter::resident_kib(server.pid());
    let group_message_kib = before.zip(after).map(|(before, after)| (after - before) / GROUP_MESSAGES as f64);

    let before = meter::resident_kib(server.pid());
    stage.conversation(size.messages)?;
    let after = meter::resident_kib(server.pid());
    let message_bytes =
        before.zip(after).map(|(before, after)| (after - before) * 1_024.0 / size.messages as f64);

    let token = stage.token("alice")?;
    let newest_page_us = stage.page_us(&token, &json!(-1))?;
    let near_the_first = stage.id_near_the_first(&token)?;
    let oldest_page_us = stage.page_us(&token, &near_the_first)?;
    let session_list_us = stage.session_list_us(&token)?;
    server.end()?;
    Ok(Measured {
        exchange_us,
        group_send_us,
        group_message_kib,
        newest_page_us,
        oldest_page_us,
        session_list_us,
        message_bytes,
    })
}

/// One world of a running server.
struct Stage {
    http: Http,
    addr: SocketAddr,
}

impl Stage {
    fn people(&mut self, size: &Size) -> io::Result<()> {
        let name = |serial: usize| format!("user-{serial}");
        let mut commands = vec![json!({ "settings": {
            "kept_messages_max": 4 * size.messages, "kept_bytes_max": 8_u64 << 30,
        } })];
        commands.extend(
            ["alice".to_owned(), "bob".to_owned()]
                .into_iter()
                .chain((0..size.users).map(name))
                .map(|name| json!({ "user": { "name": name, "password": "pw" } })),
        );
        commands.extend((0..size.groups).map(|serial| {
            let members: Vec<String> = (1..10).map(|n| name((serial * 10 + n) % size.users)).collect();
            json!({ "group": { "id": format!("g{serial}"), "owner": name(serial), "members": members } })
        }));
        let members: Vec<String> = (0..size.big_group_members - 1).map(name).collect();
        commands.push(json!({ "group": { "id": "big", "owner": "alice", "members": members } }));
        self.control(&commands)
    }

    fn conversation(&mut self, messages: usize) -> io::Result<()> {
        let text = json!({ "texts": {
            "from": "bob", "to": "alice", "text": "message #, 你好", "count": TEXTS_PER_COMMAND,
        } });
        for _ in 0..messages / TEXTS_PER_COMMAND {
            self.control(std::slice::from_ref(&text))?;
        }
        Ok(())
    }

    fn control(&mut self, commands: &[Value]) -> io::Result<()> {
        let path = format!("/_mock/{}/control", APP_KEY.replace('#', "/"));
        for some in commands.chunks(COMMANDS_PER_REQUEST) {
            self.http.ask("POST", &path, None, &json!(some))?;
        }
        Ok(())
    }

    /// The median time from a send to its delivery, of one pair among all those users.
    async fn exchange(&self, server_pid: u32) -> io::Result<f64> {
        let plan = load::Plan {
            addr: self.addr,
            door: Door::Binary,
            pairs: 1,
            warm_up: Duration::from_millis(100),
            measured: Duration::from_millis(500),
            server_pid,
        };
        Ok(load::run(&plan).await?.p50_us)
    }

    /// The mean time from a send to the big group to its answer. Nobody else is there: what is measured is the
    /// sender's side.
    async fn group_sends(&self) -> io::Result<f64> {
        let alice = Identity::new(APP_KEY, "alice");
        let mut socket = load::login(self.addr, Door::Binary, 0, &alice).await?;
        let mut text = Text::new(APP_KEY, &alice, To::Group("big"));
        let started = now();
        for _ in 0..GROUP_MESSAGES {
            socket.send(text.next()).await?;
            answered(&mut socket, &text).await?;
        }
        Ok(started.elapsed().as_secs_f64() * 1e6 / GROUP_MESSAGES as f64)
    }

    fn token(&mut self, user: &str) -> io::Result<String> {
        let grant = json!({ "grant_type": "password", "username": user, "password": "pw" });
        let answer = self.http.ask("POST", &path("/token"), None, &grant)?;
        let token = answer["access_token"].as_str();
        token.map(str::to_owned).ok_or_else(|| io::Error::other(format!("no token in {answer}")))
    }

    fn page(&mut self, token: &str, start: &Value, positive: bool) -> io::Result<Value> {
        let body = json!({
            "queue": "bob@easemob.com", "start": start, "end": -1, "pull_number": PAGE_MESSAGES, "is_positive": positive,
        });
        let mut answer = self.http.ask("POST", &path("/users/alice/messageroaming"), Some(token), &body)?;
        let messages = answer["data"]["msgs"].as_array().map_or(0, Vec::len);
        if messages != PAGE_MESSAGES {
            return Err(io::Error::other(format!("a page of {PAGE_MESSAGES} should come, not {messages}")));
        }
        Ok(answer["data"].take())
    }

    /// The median time of the page that begins there.
    fn page_us(&mut self, token: &str, start: &Value) -> io::Result<f64> {
        median_us(|| self.page(token, start, false).map(drop))
    }

    /// The key with which the oldest whole page begins: that of a page that was walked up from the first message.
    fn id_near_the_first(&mut self, token: &str) -> io::Result<Value> {
        let first = self.page(token, &json!(-1), true)?;
        let second = self.page(token, &first["next_key"], true)?;
        Ok(second["next_key"].clone())
    }

    fn session_list_us(&mut self, token: &str) -> io::Result<f64> {
        median_us(|| {
            self.http.ask("GET", &path("/users/alice/user_channels"), Some(token), &Value::Null).map(drop)
        })
    }
}

async fn answered(socket: &mut Socket, text: &Text) -> io::Result<()> {
    match heard(socket).await? {
        Heard::Answer(id) if id == Some(text.id()) => Ok(()),
        other => {
            Err(io::Error::other(format!("the answer to {} should come, but it was {other:?}", text.id())))
        }
    }
}

fn path(rest: &str) -> String {
    format!("/{}{rest}", APP_KEY.replace('#', "/"))
}

/// A kept-alive HTTP/1.1 connection, as plain as the answers that it reads: each has a Content-Length.
struct Http {
    stream: BufReader<TcpStream>,
    host: SocketAddr,
}

impl Http {
    fn connect(host: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host })
    }

    /// The JSON of a 200; any other status is an error with what was said.
    fn ask(&mut self, method: &str, path: &str, token: Option<&str>, body: &Value) -> io::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let authorization =
            token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{authorization}\
             Content-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.line()?;
        let mut length = 0;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        if !status.contains(" 200 ") {
            let said = String::from_utf8_lossy(&answer).into_owned();
            return Err(io::Error::other(format!("{method} {path}: {status}: {said}")));
        }
        serde_json::from_slice(&answer).map_err(io::Error::other)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

fn median_us(mut request: impl FnMut() -> io::Result<()>) -> io::Result<f64> {
    let mut times = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let started = now();
        request()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[REQUESTS / 2].as_secs_f64() * 1e6)
}

fn on_one_thread<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

#[expect(clippy::disallowed_methods, reason = "time is what a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}
