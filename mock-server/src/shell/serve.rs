//! The server's thread: accepts, serves each socket, and carries out what other threads order.

use std::error::Error as _;
use std::future::poll_fn;
use std::net::TcpListener as StdListener;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::http1::{self, Parts};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::LocalOptions;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::door;
use super::http::Reset;
use super::world::{Member, not_quiet};
use super::worlds::{Admitted, CONNECTIONS_MAX, Worlds};
use super::ws::{Arrival, Conn, Wrapped};
use super::{Options, Order, http};
use crate::control::ControlError;
use crate::machine::{AppKey, Close, ConnId};

/// How long a peer may take over a request's head, or over saying goodbye.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
const GOODBYE_WITHIN: Duration = Duration::from_secs(5);
/// Short enough to go unnoticed, long enough not to spin.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// As SockJS servers do (wire-3x §1.1).
const HEARTBEAT_EVERY: Duration = Duration::from_secs(25);
/// RFC 6455 §7.4.1: a rule of ours was broken.
const CLOSE_POLICY: u16 = 1008;

/// Serves until it is told to stop. Gives the number of connections whose task panicked: each is a bug of ours.
pub(super) fn run(listener: StdListener, options: Options, orders: UnboundedReceiver<Order>) -> usize {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    match runtime {
        Ok(runtime) => runtime.block_on(serve(listener, options, orders)),
        Err(error) => {
            tracing::error!("no runtime can be had: {error}");
            0
        }
    }
}

async fn serve(listener: StdListener, options: Options, mut orders: UnboundedReceiver<Order>) -> usize {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("cannot listen: {error}");
            return 0;
        }
    };
    let first_frame_within = options.first_frame_within;
    let worlds = Rc::new(Worlds::new(options));
    let mut heartbeat = tokio::time::interval(HEARTBEAT_EVERY);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => accept(&worlds, stream, first_frame_within),
                // Out of descriptors, most likely: those we have go on, and some will be given back.
                Err(error) => {
                    tracing::warn!("cannot accept: {error}");
                    #[expect(clippy::disallowed_methods, reason = "nothing tells when a descriptor is free")]
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                }
            },
            order = orders.recv() => match order {
                None | Some(Order::Stop) => return worlds.panics(),
                Some(order) => carry_out(&worlds, order),
            },
            _ = heartbeat.tick() => worlds.heartbeat(),
        }
    }
}

fn accept(worlds: &Rc<Worlds>, stream: TcpStream, first_frame_within: Duration) {
    let Some(admitted) = Admitted::new(worlds) else {
        return tracing::warn!("a connection is refused: {} are open", CONNECTIONS_MAX);
    };
    // Frames are small and each is waited for.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("no TCP_NODELAY: {error}");
    }
    let worlds = Rc::clone(worlds);
    spawn_local(async move {
        let upgraded = http1_connection(&worlds, stream).await;
        if let Some(socket) = upgraded {
            // A task of its own, so that what HTTP needed is freed for as long as the socket lives.
            spawn_local(async move {
                let _admitted = admitted;
                serve_socket(&worlds, Rc::new(socket), first_frame_within).await;
            });
        }
    });
}

/// Serves requests until the connection ends or becomes a WebSocket.
async fn http1_connection(worlds: &Rc<Worlds>, stream: TcpStream) -> Option<Conn> {
    let upgrade = http::Upgrade::default();
    let service = {
        let (worlds, upgrade) = (Rc::clone(worlds), upgrade.clone());
        service_fn(move |request| {
            let (worlds, upgrade) = (Rc::clone(&worlds), upgrade.clone());
            Box::pin(async move { http::answer(&worlds, &upgrade, request).await })
        })
    };
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    let outcome = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let Parts { io, read_buf, .. } = connection.into_parts();
    let stream = io.into_inner();
    match outcome {
        Ok(()) => upgrade.door().map(|door| Conn::new(stream, &read_buf, door)),
        Err(error) => {
            let is_reset = error.source().is_some_and(|source| source.is::<Reset>());
            tracing::debug!("HTTP connection: {error}");
            if is_reset && let Err(error) = stream.set_zero_linger() {
                tracing::warn!("a connection is closed instead of reset: {error}");
            }
            None
        }
    }
}

async fn serve_socket(worlds: &Rc<Worlds>, conn: Rc<Conn>, first_frame_within: Duration) {
    conn.greet();
    let Ok(first) = timeout(first_frame_within, first_frames(&conn)).await else {
        return goodbye(conn, CLOSE_POLICY, "no PROVISION came").await;
    };
    let Some(frames) = first else { return };
    let mut frames = frames.into_iter();
    let Some(first) = frames.next() else { return };
    let app_key = match door::world_of(first.clone()) {
        Ok(app_key) => app_key,
        Err(turned) => {
            tracing::warn!("a socket is turned away: {}", turned.why);
            conn.send(turned.answer, &mut Wrapped::default());
            return goodbye(conn, CLOSE_POLICY, &turned.why).await;
        }
    };
    let Some(world) = worlds.find_or_make(&app_key) else {
        return goodbye(conn, CLOSE_POLICY, "the server holds no more worlds").await;
    };
    let member = Member::new(Rc::clone(&world), &conn);
    let id = member.id();
    for frame in std::iter::once(first).chain(frames) {
        world.frame(id, frame);
    }
    let feed = |id: ConnId, frame: Bytes| world.frame(id, frame);
    loop {
        match conn.next().await {
            Arrival::Frame(frame) => feed(id, frame),
            Arrival::Frames(frames) => frames.into_iter().for_each(|frame| feed(id, frame)),
            Arrival::End(Close::Cut) => return member.leave("cut by the server"),
            Arrival::End(Close::Mute) => {
                conn.discard(usize::MAX).await;
                return member.leave("closed by the client, after the server fell mute");
            }
            Arrival::End(Close::Code(code)) => {
                member.leave("closed by the server");
                return goodbye(conn, code, "").await;
            }
            Arrival::Broken { code, why } => {
                tracing::warn!("{app_key}: a socket is closed: {why}");
                member.leave(&why);
                return goodbye(conn, code, &why).await;
            }
            Arrival::Gone(why) => {
                tracing::debug!("{app_key}: a socket is gone: {why}");
                return member.leave("closed by the client");
            }
        }
    }
}

/// The frames of the first message that holds any.
async fn first_frames(conn: &Rc<Conn>) -> Option<Vec<Bytes>> {
    loop {
        match conn.next().await {
            Arrival::Frame(frame) => return Some(vec![frame]),
            Arrival::Frames(frames) if frames.is_empty() => {}
            Arrival::Frames(frames) => return Some(frames),
            Arrival::Broken { code, why } => {
                tracing::warn!("a socket is closed: {why}");
                goodbye(Rc::clone(conn), code, &why).await;
                return None;
            }
            Arrival::End(_) | Arrival::Gone(_) => return None,
        }
    }
}

async fn goodbye(conn: Rc<Conn>, code: u16, why: &str) {
    // A peer that does not answer is dropped.
    let _unanswered = timeout(GOODBYE_WITHIN, conn.close(code, why)).await;
}

fn carry_out(worlds: &Rc<Worlds>, order: Order) {
    let made = |app_key: &str| AppKey::parse(app_key).and_then(|app_key| worlds.find_or_make(&app_key));
    let found = |app_key: &str| AppKey::parse(app_key).and_then(|app_key| worlds.find(&app_key));
    // An asker that has gone away needs no answer.
    match order {
        Order::Control { app_key, control, answer } => {
            let outcome = match made(&app_key) {
                Some(world) => world.control(*control),
                None => Err(ControlError::BadValue {
                    what: "app_key",
                    value: app_key,
                    reason: "org#app is expected, and room for one more world",
                }),
            };
            let _gone = answer.send(outcome);
        }
        Order::ManualClock { app_key, now, answer } => {
            if let Some(world) = made(&app_key) {
                world.set_clock(now);
            }
            let _gone = answer.send(());
        }
        Order::Advance { app_key, ms, answer } => {
            if let Some(world) = found(&app_key) {
                world.advance(ms);
            }
            let _gone = answer.send(());
        }
        Order::Quiet { app_key, within, answer } => {
            let world = found(&app_key);
            spawn_local(async move {
                let outcome = match world {
                    None => Ok(super::Quiet { mark: 0 }),
                    Some(world) => match timeout(within, world.quiet()).await {
                        Ok(quiet) => Ok(quiet),
                        Err(_) => Err(not_quiet(&world)),
                    },
                };
                let _gone = answer.send(outcome);
            });
        }
        Order::Rest { app_key, within, answer } => {
            let world = found(&app_key);
            spawn_local(async move {
                let rest = match world {
                    None => super::Rest { mark: 0, open: Vec::new(), reached: true },
                    Some(world) => {
                        let reached = timeout(within, world.rest()).await.is_ok();
                        super::Rest { mark: world.mark(), open: world.waits(), reached }
                    }
                };
                let _gone = answer.send(rest);
            });
        }
        Order::Tape { app_key, answer } => {
            let _gone = answer.send(found(&app_key).map(|world| world.tape()).unwrap_or_default());
        }
        Order::TapeLength { app_key, answer } => {
            let _gone = answer.send(made(&app_key).map(|world| world.tape_len()).unwrap_or_default());
        }
        Order::Journal { app_key, answer } => {
            let _gone = answer.send(found(&app_key).and_then(|world| world.journal()));
        }
        Order::Replay { entries, answer } => {
            let _gone = answer.send(worlds.replay(entries));
        }
        Order::Findings { app_key, answer } => {
            let _gone = answer.send(found(&app_key).map(|world| world.findings()).unwrap_or_default());
        }
        Order::DropWorld { app_key, answer } => {
            if let Some(app_key) = AppKey::parse(&app_key) {
                worlds.forget(&app_key);
            }
            let _gone = answer.send(());
        }
        Order::Stop => unreachable!("the loop ends on it"),
    }
}
