//! A shim without any client, which looks healthy but for one illness, by name: what `children/doctor.rs` runs. Since
//! there is no client, what it shows is made up, and the doctor says that too.

use std::io::BufRead as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{flush, say, say_if_read};

/// When the only timer of the clock that it plays is due.
const DUE_MS: u64 = 30_000;

struct Shim {
    illness: String,
    devices: Vec<String>,
    held_back: Vec<String>,
    moved_ms: u64,
    started: Instant,
}

#[expect(clippy::zombie_processes, reason = "a process that is left behind is one of the illnesses")]
pub(super) fn run(illness: &str) {
    if illness == "lingers" {
        // Longer than the doctor waits: it must be noticed, not waited for.
        std::thread::park_timeout(Duration::from_secs(6));
        return;
    }
    let capabilities = if illness.contains("clock") { json!(["virtual_clock"]) } else { json!([]) };
    let mut hello = json!({"protocol": 1, "name": "ill", "version": "0", "capabilities": capabilities});
    match illness {
        "hello without a version" => hello = json!({"protocol": 1, "name": "ill", "capabilities": []}),
        "hello with a number for a name" => hello["name"] = json!(7),
        "hello with a capability of its own" => hello["capabilities"] = json!(["time_travel"]),
        "hello with more" => hello["os"] = json!("plan9"),
        "hello with its protocol in words" => hello["protocol"] = json!("one"),
        "chats before hello" => say("listening on port 4000"),
        _ => {}
    }
    say(&json!({"hello": hello}).to_string());
    #[expect(clippy::disallowed_methods, reason = "a clock that runs by itself is one of the illnesses")]
    let started = Instant::now();
    if illness == "never stops writing" {
        let rubbish = "y\n".repeat(10_000);
        while say_if_read(&rubbish) {}
        return;
    }
    let mut shim = Shim {
        illness: illness.to_owned(),
        devices: Vec::new(),
        held_back: Vec::new(),
        moved_ms: 0,
        started,
    };
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        match serde_json::from_str::<Value>(&line) {
            Ok(request) => shim.answer(&request),
            Err(_) if illness == "ends without a word at a malformed line" => return,
            Err(_) if illness == "hangs at a malformed line" => loop {
                std::thread::park();
            },
            Err(error) => eprintln!("no request: {error}"),
        }
    }
    if illness == "leaves a process behind" {
        let me = std::env::current_exe().expect("a program has a path");
        std::process::Command::new(me).arg("ill: lingers").spawn().expect("it starts");
    }
    if illness == "stays" {
        loop {
            std::thread::park();
        }
    }
}

impl Shim {
    fn is(&self, illness: &str) -> bool {
        self.illness == illness
    }

    fn answer(&mut self, request: &Value) {
        let id = &request["id"];
        let (name, fields) =
            request["command"].as_object().and_then(|all| all.iter().next()).expect("a command");
        let user = request["user"].as_str().unwrap_or_default();
        for event in std::mem::take(&mut self.held_back) {
            say(&event);
        }
        if self.is("logs to stdout") {
            say(&format!("[info] {name}"));
        }
        let mut events = Vec::new();
        let outcome = self.call(user, name, fields, &mut events);
        let mut line = json!({"id": id});
        for (key, value) in outcome.as_object().expect("an outcome") {
            line[key] = value.clone();
        }
        let late = name == "reset" && self.is("reports after reset");
        if late {
            events.push(json!({"user": "alice", "event": {"closed": {}}}));
        }
        if !(name == "sync" && self.is("does not answer sync")) {
            say(&line.to_string());
        }
        if self.is("answers twice") && name != "sync" {
            say(&line.to_string());
        }
        let events = events.iter().map(Value::to_string);
        if self.is("holds events back") {
            self.held_back.extend(events);
        } else {
            events.for_each(|event| say(&event));
        }
        flush();
    }

    fn call(&mut self, user: &str, name: &str, fields: &Value, events: &mut Vec<Value>) -> Value {
        let user_of = user.split('/').next().unwrap_or_default();
        match name {
            "sync" if self.is("refuses sync") => json!({"unsupported": "sync"}),
            "sync" => json!({"ok": {}}),
            "create" if self.devices.iter().any(|one| one == user) => {
                json!({"error": format!("{user} is there already")})
            }
            "create" if self.is("one user only") && !self.devices.is_empty() => {
                json!({"error": "one user at a time"})
            }
            "create" => {
                self.devices.push(user.to_owned());
                json!({"ok": {}})
            }
            "login_password" => {
                let right = fields["password"] == format!("pw-{user_of}");
                let shown_as = if self.is("names devices its own way") {
                    user.replace('/', "_")
                } else {
                    user.to_owned()
                };
                if self.is("never logs in") {
                } else if right || self.is("takes any password") {
                    events.push(json!({"user": shown_as, "event": {"opened": {}}}));
                } else if !self.is("says nothing of a wrong password") {
                    events.push(
                        json!({"user": user, "event": {"error": {"type": 1, "message": "invalid password"}}}),
                    );
                }
                if fields.as_object().is_some_and(|fields| fields.len() > 1)
                    && self.is("dies of an unknown field")
                {
                    eprintln!("unknown field");
                    std::process::exit(9);
                }
                json!({"ok": {}})
            }
            "send_text" => {
                let sent = if self.is("ids are numbers") {
                    json!(1_160_000_000_000_000_001_u64)
                } else {
                    json!("1160000000000000001")
                };
                events
                    .push(json!({"user": user, "event": {"sent": {"handle": fields["handle"], "id": sent}}}));
                events.push(json!({"user": fields["to"], "event": {"text": {"id": sent, "from": user, "to": fields["to"],
                    "chat": "single", "data": fields["text"], "ext": {}, "time": 1_640_908_800_000_u64}}}));
                json!({"ok": {}})
            }
            "advance" if self.is("clock without next_due_ms") => json!({"ok": {}}),
            "advance" if self.illness.contains("clock") => {
                if !self.is("clock that advance does not move") {
                    self.moved_ms += fields["ms"].as_u64().unwrap_or_default();
                }
                let by_itself = if self.is("clock that runs by itself") {
                    u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
                } else {
                    0
                };
                json!({"ok": {"next_due_ms": DUE_MS.saturating_sub(self.moved_ms + by_itself)}})
            }
            "advance" if self.is("advances without saying so") => json!({"ok": {"next_due_ms": null}}),
            "reset" => {
                if !self.is("forgets nothing") {
                    self.devices.clear();
                }
                json!({"ok": {}})
            }
            _ if self.is("takes every command") => json!({"ok": {}}),
            _ if self.is("calls what it does not know an error") => json!({"error": "no such method"}),
            _ if self.is("names something else") => json!({"unsupported": "not implemented"}),
            _ if self.is("dies of an unknown command") && name.starts_with("command_") => {
                eprintln!("KeyError: {name}");
                std::process::exit(1);
            }
            _ => json!({"unsupported": name}),
        }
    }
}
