//! A shim that does one thing wrong, by name: what the tests of `children` and `program` run. It answers
//! everything else as a shim without any client would.

mod ill;

use std::io::Write as _;

use serde_json::{Value, json};

const HELLO: &str = r#"{"hello":{"protocol":1,"name":"misbehaving","version":"0","capabilities":[]}}"#;

fn main() {
    let wrong = std::env::args().nth(1).unwrap_or_default();
    if let Some(illness) = wrong.strip_prefix("ill: ") {
        return ill::run(illness);
    }
    match &*wrong {
        "never says hello" => {
            std::io::stdin().lines().for_each(drop);
            return;
        }
        "dies before hello" => {
            eprintln!("cannot find the module");
            std::process::exit(3);
        }
        "another protocol" => say(&HELLO.replace("\"protocol\":1", "\"protocol\":2")),
        "unknown capability" => say(&HELLO.replace("[]", r#"["time_travel"]"#)),
        "chats before hello" => say("listening on port 4000"),
        "hello with a carriage return" => say(&format!("{HELLO}\r")),
        _ => say(HELLO),
    }
    if wrong == "never reads" {
        // Longer than any test: the harness has to end this process.
        loop {
            std::thread::park();
        }
    }
    for line in std::io::stdin().lines() {
        let Ok(line) = line else { return };
        let request: Value = serde_json::from_str(&line).expect("the harness writes JSON");
        answer(&wrong, &request);
    }
}

fn answer(wrong: &str, request: &Value) {
    let id = &request["id"];
    let ok = json!({"id": id, "ok": {}}).to_string();
    let event = r#"{"user":"alice","event":{"opened":{}}}"#;
    if request["command"].get("create").is_some() || request["command"].get("reset").is_some() {
        return say(&ok);
    }
    match wrong {
        "dies" => {
            eprintln!("TypeError: undefined is not a function");
            std::process::exit(7);
        }
        "dies once" => {
            let marker = std::env::args().nth(2).expect("the file that remembers it");
            if std::fs::File::create_new(marker).is_ok() {
                std::process::exit(7);
            }
            log_in(request);
        }
        "dies when bob logs in" if request["user"] == "bob" => std::process::exit(7),
        "says nothing" => {}
        "calls and hangs" => {
            let port = std::env::args().nth(2).and_then(|port| port.parse::<u16>().ok());
            let call = std::net::TcpStream::connect(("127.0.0.1", port.expect("a port")));
            // Open until the process ends.
            std::mem::forget(call.expect("somebody listens"));
        }
        "answers twice" => say(&format!("{ok}\n{ok}")),
        "answers what was never asked" => say(&json!({"id": 99, "ok": {}}).to_string()),
        "prints" => say("connecting…"),
        "prints an empty line" => say(""),
        "prints other JSON" => say(r#"{"level":"info"}"#),
        "a line without end" => {
            let chunk = vec![b'x'; 64 << 10];
            while std::io::stdout().write_all(&chunk).is_ok() {}
        }
        "ends inside a line" => {
            print!("{}", &ok[..10]);
            flush();
            std::process::exit(0);
        }
        "not UTF-8" => {
            std::io::stdout().write_all(b"{\"id\":1,\"error\":\"\xff\"}\n").expect("the harness reads");
            flush();
        }
        "two outcomes" => say(&json!({"id": id, "ok": {}, "error": "no"}).to_string()),
        "no outcome" => say(&json!({"id": id}).to_string()),
        "unknown event" => say(r#"{"user":"alice","event":{"txt":{}}}"#),
        "unknown event field" => say(r#"{"user":"alice","event":{"text":{"body":"hi"}}}"#),
        "event of nobody" => say(r#"{"event":{"opened":{}}}"#),
        "second hello" => say(HELLO),
        "floods" => while say_if_read(event) {},
        "unsupported" => say(&json!({"id": id, "unsupported": "conn.open"}).to_string()),
        "refuses" => say(&json!({"id": id, "error": "no such user"}).to_string()),
        _ => log_in(request),
    }
}

fn log_in(request: &Value) {
    say(&json!({"id": request["id"], "ok": {}}).to_string());
    if request["command"].get("login_password").is_some() {
        say(&json!({"user": request["user"], "event": {"opened": {}}}).to_string());
    }
}

fn say(line: &str) {
    println!("{line}");
    flush();
}

fn say_if_read(line: &str) -> bool {
    writeln!(std::io::stdout(), "{line}").is_ok()
}

fn flush() {
    std::io::stdout().flush().expect("the harness reads");
}
