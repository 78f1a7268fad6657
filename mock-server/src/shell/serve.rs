//! The server's thread: accepts, serves each socket, and carries out what other threads order.

use std::error::Error as _;
use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::http1::{self, Parts};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWrite as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::LocalOptions;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::door::{self, Hello};
use super::http::{NoAnswer, Upgraded};
use super::listen::{Entrance, Listeners, Speaks};
use super::signals::Signals;
use super::state::{Keeper, Opening};
use super::stream::Stream;
use super::tls::{self, Identity, Taken};
use super::world::{Member, not_quiet};
use super::worlds::{Admitted, CONNECTIONS_MAX, Worlds};
use super::ws::{Arrival, Conn, Wrapped};
use super::{Options, Order, http};
use crate::control::{CommandsRefused, ControlError};
use crate::machine::{AppKey, Close, ConnId};

/// How long a peer may take over a request's head, or over saying goodbye.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
const GOODBYE_WITHIN: Duration = Duration::from_secs(5);
/// Short enough to go unnoticed, long enough not to spin.
pub(super) const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// As SockJS servers do (wire-3x §1.1).
const HEARTBEAT_EVERY: Duration = Duration::from_secs(25);
/// RFC 6455 §7.4.1: a rule of ours was broken.
const CLOSE_POLICY: u16 = 1008;

/// What may end a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// [`Order::Stop`] alone.
    Ordered,
    /// That, or whatever tells a program to end.
    Signalled,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    /// The number of connections whose task panicked: each is a bug of ours.
    pub(super) panics: usize,
    /// Its worlds were to be kept and are not, which was told.
    pub(super) unsaved: bool,
}

/// Serves until it is told to stop.
pub(super) fn run(
    listeners: Listeners,
    options: Options,
    opening: Option<Opening>,
    until: Until,
    orders: UnboundedReceiver<Order>,
) -> Ended {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    match runtime {
        Ok(runtime) => runtime.block_on(serve(listeners, options, opening, until, orders)),
        Err(error) => {
            tracing::error!("no runtime can be had: {error}");
            Ended::default()
        }
    }
}

async fn serve(
    listeners: Listeners,
    mut options: Options,
    opening: Option<Opening>,
    until: Until,
    mut orders: UnboundedReceiver<Order>,
) -> Ended {
    let ((listener, entrance), control, identity) = match entered(listeners) {
        Ok(listeners) => listeners,
        Err(error) => {
            tracing::error!("cannot listen: {error}");
            return Ended::default();
        }
    };
    let first_frame_within = options.first_frame_within;
    // Port 0 has become another.
    options.listen.set_port(entrance.port);
    let worlds = Rc::new(Worlds::new(options, identity));
    let mut keeper = match opening.map(|opening| Keeper::begin(&worlds, opening)).transpose() {
        Ok(keeper) => keeper,
        Err(error) => {
            tracing::error!("the worlds are not loaded: {error}");
            return Ended { panics: 0, unsaved: true };
        }
    };
    let mut signals = match until {
        Until::Ordered => None,
        Until::Signalled => match Signals::new() {
            Ok(signals) => Some(signals),
            Err(error) => {
                tracing::warn!("nothing will be saved at a signal, which cannot be heard: {error}");
                None
            }
        },
    };
    let mut heartbeat = tokio::time::interval(HEARTBEAT_EVERY);
    loop {
        tokio::select! {
            accepted = listener.accept() => accept(&worlds, accepted, entrance, first_frame_within).await,
            (accepted, entrance) = accepted(control.as_ref()) => {
                accept(&worlds, accepted, entrance, first_frame_within).await;
            }
            order = orders.recv() => match order {
                None | Some(Order::Stop) => break,
                Some(order) => carry_out(&worlds, order),
            },
            _ = heartbeat.tick() => worlds.heartbeat(),
            () = Keeper::due(&mut keeper) => {
                if let Some(keeper) = &mut keeper {
                    keeper.save_if_changed(&worlds).await;
                }
            }
            () = Signals::came(&mut signals) => break,
        }
    }
    // Nobody comes any more. What is handled before the last save is in it; behind it there is no more turn for anybody:
    // the links go with the process, as at a restart, and clients come again.
    drop((listener, control));
    let saved = match keeper {
        Some(keeper) => keeper.finish(&worlds).await,
        None => true,
    };
    Ended { panics: worlds.panics(), unsaved: !saved }
}

type Listening = (TcpListener, Entrance);

fn entered(listeners: Listeners) -> io::Result<(Listening, Option<Listening>, Option<Identity>)> {
    let (clients, control) = listeners.entrances()?;
    let own = listeners.control.map(TcpListener::from_std).transpose()?;
    Ok(((TcpListener::from_std(listeners.clients)?, clients), own.zip(control), listeners.identity))
}

/// The next connection to a port that may not be there.
async fn accepted(listening: Option<&Listening>) -> (io::Result<(TcpStream, SocketAddr)>, Entrance) {
    match listening {
        Some((listener, entrance)) => (listener.accept().await, *entrance),
        None => pending().await,
    }
}

async fn accept(
    worlds: &Rc<Worlds>,
    accepted: io::Result<(TcpStream, SocketAddr)>,
    entrance: Entrance,
    first_frame_within: Duration,
) {
    let stream = match accepted {
        Ok((stream, _)) => stream,
        // Out of descriptors, most likely: those we have go on, and some will be given back.
        Err(error) => {
            tracing::warn!("cannot accept: {error}");
            #[expect(clippy::disallowed_methods, reason = "nothing tells when a descriptor is free")]
            tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            return;
        }
    };
    let Some(admitted) = Admitted::new(worlds) else {
        return tracing::warn!("a connection is refused: {} are open", CONNECTIONS_MAX);
    };
    // Frames are small and each is waited for.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("no TCP_NODELAY: {error}");
    }
    let worlds = Rc::clone(worlds);
    spawn_local(async move {
        let Some((stream, entrance)) = taken(&worlds, stream, entrance).await else { return };
        let upgraded = http1_connection(&worlds, stream, entrance).await;
        if let Some((socket, upgraded)) = upgraded {
            // A task of its own, so that what HTTP needed is freed for as long as the socket lives.
            spawn_local(async move {
                let _admitted = admitted;
                serve_socket(&worlds, Rc::new(socket), upgraded, first_frame_within).await;
            });
        }
    });
}

/// The connection as it turns out to be, on a port that speaks TLS.
async fn taken(worlds: &Worlds, stream: TcpStream, entrance: Entrance) -> Option<(Stream, Entrance)> {
    let identity = match entrance.speaks {
        Speaks::Http | Speaks::HttpByMistake => return Some((Stream::Plain(stream), entrance)),
        Speaks::Https => worlds.identity().expect("a port speaks TLS where there is a certificate"),
    };
    match tls::take(identity, stream).await {
        Ok(Taken::Tls(stream)) => Some((stream, entrance)),
        Ok(Taken::Plain(stream)) => Some((stream, Entrance { speaks: Speaks::HttpByMistake, ..entrance })),
        Err(why) => {
            // A browser that does not trust the certificate says so here, each time it tries.
            tracing::info!("a TLS connection did not come about: {why}");
            None
        }
    }
}

/// Serves requests until the connection ends or becomes a WebSocket.
async fn http1_connection(
    worlds: &Rc<Worlds>,
    stream: Stream,
    entrance: Entrance,
) -> Option<(Conn, Upgraded)> {
    let upgrade = http::Upgrade::default();
    let service = {
        let (worlds, upgrade) = (Rc::clone(worlds), upgrade.clone());
        service_fn(move |request| {
            let (worlds, upgrade) = (Rc::clone(&worlds), upgrade.clone());
            Box::pin(async move { http::answer(&worlds, entrance, &upgrade, request).await })
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
        Ok(()) => match upgrade.take() {
            Some(upgraded) => Some((Conn::new(stream, &read_buf, upgraded.door), upgraded)),
            None => {
                farewell(stream).await;
                None
            }
        },
        Err(error) => {
            let unanswered = error.source().and_then(|source| source.downcast_ref::<NoAnswer>());
            tracing::debug!("HTTP connection: {error}");
            if unanswered == Some(&NoAnswer::Reset)
                && let Err(error) = stream.tcp().set_zero_linger()
            {
                tracing::warn!("a connection is closed instead of reset: {error}");
            }
            None
        }
    }
}

/// TLS ends with a word; without it, a peer may take what it has for the half of something.
async fn farewell(stream: Stream) {
    match stream {
        Stream::Plain(_) => {}
        Stream::Tls(mut stream) => {
            let _unanswered =
                timeout(GOODBYE_WITHIN, poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx))).await;
        }
    }
}

async fn serve_socket(worlds: &Rc<Worlds>, conn: Rc<Conn>, upgraded: Upgraded, first_frame_within: Duration) {
    let Upgraded { door: _, opening, of } = upgraded;
    tokio::select! {
        biased;
        () = opening.opened() => {}
        () = conn.gone() => return,
    }
    conn.greet();
    let Ok(first) = timeout(first_frame_within, first_frames(&conn)).await else {
        return goodbye(conn, CLOSE_POLICY, "no PROVISION came").await;
    };
    let Some(frames) = first else { return };
    let mut frames = frames.into_iter();
    let Some(first) = frames.next() else { return };
    let Hello { app_key, user, token } = match door::hello(first.clone()) {
        Ok(hello) => hello,
        Err(turned) => {
            tracing::warn!("a socket is turned away: {}", turned.why);
            conn.send(turned.answer, &mut Wrapped::default());
            return goodbye(conn, CLOSE_POLICY, &turned.why).await;
        }
    };
    if let Some(own) = of.filter(|own| *own != app_key) {
        let why = format!("this address leads to {own}, and the login names {app_key}");
        tracing::warn!("a socket is turned away: {why}");
        return goodbye(conn, CLOSE_POLICY, &why).await;
    }
    let Some(world) = worlds.find_or_make(&app_key) else {
        return goodbye(conn, CLOSE_POLICY, "the server holds no more worlds").await;
    };
    let member = Member::new(Rc::clone(&world), &conn);
    let id = member.id();
    world.login_begins(worlds.catalog(), Some(id), &user, &token);
    for frame in std::iter::once(first).chain(frames) {
        world.frame(id, frame);
    }
    let feed = |id: ConnId, frame: Bytes| world.frame(id, frame);
    loop {
        match conn.next().await {
            Arrival::Frame(frame) => feed(id, frame),
            Arrival::Frames(frames) => frames.into_iter().for_each(|frame| feed(id, frame)),
            Arrival::End(Close::Cut) => return member.leave("cut by the server"),
            Arrival::End(Close::Reset) => {
                conn.reset();
                return member.leave("reset by the server");
            }
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

fn no_world_for(app_key: String) -> ControlError {
    ControlError::BadValue {
        what: "app_key",
        value: app_key,
        reason: "org#app is expected, and room for one more world",
    }
}

fn carry_out(worlds: &Rc<Worlds>, order: Order) {
    let made = |app_key: &str| AppKey::parse(app_key).and_then(|app_key| worlds.find_or_make(&app_key));
    let found = |app_key: &str| AppKey::parse(app_key).and_then(|app_key| worlds.find(&app_key));
    // An asker that has gone away needs no answer.
    match order {
        Order::Call(call) => call(worlds),
        Order::Control { app_key, control, answer } => {
            let key = AppKey::parse(&app_key);
            let outcome = key.and_then(|key| worlds.within(&key, |world| world.control(*control)));
            let _gone = answer.send(outcome.unwrap_or_else(|| Err(no_world_for(app_key))));
        }
        Order::Rules { app_key, answer } => {
            let _gone = answer.send(found(&app_key).map(|world| world.rules()).unwrap_or_default());
        }
        Order::Doors { app_key, answer } => {
            let _gone = answer.send(found(&app_key).map(|world| world.doors().list()).unwrap_or_default());
        }
        Order::ManualClock { app_key, now, answer } => {
            let outcome = made(&app_key).map_or(Ok(()), |world| world.set_clock(now));
            let _gone = answer.send(outcome);
        }
        Order::ControlAll { app_key, controls, answer } => {
            let (key, count) = (AppKey::parse(&app_key), controls.len());
            let outcome = key.and_then(|key| worlds.within(&key, |world| world.control_all(controls)));
            let none = || Err(CommandsRefused { index: 0, count, error: no_world_for(app_key) });
            let _gone = answer.send(outcome.unwrap_or_else(none));
        }
        Order::RunClock { app_key, answer } => {
            if let Some(world) = found(&app_key) {
                world.run_clock();
            }
            let _gone = answer.send(());
        }
        Order::Overview { app_key, answer } => {
            let _gone = answer.send(found(&app_key).map(|world| Box::new(world.overview())));
        }
        Order::Reset { app_key, answer } => {
            let world = AppKey::parse(&app_key).and_then(|app_key| worlds.reset(&app_key));
            let _gone = answer.send(world.is_some());
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
            let _gone = answer.send(found(&app_key).and_then(|world| world.journal()?.ok()));
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
