//! One HTTP request that this program makes itself: one connection, one answer, no redirect, nothing tried again.

use std::fmt;
use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::http::uri::Authority;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum CallError {
    /// The URL has no host.
    NoHost,
    /// Nobody listens there, or the way is barred.
    Connect(io::Error),
    /// Who is there speaks no TLS, or shows a certificate that is not trusted.
    Tls(io::Error),
    /// What is there does not speak HTTP, or stopped in the middle.
    Broken(String),
}

/// The status and the body; of a body that is longer than `answer_bytes_max` there is none. The request's URI names
/// scheme, host and path; the scheme is the caller's to look at.
pub(super) async fn call(
    request: Request<Full<Bytes>>,
    answer_bytes_max: usize,
) -> Result<(u16, Bytes), CallError> {
    let (stream, authority) = connect(&request, 80).await?;
    exchange(stream, &authority, request, answer_bytes_max).await
}

/// As [`call`], by TLS.
pub(super) async fn call_by_tls(
    request: Request<Full<Bytes>>,
    answer_bytes_max: usize,
    tls: &TlsConnector,
) -> Result<(u16, Bytes), CallError> {
    let (stream, authority) = connect(&request, 443).await?;
    let name = ServerName::try_from(bare_host(&authority).to_owned()).map_err(|_| CallError::NoHost)?;
    let stream = tls.connect(name, stream).await.map_err(CallError::Tls)?;
    exchange(stream, &authority, request, answer_bytes_max).await
}

async fn connect(
    request: &Request<Full<Bytes>>,
    usual_port: u16,
) -> Result<(TcpStream, Authority), CallError> {
    let authority = request.uri().authority().ok_or(CallError::NoHost)?.clone();
    let address = (bare_host(&authority), authority.port_u16().unwrap_or(usual_port));
    let stream = TcpStream::connect(address).await.map_err(CallError::Connect)?;
    Ok((stream, authority))
}

/// An IPv6 address stands in brackets in a URL, and without them everywhere else.
fn bare_host(authority: &Authority) -> &str {
    authority.host().trim_start_matches('[').trim_end_matches(']')
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    authority: &Authority,
    mut request: Request<Full<Bytes>>,
    answer_bytes_max: usize,
) -> Result<(u16, Bytes), CallError> {
    let broken = |error: hyper::Error| CallError::Broken(format!("HTTP: {error}"));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // However this ends, a call that nobody waits for any more goes with its connection.
    let _guard = Aborts(tokio::spawn(connection).abort_handle());
    let named = HeaderValue::from_str(authority.as_str());
    request.headers_mut().insert(HOST, named.map_err(|_| CallError::NoHost)?);
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(|_| CallError::NoHost)?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), answer_bytes_max).collect().await.map_err(|error| {
        CallError::Broken(format!("the answer cannot be read (at most {answer_bytes_max} bytes): {error}"))
    })?;
    Ok((status, body.to_bytes()))
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("the URL names no host"),
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Tls(error) => write!(f, "no TLS: {error}"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

struct Aborts(tokio::task::AbortHandle);

impl Drop for Aborts {
    fn drop(&mut self) {
        self.0.abort();
    }
}
