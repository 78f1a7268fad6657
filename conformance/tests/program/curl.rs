//! Lines that people are told to type, run as a shell with curl would, without either.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Asks one thing of a server; gives the status and the body.
pub(crate) fn http(
    authority: &str,
    method: &str,
    path: &str,
    headers: &[String],
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(authority).expect("the server listens");
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
    .expect("it takes it");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    (head[9..12].parse().expect("a status"), body.to_owned())
}

/// The words of a line as a shell takes them: quotes, `\'`, `$NAME` and a remark are all that these lines have.
fn words(line: &str, variables: &BTreeMap<String, String>) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"'), '$') => {
                let mut name = String::new();
                while let Some(c) = rest.next_if(|c| c.is_ascii_uppercase()) {
                    name.push(c);
                }
                word.get_or_insert_default().push_str(&variables[&name]);
            }
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(rest.next()),
            (None, ' ') => words.extend(word.take()),
            (None, '#') if word.is_none() => break,
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    assert_eq!(quote, None, "{line}");
    words.extend(word);
    words
}

/// Runs the lines as a shell and curl would.
pub(crate) fn run_lines(lines: &[String]) {
    let mut variables = BTreeMap::new();
    for line in lines {
        let words = words(line, &variables);
        if let [one] = &words[..] {
            let (name, value) = one.split_once('=').expect("an assignment");
            variables.insert(name.to_owned(), value.to_owned());
            continue;
        }
        let (mut method, mut headers, mut body, mut url) =
            ("GET".to_owned(), Vec::new(), String::new(), String::new());
        let mut rest = words.into_iter();
        assert_eq!(rest.next().as_deref(), Some("curl"));
        while let Some(word) = rest.next() {
            match &*word {
                "-sS" => {}
                "-X" => method = rest.next().expect("a method"),
                "-H" => headers.push(rest.next().expect("a header")),
                "--data-raw" => body = rest.next().expect("a body"),
                _ => url = word,
            }
        }
        let (authority, path) = url["http://".len()..].split_once('/').expect("a path");
        let (status, answer) = http(authority, &method, &format!("/{path}"), &headers, &body);
        assert_eq!(status, 200, "{line}\n{answer}");
    }
}
