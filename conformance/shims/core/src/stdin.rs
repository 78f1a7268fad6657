//! Lines from stdin, read by a thread of their own: a pipe cannot be polled on every platform.

use std::io::{self, BufRead, Read as _};

use tokio::sync::mpsc;

/// The longest line taken, in bytes, its end included (DRIVER.md).
const LINE_LIMIT_BYTES: u64 = 1024 * 1024;
/// How many lines are read ahead: a harness that never waits is held back by its pipe.
const LINES_AHEAD: usize = 64;

/// Lines without their ends; the channel closes at the end of stdin, or after an error.
pub(crate) fn lines() -> mpsc::Receiver<Result<String, String>> {
    let (sender, receiver) = mpsc::channel(LINES_AHEAD);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        while let Some(line) = read_line(&mut stdin) {
            let is_error = line.is_err();
            if sender.blocking_send(line).is_err() || is_error {
                return;
            }
        }
    });
    receiver
}

fn read_line(input: &mut impl BufRead) -> Option<Result<String, String>> {
    let mut bytes = Vec::new();
    match input.take(LINE_LIMIT_BYTES).read_until(b'\n', &mut bytes) {
        Ok(0) => return None,
        Ok(_) => {}
        Err(error) => return Some(Err(format!("cannot read stdin: {error}"))),
    }
    if bytes.pop_if(|last| *last == b'\n').is_none() && bytes.len() as u64 == LINE_LIMIT_BYTES {
        return Some(Err(format!("a line of stdin is longer than {LINE_LIMIT_BYTES} bytes")));
    }
    Some(String::from_utf8(bytes).map_err(|error| format!("a line of stdin is not UTF-8: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_the_input_and_at_the_limit() {
        let mut input = io::Cursor::new("one\ntwo".as_bytes().to_vec());
        assert_eq!(read_line(&mut input), Some(Ok("one".to_owned())));
        assert_eq!(read_line(&mut input), Some(Ok("two".to_owned())));
        assert_eq!(read_line(&mut input), None);

        let limit = usize::try_from(LINE_LIMIT_BYTES).expect("a mebibyte");
        let mut longest = vec![b'x'; limit - 1];
        longest.push(b'\n');
        let line = read_line(&mut io::Cursor::new(longest)).expect("a line").expect("within the limit");
        assert_eq!(line.len(), limit - 1);

        let too_long = read_line(&mut io::Cursor::new(vec![b'x'; limit + 1])).expect("a line");
        assert!(too_long.expect_err("over the limit").contains("longer than 1048576 bytes"));
    }
}
