//! One conversation as scenarios have them: devices are made, log in, write, and are forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use mock_server::control::Control;
use mock_server::machine::Millis;
use mock_server::shell::MockServer;
use mock_server::tape::{Direction, Event as Happened};
use serde_json::{Value, json};

use super::hello::Introduced;
use super::patient::{Leaving, Patient, Reply};
use super::{APP_KEY, Examination, Patience, word};
use crate::driver::{Answer, Capability, Event, EventKind};
use crate::real_time::{Deadline, Stopwatch};

/// Where a manual clock starts, as in a scenario.
const START_MS: u64 = 1_640_908_800_000;
/// How many examples of one mistake are shown.
const EXAMPLES: usize = 3;
/// How often `sync` is asked to see how long it takes.
const SYNCS: u32 = 20;
/// How often it is asked for before its clock is looked at.
const SETTLING_SYNCS: u32 = 4;
/// How many of the client's timers may run out while an event is waited for.
const TIMERS_MAX: u32 = 20;

/// The command that makes a device, as a scenario's would.
pub(super) fn create(
    server: &MockServer,
    app_key: &str,
    user: &str,
    device: Option<&str>,
    now_ms: Option<u64>,
) -> Value {
    let address = server.addr();
    let mut create = json!({
        "app_key": app_key, "username": user, "device": device.unwrap_or("web"), "rest": format!("http://{address}"),
        "sockjs": format!("http://{address}/ws"), "websocket": format!("ws://{address}/websocket"),
        "reconnects": 3, "delivery": false, "own_upload": false, "emoji": null
    });
    if let Some(now_ms) = now_ms {
        create["now_ms"] = now_ms.into();
    }
    json!({"create": create})
}

pub(super) fn check(
    examination: &mut Examination,
    patient: Patient,
    hello: &Introduced,
    server: &MockServer,
    seed: u64,
    patience: Patience,
) {
    let virtual_clock = hello.capabilities.contains(&Capability::VirtualClock);
    if virtual_clock {
        server.manual_clock(APP_KEY, Millis(START_MS)).expect("nobody has been in this world");
    }
    for user in ["alice", "bob", "carol"] {
        let known = Control::User { name: user.to_owned(), password: format!("pw-{user}") };
        server.control(APP_KEY, known).expect("a new world takes users");
    }
    let mut visit = Visit { examination, patient, server, seed, patience, virtual_clock };
    if visit.sync() && visit.create() {
        if visit.log_in() {
            visit.log_in_others();
            visit.wrong_password();
            visit.texts();
        } else {
            let skipped = ["their logins", "wrong password", "sending", "receiving", "the server's text"];
            skipped.into_iter().for_each(|about| visit.examination.skipped(about, "alice could not log in"));
        }
        visit.clock();
        visit.reset();
    }
    visit.end();
    server.drop_world(APP_KEY);
}

struct Visit<'a> {
    examination: &'a mut Examination,
    patient: Patient,
    server: &'a MockServer,
    seed: u64,
    patience: Patience,
    virtual_clock: bool,
}

impl Visit<'_> {
    fn ask(&mut self, user: Option<&str>, command: Value) -> Reply {
        self.patient.ask(user, &command, self.patience.answer)
    }

    /// Makes a request that every shim must say `ok` to; notes what else it says.
    fn must(&mut self, about: &'static str, user: Option<&str>, command: Value, mend: &str) -> bool {
        let name = command.as_object().and_then(|object| object.keys().next()).cloned().unwrap_or_default();
        let of = user.map(|user| format!(" of {user}")).unwrap_or_default();
        let seen = match self.ask(user, command) {
            Reply::Answer(Answer::Ok(_)) => return true,
            Reply::Answer(Answer::Unsupported(what)) => {
                format!("{name}{of} was answered unsupported {what:?}")
            }
            Reply::Answer(Answer::Error(why)) => format!("{name}{of} was answered error {why:?}"),
            Reply::Late => format!("{name}{of} was not answered within {:?}", self.patience.answer),
            Reply::Ended(how) => format!("at {name}{of} {how}"),
        };
        self.examination.wrong(about, seen, mend);
        false
    }

    fn sync(&mut self) -> bool {
        let mend = "answer each request once, with its id: {\"id\":1,\"ok\":{}}; sync when the event loop has turned";
        if !self.must("sync", None, json!({"sync": {}}), mend) {
            return false;
        }
        let clock = Stopwatch::start();
        for _ in 0..SYNCS {
            if !self.must("sync", None, json!({"sync": {}}), mend) {
                return false;
            }
        }
        let each = clock.elapsed() / SYNCS;
        self.examination.healthy("sync", "it is answered");
        self.examination.told("speed of sync", format!("{each:.1?} each; a scenario asks for some dozens"));
        true
    }

    fn create(&mut self) -> bool {
        let about = "several devices";
        let now_ms = self.virtual_clock.then_some(START_MS);
        for (user, device) in [("alice", None), ("alice", Some("phone")), ("bob", None), ("carol", None)] {
            let name = device.map_or_else(|| user.to_owned(), |device| format!("{user}/{device}"));
            let command = create(self.server, APP_KEY, user, device, now_ms);
            let mend = "make a client of its own for each `user` of a request, a second device of the same user included; a \
                        client that can be one user only runs in a process of its own behind the shim";
            if !self.must(about, Some(&name), command, mend) {
                return false;
            }
        }
        self.examination.healthy(about, "alice, alice/phone, bob and carol are made");
        true
    }

    /// Waits for an event; where the clock stands still, it moves to the client's next timer meanwhile.
    fn event(&mut self, user: &str, kinds: &[EventKind]) -> Option<Event> {
        if !self.virtual_clock {
            return self.patient.event(user, kinds, self.patience.event);
        }
        let breath = self.patience.event / TIMERS_MAX;
        let mut left = u64::try_from(self.patience.event.as_millis()).unwrap_or(u64::MAX);
        for _ in 0..TIMERS_MAX {
            if let Some(event) = self.patient.event(user, kinds, breath) {
                return Some(event);
            }
            if let Some(due) = self.next_due(0).filter(|due| *due <= left) {
                let step = due.max(1);
                self.server.advance(APP_KEY, step);
                self.next_due(step);
                left = left.saturating_sub(step);
            }
        }
        None
    }

    fn next_due(&mut self, ms: u64) -> Option<u64> {
        match self.ask(None, json!({"advance": {"ms": ms}})) {
            Reply::Answer(Answer::Ok(ok)) => ok.get("next_due_ms").and_then(Value::as_u64),
            Reply::Answer(Answer::Unsupported(_) | Answer::Error(_)) | Reply::Late | Reply::Ended(_) => None,
        }
    }

    fn log_in(&mut self) -> bool {
        let about = "login";
        let mend = "answer as soon as the call is made; how it ends is told by events";
        if !self.must(about, Some("alice"), json!({"login_password": {"password": "pw-alice"}}), mend) {
            return false;
        }
        // Nothing is asked meanwhile: an event must not need a request to come.
        let own =
            self.patient.event("alice", &[EventKind::Opened, EventKind::Error], self.patience.event / 5);
        let waited = own.is_none();
        let opened = own.or_else(|| {
            self.patient.ask(None, &json!({"sync": {}}), self.patience.answer);
            self.event("alice", &[EventKind::Opened, EventKind::Error])
        });
        match opened {
            Some(event) if event.kind == EventKind::Opened => {
                self.examination.healthy(about, "alice shows opened");
                if !waited {
                    self.examination.healthy("events", "opened came without being asked for");
                } else if self.virtual_clock {
                    self.examination
                        .told("events", "opened came only after a request: the clock had to be moved for it");
                } else {
                    self.examination.wrong(
                        "events",
                        "opened came only with the next request",
                        "write each event as it fires and flush; do not wait for a line on stdin while the client works",
                    );
                }
                return true;
            }
            Some(event) => self.examination.wrong(
                about,
                format!("alice logged in with the right password and showed {event}"),
                "use `rest` and `sockjs` or `websocket` of `create`, its `app_key` and its `username`",
            ),
            None => {
                let seen =
                    format!("alice logged in with the right password and showed nothing; {}", self.heard());
                self.examination.wrong(
                    about,
                    seen,
                    "dial the addresses of `create`, and write {\"user\":\"alice\",\"event\":{\"opened\":{}}} once the client \
                     says that it is connected",
                );
            }
        }
        false
    }

    fn log_in_others(&mut self) {
        let about = "their logins";
        for user in ["alice/phone", "bob"] {
            let password = format!("pw-{}", user.split('/').next().unwrap_or_default());
            let mend = "one process has many devices at a time";
            if !self.must(about, Some(user), json!({"login_password": {"password": password}}), mend) {
                return;
            }
            match self.event(user, &[EventKind::Opened, EventKind::Error]) {
                Some(event) if event.kind == EventKind::Opened => {}
                other => {
                    let showed = other.map_or_else(|| "nothing".to_owned(), |event| event.to_string());
                    let strangers = self.strangers();
                    self.examination.wrong(
                        about,
                        format!("{user} logged in beside alice and showed {showed}{strangers}"),
                        "write in `user` of an event what the request had there, letter for letter",
                    );
                    return;
                }
            }
        }
        self.examination.healthy(about, "alice/phone and bob show opened beside alice");
    }

    /// Devices that nobody has made and that showed something all the same.
    fn strangers(&mut self) -> String {
        let known = ["alice", "alice/phone", "bob", "carol"];
        let shown = self.patient.take_events();
        let strange: BTreeSet<String> =
            shown.iter().map(|(of, _)| of.to_string()).filter(|of| !known.contains(&of.as_str())).collect();
        if strange.is_empty() {
            return String::new();
        }
        let strange: Vec<String> = strange.into_iter().collect();
        format!("; events came of {}, which nobody has made", strange.join(", "))
    }

    fn wrong_password(&mut self) {
        let about = "wrong password";
        let password = word(self.seed, "password");
        let mend =
            "answer as soon as the call is made; that the password is wrong is told by an `error` event";
        if !self.must(about, Some("carol"), json!({"login_password": {"password": password}}), mend) {
            return;
        }
        match self.event("carol", &[EventKind::Opened, EventKind::Error]) {
            Some(event) if event.kind == EventKind::Error => match event.fields.get("type") {
                Some(Value::Number(number)) => {
                    let message = event.fields.get("message").cloned().unwrap_or_default();
                    self.examination
                        .healthy(about, format!("carol shows error, type {number}, message {message}"));
                }
                _ => self.examination.wrong(
                    about,
                    format!("carol shows {event}"),
                    "`type` is the client's own number for it",
                ),
            },
            Some(_) => self.examination.wrong(
                about,
                "carol logged in with a wrong password and showed opened",
                "give the client the password of the request, and show opened only when the client does",
            ),
            None => self.examination.wrong(
                about,
                "carol logged in with a wrong password and showed nothing",
                "write the client's general failure callback as `error {type, message}`",
            ),
        }
    }

    fn texts(&mut self) {
        self.text_out();
        self.text_in();
    }

    fn text_out(&mut self) {
        let about = "sending";
        let text = format!("hello {}", word(self.seed, "text"));
        let command = json!({"send_text": {"handle": "m1", "to": "bob", "chat": "single", "text": text}});
        if !self.must(about, Some("alice"), command, "answer as soon as the client has taken the text") {
            return;
        }
        let Some(sent) = self.event("alice", &[EventKind::Sent, EventKind::Failed]) else {
            let seen = format!("alice wrote to bob and showed neither sent nor failed; {}", self.heard());
            return self.examination.wrong(
                about,
                seen,
                "keep `handle` beside the message, and write `sent {handle, id}` when its success callback fires",
            );
        };
        let id = sent.fields.get("id").cloned().unwrap_or_default();
        if sent.kind != EventKind::Sent || sent.fields.get("handle") != Some(&"m1".into()) || !is_id(&id) {
            return self.examination.wrong(
                about,
                format!("alice wrote to bob under the handle m1 and showed {sent}"),
                "`handle` is the request's; `id` is the server's, a string of digits: it is too large for a double",
            );
        }
        let on_tape = self.server.tape(APP_KEY).iter().any(|row| {
            matches!(&row.event, Happened::Frame { direction: Direction::Up, bytes, .. }
                if bytes.windows(text.len()).any(|part| part == text.as_bytes()))
        });
        if !on_tape {
            return self.examination.wrong(
                about,
                "alice showed sent, and the server has never had the text",
                "a shim shows what its client does, and nothing that it makes up",
            );
        }
        self.examination.healthy(about, "alice shows sent, with the server's id");
        let expected = [
            ("id", id),
            ("from", "alice".into()),
            ("to", "bob".into()),
            ("chat", "single".into()),
            ("data", text.into()),
            ("ext", json!({})),
        ];
        self.shows_text("receiving", "bob", &expected);
    }

    /// A text that only the server knows: no shim can make it up.
    fn text_in(&mut self) {
        let text = format!("only the server knows {}", word(self.seed, "stored"));
        let stored =
            Control::Texts { from: "bob".to_owned(), to: "alice".to_owned(), text: text.clone(), count: 1 };
        self.server.control(APP_KEY, stored).expect("both exist");
        self.shows_text("the server's text", "alice", &[("from", "bob".into()), ("data", text.into())]);
    }

    fn shows_text(&mut self, about: &'static str, user: &str, expected: &[(&str, Value)]) {
        let Some(event) = self.event(user, &[EventKind::Text]) else {
            let seen = format!("a text to {user} was not shown; {}", self.heard());
            return self.examination.wrong(
                about,
                seen,
                "write `text {id, from, to, chat, data, ext, time}` when the client's callback for texts fires",
            );
        };
        let mut wrong = Vec::new();
        for (field, expected) in expected {
            match event.fields.get(*field) {
                Some(got) if got == expected => {}
                Some(got) => wrong.push(format!("{field} is {got} instead of {expected}")),
                None => wrong.push(format!("{field} is missing: {expected}")),
            }
        }
        match event.fields.get("time") {
            Some(Value::Number(_)) => {}
            Some(other) => wrong.push(format!("time is {other}: a number, in ms")),
            None => wrong.push("time is missing: a number, in ms".to_owned()),
        }
        if wrong.is_empty() {
            self.examination.healthy(about, format!("{user} shows it whole"));
        } else {
            self.examination.wrong(
                about,
                format!("a text to {user}: {}", wrong.join("; ")),
                "write what the client's callback was given, under the names of DRIVER.md; an id is a string, and `ext` \
                 is {} where there is none",
            );
        }
    }

    fn clock(&mut self) {
        let about = "clock";
        let reply = self.ask(None, json!({"advance": {"ms": 0}}));
        if !self.virtual_clock {
            return match reply {
                Reply::Answer(Answer::Unsupported(_)) => {
                    self.examination.healthy(about, "its own; advance is unsupported");
                }
                other => {
                    let seen = format!("hello has no \"virtual_clock\", and advance was {}", said(&other));
                    self.examination.wrong(
                        about,
                        seen,
                        "answer advance {\"unsupported\":\"advance\"}, or say \"virtual_clock\" in hello and do what it asks \
                         for",
                    );
                }
            };
        }
        let Reply::Answer(Answer::Ok(ok)) = &reply else {
            return self.examination.wrong(
                about,
                format!("advance {{\"ms\":0}} was {}", said(&reply)),
                "answer {\"next_due_ms\":…}: when the client's next timer is due, in ms from now, or null",
            );
        };
        let due = match ok.get("next_due_ms") {
            Some(Value::Null) => None,
            Some(due) if due.is_u64() => due.as_u64(),
            other => {
                let is = other.map_or_else(|| "missing".to_owned(), |other| other.to_string());
                return self.examination.wrong(
                    about,
                    format!("in the answer to advance next_due_ms is {is}"),
                    "whole ms from the new now, or null when no timer is set",
                );
            }
        };
        let Some(_) = due else {
            return self.examination.told(about, "no timer is set, so none could be seen to stand still");
        };
        // What is under way sets timers and takes them back; that comes first.
        for _ in 0..SETTLING_SYNCS {
            self.server.rest(APP_KEY, self.patience.nothing);
            self.ask(None, json!({"sync": {}}));
        }
        let Some(due) = self.next_due(0) else {
            return self.examination.told(about, "no timer stayed set, so none could be seen to stand still");
        };
        self.patient.listen(self.patience.nothing);
        if let Some(later) = self.next_due(0).filter(|later| *later < due) {
            return self.examination.wrong(
                about,
                format!("{:?} of the host's time later the next timer, due in {due} ms, is due in {later} ms", self.patience.nothing),
                "the clock stands still but for advance: give dates and timers of the client to it, and run nothing by the \
                 host's time",
            );
        }
        let step = due / 2;
        self.server.advance(APP_KEY, step);
        let after = self.next_due(step);
        if after != Some(due - step) {
            let after = after.map_or_else(|| "never".to_owned(), |after| format!("in {after} ms"));
            return self.examination.wrong(
                about,
                format!(
                    "the next timer was due in {due} ms; after advance {{\"ms\":{step}}} it is due {after}"
                ),
                "move the clock by `ms`, run what falls due, and count next_due_ms from the new now",
            );
        }
        self.examination.healthy(
            about,
            format!("it stands still; the next timer is due in {after} ms", after = due - step),
        );
    }

    fn reset(&mut self) {
        let about = "reset";
        let text = format!("while it resets {}", word(self.seed, "reset"));
        // Whatever comes of it: it is under way when everything is to be forgotten.
        self.ask(
            Some("alice"),
            json!({"send_text": {"handle": "m2", "to": "bob", "chat": "single", "text": text}}),
        );
        if !self.must(about, None, json!({"reset": {}}), "close every device, forget it, then answer ok") {
            return;
        }
        self.patient.take_events();
        self.patient.listen(self.patience.nothing);
        self.ask(None, json!({"sync": {}}));
        let late = self.patient.take_events();
        if let Some((device, event)) = late.first() {
            return self.examination.wrong(
                about,
                format!("{} events came after its answer; the first: {device} {event}", late.len()),
                "after the answer nothing of the devices is reported: drop their callbacks first",
            );
        }
        let open = self.open_sockets(Deadline::after(self.patience.event));
        if open > 0 {
            return self.examination.wrong(
                about,
                format!(
                    "{open} sockets of the devices are still open {:?} after its answer",
                    self.patience.event
                ),
                "close the connections of every device",
            );
        }
        let now_ms = self.virtual_clock.then_some(START_MS);
        let command = create(self.server, APP_KEY, "alice", None, now_ms);
        let mend = "after reset no device is there any more, and each name is free again";
        if self.must(about, Some("alice"), command, mend) {
            self.examination
                .healthy(about, "nothing came after it, the sockets are closed, names are free again");
        }
        self.ask(None, json!({"reset": {}}));
    }

    fn open_sockets(&mut self, deadline: Deadline) -> usize {
        loop {
            self.server.rest(APP_KEY, Duration::from_millis(100));
            let mut open = BTreeSet::new();
            for row in self.server.tape(APP_KEY) {
                match row.event {
                    Happened::Opened { conn, .. } => {
                        open.insert(conn);
                    }
                    Happened::Closed { conn, .. } => {
                        open.remove(&conn);
                    }
                    Happened::LoggedIn { .. }
                    | Happened::Frame { .. }
                    | Happened::Muted { .. }
                    | Happened::Fault { .. }
                    | Happened::AtDoor { .. }
                    | Happened::Http { .. } => {}
                }
            }
            if open.is_empty() || deadline.left().is_zero() {
                return open.len();
            }
            // The shim's event loop turns meanwhile.
            self.ask(None, json!({"sync": {}}));
        }
    }

    /// What the server knows, to tell a client that never came from one that was refused.
    fn heard(&self) -> String {
        let rows = self.server.tape(APP_KEY);
        let requests = rows.iter().filter(|row| matches!(row.event, Happened::Http { .. })).count();
        let sockets = rows.iter().filter(|row| matches!(row.event, Happened::Opened { .. })).count();
        match (requests, sockets) {
            (0, 0) => "the server has heard nothing of any device".to_owned(),
            (requests, 0) => format!("the server has had {requests} requests over HTTP and no socket"),
            (requests, sockets) => {
                format!("the server has had {requests} requests over HTTP and {sockets} sockets")
            }
        }
    }

    fn end(mut self) {
        if self.patient.has_ended() {
            self.examination.skipped("end of stdin", "it had ended before");
        } else {
            self.leave();
        }
        let twice = self.patient.answered_twice();
        if !twice.is_empty() || !self.patient.unasked.is_empty() {
            let more = twice.len().saturating_sub(EXAMPLES);
            let mut seen: Vec<String> =
                twice.into_iter().take(EXAMPLES).map(|one| format!("answered {one}")).collect();
            if more > 0 {
                seen.push(format!("and {more} more"));
            }
            seen.extend(
                self.patient.unasked.iter().map(|id| format!("an answer to {id}, which was never asked")),
            );
            self.examination.wrong(
                "answers",
                seen.join("\n"),
                "answer each request once, with the id that it has",
            );
        } else {
            let requests = self.patient.requests();
            self.examination.healthy("answers", format!("none of {requests} requests was answered twice"));
        }
        let lines = self.patient.lines_heard;
        if self.patient.garbage_lines > 0 {
            let examples = self.patient.garbage.join("\n");
            self.examination.wrong(
                "stdout",
                format!(
                    "{} of {lines} lines are none of the protocol:\n{examples}",
                    self.patient.garbage_lines
                ),
                "stdout is for the protocol alone: send logs, and what libraries print, to stderr",
            );
        } else {
            self.examination.healthy("stdout", format!("{lines} lines, all of the protocol"));
        }
        if self.patient.events_lost > 0 {
            let seen = format!("{} events more than anybody could have caused", self.patient.events_lost);
            self.examination.wrong("events", seen, "write an event when a callback fires, and only then");
        }
        let remarks = self.patient.remarks();
        self.examination.told(
            "stderr",
            match remarks.lines().count() {
                0 => "nothing; a failure shows what is written there".to_owned(),
                lines => format!("{lines} lines; a failure shows them"),
            },
        );
    }

    fn leave(&mut self) {
        let about = "end of stdin";
        let within = self.patience.leave;
        let Leaving { status, held } = self.patient.leave(within);
        match status {
            None => self.examination.wrong(
                about,
                format!("it still ran {within:?} later, and was killed"),
                "exit when stdin ends, without waiting for timers or sockets",
            ),
            Some(status) if held => self.examination.wrong(
                about,
                format!("it left ({status}), and another process goes on holding its stdout or stderr"),
                "end what the shim has started before it exits; a wrapper starts the shim with exec",
            ),
            Some(status) => {
                self.examination.healthy(about, format!("it leaves within {within:?} ({status})"))
            }
        }
    }
}

fn is_id(id: &Value) -> bool {
    id.as_str().is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
}

fn said(reply: &Reply) -> String {
    match reply {
        Reply::Answer(Answer::Ok(ok)) => format!("answered ok {}", Value::Object(ok.clone())),
        Reply::Answer(Answer::Unsupported(what)) => format!("answered unsupported {what:?}"),
        Reply::Answer(Answer::Error(why)) => format!("answered error {why:?}"),
        Reply::Late => "not answered".to_owned(),
        Reply::Ended(how) => format!("not answered: {how}"),
    }
}
