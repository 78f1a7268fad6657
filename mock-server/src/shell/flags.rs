//! The program's flags: what each may hold, and what a world then starts with.
//!
//! Nothing here is done; `run` does it.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::control::Guard;
use super::record::{RecordOptions, Texts, Trust};
use super::state::{Keep, Save};
use super::tls::{self, Tls};
use crate::catalog::Profile;
use crate::control::{Control, ControlError, Settings, SettingsPatch, Verdict, Webhook};
use crate::control_api::TAPE_ROWS_MAX;
use crate::machine::{AppKey, Config, Millis, Server};

/// A mock server for the Easemob WebIM messaging protocol: point the vendor's own SDKs at it.
#[derive(Debug, Parser)]
#[command(version, about, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(super) struct Flags {
    /// What to do; left out, to serve.
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8989", value_name = "ADDR:PORT", value_parser = address)]
    pub(super) listen: SocketAddr,
    /// Put the control plane (/_mock/) on an address of its own, away from clients.
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    pub(super) control: Option<SocketAddr>,
    /// What the control plane must be shown; one is made and printed where others than this machine can reach it.
    #[arg(long, value_name = "TOKEN", value_parser = control_token)]
    pub(super) control_token: Option<String>,
    /// Speak TLS: https and wss, with a certificate of the server's own making unless --tls-cert gives one.
    #[arg(long, help_heading = "TLS")]
    tls: bool,
    /// Keep what clients must trust in this folder, so that they are told only once.
    #[arg(long, value_name = "DIR", requires = "tls", help_heading = "TLS")]
    tls_dir: Option<PathBuf>,
    /// Another name or address of this machine. Give it again for more.
    #[arg(long, value_name = "NAME", value_parser = tls_name, requires = "tls", help_heading = "TLS")]
    tls_name: Vec<String>,
    /// The certificate to show instead, and what leads to one that clients trust, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with_all = ["tls_dir", "tls_name"], help_heading = "TLS")]
    tls_cert: Option<PathBuf>,
    /// Its private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "TLS")]
    tls_key: Option<PathBuf>,
    /// Refuse what a laptop forgives: unknown users, unknown tokens, messages to nobody.
    #[arg(long)]
    pub(super) strict: bool,
    /// Let everything happen that the protocol leaves open, drawn from this number: small pages, frames that come late or
    /// twice, links cut behind a lost answer; `random` picks one and says which.
    #[arg(long, value_name = "SEED|random", value_parser = seed)]
    pub(super) nasty: Option<u64>,
    /// A fault profile that whoever logs in as alice--NAME has, or with the app key org#app--NAME; {user} stands for them
    /// in its rule. Give it again for more rules. Under --strict nothing is chosen so.
    #[arg(long, value_name = "NAME=RULE", value_parser = profile)]
    pub(super) profile: Vec<Profile>,
    /// How much of each world is kept to be looked at under /_mock/: so many rows, of frames and requests, or off.
    #[arg(long, default_value = "20000", value_name = "off|ROWS", value_parser = kept)]
    pub(super) journal: Kept,
    /// End when stdin does, as on Ctrl-C: for a program that starts this one, which then never outlives it.
    #[arg(long)]
    pub(super) end_with_stdin: bool,
    /// Log more: -v what worlds do, -vv what connections do.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,

    /// Begin with the worlds of this file, if it is there, and save them to it; see --save.
    #[arg(long, value_name = "FILE", help_heading = "State")]
    state: Option<PathBuf>,
    /// When worlds are saved: exit (Ctrl-C, a signal), also at intervals of a number and ms, s, m or h, or never.
    #[arg(
        long,
        value_name = "exit|TIME|never",
        default_value = "exit",
        value_parser = save,
        requires = "state",
        help_heading = "State"
    )]
    save: Save,

    /// Make a group in every app that logs in: its id, its owner, its other members. Give it again for more groups.
    #[arg(long, value_name = "ID=OWNER,MEMBER,…", value_parser = muc, help_heading = "Stage")]
    group: Vec<Muc>,
    /// Make a chat room, as --group makes a group.
    #[arg(long, value_name = "ID=OWNER,MEMBER,…", value_parser = muc, help_heading = "Stage")]
    room: Vec<Muc>,

    /// How long a message can be recalled (error 504 from then on): a number and ms, s, m or h.
    #[arg(long, default_value = "2m", value_name = "TIME", value_parser = duration_ms, help_heading = "Rules")]
    recall_window: u64,
    /// Whether messages can be recalled at all (error 505).
    #[arg(long, default_value = "on", help_heading = "Rules")]
    recall: Switch,
    /// Refuse messages that hold one of these words (error 501).
    #[arg(long, value_name = "WORD,WORD,…", value_delimiter = ',', value_parser = word, help_heading = "Rules")]
    words: Vec<String>,
    /// Refuse a sender's fourth message with the same content within 10 s (error 501).
    #[arg(long, default_value = "off", help_heading = "Rules")]
    antispam: Switch,
    /// Ask this server before a message is taken (error 502), as the vendor's pre-send callback does.
    #[arg(long, value_name = "URL", value_parser = http_url, help_heading = "Rules")]
    webhook: Option<String>,
    /// What the webhook's signature is made with.
    #[arg(long, value_name = "SECRET", default_value = "", requires = "webhook", help_heading = "Rules")]
    webhook_secret: String,
    /// What becomes of a message when the webhook gives no answer, or none that makes sense.
    #[arg(long, default_value = "pass", requires = "webhook", help_heading = "Rules")]
    webhook_on_timeout: OnTimeout,
    /// How long the webhook may take: a number and ms, s, m or h.
    #[arg(
        long,
        default_value = "200ms",
        value_name = "TIME",
        value_parser = duration_ms,
        requires = "webhook",
        help_heading = "Rules"
    )]
    webhook_timeout: u64,
    /// Whether history can be fetched.
    #[arg(long, default_value = "on", help_heading = "Rules")]
    roaming: Switch,
    /// Whether the list of conversations can be fetched.
    #[arg(long, default_value = "on", help_heading = "Rules")]
    sessions: Switch,
    /// Whether messages to a group may ask for read receipts.
    #[arg(long, default_value = "on", help_heading = "Rules")]
    group_receipts: Switch,
    /// The largest attachment: a number and B, KB or MB of 1024.
    #[arg(long, default_value = "10MB", value_name = "SIZE", value_parser = bytes, help_heading = "Rules")]
    attachment_max: u64,
    /// The largest message body: a number and B, KB or MB of 1024.
    #[arg(long, default_value = "3KB", value_name = "SIZE", value_parser = message_bytes, help_heading = "Rules")]
    message_max: u32,
}

/// What the program does besides serving.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the errors that a client can be shown; tell all of one; bring it about in a running server.
    #[command(after_help = ERRORS_HELP)]
    Errors(ErrorsArgs),
    /// List the situations that have a name; bring one about in a running server.
    #[command(after_help = STAGE_HELP)]
    Stage(StageArgs),
    /// Stand between clients and a server, and write what goes by as bundles and drafts of scenarios, without its secrets.
    #[command(after_help = RECORD_HELP)]
    Record(RecordArgs),
}

/// `mock-server record`.
#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// The server: where its REST is, and its sockets unless --upstream-sockets says otherwise.
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// Where its sockets (/ws and /websocket) are, if elsewhere.
    #[arg(long, value_name = "URL")]
    upstream_sockets: Option<String>,
    /// Take whatever certificate the server has: who stands between reads and changes everything.
    #[arg(long)]
    upstream_insecure: bool,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8989", value_name = "ADDR:PORT", value_parser = address)]
    listen: SocketAddr,
    /// Where the files go; those of an earlier recording stay.
    #[arg(long, default_value = "recorded", value_name = "DIR")]
    out: PathBuf,
    /// How often they are written while it goes on: a number and ms, s, m or h.
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = duration_ms)]
    every: u64,
    /// Put an x for each letter and digit that people wrote in messages.
    #[arg(long)]
    redact_texts: bool,
    /// How many frames and requests are kept; from then on everything is forwarded alone.
    #[arg(long, default_value = "200000", value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    rows: u32,
    /// The same in MB of 1024 KB.
    #[arg(long, default_value = "64", value_name = "MB", value_parser = clap::value_parser!(u16).range(1..=64))]
    megabytes: u16,
}

impl RecordArgs {
    pub(super) fn options(self) -> RecordOptions {
        RecordOptions {
            listen: self.listen,
            upstream: self.upstream,
            upstream_sockets: self.upstream_sockets,
            trust: if self.upstream_insecure { Trust::Anybody } else { Trust::System },
            out: self.out,
            every: Duration::from_millis(self.every),
            texts: if self.redact_texts { Texts::Redacted } else { Texts::Kept },
            rows_max: self.rows as usize,
            bytes_max: usize::from(self.megabytes) << 20,
        }
    }
}

/// `mock-server errors`.
#[derive(Debug, Args)]
pub(super) struct ErrorsArgs {
    /// A code, such as 504 or -1, or a name of the list; left out, the list.
    #[arg(value_name = "CODE|NAME", allow_negative_numbers = true)]
    pub(super) name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Have it happen to --user in a running server.
    #[arg(long, requires = "name", requires = "user")]
    pub(super) arm: bool,
    /// To whom.
    #[arg(long, value_name = "NAME", requires = "arm")]
    pub(super) user: Option<String>,
    #[command(flatten)]
    pub(super) at: At,
}

/// `mock-server stage`.
#[derive(Debug, Args)]
pub(super) struct StageArgs {
    /// A name of the list; left out, the list.
    #[arg(requires = "user")]
    pub(super) name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// To whom it is to happen.
    #[arg(long, value_name = "NAME", requires = "name")]
    pub(super) user: Option<String>,
    #[command(flatten)]
    pub(super) at: At,
}

/// The running server, and the world in it.
#[derive(Debug, Args)]
pub(super) struct At {
    /// The app key; may be left out while the server has one world.
    #[arg(long, value_name = "ORG#APP", value_parser = app_key)]
    pub(super) world: Option<AppKey>,
    /// The server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8989", value_parser = server_url)]
    pub(super) server: String,
    /// Whom to trust where that is https: a certificate in PEM, such as the mock-server-ca.crt of its --tls-dir.
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// The server's control token, where it has one.
    #[arg(long, value_name = "TOKEN")]
    pub(super) token: Option<String>,
    /// The language of what is told.
    #[arg(long, default_value = "en")]
    pub(super) lang: Language,
}

/// A language of the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// How much is kept of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Nothing,
    Rows(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnTimeout {
    /// It is taken.
    Pass,
    /// It is refused.
    Refuse,
}

/// A group or room of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Muc {
    id: String,
    owner: String,
    members: Vec<String>,
}

const AFTER_HELP: &str = "\
Prints one line on stdout when it accepts connections: listening on http://ADDR:PORT
Everything else goes to stderr. What can be staged while it runs: GET http://ADDR:PORT/_mock/

Examples:
  mock-server                                for apps on this machine
  mock-server --listen 0.0.0.0:8989          for a phone on the same network, too
  mock-server --listen 127.0.0.1:0 --strict  for a test
  mock-server --group g1=alice,bob           log in as alice or bob, with any app key and password
  mock-server --recall-window 1s             to see error 504 without waiting for two minutes
  mock-server --nasty random                 to see what an app makes of a service at its worst";

const RECORD_HELP: &str = "\
Prints one line on stdout when it accepts connections: recording on http://ADDR:PORT
Give clients that address, and end it by Ctrl-C. Then there are, for each app:
  recorded/ORG-APP.bundle.json               all that went over the wires
  recorded/scenarios/recorded/ORG-APP.json   a draft of a scenario
  recorded/ORG-APP.notes.txt                 what was replaced, what went wrong, what the draft leaves out

Examples:
  mock-server record --upstream https://im.example.test
  mock-server record --upstream http://127.0.0.1:8989 --listen 127.0.0.1:9000 --out recordings";

const ERRORS_HELP: &str = "\
Examples:
  mock-server errors                          every error, by where it comes from
  mock-server errors 504                      what it means, what each SDK shows, how to bring it about
  mock-server errors 504 --arm --user alice   alice's next recall is refused with it";

const STAGE_HELP: &str = "\
Examples:
  mock-server stage                             every situation
  mock-server stage cut-no-frame --user alice   alice's link goes without a close frame";

impl Flags {
    /// Where the worlds are kept.
    pub(super) fn keep(&self) -> Option<Keep> {
        self.state.clone().map(|file| Keep { file, save: self.save })
    }

    /// The rules of every world.
    pub(super) fn settings(&self) -> Settings {
        let webhooks = self.webhook.iter().map(|url| Webhook {
            url: url.clone(),
            secret: self.webhook_secret.clone(),
            timeout_ms: self.webhook_timeout,
            on_timeout: match self.webhook_on_timeout {
                OnTimeout::Pass => Verdict::Pass,
                OnTimeout::Refuse => Verdict::Refuse,
            },
            ..Webhook::default()
        });
        Settings {
            strict: self.strict,
            recall_window_ms: self.recall_window,
            recall: self.recall.is_on(),
            words: self.words.clone(),
            antispam: self.antispam.is_on(),
            webhooks: webhooks.collect(),
            roaming: self.roaming.is_on(),
            sessions: self.sessions.is_on(),
            group_receipts: self.group_receipts.is_on(),
            attachment_bytes_max: self.attachment_max,
            message_bytes_max: self.message_max,
            ..Settings::default()
        }
    }

    /// Which certificate is shown, if any.
    pub(super) fn tls(&self) -> Option<Tls> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Some(Tls::Given { cert: cert.clone(), key: key.clone() }),
            (Some(_) | None, Some(_) | None) if self.tls => {
                Some(Tls::SelfMade { dir: self.tls_dir.clone(), names: self.tls_name.clone() })
            }
            (Some(_) | None, Some(_) | None) => None,
        }
    }

    /// What is done to every new world: the groups and rooms, and the users in them.
    pub(super) fn stage(&self) -> Result<Vec<Control>, ControlError> {
        let mut stage = Vec::new();
        for muc in self.group.iter().chain(&self.room) {
            let users = std::iter::once(&muc.owner).chain(&muc.members).cloned().collect();
            stage.push(Control::Known { users });
        }
        stage.extend(self.group.iter().cloned().map(|Muc { id, owner, members }| Control::Group {
            id,
            owner,
            members,
        }));
        stage.extend(self.room.iter().cloned().map(|Muc { id, owner, members }| Control::Room {
            id,
            owner,
            members,
        }));
        // What one world refuses all would.
        let app_key = AppKey::parse("any#app").expect("it is one");
        let mut world = Server::new(Config::new(app_key));
        let rules = SettingsPatch { webhooks: Some(self.settings().webhooks), ..SettingsPatch::default() };
        let rules = std::iter::once(Control::Settings(rules));
        rules.chain(stage.iter().cloned()).try_for_each(|control| world.control(Millis(0), control))?;
        Ok(stage)
    }
}

impl Switch {
    fn is_on(self) -> bool {
        match self {
            Self::On => true,
            Self::Off => false,
        }
    }
}

/// `20000` or `off`.
fn kept(text: &str) -> Result<Kept, String> {
    let expected = || format!("expected off, or a number of rows from 1 to {TAPE_ROWS_MAX}");
    match text {
        "off" => Ok(Kept::Nothing),
        number => {
            let rows: usize = number.parse().map_err(|_| expected())?;
            if (1..=TAPE_ROWS_MAX).contains(&rows) { Ok(Kept::Rows(rows)) } else { Err(expected()) }
        }
    }
}

/// `127.0.0.1:8989`, or a name instead of the number. Of a name's addresses, this machine's own come first, and of
/// those the older kind, which every browser tries.
fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(addr) = text.parse() {
        return Ok(addr);
    }
    let expected = "expected ADDR:PORT, such as 127.0.0.1:8989";
    let has_port =
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !has_port {
        return Err(expected.into());
    }
    let found = text.to_socket_addrs().map_err(|error| format!("{expected}; of this one: {error}"))?;
    found
        .min_by_key(|addr| (!addr.ip().is_loopback(), addr.is_ipv6()))
        .ok_or_else(|| format!("{expected}; this name has no address"))
}

fn tls_name(text: &str) -> Result<String, String> {
    tls::check_name(text).map(|()| text.to_owned())
}

fn control_token(text: &str) -> Result<String, String> {
    Guard::check(text).map(|()| text.to_owned())
}

/// `g1=alice,bob`: the owner comes first.
fn muc(text: &str) -> Result<Muc, String> {
    let expected = "expected ID=OWNER,MEMBER,…, such as g1=alice,bob";
    let (id, names) = text.split_once('=').ok_or(expected)?;
    let mut names = names.split(',').map(|name| name.trim().to_owned());
    let owner = names.next().unwrap_or_default();
    let members: Vec<String> = names.collect();
    if id.trim().is_empty() || owner.is_empty() || members.iter().any(String::is_empty) {
        return Err(expected.into());
    }
    Ok(Muc { id: id.trim().to_owned(), owner, members })
}

/// A number, or one that nobody has chosen: small enough to be said and typed.
fn seed(text: &str) -> Result<u64, String> {
    if text == "random" {
        return Ok(RandomState::new().build_hasher().finish() % 1_000_000);
    }
    text.parse().map_err(|_| "expected a number, such as 7, or random".into())
}

/// `lazy=on every answer to {user}: delay 3s`.
fn profile(text: &str) -> Result<Profile, String> {
    let expected = "expected NAME=RULE, such as 'lazy=on every answer to {user}: delay 3s'";
    let (name, rule) = text.split_once('=').ok_or(expected)?;
    let rule = rule.parse().map_err(|error| format!("{error}"))?;
    Profile::new(name.trim(), vec![rule])
}

fn word(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected words with a comma between them, such as rude,crude".into()),
        word => Ok(word.to_owned()),
    }
}

fn app_key(text: &str) -> Result<AppKey, String> {
    AppKey::parse(text)
        .ok_or_else(|| "expected ORG#APP, such as org#app, in quotes where # begins a comment".into())
}

fn http_url(text: &str) -> Result<String, String> {
    if is_url(text, &["http"]) {
        Ok(text.to_owned())
    } else {
        Err("expected an http:// address, such as http://127.0.0.1:8000/hook".into())
    }
}

fn server_url(text: &str) -> Result<String, String> {
    if is_url(text, &["http", "https"]) {
        Ok(text.to_owned())
    } else {
        Err("expected the address of a mock-server, such as http://127.0.0.1:8989".into())
    }
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    let uri: Option<hyper::Uri> = text.parse().ok();
    uri.is_some_and(|uri| {
        uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme)) && uri.host().is_some()
    })
}

fn save(text: &str) -> Result<Save, String> {
    /// A shorter one would do little else than to save.
    const EVERY_MS_MIN: u64 = 100;
    match text {
        "exit" => Ok(Save::Exit),
        "never" => Ok(Save::Never),
        _ => match measured(text, TIMES) {
            Some(ms) if ms >= EVERY_MS_MIN => Ok(Save::Every(Duration::from_millis(ms))),
            Some(_) => Err(format!("an interval is {EVERY_MS_MIN}ms or longer")),
            None => {
                Err("expected exit, never, or an interval as a number and ms, s, m or h, such as 10s".into())
            }
        },
    }
}

/// Units of time, in ms.
const TIMES: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

fn duration_ms(text: &str) -> Result<u64, String> {
    measured(text, TIMES).ok_or_else(|| "expected a number and ms, s, m or h, such as 1s".into())
}

fn bytes(text: &str) -> Result<u64, String> {
    measured(text, &[("kb", 1024), ("mb", 1024 * 1024), ("b", 1)])
        .ok_or_else(|| "expected a number and B, KB or MB, such as 10MB".into())
}

fn message_bytes(text: &str) -> Result<u32, String> {
    u32::try_from(bytes(text)?).map_err(|_| "a message holds less than 4 GB".into())
}

/// A whole number and one of the units, the longer of two alike first.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn flags(args: &[&str]) -> Result<Flags, String> {
        let args = std::iter::once("mock-server").chain(args.iter().copied());
        Flags::try_parse_from(args).map_err(|error| error.to_string())
    }

    #[rstest]
    #[case::number("127.0.0.1:8123", "127.0.0.1:8123")]
    #[case::everywhere("0.0.0.0:0", "0.0.0.0:0")]
    #[case::new_kind("[::1]:8123", "[::1]:8123")]
    fn an_address_is_taken_as_it_is(#[case] text: &str, #[case] expected: SocketAddr) {
        assert_eq!(address(text), Ok(expected));
    }

    #[test]
    fn a_name_stands_for_this_machine_where_it_can() {
        let addr = address("localhost:8123").expect("every machine knows the name");
        assert!(addr.ip().is_loopback() && addr.port() == 8123, "{addr}");
    }

    #[rstest]
    fn what_is_no_address_is_told_what_is(
        #[values("8989", "", ":", ":8989", "localhost", "localhost:", "127.0.0.1:70000", "http://127.0.0.1")]
        text: &str,
    ) {
        let why = flags(&["--listen", text]).expect_err("no address");
        assert!(why.contains("expected ADDR:PORT, such as 127.0.0.1:8989"), "{why}");
    }

    #[test]
    fn without_flags_the_rules_are_the_laptops() {
        let flags = flags(&[]).expect("nothing is needed");
        assert_eq!(flags.settings(), Settings::default());
        assert_eq!(flags.stage(), Ok(Vec::new()));
    }

    #[test]
    fn every_rule_has_a_flag() {
        let args = "--strict --recall-window 1s --recall off --words rude,crude --antispam on \
                    --webhook http://127.0.0.1:8000/hook --webhook-secret s3 --webhook-on-timeout refuse \
                    --webhook-timeout 5s --roaming off --sessions off --group-receipts off --attachment-max 2kb \
                    --message-max 100B";
        let settings = flags(&args.split_whitespace().collect::<Vec<_>>()).expect("good flags").settings();
        let webhook = Webhook {
            url: "http://127.0.0.1:8000/hook".into(),
            secret: "s3".into(),
            timeout_ms: 5_000,
            on_timeout: Verdict::Refuse,
            ..Webhook::default()
        };
        let expected = Settings {
            strict: true,
            recall_window_ms: 1_000,
            recall: false,
            words: vec!["rude".into(), "crude".into()],
            antispam: true,
            webhooks: vec![webhook],
            roaming: false,
            sessions: false,
            group_receipts: false,
            attachment_bytes_max: 2_048,
            message_bytes_max: 100,
            ..Settings::default()
        };
        assert_eq!(settings, expected);
    }

    #[rstest]
    #[case::left_out(&[], Kept::Rows(20_000))]
    #[case::off(&["--journal", "off"], Kept::Nothing)]
    #[case::rows(&["--journal", "7"], Kept::Rows(7))]
    #[case::most(&["--journal", "1000000"], Kept::Rows(1_000_000))]
    fn so_much_of_each_world_is_kept(#[case] args: &[&str], #[case] expected: Kept) {
        assert_eq!(flags(args).map(|flags| flags.journal), Ok(expected));
    }

    #[rstest]
    fn what_is_no_number_of_rows_is_told_what_is(#[values("0", "1000001", "-1", "on", "")] rows: &str) {
        let why = flags(&[&format!("--journal={rows}")]).expect_err("no number of rows");
        assert!(why.contains("expected off, or a number of rows from 1 to 1000000"), "{why}");
    }

    #[rstest]
    #[case::ms("250ms", 250)]
    #[case::s("1s", 1_000)]
    #[case::minutes("2 M", 120_000)]
    #[case::h("1h", 3_600_000)]
    fn a_time_has_a_unit(#[case] text: &str, #[case] expected: u64) {
        assert_eq!(duration_ms(text), Ok(expected));
    }

    #[rstest]
    #[case::no_unit("--recall-window", "60", "such as 1s")]
    #[case::no_number("--recall-window", "s", "such as 1s")]
    #[case::negative("--recall-window=-1s", "", "such as 1s")]
    #[case::too_long("--recall-window", "99999999999999999999h", "such as 1s")]
    #[case::no_name("--tls-name", "https://x", "such as my-laptop.local or 192.168.1.20")]
    #[case::dir_alone("--tls-dir", "here", "--tls")]
    #[case::cert_alone("--tls-cert", "cert.pem", "--tls-key <FILE>")]
    #[case::key_alone("--tls-key", "key.pem", "--tls-cert <FILE>")]
    #[case::no_token("--control-token", "my token", "such as the output of: openssl rand -hex 16")]
    #[case::short_token("--control-token", "1234567", "expected 8 to 128")]
    #[case::no_address("--control", "9000", "expected ADDR:PORT")]
    #[case::no_size("--attachment-max", "10", "such as 10MB")]
    #[case::other_size("--attachment-max", "10TB", "such as 10MB")]
    #[case::large_message("--message-max", "5000MB", "less than 4 GB")]
    #[case::switch("--recall", "maybe", "[possible values: on, off]")]
    #[case::no_word("--words", "a,,b", "such as rude,crude")]
    #[case::https("--webhook", "https://example.test/hook", "expected an http:// address")]
    #[case::no_url("--webhook", "hook", "expected an http:// address")]
    #[case::no_seed("--nasty", "very", "expected a number, such as 7, or random")]
    #[case::no_rule("--profile", "lazy", "expected NAME=RULE")]
    #[case::bad_rule("--profile", "lazy=on every answer to {user}: sleep", "what is done is expected here")]
    #[case::bad_name("--profile", "La zy=on every answer to {user}: drop", "no name of a profile")]
    #[case::taken_name("--profile", "504=on every answer to {user}: drop", "the catalog has a 504 already")]
    #[case::no_id("--group", "alice,bob", "such as g1=alice,bob")]
    #[case::no_owner("--group", "g1=", "such as g1=alice,bob")]
    #[case::no_member("--room", "r1=alice,,bob", "such as g1=alice,bob")]
    #[case::secret_alone("--webhook-secret", "s3", "--webhook <URL>")]
    fn a_value_that_will_not_do_is_told_what_would(
        #[case] flag: &str,
        #[case] value: &str,
        #[case] words: &str,
    ) {
        let args: Vec<&str> = [flag, value].into_iter().filter(|arg| !arg.is_empty()).collect();
        let why = flags(&args).expect_err("it will not do");
        assert!(why.contains(words), "{why}");
    }

    #[rstest]
    #[case::no_world(&["stage", "--world", "org/app"], "expected ORG#APP, such as org#app")]
    #[case::no_url(&["errors", "--server", "127.0.0.1:8989"], "expected the address of a mock-server, such as http://127.0.0.1:8989")]
    #[case::nobody(&["errors", "504", "--arm"], "--user <NAME>")]
    #[case::nothing(&["errors", "--arm", "--user", "alice"], "CODE|NAME")]
    #[case::named_for_nobody(&["stage", "cut-no-frame"], "--user <NAME>")]
    #[case::beside_serving(&["--strict", "errors"], "cannot be used with")]
    fn a_command_that_will_not_do_is_told_what_would(#[case] args: &[&str], #[case] words: &str) {
        let why = flags(args).expect_err("it will not do");
        assert!(why.contains(words), "{why}");
    }

    #[test]
    fn a_code_may_be_negative() {
        let Some(Command::Errors(args)) = flags(&["errors", "-1"]).expect("a code").command else {
            panic!("another command")
        };
        assert_eq!(args.name.as_deref(), Some("-1"));
    }

    #[rstest]
    #[case::name("g1=al ice,bob", "al ice")]
    #[case::taken("alice=alice,bob", "a user has that name")]
    fn a_group_that_no_world_would_have_is_refused_at_once(#[case] group: &str, #[case] words: &str) {
        let why = flags(&["--group", group]).expect("well formed").stage().expect_err("refused").to_string();
        assert!(why.contains(words), "{why}");
    }

    #[test]
    fn groups_and_rooms_are_staged_behind_their_users() {
        let args = ["--group", "g1=alice,bob", "--room", "r1=carl", "--group", "g2=bob"];
        let stage = flags(&args).expect("good flags").stage().expect("a good stage");
        let known =
            |users: &[&str]| Control::Known { users: users.iter().map(ToString::to_string).collect() };
        let members = vec!["bob".to_owned()];
        assert_eq!(
            stage,
            [
                known(&["alice", "bob"]),
                known(&["bob"]),
                known(&["carl"]),
                Control::Group { id: "g1".into(), owner: "alice".into(), members },
                Control::Group { id: "g2".into(), owner: "bob".into(), members: Vec::new() },
                Control::Room { id: "r1".into(), owner: "carl".into(), members: Vec::new() },
            ]
        );
    }
}
