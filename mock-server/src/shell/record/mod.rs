//! `mock-server record`: stands between clients and a server that speaks the protocol, forwards everything as it is, and
//! writes what went by as bundles and drafts of scenarios, without its secrets.
//!
//! One thread forwards; files are written on another, and nothing that is forwarded waits for them.

mod draft;
mod files;
mod kept;
mod proxy;
mod redact;
mod sockets;
mod upstream;

use std::cell::RefCell;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime::LocalOptions;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle as Task, spawn_blocking, spawn_local};
use tracing_subscriber::filter::LevelFilter;

use super::serve::ACCEPT_AGAIN_AFTER;
use super::signals::Signals;
use files::Folder;
use kept::Kept;
use proxy::Proxy;
use upstream::Upstream;

pub use redact::Texts;
pub use upstream::Trust;

/// How a recorder is started.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// Where clients connect; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What is recorded: `http://HOST[:PORT]` or `https://…`.
    pub upstream: String,
    /// Where its sockets are, if elsewhere than its REST.
    pub upstream_sockets: Option<String>,
    /// Whose certificates are taken of it.
    pub trust: Trust,
    /// Where the files go; it is made.
    pub out: PathBuf,
    /// How often they are written while it runs.
    pub every: Duration,
    /// What becomes of what people wrote.
    pub texts: Texts,
    /// Rows that are kept, of all worlds together; 1 and more.
    pub rows_max: usize,
    /// What these weigh at most, in bytes.
    pub bytes_max: usize,
}

/// A running recorder on a thread of its own; dropped, it writes what it has and stops.
#[derive(Debug)]
pub struct Recorder {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<Vec<PathBuf>>>>,
}

/// Connections at a time, sockets among them: browsers open six, and a tester has some browsers.
const CONNECTIONS_MAX: usize = 1_024;
/// How long a client may take over a request's head, as with the server itself.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

impl Recorder {
    /// Binds, and forwards from a new thread. Fails, in words, where an option makes no sense, the address is taken or the
    /// folder cannot be made.
    pub fn start(options: RecordOptions) -> io::Result<Self> {
        let ready = Ready::new(&options)?;
        let addr = ready.listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(move || {
            run(ready, options, async {
                // Whoever drops the handle ends it, too.
                let _dropped = stopped.await;
            })
        })?;
        Ok(Self { addr, stop: Some(stop), thread: Some(thread) })
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends every connection, and gives the files that were written last. Fails as writing them fails.
    pub fn stop(mut self) -> io::Result<Vec<PathBuf>> {
        self.end()
    }

    fn end(&mut self) -> io::Result<Vec<PathBuf>> {
        self.stop.take();
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            None => Ok(Vec::new()),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.stop.take();
        } else if let Err(error) = self.end() {
            tracing::error!("{error}");
        }
    }
}

impl Default for RecordOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            upstream: String::new(),
            upstream_sockets: None,
            trust: Trust::System,
            out: PathBuf::from("recorded"),
            every: Duration::from_secs(10),
            texts: Texts::Kept,
            rows_max: 200_000,
            // What a bundle may have (128 MiB), less what base64 adds.
            bytes_max: 64 << 20,
        }
    }
}

/// The program: until Ctrl-C or SIGTERM.
pub(super) fn command(options: RecordOptions) -> ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
    let told = |error: io::Error| {
        eprintln!("mock-server: {error}");
        ExitCode::FAILURE
    };
    let ready = match Ready::new(&options).and_then(|ready| ready.announce(&options).map(|()| ready)) {
        Ok(ready) => ready,
        Err(error) => return told(error),
    };
    match run(ready, options, interrupted()) {
        Ok(files) => {
            for file in files {
                eprintln!("wrote {}", file.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => told(error),
    }
}

/// What can fail, done.
struct Ready {
    listener: StdListener,
    rest: Upstream,
    sockets: Option<Upstream>,
    folder: Folder,
}

impl Ready {
    fn new(options: &RecordOptions) -> io::Result<Self> {
        let invalid =
            |what: &str, why: String| io::Error::new(io::ErrorKind::InvalidInput, format!("{what}: {why}"));
        let rest =
            Upstream::new(&options.upstream, options.trust).map_err(|why| invalid("--upstream", why))?;
        let sockets =
            options.upstream_sockets.as_ref().map(|url| Upstream::new(url, options.trust)).transpose();
        let sockets = sockets.map_err(|why| invalid("--upstream-sockets", why))?;
        let listener = StdListener::bind(options.listen).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot listen on {}: {error}; --listen says where else", options.listen),
            )
        })?;
        listener.set_nonblocking(true)?;
        let folder = Folder::new(options.out.clone(), options.texts).map_err(|error| {
            io::Error::new(error.kind(), format!("--out {}: cannot be made: {error}", options.out.display()))
        })?;
        Ok(Self { listener, rest, sockets, folder })
    }

    fn announce(&self, options: &RecordOptions) -> io::Result<()> {
        let addr = self.listener.local_addr()?;
        eprint!(
            "recording {} into {}; Ctrl-C ends it\n\
             \x20 easemob-websdk 3.x   url: 'http://{addr}/ws', apiUrl: 'http://{addr}', isHttpDNS: false\n\
             \x20 easemob-websdk 4.x   url: 'ws://{addr}/websocket', apiUrl: 'http://{addr}', isHttpDNS: false\n",
            options.upstream,
            options.out.display()
        );
        let mut out = io::stdout().lock();
        writeln!(out, "recording on http://{addr}")?;
        out.flush()
    }
}

fn run(ready: Ready, options: RecordOptions, ends: impl Future<Output = ()>) -> io::Result<Vec<PathBuf>> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let mut folder = ready.folder;
    let kept = Rc::new(RefCell::new(Kept::new(options.rows_max, options.bytes_max)));
    let (rest, sockets) = (ready.rest, ready.sockets);
    let proxy = Rc::new(Proxy { rest, sockets, kept: Rc::clone(&kept) });
    folder = runtime.block_on(serve(ready.listener, proxy, folder, options.every, ends))?;
    // Sockets that are still open end here, and say so in the record.
    drop(runtime);
    let snapshot = kept.borrow().snapshot();
    folder.write_last(&snapshot)
}

/// Gives the folder back when the last files that were begun are written.
async fn serve(
    listener: StdListener,
    proxy: Rc<Proxy>,
    folder: Folder,
    every: Duration,
    ends: impl Future<Output = ()>,
) -> io::Result<Folder> {
    let listener = TcpListener::from_std(listener)?;
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut tick = tokio::time::interval(every.max(Duration::from_millis(1)));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut ends = std::pin::pin!(ends);
    let mut writing: Option<Task<Folder>> = None;
    let mut idle = Some(folder);
    loop {
        tokio::select! {
            () = &mut ends => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                        proxy.kept.borrow_mut().note(format!("a connection was refused: {CONNECTIONS_MAX} are open"));
                        continue;
                    };
                    // Frames are small and each is waited for.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!("no TCP_NODELAY: {error}");
                    }
                    let (proxy, permit) = (Rc::clone(&proxy), Rc::new(permit));
                    spawn_local(async move {
                        let service = service_fn(move |request| {
                            let (proxy, permit) = (Rc::clone(&proxy), Rc::clone(&permit));
                            async move { proxy.answer(request, permit).await }
                        });
                        let connection = http1::Builder::new()
                            .timer(TokioTimer::new())
                            .header_read_timeout(HEAD_WITHIN)
                            .serve_connection(TokioIo::new(stream), service)
                            .with_upgrades();
                        if let Err(error) = connection.await {
                            tracing::debug!("a client's connection: {error}");
                        }
                    });
                }
                Err(error) => {
                    proxy.kept.borrow_mut().note(format!("a connection could not be accepted: {error}"));
                    #[expect(clippy::disallowed_methods, reason = "nothing tells when a descriptor is free")]
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                }
            },
            _ = tick.tick() => {
                let version = proxy.kept.borrow().version;
                if let Some(folder) = idle.take_if(|folder| !folder.has(version)) {
                    writing = Some(write(folder, &proxy));
                }
            },
            folder = written(writing.as_mut()) => {
                writing = None;
                idle = Some(folder);
            }
        }
    }
    match (idle, writing) {
        (Some(folder), _) => Ok(folder),
        (None, Some(writing)) => {
            Ok(writing.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())))
        }
        (None, None) => unreachable!("the folder is with one of the two"),
    }
}

fn write(mut folder: Folder, proxy: &Proxy) -> Task<Folder> {
    let snapshot = proxy.kept.borrow().snapshot();
    spawn_blocking(move || {
        if let Err(error) = folder.write(&snapshot) {
            tracing::warn!("{error}; the recording goes on, and is written again");
        }
        folder
    })
}

async fn written(writing: Option<&mut Task<Folder>>) -> Folder {
    match writing {
        Some(writing) => writing.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())),
        None => std::future::pending().await,
    }
}

async fn interrupted() {
    let mut signals = match Signals::new() {
        Ok(signals) => Some(signals),
        Err(error) => {
            tracing::warn!("Ctrl-C cannot be heard ({error}): files are written at intervals alone");
            None
        }
    };
    Signals::came(&mut signals).await;
}
