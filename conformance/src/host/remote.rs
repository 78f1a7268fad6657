//! A server that is already running, asked over HTTP under its `/_mock/`: `--server URL`.
//!
//! Worlds are made anew without the rules of that server's flags, and under an app key that no other run uses, so that
//! it makes no difference who else works with the server, or did.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mock_server::control::{Control, SettingsPatch};
use mock_server::control_api::{
    ArmedDoor, CONTROL_PROTOCOL, ClockAt, ClockMove, CommandResults, DoorList, Findings, Hello,
    JournalAnswer, NewWorld, QuietAnswer, RestAnswer, RuleList, RuleRow, TapePage, WITHIN_MS_MAX,
};
use mock_server::journal::Entry;
use mock_server::machine::Millis;
use mock_server::shell::{NotQuiet, Quiet, Rest};
use mock_server::tape::Row;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::link::{Failed, Link};
use super::{Addresses, Host, HostError, HostWorld, ORG, RowCount, Strangers, app_of};
use crate::exit::Exit;
use crate::judge::Finding;
use crate::real_time::Deadline;

/// How many rows of its tape a world keeps, there and here: the largest scenario needs some ten thousand.
const TAPE_ROWS_MAX: usize = 200_000;

/// The server behind a URL.
#[derive(Debug)]
pub struct Remote {
    link: Arc<Link>,
    addresses: Addresses,
    strangers: Strangers,
    /// The first half of the app keys of this run.
    org: String,
    /// The seed of nasty worlds.
    nasty: Option<u64>,
}

/// Why a server cannot be used at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// That is no address.
    #[error("--server {0:?}: expected the address of a mock-server, such as http://127.0.0.1:8989")]
    NoAddress(String),
    /// It speaks TLS, and neither this harness nor most shims do.
    #[error(
        "--server {url}: the harness and its clients speak plain HTTP to it; TLS changes nothing of the protocol, so start \
         one without --tls, such as: mock-server --strict --listen 127.0.0.1:0"
    )]
    Tls {
        /// Where.
        url: String,
    },
    /// Nobody is there.
    #[error("no server answers at {url} ({why}); start one with: mock-server --strict --listen {authority}")]
    NotThere {
        /// Where.
        url: String,
        /// The same as a listener names it.
        authority: String,
        /// What the system says.
        why: String,
    },
    /// It wants to know who asks.
    #[error("the mock-server at {url} lets nobody in without its token (--token TOKEN): {why}")]
    Token {
        /// Where.
        url: String,
        /// What it says.
        why: String,
    },
    /// Somebody else is.
    #[error("what answers at {url} is no mock-server ({why}); start one with: mock-server --strict")]
    NotOurs {
        /// Where.
        url: String,
        /// How that shows.
        why: String,
    },
    /// One of another time.
    #[error(
        "the mock-server at {url} is version {version} with version {protocol} of the control plane, and this harness \
         speaks version {CONTROL_PROTOCOL} of it: use a server and a harness of one version"
    )]
    OtherVersion {
        /// Where.
        url: String,
        /// The program's.
        version: String,
        /// The control plane's.
        protocol: u32,
    },
}

struct RemoteWorld {
    link: Arc<Link>,
    app_key: String,
    path: String,
    tape: RefCell<Fetched>,
    length: Arc<Length>,
}

/// What was fetched of a tape: rows are fetched once.
#[derive(Default)]
struct Fetched {
    /// How many rows there were before the first of these.
    gone: usize,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Length {
    link: Arc<Link>,
    path: String,
    last: AtomicUsize,
}

impl Remote {
    /// Asks who is there. `url` is `http://HOST:PORT`; `token` that of its control plane, if it wants one.
    pub fn connect(url: &str, token: Option<&str>) -> Result<Self, ConnectError> {
        if url.starts_with("https://") {
            return Err(ConnectError::Tls { url: url.to_owned() });
        }
        let link = Link::new(url, token).ok_or_else(|| ConnectError::NoAddress(url.to_owned()))?;
        let not_ours = |why: String| ConnectError::NotOurs { url: link.url().to_owned(), why };
        let answer = link.get("/_mock/", Duration::ZERO).map_err(|why| ConnectError::NotThere {
            url: link.url().to_owned(),
            authority: link.authority().to_owned(),
            why,
        })?;
        if answer.is_of_tls_port() {
            return Err(ConnectError::Tls { url: link.url().to_owned() });
        }
        if let Err(Failed::Refused(refused)) = answer.read_if_done::<IgnoredAny>()
            && matches!(&*refused.error, "no_token" | "wrong_token")
        {
            let why = refused.error_description;
            return Err(ConnectError::Token { url: link.url().to_owned(), why });
        }
        let Hello { name, version, control_protocol: protocol, strict, nasty: _, clients } =
            answer.read().map_err(not_ours)?;
        if name != "mock-server" {
            return Err(not_ours(format!("it calls itself {name:?}")));
        }
        if protocol != CONTROL_PROTOCOL {
            return Err(ConnectError::OtherVersion { url: link.url().to_owned(), version, protocol });
        }
        let Some(authority) = clients.strip_prefix("http://") else {
            return Err(ConnectError::Tls { url: clients });
        };
        let addresses = Addresses::of(authority);
        let strangers = if strict { Strangers::Refused } else { Strangers::LetIn };
        let run = RandomState::new().build_hasher().finish() as u32;
        Ok(Self { link: Arc::new(link), addresses, strangers, org: format!("{ORG}-{run:08x}"), nasty: None })
    }

    /// Makes every world of this run nasty by that seed.
    #[must_use]
    pub fn with_nasty(self, nasty: Option<u64>) -> Self {
        Self { nasty, ..self }
    }
}

impl ConnectError {
    /// How a run ends that could not begin for this.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoAddress(_) | Self::Tls { .. } | Self::Token { .. } => Exit::Usage,
            Self::NotThere { .. } | Self::NotOurs { .. } | Self::OtherVersion { .. } => Exit::Harness,
        }
    }
}

impl Host for Remote {
    fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    fn strangers(&self) -> Strangers {
        self.strangers
    }

    fn open(&self, scenario: &str, clock: Option<Millis>) -> Result<Box<dyn HostWorld + '_>, HostError> {
        let app = app_of(scenario);
        let path = format!("/_mock/{}/{app}", self.org);
        let world = RemoteWorld {
            link: Arc::clone(&self.link),
            app_key: format!("{}#{app}", self.org),
            length: Arc::new(Length {
                link: Arc::clone(&self.link),
                path: format!("{path}/tape?rows=0"),
                last: AtomicUsize::new(0),
            }),
            path,
            tape: RefCell::default(),
        };
        // As the harness's own server begins its worlds.
        let settings = SettingsPatch { strict: Some(true), ..SettingsPatch::default() };
        let new = NewWorld {
            settings: Some(Box::new(settings)),
            clock_ms: clock.map(|Millis(ms)| ms),
            tape_rows_max: Some(TAPE_ROWS_MAX),
            nasty: self.nasty,
        };
        world.post::<ClockAt>("world", &new)?;
        Ok(Box::new(world))
    }
}

impl RemoteWorld {
    fn get<T: DeserializeOwned>(&self, what: &str, within: Duration) -> Result<T, HostError> {
        let path = format!("{}/{what}", self.path);
        let answer = self.link.get(&path, within).map_err(|why| self.gone(why))?;
        answer.read_if_done().map_err(|failed| self.failed(&path, failed))
    }

    fn post<T: DeserializeOwned>(&self, what: &str, body: &impl serde::Serialize) -> Result<T, HostError> {
        let path = format!("{}/{what}", self.path);
        let answer = self.link.post(&path, body).map_err(|why| self.gone(why))?;
        answer.read_if_done().map_err(|failed| self.failed(&path, failed))
    }

    fn gone(&self, why: String) -> HostError {
        HostError::Gone { url: self.link.url().to_owned(), why }
    }

    fn failed(&self, path: &str, failed: Failed) -> HostError {
        let url = self.link.url().to_owned();
        match failed {
            Failed::Refused(refused) if refused.error == "no_such_world" => {
                HostError::WorldGone { url, app_key: self.app_key.clone() }
            }
            Failed::Refused(refused) => {
                match refused.results.into_iter().flatten().find_map(|one| one.error) {
                    Some(error) => HostError::Refused(error),
                    None => HostError::Strange { url, path: path.to_owned(), why: refused.error_description },
                }
            }
            Failed::Strange(why) => HostError::Strange { url, path: path.to_owned(), why },
        }
    }
}

impl HostWorld for RemoteWorld {
    fn app_key(&self) -> &str {
        &self.app_key
    }

    fn control(&self, control: Control) -> Result<(), HostError> {
        self.post::<CommandResults>("control", &control).map(|_| ())
    }

    fn advance(&self, ms: u64) -> Result<(), HostError> {
        self.post::<ClockAt>("clock", &ClockMove::AdvanceMs(ms)).map(|_| ())
    }

    fn quiet(&self, within: Duration) -> Result<Result<Quiet, NotQuiet>, HostError> {
        let deadline = Deadline::after(within);
        loop {
            let (ms, within) = one_wait(deadline);
            let answer: QuietAnswer = self.get(&format!("quiet?within_ms={ms}"), within)?;
            match answer.mark {
                Some(mark) => return Ok(Ok(Quiet { mark })),
                None if deadline.left().is_zero() => return Ok(Err(NotQuiet(answer.open))),
                None => {}
            }
        }
    }

    fn rest(&self, within: Duration) -> Result<Rest, HostError> {
        let deadline = Deadline::after(within);
        loop {
            let (ms, within) = one_wait(deadline);
            let RestAnswer { reached, mark, open } = self.get(&format!("rest?within_ms={ms}"), within)?;
            if reached || deadline.left().is_zero() {
                return Ok(Rest { mark, open, reached });
            }
        }
    }

    fn tape(&self) -> Result<Vec<Row>, HostError> {
        let mut fetched = self.tape.borrow_mut();
        loop {
            let from = fetched.gone + fetched.rows.len();
            let page: TapePage = self.get(&format!("tape?from={from}"), Duration::ZERO)?;
            if page.from != from {
                // What lay between made room for others.
                *fetched = Fetched { gone: page.from, rows: Vec::new() };
            }
            fetched.rows.extend(page.rows);
            let surplus = fetched.rows.len().saturating_sub(TAPE_ROWS_MAX);
            fetched.rows.drain(..surplus);
            fetched.gone += surplus;
            if fetched.gone + fetched.rows.len() >= page.rows_ever {
                return Ok(fetched.rows.clone());
            }
        }
    }

    fn tape_length(&self) -> Arc<dyn RowCount> {
        Arc::<Length>::clone(&self.length)
    }

    fn journal(&self) -> Result<Option<Vec<Entry>>, HostError> {
        Ok(self.get::<JournalAnswer>("journal", Duration::ZERO)?.entries)
    }

    fn findings(&self) -> Result<Vec<Finding>, HostError> {
        let Findings { findings } = self.get("findings", Duration::ZERO)?;
        Ok(findings
            .into_iter()
            .map(|found| Finding { clause: found.clause, user: found.user, text: found.text })
            .collect())
    }

    fn rules(&self) -> Result<Vec<RuleRow>, HostError> {
        Ok(self.get::<RuleList>("rules", Duration::ZERO)?.rules)
    }

    fn doors(&self) -> Result<Vec<ArmedDoor>, HostError> {
        Ok(self.get::<DoorList>("doors", Duration::ZERO)?.doors)
    }

    fn forget(&self) -> Result<(), HostError> {
        let path = format!("{}/world", self.path);
        let answer = self.link.delete(&path).map_err(|why| self.gone(why))?;
        answer.read_if_done::<IgnoredAny>().map(|_| ()).map_err(|failed| self.failed(&path, failed))
    }
}

impl RowCount for Length {
    fn rows(&self) -> usize {
        let page = self.link.get(&self.path, Duration::ZERO).ok();
        match page.and_then(|answer| answer.read_if_done::<TapePage>().ok()) {
            Some(page) => {
                self.last.store(page.rows_ever, Ordering::Relaxed);
                page.rows_ever
            }
            None => self.last.load(Ordering::Relaxed),
        }
    }
}

/// What is left of a wait as one request may have it: in ms, and the same.
fn one_wait(deadline: Deadline) -> (u128, Duration) {
    let left = deadline.left().min(Duration::from_millis(WITHIN_MS_MAX));
    (left.as_millis(), left)
}
