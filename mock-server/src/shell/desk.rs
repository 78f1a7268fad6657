//! The commands for whoever sits at a desk with an app: the catalog as a table, and its entries armed in a running server.
//!
//! They talk to the server as any program does, over its control plane, and keep nothing.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request};
use tokio_rustls::TlsConnector;

use super::flags::{At, ErrorsArgs, Language, StageArgs};
use super::http::FORGOT_TLS;
use super::outgoing::{self, CallError};
use super::tls::trusting;
use crate::catalog::{Bilingual, Catalog, ListedError, Profile, Staging, UnknownName, catalog, nearest};
use crate::control_api::{Refused, StageNamed, WorldList};
use crate::machine::AppKey;

/// An answer of the control plane to these commands has some KiB; a list of worlds, of at most 1024, some hundred.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The versions whose numbers the table shows: the last of each generation that runs are made with.
const OLD: &str = "3.6.3";
/// As [`OLD`].
const NEW: &str = "4.21.1";

/// `mock-server errors`.
pub(super) fn errors(args: &ErrorsArgs) -> ExitCode {
    let catalog = catalog();
    let Some(word) = &args.name else {
        return print(&if args.json {
            as_json(&catalog.listing().errors)
        } else {
            table(catalog, args.at.lang)
        });
    };
    let meant: Vec<ListedError<'_>> =
        catalog.meant(word).into_iter().map(|error| catalog.listed(error)).collect();
    let Some(first) = meant.first() else {
        let names = catalog.errors.iter().map(|error| &*error.name);
        let unknown = UnknownName { name: word.clone(), nearest: nearest(word, names) };
        return refuse(&unknown.to_string());
    };
    match &args.user {
        Some(user) => arm(&args.at, first.name, user),
        None if args.json => print(&as_json(&meant)),
        None => print(&meant.iter().map(|error| detail(error, args.at.lang)).collect::<Vec<_>>().join("\n")),
    }
}

/// `mock-server stage`.
pub(super) fn stage(args: &StageArgs) -> ExitCode {
    let catalog = catalog();
    if let (Some(name), Some(user)) = (&args.name, &args.user) {
        // The server knows more names than this program, if it was started with profiles of its own.
        return arm(&args.at, name, user);
    }
    if args.json {
        let listing = catalog.listing();
        return print(&as_json(&serde_json::json!({
            "situations": listing.situations,
            "profiles": listing.profiles,
        })));
    }
    let mut text = String::new();
    for one in catalog.listing().situations {
        let (title, about) = (words(one.title, args.at.lang), words(one.about, args.at.lang));
        let _infallible = writeln!(text, "{}  {title}\n    {about}\n    {}\n", one.name, one.command);
    }
    text.push_str(
        "Profiles, which a login as alice--NAME or with the app key org#app--NAME chooses, too:\n\n",
    );
    for Profile { name, about, rules } in &catalog.profiles {
        let _infallible = writeln!(text, "{name}  {}", words(about, args.at.lang));
        for rule in rules {
            let _infallible = writeln!(text, "    {rule}");
        }
        text.push('\n');
    }
    print(&text)
}

/// By group: the name, the number that each generation shows, and what it means.
fn table(catalog: &Catalog, lang: Language) -> String {
    let listed = catalog.listing().errors;
    let width = listed.iter().map(|error| error.name.len()).max().unwrap_or_default();
    let mut groups: Vec<_> = listed.iter().map(|error| error.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut text = String::new();
    for group in groups {
        let _infallible = writeln!(text, "{}", group.title());
        let _infallible = writeln!(text, "  {:width$}  {:>6} {:>6}", "", OLD, NEW);
        for error in listed.iter().filter(|error| error.group == group) {
            let number = |version: &str| error.shows.0.get(version).map_or("-", |line| number(line));
            let (old, new) = (number(OLD), number(NEW));
            let says = words(error.says, lang);
            let _infallible = writeln!(text, "  {:width$}  {old:>6} {new:>6}  {says}", error.name);
        }
        text.push('\n');
    }
    text.push_str(
        "mock-server errors NAME                      what each SDK shows, and how to bring it about\n\
         mock-server errors NAME --arm --user alice   bring it about in the server that runs here\n",
    );
    text
}

/// The number that a client showed first, or the name of what it showed without one.
fn number(line: &str) -> &str {
    let first = line.split(", then ").next().unwrap_or_default();
    let mut words = first.split(' ');
    let (event, number) = (words.next().unwrap_or_default(), words.next());
    number.filter(|number| number.parse::<i32>().is_ok()).unwrap_or(event)
}

fn detail(error: &ListedError<'_>, lang: Language) -> String {
    let ListedError { name, clause, says, arm, then, command, shows, .. } = error;
    let mut text = format!("{name}: {}\n  clause   {clause}\n", words(says, lang));
    for (version, shown) in &shows.0 {
        let _infallible = writeln!(text, "  {version:<8} shows {shown}");
    }
    for control in *arm {
        let json = serde_json::to_string(control).expect("a control command has only string keys");
        let _infallible = writeln!(text, "  arms     {json}");
    }
    let _infallible =
        writeln!(text, "  then     {}\n  {command}", words(then, lang).replace("{user}", "alice"));
    text
}

fn words(text: &Bilingual, lang: Language) -> &str {
    match lang {
        Language::En => &text.en,
        Language::Zh => &text.zh,
    }
}

fn as_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("a catalog has only string keys") + "\n"
}

fn arm(at: &At, name: &str, user: &str) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("no runtime can be had: {error}")),
    };
    match runtime.block_on(armed(at, name, user)) {
        Ok((world, staging)) => {
            print(&format!("{world}: {name} is armed for {user}\n{}\n", words(&staging.then, at.lang)))
        }
        Err(why) => refuse(&why),
    }
}

/// The world that it was armed in, and what is to be done there.
async fn armed(at: &At, name: &str, user: &str) -> Result<(String, Staging), String> {
    let world = match &at.world {
        Some(world) => world.clone(),
        None => only_world(at).await?,
    };
    let (org, app) = world.as_str().split_once('#').expect("an app key has its #");
    let wanted = StageNamed { name: name.to_owned(), user: user.to_owned() };
    let body = serde_json::to_vec(&wanted).expect("two strings");
    let path = format!("/_mock/{}/{}/stage", percent_encoded(org), percent_encoded(app));
    let (status, answer) = ask(at, Method::POST, &path, body.into()).await?;
    if status == 200 {
        let staging = serde_json::from_slice(&answer).map_err(|_| not_ours(at, status))?;
        return Ok((world.as_str().to_owned(), staging));
    }
    Err(refusal(at, status, &answer))
}

/// The world of a server that has one.
async fn only_world(at: &At) -> Result<AppKey, String> {
    let (status, answer) = ask(at, Method::GET, "/_mock/worlds", Bytes::new()).await?;
    if status != 200 {
        return Err(refusal(at, status, &answer));
    }
    let WorldList { worlds, .. } = serde_json::from_slice(&answer).map_err(|_| not_ours(at, status))?;
    let names: Vec<&str> = worlds.iter().map(|world| &*world.app_key).collect();
    match names[..] {
        [one] => AppKey::parse(one).ok_or_else(|| not_ours(at, status)),
        [] => Err("no world is there yet: log in first, or name one, such as --world 'org#app'".to_owned()),
        _ => {
            /// A suite may have a thousand.
            const NAMED_MAX: usize = 5;
            let more = if names.len() > NAMED_MAX { ", …" } else { "" };
            let named = names.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
            Err(format!(
                "{} worlds are there ({named}{more}): say which, such as --world '{}'",
                names.len(),
                names[0]
            ))
        }
    }
}

async fn ask(at: &At, method: Method, path: &str, body: Bytes) -> Result<(u16, Bytes), String> {
    let url = format!("{}{path}", at.server.trim_end_matches('/'));
    let mut request = Request::builder().method(method).uri(&url).header(CONTENT_TYPE, "application/json");
    if let Some(token) = &at.token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Full::new(body)).map_err(|error| format!("--server or --token: {error}"))?;
    let answer = match trust(at, request.uri().scheme_str())? {
        None => outgoing::call(request, ANSWER_BYTES_MAX).await,
        Some(tls) => outgoing::call_by_tls(request, ANSWER_BYTES_MAX, &tls).await,
    };
    answer.map_err(|error| match error {
        CallError::Tls(error) => format!(
            "what listens on {} is not what --ca vouches for: {error}; each --tls-dir has an authority of its own, and \
             without one there is another after each start",
            at.server
        ),
        CallError::Connect(error) => format!(
            "nobody listens on {} ({error}); start `mock-server`, or say where it is by --server URL",
            at.server
        ),
        CallError::NoHost | CallError::Broken(_) => {
            format!(
                "what listens on {} is no mock-server: {error}; say where it is by --server URL",
                at.server
            )
        }
    })
}

/// Whom to trust; `None`: there is no TLS to be spoken.
fn trust(at: &At, scheme: Option<&str>) -> Result<Option<TlsConnector>, String> {
    match (&at.ca, scheme == Some("https")) {
        (Some(ca), true) => trusting("--ca", ca).map(Some).map_err(|error| error.to_string()),
        (None, true) => Err(format!(
            "--server {0}: say whom to trust by --ca FILE: the mock-server-ca.crt that --tls-dir keeps, or what --tls-cert \
             is signed by",
            at.server
        )),
        (_, false) => Ok(None),
    }
}

fn refusal(at: &At, status: u16, answer: &[u8]) -> String {
    match serde_json::from_slice::<Refused>(answer) {
        // What it says is for those who speak HTTP.
        Ok(_) if status == 401 && at.token.is_none() => format!(
            "--server {} wants its token, which mock-server printed when it started (or its --control-token): give it by \
             --token TOKEN",
            at.server
        ),
        Ok(refused) => refused.error_description,
        Err(_) if answer.starts_with(FORGOT_TLS.as_bytes()) => format!(
            "--server {0}: {FORGOT_TLS}; begin with https://, and say whom to trust by --ca FILE: the mock-server-ca.crt \
             that --tls-dir keeps",
            at.server
        ),
        Err(_) => not_ours(at, status),
    }
}

fn not_ours(at: &At, status: u16) -> String {
    format!(
        "what listens on {} is no mock-server of this version: HTTP {status}, and not in its words",
        at.server
    )
}

/// Of a half of an app key, which may hold anything but `#` and `/`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn print(text: &str) -> ExitCode {
    // Whoever stops reading, such as `head`, has read enough.
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => refuse(&format!("cannot write to stdout: {error}")),
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("mock-server: {why}");
    ExitCode::FAILURE
}
