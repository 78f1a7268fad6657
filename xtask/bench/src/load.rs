//! The load: pairs of logged-in users, each with one message in flight, in a process of its own.
//!
//! One message is the whole exchange of seven frames. It measures nothing of the server but what a client
//! sees, and the CPU time that the kernel says the server's process took meanwhile.

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::frames::{self, Heard, Identity, Text, To};
use crate::meter;
use crate::socket::{Door, Socket};

/// What to run.
pub(crate) struct Plan {
    pub(crate) addr: SocketAddr,
    pub(crate) door: Door,
    pub(crate) pairs: usize,
    /// Runs before anything counts, so that buffers, branch predictors and the allocator have settled.
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    /// The server's process.
    pub(crate) server_pid: u32,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Whole exchanges in the measured time.
    pub(crate) messages: usize,
    /// Exchanges from login to the end, the warm-up too: what counted system calls are divided by.
    pub(crate) messages_in_all: usize,
    pub(crate) per_second: f64,
    /// From the first byte of the send to the whole message at the other side, µs.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Server CPU per message, µs; none where the system does not tell.
    pub(crate) server_cpu_us: Option<f64>,
    /// The share of the measured time in which the server was on a core. Well below 1 at many pairs, the load
    /// is what was measured.
    pub(crate) server_busy: Option<f64>,
    /// Answers with another local id, or messages with another body, than were sent. The relay's are all so.
    pub(crate) mismatches: usize,
}

/// Logs the pairs in, runs them, and sums up.
pub(crate) async fn run(plan: &Plan) -> io::Result<Measured> {
    let mut pairs = Vec::with_capacity(plan.pairs);
    for serial in 0..plan.pairs {
        pairs.push(Pair::login(plan, serial).await?);
    }
    let start = now() + plan.warm_up;
    let end = start + plan.measured;
    let mut running = JoinSet::new();
    for pair in pairs {
        running.spawn(pair.run(start, end));
    }
    tokio::time::sleep_until(start.into()).await;
    let cpu_before = meter::cpu_seconds(plan.server_pid);
    tokio::time::sleep_until(end.into()).await;
    let cpu_after = meter::cpu_seconds(plan.server_pid);

    let (mut latencies, mut messages_in_all, mut mismatches) = (Vec::new(), 0, 0);
    while let Some(finished) = running.join_next().await {
        let tally = finished.map_err(io::Error::other)??;
        latencies.extend(tally.latencies);
        messages_in_all += tally.messages;
        mismatches += tally.mismatches;
    }
    latencies.sort_unstable();
    let messages = latencies.len();
    if messages == 0 {
        return Err(io::Error::other("no message was delivered within the measured time"));
    }
    let seconds = plan.measured.as_secs_f64();
    let cpu = cpu_before.zip(cpu_after).map(|(before, after)| after - before);
    Ok(Measured {
        messages,
        messages_in_all,
        per_second: messages as f64 / seconds,
        p50_us: percentile_us(&latencies, 0.50),
        p99_us: percentile_us(&latencies, 0.99),
        server_cpu_us: cpu.map(|cpu| cpu * 1e6 / messages as f64),
        server_busy: cpu.map(|cpu| cpu / seconds),
        mismatches,
    })
}

/// Logs `count` connections in, says so on stdout, and keeps them open until stdin ends.
pub(crate) async fn idle(addr: SocketAddr, door: Door, count: usize) -> io::Result<()> {
    let mut sockets = Vec::with_capacity(count);
    for serial in 0..count {
        sockets.push(
            login(addr, door, serial, &Identity::new(crate::APP_KEY, &format!("idle-{serial}"))).await?,
        );
    }
    println!("{count} connections are logged in");
    io::stdin().read_to_end(&mut Vec::new())?;
    drop(sockets);
    Ok(())
}

/// Two users, the first of whom sends to the second.
struct Pair {
    sender: Socket,
    receiver: Socket,
    text: Text,
    queue: Vec<u8>,
    sync: Vec<u8>,
    pull: Vec<u8>,
}

#[derive(Default)]
struct Tally {
    latencies: Vec<u64>,
    messages: usize,
    mismatches: usize,
}

impl Pair {
    /// A connection that is logged in and has asked for its queues.
    pub(crate) async fn login(plan: &Plan, serial: usize) -> io::Result<Self> {
        let (from, to) = (format!("sender-{serial:02}"), format!("receiver-{serial:02}"));
        let identity = Identity::new(crate::APP_KEY, &from);
        let sender = login(plan.addr, plan.door, 2 * serial, &identity).await?;
        let peer = Identity::new(crate::APP_KEY, &to);
        let receiver = login(plan.addr, plan.door, 2 * serial + 1, &peer).await?;
        let text = Text::new(crate::APP_KEY, &identity, To::User(&to));
        Ok(Self { sender, receiver, text, queue: Vec::new(), sync: Vec::new(), pull: Vec::new() })
    }

    async fn run(mut self, start: Instant, end: Instant) -> io::Result<Tally> {
        let mut tally = Tally::default();
        loop {
            let sent = now();
            if sent >= end {
                return Ok(tally);
            }
            let delivered = self.exchange(&mut tally.mismatches).await?;
            tally.messages += 1;
            if sent >= start && delivered < end {
                let nanos = delivered.duration_since(sent).as_nanos();
                tally.latencies.push(u64::try_from(nanos).unwrap_or(u64::MAX));
            }
        }
    }

    /// One message; gives the moment of its delivery. Answer and NOTICE leave the server together, so reading
    /// them one after the other costs the receiver nothing.
    async fn exchange(&mut self, mismatches: &mut usize) -> io::Result<Instant> {
        self.sender.send(self.text.next()).await?;
        match heard(&mut self.sender).await? {
            Heard::Answer(id) => *mismatches += usize::from(id != Some(self.text.id())),
            other => return Err(unexpected("the answer to a send", &other)),
        }
        match heard(&mut self.receiver).await? {
            Heard::Notice(queue) => {
                self.queue.clear();
                self.queue.extend_from_slice(queue);
            }
            other => return Err(unexpected("a NOTICE", &other)),
        }
        frames::pull(&self.queue, None, &mut self.sync, &mut self.pull);
        self.receiver.send(&self.pull).await?;
        let (delivered, key) = match heard(&mut self.receiver).await? {
            Heard::Page(body, key) => {
                let delivered = now();
                *mismatches += usize::from(body != self.text.payload());
                (delivered, key)
            }
            other => return Err(unexpected("a page with the message", &other)),
        };
        frames::pull(&self.queue, Some(key), &mut self.sync, &mut self.pull);
        self.receiver.send(&self.pull).await?;
        match heard(&mut self.receiver).await? {
            Heard::Last => Ok(delivered),
            other => Err(unexpected("the last page", &other)),
        }
    }
}

/// A connection that is logged in and has asked for its queues.
pub(crate) async fn login(addr: SocketAddr, door: Door, serial: usize, who: &Identity) -> io::Result<Socket> {
    let mut socket = Socket::connect(addr, door, serial).await?;
    for frame in [who.provision(), frames::unread()] {
        socket.send(&frame).await?;
        match heard(&mut socket).await? {
            Heard::Ready => {}
            other => return Err(unexpected("the answer to a login", &other)),
        }
    }
    Ok(socket)
}

/// The next frame.
pub(crate) async fn heard(socket: &mut Socket) -> io::Result<Heard<'_>> {
    let frame = socket.next().await?;
    frames::read(frame).map_err(io::Error::other)
}

fn unexpected(wanted: &str, got: &Heard<'_>) -> io::Error {
    io::Error::other(format!("{wanted} should come, but it was {got:?}"))
}

/// Of sorted nanoseconds; the smallest value that at least `share` of them do not exceed.
fn percentile_us(sorted_nanos: &[u64], share: f64) -> f64 {
    let rank = (sorted_nanos.len() as f64 * share).ceil() as usize;
    sorted_nanos[rank.clamp(1, sorted_nanos.len()) - 1] as f64 / 1e3
}

#[expect(clippy::disallowed_methods, reason = "time is what a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[7_000], 0.99, 7.0)]
    #[case(&[1_000, 2_000, 3_000, 4_000], 0.50, 2.0)]
    #[case(&[1_000, 2_000, 3_000, 4_000], 0.99, 4.0)]
    fn a_percentile_is_one_of_the_values(#[case] nanos: &[u64], #[case] share: f64, #[case] us: f64) {
        assert_eq!(percentile_us(nanos, share), us);
    }
}
