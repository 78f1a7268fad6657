//! Where a server listens: a port for everybody, or one for clients and one for whoever stages worlds.
//!
//! It binds and says what each port is for; nothing is accepted here.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};

use super::Options;
use super::control::Guard;
use super::tls::{Identity, TlsError};

/// The sockets of a server, bound.
pub(super) struct Listeners {
    pub(super) clients: TcpListener,
    /// Where the control plane has a port of its own.
    pub(super) control: Option<TcpListener>,
    /// Where the server speaks TLS.
    pub(super) identity: Option<Identity>,
}

/// Why a server cannot begin.
#[derive(Debug)]
pub(super) enum CannotListen {
    /// A port cannot be had.
    Port {
        addr: SocketAddr,
        /// Where it was asked for.
        flag: &'static str,
        error: io::Error,
    },
    /// There is no certificate.
    Tls(TlsError),
}

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serves {
    /// Clients, and the control plane beside them.
    All,
    /// Clients; the control plane is elsewhere.
    Clients,
    /// The control plane alone.
    Control,
}

/// How a connection came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entrance {
    pub(super) serves: Serves,
    /// Of the listener: cookies know no ports, so theirs have it in their names.
    pub(super) port: u16,
    pub(super) speaks: Speaks,
}

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    Http,
    Https,
    /// HTTP on a port that speaks TLS.
    HttpByMistake,
}

impl Entrance {
    /// What stands before `://` in addresses of this port.
    pub(super) fn scheme(&self) -> &'static str {
        match self.speaks {
            Speaks::Http | Speaks::HttpByMistake => "http",
            Speaks::Https => "https",
        }
    }
}

impl Listeners {
    /// Binds what the options name.
    pub(super) fn bind(options: &Options) -> Result<Self, CannotListen> {
        let control = options.control.map(|addr| bind(addr, "--control")).transpose()?;
        let clients = bind(options.listen, "--listen")?;
        let identity = options.tls.as_ref().map(Identity::new).transpose().map_err(CannotListen::Tls)?;
        Ok(Self { clients, control, identity })
    }

    pub(super) fn addr(&self) -> io::Result<SocketAddr> {
        self.clients.local_addr()
    }

    /// Where the control plane is.
    pub(super) fn control_addr(&self) -> io::Result<SocketAddr> {
        self.control.as_ref().unwrap_or(&self.clients).local_addr()
    }

    /// Makes a token where others than this machine reach the control plane and none was given; one that was given must
    /// be one.
    pub(super) fn guard(&self, options: &mut Options) -> io::Result<()> {
        match &options.control_token {
            Some(token) => Guard::check(token)
                .map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, format!("control_token: {why}"))),
            None if self.control_addr()?.ip().is_loopback() => Ok(()),
            None => {
                options.control_token = Some(Guard::make()?);
                Ok(())
            }
        }
    }

    pub(super) fn entrances(&self) -> io::Result<(Entrance, Option<Entrance>)> {
        let serves = if self.control.is_some() { Serves::Clients } else { Serves::All };
        let clients = Entrance { serves, port: self.addr()?.port(), speaks: self.speaks(false) };
        let control = match &self.control {
            Some(control) => {
                let addr = control.local_addr()?;
                let speaks = self.speaks(addr.ip().is_loopback());
                Some(Entrance { serves: Serves::Control, port: addr.port(), speaks })
            }
            None => None,
        };
        Ok((clients, control))
    }
}

impl Listeners {
    /// What is spoken on a port. Programs on this machine may stage it without trusting any certificate.
    fn speaks(&self, is_own_control: bool) -> Speaks {
        if self.identity.is_some() && !is_own_control { Speaks::Https } else { Speaks::Http }
    }
}

fn bind(addr: SocketAddr, flag: &'static str) -> Result<TcpListener, CannotListen> {
    let bound = TcpListener::bind(addr).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| CannotListen::Port { addr, flag, error })
}

impl fmt::Display for CannotListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (addr, flag, error) = match self {
            Self::Port { addr, flag, error } => (addr, flag, error),
            Self::Tls(error) => return error.fmt(f),
        };
        match error.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "cannot listen on {addr}: another program listens there (perhaps another mock-server); take another \
                 port, such as {flag} {}",
                SocketAddr::new(addr.ip(), 0)
            ),
            _ => write!(f, "cannot listen on {addr}: {error}"),
        }
    }
}

impl From<CannotListen> for io::Error {
    fn from(error: CannotListen) -> Self {
        let kind = match &error {
            CannotListen::Port { error, .. } => error.kind(),
            CannotListen::Tls(_) => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_says_what_to_do() {
        let taken = Listeners::bind(&Options::default()).expect("a free port");
        let addr = taken.addr().expect("it is bound");
        let error = |options| Listeners::bind(&options).err().expect("it is taken").to_string();
        let words = |flag: &str| {
            format!(
                "cannot listen on {addr}: another program listens there (perhaps another mock-server); take another \
                 port, such as {flag} 127.0.0.1:0"
            )
        };
        assert_eq!(error(Options { listen: addr, ..Options::default() }), words("--listen"));
        assert_eq!(error(Options { control: Some(addr), ..Options::default() }), words("--control"));
    }

    #[test]
    fn a_token_is_made_where_others_reach_the_control_plane() {
        let token = |options: Options| {
            let mut options = options;
            let listeners = Listeners::bind(&options).expect("free ports");
            listeners.guard(&mut options).map(|()| options.control_token).map_err(|error| error.to_string())
        };
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let own = Options::default().listen;
        assert_eq!(token(Options::default()), Ok(None));
        assert_eq!(token(Options { listen: everywhere, control: Some(own), ..Options::default() }), Ok(None));
        let made = |options| token(options).expect("it starts").expect("a token");
        let first = made(Options { listen: everywhere, ..Options::default() });
        let second = made(Options { control: Some(everywhere), ..Options::default() });
        assert!(first.len() == 32 && first != second, "{first} {second}");
        let given = Options { control_token: Some("my-own-token".into()), ..Options::default() };
        assert_eq!(token(given), Ok(Some("my-own-token".into())));
        let bad = token(Options { control_token: Some("no;token".into()), ..Options::default() });
        assert_eq!(
            bad,
            Err("control_token: expected 8 to 128 letters, digits and -._~, such as the output of: openssl rand \
                 -hex 16"
                .into())
        );
    }
}
