//! The program's flags: what each may hold, and what a world then starts with.
//!
//! Nothing here is done; `run` does it.

use std::net::{SocketAddr, ToSocketAddrs as _};

use clap::{Parser, ValueEnum};

use crate::control::{Control, ControlError, Settings, SettingsPatch, Verdict, Webhook};
use crate::machine::{AppKey, Config, Millis, Server};

/// A mock server for the Easemob WebIM messaging protocol: point the vendor's own SDKs at it.
#[derive(Debug, Parser)]
#[command(version, about, after_help = AFTER_HELP)]
pub(super) struct Flags {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8989", value_name = "ADDR:PORT", value_parser = address)]
    pub(super) listen: SocketAddr,
    /// Refuse what a laptop forgives: unknown users, unknown tokens, messages to nobody.
    #[arg(long)]
    pub(super) strict: bool,
    /// Log more: -v what worlds do, -vv what connections do.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,

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
  mock-server --recall-window 1s             to see error 504 without waiting for two minutes";

impl Flags {
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

fn word(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected words with a comma between them, such as rude,crude".into()),
        word => Ok(word.to_owned()),
    }
}

fn http_url(text: &str) -> Result<String, String> {
    let uri: Option<hyper::Uri> = text.parse().ok();
    let is_http = uri.is_some_and(|uri| uri.scheme_str() == Some("http") && uri.host().is_some());
    if is_http {
        Ok(text.to_owned())
    } else {
        Err("expected an http:// address, such as http://127.0.0.1:8000/hook".into())
    }
}

fn duration_ms(text: &str) -> Result<u64, String> {
    measured(text, &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)])
        .ok_or_else(|| "expected a number and ms, s, m or h, such as 1s".into())
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
    #[case::no_size("--attachment-max", "10", "such as 10MB")]
    #[case::other_size("--attachment-max", "10TB", "such as 10MB")]
    #[case::large_message("--message-max", "5000MB", "less than 4 GB")]
    #[case::switch("--recall", "maybe", "[possible values: on, off]")]
    #[case::no_word("--words", "a,,b", "such as rude,crude")]
    #[case::https("--webhook", "https://example.test/hook", "expected an http:// address")]
    #[case::no_url("--webhook", "hook", "expected an http:// address")]
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
